"""The kernel of forward chains against the general blocks, where parameters are near-degenerate, deep, tiny or huge."""

from __future__ import annotations

import numpy as np
import pytest

import freeconv as fc
from freeconv.engine import solver
from freeconv.evaluation import Status
from tests import tolerances

COIN, GAUSS = fc.Bernoulli(0.5), fc.MarchenkoPastur(0.7)
NEAR = [1e-15, -1e-15, 1e-9, -1e-9, 1e-3]

LAWS = {
    **{f"ratio 1 + {e}": fc.boxtimes(fc.MarchenkoPastur(1.0 + e), COIN) for e in NEAR},
    **{f"ratio 1/p + {e}": fc.boxtimes(COIN, fc.MarchenkoPastur(2.0 + e)) for e in NEAR},
    **{f"atoms meet 1 + {e}": fc.boxtimes(COIN, fc.Bernoulli(0.5 + e)) for e in NEAR},
    **{f"weight {e}": fc.boxtimes(fc.Bernoulli(e), GAUSS, fc.MarchenkoPastur()) for e in (1e-12, 1e-6)},
    **{f"gap {e}": fc.boxtimes(GAUSS, fc.Discrete([1.0, 1.0 + e], [0.5, 0.5])) for e in (1e-12, 1e-6, 1e-3)},
    **{
        f"component {e}": fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete([1.0, 3.0], [1.0 - e, e]))
        for e in (1e-9, 1e-3)
    },
    **{f"kernel {e}": fc.boxtimes(COIN, 1.0 + e * fc.boxtimes(COIN, GAUSS)) for e in (1e-9, 1e-3, 1e9)},
    **{f"scale {s}": fc.boxtimes(fc.Bernoulli(0.5, s), GAUSS) for s in (1e-150, 1e-30, 1e100, 1e150)},
    **{f"atoms of scale {s}": fc.boxtimes(GAUSS, fc.Discrete([s, 3.0 * s], [0.5, 0.5])) for s in (1e-150, 1e150)},
    **{f"ReLU, depth {n}": fc.MLP(n, weight_variance=2.0).jacobian() for n in (2, 50, 200)},
    **{f"Haar ReLU, depth {n}": fc.MLP(n, weights="orthogonal", weight_variance=2.0).jacobian() for n in (2, 50, 200)},
    "kernel, depth 20": fc.MLP(20, "hard_tanh", weight_variance=1.3, bias_variance=0.1).ntk(),
    "three atoms to the 10": fc.boxtimes(GAUSS, fc.boxtimes_power(fc.Discrete([0.0, 1.0, 3.0], [0.3, 0.4, 0.3]), 10.0)),
    "moved": 3.0 * fc.boxtimes(COIN, GAUSS) - 7.0,
    "resized": fc.resize(fc.boxtimes(COIN, GAUSS, fc.MarchenkoPastur(2.0)), 1.7),
    "tanh to the 20": fc.boxtimes_power(fc.boxtimes(fc.SlopeLaw("tanh", 0.57), GAUSS), 20.0),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_the_kernel_agrees_with_the_general_blocks(law: fc.Law) -> None:
    support = law.support()
    share = np.concatenate([np.geomspace(1e-13, 0.5, 20), 1.0 - np.geomspace(1e-13, 0.5, 20)])
    x = np.unique(np.concatenate([low + (high - low) * share for low, high in support]))
    own = law.evaluate(x)
    # Potentials are the general blocks' only.
    density, cdf, _, status, *_ = solver(law).evaluate(x, True, True, True, 1)
    proven = np.isin(own.status, [Status.CERTIFIED, Status.RECOVERED])
    proven &= np.isin(status, [Status.CERTIFIED, Status.RECOVERED])
    assert proven.sum() > 0.5 * x.size
    allowed = tolerances.density_tolerance(x, support.ravel())
    assert (np.abs(own.density - density)[proven] <= (allowed * density)[proven]).all()
    assert cdf is not None
    np.testing.assert_allclose(own.cdf[proven], cdf[proven], rtol=0.0, atol=tolerances.CDF)
    # ... and so does the batch, with its own starts.
    inside = fc.densities([law], x[proven])[0]
    assert (np.abs(inside - density[proven]) <= (allowed * density)[proven]).all()


@pytest.mark.parametrize(
    "law",
    [
        fc.MLP(3, weight_variance=2.0).jacobian(),
        fc.MLP(30, "hard_tanh", weight_variance=1.3, bias_variance=0.1).jacobian(),
        fc.MLP(5, "hard_tanh", weights="orthogonal", weight_variance=1.3, bias_variance=0.1).ntk(),
        fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete([1.0, 3.0, 10.0], [0.4, 0.3, 0.3])),
        2.5 * fc.boxtimes(fc.boxtimes_power(fc.SlopeLaw("tanh", 0.57), 3.0), fc.MarchenkoPastur()) + 0.1,
    ],
    ids=["ReLU", "hard tanh", "kernel", "atoms", "tanh"],
)
def test_one_newton_step_a_point_is_enough(law: fc.Law) -> None:
    x = np.concatenate([low + (high - low) * (np.arange(4000) + 0.5) / 4000 for low, high in law.support()])
    found = law.evaluate(x)
    assert (found.status == Status.CERTIFIED).all()
    assert found.iterations.mean() < 1.5


