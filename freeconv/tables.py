"""The three tables of a law: density and distribution function over x, the quantile over p."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import frexp

import numpy as np
from numpy.typing import NDArray

from freeconv import boundary, engine
from freeconv.approach import UnresolvedError, approach
from freeconv.atoms import atoms
from freeconv.edges import Edge, EdgeKind, edges
from freeconv.errors import ConvergenceError
from freeconv.evaluation import Status
from freeconv.graded import TERMS, Grading, fit
from freeconv.laws import Law

__all__ = ["Tables", "build"]

Array = NDArray[np.float64]

# Bits of a distance from an edge that doubles leave, at least, where there are cells.
_BITS = 17
_LOWEST = -960
_MOST_CUTS = 64
# Relative errors may be so many times the tolerance where the density is small, or diverges.
_RELATIVE = 100.0
# Part of a half span that is beside a divergence.
_BESIDE = 0.125
# Octaves in all of which the tables are checked.
_CHECKED = 40
# Rounding of the law's masses.
_MASS_ROUNDING = 1e-15
# The error of a mass at the lowest cell is that of F; below this mass the leading power is nearer.
_LIGHT = 1e-10


@dataclass(frozen=True)
class Tables:
    """What is stored of a law.

    Parameters
    ----------
    density, cdf, quantile : tuple of ndarray
        Arguments of `engine.table`.
    error : float
        The largest error found, see `CompiledLaw`.
    """

    density: tuple[NDArray[np.generic], ...]
    cdf: tuple[NDArray[np.generic], ...]
    quantile: tuple[NDArray[np.generic], ...]
    error: float


@dataclass(frozen=True)
class _Span:
    """A part of the support with a smooth density inside: its ends, F there as seen from inside, how f ends."""

    low: float
    high: float
    below: float
    above: float
    kinds: tuple[Edge | None, Edge | None]


@dataclass(frozen=True)
class _Side:
    """One half of a span: density and mass as functions of the distance from the end, and its inverse."""

    location: float
    sign: float
    level: float
    density: Grading
    mass: Grading
    distance: Grading
    diverges: bool


class _Assembly:
    """Regions one after the other, and the arrays of their cells."""

    def __init__(self) -> None:
        self.cuts: list[float] = []
        self.regions: list[tuple[float, float, float, float]] = []
        self.offsets: list[int] = []
        self.octaves: list[NDArray[np.float64]] = [np.array([[1.0, 0.0]])]
        self.rows: list[NDArray[np.float64]] = [np.zeros((1, TERMS))]

    def add(self, start: float, region: tuple[float, float, float, float], grading: Grading | None = None) -> None:
        """Begin a region; what begins at or below its start goes."""
        while self.cuts and self.cuts[-1] >= start:
            self.cuts.pop()
            self.regions.pop()
            self.offsets.pop()
        if self.regions:
            self.cuts.append(start)
        self.regions.append(region)
        self.offsets.append(0)
        if grading is not None and len(grading.cells):
            self.offsets[-1] = sum(map(len, self.octaves)) - (grading.low + 1023)
            first = grading.first + sum(map(len, self.rows))
            self.octaves.append(np.column_stack([grading.cells, first]).astype(np.float64))
            self.rows.append(grading.rows)

    def constant(self, start: float, value: float) -> None:
        """Begin a region of one value."""
        self.add(start, (0.0, 1.0, value, np.nan))

    def unknown(self, start: float) -> None:
        """Begin a region that is left to the law."""
        self.add(start, (0.0, 1.0, 0.0, np.inf))

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Arguments of `engine.table`."""
        return (
            np.array(self.cuts, dtype=np.float64),
            np.array(self.regions, dtype=np.float64).reshape(-1, 4),
            np.array(self.offsets, dtype=np.int64),
            np.concatenate(self.octaves),
            np.concatenate(self.rows),
        )


