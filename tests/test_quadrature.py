"""Expectations and discretisations: moments, Cauchy transforms, exact integrals, error estimates, bad functions."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from numpy.typing import NDArray

import freeconv as fc
from freeconv.quadrature import Estimate
from tests import strategies
from tests.tolerances import ESTIMATE, GAUSS

Array = NDArray[np.float64]

EXAMPLES = settings(max_examples=20, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

MP = fc.MarchenkoPastur()
COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
LAWS = {
    "closed": fc.Uniform(-1.0, 2.0),
    "arcsine": fc.Arcsine(-2.0, 1.0),
    "atoms": fc.Discrete([-1.0, 0.5, 3.0], [0.25, 0.25, 0.5]),
    "point": fc.PointMass(2.0),
    "soft": fc.Semicircle(1.0, 2.0),
    "hard": MP,
    "harder": fc.boxtimes_power(MP, 6),
    "atom": fc.MarchenkoPastur(ratio=2.0),
    "gap": fc.boxplus(fc.Semicircle(0.0, 0.25), COIN),
    "network": fc.MLP(3, "relu", weight_variance=2.0).jacobian(),
    "affine": -2.0 * fc.MarchenkoPastur(ratio=0.5) + 1.0,
    "negative": fc.FreePoisson(0.5, -1.0),
    "resized": fc.resize(fc.boxtimes(fc.Bernoulli(0.75), MP), 1.5),
    "top atom": fc.boxtimes(fc.Bernoulli(0.75), fc.Bernoulli(0.75, 2.0)),
}
NAMED = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())


def laws() -> Any:
    """Laws whose density is certified wherever a rule may look; sums with would-be atoms are test_regressions'."""
    return strategies.evenly(strategies.leaves(), strategies.products())


def largest(law: fc.Law) -> float:
    return float(np.abs(np.concatenate([law.support().ravel(), law.atoms().locations])).max())


def assert_estimate(found: Estimate, want: float, size: float) -> None:
    assert math.isfinite(found.error)
    assert abs(found - want) <= ESTIMATE * found.error + 1e-14 * size


@NAMED
@pytest.mark.parametrize("k", range(7))
def test_polynomials_of_named_laws(law: fc.Law, k: int) -> None:
    found = law.expectation(lambda x: x**k)
    assert_estimate(found, law.moment(k), largest(law) ** k)
    assert found.error <= 1e-8 * largest(law) ** k


@EXAMPLES
@given(laws())
def test_mass_and_moments(law: fc.Law) -> None:
    """With f = 1 the rule integrates the density alone: 1 to 1e-8 is the mass."""
    assert law.expectation(lambda _: 1.0) == pytest.approx(1.0, abs=1e-8)
    for k in (1, 2, 3):
        assert_estimate(law.expectation(lambda x: x**k), law.moment(k), largest(law) ** k)  # noqa: B023


@NAMED
def test_mass_by_an_independent_rule(law: fc.Law) -> None:
    """Plain tanh–sinh in each interval, which knows no edge exponents: x − a = w/(1 + e^(−π sinh t))."""
    t = np.arange(-352, 353) / 64.0
    part = 1.0 / (1.0 + np.exp(-np.pi * np.sinh(t)))
    rate = np.pi * np.cosh(t) * part / (1.0 + np.exp(np.pi * np.sinh(t)))
    total = float(law.atoms().weights.sum())
    for low, high in law.support().tolist():
        width = high - low
        near = part < 0.5
        x = np.where(near, low + width * part, high - width * part[::-1])
        inside = (x > low) & (x < high)
        total += float(np.sum(np.asarray(law.density(x[inside])) * rate[inside])) * width / 64.0
    # An end that diverges and is not 0 loses √ε of its amplitude.
    assert total == pytest.approx(1.0, abs=1e-8 if law not in (LAWS["arcsine"], LAWS["top atom"]) else 3e-8)


