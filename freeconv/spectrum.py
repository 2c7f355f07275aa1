"""What a law's methods compute: densities, supports and transforms, each point with its proof."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import closed, engine
from freeconv._grids import complex_grid, real_grid, shaped
from freeconv.atoms import atoms
from freeconv.errors import ConvergenceError
from freeconv.laws import Affine, Boxplus, Boxtimes, FreePoisson, Law, PointMass
from freeconv.moments import mean

__all__ = [
    "Evaluation",
    "Status",
    "cauchy",
    "density",
    "evaluate",
    "r_transform",
    "s_transform",
    "subordination",
    "support",
]


class Status(IntEnum):
    """What is known of a point's value."""

    CERTIFIED = 0
    """Inside the support, and proved to be on the right branch."""
    OUTSIDE = 1
    """Off the support, proved by the masses on both sides: the density is exactly 0."""
    EDGE = 2
    """Within rounding of an edge, a cusp or a point where the density is infinite; it is given as 0."""
    RECOVERED = 3
    """As CERTIFIED, but Newton had to start again from infinity."""
    UNCERTIFIED = 4
    """No proof was found: the value is NaN."""
    NOT_A_NUMBER = 5
    """The argument was NaN."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Densities and how they were found; all arrays have the shape of the argument, scalars for a scalar.

    Attributes
    ----------
    density : float or ndarray
        The density of the continuous part, NaN where the status is UNCERTIFIED or NOT_A_NUMBER.
    status : int or ndarray of int8
        A `Status` for each point.
    residual : float or ndarray
        |log z − log z(u)| (products) or |z − z(u)| (sums) at the unknowns u before the last Newton step.
    iterations : int or ndarray of int32
        Newton steps in double precision, those of a restart included.
    """

    density: Any
    status: Any
    residual: Any
    iterations: Any


def evaluate(law: Law, x: ArrayLike) -> Evaluation:
    """Return the density of a law at real points and the record of each point; see `Law.evaluate`."""
    flat, shape = real_grid("x", x)
    record = _evaluate(law, flat)
    return Evaluation(*(shaped(values, shape) for values in record))


def density(law: Law, x: ArrayLike) -> Any:
    """Return the density of a law at real points; see `Law.density`."""
    flat, shape = real_grid("x", x)
    record = _evaluate(law, flat)
    failed = record[1] == Status.UNCERTIFIED
    if failed.any():
        raise ConvergenceError(
            f"{np.count_nonzero(failed)} of {flat.size} densities could not be certified, the first at "
            f"x = {flat[failed.argmax()].item()!r}; evaluate(x) returns the others",
            Evaluation(*(shaped(values, shape) for values in record)),
        )
    return shaped(record[0], shape)


def support(law: Law) -> NDArray[np.float64]:
    """Return the intervals of the continuous part, shape (k, 2); see `Law.support`."""
    mirrored = _mirrored(law)
    if mirrored is not None:
        return 0.0 - support(mirrored)[::-1, ::-1]
    frame = engine.frame(law)
    if not closed.is_closed(frame.core):
        solver = engine.solver(law)
        if not solver.complete:
            raise ConvergenceError(f"not all of the mass of {law!r:.200} could be located")
        return solver.support()
    intervals = closed.support(frame.core)
    for scale, shift, _ in reversed(frame.steps):
        intervals = scale * intervals + shift
    return intervals


def cauchy(law: Law, z: ArrayLike) -> Any:
    """Return G at points off the support; see `Law.cauchy`."""
    flat, shape = complex_grid("z", z)
    mirrored = _mirrored(law)
    if mirrored is not None:
        values = -1.0 * cauchy(mirrored, -flat)
        # A real point is approached from above, its mirror image from below.
        return shaped(np.where(flat.imag == 0.0, values.conj(), values), shape)
    lower = flat.imag < 0.0
    values = np.zeros_like(flat)
    finite = ~np.isinf(flat)  # G(∞) = 0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # poles, and NaN for NaN
        values[finite] = _cauchy_above(law, np.where(lower, flat.conj(), flat)[finite])
    values = np.where(lower, values.conj(), values)
    # G has a pole at an atom; beside it, at a denormal distance, G overflows.
    values[np.isinf(values)] = complex(np.inf, 0.0)
    values[np.isin(flat, atoms(law).locations) & (flat.imag == 0.0)] = complex(np.inf, 0.0)
    _require(values, flat, "G")
    return shaped(values, shape)


