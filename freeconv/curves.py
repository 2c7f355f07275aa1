"""Sample a law: abscissae that resolve its edges, hard edges and gaps, and the density there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from freeconv._validate import integer

if TYPE_CHECKING:
    from freeconv.atoms import Atoms
    from freeconv.laws import Law

__all__ = ["Curve", "sample"]

LOG_RATIO = 1e3
"""An interval whose ends are further apart than this is sampled evenly in log x."""

FEWEST_DECADES, MOST_DECADES = 3, 12
"""How far below its upper end an interval that starts at 0 is sampled."""

NEGLIGIBLE = 1e-2
"""Sampling towards 0 may stop where x f(x), the density of log x, is this fraction of its maximum."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A law as numbers to draw or to write down.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Abscissae, ascending, all within the support.
    density : ndarray, shape (n,)
        The density of the continuous part at `x`.
    interval : ndarray of int, shape (n,)
        The row of `support` that each abscissa belongs to.
    support : ndarray, shape (k, 2)
        The intervals of the continuous part, ascending.
    atoms : Atoms
        The atoms; their weights and the integral of the density add up to 1.
    """

    x: NDArray[np.float64]
    density: NDArray[np.float64]
    interval: NDArray[np.intp]
    support: NDArray[np.float64]
    atoms: Atoms


def sample(law: Law, points: int = 500) -> Curve:
    """Sample the density of a law over its support.

    Parameters
    ----------
    law : Law
    points : int
        The number of abscissae in each interval of the support, ≥ 3.

    Returns
    -------
    Curve

    Raises
    ------
    TypeError
        If `points` is not an integer.
    ValueError
        If `points` is less than 3.

    Notes
    -----
    An interval [a, b] gets the points a + (b − a) sin²(θ/2), θ = 0 … π evenly: the density dμ/dθ is then smooth at
    square-root edges and at inverse-square-root blow-ups.  Where b/a > 10³ the same is done in log x.  Where a = 0 < b,
    log x runs from b down to where x f(x) has become negligible, by 3 decades at least and 12 at most, and is dense
    at b only.  An end belongs to the sample, with density 0, where the density falls towards it; hard edges, blow-ups
    and jumps are approached only.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.curves import sample
    >>> curve = sample(fc.Semicircle(), points=5)
    >>> curve.x.round(3).tolist()
    [-2.0, -1.414, 0.0, 1.414, 2.0]
    >>> curve.density.round(3).tolist()
    [0.0, 0.225, 0.318, 0.225, 0.0]
    """
    points = integer("points", points, minimum=3)
    support = np.asarray(law.support(), dtype=np.float64).reshape(-1, 2)
    grids = [_grid(law, low, high, points) for low, high in support.tolist()]
    x = np.concatenate([np.empty(0), *grids])
    interval = np.repeat(np.arange(len(grids)), [grid.size for grid in grids])
    density = np.asarray(law.density(x), dtype=np.float64)
    keep = ~np.isin(x, support[~_soft_ends(law, support)])
    return Curve(x[keep], density[keep], interval[keep], support, law.atoms())


def _soft_ends(law: Law, support: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the density falls towards each end of each interval, shape (k, 2)."""
    soft = [edge.location for edge in law.edges() if edge.exponent > 0.0]
    return np.isin(support, soft)


def _grid(law: Law, low: float, high: float, points: int) -> NDArray[np.float64]:
    """The abscissae of one interval, both ends among them; fewer where neighbours would be the same double."""
    if low == 0.0 and high > 0.0:
        inner = np.exp(_dense_at_high(math.log(_where_negligible(law, high)), math.log(high), points - 1))
    elif low > 0.0 and high / low > LOG_RATIO:
        inner = np.exp(_dense_at_both(math.log(low), math.log(high), points))
    else:
        inner = _dense_at_both(low, high, points)
    # exp(log(high)) may miss the end by some ulp: ends are put in as they are, and nothing lies beyond them.
    return np.unique(np.concatenate([[low], inner[(low < inner) & (inner < high)], [high]]))


def _dense_at_both(low: float, high: float, points: int) -> NDArray[np.float64]:
    """Return low + (high − low) sin²(θ/2); each half is measured from its own end, where the spacing is finest."""
    theta = np.linspace(0.0, math.pi, points)
    from_low = low + (high - low) * np.sin(theta / 2.0) ** 2
    from_high = high - (high - low) * np.sin((math.pi - theta) / 2.0) ** 2
    return np.where(theta < math.pi / 2.0, from_low, from_high)


def _dense_at_high(low: float, high: float, points: int) -> NDArray[np.float64]:
    """Return high − (high − low) (1 − sin θ), θ = 0 … π/2, written with 1 − sin θ = 2 sin²((π/2 − θ)/2)."""
    theta = np.linspace(0.0, math.pi / 2.0, points)
    return high - 2.0 * (high - low) * np.sin((math.pi / 2.0 - theta) / 2.0) ** 2


def _where_negligible(law: Law, high: float) -> float:
    """How far towards 0 to sample an interval (0, high]: to where log x has hardly any density left."""
    # Two points a decade, so that the maximum is not missed; those that underflow to 0 are of no use.
    x = high * 10.0 ** (-np.arange(1, 2 * MOST_DECADES + 1) / 2.0)
    x = x[x > 0.0]
    if x.size == 0:
        return high
    weight = x * np.asarray(law.density(x), dtype=np.float64)
    above = np.flatnonzero(weight > NEGLIGIBLE * np.nanmax(weight, initial=0.0))
    last = int(above[-1]) + 1 if above.size else 0
    return float(x[min(max(last, 2 * FEWEST_DECADES - 1), x.size - 1)])