@EXAMPLES
@given(laws())
def test_stieltjes_kernels_give_the_cauchy_transform(law: fc.Law) -> None:
    for offset in (0.3 + 0.4j, 2.0 - 0.1j, -5.0 + 0.01j):
        z = law.mean() + math.sqrt(law.variance()) * offset
        g = complex(law.cauchy(z))
        assert_estimate(law.expectation(lambda x: (1.0 / (z - x)).real), g.real, 1e3 * abs(g))  # noqa: B023
        assert_estimate(law.expectation(lambda x: (1.0 / (z - x)).imag), g.imag, 1e3 * abs(g))  # noqa: B023


def test_exact_integrals() -> None:
    semicircle, angle = fc.Semicircle(), 1.3
    # ∫ cos(ax) = J₁(2a)/a, ∫ exp = I₁(2), ∫ |x| = 8/(3π); √x and log under Marchenko–Pastur.
    bessel = sum((-1) ** k * angle ** (2 * k) / (math.factorial(k) * math.factorial(k + 1)) for k in range(30))
    assert_estimate(semicircle.expectation(lambda x: np.cos(angle * x)), bessel, 1.0)
    modified = sum(1.0 / (math.factorial(k) * math.factorial(k + 1)) for k in range(30))
    assert_estimate(semicircle.expectation(np.exp), modified, 1.0)
    assert_estimate(semicircle.expectation(np.abs), 8.0 / (3.0 * math.pi), 1.0)
    assert_estimate(MP.expectation(np.sqrt), 8.0 / (3.0 * math.pi), 1.0)
    assert_estimate(MP.expectation(np.log), -1.0, 1.0)
    assert_estimate(fc.MarchenkoPastur(0.5).expectation(lambda x: 1.0 / x), 2.0, 1.0)
    assert_estimate(fc.boxtimes_power(MP, 6).expectation(np.log), -6.0, 6.0)
    assert_estimate(fc.Uniform(0.0, 1.0).expectation(np.log), -1.0, 1.0)
    assert_estimate(fc.Arcsine(0.0, 4.0).expectation(np.log), 0.0, 1.0)
    assert_estimate(
        (2.0 * MP + 1.0).expectation(lambda x: np.sqrt(x - 1.0)), 8.0 / (3.0 * math.pi) * math.sqrt(2.0), 1.0
    )
    assert fc.PointMass(2.0).expectation(np.square) == 4.0
    assert fc.Discrete([0.0, 2.0], [0.25, 0.75]).expectation(np.square) == 3.0


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-12])
def test_estimates_bound_the_error_at_any_tolerance(rtol: float) -> None:
    assert_estimate(MP.expectation(np.sqrt, rtol=rtol), 8.0 / (3.0 * math.pi), 1.0)
    found = fc.Semicircle().expectation(lambda x: np.abs(x - 0.3) ** 0.5, rtol=rtol)
    fine = fc.Semicircle().expectation(lambda x: np.abs(x - 0.3) ** 0.5, rtol=1e-11)
    assert abs(found - fine) <= ESTIMATE * found.error + fine.error
    for wrong, error in ((0.0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError)):
        with pytest.raises(error, match="rtol must be"):
            MP.expectation(np.sqrt, rtol=wrong)
    for bad in (None, "a", 1j, True):
        with pytest.raises(TypeError, match="rtol must be"):
            MP.expectation(np.sqrt, rtol=bad)  # type: ignore[arg-type]


def test_estimates_are_floats() -> None:
    found = MP.expectation(np.sqrt)
    assert isinstance(found, float)
    assert repr(found).startswith("Estimate(0.8488263631")
    again = pickle.loads(pickle.dumps(found))
    assert (float(again), again.error) == (float(found), found.error)
    assert math.isnan(MP.expectation(lambda x: math.nan))
    assert MP.expectation(lambda x: 3) == pytest.approx(3.0, abs=1e-11)
    assert MP.expectation(lambda x: np.ones(len(x), dtype=np.int8)) == pytest.approx(1.0, abs=1e-11)


