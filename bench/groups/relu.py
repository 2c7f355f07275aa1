"""The Jacobian of three Gaussian ReLU layers, whose equation is a polynomial: (1 + m)(1 + 2m)³ = x m."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

import freeconv as fc
from bench import baselines, peers
from bench.case import Array, Case, Group, Job, Target, per_point
from bench.common import NEWTON, baseline_case, certified, density_case, few, inside, reference
from tests.tolerances import CDF, REFERENCE

__all__ = ["GROUPS", "law"]

MILLION = 1_000_000


def law(depth: int = 3) -> fc.Law:
    """The law, its support found."""
    result = fc.MLP(depth, "relu", weight_variance=2.0).jacobian()
    result.support()
    return result


def cdf(quick: bool) -> Job:
    built, entry = law(), reference("relu_gaussian", "L=3")
    x = inside(built, few(quick, MILLION, 3000))
    assert np.max(np.abs(np.asarray(built.cdf(entry.x)) - entry.cdf)) < CDF
    assert (np.diff(np.asarray(built.cdf(x))) >= 0.0).all()
    return Job(lambda: built.cdf(x), points=x.size)


def quantile(quick: bool) -> Job:
    built, entry = law(), reference("relu_gaussian", "L=3")
    far = (entry.cdf > 0.3) & (entry.cdf < 0.999)
    np.testing.assert_allclose(built.quantile(entry.cdf[far]), entry.x[far], rtol=1e-11)
    points = few(quick, MILLION, 3000)
    p = (np.arange(points) + 0.5) / points
    inner = p > 1.001 * float(built.cdf(0.0))
    np.testing.assert_allclose(built.cdf(built.quantile(p[inner])), p[inner], rtol=0.0, atol=1e-12)
    return Job(lambda: built.quantile(p), points=points)


@lru_cache
def heights() -> Array:
    """Ten, from eight times the edge down to 1e-9."""
    return np.geomspace(8.0 * law().support()[-1, 1], 1e-9, 10)


def newton(x: Array, block: int | None = None) -> Array:
    """Six steps at each height: for all points at once, or in blocks that stay in the processor's cache."""
    block = block or x.size
    parts = [baselines.relu_polynomial_newton(x[i : i + block], heights(), 6) for i in range(0, x.size, block)]
    return np.concatenate(parts)


def single(quick: bool) -> Job:
    built = law()
    value = built.density(1.0)
    assert abs(value / 0.073023704099300876 - 1.0) <= REFERENCE
    return Job(lambda: built.density(1.0))


def compiled(quick: bool, *, shuffled: bool) -> Job:
    built = law()
    table = peers.compiled(built)
    x = inside(built, few(quick, MILLION, 3000))
    x = np.random.default_rng(0).permutation(x) if shuffled else x
    values, truth = np.asarray(table.density(x)), certified(built, x)
    error = float(np.max(np.abs(values / truth - 1.0)))
    assert error <= 1e-10
    return Job(lambda: table.density(x), points=x.size, error=error)


def interpolated(quick: bool, *, shuffled: bool) -> Job:
    built = law()
    x = inside(built, few(quick, MILLION, 3000))
    nodes = np.geomspace(x[0], x[-1], 1000)
    x = np.random.default_rng(0).permutation(x) if shuffled else x
    table = certified(built, nodes)
    errors = np.abs(np.interp(x, nodes, table) / certified(built, x) - 1.0)
    assert np.median(errors) < 1e-4
    error = float(errors.max())
    return Job(lambda: np.interp(x, nodes, table), points=x.size, error=error)


DENSITY, CDFS, QUANTILES = "freeconv, density", "freeconv, cdf", "freeconv, quantile"
ISSUE = "NumPy, Newton at 10 heights, 6 steps each"
BLOCKS = "the same, 2000 points at a time"
TABLE, INTERP = "freeconv, compiled law", "np.interp, 1000 nodes"
RANDOM = ", random order"

GROUPS = (
    Group(
        "relu",
        "Jacobian, Gaussian ReLU, L = 3",
        (
            density_case(DENSITY, law, MILLION, entry=partial(reference, "relu_gaussian", "L=3")),
            Case(CDFS, cdf),
            Case(QUANTILES, quantile),
            density_case("freeconv, density, a thousand points", law, 1000),
            baseline_case(ISSUE, law, newton, MILLION, margin=0.0),
            baseline_case(BLOCKS, law, partial(newton, block=2000), MILLION, margin=0.0),
            baseline_case(f"{NEWTON}, 6 × 4", law, partial(baselines.relu_gaussian_newton, 3), 50_000),
            baseline_case("NumPy, companion matrices", law, baselines.relu_gaussian_companion, 50_000),
        ),
        (
            Target("density against the NumPy Newton of 60 steps", per_point(ISSUE, DENSITY), 60.0, at_least=True),
            Target("cdf against density", per_point(CDFS, DENSITY), 2.0),
            Target("quantile against density", per_point(QUANTILES, DENSITY), 4.0),
        ),
    ),
    Group(
        "peers",
        "Other packages: Jacobian, Gaussian ReLU, L = 3",
        (
            density_case(DENSITY, law, MILLION, rounds=3),
            Case("freealg", partial(peers.freealg_relu, law), rounds=2),
            Case("rmtool", partial(peers.rmtool_relu, law), rounds=2),
        ),
        (
            Target("density against freealg", per_point("freealg", DENSITY), 1000.0, at_least=True),
            Target("density against rmtool", per_point("rmtool", DENSITY), 1000.0, at_least=True),
        ),
    ),
    Group(
        "compiled",
        "Compiled law, Gaussian ReLU, L = 3",
        (
            Case(TABLE, partial(compiled, shuffled=False)),
            Case(INTERP, partial(interpolated, shuffled=False)),
            Case(TABLE + RANDOM, partial(compiled, shuffled=True)),
            Case(INTERP + RANDOM, partial(interpolated, shuffled=True)),
        ),
        (
            Target("compiled law against np.interp, sorted", per_point(TABLE, INTERP), 3.0),
            Target("compiled law against np.interp, random order", per_point(TABLE + RANDOM, INTERP + RANDOM), 1.0),
        ),
    ),
    Group(
        "scalar",
        "A single point, Gaussian ReLU, L = 3",
        (
            Case("freeconv, density(1.0)", single, rounds=50),
            baseline_case(NEWTON, law, partial(baselines.relu_gaussian_newton, 3), 1, rounds=20),
        ),
        (Target("a scalar call of density", lambda rows: 1e6 * rows["freeconv, density(1.0)"].value, 15.0, unit="µs"),),
    ),
)