def build(law: Law, tol: float) -> Tables:
    """Tabulate a law.

    Raises
    ------
    ConvergenceError
        If the tolerance cannot be met.
    """
    scale = _scale(law)
    sides: list[tuple[_Span, _Side, _Side]] = []
    waiting = _spans(law)[::-1]
    cuts = 0
    while waiting:
        span = waiting.pop()
        try:
            sides.append((span, *_halves(law, span, scale, tol)))
        except _CutError as unresolved:
            cuts += 1
            if cuts > _MOST_CUTS or not span.low < unresolved.x < span.high:
                raise ConvergenceError(_message(law, tol, unresolved.error * tol, unresolved.x)) from None
            level = float(_cdf(law, np.array([unresolved.x]))[0])
            waiting.append(_Span(unresolved.x, span.high, level, span.above, (None, span.kinds[1])))
            waiting.append(_Span(span.low, unresolved.x, span.below, level, (span.kinds[0], None)))
    known = atoms(law)
    density = _over_x(law, sides, known.locations, "density")
    cdf = _over_x(law, sides, known.locations, "mass")
    error = _checked(law, sides, density, cdf, scale, tol)
    inverse = max((side.distance.error for _, *both in sides for side in both), default=0.0)
    return Tables(density, cdf, _over_p(law, sides, known.locations, known.weights), max(error, inverse))


def _checked(
    law: Law,
    sides: list[tuple[_Span, _Side, _Side]],
    density: tuple[NDArray[np.generic], ...],
    cdf: tuple[NDArray[np.generic], ...],
    scale: float,
    tol: float,
) -> float:
    """The largest error of density and distribution function at points of their own, three an octave near by."""
    found = [np.zeros(0)]
    allowed = [np.zeros(0)]
    for _, *both in sides:
        for side in both:
            count = len(side.density.cells)
            octaves = np.concatenate([np.arange(0, count - _CHECKED, 8), np.arange(max(0, count - _CHECKED), count)])
            s = np.ldexp(np.array([1.0371, 1.4142, 1.7913]), side.density.low + octaves[:, None]).ravel()
            s = s[s < side.density.farthest]
            found.append(side.location + side.sign * s)
            allowed.append(np.where(side.diverges & (s < _BESIDE * side.density.farthest), _RELATIVE, 0.0))
    x, part = np.concatenate(found), np.concatenate(allowed)
    there = boundary.record(law, x, cdf=True)
    f, (values, _), (masses, _) = there.density, engine.table(*density).evaluate(x), engine.table(*cdf).evaluate(x)
    good = np.isin(there.status, (Status.CERTIFIED, Status.RECOVERED)) & ~np.isnan(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        lenient = f * np.where(part > 0.0, part, np.clip(scale / f, 1.0, _RELATIVE))
        errors = np.maximum(np.abs(values - f) / lenient, np.abs(masses - np.asarray(there.cdf)))
    errors[~good] = 0.0
    if errors.size and errors.max() > tol:
        at = int(errors.argmax())
        raise ConvergenceError(_message(law, tol, float(errors[at]), float(x[at])))
    return float(errors.max(initial=0.0))


def _message(law: Law, tol: float, error: float, x: float) -> str:
    return f"a table of {law!r:.200} with tol = {tol!r} is off by {error:.1e} at x = {x!r}; a larger tol may be met"


class _CutError(Exception):
    """A span has to be cut at x."""

    def __init__(self, x: float, error: float) -> None:
        super().__init__(x, error)
        self.x = x
        self.error = error


def _spans(law: Law) -> list[_Span]:
    """The pieces of the support, cut at atoms."""
    rows = boundary.pieces(law).tolist()
    ends = edges(law)
    known = atoms(law)
    found = []
    for (low, high, below, above), left, right in zip(rows, ends[::2], ends[1::2], strict=True):
        kind: Edge | None = left
        for location, weight in zip(known.locations.tolist(), known.weights.tolist(), strict=True):
            if low < location < high:
                level = float(_cdf(law, np.array([location]))[0])
                found.append(_Span(low, location, below, level - weight, (kind, None)))
                low, below, kind = location, level, None
        found.append(_Span(low, high, below, above, (kind, right)))
    return found


def _scale(law: Law) -> float:
    """The maximum of the density, about; away from the ends."""
    relative = 0.5 - 0.4375 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    pieces = boundary.pieces(law)
    if len(pieces) == 0:
        return 1.0
    x = (pieces[:, :1] + (pieces[:, 1:2] - pieces[:, :1]) * relative).ravel()
    _, values = _density(law, 0.0, 1.0, x)
    return float(np.nanmax(values))


def _density(law: Law, location: float, sign: float, s: Array) -> tuple[Array, Array]:
    """Distances as doubles have them, and densities; NaN where there is no certified one."""
    x = location + sign * s
    found = boundary.record(law, np.ascontiguousarray(x))
    good = np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED)) & (found.density > 0.0)
    return (x - location) * sign, np.where(good, found.density, np.nan)


