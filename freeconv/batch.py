"""Many laws in one call: laws of one structure share a program and differ in its numbers only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import engine, spectrum
from freeconv._grids import real_grid
from freeconv._validate import worker_count
from freeconv.laws import Affine, Boxtimes, Discrete, Law, MarchenkoPastur, MarchenkoPasturPower, Resize

__all__ = ["cdfs", "densities"]


def densities(laws: Iterable[Law], x: ArrayLike, *, workers: int = 1) -> NDArray[np.float64]:
    """Return the densities of many laws.

    Parameters
    ----------
    laws : iterable of Law
        Of any kinds. Products of Marchenko–Pastur and Bernoulli laws with whole powers (Jacobians of piecewise-linear
        networks), shifted and scaled or not, are solved together, grouped by structure; their supports are found on
        the way. Others are evaluated one by one.
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
    for i, law in enumerate(listed):
        if not isinstance(law, Law):
            raise TypeError(f"laws[{i}] must be a law, got {law!r:.200}")
    points = _grid(x, len(listed))
    threads = worker_count(workers)
    values = np.full((len(listed), points.shape[1]), np.nan)
    groups: dict[tuple[str, ...], list[int]] = {}
    rows: dict[int, tuple[tuple[float, ...], tuple[float, ...]]] = {}
    single: list[tuple[int, NDArray[np.bool_]]] = []
    for i, law in enumerate(listed):
        row = _row(law)
        if row is None:
            single.append((i, np.ones(points.shape[1], dtype=np.bool_)))
            continue
        structure, parameters, multiplicities = row
        rows[i] = parameters, multiplicities
        groups.setdefault(structure, []).append(i)
    for members in groups.values():
        mine = points if len(points) == 1 else np.ascontiguousarray(points[members])
        found, left = engine.evaluate_laws(
            listed[members[0]], [rows[i] for i in members], mine, cdf=cdf, workers=threads
        )
        values[members] = found
        single += [(members[k], left[k]) for k in np.flatnonzero(left.any(axis=1))]
    evaluate: Any = spectrum.cdf if cdf else spectrum.density
    for i, mask in single:
        own = points[0 if len(points) == 1 else i]
        values[i, mask] = evaluate(listed[i], own[mask], workers=threads)
    return values


def _grid(x: ArrayLike, count: int) -> NDArray[np.float64]:
    """One row for all laws, or one for each."""
    flat, shape = real_grid("x", x)
    if len(shape) == 1:
        return flat.reshape(1, -1)
    if len(shape) == 2 and shape[0] == count:
        return flat.reshape(shape)
    raise ValueError(f"x must have shape (m,) or ({count}, m), a row for each law, got {shape}")


def _row(law: Law) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]] | None:
    """Structure, parameters and multiplicities of the law's program, as `lower` would write them; None if not flat."""
    outer_kinds: list[str] = []
    outer: list[tuple[float, ...]] = []
    while isinstance(law, (Affine, Resize)):
        if isinstance(law, Affine):
            if law.scale < 0.0:
                return None
            outer_kinds.append("affine")
            outer.append((law.scale, law.shift))
        else:
            outer_kinds.append("resize")
            outer.append((law.ratio,))
        law = law.law
    if not isinstance(law, Boxtimes):
        return None
    kinds: list[str] = []
    parameters: list[float] = []
    off_zero = 1.0
    for factor in law.children:
        if isinstance(factor, MarchenkoPastur):
            kinds.append("marchenko_pastur")
            parameters += (factor.scale, 1.0, factor.ratio, 1.0)
            off = 1.0 / factor.ratio
        elif isinstance(factor, Discrete) and len(factor.locations) == 2 and factor.locations[0] == 0.0:
            if factor.weights[1] == 1.0:  # to the last digit: no Bernoulli node has it
                return None
            kinds.append("bernoulli")
            parameters += (factor.weights[1], factor.locations[1])
            off = factor.weights[1]
        elif isinstance(factor, MarchenkoPasturPower):
            kinds.append("marchenko_pastur")
            parameters += (factor.scale, 1.0, factor.ratio, factor.power)
            off = 1.0 / factor.ratio
        else:
            return None
        off_zero = min(off_zero, off)
    parameters.append(off_zero)
    for numbers in reversed(outer):
        parameters += numbers
    structure = (*kinds, "boxtimes", *reversed(outer_kinds))
    return structure, tuple(parameters), (*law.constants, *(1.0 for _ in outer))
