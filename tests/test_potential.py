"""Logarithmic potentials and determinants: closed forms, mpmath, the Cauchy transform, quadrature, random matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

import freeconv as fc
from tests import strategies
from tests.names import name_of
from tests.random_matrices import gaussian_layers, rotated_product
from tests.tolerances import POTENTIAL

Function = Callable[[Any], Any]

EXAMPLES = settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
MP = fc.MarchenkoPastur()
LAWS = {
    "closed": fc.Uniform(-1.0, 2.0),
    "soft": fc.Semicircle(1.0, 2.0),
    "hard": MP,
    "atom": fc.MarchenkoPastur(ratio=2.0),
    "gap": fc.boxplus(fc.Semicircle(0.0, 0.25), COIN),
    "network": fc.MLP(3, "relu", weight_variance=2.0).jacobian(),
    "affine": -2.0 * fc.MarchenkoPastur(ratio=0.5) + 1.0,
    "negative": fc.FreePoisson(0.5, -1.0),
    "resized": fc.resize(fc.boxtimes(fc.Bernoulli(0.75), MP), 1.5),
    "atoms": fc.Discrete([-1.0, 0.5, 3.0], [0.25, 0.25, 0.5]),
}
NAMED = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
POINTS = np.array([0.3 + 0.7j, -2.0 + 0.01j, 5.0 - 1e-6j, 40.0 + 3.0j, 1e-3 - 1e3j, -7.0, 11.0])


def spread(law: fc.Law) -> float:
    return math.sqrt(law.variance())


@pytest.mark.parametrize(
    ("law", "middle", "half", "weight"),
    [
        (fc.Semicircle(), 0.0, 2.0, lambda angle: 2 * mpmath.sin(angle) ** 2 / mpmath.pi),
        (MP, 2.0, 2.0, lambda angle: 2 * mpmath.sin(angle / 2) ** 2 / mpmath.pi),
        (fc.boxplus(COIN, COIN), 0.0, 2.0, lambda angle: 1 / mpmath.pi),
        (fc.Arcsine(0.0, 4.0), 2.0, 2.0, lambda angle: 1 / mpmath.pi),
        (fc.Uniform(-1.0, 2.0), 0.5, 1.5, lambda angle: mpmath.sin(angle) / 2),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("z", POINTS.tolist())
def test_potential_off_the_support(law: fc.Law, middle: float, half: float, weight: Function, z: complex) -> None:
    """Quadrature of log|z − t| in t = middle + half·cos(angle), with 30 digits."""

    def integrand(angle: Any) -> Any:
        return mpmath.log(abs(z - middle - half * mpmath.cos(angle))) * weight(angle)

    with mpmath.workdps(30):
        over = mpmath.acos(min(max((z.real - middle) / half, -1.0), 1.0))
        want = float(mpmath.quad(integrand, sorted({mpmath.mpf(0), over, mpmath.pi})))
    assert law.log_potential(z) == pytest.approx(want, rel=1e-13, abs=POTENTIAL)


def test_potential_inside_the_support() -> None:
    x = np.linspace(-1.9, 1.9, 33)
    np.testing.assert_allclose(fc.Semicircle().log_potential(x), x * x / 4.0 - 0.5, rtol=0.0, atol=POTENTIAL)
    np.testing.assert_allclose(MP.log_potential(x + 2.0), x / 2.0, rtol=0.0, atol=POTENTIAL)
    np.testing.assert_allclose(fc.Arcsine(-2.0, 2.0).log_potential(x), 0.0, rtol=0.0, atol=POTENTIAL)
    np.testing.assert_allclose(fc.boxplus(COIN, COIN).log_potential(x), 0.0, rtol=0.0, atol=POTENTIAL)
    edges = [fc.Semicircle().log_potential(2.0), MP.log_potential(0.0), MP.log_potential(4.0)]
    np.testing.assert_allclose(edges, [0.5, -1.0, 1.0], rtol=0.0, atol=1e-10)
    assert fc.MarchenkoPastur(2.0).log_potential(0.0) == -math.inf
    assert LAWS["atoms"].log_potential([-1.0, 0.5, 3.0]).tolist() == [-math.inf] * 3
    assert LAWS["negative"].log_potential(0.0) == -math.inf


@EXAMPLES
@given(strategies.laws())
def test_derivative_of_the_potential_is_the_cauchy_transform(law: fc.Law) -> None:
    """U(z₂) − U(z₁) = Re ∫ G dz along straight ways, far from the support and down to it."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    ways: list[tuple[complex, complex]] = [
        (0.5 + 0.5j, -1.0 + 0.7j),
        (-1.0 - 0.7j, -3.0 - 1.5j),
        (20.0 + 1.0j, 10.0 + 5.0j),
    ]
    center, size = law.mean(), spread(law)
    for first, last in [*ways, (0.3j, 0.6j), (9.0, 12.0)]:
        a, b = center + size * first, center + size * last
        total = np.sum(law.cauchy(0.5 * (a + b) + 0.5 * (b - a) * nodes) * weights) * 0.5 * (b - a)
        step = float(law.log_potential(b)) - float(law.log_potential(a))
        assert step == pytest.approx(total.real, abs=1e-7)


