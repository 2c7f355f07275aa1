"""The identity times a smooth gate: SiLU (swish) and GELU."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative
from freeconv.activations.base import Activation, Slopes, numbers, real_numbers
from freeconv.activations.logistic import logistic, logistic_slope
from freeconv.activations.two_point import Pair

__all__ = ["GELU", "SiLU"]


@dataclass(frozen=True)
class SiLU(Activation):
    """φ(h) = h σ(h), σ(h) = 1/(1 + e^{−h}); also called swish.

    Notes
    -----
    φ' = σ(h) (1 + h σ(−h)) lies in [−0.0998, 1.0998], is 0 at −1 − W(1/e) = −1.278…, W the Lambert function, and has
    horizontal tangents at h tanh(h/2) = 2, h = ±2.399…; its poles are at ±iπ.  Moments by quadrature.

    Examples
    --------
    >>> import freeconv as fc
    >>> [round(h, 8) for h in fc.activations.SiLU().turning_points(10.0)]
    [-2.39935728, -1.27846454, 2.39935728]
    """

    name: ClassVar[str] = "silu"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h σ(h)."""
        h = real_numbers(h)
        return h * logistic(h)

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = σ(h) (1 + h σ(−h))."""
        h = numbers(h)
        return logistic(h) * (1.0 + h * logistic(-h))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = σ(h) σ(−h) (2 − h tanh(h/2))."""
        h = numbers(h)
        return logistic_slope(h) * (2.0 - h * np.tanh(0.5 * h))

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        zero, extremum = _silu_points()
        return -extremum, zero, extremum


@dataclass(frozen=True)
class GELU(Activation):
    """φ(h) = h Φ(h), Φ the normal distribution function (not its approximation by tanh).

    Notes
    -----
    φ' = Φ(h) + h N(h), N the normal density, lies in [−0.1289, 1.1289], is 0 at −0.7518…, and has horizontal tangents
    at ±√2.  V and E φ'² follow from Gaussian integrals of products of two normal distribution functions; the arcsines
    are computed as arctangents, which keeps the digits of large variances.  E φ'⁴ by quadrature.

    Examples
    --------
    >>> import freeconv as fc
    >>> [round(h, 8) for h in fc.activations.GELU().turning_points(10.0)]
    [-1.41421356, -0.75179152, 1.41421356]
    """

    name: ClassVar[str] = "gelu"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h Φ(h)."""
        h = real_numbers(h)
        return np.asarray(h * _normal_cdf(h), dtype=np.float64)

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = Φ(h) + h N(h)."""
        h = numbers(h)
        return np.asarray(_normal_cdf(h) + h * _normal_density(h))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = (2 − h²) N(h)."""
        h = numbers(h)
        return (2.0 - h * h) * _normal_density(h)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        return -math.sqrt(2.0), _gelu_zero(), math.sqrt(2.0)

    def second_moment(self, variance: float) -> float:
        """V(q) = q/4 + (q/2π) asin(q/(1+q)) + q²/(π (1+q) √(1+2q))."""
        q = non_negative("variance", variance)
        root = math.sqrt(1.0 + 2.0 * q)
        return q * (0.25 + math.atan2(q, root) / (2.0 * math.pi) + q / (1.0 + q) / root / math.pi)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = 1/4 + asin(q/(1+q))/2π + q/(π (1+q) √(1+2q)) + (q/2π) (1+2q)^{−3/2}."""
        q = non_negative("variance", variance)
        root = math.sqrt(1.0 + 2.0 * q)
        density = q / (1.0 + q) / root + 0.5 * (q / (1.0 + 2.0 * q)) / root
        return 0.25 + math.atan2(q, root) / (2.0 * math.pi) + density / math.pi

    def _product(self, pair: Pair) -> float:
        gate, density, rest, _ = _gelu_terms(pair)
        return pair.covariance * gate + density * rest

    def _slope_product(self, pair: Pair) -> float:
        gate, density, rest, inverse = _gelu_terms(pair)
        q1, q2, c = pair.first**2, pair.second**2, pair.covariance
        sides = 1.0 / (1.0 + q1) + 1.0 / (1.0 + q2) - 1.0
        return gate + c * density * (1.0 + rest * inverse + 2.0 * sides)


def _gelu_terms(pair: Pair) -> tuple[float, float, float, float]:
    """F = E Φ(h₁) Φ(h₂), P = 1/(2π √D), B and 1/D of E φ(h₁) φ(h₂) = c F + P B; D = (1 + q₁)(1 + q₂) − c².

    F = 1/4 + asin(c/√((1 + q₁)(1 + q₂)))/2π is computed as an arctangent, in which nothing cancels.
    """
    q1, q2, c = pair.first**2, pair.second**2, pair.covariance
    determinant = 1.0 + q1 + q2 + pair.determinant
    gate = math.atan2(math.sqrt(determinant), -c) / (2.0 * math.pi)
    rest = pair.determinant + c * c / (1.0 + q1) + c * c / (1.0 + q2)
    return gate, 0.5 / math.pi / math.sqrt(determinant), rest, 1.0 / determinant


def _normal_cdf(h: Slopes) -> Slopes:
    from scipy.special import erfc

    return np.asarray(0.5 * erfc(-h / math.sqrt(2.0)))


def _normal_density(h: Slopes) -> Slopes:
    return np.exp(-0.5 * h * h) / math.sqrt(2.0 * math.pi)


@functools.cache
def _silu_points() -> tuple[float, float]:
    """Where φ' and φ'' vanish."""
    zero = _newton(lambda h: (1.0 + math.exp(h) + h, 1.0 + math.exp(h)), -1.28)
    extremum = _newton(
        lambda h: (h * math.tanh(0.5 * h) - 2.0, math.tanh(0.5 * h) + 0.5 * h / math.cosh(0.5 * h) ** 2), 2.4
    )
    return zero, extremum


@functools.cache
def _gelu_zero() -> float:
    """Where φ' vanishes: √(π/2) erfc(−h/√2) e^{h²/2} + h = 0; the derivative is that over N(h), at its zero."""

    def gate(h: float) -> tuple[float, float]:
        density = math.exp(-0.5 * h * h) / math.sqrt(2.0 * math.pi)
        return 0.5 * math.erfc(-h / math.sqrt(2.0)) / density + h, 2.0 - h * h

    return _newton(gate, -0.75)


def _newton(function: Callable[[float], tuple[float, float]], start: float) -> float:
    """The zero near `start` of a function given with its derivative."""
    point = start
    for _ in range(8):
        value, slope = function(point)
        point -= value / slope
    return point
