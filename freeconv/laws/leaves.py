"""The laws that trees are built from.

Each is given by K = z − 1/G, a function of m = z G − 1 (then K = 1/S, S the S-transform) or of G (then K = R, the
R-transform); see D. Voiculescu, K. Dykema, A. Nica, "Free Random Variables" (1992).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from numpy.typing import ArrayLike

from freeconv._validate import finite, finite_sequence, positive
from freeconv.laws.base import Law

__all__ = [
    "Arcsine",
    "Bernoulli",
    "Discrete",
    "FreePoisson",
    "Leaf",
    "MarchenkoPastur",
    "MarchenkoPasturPower",
    "PointMass",
    "Semicircle",
    "Uniform",
]

_TOTAL_WEIGHT_TOLERANCE = 1e-12


class Leaf(Law):
    """A law that is not built from others."""

    @property
    def children(self) -> tuple[Law, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class PointMass(Leaf):
    """All mass at one point.

    Parameters
    ----------
    location : float
        Finite.

    Raises
    ------
    TypeError, ValueError
        If `location` is not a finite real number.

    Examples
    --------
    >>> import freeconv as fc
    >>> 2.0 * fc.PointMass(3.0) + 1.0
    PointMass(location=7.0)
    """

    location: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", finite("location", self.location))


@dataclass(frozen=True, init=False)
class Discrete(Leaf):
    """Finitely many atoms.

    Parameters
    ----------
    locations : sequence of float
        Finite, in any order; equal ones are merged.
    weights : sequence of float
        ≥ 0, of the same length, with sum 1 up to 1e-12.  They are kept as given, not renormalised; zeros are dropped.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.Discrete([3.0, 1.0, 3.0], [0.25, 0.5, 0.25])
    Discrete(locations=(1.0, 3.0), weights=(0.5, 0.5))
    """

    locations: tuple[float, ...]
    weights: tuple[float, ...]

    def __init__(self, locations: Iterable[float] | ArrayLike, weights: Iterable[float] | ArrayLike) -> None:
        points = finite_sequence("locations", locations)
        masses = finite_sequence("weights", weights)
        if len(points) != len(masses):
            raise ValueError(f"locations and weights must be of one length, got {len(points)} and {len(masses)}")
        if not points:
            raise ValueError("locations must have at least one entry, got none")
        for i, mass in enumerate(masses):
            if mass < 0.0:
                raise ValueError(f"weights[{i}] must be >= 0, got {mass!r}")
        total = math.fsum(masses)
        if abs(total - 1.0) > _TOTAL_WEIGHT_TOLERANCE:
            raise ValueError(f"weights must sum to 1 up to {_TOTAL_WEIGHT_TOLERANCE}, got {total!r}")
        merged: dict[float, list[float]] = {}
        for point, mass in zip(points, masses, strict=True):
            if mass > 0.0:
                merged.setdefault(point, []).append(mass)
        ordered = sorted(merged)
        object.__setattr__(self, "locations", tuple(ordered))
        object.__setattr__(self, "weights", tuple(math.fsum(merged[point]) for point in ordered))


def Bernoulli(p: float, value: float = 1.0) -> Law:  # noqa: N802  # named like the laws beside which it is used
    """Return (1 − p) δ₀ + p δ_value.

    Parameters
    ----------
    p : float
        The weight at `value`, 0 ≤ p ≤ 1; it is kept exactly.
    value : float
        Finite.

    Returns
    -------
    Law
        A `Discrete`, or a `PointMass` where there is one point only.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    K(m) = value (p + m)/(1 + m).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.Bernoulli(0.25, value=2.0)
    Discrete(locations=(0.0, 2.0), weights=(0.75, 0.25))
    """
    p = finite("p", p)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p must be in [0, 1], got {p!r}")
    value = finite("value", value)
    if p == 0.0 or value == 0.0:
        return PointMass(0.0)
    if p == 1.0:
        return PointMass(value)
    return Discrete((0.0, value), (1.0 - p, p))


@dataclass(frozen=True, init=False, repr=False)
class Semicircle(Leaf):
    """Wigner's semicircle law, on [mean − 2√variance, mean + 2√variance].

    Parameters
    ----------
    mean : float
        Finite.
    variance : float
        > 0.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    K = mean + variance·G.  `mean` and `variance` are methods of every law, so the numbers are kept as `center` and
    `dispersion`.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxplus(fc.Semicircle(), fc.Semicircle(mean=1.0, variance=3.0))
    Semicircle(mean=1.0, variance=4.0)
    """

    center: float
    dispersion: float

    def __init__(self, mean: float = 0.0, variance: float = 1.0) -> None:
        object.__setattr__(self, "center", finite("mean", mean))
        object.__setattr__(self, "dispersion", positive("variance", variance))

    def __repr__(self) -> str:
        return f"Semicircle(mean={self.center!r}, variance={self.dispersion!r})"


@dataclass(frozen=True)
class MarchenkoPastur(Leaf):
    """The limit law of W Wᵀ, W n × d with independent entries of variance scale/d.

    Parameters
    ----------
    ratio : float
        n/d > 0; a ratio above 1 means an atom of weight 1 − 1/ratio at 0.
    scale : float
        The mean, > 0.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    K(m) = scale (1 + ratio·m).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.MarchenkoPastur(ratio=0.25).support().round(9).tolist()
    [[0.25, 2.25]]
    """

    ratio: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", positive("ratio", self.ratio))
        object.__setattr__(self, "scale", positive("scale", self.scale))


@dataclass(frozen=True)
class MarchenkoPasturPower(Leaf):
    """A free multiplicative power below 1 of a Marchenko–Pastur law; `boxtimes_power` makes it.

    Parameters
    ----------
    ratio : float
        0 < ratio ≤ 1, where the law is ⊠-infinitely divisible.
    scale : float
        > 0.
    power : float
        0 < power < 1.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    K(m) = (scale (1 + ratio·m))^power.

    Examples
    --------
    >>> import freeconv as fc
    >>> root = fc.boxtimes_power(fc.MarchenkoPastur(), 0.5)
    >>> fc.boxtimes(root, root)
    MarchenkoPastur(ratio=1.0, scale=1.0)
    """

    ratio: float
    scale: float
    power: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "ratio", positive("ratio", self.ratio))
        object.__setattr__(self, "scale", positive("scale", self.scale))
        object.__setattr__(self, "power", positive("power", self.power))
        if self.ratio > 1.0:
            raise ValueError(f"ratio must be <= 1, got {self.ratio!r}")
        if self.power >= 1.0:
            raise ValueError(f"power must be < 1, got {self.power!r}")


@dataclass(frozen=True)
class Arcsine(Leaf):
    """The arcsine law: density 1/(π √((x − low)(high − x))).

    Parameters
    ----------
    low, high : float
        The ends of the support, low < high.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    1/G = √((z − low)(z − high)).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.Arcsine(-2.0, 2.0).variance()
    2.0
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _interval(self)