def _cdf(law: Law, x: Array) -> Array:
    """F, which must be certified."""
    return np.asarray(law.cdf(x), dtype=np.float64)


def _halves(law: Law, span: _Span, scale: float, tol: float) -> tuple[_Side, _Side]:
    """Tabulate a span from both ends to its middle."""
    middle = 0.5 * span.low + 0.5 * span.high
    graded = []
    for location, sign, edge in ((span.low, 1.0, span.kinds[0]), (span.high, -1.0, span.kinds[1])):
        farthest = (middle - location) * sign
        low = _lowest(location, span.high - span.low, edge)
        diverges = edge is not None and edge.exponent < 0.0

        def allowed(s: Array, f: Array, diverges: bool = diverges, reach: float = farthest) -> tuple[Array, Array]:
            part = np.where(diverges & (s < _BESIDE * reach), _RELATIVE, np.clip(scale / f, 1.0, _RELATIVE))
            return 0.25 * tol * f, 0.5 * tol * f * part

        try:
            exponent = 0.0 if edge is None else edge.exponent
            density = _tabulated(partial(_density, law, location, sign), allowed, exponent, low, farthest, 0.25 * tol)
        except UnresolvedError as unresolved:
            raise _CutError(location + sign * unresolved.distance, unresolved.error) from None
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
    return max(_LOWEST, frexp(max(abs(location), width))[1] - 53 + _BITS)


def _before(law: Law, location: float, sign: float, level: float, density: Grading, edge: Edge | None) -> float:
    """The mass between an end and the lowest cell: by the leading power of the density, or F if it is not small."""
    if not len(density.rows):
        return 0.0
    s = density.bottom
    exponent = 0.0 if edge is None else edge.exponent
    leading = s * density.ends[0] / (1.0 + exponent) if exponent > -1.0 else np.inf
    exact = float((_cdf(law, np.array([location + sign * s]))[0] - level) * sign)
    power_holds = abs(leading - exact) <= 1e-3 * leading + _MASS_ROUNDING
    return leading if leading < _LIGHT and power_holds else exact


def _matched(
    span: _Span, graded: list[tuple[float, float, float, Grading, Grading, bool]], tol: float
) -> tuple[_Side, _Side]:
    """Make the masses of both halves those of the span, and invert them."""
    totals = [mass.ends[1] for *_, mass, _ in graded]
    whole = span.above - span.below
    factor = 1.0
    if all(len(mass.rows) for *_, mass, _ in graded):
        missing = whole - sum(totals)
        if not abs(missing) <= 0.5 * tol + _MASS_ROUNDING:
            raise _CutError(0.5 * (span.low + span.high), abs(missing) / tol)
        factor = whole / sum(totals) if abs(missing) <= tol * whole else 1.0
    sides = []
    for location, sign, level, density, mass, diverges in graded:
        scaled = mass.times(factor)
        try:
            distance = _inverse(density, scaled, level if sign < 0.0 or level > 0.0 else 0.0, tol)
        except UnresolvedError as unresolved:
            at = _inversion(density, scaled)(np.array([unresolved.distance]))
            raise _CutError(location + sign * float(at[0]), unresolved.error) from None
        sides.append(_Side(location, sign, level, density, scaled, distance, diverges))
    return sides[0], sides[1]