@EXAMPLES
@given(strategies.laws())
def test_potential_is_continuous_symmetric_and_like_the_logarithm_far_away(law: fc.Law) -> None:
    center, size = law.mean(), spread(law)
    z = center + size * np.array([0.3 + 0.1j, -2.0 + 1.0j, 5.0 + 1e-3j, 1e4j])
    np.testing.assert_array_equal(law.log_potential(z), law.log_potential(z.conj()))
    far = center + 1e6 * size * np.array([1.0, -1.0, 1j, np.exp(0.1j), np.exp(3.0j)])
    # U = log|z − m₁| − Re v/(2 (z − m₁)²)
    np.testing.assert_allclose(law.log_potential(far), np.log(np.abs(far - center)), rtol=1e-12, atol=1e-11)
    turns = np.exp(2j * np.pi * np.arange(64) / 64.0)
    around = law.log_potential(center + size * (2.0j + 1.0 * turns))
    assert np.mean(around) == pytest.approx(law.log_potential(center + 2.0j * size), abs=1e-11)
    for low, high in law.support().tolist():
        x = low + (high - low) * np.array([0.2, 0.5, 0.8])
        x = x[np.asarray(law.density(x)) * (high - low) < 10.0]
        above = law.log_potential(x + 1e-8j * (high - low))
        np.testing.assert_allclose(law.log_potential(x), above, rtol=0.0, atol=1e-6)
    assert (np.asarray(law.log_potential(law.atoms().locations)) == -math.inf).all()


@EXAMPLES
@given(strategies.evenly(strategies.leaves(), strategies.products()))
def test_potential_is_the_integral_of_the_logarithm(law: fc.Law) -> None:
    z = law.mean() + spread(law) * np.array([0.4 + 0.5j, -2.0 - 0.3j, 8.0])
    for one in z:
        want = law.expectation(lambda t: np.log(np.abs(one - t)))  # noqa: B023
        assert law.log_potential(one) == pytest.approx(want, abs=100.0 * want.error + 1e-10)


@NAMED
def test_potential_at_both_sides_of_edges_and_in_gaps(law: fc.Law) -> None:
    ends = law.support().ravel()
    ends = ends[~np.isin(ends, law.atoms().locations)]
    at = np.asarray(law.log_potential(ends))
    for side in (-1e-9, 1e-9):
        # G is bounded by distance^(−1/2), or ^(−k/(k + 1)) at a hard edge with k ≤ 3.
        np.testing.assert_allclose(law.log_potential(ends + side), at, rtol=0.0, atol=1e-2)
    assert LAWS["gap"].log_potential(0.0) == pytest.approx(0.0, abs=POTENTIAL)


