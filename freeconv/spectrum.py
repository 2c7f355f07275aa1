"""What a law has at real points: density, distribution function, potential and support, each point with its proof."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import boundary, closed, determinant, engine, transforms
from freeconv._grids import complex_grid, real_grid, shaped
from freeconv._segments import in_segments
from freeconv._validate import choice, worker_count
from freeconv.atoms import atoms
from freeconv.edges import limits
from freeconv.errors import ConvergenceError
from freeconv.evaluation import Evaluation, Status
from freeconv.laws import Law
from freeconv.moments import mean
from freeconv.transforms import require

__all__ = ["ON_FAILURE", "OnFailure", "cdf", "density", "evaluate", "log_potential", "support"]

OnFailure = Literal["raise", "nan", "return"]

ON_FAILURE = get_args(OnFailure)
_SETTLED = int(Status.OUTSIDE)  # up to here, nothing is left to do: one look at most arrays, 2 µs of a scalar's 12


def evaluate(law: Law, x: ArrayLike, *, on_failure: OnFailure = "nan", workers: int = 1) -> Evaluation:
    """Return density, distribution function and the record of each point; see `Law.evaluate`."""
    flat, shape = real_grid("x", x)
    found = boundary.record(law, flat, cdf=True, full=True, workers=worker_count(workers))
    return _judged(law, flat, shape, found, on_failure)


def density(law: Law, x: ArrayLike, *, on_failure: OnFailure = "raise", workers: int = 1) -> Any:
    """Return the density of a law at real points; see `Law.density`."""
    flat, shape = real_grid("x", x)
    choice("on_failure", on_failure, ON_FAILURE)
    count = worker_count(workers)

    def part(x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        found = boundary.record(law, x, workers=count)
        if found.status.max(initial=0) <= _SETTLED:
            return found.density
        return None if (found.status == Status.UNCERTIFIED).any() else _with_limits(law, x, found)

    values = in_segments(part, flat)
    if values is None:
        return evaluate(law, flat.reshape(shape), on_failure=on_failure, workers=workers).density
    return shaped(values, shape)


def cdf(law: Law, x: ArrayLike, *, on_failure: OnFailure = "raise", workers: int = 1) -> Any:
    """Return the distribution function of a law at real points; see `Law.cdf`."""
    flat, shape = real_grid("x", x)
    choice("on_failure", on_failure, ON_FAILURE)
    count = worker_count(workers)

    def part(x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        found = boundary.record(law, x, cdf=True, workers=count)
        unknown = found.status.max(initial=0) > _SETTLED and (found.status == Status.UNCERTIFIED).any()
        return None if unknown else found.cdf

    values = in_segments(part, flat)
    if values is None:
        return evaluate(law, flat.reshape(shape), on_failure=on_failure, workers=workers).cdf
    return shaped(values, shape)


def log_potential(law: Law, z: ArrayLike) -> Any:
    """Return ∫ log|z − t| dμ(t); see `Law.log_potential`."""
    flat, shape = complex_grid("z", z)
    values = np.full(flat.shape, np.nan)
    known = ~np.isnan(flat)
    # Far out it is log|z − mean| up to variance/(2 |z|²), and intermediate squares would overflow.
    far = known & transforms.is_far(law, flat)
    with np.errstate(over="ignore", invalid="ignore"):
        values[far] = np.where(np.isinf(flat[far]), np.inf, np.log(np.abs(flat[far] - mean(law))))
    known &= ~far
    on_axis = known & (flat.imag == 0.0)
    # A pole of log |z| in a size change, and ends of the support at 0, are the determinant's.
    at_zero = on_axis & (flat == 0.0)
    if at_zero.any():
        values[at_zero] = determinant.log_determinant(law)
    on_axis &= ~at_zero
    values[on_axis] = boundary.potential(law, np.ascontiguousarray(flat[on_axis].real))
    off_axis = known & (flat.imag != 0.0)
    values[off_axis] = transforms.log_potential_above(law, np.ascontiguousarray(flat[off_axis]))
    values[(flat.imag == 0.0) & np.isin(flat.real, atoms(law).locations)] = -np.inf
    require(values, flat, "the logarithmic potential")
    return shaped(values, shape)


def _judged(
    law: Law, x: NDArray[np.float64], shape: tuple[int, ...], found: boundary.Record, on_failure: str
) -> Evaluation:
    """Make the evaluation, and do with what is not certified as the user wants."""
    choice("on_failure", on_failure, ON_FAILURE)
    density, cdf = _with_limits(law, x, found), np.asarray(found.cdf)
    failed = found.status == Status.UNCERTIFIED
    if on_failure != "return":
        density, cdf = (np.where(failed, np.nan, values) for values in (density, cdf))
    evaluation = Evaluation(
        *(
            shaped(np.asarray(values), shape)
            for values in (density, cdf, found.status, found.residual, found.iterations, found.accuracy)
        )
    )
    if on_failure == "raise" and failed.any():
        raise ConvergenceError(
            f"{np.count_nonzero(failed)} of {x.size} points could not be certified, the first at "
            f"x = {x[failed.argmax()].item()!r}; evaluate(x) or on_failure='nan' returns the others",
            evaluation,
        )
    return evaluation


def _with_limits(law: Law, x: NDArray[np.float64], found: boundary.Record) -> NDArray[np.float64]:
    """Densities with those at edges set to their limits."""
    at_edge = found.status == Status.EDGE
    if at_edge.any():
        found.density[at_edge] = limits(law, x[at_edge])
    return found.density


def support(law: Law) -> NDArray[np.float64]:
    """Return the intervals of the continuous part, shape (k, 2); see `Law.support`."""
    image = boundary.mirrored(law)
    if image is not None:
        return 0.0 - support(image)[::-1, ::-1]
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
