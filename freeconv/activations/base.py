"""What the theory needs to know of an activation φ, and φ itself for simulations."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative
from freeconv.activations.quadrature import gaussian_expectation
from freeconv.activations.two_point import Pair, gaussian_pair, gaussian_product_expectation

__all__ = ["Activation", "Piece", "Slopes", "gaussian_mass", "numbers", "real_numbers"]

Slopes = NDArray[Any]
"""Float64 where the argument was real, complex128 where it was complex."""


class Piece(NamedTuple):
    """An interval between kinks, and what φ' is there."""

    low: float
    high: float
    slope: float


class Activation(ABC):
    """What every activation offers.  Instances are immutable and hashable.

    For a pre-activation h = √q Z with Z standard normal, a layer enters the theory through V(q) = E φ(h)², the variance
    it hands on, and through the law of φ'(h)², its squared slopes.  φ is analytic between its kinks; there, that law is
    the push-forward of a Gaussian by an analytic function, whose continuation `derivative` offers.

    Attributes
    ----------
    name : str
        The name that `MLP` and network files know it by.
    homogeneous : bool
        True where φ(c h) = c φ(h) for c > 0.  The law of the squared slopes then does not depend on the variance.
    complex_slope : bool
        True where `derivative` and `curvature` accept complex numbers.
    feature_width : float
        The length of h over which φ changes its shape, away from kinks: where quadrature starts.
    """

    name: ClassVar[str]
    homogeneous: ClassVar[bool] = False
    complex_slope: ClassVar[bool] = True

    @property
    def feature_width(self) -> float:
        """The length of h over which φ changes its shape."""
        return 1.0

    @property
    def _panel_marks(self) -> tuple[float, ...]:
        """The kinks, and other points around which quadrature shall look for features."""
        return self.kinks

    @property
    def kinks(self) -> tuple[float, ...]:
        """The points where φ' or one of its derivatives is not analytic, ascending."""
        return ()

    @property
    def constant_pieces(self) -> tuple[Piece, ...]:
        """The intervals between neighbouring kinks (or a kink and ±∞) where φ' is constant, ascending."""
        return ()

    @property
    def piecewise_linear(self) -> bool:
        """Whether φ' is constant on every interval between kinks."""
        return len(self.constant_pieces) == len(self.kinks) + 1

    @abstractmethod
    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h), element by element."""

    @abstractmethod
    def derivative(self, h: ArrayLike) -> Slopes:
        """φ'(h), element by element, the left derivative at a kink; for complex h its analytic continuation.

        The continuation is that of the interval between kinks that Re h lies in.
        """

    @abstractmethod
    def curvature(self, h: ArrayLike) -> Slopes:
        """φ''(h), element by element; as `derivative`, whose derivative it is."""

    def turning_points(self, reach: float) -> tuple[float, ...]:
        """Where φ'² has a horizontal tangent: the zeros of φ' and of φ'' with |h| ≤ reach, ascending.

        Kinks and intervals where φ' is constant are left out.

        Parameters
        ----------
        reach : float
            > 0.

        Returns
        -------
        tuple of float
        """
        return tuple(point for point in self._turning_points(reach) if abs(point) <= reach)

    def _turning_points(self, reach: float) -> tuple[float, ...]:
        """All of them up to `reach`, and perhaps some beyond."""
        return ()

    def slope_atoms(self, variance: float) -> tuple[tuple[float, float], ...]:
        """The atoms of the law of φ'(√q Z)² that come from intervals where φ' is constant.

        Parameters
        ----------
        variance : float
            q ≥ 0.  For q = 0 the limit from above is meant, where every φ' is constant on either side of 0.

        Returns
        -------
        tuple of (squared slope, probability)
            By ascending squared slope, equal ones merged, without those of probability 0.
        """
        q = non_negative("variance", variance)
        atoms: dict[float, list[float]] = {}
        for piece in self.constant_pieces if q > 0.0 else self._sides_of_zero():
            weight = gaussian_mass(piece.low, piece.high, q)
            if weight > 0.0:
                atoms.setdefault(piece.slope * piece.slope, []).append(weight)
        return tuple((square, math.fsum(atoms[square])) for square in sorted(atoms))

    def _sides_of_zero(self) -> tuple[Piece, ...]:
        """What φ' is next to 0."""
        left = float(self.derivative(0.0))
        if 0.0 not in self.kinks:
            return (Piece(-math.inf, math.inf, left),)
        return Piece(-math.inf, 0.0, left), Piece(0.0, math.inf, float(self.derivative(math.ulp(0.0))))

    def second_moment(self, variance: float) -> float:
        """V(q) = E φ(√q Z)², for a variance q ≥ 0; by quadrature to 1e-13 where no closed form is known."""
        return _moment(self, "function", 2, non_negative("variance", variance))

    def slope_second_moment(self, variance: float) -> float:
        """E φ'(√q Z)², for a variance q ≥ 0; by quadrature to 1e-13 where no closed form is known."""
        return _moment(self, "derivative", 2, non_negative("variance", variance))

    def slope_fourth_moment(self, variance: float) -> float:
        """E φ'(√q Z)⁴, for a variance q ≥ 0; by quadrature to 1e-13 where no closed form is known."""
        return _moment(self, "derivative", 4, non_negative("variance", variance))

    def product_moment(self, q1: float, q2: float, covariance: float) -> float:
        """E φ(h₁) φ(h₂) for centred Gaussians of variances q₁, q₂ and a covariance.

        To 1e-12 of √(V(q₁) V(q₂)), by quadrature in two dimensions where no closed form is known.
        """
        return self._product(gaussian_pair(q1, q2, covariance))

    def slope_product_moment(self, q1: float, q2: float, covariance: float) -> float:
        """E φ'(h₁) φ'(h₂), the derivative of `product_moment` by the covariance; as accurate as that."""
        return self._slope_product(gaussian_pair(q1, q2, covariance))

    def _product(self, pair: Pair) -> float:
        return gaussian_product_expectation(self.function, pair, self.kinks, self.feature_width)

    def _slope_product(self, pair: Pair) -> float:
        return gaussian_product_expectation(self.derivative, pair, self.kinks, self.feature_width)


