"""A density on its way to an edge: f = s^a exp g(log s), s the distance, g by Chebyshev polynomials.

Notes
-----
A density continues analytically round its edge, so that g is analytic in |Im log s| < π at least, up to the distance of
the next singularity: 24 nodes serve e³ in s, and far more where only s^a is left.  It takes 30 times fewer densities
than the cells of `freeconv.graded`, which are then made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

__all__ = ["Approach", "UnresolvedError", "approach"]

Array = NDArray[np.float64]

_NODES = np.cos(np.pi * (np.arange(24) + 0.5) / 24)
_CHECKS = np.array([-0.9978, -0.7071, -0.1305, 0.2588, 0.8660, 0.9978])
# Lengths in log s: of the panels at first, the nearer to the edge the longer, and the shortest.
_FIRST = 3.0
_SHORTEST = 0.02
# So much below the farthest point, what does not converge at the lesser length is left out.
_DEEP = 14.0
_SHORTEST_DEEP = 0.35


class UnresolvedError(Exception):
    """A distance at which no panel is short enough, with the error there as a part of what is allowed."""

    def __init__(self, distance: float, error: float) -> None:
        super().__init__(distance, error)
        self.distance = distance
        self.error = error


@dataclass(frozen=True)
class Approach:
    """The function s^exponent exp g(log s).

    Parameters
    ----------
    exponent : float
    ends : ndarray, shape (n + 1,)
        Of the panels, in log s.
    coefficients : ndarray, shape (n, 24)
        Chebyshev coefficients of g on each.
    """

    exponent: float
    ends: Array
    coefficients: Array

    def __call__(self, s: Array) -> Array:
        """Return values at distances between the ends."""
        u = np.log(s)
        index = np.clip(np.searchsorted(self.ends, u, side="right") - 1, 0, len(self.ends) - 2)
        order = np.argsort(index, kind="stable")
        bounds = np.searchsorted(index[order], np.arange(len(self.ends)))
        g = np.empty_like(u)
        for k in range(len(self.ends) - 1):
            chosen = order[bounds[k] : bounds[k + 1]]
            low, high = self.ends[k], self.ends[k + 1]
            g[chosen] = chebyshev.chebval((2.0 * u[chosen] - low - high) / (high - low), self.coefficients[k])
        return np.asarray(np.power(s, self.exponent) * np.exp(g), dtype=np.float64)


def approach(
    function: Callable[[Array], tuple[Array, Array]],
    allowed: Callable[[Array, Array], tuple[Array, Array]],
    exponent: float,
    lowest: float,
    farthest: float,
) -> Approach:
    """Interpolate a function of s on [lowest, farthest], or on the part of it where it is known well enough.

    Parameters
    ----------
    function : callable
        Takes distances to those that were really meant, which may differ by rounding, and the values there; NaN where
        there is none.
    allowed : callable
        Takes distances and values to the errors that are aimed at, and those that are let pass where shorter panels do
        not help.
    exponent : float
        a.
    lowest, farthest : float

    Raises
    ------
    UnresolvedError
        If the function has structure too fine for panels.
    """
    ends = _first_ends(float(np.log(lowest)), float(np.log(farthest)))
    low, high = ends[:-1], ends[1:]
    before = np.full(low.shape, np.inf)
    done: list[tuple[float, float, Array]] = []
    bottom = ends[0]
    while low.size:
        u = 0.5 * (low + high)[:, None] + 0.5 * (high - low)[:, None] * np.concatenate([_NODES, _CHECKS])
        s, values = (part.reshape(u.shape) for part in function(np.clip(np.exp(u), lowest, farthest).ravel()))
        logarithm = np.log(s)
        t = (2.0 * logarithm - (low + high)[:, None]) / (high - low)[:, None]
        g = np.log(values) - exponent * logarithm
        n = len(_NODES)
        # Of a panel shorter than the rounding of x two nodes are one point: no polynomial goes through them.
        apart = np.all(np.diff(np.sort(t[:, :n], axis=1), axis=1) > 0.0, axis=1)
        t[~apart] = np.concatenate([_NODES, _CHECKS])
        known = np.isfinite(g) & np.asarray(apart)[:, None]
        found = np.linalg.solve(
            chebyshev.chebvander(t[:, :n], n - 1), np.where(known[:, :n], g[:, :n], 0.0)[:, :, None]
        )[:, :, 0]
        there = np.einsum("ijk,ik->ij", chebyshev.chebvander(t[:, n:], n - 1), found)
        f = values[:, n:]
        with np.errstate(over="ignore", invalid="ignore"):
            difference = f * np.abs(np.expm1(there - g[:, n:]))
            aim, let = allowed(s[:, n:], f)
            missed = (difference / aim).max(axis=1)
            passed = (difference / let).max(axis=1)
        missed[~known.all(axis=1)] = passed[~known.all(axis=1)] = np.inf
        # Noise does not shrink with the panels.
        good = (missed <= 1.0) | ((passed <= 1.0) & (missed > 0.3 * before))
        done += [(low[k], high[k], found[k]) for k in np.flatnonzero(good)]
        deep = high < ends[-1] - _DEEP
        lost = ~good & (high - low < np.where(deep, _SHORTEST_DEEP, _SHORTEST))
        if (lost & ~deep).any():
            at = int(np.argmax(np.where(lost & ~deep, passed, -1.0)))
            raise UnresolvedError(float(np.exp(0.5 * (low[at] + high[at]))), float(passed[at]))
        if lost.any():
            bottom = max(bottom, high[lost].max())
        left = ~good & ~lost & (high > bottom)
        middle = 0.5 * (low[left] + high[left])
        before = np.concatenate([missed[left], missed[left]])
        low, high = np.concatenate([low[left], middle]), np.concatenate([middle, high[left]])
    done = sorted((panel for panel in done if panel[0] >= bottom), key=lambda panel: panel[0])
    return Approach(exponent, np.array([low for low, *_ in done] + [ends[-1]]), np.array([row for *_, row in done]))


def _first_ends(low: float, high: float) -> Array:
    ends, length = [high], _FIRST
    while ends[-1] - 1.5 * length > low:
        ends.append(ends[-1] - length)
        if len(ends) > 3:
            length *= 1.5
    return np.array([low, *ends[::-1]])