def _table(grading: Grading) -> Callable[[Array], Array]:
    """The function of s that a grading stands for."""
    assembly = _Assembly()
    assembly.add(-np.inf, (0.0, 1.0, 0.0, np.nan))
    assembly.add(grading.bottom, (0.0, 1.0, 0.0, grading.bottom), grading)
    assembly.add(float(np.nextafter(grading.farthest, np.inf)), (0.0, 1.0, 0.0, np.nan))
    table = engine.table(*assembly.arrays())
    return lambda s: table.evaluate(np.ascontiguousarray(s))[0]


def _inverse(density: Grading, mass: Grading, level: float, tol: float) -> Grading:
    """Tabulate the distance at which the mass is q."""
    if not len(mass.rows):
        return _empty(0.0)
    total = mass.ends[1] * (1.0 + 8.0 * np.finfo(float).eps)
    least = max(mass.ends[0], np.ldexp(level, _BITS - 53), np.ldexp(1.0, _LOWEST))
    if not 2.0 * least < total:
        return _empty(total)
    return fit(_inversion(density, mass), 0.5 * tol, frexp(least)[1], total)


def _inversion(density: Grading, mass: Grading) -> Callable[[Array], Array]:
    """The distance at which the mass is q: Newton's method for log mass over log distance, a bracket kept."""
    mass_at, density_at = _table(mass), _table(density)
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
        return np.asarray(np.clip(np.exp(u), ends[index], ends[index + 1]), dtype=np.float64)

    return distance


def _over_x(
    law: Law, sides: list[tuple[_Span, _Side, _Side]], locations: Array, what: str
) -> tuple[NDArray[np.generic], ...]:
    """The table of the density or of the distribution function."""
    density = what == "density"
    assembly = _Assembly()
    assembly.constant(-np.inf, 0.0)
    last = -np.inf
    for span, left, right in [*sides, (None, None, None)]:
        start = np.inf if span is None else span.low
        if start > last:  # a gap: what is nearer to its ends than the cells of the spans go is left to the law
            if last > -np.inf:
                _flat(law, assembly, last + _margin(last, start), density)
            for atom in locations[(locations > last) & (locations < start)].tolist():
                _flat(law, assembly, atom, density)
            if span is not None:
                assembly.unknown(start - _margin(start, last))
        if span is None:
            break
        for side, begin in ((left, span.low), (right, 0.5 * span.low + 0.5 * span.high)):
            grading = side.density if density else side.mass.times(side.sign)
            base = 0.0 if density else side.level
            assembly.add(begin, (side.location, side.sign, base, grading.bottom), grading)
        last = span.high
    return assembly.arrays()


def _flat(law: Law, assembly: _Assembly, start: float, density: bool) -> None:
    assembly.constant(start, 0.0 if density else float(_cdf(law, np.array([start]))[0]))


def _margin(location: float, other: float) -> float:
    """How near to an edge a point off the support is left to the law."""
    return min(np.ldexp(abs(location), _BITS - 53), 0.25 * abs(other - location)) or 1e-300


def _over_p(
    law: Law, sides: list[tuple[_Span, _Side, _Side]], locations: Array, weights: Array
) -> tuple[NDArray[np.generic], ...]:
    """The table of the quantile."""
    tops = _cdf(law, locations) if len(locations) else np.zeros(0)
    items: list[tuple[float, float, float, tuple[_Side, _Side] | float]] = [
        (span.high, span.below, span.above, (left, right)) for span, left, right in sides
    ]
    items += [(a, t - w, t, a) for a, w, t in zip(locations.tolist(), weights.tolist(), tops.tolist(), strict=True)]
    assembly = _Assembly()
    assembly.unknown(-np.inf)
    rounding = 4.0 * np.finfo(float).eps
    for _, below, above, content in sorted(items, key=lambda item: (item[0], isinstance(item[3], float))):
        if isinstance(content, float):
            if above - below > 4.0 * rounding:
                assembly.constant(below + rounding, content)
                assembly.unknown(above - rounding)
            continue
        left, right = content
        middle = below + left.mass.ends[1]
        for side, begin, level in ((left, below, below), (right, middle, above)):
            grading = side.distance.times(side.sign)
            assembly.add(begin, (level, side.sign, side.location, grading.bottom), grading)
        assembly.unknown(above)
    return assembly.arrays()
