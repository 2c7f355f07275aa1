"""φ' of an activation known by real values only, for complex h: Chebyshev series on overlapping panels.

A series of degree n found from values with rounding ε is good to ε ρⁿ at a point of the Bernstein ellipse ρ of its
panel, so that it serves a strip about the middle of the panel, whose height is a part of the panel's length.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from freeconv.activations import Activation

__all__ = ["Continuation"]

_DEGREE = 40
_TAIL = 6
_ROUGH = 1e-13
_NOISE = 3e-16
_HEIGHT = 0.22  # half lengths
_SHORTEST = 2.0**-7
_FARTHEST = 400


class Continuation:
    """φ' and φ'' for complex h within `height` of the real axis.

    Parameters
    ----------
    activation : Activation
        Its `derivative` is asked for real h only.

    Raises
    ------
    ValueError
        If φ' is not smooth between the kinks.
    """

    def __init__(self, activation: Activation) -> None:
        self._activation = activation
        self._half = activation.feature_width
        self._series: dict[tuple[int, int], NDArray[np.float64]] = {}
        while not self._is_smooth():
            self._half *= 0.5
            self._series.clear()
            if self._half < _SHORTEST * activation.feature_width:
                raise ValueError(f"derivative of {activation!r} must be smooth between the kinks {activation.kinks}")
        self.height = _HEIGHT * self._half

    def derivative(self, h: NDArray[Any]) -> NDArray[np.complex128]:
        """φ'(h), continued from the interval between kinks that Re h lies in."""
        return self._evaluate(np.asarray(h, dtype=np.complex128), 0)

    def curvature(self, h: NDArray[Any]) -> NDArray[np.complex128]:
        """φ''(h) likewise."""
        return self._evaluate(np.asarray(h, dtype=np.complex128), 1)

    def _evaluate(self, h: NDArray[np.complex128], order: int) -> NDArray[np.complex128]:
        values = np.empty(h.shape, dtype=np.complex128)
        interval = np.searchsorted(np.array(self._activation.kinks), h.real, side="left")
        cell = np.clip(np.floor(h.real / self._half), -_FARTHEST * 64, _FARTHEST * 64).astype(np.int64)
        for key in set(zip(interval.ravel().tolist(), cell.ravel().tolist(), strict=True)):
            mine = (interval == key[0]) & (cell == key[1])
            if key not in self._series:
                self._series[key] = self._interpolated(key)
            middle = self._middle(key)
            series = chebyshev.chebder(self._series[key], order) / self._half**order
            values[mine] = chebyshev.chebval((h[mine] - middle) / self._half, series)
        return values

    def _middle(self, key: tuple[int, int]) -> float:
        """The middle of a cell's panel, twice as long as the cell, moved away from kinks."""
        kinks = (-math.inf, *self._activation.kinks, math.inf)
        low, high = kinks[key[0]], kinks[key[0] + 1]
        middle = (key[1] + 0.5) * self._half
        if high - low < 2.0 * self._half:
            return 0.5 * (low + high)
        return min(max(middle, low + self._half), high - self._half)

    def _interpolated(self, key: tuple[int, int]) -> NDArray[np.float64]:
        angles = (np.arange(_DEGREE + 1) + 0.5) * np.pi / (_DEGREE + 1)
        middle = self._middle(key)
        values = np.asarray(self._activation.derivative(middle + self._half * np.cos(angles)), dtype=np.float64)
        series = np.cos(np.arange(_DEGREE + 1)[:, None] * angles) @ values * (2.0 / (_DEGREE + 1))
        series[0] *= 0.5
        # What is noise would only grow off the axis.
        size = np.abs(series).max()
        small = np.abs(series) <= _NOISE * size
        series[: _DEGREE + 1][small] = 0.0
        return np.asarray(series, dtype=np.float64)

    def _is_smooth(self) -> bool:
        kinks = np.array([0.0, *self._activation.kinks])
        places = np.unique(np.concatenate([kinks[:, None] + np.arange(-12.0, 12.25, 0.5) * self._half]).ravel())
        places = places + 1e-9
        size = float(np.max(np.abs(np.asarray(self._activation.derivative(places)))))
        interval = np.searchsorted(np.array(self._activation.kinks), places, side="left")
        cells = np.floor(places / self._half).astype(np.int64)
        for key in set(zip(interval.tolist(), cells.tolist(), strict=True)):
            limits = (-math.inf, *self._activation.kinks, math.inf)
            if limits[key[0] + 1] - limits[key[0]] < 2.0 * self._half:
                return False
            self._series[key] = self._interpolated(key)
            if np.abs(self._series[key][-_TAIL:]).max() > _ROUGH * size:
                return False
        return True
