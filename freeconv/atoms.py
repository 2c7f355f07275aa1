"""Atoms, exactly, through the tree.

Every atom is kept with its weight w and with its off-mass 1 − w, which adds under ⊞ and ⊠: the weight of a rare atom
and the complement of a dominant one are both known to full relative accuracy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._numeric import power
from freeconv.contours import closed_form
from freeconv.laws import (
    Affine,
    Boxplus,
    Boxtimes,
    CurvedSlopes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    PointMass,
    Resize,
)
from freeconv.laws.operations import fold

__all__ = ["Atoms", "atoms", "mass_off_zero", "singular_points", "would_be_atoms"]

_BORDERLINE = 4.0 * 2.0**-52


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Atoms:
    """The atoms of a law.

    Parameters
    ----------
    locations : array_like, shape (k,)
        Ascending.
    weights : array_like, shape (k,)

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.MarchenkoPastur(ratio=4.0).atoms()
    Atoms(locations=[0.0], weights=[0.75])
    """

    locations: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __init__(self, locations: ArrayLike, weights: ArrayLike) -> None:
        for name, values in (("locations", locations), ("weights", weights)):
            array = np.array(values, dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.locations)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Atoms):
            return NotImplemented
        return np.array_equal(self.locations, other.locations) and np.array_equal(self.weights, other.weights)

    def __hash__(self) -> int:
        return hash((self.locations.tobytes(), self.weights.tobytes()))

    def __reduce__(self) -> tuple[type[Atoms], tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return Atoms, (self.locations, self.weights)  # the constructor makes the arrays read-only again

    def __repr__(self) -> str:
        return f"Atoms(locations={self.locations.tolist()}, weights={self.weights.tolist()})"


class _Point(NamedTuple):
    """An atom; with weight 0 and off-mass 1 one that just failed to be, where the density may blow up."""

    location: float
    weight: float
    off: float
    below: float
    """The mass to the left of it, a sum of leaf weights: at an atom's own points every child is at an atom of its own,
    and the masses on the left of those add (their potentials do, and log m or log G there is real)."""


def atoms(law: Law) -> Atoms:
    """Return all atoms of a law.

    Parameters
    ----------
    law : Law

    Returns
    -------
    Atoms
        Locations ascending; the weights have an absolute error of at most 1e-13.

    Notes
    -----
    μ ⊞ ν has the atom a + b with weight μ{a} + ν{b} − 1 where that is positive [1]_; μ ⊠ ν the atom a b ≠ 0 likewise,
    and max(μ{0}, ν{0}) at 0 [2]_.  Powers: t w − (t − 1).  A size change by r divides weights by r; at 0, 1 − w is.

    References
    ----------
    .. [1] H. Bercovici and D. Voiculescu, "Regularity questions for free convolution", Oper. Theory Adv. Appl. 104
       (1998).
    .. [2] S. Belinschi, "The atoms of the free multiplicative convolution of two probability distributions", Integral
       Equations Operator Theory 46 (2003).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxplus_power(fc.Bernoulli(0.75), 2.0).atoms()
    Atoms(locations=[2.0], weights=[0.5])
    """
    found = sorted(point for point in fold(law, "atoms", _rule) if point.weight > 0.0)
    return Atoms([point.location for point in found], [point.weight for point in found])


def mass_off_zero(law: Law) -> float:
    """Return 1 − μ{0} to full relative accuracy.

    Parameters
    ----------
    law : Law

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.atoms import mass_off_zero
    >>> mass_off_zero(fc.boxtimes(fc.Bernoulli(1e-20), fc.MarchenkoPastur()))
    1e-20
    """
    points: tuple[_Point, ...] = fold(law, "atoms", _rule)
    return _off_zero(points)


def singular_points(law: Law) -> tuple[float, ...]:
    """Return where an atom just fails to exist: weights that meet 1 exactly, up to four units in the last place.

    Parameters
    ----------
    law : Law

    Returns
    -------
    tuple of float
        Ascending.  The density may blow up there like an inverse square root, as of ReLU networks (1/2 + 1/2 = 1).

    Notes
    -----
    S. Belinschi, "The Lebesgue decomposition of the free additive convolution of two probability distributions",
    Probab. Theory Related Fields 142 (2008); H. C. Ji, "Regularity properties of free multiplicative convolution on the
    positive line", IMRN (2021).

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.atoms import singular_points
    >>> singular_points(fc.boxplus_power(fc.Bernoulli(0.5), 2.0))
    (0.0, 2.0)
    """
    return tuple(location for location, _ in would_be_atoms(law))


def would_be_atoms(law: Law) -> tuple[tuple[float, float], ...]:
    """Return the `singular_points` of a law, ascending, each with the mass to the left of it.

    Parameters
    ----------
    law : Law

    Returns
    -------
    tuple of (float, float)

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.atoms import would_be_atoms
    >>> would_be_atoms(fc.boxplus_power(fc.Bernoulli(0.5), 2.0))
    ((0.0, 0.0), (2.0, 1.0))
    """
    found = {point.location: point.below for point in fold(law, "atoms", _rule) if point.weight == 0.0}
    return tuple(sorted(found.items()))


def _off_zero(points: Sequence[_Point]) -> float:
    return next((point.off for point in points if point.location == 0.0), 1.0)


def _rule(law: Law, children: Sequence[tuple[_Point, ...]]) -> tuple[_Point, ...]:
    match law:
        case PointMass():
            return (_Point(law.location, 1.0, 0.0, 0.0),)
        case Discrete():
            return _discrete(law)
        case CurvedSlopes():
            return _flat_pieces(law)
        case MarchenkoPastur():
            return _at_zero(1.0 / law.ratio)
        case IsometryLimit():
            s = law.dispersion
            if law.kind == "smooth" or s > 1.0:
                return ()
            return (_Point(math.exp(s), 1.0 - s, s, s),)
        case FreePoisson():
            return _at_zero(law.rate, 0.0 if law.jump > 0.0 else min(law.rate, 1.0))
        case Affine():
            return tuple(_moved(point, law.scale, law.shift) for point in children[0])
        case Resize():
            return _resized(law.ratio, children[0])
        case Boxplus():
            return _sums(
                [_power(points, t, lambda a, t: t * a) for points, t in zip(children, law.constants, strict=True)],
                math.fsum,
            )
        case Boxtimes():
            nonzero = [[point for point in points if point.location != 0.0] for points in children]
            products = _sums(
                [_power(points, t, power) for points, t in zip(nonzero, law.constants, strict=True)], math.prod
            )
            return (*_at_zero(min(map(_off_zero, children))), *products)
    return ()


def _at_zero(off: float, below: float = 0.0) -> tuple[_Point, ...]:
    """The atom at 0 of a law with this mass elsewhere; a missing one leaves no blow-up but the law's own hard edge."""
    return (_Point(0.0, 1.0 - off, off, below),) if off < 1.0 else ()