@functools.lru_cache(maxsize=1 << 14)
def _moment(activation: Activation, what: str, power: int, variance: float) -> float:
    """E of a power of φ or φ'.  Remembered: a deep network asks for few different variances, and often."""
    values: Callable[[NDArray[np.float64]], NDArray[np.float64]] = getattr(activation, what)
    return gaussian_expectation(
        lambda h: values(h) ** power, variance, activation._panel_marks, activation.feature_width
    )


def gaussian_mass(low: float, high: float, variance: float) -> float:
    """P(low < √q Z < high); where both ends are on one side, from tails, which keeps the digits of rare events."""
    a, b = (_threshold(end, variance) for end in (low, high))
    if a >= 0.0:
        return 0.5 * (math.erfc(a) - math.erfc(b))
    if b <= 0.0:
        return 0.5 * (math.erfc(-b) - math.erfc(-a))
    return 0.5 * (math.erf(b) + math.erf(-a))


def _threshold(h: float, variance: float) -> float:
    if h == 0.0:
        return 0.0
    return h / math.sqrt(2.0) / math.sqrt(variance) if variance > 0.0 else math.copysign(math.inf, h)


def real_numbers(h: ArrayLike) -> NDArray[np.float64]:
    """Return an array of doubles; complex numbers are refused."""
    values = np.asarray(h)
    if np.iscomplexobj(values):
        raise TypeError(f"h must be real, got an array of {values.dtype}")
    return np.asarray(values, dtype=np.float64)


def numbers(h: ArrayLike) -> Slopes:
    """Return an array of float64, or of complex128 where the argument is complex."""
    values = np.asarray(h)
    return np.asarray(values, dtype=np.complex128 if np.iscomplexobj(values) else np.float64)