@NAMED
def test_functions_that_are_none(law: fc.Law) -> None:
    for bad in (None, 3, "log", [1.0]):
        with pytest.raises(TypeError, match="function must be callable"):
            law.expectation(bad)  # type: ignore[arg-type]
    returns: list[Any] = [lambda x: 1j * x, lambda x: "a", lambda x: None, lambda x: x > 1.0, lambda x: [object()]]
    for wrong in returns:
        with pytest.raises(TypeError, match="function must return real numbers, got"):
            law.expectation(wrong)


@pytest.mark.parametrize("law", [law for law in LAWS.values() if not isinstance(law, fc.Uniform)], ids=repr)
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_gauss_rules_have_the_moments(law: fc.Law, n: int) -> None:
    rule = law.discretise(n, method="gauss")
    center, size = law.mean(), largest(law)
    assert law.support().shape[0] > 0 or n >= 3 or rule.mean() == pytest.approx(center)
    for k in range(min(2 * n, 12)):
        assert rule.moment(k) == pytest.approx(law.moment(k), abs=GAUSS * size**k)
    if n == 1:
        assert isinstance(rule, fc.PointMass)
    known = rule.atoms()
    assert len(known) <= max(n, len(law.atoms()) if law.support().size == 0 else n)
    assert known.weights.sum() == pytest.approx(1.0, abs=1e-14)


def test_gauss_rules_of_known_laws() -> None:
    """Chebyshev's of the second kind for the semicircle, of the first for the arcsine."""
    n = 8
    angle = np.arange(1, n + 1) * np.pi / (n + 1)
    found = fc.Semicircle().discretise(n, method="gauss").atoms()
    np.testing.assert_allclose(found.locations, np.sort(2.0 * np.cos(angle)), atol=1e-12)
    np.testing.assert_allclose(found.weights, 2.0 / (n + 1) * np.sin(angle) ** 2, atol=1e-12)
    found = fc.Arcsine(-1.0, 1.0).discretise(n, method="gauss").atoms()
    np.testing.assert_allclose(found.locations, np.cos((np.arange(n)[::-1] + 0.5) * np.pi / n), atol=1e-10)
    np.testing.assert_allclose(found.weights, 1.0 / n, atol=1e-10)
    atoms = LAWS["atoms"]
    assert atoms.discretise(3, method="gauss") == atoms.discretise(100, method="gauss") == atoms


@NAMED
@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_quantile_rules(law: fc.Law, n: int) -> None:
    rule = law.discretise(n).atoms()
    want = np.asarray(law.quantile((np.arange(n) + 0.5) / n))
    locations, counts = np.unique(want, return_counts=True)
    np.testing.assert_array_equal(rule.locations, locations)
    np.testing.assert_allclose(rule.weights, counts / n, rtol=1e-14)
    assert np.max(np.abs(np.asarray(law.discretise(n).cdf(want)) - np.asarray(law.cdf(want)))) <= max(
        0.5 / n + 1e-12, float(law.atoms().weights.max(initial=0.0))
    )


def test_arguments_of_discretise() -> None:
    for method in ("quantile", "gauss"):
        for n in (0, -1):
            with pytest.raises(ValueError, match=f"n must be an integer >= 1, got {n}"):
                MP.discretise(n, method=method)
        wrong: list[Any] = [1.0, math.nan, "3", None, True, [3], 3j]
        for bad in wrong:
            with pytest.raises(TypeError, match="n must be an integer >= 1, got"):
                MP.discretise(bad, method=method)
        assert MP.discretise(int(np.int8(3)), method=method) == MP.discretise(3, method=method)
        assert fc.PointMass(2.0).discretise(5, method=method) == fc.PointMass(2.0)
    for name in ("Gauss", "", None, 1, ["gauss"]):
        with pytest.raises(ValueError, match="method must be one of 'quantile', 'gauss', got"):
            MP.discretise(3, method=name)  # type: ignore[arg-type]
