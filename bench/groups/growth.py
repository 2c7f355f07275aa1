"""How the time of a point grows: with the points of a call, the depth, different layers, atoms, laws."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

import freeconv as fc
from bench import baselines
from bench.case import Array, Case, Group, Job, Reading, Skip, Target, largest_error, per_point
from bench.common import NEWTON, SHARE, baseline_case, certified, density_case, few, inside, reference
from bench.groups.relu import law as relu
from bench.memory import extra_bytes

__all__ = ["GROUPS"]

POINTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
DEPTHS = (1, 2, 5, 10, 50, 100, 500, 1000)
LAYERS = (1, 2, 5, 10, 20, 50, 100, 200)
ATOMS = (10, 100, 1000, 10_000, 100_000)
LAWS = (1, 10, 100, 1000, 10_000)
EACH = 200
"""Points of each law of a batch."""


@lru_cache(maxsize=1)
def different(layers: int) -> fc.MLP:
    """Gaussian hard-tanh layers, each with its own share of linear units."""
    variances = 1.2 + 0.3 * np.arange(layers) / max(layers, 2)
    return fc.MLP(layers, "hard_tanh", weight_variance=variances, bias_variance=0.1)


def layers_newton(layers: int, x: Array) -> Array:
    """The same network in NumPy."""
    net = different(layers)
    gains = np.array([layer.weight_variance for layer in net.layers])
    shares = net.mean_field().chi / gains
    return baselines.gaussian_layers_newton(shares, gains, x)


@lru_cache(maxsize=1)
def empirical(atoms: int) -> fc.Law:
    """A sample covariance whose population has so many eigenvalues, spread over two decades."""
    return fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Empirical(np.geomspace(0.1, 10.0, atoms)))


def many_atoms(atoms: int) -> Case:
    """Densities with so many atoms; a quick run leaves out the longest."""

    def prepare(quick: bool) -> Job:
        if quick and atoms > 1000:
            raise Skip("a quick run has 1000 atoms at most")
        built = empirical(atoms)
        x = inside(built, 512)
        assert (certified(built, x) > 0.0).all()
        return Job(lambda: built.density(x), points=x.size)

    return Case(f"{atoms} atoms", prepare, rounds=3)


def above(law: Callable[[], fc.Law], name: str) -> Case:
    """G as high above the axis as the law is wide: away from all atoms."""

    def prepare(quick: bool) -> Job:
        built = law()
        low, high = empirical(1000).support()[0, 0], empirical(1000).support()[-1, 1]
        z = np.linspace(low, high, few(quick, 1000, 50)) + 1j * (high - low)
        assert (np.asarray(built.cauchy(z)).imag < 0.0).all()
        return Job(lambda: built.cauchy(z), points=z.size)

    return Case(name, prepare, rounds=3)


def averaged(quick: bool) -> Job:
    """The averaged fixed point for a hundred atoms."""
    built, atoms = empirical(100), np.geomspace(0.1, 10.0, 100)
    x = inside(built, few(quick, 512, 32), 1e-3)
    weights = np.full(100, 0.01)

    def call() -> Array:
        return baselines.marchenko_pastur_discrete_averaged(0.5, atoms, weights, x)

    truth = np.asarray(built.density(x))
    assert largest_error(call(), truth, SHARE) < 1e-5
    return Job(call, points=x.size, error=largest_error(call(), truth))


def batch(laws: int) -> Case:
    """Densities of so many networks of three hard-tanh layers, their supports found within the call."""

    def prepare(quick: bool) -> Job:
        densities: Callable[..., Any] | None = getattr(fc, "densities", None)
        if densities is None:
            raise Skip("fc.densities does not exist")
        if quick and laws > 100:
            raise Skip("a quick run has 100 laws at most")
        built = [network(share) for share in np.linspace(0.0, 1.0, laws)]
        x = np.linspace(0.05, 2.0, EACH)
        np.testing.assert_allclose(np.asarray(densities(built, x))[-1], built[-1].density(x), rtol=1e-11, atol=1e-300)

        def call() -> object:
            fc.engine.solver.cache_clear()
            return densities(built, x)

        return Job(call, points=laws * EACH)

    return Case(f"{laws} laws × {EACH} points", prepare, rounds=3)


def network(share: float) -> fc.Law:
    """One of a line of networks."""
    return fc.MLP(3, "hard_tanh", weight_variance=1.0 + share, bias_variance=0.1).jacobian()


def one_network(quick: bool) -> Job:
    built = network(0.5)
    x = np.repeat(np.linspace(0.05, 2.0, EACH), few(quick, 10_000, 10))
    assert np.isfinite(built.density(x)).all()
    return Job(lambda: built.density(x), points=x.size)


def memory(method: str) -> Case:
    def prepare(quick: bool) -> Reading:
        return Reading(extra_bytes(method, few(quick, 4_000_000, 1_000_000)), "bytes")

    return Case(f"freeconv, {method}: bytes a point beyond input and output", prepare)


def sized(points: int) -> Case:
    """One call with so many points."""
    return density_case(f"{points} points", relu, points, quickly=min(points, 10_000), rounds=3 if points > 1e6 else 7)


def deep(depth: int) -> Case:
    """Equal ReLU layers."""
    known = depth in (1, 2, 10, 50, 100, 500)
    entry = partial(reference, "relu_gaussian", f"L={depth}") if known else None
    return density_case(f"{depth} layers", partial(relu, depth), 100_000, entry=entry)


def diverse(layers: int) -> Case:
    """Different hard-tanh layers."""
    return density_case(f"{layers} layers", lambda: different(layers).jacobian(), 20_000, quickly=1000, rounds=5)


SMOOTH = "Marchenko–Pastur(0.3) in their place"
ONE = f"one law, {EACH * 10_000} points"

GROUPS = (
    Group(
        "points",
        "Points of a call: Gaussian ReLU, L = 3",
        (
            *map(sized, POINTS),
            baseline_case(NEWTON, relu, partial(baselines.relu_gaussian_newton, 3), 100_000),
        ),
    ),
    Group(
        "depth",
        "Equal layers: Gaussian ReLU",
        (
            *map(deep, DEPTHS),
            baseline_case(
                f"{NEWTON}, 100 layers", partial(relu, 100), partial(baselines.relu_gaussian_newton, 100), 20_000
            ),
        ),
        (Target("depth 1000 against depth 2", per_point("1000 layers", "2 layers"), 1.5),),
    ),
    Group(
        "layers",
        "Different layers: Gaussian hard tanh",
        (
            *map(diverse, LAYERS),
            baseline_case(f"{NEWTON}, 10 layers", lambda: different(10).jacobian(), partial(layers_newton, 10), 20_000),
        ),
        (Target("100 different layers against one", per_point("100 layers", "1 layers"), 60.0),),
    ),
    Group(
        "atoms",
        "Atoms: Marchenko–Pastur(0.5) ⊠ measured eigenvalues",
        (*map(many_atoms, ATOMS), Case("NumPy, averaged fixed point, 100 atoms", averaged, rounds=2)),
    ),
    Group(
        "far",
        "Atoms far away: G above the axis, Marchenko–Pastur(0.5) ⊠ measured eigenvalues",
        (
            above(lambda: fc.boxtimes(fc.MarchenkoPastur(0.5), fc.MarchenkoPastur(0.3, 2.0)), SMOOTH),
            *(above(partial(empirical, atoms), f"{atoms} atoms") for atoms in ATOMS[1:]),
        ),
        (Target("100 000 atoms against Marchenko–Pastur", per_point("100000 atoms", SMOOTH), 30.0),),
    ),
    Group(
        "laws",
        "Laws of one structure: Gaussian hard tanh, L = 3",
        (Case(ONE, one_network, rounds=3), *map(batch, LAWS)),
        (
            Target(
                "10 000 networks against one network with as many points",
                per_point(f"10000 laws × {EACH} points", ONE),
                5.0,
            ),
        ),
    ),
    Group("memory", "Memory: Gaussian ReLU, L = 3", tuple(map(memory, ("density", "cdf", "quantile")))),
)