def subordination(law: Law, z: ArrayLike) -> Any:
    """Return the points ω_i(z) at which the factors' Cauchy transforms are taken; see `Law.subordination`."""
    flat, shape = complex_grid("z", z)
    frame = engine.frame(law)
    if not isinstance(frame.core, (Boxplus, Boxtimes)):
        raise ValueError(f"subordination needs a free convolution, got {law!r:.200}")
    lower = flat.imag < 0.0
    points = _core_points(frame, np.where(lower, flat.conj(), flat))
    swap = bool(frame.steps) and frame.steps[0][0] < 0.0
    _, omega, _ = engine.solver(_positive(law)).solve(points.conj() if swap else points)
    omega = omega.conj() if swap else omega
    omega = np.where(lower, omega.conj(), omega)
    _require(omega, np.broadcast_to(flat, omega.shape), "ω")
    return omega.reshape(omega.shape[:1] + shape)


def s_transform(law: Law, m: ArrayLike) -> Any:
    """Return the S-transform; see `Law.s_transform`."""
    if mean(law) == 0.0:
        raise ValueError(f"the S-transform needs a law of mean != 0, got {law!r:.200}")
    return _transform(law, m, at_m=True)


def r_transform(law: Law, g: ArrayLike) -> Any:
    """Return the R-transform; see `Law.r_transform`."""
    return _transform(law, g, at_m=False)


def _transform(law: Law, values: ArrayLike, *, at_m: bool) -> Any:
    name = "m" if at_m else "g"
    flat, shape = complex_grid(name, values)
    k = _r_parts(law, flat, at_m=at_m)
    _require(k, flat, "S" if at_m else "R", name)
    result = np.full_like(k, np.nan)
    known = ~np.isnan(flat)
    result[known] = 1.0 / k[known] if at_m else k[known]
    real = np.asarray(values).dtype.kind != "c"
    return shaped(result.real.copy() if real else result, shape)


def _r_parts(law: Law, values: NDArray[np.complex128], *, at_m: bool) -> NDArray[np.complex128]:
    """Return K = z − 1/G at values of m or of G."""
    mirrored = _mirrored(law)
    if mirrored is not None:
        return -_r_parts(mirrored, values if at_m else -values, at_m=at_m)
    k = np.full_like(values, mean(law))
    moving = (values != 0.0) & ~np.isnan(values)
    if not isinstance(law, PointMass):
        k[moving] = engine.r_parts(law, at_m=at_m, values=values[moving])
    return k


def _evaluate(law: Law, x: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    mirrored = _mirrored(law)
    if mirrored is not None:
        return _evaluate(mirrored, 0.0 - x)
    frame = engine.frame(law)
    if not closed.is_closed(frame.core):
        return engine.solver(law).evaluate(x)
    points, factor = x, 1.0
    for scale, shift, ratio in frame.steps:
        points = (points - shift) / scale
        factor /= scale * ratio
    values = factor * closed.density(frame.core, points)
    edges = closed.support(frame.core)
    status = np.where(values > 0.0, Status.CERTIFIED, Status.OUTSIDE).astype(np.int8)
    status[np.isin(points, edges)] = Status.EDGE
    status[np.isnan(points)] = Status.NOT_A_NUMBER
    residual = np.where(np.isnan(points), np.nan, 0.0)
    return values, status, residual, np.zeros(x.shape, dtype=np.int32)


def _cauchy_above(law: Law, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return G in the closed upper half-plane, through the root's shifts, scales and size changes."""
    frame = engine.frame(law)
    points = _core_points(frame, z)
    if closed.is_closed(frame.core):
        values = closed.cauchy(frame.core, points)
    else:
        values, _, _ = engine.solver(law).solve(points)
    for scale, shift, ratio in reversed(frame.steps):
        if ratio != 1.0:
            values = values / ratio + (1.0 - 1.0 / ratio) / points
        values = values / scale
        points = scale * points + shift
    return values


def _core_points(frame: engine.Frame, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    for scale, shift, _ in frame.steps:
        z = (z - shift) / scale
    return np.ascontiguousarray(z)


def _mirrored(law: Law) -> Law | None:
    """Return the law of −X if the root reflects (a reflected free product has no program, its reflection has).

    A free Poisson law of negative jumps as well: its edge at 0 has all its digits only on the positive side.
    """
    if isinstance(law, Affine) and law.scale < 0.0:
        return Affine(law.law, -law.scale, 0.0 - law.shift)
    if isinstance(law, FreePoisson) and law.jump < 0.0:
        return FreePoisson(law.rate, -law.jump)
    return None


def _positive(law: Law) -> Law:
    return _mirrored(law) or law


def _require(values: NDArray[Any], arguments: NDArray[Any], what: str, name: str = "z") -> None:
    """Raise if a value is missing where the argument is not NaN."""
    failed = np.isnan(values) & ~np.isnan(arguments)
    if failed.any():
        first = arguments.reshape(-1)[failed.reshape(-1).argmax()]
        raise ConvergenceError(
            f"{np.count_nonzero(failed)} of {values.size} values of {what} could not be certified, "
            f"the first at {name} = {first.item()!r}"
        )
