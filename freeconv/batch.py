"""Many laws in one call: laws of one structure share a program and differ in its numbers only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import engine, spectrum
from freeconv._grids import real_grid
from freeconv._validate import worker_count
from freeconv.laws import Law

__all__ = ["cdfs", "densities"]


def densities(laws: Iterable[Law], x: ArrayLike, *, workers: int = 1) -> NDArray[np.float64]:
    """Return the densities of many laws.

    Parameters
    ----------
    laws : iterable of Law
        Of any kinds. Products of Marchenko–Pastur and Bernoulli laws with whole powers (Jacobians of piecewise-linear
        networks), shifted and scaled or not, are solved together, grouped by structure; their supports are found on
        the way. Others are set up and evaluated by themselves, `workers` of them side by side.
    x : array_like, shape (m,) or (n, m)
        Real points: the same for all laws, or a row for each of the n laws.
    workers : int
        Threads, −1 for all; results do not depend on it.

    Returns
    -------
    ndarray, shape (n, m)
        As `Law.density` of each: off the support 0, at an edge the limit, NaN where x is NaN.

    Raises
    ------
    TypeError
        If one of the laws is no law, or x is not real.
    ValueError
        If x does not have such a shape.
    ConvergenceError
        If a point could not be certified.

    Notes
    -----
    A flat product is log z = Σ w_k log(m + d_k), whose edges are the zeros of one derivative; points start from a curve
    followed down from the upper edge, and each is proven as in `Law.evaluate`.

    Examples
    --------
    >>> import numpy as np, freeconv as fc
    >>> laws = [fc.MLP(depth, weight_variance=2.0).jacobian() for depth in (1, 2, 3)]
    >>> fc.densities(laws, np.array([0.5, 1.0, 20.0])).round(6).tolist()
    [[0.210542, 0.159155, 0.0], [0.16018, 0.096494, 0.0], [0.131123, 0.073024, 0.0]]
    """
    return _evaluated(laws, x, workers, cdf=False)


def cdfs(laws: Iterable[Law], x: ArrayLike, *, workers: int = 1) -> NDArray[np.float64]:
    """Return the distribution functions of many laws.

    Parameters
    ----------
    laws, x, workers
        As for `densities`.

    Returns
    -------
    ndarray, shape (n, m)
        As `Law.cdf` of each, atoms included.

    Raises
    ------
    TypeError, ValueError, ConvergenceError
        As for `densities`.

    Examples
    --------
    >>> import freeconv as fc
    >>> laws = [fc.MLP(depth, weight_variance=2.0).jacobian() for depth in (1, 2, 3)]
    >>> fc.cdfs(laws, [0.0, 1.0]).round(6).tolist()
    [[0.5, 0.659155], [0.5, 0.757227], [0.5, 0.803159]]
    """
    return _evaluated(laws, x, workers, cdf=True)


def _evaluated(laws: Iterable[Law], x: ArrayLike, workers: int, *, cdf: bool) -> NDArray[np.float64]:
    if isinstance(laws, Law):
        raise TypeError(f"laws must be an iterable of laws, got one law, {laws!r:.200}; law.density takes one")
    listed = list(laws)
    for kind in {type(law) for law in listed}:
        if not issubclass(kind, Law):
            i = next(i for i, law in enumerate(listed) if type(law) is kind)
            raise TypeError(f"laws[{i}] must be a law, got {listed[i]!r:.200}")
    points = _grid(x, len(listed))
    threads = worker_count(workers)
    values = np.empty((len(listed), points.shape[1]))
    groups, single = engine.flat_rows(listed)
    evaluate: Any = spectrum.cdf if cdf else spectrum.density

    def alone(i: int, workers: int) -> None:
        values[i] = evaluate(listed[i], points[0 if len(points) == 1 else i], workers=workers)

    _each(alone, single, threads)
    for rows, parameters, multiplicities in groups:
        first = listed[rows[0]]
        left = engine.evaluate_laws(first, parameters, multiplicities, points, rows, values, cdf=cdf, workers=threads)
        for i in rows[left].tolist():
            own = points[0 if len(points) == 1 else i]
            open_points = np.isnan(values[i]) & ~np.isnan(own)
            values[i, open_points] = evaluate(listed[i], own[open_points], workers=threads)
    return values


def _each(evaluate: Callable[[int, int], None], laws: list[int], threads: int) -> None:
    """Call evaluate(law, workers) for each law, several laws side by side: setting a law up takes one thread."""
    if threads == 1 or len(laws) < 2:
        for i in laws:
            evaluate(i, threads)
        return
    from concurrent.futures import ThreadPoolExecutor  # 5 ms of an import

    with ThreadPoolExecutor(min(threads, len(laws))) as pool:
        try:
            for _ in pool.map(lambda i: evaluate(i, 1), laws):
                pass
        except BaseException:  # Ctrl-C as well: the laws that wait are given up
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _grid(x: ArrayLike, count: int) -> NDArray[np.float64]:
    """One row for all laws, or one for each."""
    flat, shape = real_grid("x", x)
    if len(shape) == 1:
        return flat.reshape(1, -1)
    if len(shape) == 2 and shape[0] == count:
        return flat.reshape(shape)
    raise ValueError(f"x must have shape (m,) or ({count}, m), a row for each law, got {shape}")
