"""Activations given by two functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import finite_sequence
from freeconv.activations.base import Activation, Piece, Slopes, real_numbers
from freeconv.activations.chebyshev import Interpolant, interpolate
from freeconv.activations.quadrature import panels

__all__ = ["Custom"]

_FAR = 40.0
"""How far from the kinks and 0 it is looked whether φ' is constant, besides a few points much farther out."""

Function = Callable[[NDArray[np.float64]], ArrayLike]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Custom(Activation):
    """An activation given by φ and φ'.

    Parameters
    ----------
    function, derivative : callable
        φ and φ': from an array of doubles to an array of the same shape, finite, for all real h that matter.
    kinks : sequence of float
        All points where φ' jumps or one of its derivatives does; φ' is taken as analytic between them.

    Raises
    ------
    TypeError, ValueError
        If something is not callable, does not work on arrays, is not finite, or if `derivative` is not the derivative
        of `function` at some test points.

    Notes
    -----
    Moments are integrated, which resolves features of a length of 0.1 for |h| < 40 and near the kinks, and of a tenth
    of |h| farther out (`product_moment` and `slope_product_moment`: of 1 near 0 and near the kinks).  Intervals where
    φ' is constant are recognised by its values.  Turning points are roots of an interpolant: good to about 1e-14 for
    zeros of φ', 1e-12 for simple zeros of φ'', 1e-6 for others.  `derivative` and `curvature` accept real numbers only
    (`complex_slope` is False).  Two of them are equal if they hold the same function objects.

    Examples
    --------
    >>> import numpy as np
    >>> import freeconv as fc
    >>> softsign = fc.activations.Custom(lambda h: h / (1 + abs(h)), lambda h: (1 + abs(h)) ** -2.0, kinks=(0.0,))
    >>> round(softsign.slope_second_moment(1.0), 9)
    0.22767134
    """

    _function: Function
    _derivative: Function
    _kinks: tuple[float, ...]
    name: ClassVar[str] = "custom"
    complex_slope: ClassVar[bool] = False

    def __init__(self, function: Function, derivative: Function, kinks: Iterable[float] = ()) -> None:
        for name, value in (("function", function), ("derivative", derivative)):
            if not callable(value):
                raise TypeError(f"{name} must be callable, got {value!r}")
        object.__setattr__(self, "_function", function)
        object.__setattr__(self, "_derivative", derivative)
        object.__setattr__(self, "_kinks", tuple(sorted(set(finite_sequence("kinks", kinks)))))
        self._check_derivative()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Custom):
            return NotImplemented
        same = self._function is other._function and self._derivative is other._derivative
        return same and self._kinks == other._kinks

    def __hash__(self) -> int:
        return hash((id(self._function), id(self._derivative), self._kinks))

    def __repr__(self) -> str:
        names = ", ".join(getattr(f, "__name__", repr(f)) for f in (self._function, self._derivative))
        return f"Custom({names}, kinks={self._kinks})" if self._kinks else f"Custom({names})"

    @property
    def kinks(self) -> tuple[float, ...]:
        """The points given, ascending."""
        return self._kinks

    @property
    def _panel_marks(self) -> tuple[float, ...]:
        """Where the features of an unknown function are is not known: everywhere, as far as likely."""
        return (*self._kinks, *np.arange(-_FAR, _FAR + 1.0, 2.0).tolist())

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """The intervals on which all values of φ' that were looked at agree to 1e-14."""
        return _constant_pieces(self)

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h)."""
        return self._call("function", self._function, h)

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h), for real h; at a kink, whatever the function given says."""
        return self._call("derivative", self._derivative, h)

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h), for real h, from an interpolant of φ'; the left one at a kink."""
        h = real_numbers(h)
        inside = np.abs(h[np.isfinite(h)])
        reach = 2.0 ** math.ceil(math.log2(max(1.0, float(inside.max(initial=1.0)))))
        values = _interpolant(self, reach).derivative(np.where(np.isfinite(h), h, 0.0))
        return np.where(np.isfinite(h), values, np.nan)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        constant = self.constant_pieces
        points = _interpolant(self, 2.0 ** math.ceil(math.log2(reach))).turning_points()
        return tuple(
            point
            for point in points
            if not any(piece.low <= point <= piece.high for piece in constant)
            and not any(abs(point - kink) <= 1e-9 * (1.0 + abs(kink)) for kink in self._kinks)
        )

    def _call(self, name: str, function: Function, h: ArrayLike) -> NDArray[np.float64]:
        h = real_numbers(h)
        try:
            values = np.asarray(function(h))
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} must work on arrays: {error}") from error
        if values.shape != h.shape or values.dtype.kind not in "fiub":
            raise ValueError(
                f"{name} must map a real array of shape {h.shape} to a real array of that shape, got one of shape "
                f"{values.shape} and type {values.dtype}"
            )
        bad = ~np.isfinite(values) & np.isfinite(h)
        if bad.any():
            raise ValueError(
                f"{name} must be finite, got {float(values[bad].flat[0])!r} at h = {float(h[bad].flat[0])!r}"
            )
        return np.asarray(values, dtype=np.float64)

    def _check_derivative(self) -> None:
        """Compare with difference quotients: what is grossly wrong would be wrong spectra later, without a word."""
        h = np.array([-4.1, -1.7, -0.83, -0.29, 0.31, 0.79, 1.6, 3.9])
        step = 1e-5
        if self._kinks:
            h = h[np.abs(h[:, np.newaxis] - np.array(self._kinks)).min(axis=1) > 10.0 * step]
        right, left = self.function(h + step), self.function(h - step)
        quotient = (right - left) / (2.0 * step)
        given = self.derivative(h)
        allowed = 1e-3 * (1.0 + np.abs(given)) + 1e-9 * np.maximum(np.abs(right), np.abs(left)) / step
        wrong = np.abs(quotient - given) > allowed
        if wrong.any():
            at, expected, got = (float(values[wrong][0]) for values in (h, quotient, given))
            raise ValueError(
                f"derivative must be that of function: at h = {at!r} it must be about {expected:.6g}, got {got!r}"
            )


