"""Functions of the distance from an end, as polynomials on cells that are graded geometrically towards it.

Notes
-----
On 2^e ≤ s < 2^(e+1) all cells are equally long; with eight of them s^a times any power series in √s (or another root)
is a polynomial of degree 7 up to 1e-13 of itself, by the distance of the singularity at 0: ρ^-8 with ρ = 34.  No edge
needs a variable of its own, and the exponent and the mantissa of s are all that finds a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import comb, frexp

import numpy as np
from numpy.typing import NDArray

from freeconv.approach import UnresolvedError

__all__ = ["TERMS", "Grading", "fit"]

Array = NDArray[np.float64]

TERMS = 8
_START = 8
_MOST_CELLS = 1024
_NODES = 0.5 * np.cos(np.pi * (np.arange(TERMS) + 0.5) / TERMS)
# Where the interpolation error, nearly a multiple of T_8, is largest.
_CHECKS = 0.5 * np.cos(np.pi * np.array([1.0, 4.0, 7.0]) / TERMS)
_INVERSE = np.linalg.inv(np.vander(_NODES, TERMS, increasing=True))


@dataclass(frozen=True)
class Grading:
    """A function of s on [2^low, farthest].

    Parameters
    ----------
    low : int
        Exponent of the lowest octave.
    farthest : float
    cells : ndarray, shape (octaves,)
        The number of cells of each octave; of the last only those up to `farthest` have a row.
    rows : ndarray, shape (n, 8)
        Ascending coefficients in t, the position in the cell less its middle, in units of its length.
    error : float
        The largest relative error found between nodes.
    """

    low: int
    farthest: float
    cells: NDArray[np.int64]
    rows: Array
    error: float

    @property
    def bottom(self) -> float:
        """The lowest s; inf if there are no cells."""
        return float(np.ldexp(1.0, self.low)) if len(self.cells) else np.inf

    @property
    def first(self) -> NDArray[np.int64]:
        """The first row of each octave."""
        return np.concatenate([[0], np.cumsum(self.cells)[:-1]]) if len(self.cells) else np.zeros(0, dtype=np.int64)

    @property
    def starts(self) -> Array:
        """Where each cell begins."""
        octave = np.repeat(np.arange(len(self.cells)), self.cells)[: len(self.rows)]
        place = np.arange(len(self.rows)) - self.first[octave]
        return np.asarray(np.ldexp(1.0 + place / self.cells[octave], self.low + octave), dtype=np.float64)

    @property
    def lengths(self) -> Array:
        """How long each cell is."""
        octave = np.repeat(np.arange(len(self.cells)), self.cells)[: len(self.rows)]
        return np.asarray(np.ldexp(1.0 / self.cells[octave], self.low + octave), dtype=np.float64)

    @property
    def ends(self) -> tuple[float, float]:
        """The values at the lowest and at the farthest point; 0 if there are no cells."""
        if not len(self.rows):
            return 0.0, 0.0
        t = (self.farthest - self.starts[-1]) / self.lengths[-1] - 0.5
        return float(self.rows[0] @ (-0.5) ** np.arange(TERMS)), float(self.rows[-1] @ t ** np.arange(TERMS))

    def integral(self, before: float) -> Grading:
        """Return ∫ from 0 to s, `before` the part below the lowest cell.

        The term of degree 8 is economised: T_8 less its leading term takes its place, off by 2⁻¹⁵ of a term that is
        1e-13 of the integral over the cell.
        """
        powers = self.rows * self.lengths[:, None] / np.arange(1, TERMS + 1)
        whole = powers @ (0.5 ** np.arange(1, TERMS + 1) * (1.0 - (-1.0) ** np.arange(1, TERMS + 1)))
        low_end = powers @ ((-0.5) ** np.arange(1, TERMS + 1))
        rows = np.empty_like(powers)
        rows[:, 0] = before + np.concatenate([[0.0], np.cumsum(whole)[:-1]]) - low_end
        rows[:, 1:] = powers[:, :-1]
        for degree, weight in ((6, 0.5), (4, -1.25 / 16.0), (2, 1.0 / 256.0), (0, -1.0 / 32768.0)):
            rows[:, degree] += weight * powers[:, -1]
        return replace(self, rows=rows)

    def times(self, factor: float) -> Grading:
        """Return a multiple."""
        return replace(self, rows=factor * self.rows)


def fit(function: Callable[[Array], Array], tol: float, low: int, farthest: float) -> Grading:
    """Interpolate a function of s > 0, with as many cells as it needs.

    Parameters
    ----------
    function : callable
        Takes distances to values > 0.
    tol : float
        The relative error to stay below.
    low : int
        Exponent of the lowest octave.
    farthest : float

    Raises
    ------
    UnresolvedError
        If an octave needs more than 1024 cells.
    """
    high = frexp(farthest)[1] - 1
    count = max(0, high - low + 1)
    cells = np.full(count, _START, dtype=np.int64)
    done: list[tuple[NDArray[np.int64], Array, Array]] = []
    pending = np.arange(count)
    largest = 0.0
    while pending.size:
        octave, place, shift = _cells(pending, cells, low, high, farthest)
        nodes = np.concatenate([_NODES, _CHECKS])
        scale = np.ldexp(1.0, low + octave)[:, None]
        s = np.minimum(scale + scale / cells[octave][:, None] * ((place + 0.5 + shift)[:, None] + nodes), farthest)
        values = function(s.ravel()).reshape(s.shape)
        found = values[:, :TERMS] @ _INVERSE.T
        error = np.abs(_polynomial(found, nodes[TERMS:]) / values[:, TERMS:] - 1.0).max(axis=1)
        for k in np.flatnonzero(shift):
            found[k] = _shifted(found[k], float(shift[k]))
        begins = np.searchsorted(octave, pending)
        errors = np.maximum.reduceat(error, begins)
        good = errors <= tol
        kept = np.repeat(good, np.diff(np.append(begins, len(octave))))
        done.append((octave[kept], place[kept], found[kept]))
        largest = max(largest, float(errors[good].max(initial=0.0)))
        pending = pending[~good]
        if (cells[pending] >= _MOST_CELLS).any() or not np.isfinite(error).all():
            at = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
            raise UnresolvedError(float(s[at, TERMS + 1]), float(error[at] / tol))
        cells[pending] *= 2
    if not done:
        return Grading(low, farthest, cells, np.zeros((0, TERMS)), 0.0)
    octave, place, rows = (np.concatenate(parts) for parts in zip(*done, strict=True))
    return Grading(low, farthest, cells, rows[np.lexsort((place, octave))], largest)


def _cells(
    octaves: NDArray[np.int64], cells: NDArray[np.int64], low: int, high: int, farthest: float
) -> tuple[NDArray[np.int64], Array, Array]:
    """Octave and place of all cells, and how far the nodes of each are moved down to stay below the farthest point."""
    used = cells[octaves].copy()
    top = octaves == high - low
    reach = (farthest / np.ldexp(1.0, high) - 1.0) * cells[high - low]
    used[top] = min(int(reach), int(cells[high - low]) - 1) + 1
    octave = np.repeat(octaves, used)
    place = np.arange(used.sum()) - np.repeat(np.cumsum(used) - used, used)
    shift = np.zeros(len(octave))
    if top.any():
        shift[-1] = min(reach - used[-1], 0.0)
    return octave, place.astype(np.float64), shift


def _polynomial(coefficients: Array, t: Array) -> Array:
    return coefficients @ np.vander(t, TERMS, increasing=True).T


def _shifted(coefficients: Array, shift: float) -> Array:
    """Coefficients in t of a polynomial in t − shift."""
    moved = np.zeros(TERMS)
    for j, value in enumerate(coefficients):
        for i in range(j + 1):
            moved[i] += value * comb(j, i) * (-shift) ** (j - i)
    return moved
