"""R, S, G and the subordination points against closed forms and against one another."""

from __future__ import annotations

import numpy as np
import pytest

import freeconv as fc
from tests.names import name_of

COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
POINTS = np.array([0.3 + 0.7j, -2.0 + 0.01j, 5.0 + 1e-6j, 40.0 + 3.0j, 1e-3 + 1e3j])


@pytest.mark.parametrize(
    ("law", "closed"),
    [
        (fc.Semicircle(1.0, 2.0), lambda g: 1.0 + 2.0 * g),
        (fc.MarchenkoPastur(0.5, 3.0), lambda g: 3.0 / (1.0 - 1.5 * g)),
        (fc.FreePoisson(0.3, -2.0), lambda g: -0.6 / (1.0 + 2.0 * g)),
        (COIN, lambda g: (np.sqrt(1.0 + 4.0 * g * g) - 1.0) / (2.0 * g)),
        (fc.Arcsine(-2.0, 2.0), lambda g: (np.sqrt(1.0 + 4.0 * g * g) - 1.0) / g),
        (fc.boxplus(COIN, fc.Semicircle()), lambda g: g + (np.sqrt(1.0 + 4.0 * g * g) - 1.0) / (2.0 * g)),
        (2.0 * fc.boxplus(COIN, COIN) + 1.0, lambda g: 1.0 + 2.0 * (np.sqrt(1.0 + 16.0 * g * g) - 1.0) / (2.0 * g)),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("g", [0.2, -0.15, 0.05 + 0.1j])
def test_r_transform_closed(law: fc.Law, closed: object, g: complex) -> None:
    assert callable(closed)
    assert law.r_transform(g) == pytest.approx(closed(g), rel=1e-12)
    assert isinstance(law.r_transform(g), complex if isinstance(g, complex) else float)


@pytest.mark.parametrize(
    ("law", "closed"),
    [
        (fc.MarchenkoPastur(0.5, 3.0), lambda m: 1.0 / (3.0 * (1.0 + 0.5 * m))),
        (fc.Bernoulli(0.3, 2.0), lambda m: (1.0 + m) / (2.0 * (0.3 + m))),
        (fc.FreePoisson(0.3, 2.0), lambda m: 1.0 / (2.0 * (0.3 + m))),
        (fc.PointMass(4.0), lambda m: 0.25),
        (fc.MLP(3, "relu", weight_variance=2.0).jacobian(), lambda m: (1.0 / (1.0 + 2.0 * m)) ** 3),
        # Size change r: m → m/r and K → K (1+m)/(r+m), m that of the smaller matrix, here 3 m.
        (
            fc.resize(fc.boxtimes(fc.MarchenkoPastur(), fc.Bernoulli(0.5)), 3.0),
            lambda m: (1.0 + 3.0 * m) / ((0.5 + 3.0 * m) * (1.0 + 3.0 * m)) * (3.0 + 3.0 * m) / (1.0 + 3.0 * m),
        ),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("m", [-0.2, 0.3, 0.1 + 0.2j])
def test_s_transform_closed(law: fc.Law, closed: object, m: complex) -> None:
    assert callable(closed)
    assert law.s_transform(m) == pytest.approx(closed(m), rel=1e-12)


def test_transforms_at_zero_and_nan() -> None:
    law = fc.boxplus(COIN, fc.MarchenkoPastur(0.5))
    assert law.r_transform(0.0) == 1.0
    assert law.s_transform(0) == 1.0
    assert np.isnan(law.r_transform([np.nan, 0.1]))[0]
    with pytest.raises(ValueError, match="mean != 0"):
        COIN.s_transform(0.1)


@pytest.mark.parametrize(
    ("law", "z"),
    [
        (fc.Discrete([-1.0, 0.0, 1.0], [0.25, 0.5, 0.25]), 1.1),
        (fc.compress(fc.Discrete([0.0, 3.0], [0.5, 0.5]), 0.9), 5.0),
        (fc.boxplus(fc.Discrete([0, 5.14], [0.953, 0.047]), fc.Bernoulli(0.76, 2.2)), 7.6),
        (fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1, 2], [0.5, 0.5])), 5.4),
        (fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1, 2], [0.5, 0.5])), 0.05),
        (fc.Uniform(1.0, 2.0), 0.9),
        (fc.Discrete([0, 1], [1e-6, 1 - 1e-6]) + 0.688, 0.6),
        (fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1, 2], [0.5, 0.5])), -1.0),
    ],
    ids=repr,
)
def test_r_transform_inverts_g_outside(law: fc.Law, z: float) -> None:
    """Beside the support the nearest branch point is close; Newton alone changed the branch here."""
    g = law.cauchy(z).real
    assert law.r_transform(g) + 1.0 / g == pytest.approx(z, rel=1e-11)