@pytest.mark.parametrize("c", [1e-6, 0.1, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("scale", [1e-30, 0.5, 1.0, 1e30])
def test_determinant_of_marchenko_pastur(c: float, scale: float) -> None:
    want = float((mpmath.mpf(c) - 1) / c * mpmath.log1p(-mpmath.mpf(c)) - 1) if c < 1.0 else -1.0
    value = fc.MarchenkoPastur(c, scale).log_determinant()
    assert value == pytest.approx(want + math.log(scale), abs=1e-13 + 1e-15 * abs(math.log(scale)))
    assert fc.boxtimes_power(fc.MarchenkoPastur(c, scale), 2.5).log_determinant() == pytest.approx(
        2.5 * value, rel=1e-12
    )


def test_determinants_with_atoms_at_zero() -> None:
    for law in (fc.MarchenkoPastur(2.0), LAWS["network"], fc.Bernoulli(0.5), fc.resize(MP, 2.0), LAWS["negative"]):
        assert law.log_determinant() == -math.inf
        assert math.isfinite(law.log_determinant(pseudo=True))
    # W Wᵀ and Wᵀ W have the same eigenvalues off 0.
    assert fc.MarchenkoPastur(2.0).log_determinant(pseudo=True) == pytest.approx(
        0.5 * (fc.MarchenkoPastur(0.5).log_determinant() + math.log(2.0)), abs=1e-14
    )
    assert fc.resize(MP, 2.0).log_determinant(pseudo=True) == pytest.approx(-0.5, abs=1e-14)
    assert fc.Bernoulli(0.25, 3.0).log_determinant(pseudo=True) == pytest.approx(0.25 * math.log(3.0), abs=1e-15)
    assert fc.PointMass(0.0).log_determinant() == -math.inf
    assert fc.PointMass(0.0).log_determinant(pseudo=True) == 0.0
    assert fc.PointMass(-3.0).log_determinant() == pytest.approx(math.log(3.0), abs=1e-15)
    assert fc.Semicircle().log_determinant() == pytest.approx(-0.5, abs=1e-14)
    assert fc.Uniform(-1.0, 1.0).log_determinant() == pytest.approx(-1.0, abs=1e-14)


@EXAMPLES
@given(strategies.positive_laws(), strategies.positive_leaves())
def test_determinants_multiply(first: fc.Law, second: fc.Law) -> None:
    product = fc.boxtimes(first, second)
    a, b, c = (law.log_determinant() for law in (first, second, product))
    assert c == -math.inf if math.inf in (-a, -b) else c == pytest.approx(a + b, rel=1e-12, abs=1e-11)
    assert (2.5 * first).log_determinant(pseudo=True) == pytest.approx(
        first.log_determinant(pseudo=True)
        + math.log(2.5) * (1.0 - first.atoms().weights[first.atoms().locations == 0.0].sum()),
        abs=1e-11,
    )


@EXAMPLES
@given(strategies.laws())
def test_determinants_are_integrals_of_the_logarithm(law: fc.Law) -> None:
    near = [edge for edge in law.edges() if abs(edge.location) < 1e-3 * spread(law)]
    assume(all(edge.location == 0.0 and edge.kind is fc.EdgeKind.HARD for edge in near))
    estimate = law.expectation(lambda t: np.log(np.abs(np.where(t == 0.0, 1.0, t))))
    value = law.log_determinant(pseudo=True)
    assert value == pytest.approx(estimate, abs=100.0 * estimate.error + 1e-10)
    known = law.atoms()
    assert law.log_determinant() == (-math.inf if 0.0 in known.locations else value)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_determinants_of_relu_networks_against_matrices(weights: str) -> None:
    """log det of L layers fluctuates by √(L log n)/n and is off by O(L log n/n), 0.05 at n = 400."""
    size, depth, rng = 400, 3, np.random.default_rng(5)
    masks = [rng.permutation(np.repeat([0.0, 1.0], size // 2)) for _ in range(depth)]
    if weights == "gaussian":
        values = gaussian_layers(masks, 2.0, rng)
    else:
        values = 2.0**depth * rotated_product([*masks, np.ones(size)], rng)
    empirical = np.sum(np.log(values[size // 2 :])) / size
    law = fc.MLP(depth, "relu", weights=weights, weight_variance=2.0).jacobian()
    assert law.log_determinant() == -math.inf
    assert law.log_determinant(pseudo=True) == pytest.approx(empirical, abs=0.05)
    estimate = law.expectation(lambda t: np.log(np.where(t == 0.0, 1.0, t)))
    assert law.log_determinant(pseudo=True) == pytest.approx(estimate, abs=1e-10)


@NAMED
@pytest.mark.parametrize("method", ["density", "cdf", "quantile", "log_potential"])
def test_arguments_of_any_kind(law: fc.Law, method: str) -> None:
    f = getattr(law, method)
    base = np.array([[0.125, 0.25, 0.625, 0.75], [0.5, 0.5, 1.0, 0.375]])
    want = f(base)
    assert want.shape == base.shape
    frozen = base.copy()
    frozen.flags.writeable = False
    for same in (
        frozen,
        base.tolist(),
        base.astype(np.float32),
        np.asfortranarray(base),
        np.repeat(base, 2, 1)[:, ::2],
    ):
        np.testing.assert_array_equal(f(same), want)
    np.testing.assert_array_equal(f(base[::-1, ::-1]), want[::-1, ::-1])
    np.testing.assert_array_equal(frozen, base)
    assert f([]).shape == (0,)
    assert f(np.empty((0, 3))).shape == (0, 3)
    for scalar in (0.5, np.float32(0.5), np.array(0.5), np.float16(0.5)):
        assert type(f(scalar)) is float
        assert f(scalar) == want[1, 0]
    assert f(1) == f(np.int8(1)) == want[1, 2]
    assert math.isnan(f(math.nan))
    wrong: list[Any] = ["a", ["a"], None, True, [True], object(), {}, 10**400, np.array(["2020"], "M8[Y]")]
    for bad in wrong if method == "log_potential" else [*wrong, 1j, [1.0 + 0.0j]]:
        with pytest.raises(TypeError, match=r"^(x|p|z) must be"):
            f(bad)
