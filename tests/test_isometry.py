"""The limit laws of dynamical isometry: Lambert's W, edges, moments, and deep networks that come near them."""

from __future__ import annotations

import math
import pickle

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import lambertw

import freeconv as fc
from tests.tolerances import EDGE, MOMENT

VARIANCES = (0.3, 0.5, 1.0, 2.0)


def lambert_cauchy(x: NDArray[np.float64], s: float) -> NDArray[np.complex128]:
    """s/(x (s + W₀(−s/x))) at x + i0, from the closed form of the Bernoulli class."""
    return np.asarray(s / (x * (s + lambertw(-s / x + 0j).conj())), dtype=np.complex128)


@pytest.mark.parametrize("s", VARIANCES)
def test_the_bernoulli_class_is_lamberts(s: float) -> None:
    law = fc.isometry_limit("bernoulli", s)
    np.testing.assert_allclose(law.support(), [[0.0, math.e * s]], rtol=EDGE)
    x = math.e * s * np.array([1e-30, 1e-9, 1e-3, 0.1, 0.5, 0.99, 1.0 - 1e-6])
    np.testing.assert_allclose(law.density(x), np.abs(lambert_cauchy(x, s).imag) / np.pi, rtol=1e-9)
    np.testing.assert_allclose(law.density(x[:-1]), np.abs(lambert_cauchy(x[:-1], s).imag) / np.pi, rtol=1e-12)
    atoms = law.atoms()
    if s < 1.0:
        assert atoms.locations.tolist() == [math.exp(s)]
        assert atoms.weights.tolist() == [1.0 - s]
        assert law.cdf(math.e * s) == pytest.approx(s, abs=1e-15)
    else:
        assert len(atoms) == 0
    assert law.cdf(max(math.e * s, math.exp(s))) == 1.0
    assert law.log_determinant() == -math.inf


@pytest.mark.parametrize("s", [0.5, 2.0])
def test_distribution_functions_of_the_bernoulli_class(s: float) -> None:
    # ∫ f dx in t = log x, where f x is smooth, at 30 digits.
    with mpmath.workdps(30):
        edge = mpmath.log(mpmath.e * s)

        def f(t: mpmath.mpf) -> mpmath.mpf:
            return abs(mpmath.im(s / (s + mpmath.lambertw(-s * mpmath.exp(-t), 0)))) / mpmath.pi

        for part in (0.5, 3.0):
            above = mpmath.quad(lambda r: 2 * r * f(edge - r * r), mpmath.linspace(0, mpmath.sqrt(part), 5))
            x = float(mpmath.exp(edge - part))
            mass = min(s, 1.0) - float(above)
            assert fc.isometry_limit("bernoulli", s).cdf(x) == pytest.approx(mass, abs=1e-14)


@pytest.mark.parametrize(
    ("s", "edges"),
    [
        (0.5, (0.183939720586, 3.297442541400)),
        (1.0, (0.075739334827, 4.857178136197)),
        (2.0, (0.017439653924, 7.760204636215)),
    ],
)
def test_edges_of_the_smooth_class(s: float, edges: tuple[float, float]) -> None:
    law = fc.isometry_limit("smooth", s)
    np.testing.assert_allclose(law.support(), [edges], rtol=1e-10)
    assert law.log_determinant() == pytest.approx(-s / 2.0, rel=1e-13)
    assert [edge.kind for edge in law.edges()] == [fc.EdgeKind.SQUARE_ROOT] * 2


@pytest.mark.parametrize("s", VARIANCES)
def test_moments(s: float) -> None:
    # m_n = [w^{n−1}] ((1 + w) K(w))^n / n
    for kind, third in (("bernoulli", 1.0 + 2.0 * s + 1.5 * s * s), ("smooth", 1.0 + 3.0 * s + 1.5 * s * s)):
        law = fc.isometry_limit(kind, s)
        found = [law.moment(k) for k in range(1, 4)]
        np.testing.assert_allclose(found, [1.0, 1.0 + s, third], rtol=MOMENT)
        assert law.variance() == s
        assert float(law.expectation(lambda x: x * x)) == pytest.approx(1.0 + s, rel=1e-8)


