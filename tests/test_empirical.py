"""Laws of samples: exact weights, and the spectra that they predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from tests.tolerances import CDF, REFERENCE


def test_equal_samples_are_one_atom() -> None:
    assert fc.Empirical([2, 1, 2, 2]) == fc.Discrete([1.0, 2.0], [0.25, 0.75])
    assert fc.Empirical(np.array([3.0, 3.0])) == fc.PointMass(3.0)
    assert fc.Empirical([1.0, 2.0, 5.0], [1.0, 3.0, 0.0]) == fc.Discrete([1.0, 2.0], [0.25, 0.75])
    assert fc.Empirical([1.0, 2.0], [1e308, 1e308]) == fc.Discrete([1.0, 2.0], [0.5, 0.5])


def test_moments_are_those_of_the_samples() -> None:
    samples = np.random.default_rng(0).normal(size=500)
    law = fc.Empirical(samples)
    for k in range(1, 5):
        assert law.moment(k) == pytest.approx(float(np.mean(samples**k)), rel=1e-12)


def test_a_sample_covariance_matrix() -> None:
    rng = np.random.default_rng(1)
    population = rng.uniform(0.5, 2.0, size=400)
    law = fc.boxtimes(fc.Empirical(population), fc.MarchenkoPastur(ratio=0.5))
    data = np.sqrt(population)[:, None] * rng.normal(size=(400, 800)) / np.sqrt(800)
    eigenvalues = np.linalg.eigvalsh(data @ data.T)
    assert fc.compare(law, eigenvalues).kolmogorov_distance < 0.01


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, "samples must have at least one entry, got none"),
        (([1.0, float("nan")],), ValueError, r"samples\[1\] must be finite, got nan"),
        (("12",), TypeError, "samples must be a sequence of real numbers, got '12'"),
        ((np.ones((2, 2)),), ValueError, r"samples must have one dimension, got an array of shape \(2, 2\)"),
        (([1.0], [1.0, 2.0]), ValueError, "samples and weights must be of one length, got 1 and 2"),
        (([1.0, 2.0], [1.0, -2.0]), ValueError, r"weights\[1\] must be >= 0, got -2.0"),
        (([1.0, 2.0], [0.0, 0.0]), ValueError, "weights must not all be 0"),
    ],
)
def test_samples_that_are_none(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fc.Empirical(*arguments)


def many_samples(kind: str, size: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(7)
    if kind == "spread":
        return rng.uniform(0.5, 2.0, size)
    if kind == "clusters":
        return rng.choice([1.0, 4.0], size) + 0.01 * rng.normal(size=size)
    if kind == "powers":
        return np.asarray(10.0 ** rng.uniform(-3.0, 1.0, size))
    if kind == "huge":
        return 1e100 * rng.uniform(0.5, 2.0, size)
    if kind == "tiny":
        return 1e-100 * rng.uniform(0.5, 2.0, size)
    return np.repeat(rng.uniform(0.5, 2.0, size // 4), 4)


def exact_density(
    atoms: NDArray[np.float64], weights: NDArray[np.float64], ratio: float, law: fc.Law, x: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The density of MP(ratio) ⊠ atoms from z(ω) = ω (1 + ratio m(ω)), with sums over all atoms, at any scale.

    Newton's steps start from the law's own subordination points, so that all that is seen is how the sums differ.
    """
    scale = float(np.max(atoms))
    a = atoms[:, None] / scale
    w = weights[:, None]
    omega = np.asarray(law.subordination(x))
    own = omega[int(np.argmin([np.abs(_residual(a, w, ratio, row / scale, x / scale)).max() for row in omega]))] / scale
    for _ in range(3):
        r = 1.0 / (own - a)
        m = np.sum(w * a * r, axis=0)
        slope = 1.0 + ratio * m - ratio * own * np.sum(w * a * r * r, axis=0)
        own = own - _residual(a, w, ratio, own, x / scale) / slope
    m = np.sum(w * a / (own - a), axis=0)
    return np.asarray(-(m / x).imag / np.pi)


def _residual(
    a: NDArray[np.float64], w: NDArray[np.float64], ratio: float, omega: NDArray[np.complex128], x: NDArray[np.float64]
) -> NDArray[np.complex128]:
    return np.asarray(omega * (1.0 + ratio * np.sum(w * a / (omega - a), axis=0)) - x)


