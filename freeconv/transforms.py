"""Transforms of a law: Cauchy, R and S, subordination points, and the potential off the axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import closed, engine
from freeconv._grids import complex_grid, shaped
from freeconv.atoms import atoms, mass_off_zero
from freeconv.boundary import mirrored
from freeconv.errors import ConvergenceError
from freeconv.hull import lowest
from freeconv.laws import Boxplus, Boxtimes, Law, PointMass
from freeconv.moments import mean, variance

__all__ = ["cauchy", "is_far", "log_potential_above", "r_transform", "require", "s_transform", "subordination"]

# In standard deviations.
_FAR = 1e9


def cauchy(law: Law, z: ArrayLike) -> Any:
    """Return G at points off the support; see `Law.cauchy`."""
    flat, shape = complex_grid("z", z)
    image = mirrored(law)
    if image is not None:
        values = -1.0 * cauchy(image, -flat)
        # A real point is approached from above, its mirror image from below.
        return shaped(np.where(flat.imag == 0.0, values.conj(), values), shape)
    lower = flat.imag < 0.0
    values = np.zeros_like(flat)
    # Far out G is 1/(z − mean) up to variance/|z|², and intermediate squares would overflow; G(∞) = 0.
    far = is_far(law, flat)
    outer = far & ~np.isinf(flat)
    values[outer] = 1.0 / (flat[outer] - mean(law))
    finite = ~far
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # poles, and NaN for NaN
        values[finite] = _cauchy_above(law, np.where(lower, flat.conj(), flat)[finite])
    values = np.where(lower & ~far, values.conj(), values)
    # G has a pole at an atom; beside it, at a denormal distance, G overflows.
    values[np.isinf(values)] = complex(np.inf, 0.0)
    values[np.isin(flat, atoms(law).locations) & (flat.imag == 0.0)] = complex(np.inf, 0.0)
    require(values, flat, "G")
    return shaped(values, shape)


def is_far(law: Law, z: NDArray[np.complex128]) -> NDArray[np.bool_]:
    """Whether points are so many standard deviations away that the mean is all that is seen of the law."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.isinf(z) | (np.abs(z - mean(law)) > _FAR * math.sqrt(variance(law))))


def subordination(law: Law, z: ArrayLike) -> Any:
    """Return the points ω_i(z) at which the factors' Cauchy transforms are taken; see `Law.subordination`."""
    flat, shape = complex_grid("z", z)
    frame = engine.frame(law)
    if not isinstance(frame.core, (Boxplus, Boxtimes)):
        raise ValueError(f"subordination needs a free convolution, got {law!r:.200}")
    lower = flat.imag < 0.0
    points = _core_points(frame, np.where(lower, flat.conj(), flat))
    swap = bool(frame.steps) and frame.steps[0][0] < 0.0
    _, omega, *_ = engine.solver(_positive(law)).solve(points.conj() if swap else points)
    omega = omega.conj() if swap else omega
    omega = np.where(lower, omega.conj(), omega)
    require(omega, np.broadcast_to(flat, omega.shape), "ω")
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
    require(k, flat, "S" if at_m else "R", name)
    result = np.full_like(k, np.nan)
    known = ~np.isnan(flat)
    result[known] = 1.0 / k[known] if at_m else k[known]
    real = np.asarray(values).dtype.kind != "c"
    return shaped(result.real.copy() if real else result, shape)


def _r_parts(law: Law, values: NDArray[np.complex128], *, at_m: bool) -> NDArray[np.complex128]:
    """Return K = z − 1/G at values of m or of G."""
    image = mirrored(law)
    if image is not None:
        return -_r_parts(image, values if at_m else -values, at_m=at_m)
    k = np.full_like(values, mean(law))
    moving = (values != 0.0) & ~np.isnan(values)
    if not isinstance(law, PointMass):
        k[moving] = engine.r_parts(law, at_m=at_m, values=values[moving])
    if at_m and lowest(law) >= 0.0:
        # Where m is that of a z < 0, −μ(0, ∞) < m < 0, S is positive: anything else is of another branch.
        below = (values.imag == 0.0) & (values.real < 0.0) & (values.real > -mass_off_zero(law))
        k[below & ~(k.real > 0.0)] = np.nan
    return k


def _cauchy_above(law: Law, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return G in the closed upper half-plane, through the root's shifts, scales and size changes."""
    frame = engine.frame(law)
    points = _core_points(frame, z)
    if closed.is_closed(frame.core):
        values = closed.cauchy(frame.core, points)
    else:
        values, *_ = engine.solver(law).solve(points)
    for scale, shift, ratio in reversed(frame.steps):
        if ratio != 1.0:
            values = values / ratio + (1.0 - 1.0 / ratio) / points
        values = values / scale
        points = scale * points + shift
    return values


def log_potential_above(law: Law, z: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return ∫ log|z − t| dμ(t) off the real axis, NaN where it could not be certified."""
    image = mirrored(law)
    if image is not None:
        return log_potential_above(image, -z)
    frame = engine.frame(law)
    points = _core_points(frame, np.where(z.imag < 0.0, z.conj(), z))
    if closed.is_closed(frame.core):
        values = closed.log_potential(frame.core, points)
    else:
        values = np.where(np.isinf(points), np.inf, engine.solver(law).solve(points)[2])
    return engine.outer_potential(frame, points, values)


def _core_points(frame: engine.Frame, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    for scale, shift, _ in frame.steps:
        z = (z - shift) / scale
    return np.ascontiguousarray(z)


def _positive(law: Law) -> Law:
    return mirrored(law) or law


def require(values: NDArray[Any], arguments: NDArray[Any], what: str, name: str = "z") -> None:
    """Raise if a value is missing where the argument is not NaN."""
    failed = np.isnan(values) & ~np.isnan(arguments)
    if failed.any():
        first = arguments.reshape(-1)[failed.reshape(-1).argmax()]
        raise ConvergenceError(
            f"{np.count_nonzero(failed)} of {values.size} values of {what} could not be certified, "
            f"the first at {name} = {first.item()!r}"
        )