def test_a_point_has_the_same_bits_alone_in_a_sorted_block_and_in_a_shuffled_one() -> None:
    rng = np.random.default_rng(5)
    for law in (LAWS["kernel, depth 20"], LAWS["moved"], LAWS["component 0.001"], LAWS["ReLU, depth 200"]):
        low, high = law.support()[0, 0], law.support()[-1, 1]
        x = np.sort(low + (high - low) * rng.uniform(-0.01, 1.01, 500))
        order = rng.permutation(x.size)
        for method in (law.density, law.cdf):
            values = method(x)
            np.testing.assert_array_equal(method(x[order]), values[order])
            np.testing.assert_array_equal([method(t) for t in x[::29]], values[::29])


def test_batches_march_the_same_way_for_any_points() -> None:
    laws = [fc.MLP(3, "hard_tanh", weight_variance=1.0 + 0.1 * k, bias_variance=0.1).jacobian() for k in range(5)]
    x = np.sort(np.concatenate([np.linspace(0.001, 4.0, 300), np.geomspace(1e-9, 1e-3, 33)]))
    whole = fc.densities(laws, x)
    for part in (slice(0, 40), slice(200, 203), slice(None, None, 7)):
        np.testing.assert_array_equal(fc.densities(laws, x[part]), whole[:, part])


@pytest.mark.parametrize(
    ("law", "x"),
    [
        (fc.boxtimes(fc.MarchenkoPastur(1 + 1e-12), 9e-13 * fc.boxtimes(fc.Bernoulli(1e-9), GAUSS) + 1e-3), 3.8e-10),
        (
            fc.boxtimes(
                fc.MarchenkoPastur(1.865),
                1.08 * fc.boxtimes(fc.MarchenkoPastur(), 5.6e-13 * fc.boxtimes(fc.Bernoulli(1e-9), GAUSS) + 1e-3)
                + 1e-9,
            ),
            4.39e-5,
        ),
    ],
    ids=["one stage", "two stages"],
)
def test_a_small_step_of_the_unknown_may_be_a_large_one_of_z(law: fc.Law, x: float) -> None:
    """The innermost law is a billionth of mass, 1e-12 small: densities were off by 4e-9, told as 6e-12."""
    low, high = law.support()[0]
    points = np.unique(np.concatenate([np.geomspace(max(x / 30.0, 1.001 * low), 30.0 * x, 40), [x]]))
    points = points[points < high]
    own = law.evaluate(points)
    density, _, _, status, *_ = solver(law).evaluate(points, True, True, True, 1)
    both = np.isin(own.status, [Status.CERTIFIED, Status.RECOVERED]) & np.isin(status, [0, 3])
    assert both.sum() > 20
    np.testing.assert_allclose(own.density[both], density[both], rtol=2e-11)


def agree_with_the_general_blocks(law: fc.Law, x: np.ndarray, rtol: float) -> None:
    own = law.evaluate(x)
    density, cdf, _, status, *_ = solver(law).evaluate(x, True, True, True, 1)
    assert cdf is not None
    assert np.isin(own.status, [Status.CERTIFIED, Status.RECOVERED]).all()
    assert np.isin(status, [0, 3]).all()
    np.testing.assert_allclose(own.density, density, rtol=rtol)
    np.testing.assert_allclose(own.cdf, cdf, rtol=0.0, atol=1e-12)


def coins(power: int) -> fc.Law:
    return fc.boxtimes_power(fc.boxtimes(fc.Bernoulli(0.999), fc.Bernoulli(0.7)), float(power))


@pytest.mark.parametrize("power", [1000, 1001, 1005])
def test_residuals_of_products_of_1e_153_keep_their_digits(power: int) -> None:
    """The double-double residual times xD left the doubles: errors of 1e-13 to 1e-11, told as 9e-16."""
    law = coins(power)
    ((_, high),) = law.support()
    x = high * (1.0 - np.geomspace(1e-6, 1e-3, 200))
    assert (law.evaluate(x).accuracy < 1e-14).all()
    agree_with_the_general_blocks(law, x, 2e-15)


@pytest.mark.parametrize("power", [1010, 1020, 1030])
@pytest.mark.parametrize("shift", [1e-150, 1e-155])
def test_inner_products_of_1e_155_have_no_squares(power: int, shift: float) -> None:
    """1/K with |K|^2 among the subnormals: F was off by up to 5e-7, densities by 1e-10."""
    law = fc.boxtimes(fc.MarchenkoPastur(0.7), coins(power) + shift)
    low, high = law.support()[0]
    x = low + (high - low) * np.linspace(0.02, 0.98, 200)
    agree_with_the_general_blocks(law, x, 2e-11)