def inner_points(law: fc.Law, count: int, margin: float = 0.02) -> NDArray[np.float64]:
    low, high = law.support()[0]
    return np.asarray(low + (high - low) * np.linspace(margin, 1.0 - margin, count))


@pytest.mark.parametrize("kind", ["spread", "clusters", "powers", "huge", "tiny", "equal"])
def test_densities_of_many_samples_are_those_of_all_atoms(kind: str) -> None:
    samples = many_samples(kind, 2000)
    law = fc.boxtimes(fc.Empirical(samples), fc.MarchenkoPastur(ratio=0.5))
    x = inner_points(law, 100)
    wanted = exact_density(samples, np.full(2000, 1.0 / 2000), 0.5, law, x)
    np.testing.assert_allclose(law.density(x), wanted, rtol=REFERENCE / 10.0)


def test_weights_of_many_sizes() -> None:
    rng = np.random.default_rng(8)
    samples = rng.uniform(0.5, 2.0, 1500)
    weights = 10.0 ** rng.uniform(-12.0, 0.0, 1500)
    law = fc.boxtimes(fc.Empirical(samples, weights), fc.MarchenkoPastur(ratio=0.5))
    x = inner_points(law, 60)
    np.testing.assert_allclose(
        law.density(x), exact_density(samples, weights / weights.sum(), 0.5, law, x), rtol=REFERENCE / 10.0
    )


def test_the_distribution_function_of_many_samples() -> None:
    law = fc.boxtimes(fc.Empirical(many_samples("spread", 2000)), fc.MarchenkoPastur(ratio=0.5))
    low, high = inner_points(law, 2, margin=0.2)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    mass = half * np.sum(weights * law.density(middle + half * nodes))
    assert law.cdf(high) - law.cdf(low) == pytest.approx(mass, abs=10.0 * CDF)
    assert law.cdf(law.quantile(0.3)) == pytest.approx(0.3, abs=10.0 * CDF)


def test_an_atom_at_zero_among_many() -> None:
    samples = np.concatenate([np.zeros(600), many_samples("spread", 1400)])
    law = fc.boxtimes(fc.Empirical(samples), fc.MarchenkoPastur(ratio=0.5))
    np.testing.assert_allclose(law.atoms().weights, [0.3], rtol=1e-15)
    assert law.cdf(law.support()[0, 0] / 2.0) == pytest.approx(0.3, abs=CDF)
    x = inner_points(law, 50)
    wanted = exact_density(samples, np.full(2000, 1.0 / 2000), 0.5, law, x)
    np.testing.assert_allclose(law.density(x), wanted, rtol=REFERENCE / 10.0)


def test_a_sum_with_many_samples() -> None:
    rng = np.random.default_rng(9)
    samples = rng.normal(size=2000)
    law = fc.boxplus(fc.Empirical(samples), fc.Semicircle(variance=0.5))
    x = np.linspace(-1.5, 1.5, 40)
    g = law.cauchy(x)
    # G(z) = G_samples(z − v G(z))
    own = np.mean(1.0 / ((x - 0.5 * g) - samples[:, None]), axis=0)
    np.testing.assert_allclose(own, g, rtol=1e-11)


def test_bits_depend_neither_on_workers_nor_on_other_points() -> None:
    law = fc.boxtimes(fc.Empirical(many_samples("powers", 3000)), fc.MarchenkoPastur(ratio=0.5))
    x = inner_points(law, 3000)
    values = law.density(x)
    np.testing.assert_array_equal(values, law.density(x, workers=2))
    np.testing.assert_array_equal(values[::97], [law.density(point) for point in x[::97]])


@pytest.mark.slow
def test_a_hundred_thousand_samples_of_a_smooth_law() -> None:
    count = 100_000
    samples = 0.5 + 1.5 * (np.arange(count) + 0.5) / count
    law = fc.boxtimes(fc.Empirical(samples), fc.MarchenkoPastur(ratio=0.5))
    limit = fc.boxtimes(fc.Uniform(0.5, 2.0), fc.MarchenkoPastur(ratio=0.5))
    np.testing.assert_allclose(law.support(), limit.support(), rtol=1e-9)
    x = inner_points(limit, 200)
    # The midpoint rule's error is (width/count)²/24 of the second derivative.
    np.testing.assert_allclose(law.density(x), limit.density(x), rtol=1e-8)
    np.testing.assert_allclose(law.cdf(x), limit.cdf(x), atol=1e-9)
