"""Activations whose slope is constant between kinks: linear, ReLU, leaky ReLU and hard tanh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import finite, non_negative, positive
from freeconv.activations.base import Activation, Piece, Slopes, numbers, real_numbers
from freeconv.activations.two_point import Pair

__all__ = ["HardTanh", "LeakyReLU", "Linear", "PiecewiseLinear", "ReLU"]


class PiecewiseLinear(Activation):
    """What follows from `constant_pieces` alone."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where the pieces meet."""
        return tuple(piece.high for piece in self.constant_pieces[:-1])

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h): the slope of the piece that Re h lies in, the left one at a kink."""
        h = numbers(h)
        slopes = np.array([piece.slope for piece in self.constant_pieces], dtype=h.dtype)
        piece = np.searchsorted(np.array(self.kinks), h.real, side="left")
        return np.where(np.isnan(h), h, slopes[piece])

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = 0 on every piece."""
        return 0.0 * numbers(h)


@dataclass(frozen=True)
class Linear(PiecewiseLinear):
    """φ(h) = h.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.Linear().second_moment(3.0)
    3.0
    """

    name: ClassVar[str] = "linear"
    homogeneous: ClassVar[bool] = True

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """Slope 1 everywhere."""
        return (Piece(-math.inf, math.inf, 1.0),)

    def second_moment(self, variance: float) -> float:
        """V(q) = q."""
        return non_negative("variance", variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = 1."""
        non_negative("variance", variance)
        return 1.0

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = 1."""
        non_negative("variance", variance)
        return 1.0

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h."""
        return real_numbers(h).copy()

    def _product(self, pair: Pair) -> float:
        return pair.covariance

    def _slope_product(self, pair: Pair) -> float:
        return 1.0


@dataclass(frozen=True)
class ReLU(PiecewiseLinear):
    """φ(h) = max(h, 0).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.ReLU().second_moment(3.0)
    1.5
    """

    name: ClassVar[str] = "relu"
    homogeneous: ClassVar[bool] = True

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """Slope 0 for h < 0, 1 for h > 0."""
        return Piece(-math.inf, 0.0, 0.0), Piece(0.0, math.inf, 1.0)

    def second_moment(self, variance: float) -> float:
        """V(q) = q/2."""
        return 0.5 * non_negative("variance", variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = 1/2."""
        non_negative("variance", variance)
        return 0.5

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = 1/2."""
        non_negative("variance", variance)
        return 0.5

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = max(h, 0)."""
        return np.maximum(real_numbers(h), 0.0)

    def _product(self, pair: Pair) -> float:
        return _relu_product(pair)

    def _slope_product(self, pair: Pair) -> float:
        return (math.pi - pair.angle) / (2.0 * math.pi)


@dataclass(frozen=True)
class LeakyReLU(PiecewiseLinear):
    """φ(h) = h for h > 0, slope·h for h ≤ 0.

    Parameters
    ----------
    slope : float
        The slope of the negative half; its square must be finite.

    Raises
    ------
    TypeError, ValueError
        If `slope` is not such a number.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.LeakyReLU(slope=0.5).second_moment(8.0)
    5.0
    """

    slope: float = 0.01
    name: ClassVar[str] = "leaky_relu"
    homogeneous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", finite("slope", self.slope))
        if not math.isfinite(self.slope * self.slope):
            raise ValueError(f"slope must have a finite square, got {self.slope!r}")

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """The given slope for h < 0, 1 for h > 0."""
        return Piece(-math.inf, 0.0, self.slope), Piece(0.0, math.inf, 1.0)

    def second_moment(self, variance: float) -> float:
        """V(q) = q (1 + slope²)/2."""
        return non_negative("variance", variance) * self.slope_second_moment(variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = (1 + slope²)/2."""
        non_negative("variance", variance)
        return 0.5 * (1.0 + self.slope * self.slope)

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = (1 + slope⁴)/2."""
        non_negative("variance", variance)
        return 0.5 * (1.0 + self.slope**4)

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h for h > 0, else slope·h."""
        h = real_numbers(h)
        return np.where(h > 0.0, h, self.slope * h)

    def _product(self, pair: Pair) -> float:
        return self.slope * pair.covariance + (1.0 - self.slope) ** 2 * _relu_product(pair)

    def _slope_product(self, pair: Pair) -> float:
        return self.slope + (1.0 - self.slope) ** 2 * (math.pi - pair.angle) / (2.0 * math.pi)


@dataclass(frozen=True)
class HardTanh(PiecewiseLinear):
    """φ(h) = min(max(h, −clip), clip).

    Parameters
    ----------
    clip : float
        Where it saturates, > 0.

    Raises
    ------
    TypeError, ValueError
        If `clip` is not such a number.

    Notes
    -----
    With t = clip/√(2q), the slope is 1 with probability e = erf(t) and 0 with probability erfc(t).  Both weights are
    computed as they stand: 1 − erf(t) would lose every digit of a rare saturation (t ≥ 6).

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.HardTanh().slope_second_moment(0.295), 10)
    0.9344003079
    """

    clip: float = 1.0
    name: ClassVar[str] = "hard_tanh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "clip", positive("clip", self.clip))

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """Slope 1 between the two ends, 0 beyond."""
        return (
            Piece(-math.inf, -self.clip, 0.0),
            Piece(-self.clip, self.clip, 1.0),
            Piece(self.clip, math.inf, 0.0),
        )

    def second_moment(self, variance: float) -> float:
        """V(q) = q P(3/2, t²) + clip² erfc(t), with t = clip/√(2q) and P the regularised incomplete gamma function."""
        q, t = self._variance_and_threshold(variance)
        return q * _gamma_p_three_halves(t) + self.clip * (self.clip * math.erfc(t))

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = erf(t), with t = clip/√(2q)."""
        return math.erf(self._variance_and_threshold(variance)[1])

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = erf(t), with t = clip/√(2q)."""
        return self.slope_second_moment(variance)

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = min(max(h, −clip), clip)."""
        return np.clip(real_numbers(h), -self.clip, self.clip)

    def _variance_and_threshold(self, variance: float) -> tuple[float, float]:
        q = non_negative("variance", variance)
        return q, (self.clip / math.sqrt(2.0) / math.sqrt(q) if q > 0.0 else math.inf)


def _gamma_p_three_halves(t: float) -> float:
    """P(3/2, t²) = erf(t) − 2t e^{−t²}/√π, the second moment of a standard normal cut at |Z| < √2 t.

    The difference loses all digits for small t (its terms are 2t/√π, their difference (4/3)t³/√π), so there the series
    t³ e^{−t²} Σ t^{2n}/Γ(n + 5/2) is summed: all its terms are positive.
    """
    y = t * t
    if t >= 1.0:
        return math.erf(t) - (2.0 / math.sqrt(math.pi) * t * math.exp(-y) if math.isfinite(y) else 0.0)
    term = total = t * y / math.gamma(2.5)
    n = 0
    while term > 1e-17 * total:
        n += 1
        term *= y / (n + 1.5)
        total += term
    return total * math.exp(-y)


def _relu_product(pair: Pair) -> float:
    """√(q₁q₂) (sin θ + (π − θ) cos θ)/2π with cos θ the correlation [1]_, as (sin ψ − ψ cos ψ), ψ = π − θ.

    The terms of the difference are about ψ, it is about ψ³/3, so there its power series is summed.

    References
    ----------
    .. [1] Y. Cho and L. K. Saul, "Kernel methods for deep learning", NIPS 2009.
    """
    psi = math.pi - pair.angle if pair.covariance > 0.0 else math.atan2(math.sqrt(pair.determinant), -pair.covariance)
    if psi < 0.5:
        difference = math.fsum(
            (-1.0) ** (k + 1) * 2.0 * k * psi ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(1, 9)
        )
    else:
        difference = math.sin(psi) - psi * math.cos(psi)
    return pair.first * pair.second * difference / (2.0 * math.pi)
