"""Parts of a support tabulated from both of their ends: density, mass from the end on, and the inverse of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import frexp

import numpy as np
from numpy.typing import NDArray

from freeconv import boundary
from freeconv.approach import UnresolvedError, approach
from freeconv.assembly import evaluator
from freeconv.edges import Edge, EdgeKind
from freeconv.evaluation import Status
from freeconv.graded import TERMS, Grading, fit
from freeconv.laws import Law

__all__ = ["BITS", "CutError", "Side", "Span", "certified_density", "halves", "lenience"]

Array = NDArray[np.float64]

BITS = 17
"""Of a distance from an edge doubles leave so many, at least, where there are cells."""

_LOWEST = -960
# Relative errors may be so many times the tolerance where the density is small, or diverges.
_RELATIVE = 100.0
# Part of a half span that is beside a divergence.
_BESIDE = 0.125
# Distances, as parts of the location, that may be off by a millionth of themselves.
_NEGLIGIBLE = 1e-9
# Rounding of the law's masses.
_MASS_ROUNDING = 1e-15
# The error of a mass at the lowest cell is that of F; below this mass the leading power is nearer.
_LIGHT = 1e-10


@dataclass(frozen=True)
class Span:
    """A part of the support with a smooth density inside: its ends, F there as seen from inside, how f ends."""

    low: float
    high: float
    below: float
    above: float
    kinds: tuple[Edge | None, Edge | None]


@dataclass(frozen=True)
class Side:
    """One half of a span: density and mass as functions of the distance from the end, and its inverse."""

    location: float
    sign: float
    level: float
    density: Grading
    mass: Grading
    distance: Grading
    diverges: bool


class CutError(Exception):
    """A span has to be cut at x."""

    def __init__(self, x: float, error: float) -> None:
        super().__init__(x, error)
        self.x = x
        self.error = error


def certified_density(law: Law, location: float, sign: float, s: Array) -> tuple[Array, Array]:
    """Distances as doubles have them, and densities; NaN where there is no certified one."""
    x = location + sign * s
    found = boundary.record(law, np.ascontiguousarray(x))
    good = np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED)) & (found.density > 0.0)
    return (x - location) * sign, np.where(good, found.density, np.nan)


def lenience(part: Array, f: Array, scale: float, diverges: bool | NDArray[np.bool_]) -> Array:
    """How many times the tolerance the relative error of a density f may be, at a part of the way to the middle."""
    with np.errstate(divide="ignore"):
        return np.where(diverges & (part < _BESIDE), _RELATIVE, np.clip(scale / f, 1.0, _RELATIVE))


def halves(law: Law, span: Span, scale: float, tol: float) -> tuple[Side, Side]:
    """Tabulate a span from both ends to its middle."""
    middle = 0.5 * span.low + 0.5 * span.high
    graded = []
    for location, sign, edge in ((span.low, 1.0, span.kinds[0]), (span.high, -1.0, span.kinds[1])):
        farthest = (middle - location) * sign
        low = _lowest(location, span.high - span.low, edge)
        diverges = edge is not None and edge.exponent < 0.0

        def allowed(s: Array, f: Array, diverges: bool = diverges, reach: float = farthest) -> tuple[Array, Array]:
            return 0.25 * tol * f, 0.5 * tol * f * lenience(s / reach, f, scale, diverges)

        try:
            exponent = 0.0 if edge is None else edge.exponent
            density = _tabulated(
                partial(certified_density, law, location, sign), allowed, exponent, low, farthest, 0.25 * tol
            )
        except UnresolvedError as unresolved:
            raise CutError(location + sign * unresolved.distance, unresolved.error) from None
        level = span.below if sign > 0.0 else span.above
        mass = density.integral(_before(law, location, sign, level, density, edge))
        graded.append((location, sign, level, density, mass, diverges))
    return _matched(span, graded, tol)


def _tabulated(
    function: Callable[[Array], tuple[Array, Array]],
    allowed: Callable[[Array, Array], tuple[Array, Array]],
    exponent: float,
    low: int,
    farthest: float,
    tol: float,
) -> Grading:
    if not np.ldexp(1.0, low) < farthest:
        return _empty(farthest)
    found = approach(function, allowed, exponent, float(np.ldexp(1.0, low)), farthest)
    lowest = float(np.exp(found.ends[0]))
    if lowest >= 0.5 * farthest:
        return _empty(farthest)
    return fit(found, tol, low if lowest <= np.ldexp(1.0 + 1e-9, low) else frexp(lowest)[1], farthest)


def _empty(farthest: float) -> Grading:
    return Grading(0, farthest, np.zeros(0, dtype=np.int64), np.zeros((0, TERMS)), 0.0)


def _lowest(location: float, width: float, edge: Edge | None) -> int:
    """Exponent of the lowest octave: as near as the distance has enough bits, at a hard edge as near as doubles go."""
    if location == 0.0 and edge is not None and edge.kind is EdgeKind.HARD:
        return max(_LOWEST, frexp(width)[1] - 1000)
    return max(_LOWEST, frexp(max(abs(location), width))[1] - 53 + BITS)


def _before(law: Law, location: float, sign: float, level: float, density: Grading, edge: Edge | None) -> float:
    """The mass between an end and the lowest cell: by the leading power of the density, or F if it is not small."""
    if not len(density.rows):
        return 0.0
    s = density.bottom
    exponent = 0.0 if edge is None else edge.exponent
    leading = s * density.ends[0] / (1.0 + exponent) if exponent > -1.0 else np.inf
    exact = float((law.cdf(location + sign * s) - level) * sign)
    power_holds = abs(leading - exact) <= 1e-3 * leading + _MASS_ROUNDING
    return leading if leading < _LIGHT and power_holds else exact


def _matched(
    span: Span, graded: list[tuple[float, float, float, Grading, Grading, bool]], tol: float
) -> tuple[Side, Side]:
    """Make the masses of both halves those of the span, and invert them."""
    totals = [mass.ends[1] for *_, mass, _ in graded]
    whole = span.above - span.below
    factor = 1.0
    if all(len(mass.rows) for *_, mass, _ in graded):
        missing = whole - sum(totals)
        if not abs(missing) <= 0.5 * tol + _MASS_ROUNDING:
            raise CutError(0.5 * (span.low + span.high), abs(missing) / tol)
        factor = whole / sum(totals) if abs(missing) <= tol * whole else 1.0
    sides = []
    for (location, sign, level, density, mass, diverges), edge in zip(graded, span.kinds, strict=True):
        scaled = mass.times(factor)
        # Nearer than the cells a distance is a few ulps of the location, and known well enough by its leading power.
        exponent = 0.0 if edge is None else edge.exponent
        power = 1.0 / (1.0 + exponent) if exponent > -1.0 and density.bottom <= _NEGLIGIBLE * abs(location) else None
        try:
            distance = _inverse(density, scaled, level, power, tol)
        except UnresolvedError as unresolved:
            at = _inversion(density, scaled, power)(np.array([unresolved.distance]))
            raise CutError(location + sign * float(at[0]), unresolved.error) from None
        sides.append(Side(location, sign, level, density, scaled, distance, diverges))
    return sides[0], sides[1]


def _inverse(density: Grading, mass: Grading, level: float, power: float | None, tol: float) -> Grading:
    """Tabulate the distance at which the mass is q."""
    if not len(mass.rows):
        return _empty(0.0)
    total = mass.ends[1] * (1.0 + 8.0 * np.finfo(float).eps)
    least = max(np.ldexp(level, BITS - 53), np.ldexp(1.0, -60 if power is not None else _LOWEST))
    if power is None or not mass.ends[0] > 0.0:
        least = max(mass.ends[0], least)
    if not 2.0 * least < total:
        return _empty(total)
    return fit(_inversion(density, mass, power), 0.5 * tol, frexp(least)[1], total)


def _inversion(density: Grading, mass: Grading, power: float | None) -> Callable[[Array], Array]:
    """The distance at which the mass is q: Newton's method for log mass over log distance, a bracket kept."""
    mass_at, density_at = evaluator(mass), evaluator(density)
    ends = np.append(mass.starts, mass.farthest)
    levels = np.maximum.accumulate(mass_at(ends))

    def distance(q: Array) -> Array:
        index = np.clip(np.searchsorted(levels, q, side="right") - 1, 0, len(ends) - 2)
        low, high = np.log(ends[index]), np.log(ends[index + 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            bottom, top = np.log(levels[index]), np.log(levels[index + 1])
            part = np.nan_to_num((np.log(q) - bottom) / (top - bottom), nan=0.5)
            u = low + (high - low) * np.clip(part, 0.0, 1.0)
            for _ in range(8):
                s = np.clip(np.exp(u), ends[index], ends[index + 1])
                m = mass_at(s)
                step = np.log(m / q) * m / (s * density_at(s))
                u = np.clip(u - step, low, high)
                if not np.any(np.abs(step) > 1e-9):
                    break
        s = np.clip(np.exp(u), ends[index], ends[index + 1])
        if power is not None:
            s = np.where(q < levels[0], ends[0] * (q / levels[0]) ** power, s)
        return np.asarray(s, dtype=np.float64)

    return distance