def _moved(point: _Point, scale: float, shift: float) -> _Point:
    below = point.below if scale > 0.0 else max(0.0, point.off - point.below)
    return point._replace(location=scale * point.location + shift, below=below)


def _discrete(law: Discrete) -> tuple[_Point, ...]:
    points = []
    below = _sums_before(law.weights)
    for i, (location, weight) in enumerate(zip(law.locations, law.weights, strict=True)):
        if weight >= 0.5 or location == 0.0:  # at most three times: 1 − weight would lose digits
            off = min(1.0, math.fsum(law.weights[:i] + law.weights[i + 1 :]))
        else:
            off = 1.0 - weight
        points.append(_Point(location, weight, off, below[i]))
    return tuple(points)


def _sums_before(weights: Sequence[float]) -> list[float]:
    """Σ_{j < i} w_j for each i, rounded once: the sums are kept exactly, as integers in units of the smallest ulp."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    unit = max(denominator for _, denominator in ratios)
    sums = [0, *itertools.accumulate(numerator * (unit // denominator) for numerator, denominator in ratios)]
    return [partial / unit for partial in sums[:-1]]


def _flat_pieces(law: CurvedSlopes) -> tuple[_Point, ...]:
    """Where φ' is constant; what lies below is known from the law's distribution function."""
    known = closed_form(law.activation, law.dispersion)
    points = []
    for location, weight in known.law.atoms:
        below = float(known.cdf(np.array([location]))[0]) - weight
        points.append(_Point(location, weight, 1.0 - weight, max(0.0, below)))
    return tuple(points)


def _resized(ratio: float, points: Sequence[_Point]) -> tuple[_Point, ...]:
    resized = list(_at_zero(min(1.0, _off_zero(points) / ratio)))
    for point in points:
        if point.location != 0.0:
            weight = min(1.0, point.weight / ratio)
            off = 1.0 - weight if weight < 0.5 else max(0.0, (point.off - (1.0 - ratio)) / ratio)
            below = max(0.0, (point.below - (1.0 - ratio if point.location > 0.0 else 0.0)) / ratio)
            resized.append(_Point(point.location, weight, off, below))
    return tuple(resized)


def _power(points: Sequence[_Point], t: float, move: Callable[[float, float], float]) -> list[_Point]:
    """The candidates of a convolution power, those of smallest off-mass first."""
    if t != 1.0:
        points = [_Point(move(a, t), weight - (t - 1.0) * off, t * off, t * below) for a, weight, off, below in points]
    return sorted((point for point in points if point.weight >= -_BORDERLINE), key=lambda point: point.off)


def _sums(factors: Sequence[Sequence[_Point]], join: Callable[[Sequence[float]], float]) -> tuple[_Point, ...]:
    """Choose one candidate a factor, so that the off-masses sum to at most 1: all atoms and would-be atoms."""
    if not all(factors):
        return ()
    least = [points[0].off for points in factors]
    rest = [math.fsum(least[i + 1 :]) for i in range(len(least))]
    chosen: list[tuple[_Point, ...]] = [()]
    for points, beyond in zip(factors, rest, strict=True):
        extended = []
        for choice in chosen:
            so_far = math.fsum(point.off for point in choice)
            for point in points:
                if so_far + point.off + beyond > 1.0 + 1e-12:
                    break
                extended.append((*choice, point))
        chosen = extended
        if not chosen:
            return ()
    found = []
    for choice in chosen:
        off = math.fsum(point.off for point in choice)
        weight = choice[0].weight if len(choice) == 1 else 1.0 - off
        below = choice[0].below if len(choice) == 1 else math.fsum(point.below for point in choice)
        location = join([point.location for point in choice])
        if abs(1.0 - off) <= _BORDERLINE and (len(choice) > 1 or weight <= _BORDERLINE):
            found.append(_Point(location, 0.0, 1.0, below))
        elif weight > 0.0:
            found.append(_Point(location, weight, off, below))
    return tuple(found)
