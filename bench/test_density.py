"""Densities: nanoseconds per point, beside vectorised NumPy in the same group."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from bench import baselines
from bench.conftest import Timer, largest_error
from tests.oracles.load import Reference, build, load
from tests.tolerances import REFERENCE

Array = NDArray[np.float64]

NEWTON = "NumPy, Newton continued in Im z"
COMPANION = "NumPy, eigenvalues of companion matrices"
AVERAGED = "NumPy, averaged fixed point"

# A NumPy baseline at η = 1e-9 may lose its root at one point in a hundred, beside an edge.
BASELINE, SHARE = 1e-5, 0.99


def reference(table: str, start: str) -> Reference:
    """The entry of a table whose name starts so."""
    return next(entry for entry in load(table) if entry.name.startswith(start))


def inside(law: fc.Law, points: int) -> Array:
    """As many points in each interval of the support, at the same relative positions, off the edges."""
    intervals = law.support()
    relative = 1e-3 + 0.998 * (np.arange(points // len(intervals)) + 0.5) / (points // len(intervals))
    return np.concatenate([low + (high - low) * relative for low, high in intervals])


def check(law: fc.Law, entry: Reference | None, x: Array) -> Array:
    """Assert the table's densities, and that every point to be timed is certified; return their densities."""
    if entry is not None:
        far = np.min(np.abs(entry.x[:, None] - law.support().ravel()), axis=1) > 1e-6 * np.abs(entry.x)
        assert largest_error(law.density(entry.x[far]), entry.density[far]) < REFERENCE
    values = law.evaluate(x)
    assert np.isin(values.status, [fc.Status.CERTIFIED, fc.Status.RECOVERED]).all()
    return np.asarray(values.density)


def compare(timer: Timer, who: str, baseline: Callable[[Array], Array], law: fc.Law, x: Array, rounds: int = 5) -> None:
    """Assert that a baseline has the law's densities, then time it."""
    values, truth = baseline(x), law.density(x)
    assert largest_error(values, truth, SHARE) < BASELINE
    timer(who, lambda: baseline(x), points=x.size, error=largest_error(values, truth), rounds=rounds)


def relu_jacobian(depth: int) -> fc.Law:
    return fc.MLP(depth, "relu", weight_variance=2.0).jacobian()


def relu_kernel(depth: int, weights: str) -> fc.Law:
    return fc.MLP(depth, "relu", weights=weights, weight_variance=2.0).ntk()