@dataclass(frozen=True)
class Uniform(Leaf):
    """The uniform law on [low, high].

    Parameters
    ----------
    low, high : float
        The ends, low < high.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    G = log((z − low)/(z − high))/(high − low).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.Uniform(0.0, 6.0).variance()
    3.0
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _interval(self)


@dataclass(frozen=True)
class FreePoisson(Leaf):
    """The free Poisson law: the limit of ⊞ of many (1 − rate/n) δ₀ + (rate/n) δ_jump.

    Parameters
    ----------
    rate : float
        > 0; a rate below 1 means an atom of weight 1 − rate at 0.
    jump : float
        Finite, not 0.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    K(m) = jump (rate + m).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.FreePoisson(3.0, jump=0.5).mean()
    1.5
    """

    rate: float
    jump: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", positive("rate", self.rate))
        object.__setattr__(self, "jump", finite("jump", self.jump))
        if self.jump == 0.0:
            raise ValueError(f"jump must be != 0, got {self.jump!r}")


def _interval(law: Arcsine | Uniform) -> None:
    low, high = finite("low", law.low), finite("high", law.high)
    if not low < high:
        raise ValueError(f"low must be < high, got {low!r} and {high!r}")
    object.__setattr__(law, "low", low)
    object.__setattr__(law, "high", high)
