"""Laws against the eigenvalues of finite random matrices and networks: seeded, with a bound stated for each."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from tests import random_matrices as rm

Array = NDArray[np.float64]
Kind = Literal["jacobian", "ntk"]

SIZE = 600

SIGMAS = 4.0
"""Standard errors that a mean of moments may be off: a correct law fails one of the 30 comparisons here
for one in 500 choices of the seeds, and the seeds are fixed."""


def compare(law: fc.Law, eigenvalues: NDArray[Any], *, bound: float, smear: float = 1e-3) -> None:
    """Assert that eigenvalues follow a law within `bound` in Kolmogorov distance."""
    # Exact zeros come out of the eigenvalue routines as rounding errors.
    cleaned = np.where(np.abs(eigenvalues) < 1e-10, 0.0, eigenvalues)
    rm.assert_same_law(cleaned.ravel(), law.cdf, law.atoms().locations, bound=bound, smear=smear)


def rng(seed: int) -> np.random.Generator:
    """The generator of a test."""
    return np.random.default_rng([20261, seed])


SUMS: dict[str, tuple[tuple[list[float], list[float]], ...]] = {
    "coin + coin": (([-1.0, 1.0], [0.5, 0.5]), ([-1.0, 1.0], [0.5, 0.5])),
    "with an atom": (([0.0, 1.0], [0.25, 0.75]), ([0.0, 2.0], [0.25, 0.75])),
    "three terms": (([-1.0, 0.0, 2.0], [0.25, 0.5, 0.25]), ([0.0, 1.0], [0.5, 0.5]), ([0.0, 3.0], [0.75, 0.25])),
}


@pytest.mark.parametrize("name", SUMS)
def test_free_sums(name: str) -> None:
    law = fc.boxplus(*(fc.Discrete(*term) for term in SUMS[name]))
    grids = [rm.discrete_grid(*term, SIZE) for term in SUMS[name]]
    compare(law, rm.rotated_sum(grids, rng(1)), bound=rm.kolmogorov_bound(SIZE, factors=len(grids)))


def test_a_sum_of_continuous_laws() -> None:
    law = fc.boxplus(fc.Uniform(0.0, 1.0), fc.Arcsine(-1.0, 1.0), fc.Discrete([0.0, 1.0], [0.5, 0.5]))
    grids = [
        rm.quantile_grid(lambda p: p, SIZE),
        rm.quantile_grid(lambda p: -np.cos(np.pi * p), SIZE),
        rm.discrete_grid([0.0, 1.0], [0.5, 0.5], SIZE),
    ]
    compare(law, rm.rotated_sum(grids, rng(2)), bound=rm.kolmogorov_bound(SIZE, factors=3))


def test_semicircle_and_atoms() -> None:
    atoms, weights, variance = [-2.0, 0.5, 3.0], [0.25, 0.5, 0.25], 0.25
    law = fc.boxplus(fc.Semicircle(0.0, variance), fc.Discrete(atoms, weights))
    generator = rng(3)
    gaussian = generator.standard_normal((SIZE, SIZE))
    wigner = (gaussian + gaussian.T) * np.sqrt(variance / (2.0 * SIZE))
    values = np.linalg.eigvalsh(wigner + np.diag(rm.discrete_grid(atoms, weights, SIZE)))
    compare(law, values, bound=rm.kolmogorov_bound(SIZE))


PRODUCTS: dict[str, tuple[tuple[list[float], list[float]], ...]] = {
    "atom at 0 and at 3": (([0.0, 1.0], [0.5, 0.5]), ([1.0, 3.0], [0.4, 0.6])),
    "borderline": (([0.0, 1.0], [0.5, 0.5]), ([1.0, 3.0], [0.5, 0.5])),
    "three factors": (([0.5, 2.0], [0.5, 0.5]), ([1.0, 4.0], [0.75, 0.25]), ([0.0, 1.0], [0.1, 0.9])),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_free_products(name: str) -> None:
    law = fc.boxtimes(*(fc.Discrete(*factor) for factor in PRODUCTS[name]))
    grids = [rm.discrete_grid(*factor, SIZE) for factor in PRODUCTS[name]]
    compare(law, rm.rotated_product(grids, rng(4)), bound=rm.kolmogorov_bound(SIZE, factors=len(grids)))


@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_sample_covariances(ratio: float) -> None:
    """√T W Wᵀ √T: several intervals, and an atom at 0 for more rows than columns."""
    locations, weights = [1.0, 3.0, 10.0], [0.2, 0.4, 0.4]
    law = fc.boxtimes(fc.MarchenkoPastur(ratio), fc.Discrete(locations, weights))
    population = rm.discrete_grid(locations, weights, SIZE)
    columns = round(SIZE / ratio)
    factor = np.sqrt(population)[:, None] * rng(5).standard_normal((SIZE, columns)) / np.sqrt(columns)
    values = np.linalg.eigvalsh(factor @ factor.T)
    compare(law, values, bound=rm.kolmogorov_bound(SIZE))


@pytest.mark.parametrize("t", [2, 3, 4])
def test_integer_powers(t: int) -> None:
    coin = ([0.5, 2.0], [0.5, 0.5])
    grids = [rm.discrete_grid(*coin, SIZE)] * t
    bound = rm.kolmogorov_bound(SIZE, factors=t)
    compare(fc.boxplus_power(fc.Discrete(*coin), t), rm.rotated_sum(grids, rng(6)), bound=bound)
    compare(fc.boxtimes_power(fc.Discrete(*coin), t), rm.rotated_product(grids, rng(7)), bound=bound)


@pytest.mark.parametrize("t", [0.25, 0.5, 0.8])
def test_compression_is_a_corner(t: float) -> None:
    """The corner of trace t of Q D Qᵀ; at t = .8 the atoms at −1 and 1 survive, at .5 they meet 1 exactly."""
    law = fc.compress(fc.Discrete([-1.0, 1.0], [0.5, 0.5]), t)
    grid = rm.discrete_grid([-1.0, 1.0], [0.5, 0.5], SIZE)
    corner = rm.orthogonal(SIZE, rng(8))[: round(t * SIZE)]
    values = np.linalg.eigvalsh((corner * grid) @ corner.T)
    compare(law, values, bound=rm.kolmogorov_bound(round(t * SIZE)))


@pytest.mark.parametrize("ratio", [0.75, 1.5])
def test_resizing_goes_from_rows_to_columns(ratio: float) -> None:
    """A = D W with half of D zero: A Aᵀ of size n, and AᵀA of size ratio·n."""
    columns = round(ratio * SIZE)
    law = fc.boxtimes(fc.Bernoulli(0.5), fc.MarchenkoPastur(1.0 / ratio))
    factor = rng(9).standard_normal((SIZE, columns)) / np.sqrt(columns)
    factor *= rm.discrete_grid([0.0, 1.0], [0.5, 0.5], SIZE)[:, None]
    compare(law, np.linalg.eigvalsh(factor @ factor.T), bound=rm.kolmogorov_bound(SIZE))
    compare(fc.resize(law, ratio), np.linalg.eigvalsh(factor.T @ factor), bound=rm.kolmogorov_bound(columns))


def test_layers_of_unequal_widths() -> None:
    """Two Gaussian ReLU layers of widths 600, 900, 450: ⊠ WᵀW, then the change of size, layer by layer."""
    widths = (600, 900, 450)
    law: fc.Law = fc.PointMass(1.0)
    generator, jacobian = rng(10), np.eye(600)
    for before, after in itertools.pairwise(widths):
        gram = fc.MarchenkoPastur(before / after, 2.0 * after / before)
        law = fc.boxtimes(fc.resize(fc.boxtimes(law, gram), after / before), fc.Bernoulli(0.5))
        slopes = generator.permutation(rm.discrete_grid([0.0, 1.0], [0.5, 0.5], after))
        jacobian = slopes[:, None] * (generator.standard_normal((after, before)) * np.sqrt(2.0 / before) @ jacobian)
    compare(law, np.linalg.svd(jacobian, compute_uv=False) ** 2, bound=rm.kolmogorov_bound(450, factors=4))


def test_gaussian_layers_with_exact_slopes() -> None:
    """ReLU and leaky ReLU, L = 3, the slopes in their exact shares: no scatter but that of the weights."""
    for slope in (0.0, 0.1):
        net = fc.MLP(3, fc.activations.LeakyReLU(slope) if slope else "relu", weight_variance=2.0)
        generator = rng(11)
        slopes = [generator.permutation(rm.discrete_grid([slope**2, 1.0], [0.5, 0.5], SIZE)) for _ in range(3)]
        values = rm.gaussian_layers(slopes, 2.0, generator)
        compare(net.jacobian(), values, bound=rm.kolmogorov_bound(SIZE, factors=6))


# Networks, at their criticality.  The mean squares of the activations and the shares of the slopes scatter from
# network to network by O(1/√width), and with them the moments: hence many networks, and errors from their scatter.
WIDTH, NETWORKS = 400, 20

JACOBIANS = {
    "ReLU, Gaussian": fc.MLP(3, "relu", weight_variance=2.0),
    "ReLU, orthogonal": fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0),
    "leaky ReLU, Gaussian": fc.MLP(3, fc.activations.LeakyReLU(0.1), weight_variance=2.0 / 1.01),
    "leaky ReLU, orthogonal": fc.MLP(
        3, fc.activations.LeakyReLU(0.1), weights="orthogonal", weight_variance=2.0 / 1.01
    ),
    "hard tanh, Gaussian": fc.MLP(3, "hard_tanh", weight_variance=1.1, bias_variance=0.02, input_variance=0.25),
    "hard tanh, orthogonal": fc.MLP(
        3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25
    ),
}


@cache
def simulated(net: fc.MLP, kind: Kind, width: int, networks: int) -> Array:
    """Eigenvalues (networks, width) of finite networks."""
    if kind == "jacobian":
        return net.simulate_jacobian(width, networks, rng(12))
    return net.simulate_ntk(width, networks, rng(13))


def assert_moments(law: fc.Law, eigenvalues: Array, orders: tuple[int, ...] = (1, 2, 3)) -> None:
    """Assert means over the networks within SIGMAS standard errors and the bias of a finite width, k²/width."""
    width = eigenvalues.shape[1]
    for k in orders:
        each = np.mean(eigenvalues**k, axis=1)
        error = np.std(each, ddof=1) / np.sqrt(len(each))
        exact = law.moment(k)
        assert abs(np.mean(each) - exact) < SIGMAS * error + k * k / width * exact, (k, np.mean(each), error, exact)
        assert error < 0.15 * k * exact, "the comparison says nothing"


def network_bound(width: int, networks: int, depth: int) -> float:
    """Kolmogorov distance of all eigenvalues of many networks together.

    A network's distribution function is off by the share of active units in its layers, each of standard deviation at
    most 1/(2√width), which √networks averages; and by O(depth/width) in the mean.
    """
    return SIGMAS * 0.5 * math.sqrt(depth / (width * networks)) + 4.0 * depth / width


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians_of_networks(name: str) -> None:
    net = JACOBIANS[name]
    law, eigenvalues = net.jacobian(), simulated(net, "jacobian", WIDTH, NETWORKS)
    assert_moments(law, eigenvalues)
    compare(law, eigenvalues, bound=network_bound(WIDTH, NETWORKS, net.depth))


@pytest.mark.parametrize("depth", [3, 6, 20])
def test_tangent_kernels_with_exact_slopes(depth: int) -> None:
    """H ← 1 + W D H D Wᵀ with half of D zero: no scatter but that of the weights; 3/width seen at all depths."""
    width, generator = 400, rng(14)
    kernel = np.eye(width)
    for _ in range(depth - 1):
        slopes = generator.permutation(rm.discrete_grid([0.0, 1.0], [0.5, 0.5], width))
        backward = generator.standard_normal((width, width)) * np.sqrt(2.0 / width) * slopes
        kernel = backward @ kernel @ backward.T + np.eye(width)
    law = fc.MLP(depth, "relu", weight_variance=2.0).ntk()
    compare(law, np.linalg.eigvalsh(kernel), bound=rm.kolmogorov_bound(width, factors=1), smear=1e-6)


def assert_kernels(net: fc.MLP, width: int, networks: int) -> None:
    """Compare the kernels of networks with the law.

    The mean square of the activations takes a factor of relative variance 5/width in each ReLU layer, so that a kernel
    is off by a factor of standard deviation s = √(5 L/width), its distribution function by x f(x) ≤ 1/4 times as much,
    and in the mean by about s²/4.  The atom scatters by s as well: points within 4s of it are left out.
    """
    law, eigenvalues = net.ntk(), simulated(net, "ntk", width, networks)
    deviation = float(np.sqrt(5.0 * net.depth / width))
    assert_moments(law, eigenvalues, orders=(1, 2))
    bound = 0.25 * (SIGMAS * deviation / np.sqrt(networks) + deviation**2)
    compare(law, eigenvalues, bound=bound, smear=SIGMAS * deviation / float(np.ptp(eigenvalues)))


@pytest.mark.parametrize("depth", [3, 6, 20])
def test_tangent_kernels_of_networks(depth: int) -> None:
    assert_kernels(fc.MLP(depth, "relu", weight_variance=2.0), WIDTH, NETWORKS)


@pytest.mark.parametrize("depth", [3, 6])
def test_orthogonal_tangent_kernels_of_networks(depth: int) -> None:
    assert_kernels(fc.MLP(depth, "relu", weights="orthogonal", weight_variance=2.0), WIDTH // 2, NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("depth", [3, 6, 20])
def test_wide_tangent_kernels(depth: int, weights: str) -> None:
    assert_kernels(fc.MLP(depth, "relu", weights=weights, weight_variance=2.0), 600, 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", JACOBIANS)
def test_wide_jacobians(name: str) -> None:
    net = JACOBIANS[name]
    law, eigenvalues = net.jacobian(), simulated(net, "jacobian", 600, 20)
    assert_moments(law, eigenvalues)
    compare(law, eigenvalues, bound=network_bound(600, 20, net.depth))
