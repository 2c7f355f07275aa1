"""The ends of the support: how the density behaves there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from freeconv import boundary, engine
from freeconv.atoms import mass_off_zero
from freeconv.evaluation import Status
from freeconv.hull import hull
from freeconv.laws import (
    Affine,
    Arcsine,
    Boxtimes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    Resize,
)
from freeconv.laws.operations import fold

__all__ = ["Edge", "EdgeKind", "edges", "limits"]

# An exponent read off the density is one of these if it is as near.
_KNOWN = (0.5, 0.0, -0.5, 1.0 / 3.0, -1.0 / 3.0, 2.5)
_NEAR = 0.01
_NODES = 12
_WINDOWS = 14
# Relative distance from an edge below which the rounding of the edge itself shows in the distance.
_NEAREST = 1e-9
# Distances in widths at which exponents are measured: as near to an edge as doubles tell, and nearer to 0.
_TOUCHING = 1e-10
_DEEPER = 1e-20


class EdgeKind(StrEnum):
    """How a density ends."""

    SQUARE_ROOT = "square_root"
    """√distance: the generic edge."""
    HARD = "hard"
    """x^(−k/(k + 1)) at 0, of k square Gaussian factors or singular factors of equal rank."""
    INVERSE_SQUARE_ROOT = "inverse_square_root"
    """1/√distance: where weights of atoms meet 1 exactly."""
    JUMP = "jump"
    """A finite density that stops."""
    CUSP = "cusp"
    """distance^(1/3) on both sides: where a gap just closes."""
    POWER = "power"
    """Any other power of the distance."""
    OTHER = "other"
    """No power: there are logarithms in it, as in those of squared slopes of tanh or erf at 0."""


@dataclass(frozen=True)
class Edge:
    """One end of one piece of the support: density ≈ coefficient · |x − location|^exponent.

    Of the kind OTHER the two are those of the power that touches the density at 1e-10 of the width from the edge, NaN
    where it is too small for doubles there.

    Attributes
    ----------
    location : float
    side : int
        +1 if the density lies to the right of the location, −1 if to the left.
    kind : EdgeKind
    exponent : float
    coefficient : float
    """

    location: float
    side: int
    kind: EdgeKind
    exponent: float
    coefficient: float


@lru_cache(maxsize=128)
def edges(law: Law) -> tuple[Edge, ...]:
    """Return the edges of a law, ascending; see `Law.edges`."""
    image = boundary.mirrored(law)
    if image is not None:
        return tuple(replace(edge, location=0.0 - edge.location, side=-edge.side) for edge in reversed(edges(image)))
    frame = engine.frame(law)
    if frame.steps:  # of the core, whose distances from a hard edge at 0 are exact
        return tuple(_outer(edge, frame) for edge in edges(frame.core))
    found = []
    for low, high, *_ in boundary.pieces(law).tolist():
        found += [_edge(law, low, 1, high - low), _edge(law, high, -1, high - low)]
    return tuple(found)


def limits(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the limits of the density at points within rounding of an edge: 0, inf, or the height of a jump."""
    known = edges(law)
    locations = np.array([edge.location for edge in known])
    heights = np.array([_limit(edge) for edge in known])
    distance = np.abs(x[:, None] - locations)
    # Of the two sides of a cut the higher one.
    nearest = distance <= distance.min(axis=1, keepdims=True)
    return np.asarray(np.where(nearest, heights, -1.0).max(axis=1), dtype=np.float64)


def _outer(edge: Edge, frame: engine.Frame) -> Edge:
    """Carry an edge of the core out: density(x) = density_core((x − b)/a)/(a r)."""
    location = float(engine.outer_points(frame, np.array([edge.location]))[0])
    # Scales of 1e150 and 1e-150: powers beyond the doubles are inf or 0, where Python's raise.
    coefficient = np.float64(edge.coefficient)
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        for scale, _, ratio in frame.steps:
            coefficient = coefficient / np.float64(scale) / np.float64(scale) ** edge.exponent / ratio
    return replace(edge, location=location, coefficient=float(coefficient))


def _limit(edge: Edge) -> float:
    if edge.exponent < 0.0:
        return np.inf
    return edge.coefficient if edge.exponent == 0.0 else 0.0


def _edge(law: Law, location: float, side: int, width: float) -> Edge:
    exponent = _hard_exponent(law) if location == 0.0 and side > 0 else None
    hard = exponent is not None
    if exponent is None:
        nearest = max(_NEAREST * abs(location), _TOUCHING * width)
        exponent = _measured_exponent(law, location, side, nearest)
        # At 0 distances are exact, however small: powers stay.
        deeper = _measured_exponent(law, location, side, _DEEPER * width) if location == 0.0 else exponent
        if math.isnan(exponent):
            return Edge(location, side, EdgeKind.OTHER, exponent, math.nan)
        if abs(deeper - exponent) > _NEAR:
            d, f = _densities(law, location, side, np.array([nearest, 2.0 * nearest, 4.0 * nearest]))
            coefficient = float(f[0] * d[0] ** -exponent) if f.size else math.nan
            return Edge(location, side, EdgeKind.OTHER, exponent, coefficient)
    # A sum has one too, where its terms' atoms at 0 meet 1.
    hard = hard or (location == 0.0 and side > 0 and exponent < -0.5 and hull(law)[0] >= 0.0)
    kind = EdgeKind.HARD if hard else _kind(exponent)
    return Edge(location, side, kind, exponent, _coefficient(law, location, side, width, exponent))