@functools.lru_cache(maxsize=256)
def _constant_pieces(activation: Custom) -> tuple[Piece, ...]:
    ends = (-math.inf, *activation.kinks, math.inf)
    pieces = []
    for low, high in pairwise(ends):
        values = np.asarray(activation.derivative(_samples(low, high)), dtype=np.float64)
        if np.ptp(values) <= 1e-14 * np.abs(values).max():
            pieces.append(Piece(low, high, float(np.median(values))))
    return tuple(pieces)


def _samples(low: float, high: float) -> NDArray[np.float64]:
    """Points inside an interval: dense in its finite part, a few far out in an infinite one."""
    fractions = 0.5 - 0.5 * np.cos((np.arange(201) + 0.5) * np.pi / 201)
    a = low if math.isfinite(low) else min(high if math.isfinite(high) else 0.0, 0.0) - _FAR
    b = high if math.isfinite(high) else max(low if math.isfinite(low) else 0.0, 0.0) + _FAR
    far = [a - 2.0**k for k in range(1, 6)] * math.isinf(low) + [b + 2.0**k for k in range(1, 6)] * math.isinf(high)
    return np.concatenate([a + (b - a) * fractions, far])


@functools.lru_cache(maxsize=64)
def _interpolant(activation: Custom, reach: float) -> Interpolant:
    def slope(h: NDArray[np.float64]) -> NDArray[Any]:
        return activation.derivative(h)

    ends = panels((reach / 14.0) ** 2, activation._panel_marks, 1.0)
    if 0.0 not in activation.kinks:
        # 0 is an end of panels whether a kink or not; a kink that was not named must be met inside a panel.
        ends = np.where(ends == 0.0, 0.137 * ends[ends > 0.0].min(), ends)
    return interpolate(slope, ends)
