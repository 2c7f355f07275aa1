"""Cheap outer bounds of the support, atoms included."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from freeconv._numeric import power, total
from freeconv.contours import closed_form
from freeconv.laws import (
    Affine,
    Arcsine,
    Boxplus,
    Boxtimes,
    CurvedSlopes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Resize,
    Semicircle,
    Uniform,
)
from freeconv.laws.operations import Operation, fold

__all__ = ["hull", "lowest"]

_LARGEST = sys.float_info.max


def hull(law: Law) -> tuple[float, float]:
    """Return an interval that contains the support.

    Parameters
    ----------
    law : Law

    Returns
    -------
    low, high : float
        Exact for leaves; inf where a bound exceeds the largest double.

    Notes
    -----
    Ends add under ⊞ and multiply under ⊠, as those of the spectra of operators do, also for real multiplicities t ≥ 1:
    the end of the support of μ^{⊞t} is a minimum over G of expressions affine in t, so concave in t, with slope at most
    the end of μ at t = 1; likewise with logarithms for ⊠.

    Examples
    --------
    >>> from freeconv.hull import hull
    >>> import freeconv as fc
    >>> hull(fc.boxplus(fc.Semicircle(), fc.Uniform(0.0, 1.0)))
    (-2.0, 3.0)
    """
    return fold(law, "hull", _rule)


def lowest(law: Law) -> float:
    """Return the bound from below, or the truth where the bound is negative and might be too low.

    Parameters
    ----------
    law : Law

    Returns
    -------
    float
        ≥ 0 exactly if the law is on [0, ∞).
    """
    low = hull(law)[0]
    exact = not isinstance(law, Operation) or (isinstance(law, Affine) and not isinstance(law.law, Operation))
    if low >= 0.0 or exact:
        return low
    candidates = [*law.support().ravel().tolist(), *law.atoms().locations.tolist()]
    return float(min(candidates))


def _rule(law: Law, ends: Sequence[tuple[float, float]]) -> tuple[float, float]:
    low, high = _bounds(law, ends)
    return min(low, _LARGEST), max(high, -_LARGEST)


def _bounds(law: Law, ends: Sequence[tuple[float, float]]) -> tuple[float, float]:
    match law:
        case PointMass():
            return law.location, law.location
        case Discrete():
            return law.locations[0], law.locations[-1]
        case Arcsine() | Uniform():
            return law.low, law.high
        case CurvedSlopes():
            known = closed_form(law.activation, law.dispersion)
            values = [*known.ends.tolist(), *(location for location, _ in known.law.atoms)]
            return min(values), max(values)
        case Semicircle():
            radius = 2.0 * math.sqrt(law.dispersion)
            return law.center - radius, law.center + radius
        case MarchenkoPastur():
            return _poisson_ends(1.0, math.sqrt(law.ratio), law.scale)
        case FreePoisson():
            low, high = _poisson_ends(math.sqrt(law.rate), 1.0, abs(law.jump))
            return (low, high) if law.jump > 0.0 else (-high, -low)
        case MarchenkoPasturPower():
            return _root_ends(law)
        case IsometryLimit():
            return law.ends()
        case Affine():
            first, second = (law.scale * end + law.shift for end in ends[0])
            return min(first, second), max(first, second)
        case Resize():
            return (0.0 if law.ratio > 1.0 else max(ends[0][0], 0.0)), ends[0][1]
        case Boxplus():
            lows = [t * low for (low, _), t in zip(ends, law.constants, strict=True)]
            highs = [t * high for (_, high), t in zip(ends, law.constants, strict=True)]
            return total(lows), total(highs)
        case Boxtimes():
            bottom = [max(low, 0.0) for low, _ in ends]
            low = math.prod(map(power, bottom, law.constants)) if all(bottom) else 0.0
            return low, math.prod(power(high, t) for (_, high), t in zip(ends, law.constants, strict=True))
    raise TypeError(f"unknown law {type(law).__name__}")


def _poisson_ends(a: float, b: float, scale: float) -> tuple[float, float]:
    """The ends scale (a ∓ b)² of a law of K = scale (a² + b² m); an atom at 0 where a < b."""
    return (scale * (a - b) * (a - b) if a > b else 0.0), scale * (a + b) * (a + b)


def _root_ends(law: MarchenkoPasturPower) -> tuple[float, float]:
    """The critical values of z(m) = K(m) (1 + m)/m: at the roots of power·c·m² − c (1 − power) m − 1, c = ratio."""
    c, t = law.ratio, law.power
    half = 0.5 * c * (1.0 - t)
    right = (half + math.sqrt(half * half + t * c)) / (t * c)
    left = -1.0 / (t * c * right)
    high = power(law.scale * (1.0 + c * right), t) * (1.0 + right) / right
    low = power(law.scale * max(1.0 + c * left, 0.0), t) * max((1.0 + left) / left, 0.0)
    return low, high
