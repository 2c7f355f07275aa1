"""Compiled laws: nanoseconds per point beside `np.interp` on a table of a thousand points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from bench.conftest import Timer, largest_error
from bench.test_density import inside, relu_jacobian
from tests.tolerances import COMPILED, COMPILED_RELATIVE

Array = NDArray[np.float64]

POINTS = 1_000_000
TABLE = 1000
INTERP = f"np.interp, {TABLE} points"
# The least relative error of the linear interpolation that is timed: it is no rival in this.
LINEAR = 1e-2


def points(order: str, law: fc.Law) -> Array:
    x = inside(law, POINTS)
    return x if order == "sorted" else np.random.default_rng(0).permutation(x)


def _group(order: str, what: str) -> object:
    mark = pytest.mark.benchmark(group=f"Compiled Jacobian, Gaussian ReLU, L = 3, {what}, {order} points")
    return pytest.param(order, marks=mark)


@pytest.mark.parametrize("order", [_group(order, "density") for order in ("sorted", "shuffled")])
class TestDensity:
    def test_compiled(self, timer: Timer, order: str) -> None:
        law = relu_jacobian(3)
        compiled = law.compile()
        x = points(order, law)
        values, truth = compiled.density(x), law.density(x)
        assert largest_error(values, truth) < COMPILED_RELATIVE
        assert np.abs(values - truth).max() < COMPILED * truth.max()
        timer("freeconv, compiled", lambda: compiled.density(x), points=x.size)

    def test_law(self, timer: Timer, order: str) -> None:
        law = relu_jacobian(3)
        x = points(order, law)
        assert np.isfinite(law.density(x)).all()
        timer("freeconv, the law itself", lambda: law.density(x), points=x.size)

    def test_interp(self, timer: Timer, order: str) -> None:
        law = relu_jacobian(3)
        x = points(order, law)
        nodes = np.linspace(x.min(), x.max(), TABLE)
        table, truth = law.density(nodes), law.density(x)
        error = largest_error(np.interp(x, nodes, table), truth, 0.99)
        assert error < LINEAR
        timer(INTERP, lambda: np.interp(x, nodes, table), points=x.size, error=error)


@pytest.mark.parametrize("order", [_group(order, "distribution function") for order in ("sorted", "shuffled")])
class TestCdf:
    def test_compiled(self, timer: Timer, order: str) -> None:
        law = relu_jacobian(3)
        compiled = law.compile()
        x = points(order, law)
        assert np.abs(compiled.cdf(x) - law.cdf(x)).max() < COMPILED
        timer("freeconv, compiled", lambda: compiled.cdf(x), points=x.size)

    def test_law(self, timer: Timer, order: str) -> None:
        law = relu_jacobian(3)
        x = points(order, law)
        assert np.isfinite(law.cdf(x)).all()
        timer("freeconv, the law itself", lambda: law.cdf(x), points=x.size)


@pytest.mark.benchmark(group="Compiled Jacobian, Gaussian ReLU, L = 3, samples")
class TestSamples:
    def test_compiled(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        compiled = law.compile()
        np.testing.assert_allclose(compiled.sample(POINTS, 1), law.sample(POINTS, 1), rtol=1e-10)
        timer("freeconv, compiled", lambda: compiled.sample(POINTS, 1), points=POINTS)

    def test_law(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        assert law.sample(POINTS, 1).mean() == pytest.approx(1.0, abs=0.01)
        timer("freeconv, the law itself", lambda: law.sample(POINTS, 1), points=POINTS, rounds=3)


def _setup(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.benchmark(group=f"Compiling, {name}"))


LAWS: dict[str, Callable[[], fc.Law]] = {
    "Jacobian, Gaussian ReLU, L = 3": lambda: relu_jacobian(3),
    "Marchenko–Pastur(0.3)": lambda: fc.MarchenkoPastur(0.3),
    "tangent kernel, Gaussian ReLU, L = 5": lambda: fc.MLP(5, "relu", weight_variance=2.0).ntk(),
}


@pytest.mark.parametrize("name", [_setup(name) for name in LAWS])
def test_compiling(timer: Timer, name: str) -> None:
    law = LAWS[name]()
    assert law.compile().error <= COMPILED
    timer("freeconv, support and edges known", law.compile, rounds=10)