@pytest.mark.parametrize("exponent", [-120, -80, 60, 80, 120])
def test_atoms_of_any_scale(exponent: int) -> None:
    """At 1e120 the kernel lost the slope of log K, and densities were off by 5e-6."""
    scale = 10.0**exponent
    locations, weights = np.array([1.0, 2.0, 5.0]), [0.3, 0.3, 0.4]
    law, one = (fc.boxtimes(fc.MarchenkoPastur(0.7), fc.Discrete(s * locations, weights)) for s in (scale, 1.0))
    low, high = one.support()[0]
    x = low + (high - low) * np.concatenate([np.geomspace(1e-5, 0.5, 50), 1.0 - np.geomspace(1e-5, 0.5, 50)])
    own, plain = law.evaluate(scale * x), one.evaluate(x)
    tolerance = tolerances.density_tolerance(x, one.support().ravel())
    assert (np.abs(own.density * scale / plain.density - 1.0) <= 2.0 * tolerance).all()
    np.testing.assert_allclose(own.cdf, plain.cdf, rtol=0.0, atol=1e-11)


def test_what_is_told_of_a_density_is_told_of_this_one() -> None:
    """Where the chain knew a density and the general blocks F, the blocks' accuracy stood beside it."""
    inner = fc.boxtimes_power(fc.boxtimes(fc.Bernoulli(0.5074), fc.MarchenkoPastur(1.0, 2.0)), 5000.0)
    law = fc.boxtimes(fc.MarchenkoPastur(0.795), inner * (1.55 / inner.mean()) + 0.438)
    low, high = law.support()[-1]
    x = np.linspace(low, high, 302)[1:-1]
    own = law.evaluate(x)
    density, _, _, _, _, accuracy, *_ = solver(law).evaluate(x, True, True, True, 1)
    assert (np.abs(own.density / density - 1.0) <= own.accuracy + accuracy).all()
    assert (own.accuracy > 1e-14).any()


@pytest.mark.parametrize("scale", [0.484, 0.4855])
def test_powers_among_the_subnormals_are_not_certified(scale: float) -> None:
    """(c + d)^1000 of 1e-316 beside one that makes up for it: densities and F were off by 2e-8, told as 4e-13."""

    def product(a: float, b: float) -> fc.Law:
        return fc.boxtimes(
            fc.boxtimes_power(fc.MarchenkoPastur(0.7, a), 1000.0), fc.boxtimes_power(fc.MarchenkoPastur(0.3, b), 1001.0)
        )

    law, one = product(scale, 2.03), product(1.0, 1.0)
    high, unit = law.support()[0, 1], one.support()[0, 1]
    part = np.linspace(0.01, 0.99, 300)
    own, plain = law.evaluate(high * part), one.evaluate(unit * part)
    np.testing.assert_allclose(own.density * (high / unit), plain.density, rtol=1e-10)
    np.testing.assert_allclose(own.cdf, plain.cdf, rtol=0.0, atol=1e-12)


def test_f_of_nearly_square_products_does_not_cancel() -> None:
    """Ratios of 1e-22: two terms of 1e11 are the whole of F, which is left to blocks that do not take them apart."""
    law = fc.boxtimes(fc.MarchenkoPastur(1e-22), fc.MarchenkoPastur(5e-23))
    x = 1.0 + np.arange(-40, 40) * np.spacing(1.0)
    cdf = np.asarray(law.cdf(x))
    assert (np.diff(cdf) > 0.0).all()
    density = np.asarray(law.density(x))
    np.testing.assert_allclose(np.diff(cdf), 0.5 * (density[1:] + density[:-1]) * np.spacing(1.0), rtol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-60, 1e60])
def test_angles_of_atoms_of_one_weight_are_those_of_their_product(scale: float) -> None:
    # Runs of 1 to 20 atoms of a weight; as separate angles where the weights are moved by 1e-15.
    rng = np.random.default_rng(0)
    counts = [1, 7, 8, 9, 20, 2]
    weights = np.repeat(rng.uniform(0.5, 1.5, len(counts)), counts)
    weights /= weights.sum()
    locations = scale * np.sort(np.exp(rng.uniform(-3.0, 3.0, weights.size)))
    moved = weights * (1.0 + 1e-15 * rng.permutation(np.linspace(-1.0, 1.0, weights.size)))
    assert np.unique(moved).size > 20
    for ratio in (0.02, 0.5, 3.0):
        law, apart = (fc.boxtimes(fc.MarchenkoPastur(ratio), fc.Discrete(locations, w)) for w in (weights, moved))
        x = law.quantile(np.linspace(0.001, 0.999, 400))
        np.testing.assert_allclose(law.cdf(x), apart.cdf(x), rtol=0.0, atol=2.0 * tolerances.CDF)
