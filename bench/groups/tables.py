"""Compiled laws, beside `np.interp` on a table of a thousand points and the law itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import freeconv as fc
from bench.case import Array, Case, Group, Job, Target, largest_error, per_point
from bench.common import few, inside
from bench.groups.relu import law as relu
from tests.tolerances import COMPILED, COMPILED_RELATIVE

__all__ = ["GROUPS"]

POINTS, TABLE = 1_000_000, 1000
OWN, LAW, INTERP = "freeconv, compiled", "freeconv, the law itself", f"np.interp, {TABLE} points"
# The least relative error of the linear interpolation that is timed: it is no rival in this.
LINEAR = 1e-2


@lru_cache(maxsize=1)
def compiled() -> Any:
    """The tables of one law."""
    return relu().compile()


def arguments(method: str, order: str, points: int) -> Array:
    """Points inside the support, or levels, in order or shuffled."""
    # Levels keep off the atom's ½: the quantile is the fourth power of what is left of p, which has few digits there.
    levels = 0.5 + 0.5 * (0.001 + 0.999 * (np.arange(points) + 0.5) / points)
    x = levels if method == "quantile" else inside(relu(), points)
    return x if order == "sorted" else np.random.default_rng(0).permutation(x)


def own(method: str, order: str) -> Callable[[bool], Job]:
    """The tables, their answers those of the law."""

    def prepare(quick: bool) -> Job:
        x = arguments(method, order, few(quick, POINTS, 20_000))
        function = getattr(compiled(), method)
        values, truth = function(x), getattr(relu(), method)(x)
        assert np.abs(values - truth).max() < COMPILED * max(1.0, truth.max()) or method == "quantile"
        error = largest_error(values, truth)
        assert error < COMPILED_RELATIVE
        return Job(lambda: function(x), points=x.size, error=error)

    return prepare


def law(method: str, order: str) -> Callable[[bool], Job]:
    """The law without tables."""

    def prepare(quick: bool) -> Job:
        x = arguments(method, order, few(quick, POINTS, 20_000))
        assert np.isfinite(getattr(relu(), method)(x)).all()
        return Job(lambda: getattr(relu(), method)(x), points=x.size)

    return prepare


def interp(method: str, order: str) -> Callable[[bool], Job]:
    """Linear interpolation between a thousand values of the law."""

    def prepare(quick: bool) -> Job:
        x = arguments(method, order, few(quick, POINTS, 20_000))
        nodes = np.linspace(x.min(), x.max(), TABLE)
        table = getattr(relu(), method)(nodes)
        error = largest_error(np.interp(x, nodes, table), getattr(relu(), method)(x), 0.99)
        assert error < LINEAR
        return Job(lambda: np.interp(x, nodes, table), points=x.size, error=error)

    return prepare


def group(method: str, order: str, targets: tuple[Target, ...] = ()) -> Group:
    cases = [Case(OWN, own(method, order)), Case(LAW, law(method, order), rounds=3)]
    return Group(
        f"compiled-{method}-{order}",
        f"Compiled law, {method}, {order}: Gaussian ReLU, L = 3",
        (*cases, Case(INTERP, interp(method, order))),
        targets,
    )


def compiling(name: str, make: Callable[[], fc.Law]) -> Case:
    def prepare(quick: bool) -> Job:
        built = make()
        assert built.compile().error <= COMPILED
        return Job(built.compile, points=1)

    return Case(name, prepare, rounds=3)


GROUPS = (
    group("density", "sorted", (Target("compiled, sorted, against np.interp", per_point(OWN, INTERP), 3.0),)),
    group("density", "shuffled", (Target("compiled, shuffled, against np.interp", per_point(OWN, INTERP), 1.0),)),
    group("cdf", "sorted"),
    group("quantile", "shuffled"),
    Group(
        "compiling",
        "Compiling a law whose support is known",
        (
            compiling("Jacobian, Gaussian ReLU, L = 3", relu),
            compiling("Marchenko–Pastur(0.3)", lambda: fc.MarchenkoPastur(0.3)),
            compiling("tangent kernel, Gaussian ReLU, L = 5", lambda: fc.MLP(5, "relu", weight_variance=2.0).ntk()),
        ),
    ),
)
