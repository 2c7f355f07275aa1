"""Activations that saturate on both sides: erf, tanh and the logistic sigmoid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative, positive
from freeconv.activations.base import Activation, Slopes, numbers, real_numbers
from freeconv.activations.logistic import logistic, logistic_slope
from freeconv.activations.two_point import Pair

__all__ = ["Erf", "Sigmoid", "Tanh"]


@dataclass(frozen=True)
class Erf(Activation):
    """φ(h) = erf(scale·h).

    Parameters
    ----------
    scale : float
        > 0; √π/2 makes φ'(0) = 1.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not such a number.

    Notes
    -----
    With s = scale² q: V = (2/π) asin(2s/(1 + 2s)), E φ'^{2k} = (4 scale²/π)^k (1 + 4ks)^{−1/2}.  The arcsine is
    computed as atan2(2s, √(1 + 4s)): near 1 it would lose half of the digits [1]_.

    References
    ----------
    .. [1] C. K. I. Williams, "Computing with infinite networks", NIPS 1996.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.Erf().second_moment(0.5), 12)
    0.333333333333
    """

    scale: float = 1.0
    name: ClassVar[str] = "erf"

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", positive("scale", self.scale))

    @property
    def feature_width(self) -> float:
        """1/scale."""
        return 1.0 / self.scale

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = erf(scale·h)."""
        from scipy.special import erf

        return np.asarray(erf(self.scale * real_numbers(h)), dtype=np.float64)

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = (2 scale/√π) e^{−(scale·h)²}."""
        x = self.scale * numbers(h)
        return 2.0 * self.scale / math.sqrt(math.pi) * np.exp(-x * x)

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = −2 scale² h φ'(h)."""
        return -2.0 * self.scale * self.scale * numbers(h) * self.derivative(h)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        return (0.0,)

    def second_moment(self, variance: float) -> float:
        """V(q) = (2/π) asin(2s/(1 + 2s)), with s = scale² q."""
        s = self._scaled(variance)
        return 2.0 / math.pi * math.atan2(2.0 * s, math.sqrt(1.0 + 4.0 * s))

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = (4 scale²/π) (1 + 4s)^{−1/2}, with s = scale² q."""
        return 4.0 * self.scale * self.scale / math.pi / math.sqrt(1.0 + 4.0 * self._scaled(variance))

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = (4 scale²/π)² (1 + 8s)^{−1/2}, with s = scale² q."""
        return (4.0 * self.scale * self.scale / math.pi) ** 2 / math.sqrt(1.0 + 8.0 * self._scaled(variance))

    def _scaled(self, variance: float) -> float:
        return non_negative("variance", variance) * self.scale * self.scale

    def _product(self, pair: Pair) -> float:
        return 2.0 / math.pi * math.atan2(2.0 * self.scale**2 * pair.covariance, self._root(pair))

    def _slope_product(self, pair: Pair) -> float:
        return 4.0 * self.scale * self.scale / math.pi / self._root(pair)

    def _root(self, pair: Pair) -> float:
        """√((1 + 2s₁)(1 + 2s₂) − 4 scale⁴ c²), as a sum of positive terms."""
        s = 2.0 * self.scale * self.scale
        return math.sqrt(1.0 + s * (pair.first**2 + pair.second**2) + s * s * pair.determinant)


@dataclass(frozen=True)
class Tanh(Activation):
    """φ(h) = tanh h.

    Notes
    -----
    φ' = sech² h has poles at ±iπ/2.  V and E φ'^{2k} by quadrature: no closed form is known.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.Tanh().slope_second_moment(0.57004788164) * 1.76095463961, 9)
    1.0
    """

    name: ClassVar[str] = "tanh"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = tanh h."""
        return np.tanh(real_numbers(h))

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = sech² h."""
        return 4.0 * logistic_slope(2.0 * numbers(h))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = −2 tanh h sech² h."""
        return -2.0 * np.tanh(numbers(h)) * self.derivative(h)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        return (0.0,)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """φ(h) = σ(h) = 1/(1 + e^{−h}).

    Notes
    -----
    φ' = σ(h) σ(−h) has poles at ±iπ.  V and E φ'^{2k} by quadrature: no closed form is known.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.Sigmoid().derivative(0.0).item()
    0.25
    """

    name: ClassVar[str] = "sigmoid"

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = 1/(1 + e^{−h})."""
        return logistic(real_numbers(h))

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = σ(h) σ(−h)."""
        return logistic_slope(numbers(h))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = −tanh(h/2) φ'(h)."""
        return -np.tanh(0.5 * numbers(h)) * self.derivative(h)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        return (0.0,)