def _kind(exponent: float) -> EdgeKind:
    names = {
        0.5: EdgeKind.SQUARE_ROOT,
        0.0: EdgeKind.JUMP,
        -0.5: EdgeKind.INVERSE_SQUARE_ROOT,
        1.0 / 3.0: EdgeKind.CUSP,
    }
    return names.get(exponent, EdgeKind.POWER)


def _densities(law: Law, location: float, side: int, distance: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Distances as they are in doubles, and the densities there; what is not certified is left out."""
    x = location + side * distance
    found = boundary.record(law, np.ascontiguousarray(x))
    good = np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED)) & (found.density > 0.0)
    return np.abs(x - location)[good], found.density[good]


def _measured_exponent(law: Law, location: float, side: int, nearest: float) -> float:
    """The slope of log density in log distance, NaN where there are no densities."""
    d, f = _densities(law, location, side, np.geomspace(16.0 * nearest, nearest, 5))
    if f.size < 2:
        return float("nan")
    slopes = np.diff(np.log(f)) / np.diff(np.log(d))
    settled = float(np.median(slopes))
    candidate = min(_KNOWN, key=lambda known: abs(known - settled))
    if abs(candidate - settled) < _NEAR:
        return candidate
    if -1.0 < settled < -0.5:  # 1/κ − 1
        order = round(1.0 / (1.0 + settled))
        return 1.0 / order - 1.0 if abs(1.0 / (1.0 + settled) - order) < 0.1 else settled
    return settled


def _coefficient(law: Law, location: float, side: int, width: float, exponent: float) -> float:
    """The limit of density · distance^(−exponent).

    It is a power series in s = distance^γ, γ the step of the exponents: a polynomial through Chebyshev points of
    (0, s₁] is taken at 0, for s₁ from large to small; the two values that differ least are the best.
    """
    step = {1.0 / 3.0: 1.0 / 3.0, -1.0 / 3.0: 1.0 / 3.0}.get(exponent, 0.5)
    if -1.0 < exponent < -0.5:
        step = 1.0 + exponent  # 1/(k + 1)
    nodes = 0.5 * (1.0 + np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES))
    weights = np.sin(np.pi * (np.arange(_NODES) + 0.5) / _NODES) * (-1.0) ** np.arange(_NODES) / nodes
    smallest = max(_NEAREST * abs(location), 1e-290)
    found = []
    for window in range(1, _WINDOWS + 1):
        reach = (0.5 * width * 0.25**window) ** step
        d = np.maximum((reach * nodes) ** (1.0 / step), smallest)
        distance, f = _densities(law, location, side, d)
        if distance.size == _NODES and np.all(d > smallest):
            found.append(float(weights @ (f * distance**-exponent) / weights.sum()))
    if len(found) < 2:
        distance, f = _densities(law, location, side, np.array([smallest * 10.0, 1e-6 * width]))
        return float((f * distance**-exponent)[0]) if f.size else float("nan")
    best = int(np.argmin(np.abs(np.diff(found))))
    return found[best + 1]


def _hard_exponent(law: Law) -> float | None:
    """−k/(k + 1) from the order k + 1 of the zero of z(m) at m = −(1 − μ{0}); None where 0 is no hard edge.

    There z ~ (m + p₀)^κ with κ = Σ t_i κ_i + [p₀ = 1], and G = (1 + m)/z has the density x^(1/κ − 1).
    """
    if not isinstance(law, (Boxtimes, MarchenkoPastur, MarchenkoPasturPower, FreePoisson, IsometryLimit)):
        return None
    order: float = fold(law, "order of the zero", _order) + (mass_off_zero(law) == 1.0)
    return 1.0 / order - 1.0 if order > 1.0 else None


def _order(law: Law, children: Sequence[float]) -> float:
    """The order of the zero of K = z m/(1 + m) at m = −p₀, p₀ = 1 − μ{0}."""
    match law:
        case MarchenkoPastur():
            return 1.0 if law.ratio >= 1.0 else 0.0
        case MarchenkoPasturPower():
            return law.power if law.ratio == 1.0 else 0.0
        case FreePoisson():
            return 1.0 if law.rate <= 1.0 else 0.0
        case IsometryLimit():  # K = exp(s m/(1 + m)) is 0 to all orders: x f(x) ~ 1/log² x
            return math.inf if law.kind == "bernoulli" else 0.0
        case Discrete():
            return 1.0 if 0.0 in law.locations else 0.0
        case Arcsine():
            return 1.0 if law.low == 0.0 else 0.0
        case Boxtimes():
            # Only the factors of the smallest mass off 0 reach theirs.
            p0 = mass_off_zero(law)
            reached = [abs(mass_off_zero(child) - p0) <= 1e-15 * p0 for child in law.children]
            return sum(t * order for t, order, at in zip(law.constants, children, reached, strict=True) if at)
        case Affine():
            return children[0] if law.shift == 0.0 else 0.0
        case Resize():  # K = K_c (1 + m_c)/(r + m_c)
            return children[0] + (mass_off_zero(law.law) == 1.0) - (mass_off_zero(law) == 1.0)
    return 0.0
