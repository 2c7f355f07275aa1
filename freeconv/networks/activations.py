"""Activations: what a wide layer needs to know of φ, and φ itself for simulations.

For a pre-activation h = √q Z with Z standard normal, a layer enters the theory only through

* V(q) = E φ(h)², the variance it hands on,
* E φ'(h)², the gain of a backward pass,
* the law of φ'(h)², its squared slopes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import finite, non_negative, positive
from freeconv.laws import Discrete, Law, PointMass

__all__ = ["KNOWN", "Activation", "HardTanh", "LeakyReLU", "Linear", "ReLU", "from_name", "parameters_of", "resolve"]


class Activation(ABC):
    """What every activation offers.  Instances are immutable and hashable.

    Attributes
    ----------
    name : str
        The name that `MLP` and network files know it by.
    homogeneous : bool
        True where φ(c h) = c φ(h) for c > 0.  The law of the squared slopes then does not depend on the variance.
    """

    name: ClassVar[str]
    homogeneous: ClassVar[bool]

    @abstractmethod
    def second_moment(self, variance: float) -> float:
        """V(q) = E φ(√q Z)², for a variance q ≥ 0."""

    @abstractmethod
    def slope_second_moment(self, variance: float) -> float:
        """E φ'(√q Z)², for a variance q ≥ 0."""

    @abstractmethod
    def slope_law(self, variance: float) -> Law:
        """Return the law of φ'(√q Z)², for a variance q ≥ 0."""

    @abstractmethod
    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h), element by element."""

    @abstractmethod
    def derivative(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ'(h), element by element; the left derivative at a kink."""


@dataclass(frozen=True)
class Linear(Activation):
    """φ(h) = h.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.Linear().second_moment(3.0)
    3.0
    """

    name: ClassVar[str] = "linear"
    homogeneous: ClassVar[bool] = True

    def second_moment(self, variance: float) -> float:
        """V(q) = q."""
        return non_negative("variance", variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = 1."""
        non_negative("variance", variance)
        return 1.0

    def slope_law(self, variance: float) -> Law:
        """δ₁."""
        non_negative("variance", variance)
        return PointMass(1.0)

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h."""
        return np.array(h, dtype=np.float64)

    def derivative(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ'(h) = 1."""
        return np.ones_like(np.asarray(h, dtype=np.float64))


@dataclass(frozen=True)
class ReLU(Activation):
    """φ(h) = max(h, 0).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.ReLU().second_moment(3.0)
    1.5
    """

    name: ClassVar[str] = "relu"
    homogeneous: ClassVar[bool] = True

    def second_moment(self, variance: float) -> float:
        """V(q) = q/2."""
        return 0.5 * non_negative("variance", variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = 1/2."""
        non_negative("variance", variance)
        return 0.5

    def slope_law(self, variance: float) -> Law:
        """(δ₀ + δ₁)/2."""
        non_negative("variance", variance)
        return Discrete((0.0, 1.0), (0.5, 0.5))

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = max(h, 0)."""
        return np.maximum(np.asarray(h, dtype=np.float64), 0.0)

    def derivative(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ'(h) = 1 for h > 0, else 0."""
        return np.where(np.asarray(h, dtype=np.float64) > 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class LeakyReLU(Activation):
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

    def second_moment(self, variance: float) -> float:
        """V(q) = q (1 + slope²)/2."""
        return non_negative("variance", variance) * self.slope_second_moment(variance)

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = (1 + slope²)/2."""
        non_negative("variance", variance)
        return 0.5 * (1.0 + self.slope * self.slope)

    def slope_law(self, variance: float) -> Law:
        """(δ_{slope²} + δ₁)/2."""
        non_negative("variance", variance)
        return Discrete((self.slope * self.slope, 1.0), (0.5, 0.5))

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = h for h > 0, else slope·h."""
        h = np.asarray(h, dtype=np.float64)
        return np.where(h > 0.0, h, self.slope * h)

    def derivative(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ'(h) = 1 for h > 0, else slope."""
        return np.where(np.asarray(h, dtype=np.float64) > 0.0, 1.0, self.slope)


@dataclass(frozen=True)
class HardTanh(Activation):
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
    homogeneous: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "clip", positive("clip", self.clip))

    def second_moment(self, variance: float) -> float:
        """V(q) = q P(3/2, t²) + clip² erfc(t), with t = clip/√(2q) and P the regularised incomplete gamma function."""
        q, t = self._variance_and_threshold(variance)
        return q * _gamma_p_three_halves(t) + self.clip * (self.clip * math.erfc(t))

    def slope_second_moment(self, variance: float) -> float:
        """E φ'² = erf(t), with t = clip/√(2q)."""
        return math.erf(self._variance_and_threshold(variance)[1])

    def slope_law(self, variance: float) -> Law:
        """erfc(t) δ₀ + erf(t) δ₁, with t = clip/√(2q)."""
        _, t = self._variance_and_threshold(variance)
        return Discrete((0.0, 1.0), (math.erfc(t), math.erf(t)))

    def function(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ(h) = min(max(h, −clip), clip)."""
        return np.clip(np.asarray(h, dtype=np.float64), -self.clip, self.clip)

    def derivative(self, h: ArrayLike) -> NDArray[np.float64]:
        """φ'(h) = 1 for −clip < h < clip, else 0."""
        return np.where(np.abs(np.asarray(h, dtype=np.float64)) < self.clip, 1.0, 0.0)

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


KNOWN: Mapping[str, type[Activation]] = {kind.name: kind for kind in (Linear, ReLU, LeakyReLU, HardTanh)}
"""The activations by name."""


def from_name(name: str, parameters: Mapping[str, float] | None = None) -> Activation:
    """Build a known activation.

    Parameters
    ----------
    name : str
        One of `KNOWN`.
    parameters : mapping of str to float, optional
        Its parameters by name; those left out take their defaults.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name or a parameter is not known; the message lists those that are.

    Examples
    --------
    >>> from freeconv.networks.activations import from_name
    >>> from_name("leaky_relu", {"slope": 0.1})
    LeakyReLU(slope=0.1)
    """
    known = parameters_of(name)
    for parameter in parameters or {}:
        if parameter not in known:
            raise ValueError(
                f"unknown parameter {parameter!r} of activation {name!r}; known are {', '.join(known) or 'none'}"
            )
    return KNOWN[name](**(parameters or {}))


def parameters_of(name: str) -> tuple[str, ...]:
    """Return the names of the parameters of a known activation.

    Parameters
    ----------
    name : str
        One of `KNOWN`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If the name is not known; the message lists those that are.

    Examples
    --------
    >>> from freeconv.networks.activations import parameters_of
    >>> parameters_of("hard_tanh")
    ('clip',)
    """
    if name not in KNOWN:
        raise ValueError(f"unknown activation {name!r}; known are {', '.join(KNOWN)}")
    return tuple(field.name for field in fields(KNOWN[name]))  # type: ignore[arg-type]  # all of KNOWN are dataclasses


def resolve(activation: str | Activation) -> Activation:
    """Return the activation a user means by a name or by an object.

    Parameters
    ----------
    activation : str or Activation
        A name of `KNOWN`, for its default parameters, or an activation, returned as it is.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is not known; the message lists those that are.
    TypeError
        If it is neither a name nor an activation.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.activations.resolve("hard_tanh")
    HardTanh(clip=1.0)
    """
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        return from_name(activation)
    raise TypeError(f"activation must be a name or an Activation, got {activation!r}")
