"""Boundary values at real points of any law, whatever serves it: the core, a closed form, or its mirror image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv import closed, engine
from freeconv.atoms import atoms
from freeconv.errors import ConvergenceError
from freeconv.evaluation import Status
from freeconv.laws import Affine, FreePoisson, Law

__all__ = ["Record", "mirrored", "pieces", "potential", "record"]


class Record(NamedTuple):
    """Results at a flat array of points; what was not asked for is None."""

    density: NDArray[np.float64]
    cdf: NDArray[np.float64] | None
    status: NDArray[np.int8]
    residual: NDArray[np.float64] | None
    accuracy: NDArray[np.float64] | None
    iterations: NDArray[np.int32] | None


def record(law: Law, x: NDArray[np.float64], *, cdf: bool = False, full: bool = False, workers: int = 1) -> Record:
    """Return densities, those of status EDGE as 0; the distribution function if `cdf`, all of the record if `full`."""
    image = mirrored(law)
    if image is not None:
        reflected = record(image, 0.0 - x, cdf=cdf, full=full, workers=workers)
        return reflected if reflected.cdf is None else reflected._replace(cdf=_reflect(image, x, reflected.cdf))
    frame = engine.frame(law)
    if not closed.is_closed(frame.core):
        density, masses, _, status, residual, accuracy, iterations = engine.solver(law).evaluate(
            x, cdf, False, full, workers
        )
        return Record(density, masses, status, residual, accuracy, iterations)
    points, factor = x, 1.0
    part, shift = 1.0, np.zeros_like(x)  # F = part·F_core + shift
    for scale, offset, ratio in frame.steps:
        points = (points - offset) / scale
        factor /= scale * ratio
        if ratio != 1.0:  # F = F_c/r + (1 − 1/r) [x ≥ 0]
            shift = shift + part * (1.0 - 1.0 / ratio) * (points >= 0.0)
            part /= ratio
    heights, below = closed.density_and_cdf(frame.core, points) if cdf else (closed.density(frame.core, points), None)
    values = factor * heights
    status = np.where(values > 0.0, Status.CERTIFIED, Status.OUTSIDE).astype(np.int8)
    status[np.isin(points, closed.pieces(frame.core)[:, :2])] = Status.EDGE
    status[np.isnan(points)] = Status.NOT_A_NUMBER
    zero = np.where(np.isnan(points), np.nan, 0.0)
    masses = part * _moved(frame, x, points, below) + shift if below is not None else None
    return Record(values, masses, status, zero, zero.copy(), np.zeros(x.shape, dtype=np.int32))


def potential(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ∫ log|x − t| dμ(t) at real points, NaN where it could not be certified."""
    image = mirrored(law)
    if image is not None:
        return potential(image, 0.0 - x)
    frame = engine.frame(law)
    points = x
    for scale, shift, _ in frame.steps:
        points = (points - shift) / scale
    if closed.is_closed(frame.core):
        values = closed.log_potential(frame.core, points.astype(np.complex128))
    else:
        evaluated = engine.solver(law).evaluate(x, False, True, False)
        values = np.asarray(evaluated[2])
        values[evaluated[3] == Status.UNCERTIFIED] = np.nan
    return engine.outer_potential(frame, points, values)


def pieces(law: Law) -> NDArray[np.float64]:
    """Return the open pieces of the support, shape (k, 4): low, high, and F at these ends, seen from inside.

    Would-be atoms and cusps cut an interval into pieces.

    Raises
    ------
    ConvergenceError
        If not all of the mass could be located.
    """
    image = mirrored(law)
    if image is not None:
        rows = pieces(image)[::-1]
        return np.column_stack([0.0 - rows[:, 1], 0.0 - rows[:, 0], 1.0 - rows[:, 3], 1.0 - rows[:, 2]])
    frame = engine.frame(law)
    if not closed.is_closed(frame.core):
        solver = engine.solver(law)
        if not solver.complete:
            raise ConvergenceError(f"not all of the mass of {law!r:.200} could be located")
        return solver.pieces()
    rows = closed.pieces(frame.core)
    intervals, masses = rows[:, :2], rows[:, 2:]
    for scale, shift, ratio in reversed(frame.steps):
        if ratio != 1.0:
            masses = masses / ratio + (1.0 - 1.0 / ratio) * (intervals >= 0.0)
        intervals = scale * intervals + shift
    return np.hstack([intervals, masses])


def mirrored(law: Law) -> Law | None:
    """Return the law of −X if the root reflects (a reflected free product has no program, its reflection has).

    A free Poisson law of negative jumps as well: its edge at 0 has all its digits only on the positive side.
    """
    if isinstance(law, Affine) and law.scale < 0.0:
        return Affine(law.law, -law.scale, 0.0 - law.shift)
    if isinstance(law, FreePoisson) and law.jump < 0.0:
        return FreePoisson(law.rate, -law.jump)
    return None


def _reflect(image: Law, x: NDArray[np.float64], cdf: NDArray[np.float64]) -> NDArray[np.float64]:
    """F of −X at x from F of X at −x: 1 − F(−x) + X's atom at −x, which belongs to both."""
    known = atoms(image)
    values = 1.0 - cdf
    for location, weight in zip(known.locations, known.weights, strict=True):
        values = np.where(0.0 - x == location, values + weight, values)
    return np.clip(values, 0.0, 1.0)


def _moved(
    frame: engine.Frame, x: NDArray[Any], points: NDArray[Any], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """F of the core; atoms count from their own location on, as `atoms` gives it and not as it rounds on the way in."""
    inner = atoms(frame.core)
    if len(inner) == 0:
        return values
    seen = engine.outer_points(frame, inner.locations)
    masses = np.concatenate([[0.0], np.cumsum(inner.weights)])
    if len(closed.support(frame.core)) == 0:
        masses[-1] = 1.0
        return np.where(np.isnan(x), np.nan, masses[np.searchsorted(seen, x, side="right")])
    moved = (
        masses[np.searchsorted(seen, x, side="right")] - masses[np.searchsorted(inner.locations, points, side="right")]
    )
    return np.where(np.isnan(x), np.nan, values + moved)
