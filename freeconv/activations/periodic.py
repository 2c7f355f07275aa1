"""Sine and cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative
from freeconv.activations.base import Activation, Slopes, numbers, real_numbers
from freeconv.activations.two_point import Pair

__all__ = ["Cos", "Sin"]


class Periodic(Activation):
    """φ with φ'² of period π, and φ' and φ'' vanishing at the multiples of π/2."""

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        most = math.floor(reach / (0.5 * math.pi)) + 1
        return tuple(0.5 * math.pi * k for k in range(-most, most + 1))


@dataclass(frozen=True)
class Sin(Periodic):
    """φ(h) = sin h.

    Notes
    -----
    V = (1 − e^{−2q})/2, E φ'² = (1 + e^{−2q})/2 and E φ'⁴ = (3 + 4e^{−2q} + e^{−8q})/8.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.Sin().second_moment(1.0), 12)
    0.432332358382
    """

    name: ClassVar[str] = "sin"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = sin h."""
        return np.sin(real_numbers(h))

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = cos h."""
        return np.asarray(np.cos(numbers(h)))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = −sin h."""
        return -np.asarray(np.sin(numbers(h)))

    def second_moment(self, variance: float) -> float:
        """V(q) = (1 − e^{−2q})/2."""
        return _sine_square(variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = (1 + e^{−2q})/2."""
        return _cosine_square(variance)

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = (3 + 4e^{−2q} + e^{−8q})/8."""
        e = math.exp(-2.0 * non_negative("variance", variance))
        return (3.0 + 4.0 * e + e**4) / 8.0

    def _product(self, pair: Pair) -> float:
        return _hyperbolic(pair, -1.0)

    def _slope_product(self, pair: Pair) -> float:
        return _hyperbolic(pair, 1.0)


@dataclass(frozen=True)
class Cos(Periodic):
    """φ(h) = cos h.

    Notes
    -----
    V = (1 + e^{−2q})/2, E φ'² = (1 − e^{−2q})/2 and E φ'⁴ = (3 − 4e^{−2q} + e^{−8q})/8.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.Cos().second_moment(1.0), 12)
    0.567667641618
    """

    name: ClassVar[str] = "cos"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = cos h."""
        return np.cos(real_numbers(h))

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = −sin h."""
        return -np.asarray(np.sin(numbers(h)))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = −cos h."""
        return -np.asarray(np.cos(numbers(h)))

    def second_moment(self, variance: float) -> float:
        """V(q) = (1 + e^{−2q})/2."""
        return _cosine_square(variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = (1 − e^{−2q})/2."""
        return _sine_square(variance)

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = (3 − 4e^{−2q} + e^{−8q})/8 = (1 − e)² (3 + 2e + e²)/8 with e = e^{−2q}, in which nothing cancels."""
        q = non_negative("variance", variance)
        e, complement = math.exp(-2.0 * q), -math.expm1(-2.0 * q)
        return complement * complement * (3.0 + 2.0 * e + e * e) / 8.0

    def _product(self, pair: Pair) -> float:
        return _hyperbolic(pair, 1.0)

    def _slope_product(self, pair: Pair) -> float:
        return _hyperbolic(pair, -1.0)


def _sine_square(variance: float) -> float:
    """E sin²(√q Z)."""
    return -0.5 * math.expm1(-2.0 * non_negative("variance", variance))


def _cosine_square(variance: float) -> float:
    """E cos²(√q Z)."""
    return 0.5 + 0.5 * math.exp(-2.0 * non_negative("variance", variance))


def _hyperbolic(pair: Pair, sign: float) -> float:
    """(e^{c − m} + sign·e^{−c − m})/2 with m = (q₁ + q₂)/2: e^{−m} cosh c or e^{−m} sinh c, without overflow."""
    size = abs(pair.covariance)
    top = 0.5 * math.exp(size - 0.5 * (pair.first**2 + pair.second**2))
    if sign > 0.0:
        return top + top * math.exp(-2.0 * size)
    return -math.copysign(top, pair.covariance) * math.expm1(-2.0 * size)