@pytest.mark.benchmark(group="Jacobian, Gaussian ReLU, L = 3")
class TestJacobian:
    """The polynomial (1 + m)(1 + 2m)³ = x m."""

    def test_freeconv_million(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        x = inside(law, 1_000_000)
        check(law, reference("relu_gaussian", "L=3"), x)
        timer("freeconv, a million points in one call", lambda: law.density(x), points=x.size)

    def test_freeconv_thousand(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        x = inside(law, 1000)
        check(law, None, x)
        timer("freeconv, a thousand points", lambda: law.density(x), points=x.size, rounds=50)

    def test_freeconv_single(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        assert law.density(1.0) == pytest.approx(0.073023704099300876, rel=REFERENCE)
        timer("freeconv, a single point", lambda: law.density(1.0), rounds=200)

    def test_newton(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        compare(timer, NEWTON, partial(baselines.relu_gaussian_newton, 3), law, inside(law, 50_000))

    def test_companion(self, timer: Timer) -> None:
        law = relu_jacobian(3)
        compare(timer, COMPANION, baselines.relu_gaussian_companion, law, inside(law, 50_000))


def _deep(depth: int) -> object:
    return pytest.param(depth, marks=pytest.mark.benchmark(group=f"Jacobian, Gaussian ReLU, L = {depth}"))


@pytest.mark.parametrize("depth", [_deep(depth) for depth in (5, 50, 500)])
class TestJacobianDepth:
    """Equal layers are one factor with a multiplicity: the time does not depend on the depth."""

    def test_freeconv(self, timer: Timer, depth: int) -> None:
        law = relu_jacobian(depth)
        x = inside(law, 100_000)
        check(law, reference("relu_gaussian", f"L={depth}") if depth >= 50 else None, x)
        timer("freeconv", lambda: law.density(x), points=x.size)

    def test_newton(self, timer: Timer, depth: int) -> None:
        law = relu_jacobian(depth)
        compare(timer, NEWTON, partial(baselines.relu_gaussian_newton, depth), law, inside(law, 20_000))


def _kernel(depth: int, weights: str) -> object:
    name = "Gaussian" if weights == "gaussian" else "orthogonal"
    return pytest.param(depth, weights, marks=pytest.mark.benchmark(group=f"Tangent kernel, {name} ReLU, L = {depth}"))


@pytest.mark.parametrize(
    ("depth", "weights"), [_kernel(depth, "gaussian") for depth in (5, 10, 20, 40)] + [_kernel(20, "orthogonal")]
)
class TestTangentKernel:
    """Nested products: the time of a point grows like L."""

    def test_freeconv(self, timer: Timer, depth: int, weights: str) -> None:
        law = relu_kernel(depth, weights)
        x = inside(law, 4000)
        density = check(
            law, reference("ntk", "Gaussian ReLU L=20") if (depth, weights) == (20, "gaussian") else None, x
        )
        assert np.median(density) > 0.0
        timer("freeconv", lambda: law.density(x), points=x.size)

    def test_newton(self, timer: Timer, depth: int, weights: str) -> None:
        law = relu_kernel(depth, weights)
        baseline = partial(baselines.relu_ntk_newton, depth, gaussian=weights == "gaussian")
        compare(timer, NEWTON, baseline, law, inside(law, 1000))


@pytest.mark.benchmark(group="Marchenko–Pastur(0.05) ⊠ {1, 3, 10}, three intervals")
class TestSampleCovariance:
    ENTRY = reference("mp_discrete", "MP(0.05) x {1,3,10}")
    WEIGHTS = (0.2, 0.4, 0.4)

    def test_freeconv(self, timer: Timer) -> None:
        law: fc.Law = build(self.ENTRY.spec)
        x = inside(law, 100_000)
        check(law, self.ENTRY, x)
        timer("freeconv", lambda: law.density(x), points=x.size)

    def test_freeconv_gaps(self, timer: Timer) -> None:
        law: fc.Law = build(self.ENTRY.spec)
        x = np.linspace(0.0, 15.0, 100_000)
        check(law, self.ENTRY, inside(law, 300))
        evaluation = law.evaluate(x)
        assert np.isin(evaluation.status, [fc.Status.CERTIFIED, fc.Status.OUTSIDE]).all()
        assert np.trapezoid(evaluation.density, x) == pytest.approx(1.0, abs=1e-5)
        timer("freeconv, an even grid with the gaps", lambda: law.density(x), points=x.size)

    def test_averaged(self, timer: Timer) -> None:
        law: fc.Law = build(self.ENTRY.spec)
        baseline = partial(baselines.marchenko_pastur_discrete_averaged, 0.05, (1.0, 3.0, 10.0), self.WEIGHTS)
        compare(timer, AVERAGED, baseline, law, inside(law, 9000), rounds=3)


@pytest.mark.benchmark(group="Semicircle ⊞ {-2, 0.5, 3}, three intervals")
class TestDeformedWigner:
    ENTRY = reference("additive", "semicircle(0.0625) + {-2,0.5,3}")

    def test_freeconv(self, timer: Timer) -> None:
        law: fc.Law = build(self.ENTRY.spec)
        x = inside(law, 100_000)
        check(law, self.ENTRY, x)
        timer("freeconv", lambda: law.density(x), points=x.size)

    def test_newton(self, timer: Timer) -> None:
        law: fc.Law = build(self.ENTRY.spec)
        baseline = partial(baselines.semicircle_discrete_newton, 0.0625, (-2.0, 0.5, 3.0), (0.25, 0.5, 0.25))
        compare(timer, NEWTON, baseline, law, inside(law, 30_000))