def test_their_products_are_of_the_same_class() -> None:
    for kind in ("bernoulli", "smooth"):
        law = fc.isometry_limit(kind, 0.25)
        assert fc.boxtimes(law, fc.isometry_limit(kind, 0.5)) == fc.isometry_limit(kind, 0.75)
        assert fc.boxtimes_power(law, 0.5) == fc.isometry_limit(kind, 0.125)
        assert pickle.loads(pickle.dumps(law)) == law
    both = fc.boxtimes(fc.isometry_limit("smooth", 0.25), fc.isometry_limit("bernoulli", 0.5), fc.MarchenkoPastur())
    assert both.variance() == pytest.approx(1.75)
    x = np.array([0.01, 0.5, 2.0])
    m = x * both.cauchy(x) - 1.0
    curve = (1.0 + m) / m * np.exp(0.25 * m + 0.5 * m / (1.0 + m)) * (1.0 + m)
    np.testing.assert_allclose(curve, x, atol=1e-12)


def test_a_sum_with_one() -> None:
    law = fc.boxplus(fc.Semicircle(), fc.isometry_limit("smooth", 0.5))
    g = law.cauchy(np.array([-1.0, 0.5, 2.0]) + 0.3j)
    inner = fc.isometry_limit("smooth", 0.5)
    np.testing.assert_allclose(inner.cauchy(np.array([-1.0, 0.5, 2.0]) + 0.3j - g), g, rtol=1e-12)


def distance(law: fc.Law, limit: fc.Law) -> float:
    """The Kolmogorov distance on a fine grid, apart from where either has an atom."""
    x = np.linspace(0.0, 1.05 * float(limit.support().max()), 4001)[1:]
    own = [*law.atoms().locations, *limit.atoms().locations]
    keep = np.all([np.abs(x - location) > 0.02 for location in own], axis=0) if own else np.ones(x.shape, dtype=bool)
    return float(np.max(np.abs(law.cdf(x) - limit.cdf(x))[keep]))


@pytest.mark.parametrize("s", [0.3, 2.0])
def test_deep_coins_tend_to_the_bernoulli_class(s: float) -> None:
    depth = 200
    p = 1.0 - s / depth
    law = fc.boxtimes_power(fc.Bernoulli(p, 1.0 / p), depth)
    assert distance(law, fc.isometry_limit("bernoulli", s)) < 0.01


@pytest.mark.parametrize(
    ("name", "rate", "bound"), [("erf", 2.0, 0.05), ("tanh", 2.0, 0.05), ("gelu", 4.0, 0.0015), ("silu", 4.0, 0.0015)]
)
def test_deep_networks_tend_to_the_smooth_class(name: str, rate: float, bound: float) -> None:
    # The distance is that of the slopes' skewness: like 1/√L where φ'' = 0 at 0 and φ'² is 1 − c h², like 1/L where
    # it is 1 + c h.
    activation, s = fc.activations.resolve(name), 0.5
    found = []
    for depth in (50, 200):
        low, high = 1e-6, 10.0
        for _ in range(80):  # q with L (μ₂/μ₁² − 1) = s
            q = math.sqrt(low * high)
            spread = activation.slope_fourth_moment(q) / activation.slope_second_moment(q) ** 2 - 1.0
            low, high = (q, high) if depth * spread < s else (low, q)
        slopes = fc.SlopeLaw(activation, q)
        law = fc.boxtimes_power((1.0 / slopes.mean()) * slopes, depth)
        assert law.variance() == pytest.approx(s, rel=1e-9)
        found.append(distance(law, fc.isometry_limit("smooth", s)))
    assert found[1] < bound
    assert found[0] / found[1] == pytest.approx(rate, rel=0.25)


def test_an_atom_that_just_is_or_is_not() -> None:
    # At s = 1 the atom at e goes and the density blows up there: F beside it hardly moves with s.
    x = math.e * np.array([0.5, 0.999, 1.01])
    just, above = (fc.isometry_limit("bernoulli", s).cdf(x) for s in (1.0 - 1e-12, 1.0 + 1e-12))
    np.testing.assert_allclose(just, fc.isometry_limit("bernoulli", 1.0).cdf(x), atol=1e-10)
    np.testing.assert_allclose(above, just, atol=1e-10)


@pytest.mark.parametrize("kind", ["other", "", None, 1])
def test_kinds_that_are_none(kind: object) -> None:
    with pytest.raises(ValueError, match="kind must be one of 'bernoulli', 'smooth', got"):
        fc.isometry_limit(kind, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("variance", [0.0, -1.0, math.inf, math.nan])
def test_variances_that_are_none(variance: float) -> None:
    with pytest.raises(ValueError, match="variance must be"):
        fc.isometry_limit("smooth", variance)
