"""Piecewise Chebyshev interpolation of a real function, and where it has zeros or horizontal tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

__all__ = ["Interpolant", "interpolate"]

_DEGREE = 24
_TAIL = 4
"""How many of the last coefficients must be below the tolerance."""

_TOLERANCE = 1e-13
"""Of the largest value on the panel ..."""

_FLOOR = 1e-15
"""... and of all: below, a function given by real values is noise."""

_NARROWEST = 1e-7
"""Panels narrower than this, relative to 1 + |h|, mean that the function is not smooth."""


@dataclass(frozen=True, eq=False)
class Interpolant:
    """A function as Chebyshev polynomials on panels.

    Attributes
    ----------
    ends : ndarray, shape (n + 1,)
        Where the panels meet, ascending.
    coefficients : ndarray, shape (degree + 1, n)
        Of the Chebyshev polynomials in the panel's own variable, from −1 to 1.
    """

    ends: NDArray[np.float64]
    coefficients: NDArray[np.float64]

    def derivative(self, h: NDArray[np.float64]) -> NDArray[np.float64]:
        """The derivative at points inside; at an end of panels, from the left."""
        panel = np.clip(np.searchsorted(self.ends, h, side="left") - 1, 0, self.ends.size - 2)
        low, high = self.ends[panel], self.ends[panel + 1]
        slopes = chebyshev.chebder(self.coefficients)[:, panel]
        values = chebyshev.chebval((2.0 * h - low - high) / (high - low), slopes, tensor=False)
        return np.asarray(values * (2.0 / (high - low)), dtype=np.float64)

    def turning_points(self) -> list[float]:
        """The zeros and the points of horizontal tangent, ascending.

        Where the function is flat to 1e-11 of its size around a point, there is nothing but noise to turn.
        """
        size = float(np.abs(self.coefficients).sum(axis=0).max())
        # A double zero is a simple zero of the derivative, which is the more accurate of the two: it comes first.
        points: list[float] = []
        for order in (1, 0):
            found = []
            for low, high, series in zip(self.ends[:-1], self.ends[1:], self.coefficients.T, strict=True):
                found += [
                    float(0.5 * (low + high) + 0.5 * (high - low) * t)
                    for t in _real_zeros(chebyshev.chebder(series, order))
                    if _variation(series, t) > 1e-11 * size
                ]
            points += _distinct(sorted(found), points)
        return sorted(points)


def interpolate(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]], ends: Sequence[float] | NDArray[np.float64]
) -> Interpolant:
    """Interpolate on panels, halving those where the coefficients do not decay to rounding.

    Parameters
    ----------
    f : callable
        Evaluated inside the panels only, never at an end.
    ends : sequence of float
        Ascending; all points where f is not smooth are among them.

    Raises
    ------
    ValueError
        If f is not smooth somewhere inside a panel.
    """
    angles = (np.arange(_DEGREE + 1) + 0.5) * np.pi / (_DEGREE + 1)
    transform = np.cos(np.arange(_DEGREE + 1)[:, np.newaxis] * angles) * (2.0 / (_DEGREE + 1))
    transform[0] *= 0.5
    marks = np.asarray(ends, dtype=np.float64)
    low, high = marks[:-1], marks[1:]
    size = 0.0
    starts, columns = [], []
    while low.size:
        half, middle = 0.5 * (high - low), 0.5 * (high + low)
        values = f(middle + np.cos(angles)[:, np.newaxis] * half)
        series = transform @ values
        heights = np.abs(values).max(axis=0)
        size = max(size, float(heights.max()))
        rough = np.abs(series[-_TAIL:]).max(axis=0) > _TOLERANCE * heights + _FLOOR * size
        narrow = rough & (half < _NARROWEST * (1.0 + np.abs(middle)))
        if narrow.any():
            raise ValueError(
                f"derivative is not smooth near h = {float(middle[narrow][0])!r}: is a kink missing there?"
            )
        starts.append(low[~rough])
        columns.append(series[:, ~rough])
        low, high = (
            np.concatenate([low[rough], middle[rough]]),
            np.concatenate([middle[rough], high[rough]]),
        )
    start = np.concatenate(starts)
    order = np.argsort(start)
    return Interpolant(np.append(start[order], marks[-1]), np.concatenate(columns, axis=1)[:, order])


def _real_zeros(series: NDArray[np.float64]) -> list[float]:
    """Zeros in [−1, 1].  A double zero may come as a complex pair 1e-7 apart: what is almost real counts."""
    small = np.abs(series) <= 1e-15 * np.abs(series).max()
    series = series[: series.size - int(np.argmin(small[::-1]))]
    if series.size < 2:
        return []
    roots = chebyshev.chebroots(series)
    near = roots[(np.abs(roots.imag) < 1e-5) & (np.abs(roots.real) < 1.0 + 1e-9)].real
    slopes = chebyshev.chebder(series)
    for _ in range(3):  # the eigenvalues of the companion matrix are good to 1e-14 of the largest coefficient only
        steps = np.zeros_like(near)
        gradient = chebyshev.chebval(near, slopes)
        np.divide(chebyshev.chebval(near, series), gradient, out=steps, where=gradient != 0.0)
        near = near - np.where(np.abs(steps) < 1e-6, steps, 0.0)
    return [float(t) for t in np.clip(near, -1.0, 1.0)]


def _variation(series: NDArray[np.float64], t: float) -> float:
    """How much the function changes within a tenth of the panel from t."""
    around = np.clip(t + np.linspace(-0.2, 0.2, 5), -1.0, 1.0)
    return float(np.ptp(chebyshev.chebval(around, series)))


def _distinct(points: list[float], others: list[float]) -> list[float]:
    """Drop repetitions: zeros at the ends of panels are found twice, double zeros as two."""
    kept: list[float] = []
    for point in points:
        if all(abs(point - other) > 1e-6 * (1.0 + abs(point)) for other in (*kept[-1:], *others)):
            kept.append(point)
    return kept
