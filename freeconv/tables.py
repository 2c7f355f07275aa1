"""The three tables of a law: density and distribution function over x, the quantile over p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freeconv import boundary, engine
from freeconv.assembly import Assembly
from freeconv.atoms import atoms
from freeconv.edges import Edge, edges
from freeconv.errors import ConvergenceError
from freeconv.evaluation import Status
from freeconv.laws import Law
from freeconv.spans import BITS, CutError, Side, Span, certified_density, halves, lenience

__all__ = ["Tables", "build"]

Array = NDArray[np.float64]

# Cuts at places where the density is nearly singular, for each piece of the support.
_MOST_CUTS = 8
# Octaves next to the middle in all of which the tables are checked, and where in an octave.
_CHECKED = 40
_CHECKS = np.array([1.0371, 1.4142, 1.7913])


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


def build(law: Law, tol: float) -> Tables:
    """Tabulate a law.

    Raises
    ------
    ConvergenceError
        If the tolerance cannot be met.
    """
    scale = _scale(law)
    sides: list[tuple[Span, Side, Side]] = []
    waiting = _spans(law)[::-1]
    cuts, most = 0, _MOST_CUTS * len(waiting)
    while waiting:
        span = waiting.pop()
        try:
            sides.append((span, *halves(law, span, scale, tol)))
        except CutError as unresolved:
            cuts += 1
            if cuts > most or not span.low < unresolved.x < span.high:
                raise ConvergenceError(_message(law, tol, unresolved.error * tol, unresolved.x)) from None
            level = float(_cdf(law, np.array([unresolved.x]))[0])
            waiting.append(Span(unresolved.x, span.high, level, span.above, (None, span.kinds[1])))
            waiting.append(Span(span.low, unresolved.x, span.below, level, (span.kinds[0], None)))
    known = atoms(law)
    density = _over_x(law, sides, known.locations, "density")
    cdf = _over_x(law, sides, known.locations, "mass")
    error = _checked(law, sides, density, cdf, scale, tol)
    inverse = max((side.distance.error for _, *both in sides for side in both), default=0.0)
    return Tables(density, cdf, _over_p(law, sides, known.locations, known.weights), max(error, inverse))


def _checked(
    law: Law,
    sides: list[tuple[Span, Side, Side]],
    density: tuple[NDArray[np.generic], ...],
    cdf: tuple[NDArray[np.generic], ...],
    scale: float,
    tol: float,
) -> float:
    """The largest error of density and distribution function at points of their own, three an octave near by."""
    found, parts, diverging = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for _, *both in sides:
        for side in both:
            count = len(side.density.cells)
            octaves = np.concatenate([np.arange(0, count - _CHECKED, 8), np.arange(max(0, count - _CHECKED), count)])
            s = np.ldexp(_CHECKS, side.density.low + octaves[:, None]).ravel()
            s = s[s < side.density.farthest]
            found.append(side.location + side.sign * s)
            parts.append(s / side.density.farthest)
            diverging.append(np.full(s.shape, side.diverges))
    x = np.concatenate(found)
    there = boundary.record(law, x, cdf=True)
    f, (values, _), (masses, _) = there.density, engine.table(*density).evaluate(x), engine.table(*cdf).evaluate(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(values / f - 1.0) / lenience(np.concatenate(parts), f, scale, np.concatenate(diverging))
        errors = np.maximum(relative, np.abs(masses - np.asarray(there.cdf)))
    errors[~np.isin(there.status, (Status.CERTIFIED, Status.RECOVERED)) | np.isnan(values)] = 0.0
    if errors.size and errors.max() > tol:
        at = int(errors.argmax())
        raise ConvergenceError(_message(law, tol, float(errors[at]), float(x[at])))
    return float(errors.max(initial=0.0))


def _message(law: Law, tol: float, error: float, x: float) -> str:
    return f"a table of {law!r:.200} with tol = {tol!r} is off by {error:.1e} at x = {x!r}; a larger tol may be met"


def _spans(law: Law) -> list[Span]:
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
                found.append(Span(low, location, below, level - weight, (kind, None)))
                low, below, kind = location, level, None
        found.append(Span(low, high, below, above, (kind, right)))
    return found


def _scale(law: Law) -> float:
    """The maximum of the density, about; away from the ends."""
    relative = 0.5 - 0.4375 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    pieces = boundary.pieces(law)
    if len(pieces) == 0:
        return 1.0
    x = (pieces[:, :1] + (pieces[:, 1:2] - pieces[:, :1]) * relative).ravel()
    _, values = certified_density(law, 0.0, 1.0, x)
    return float(np.nanmax(values))


def _cdf(law: Law, x: Array) -> Array:
    """F, which must be certified."""
    return np.asarray(law.cdf(x), dtype=np.float64)


def _over_x(
    law: Law, sides: list[tuple[Span, Side, Side]], locations: Array, what: str
) -> tuple[NDArray[np.generic], ...]:
    """The table of the density or of the distribution function."""
    density = what == "density"
    assembly = Assembly()
    assembly.constant(-np.inf, 0.0)
    last = -np.inf
    for k in range(len(sides) + 1):
        start = sides[k][0].low if k < len(sides) else np.inf
        if start > last:  # a gap: what is nearer to its ends than the cells of the spans go is left to the law
            if last > -np.inf:
                _flat(law, assembly, last + _margin(last, start), density)
            for atom in locations[(locations > last) & (locations < start)].tolist():
                _flat(law, assembly, atom, density)
            if k < len(sides):
                assembly.unknown(start - _margin(start, last))
        if k == len(sides):
            break
        span, left, right = sides[k]
        for side, begin in ((left, span.low), (right, 0.5 * span.low + 0.5 * span.high)):
            grading = side.density if density else side.mass.times(side.sign)
            base = 0.0 if density else side.level
            assembly.add(begin, (side.location, side.sign, base, grading.bottom), grading)
        last = span.high
    return assembly.arrays()


def _flat(law: Law, assembly: Assembly, start: float, density: bool) -> None:
    assembly.constant(start, 0.0 if density else float(_cdf(law, np.array([start]))[0]))


def _margin(location: float, other: float) -> float:
    """How near to an edge a point off the support is left to the law."""
    return min(np.ldexp(abs(location), BITS - 53), 0.25 * abs(other - location)) or 1e-300


def _over_p(
    law: Law, sides: list[tuple[Span, Side, Side]], locations: Array, weights: Array
) -> tuple[NDArray[np.generic], ...]:
    """The table of the quantile."""
    tops = _cdf(law, locations) if len(locations) else np.zeros(0)
    items: list[tuple[float, float, float, tuple[Side, Side] | float]] = [
        (span.high, span.below, span.above, (left, right)) for span, left, right in sides
    ]
    items += [(a, t - w, t, a) for a, w, t in zip(locations.tolist(), weights.tolist(), tops.tolist(), strict=True)]
    assembly = Assembly()
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
