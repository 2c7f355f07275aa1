"""Gaussian expectations by Gauss–Legendre rules on panels that are halved until two rules agree."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from freeconv._validate import non_negative

__all__ = ["gaussian_expectation", "legendre", "panels"]

_NODES = 20
_TOLERANCE, _FLOOR = 1e-14, 1e-16
"""On each panel two rules must agree to this, in the integral of |f| over the panel or in all of it; the finer one is
then far better.  A floor of 1e-14 would let panels that oscillate, not resolved, agree by chance in the tails."""

_REACH = 14.0
"""In standard deviations: beyond, even 1e20 times the density is below 1e-23."""

_STEP = 1.5
"""In standard deviations: the widest panel, on which 20 nodes give the Gaussian itself to rounding."""

_MOST_PANELS = 1 << 17


def gaussian_expectation(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    variance: float,
    breaks: Sequence[float] = (),
    width: float = 1.0,
) -> float:
    """Return E f(√q Z), Z standard normal.

    Parameters
    ----------
    f : callable
        Maps an array of real h to an array of values.  Analytic between the breaks, and there without features much
        narrower than `width` far from 0 and from all breaks.
    variance : float
        q ≥ 0.  For q = 0 it is the limit from above: the mean of the two one-sided limits.
    breaks : sequence of float
        Where f is not analytic.
    width : float
        The length over which f changes near 0 and near the breaks.

    Returns
    -------
    float
        To about 1e-14 of E |f|.

    Raises
    ------
    TypeError, ValueError
        If `variance` is not such a number, or if f is not finite or could not be integrated.

    Notes
    -----
    Panels start at 0 and at the breaks with the smaller of `width` and 1.5 √q and double from there on up to 1.5 √q, so
    that both a narrow and a wide Gaussian meet panels that are short where f or the density bend.

    Examples
    --------
    >>> import numpy as np
    >>> round(gaussian_expectation(np.cos, 2.0), 15)
    0.367879441171442
    """
    q = non_negative("variance", variance)
    if q == 0.0:
        sides = f(np.array([-math.ulp(0.0), math.ulp(0.0)]))
        return _finite(0.5 * float(sides[0] + sides[1]), q)
    ends = panels(q, breaks, width)
    low, high = ends[:-1], ends[1:]
    coarse, _ = _integrals(f, q, low, high)
    done: list[float] = []
    size = 0.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        halves, sizes = _integrals(f, q, np.concatenate([low, middle]), np.concatenate([middle, high]))
        fine = halves[: low.size] + halves[low.size :]
        panel_size = sizes[: low.size] + sizes[low.size :]
        allowed = np.maximum(_TOLERANCE * panel_size, _FLOOR * (size + math.fsum(panel_size)))
        bad = ~(np.abs(fine - coarse) <= allowed) & (high - low > 1e-13 * math.sqrt(q))
        done.extend(fine[~bad].tolist())
        size += math.fsum(panel_size[~bad])
        if not bad.any() or not np.isfinite(fine).all():
            return _finite(math.fsum([*done, *fine[bad].tolist()]), q)
        if 2 * np.count_nonzero(bad) > _MOST_PANELS:
            break
        again = np.concatenate([bad, bad])
        low, high = np.concatenate([low[bad], middle[bad]]), np.concatenate([middle[bad], high[bad]])
        coarse = halves[again]
    raise ValueError(f"the expectation at variance {q!r} needs more than {_MOST_PANELS} panels: are there more kinks?")


def panels(variance: float, breaks: Sequence[float], width: float) -> NDArray[np.float64]:
    """Return the ends of the panels that a rule for N(0, variance) starts with, ascending."""
    deviation = math.sqrt(variance)
    reach = _REACH * deviation
    inside = sorted({0.0, *(point for point in breaks if abs(point) < reach)})
    ends = {-reach, *inside, reach}
    corners = [-reach, *inside, reach]
    widest = _STEP * deviation
    for low, high in pairwise(corners):
        # From each end that is a break, doubling steps up to the middle; an end of the reach is no break.
        middle = high if high == reach else low if low == -reach else 0.5 * (low + high)
        for start, direction in ((low, 1.0), (high, -1.0)):
            step, point = min(width, widest), start
            while direction * (middle - point) > 1.25 * step:
                point += direction * step
                ends.add(point)
                step = min(2.0 * step, widest)
        if low != -reach and high != reach:
            ends.add(middle)
    return np.array(sorted(ends))


@functools.cache
def legendre(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes and weights of the Gauss–Legendre rule on [−1, 1], read-only."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    points.flags.writeable = weights.flags.writeable = False
    return points, weights


def _integrals(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    variance: float,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """∫ f(h) N(h; q) dh over each panel, and the same for |f|."""
    nodes, weights = legendre(_NODES)
    half = 0.5 * (high - low)
    h = half[:, np.newaxis] * nodes + (0.5 * (high + low))[:, np.newaxis]
    z = h / math.sqrt(variance)
    density = np.exp(-0.5 * z * z)
    values = np.where(density > 0.0, f(h) * density, 0.0)
    scale = half / math.sqrt(2.0 * math.pi) / math.sqrt(variance)
    return (values @ weights) * scale, (np.abs(values) @ weights) * scale


def _finite(value: float, variance: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"the expectation at variance {variance!r} must be finite, got {value!r}")
    return value
