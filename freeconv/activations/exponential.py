"""Activations made of exponentials and the identity: ELU, SELU and softplus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative, positive
from freeconv.activations.base import Activation, Piece, Slopes, numbers, real_numbers
from freeconv.activations.logistic import logistic, logistic_slope, mirrored

__all__ = ["ELU", "SELU", "Softplus"]


class ExponentialLinear(Activation):
    """φ(h) = gain·h for h > 0, gain·α (e^h − 1) for h ≤ 0.

    Notes
    -----
    With x = √(q/2): V = gain² (q/2 + α² E[(e^h − 1)²; h < 0]), where the expectation is
    (erfcx(2x) − 2 erfcx(x) + 1)/2, and E φ'^{2k} = gain^{2k} (1 + α^{2k} erfcx(2kx))/2, from
    E[e^{2kh}; h < 0] = e^{2k²q} Φ(−2k√q).
    """

    @property
    def _gain(self) -> float:
        return 1.0

    @property
    def _alpha(self) -> float:
        raise NotImplementedError

    @property
    def kinks(self) -> tuple[float, ...]:
        """0."""
        return (0.0,)

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """The slope is constant for h > 0."""
        return (Piece(0.0, math.inf, self._gain),)

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h)."""
        h = real_numbers(h)
        return self._gain * np.where(h > 0.0, h, self._alpha * np.expm1(np.minimum(h, 0.0)))

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = gain for Re h > 0, else gain·α e^h."""
        h = numbers(h)
        return self._gain * np.where(h.real > 0.0, 1.0, self._alpha * np.exp(-mirrored(h)))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = 0 for Re h > 0, else gain·α e^h."""
        h = numbers(h)
        return self._gain * np.where(h.real > 0.0, 0.0, self._alpha * np.exp(-mirrored(h)))

    def second_moment(self, variance: float) -> float:
        """V(q) = gain² (q/2 + α² (erfcx(2x) − 2 erfcx(x) + 1)/2), with x = √(q/2)."""
        q = non_negative("variance", variance)
        left = self._alpha * self._alpha * _exponential_square(math.sqrt(0.5 * q))
        return self._gain * self._gain * (0.5 * q + left)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = gain² (1 + α² erfcx(2x))/2, with x = √(q/2)."""
        return self._slope_moment(2, variance)

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'⁴ = gain⁴ (1 + α⁴ erfcx(4x))/2, with x = √(q/2)."""
        return self._slope_moment(4, variance)

    def _slope_moment(self, power: int, variance: float) -> float:
        from scipy.special import erfcx

        x = math.sqrt(0.5 * non_negative("variance", variance))
        left = float(self._alpha**power * erfcx(power * x))
        return float(self._gain**power * (0.5 + 0.5 * left))


@dataclass(frozen=True)
class ELU(ExponentialLinear):
    """φ(h) = h for h > 0, alpha (e^h − 1) for h ≤ 0.

    Parameters
    ----------
    alpha : float
        > 0; its fourth power must be finite.

    Raises
    ------
    TypeError, ValueError
        If `alpha` is not such a number.

    Notes
    -----
    V = q/2 + α² (e^{2q} Φ(−2√q) − 2 e^{q/2} Φ(−√q) + 1/2), in terms of scaled complementary error functions and, for
    small q, a power series: nothing overflows or cancels.  Half of the squared slopes are 1, an atom.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.ELU().slope_atoms(1.0)
    ((1.0, 0.5),)
    """

    alpha: float = 1.0
    name: ClassVar[str] = "elu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", positive("alpha", self.alpha))
        if self.alpha > 1e75:
            raise ValueError(f"alpha must have a finite fourth power, got {self.alpha!r}")

    @property
    def _alpha(self) -> float:
        return self.alpha


@dataclass(frozen=True)
class SELU(ExponentialLinear):
    """λ times ELU, λ = 1.0507009873554805 and α = 1.6732632423543772.

    Notes
    -----
    With these constants V(1) = 1 is a stable fixed point [1]_.

    References
    ----------
    .. [1] G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural networks", NIPS 2017.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.activations.SELU().second_moment(1.0), 12)
    1.0
    """

    name: ClassVar[str] = "selu"

    @property
    def _gain(self) -> float:
        return 1.0507009873554805

    @property
    def _alpha(self) -> float:
        return 1.6732632423543772


@dataclass(frozen=True)
class Softplus(Activation):
    """φ(h) = log(1 + e^{beta h})/beta.

    Parameters
    ----------
    beta : float
        > 0.

    Raises
    ------
    TypeError, ValueError
        If `beta` is not such a number.

    Notes
    -----
    PyTorch's threshold, above which it returns h itself, is left out: it stands for overflow, which does not happen
    here.  φ' = σ(beta h) has its poles at ±iπ/beta and no turning points.  Moments by quadrature.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.Softplus().derivative(0.0).item()
    0.5
    """

    beta: float = 1.0
    name: ClassVar[str] = "softplus"

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", positive("beta", self.beta))

    @property
    def feature_width(self) -> float:
        """1/beta."""
        return 1.0 / self.beta

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = max(h, 0) + log(1 + e^{−beta |h|})/beta."""
        h = real_numbers(h)
        return np.maximum(h, 0.0) + np.log1p(np.exp(-self.beta * np.abs(h))) / self.beta

    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h) = σ(beta h)."""
        return logistic(self.beta * numbers(h))

    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h) = beta σ(beta h) σ(−beta h)."""
        return self.beta * logistic_slope(self.beta * numbers(h))


def _exponential_square(x: float) -> float:
    """E[(e^h − 1)²; h < 0] = (erfcx(2x) − 2 erfcx(x) + 1)/2 for h ~ N(0, 2x²).

    It is about x² for small x, where the three terms of order 1 cancel: there erfcx(x) = Σ (−x)^n/Γ(n/2 + 1), whose
    first two terms drop out.
    """
    from scipy.special import erfcx

    if x > 0.25:
        return float(0.5 * (erfcx(2.0 * x) - 2.0 * erfcx(x) + 1.0))
    return math.fsum((2.0 ** (n - 1) - 1.0) * (-x) ** n / math.gamma(0.5 * n + 1.0) for n in range(2, 40))