@pytest.mark.parametrize("count", [5, 20, 90, 400])
def test_transforms_of_many_atoms_keep_their_branch(count: int) -> None:
    # Steps as long as half of the largest atom went over the small ones: S came out negative for nine in ten of these.
    samples = np.random.default_rng(count).standard_normal(count) ** 2
    for law in (fc.Empirical(samples), fc.boxtimes(fc.Empirical(samples), fc.MarchenkoPastur(0.5))):
        below = -np.array([1e-4, 1e-2, 0.3, 20.0])
        m = below * law.cauchy(below).real - 1.0
        np.testing.assert_allclose((1.0 + m) / (m * law.s_transform(m)), below, rtol=1e-9)
        highest = law.support().max(initial=samples.max())
        outside = np.array([-3.0, -1e-3, highest + 1e-3, 2.0 * highest])
        g = law.cauchy(outside).real
        np.testing.assert_allclose(law.r_transform(g) + 1.0 / g, outside, rtol=1e-9)


def test_s_transform_inverts_m_above_the_support() -> None:
    law = fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1, 2], [0.5, 0.5]))
    m = 5.4 * law.cauchy(5.4).real - 1.0
    assert (1.0 + m) / (m * law.s_transform(m)) == pytest.approx(5.4, rel=1e-12)


@pytest.mark.parametrize(
    "factors",
    [
        (fc.Semicircle(), COIN),
        (fc.Uniform(-1.0, 1.0), fc.Arcsine(0.0, 3.0), fc.Discrete([-1.0, 0.0, 4.0], [0.25, 0.25, 0.5])),
    ],
    ids=repr,
)
def test_subordination_of_sums(factors: tuple[fc.Law, ...]) -> None:
    law = fc.boxplus(*factors)
    omega = law.subordination(POINTS)
    g = law.cauchy(POINTS)
    assert omega.shape == (len(factors), *POINTS.shape)
    assert np.all(omega.imag >= POINTS.imag * (1.0 - 1e-12))
    for factor, points in zip(factors, omega, strict=True):
        np.testing.assert_allclose(factor.cauchy(points), g, rtol=1e-11)
    np.testing.assert_allclose(omega.sum(axis=0), POINTS + (len(factors) - 1) / g, rtol=1e-11)


def test_subordination_of_products() -> None:
    factors = (fc.MarchenkoPastur(0.5), fc.Discrete([1.0, 2.0], [0.5, 0.5]), fc.Uniform(0.0, 1.0))
    law = fc.boxtimes(*factors)
    m = POINTS * law.cauchy(POINTS) - 1.0
    for factor, points in zip(factors, law.subordination(POINTS), strict=True):
        np.testing.assert_allclose(points * factor.cauchy(points) - 1.0, m, rtol=1e-9)


def test_subordination_on_the_axis() -> None:
    law = fc.boxplus(fc.Semicircle(), COIN)
    inside, outside = law.subordination([0.5, 3.0]).T
    assert np.all(inside.imag > 0.0)
    assert np.all(outside.imag == 0.0)
    g = fc.Discrete([-1.0, 1.0], [0.5, 0.5]).cauchy(inside[1])
    assert -g.imag / np.pi == pytest.approx(law.density(0.5), rel=1e-12)
    with pytest.raises(ValueError, match="free convolution"):
        fc.Semicircle().subordination(1j)


def test_cauchy_where_it_vanishes() -> None:
    """In the gap of a symmetric law G(0) = 0, where F and a subordination point are infinite."""
    law = fc.boxplus(fc.Semicircle(variance=0.1), COIN)
    assert abs(law.cauchy(0.0)) < 1e-12
    assert law.cauchy(1e-3) == pytest.approx(-law.cauchy(-1e-3), rel=1e-9)
    assert law.density(0.0) == 0.0


@pytest.mark.parametrize(
    "law",
    [
        fc.MarchenkoPastur(2.0),
        fc.resize(fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Bernoulli(0.5)), 0.8),
        1.0 - 2.0 * fc.boxtimes(fc.MarchenkoPastur(0.1), fc.Discrete([1, 4], [0.5, 0.5])),
        fc.MLP(3, "relu", weight_variance=2.0).ntk(),
    ],
    ids=repr,
)
def test_cauchy_is_the_transform_of_density_and_atoms(law: fc.Law) -> None:
    # ∫ f/(z − x) in x = low + width sin²(θ/2): smooth at square-root edges and at x^(-1/2).
    theta, weights = np.polynomial.legendre.leggauss(600)
    theta, weights = 0.5 * np.pi * (theta + 1.0), 0.5 * np.pi * weights
    z = np.array([0.5 + 1.0j, -3.0 - 0.5j, 30.0 + 0.1j])
    total = np.zeros(3, dtype=complex)
    for low, high in law.support():
        x = low + (high - low) * np.sin(0.5 * theta) ** 2
        measure = weights * 0.5 * (high - low) * np.sin(theta) * law.density(x)
        total += (measure / (z[:, None] - x)).sum(axis=1)
    atoms = law.atoms()
    total += (atoms.weights / (z[:, None] - atoms.locations)).sum(axis=1)
    np.testing.assert_allclose(law.cauchy(z), total, rtol=1e-8)
