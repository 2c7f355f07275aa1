"""What the groups share: points, assertions, and the two kinds of case that most of them are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

import freeconv as fc
from bench.case import Array, Case, Job, largest_error
from tests.oracles.load import Reference, load
from tests.tolerances import REFERENCE

__all__ = ["NEWTON", "baseline_case", "certified", "checked", "density_case", "few", "inside", "reference"]

NEWTON = "NumPy, Newton continued in Im z"

# A NumPy baseline at η = 1e-9 may lose its root at one point in a hundred, beside an edge.
BASELINE, SHARE = 1e-5, 0.99


def few(quick: bool, points: int, quickly: int) -> int:
    """How many points to take."""
    return quickly if quick else points


def reference(table: str, start: str) -> Reference:
    """The entry of a table of 50-digit values whose name starts so."""
    return next(entry for entry in load(table) if entry.name.startswith(start))


def inside(law: fc.Law, points: int, margin: float = 0.0) -> Array:
    """As many points in each interval of the support, sorted, a margin (in widths) off the edges."""
    intervals = law.support()
    share = points // len(intervals)
    relative = margin + (1.0 - 2.0 * margin) * (np.arange(share) + 0.5) / share
    return np.concatenate([low + (high - low) * relative for low, high in intervals])


def certified(law: fc.Law, x: ArrayLike) -> Array:
    """Densities at points inside the support, each of which is asserted to be proved."""
    values = law.evaluate(x)
    assert np.isin(values.status, [fc.Status.CERTIFIED, fc.Status.RECOVERED]).all()
    return np.asarray(values.density)


def checked(law: fc.Law, entry: Reference) -> float:
    """The largest error of the density against a table, farther than 1e-6 from the edges: asserted to be ≤ 1e-11."""
    far = np.min(np.abs(entry.x[:, None] - law.support().ravel()), axis=1) > 1e-6 * np.abs(entry.x)
    far &= entry.density > 0.0
    assert far.sum() > 5
    error = largest_error(np.asarray(law.density(entry.x[far])), entry.density[far])
    assert error <= REFERENCE
    return error


def density_case(
    name: str,
    law: Callable[[], fc.Law],
    points: int,
    *,
    quickly: int | None = None,
    margin: float = 0.0,
    entry: Callable[[], Reference] | None = None,
    rounds: int = 7,
) -> Case:
    """Densities of a law by freeconv: all certified, and right where there is a table."""

    def prepare(quick: bool) -> Job:
        built = law()
        x = inside(built, few(quick, points, quickly or min(points, 3000)), margin)
        assert (certified(built, x) > 0.0).all()
        error = checked(built, entry()) if entry is not None else None
        return Job(lambda: built.density(x), points=x.size, error=error)

    return Case(name, prepare, rounds)


def baseline_case(
    name: str,
    law: Callable[[], fc.Law],
    baseline: Callable[[Array], Array],
    points: int,
    *,
    quickly: int | None = None,
    margin: float = 1e-3,
    rounds: int = 3,
    share: float = SHARE,
) -> Case:
    """Densities of the same law in NumPy: asserted to be the law's at nearly all points; the error of all is told."""

    def prepare(quick: bool) -> Job:
        built = law()
        x = inside(built, few(quick, points, quickly or min(points, 1000)), margin)
        values, truth = baseline(x), np.asarray(built.density(x))
        assert largest_error(values, truth, share) < BASELINE
        return Job(lambda: baseline(x), points=x.size, error=largest_error(values, truth))

    return Case(name, prepare, rounds)
