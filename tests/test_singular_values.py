"""The law of √X: the quarter circle, atoms, moments, and agreement with the law of X."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import freeconv as fc
from freeconv.singular_values import SingularValues
from tests import strategies
from tests.tolerances import CDF, REFERENCE

EXAMPLES = settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

MP = fc.MarchenkoPastur()
QUARTER = MP.singular_values()


def test_quarter_circle() -> None:
    """Density √(4 − s²)/π on [0, 2], finite at 0 although f is not."""
    s = np.concatenate([[0.0], np.geomspace(1e-140, 1e-3, 20), np.linspace(0.01, 1.99, 50)])
    np.testing.assert_allclose(QUARTER.density(s), np.sqrt(4.0 - s * s) / math.pi, rtol=REFERENCE)
    want = (s * np.sqrt(4.0 - s * s) / 2.0 + 2.0 * np.arcsin(s / 2.0)) / math.pi
    np.testing.assert_allclose(QUARTER.cdf(s), want, rtol=1e-12, atol=CDF)
    assert QUARTER.density(0.0) == pytest.approx(2.0 / math.pi, rel=1e-12)
    assert QUARTER.support().tolist() == [[0.0, 2.0]]
    assert QUARTER.density([2.0, 2.5, -1.0, -1e-300, 1e100, -math.inf]).tolist() == [0.0] * 6
    assert QUARTER.cdf([2.0, 2.5, -1.0, -math.inf, math.inf]).tolist() == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert QUARTER.quantile(QUARTER.cdf(0.7)) == pytest.approx(0.7, rel=1e-12)
    assert QUARTER.quantile([0.0, 1.0]).tolist() == [0.0, 2.0]


def test_moments_of_the_quarter_circle() -> None:
    # E s^k = 2^k Γ((k + 1)/2)/(√π Γ(k/2 + 2)): Catalan numbers for even k.
    for k in range(9):
        want = 2.0**k * math.gamma((k + 1) / 2.0) / (math.sqrt(math.pi) * math.gamma(k / 2.0 + 2.0))
        assert QUARTER.moment(k) == pytest.approx(want, rel=1e-10)
    mean = 8.0 / (3.0 * math.pi)
    assert QUARTER.mean() == pytest.approx(mean, rel=1e-10)
    assert QUARTER.variance() == pytest.approx(1.0 - mean**2, rel=1e-9)
    assert QUARTER.expectation(np.log) == pytest.approx(-0.5, abs=1e-10)
    assert QUARTER.expectation(lambda s: s**4).error < 1e-9
    wrong: list[tuple[Any, type[Exception]]] = [(-1, ValueError), (1.5, TypeError), (None, TypeError), ("a", TypeError)]
    for order, error in wrong:
        with pytest.raises(error, match="k must be an integer >= 0"):
            QUARTER.moment(order)


@pytest.mark.parametrize(
    ("law", "value"),
    [
        (fc.boxtimes_power(MP, 2), math.inf),
        (fc.MLP(3, "relu", weight_variance=2.0).jacobian(), math.inf),
        (fc.resize(MP, 2.0), 1.0 / math.pi),
        (fc.MarchenkoPastur(0.5), 0.0),
        (fc.MarchenkoPastur(2.0), 0.0),
        (fc.Uniform(0.0, 4.0), 0.0),
        (fc.Arcsine(0.0, 4.0), 1.0 / math.pi),
    ],
    ids=repr,
)
def test_density_at_zero(law: fc.Law, value: float) -> None:
    assert law.singular_values().density(0.0) == pytest.approx(value, rel=1e-10)
    assert law.singular_values().density([0.0]).tolist() == [law.singular_values().density(0.0)]


def test_atoms() -> None:
    atoms = fc.Discrete([0.0, 1.0, 4.0], [0.25, 0.25, 0.5]).singular_values()
    assert atoms.support().shape == (0, 2)
    assert atoms.atoms().locations.tolist() == [0.0, 1.0, 2.0]
    assert atoms.atoms().weights.tolist() == [0.25, 0.25, 0.5]
    assert atoms.cdf([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0]).tolist() == [0.0, 0.25, 0.25, 0.5, 0.5, 1.0]
    assert atoms.quantile([0.0, 0.25, 0.26, 0.5, 0.51, 1.0]).tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert [atoms.moment(k) for k in range(4)] == pytest.approx([1.0, 1.25, 2.25, 4.25], abs=1e-14)
    assert set(np.asarray(atoms.sample(100, rng=1)).tolist()) == {0.0, 1.0, 2.0}
    point = fc.PointMass(4.0).singular_values()
    assert (point.mean(), point.variance(), point.quantile(0.3)) == (2.0, 0.0, 2.0)
    wide = fc.MarchenkoPastur(2.0).singular_values()
    assert wide.atoms().weights.tolist() == [0.5]
    assert wide.support() == pytest.approx(np.array([[math.sqrt(2.0) - 1.0, math.sqrt(2.0) + 1.0]]), rel=1e-12)


@EXAMPLES
@given(strategies.evenly(strategies.positive_leaves(), strategies.products()))
def test_agreement_with_the_squares(law: fc.Law) -> None:
    values = law.singular_values()
    s = math.sqrt(law.mean()) * np.linspace(0.01, 3.0, 40)
    np.testing.assert_array_equal(values.density(s), 2.0 * s * np.asarray(law.density(s * s)))
    np.testing.assert_array_equal(values.cdf(s), law.cdf(s * s))
    p = np.linspace(0.0, 1.0, 11)
    np.testing.assert_array_equal(values.quantile(p), np.sqrt(law.quantile(p)))
    np.testing.assert_array_equal(values.sample(9, rng=2), np.sqrt(law.sample(9, rng=2)))
    assert values.moment(2) == law.mean()
    assert values.mean() ** 2 <= law.mean() * (1.0 + 1e-12)
    assert values.variance() == pytest.approx(law.mean() - values.mean() ** 2, rel=1e-6, abs=1e-8 * law.mean())


@pytest.mark.parametrize(
    "law",
    [
        fc.Semicircle(),
        fc.Uniform(-1.0, 1.0),
        fc.PointMass(-1.0),
        -1.0 * MP,
        fc.FreePoisson(1.0, -1.0),
        MP - 1.0,
        fc.Discrete([-1e-300, 1.0], [0.5, 0.5]),
    ],
    ids=repr,
)
def test_laws_below_zero_have_none(law: fc.Law) -> None:
    with pytest.raises(ValueError, match=r"singular_values needs a law on \[0, inf\), got"):
        law.singular_values()


def test_arguments() -> None:
    wrong: list[Any] = [None, "a", 3.0, QUARTER, fc.MarchenkoPastur]
    for law in wrong:
        with pytest.raises(TypeError, match="singular_values needs a law, got"):
            SingularValues(law)
    assert MP.singular_values() == QUARTER
    assert hash(MP.singular_values()) == hash(QUARTER)
    base = np.array([[0.5, 1.0], [1.5, -1.0]])
    base.flags.writeable = False
    for method in (QUARTER.density, QUARTER.cdf):
        assert method(base).shape == (2, 2)
        np.testing.assert_array_equal(method(base[:, ::-1]), method(base)[:, ::-1])
        np.testing.assert_array_equal(method(base.astype(np.float32)), method(base))
        assert type(method(1)) is type(method(np.float32(1.0))) is float
        assert method([]).shape == (0,)
        assert math.isnan(method(math.nan))
        bad: list[Any] = [1j, "a", None, True]
        for x in bad:
            with pytest.raises(TypeError, match="x must be"):
                method(x)
        with pytest.raises(ValueError, match="on_failure must be one of"):
            method(1.0, on_failure="no")  # type: ignore[arg-type]
    assert type(QUARTER.quantile(0.5)) is type(QUARTER.sample()) is float
    assert QUARTER.quantile(np.empty((0, 2))).shape == (0, 2)
    assert math.isnan(QUARTER.quantile(math.nan))
    for p in (-1e-9, 1.5, math.inf):
        with pytest.raises(ValueError, match=rf"p must be in \[0, 1\], got {p!r}"):
            QUARTER.quantile(p)
    found = QUARTER.evaluate([0.0, 1.0, 3.0, math.nan, -1.0])
    assert found.status.tolist() == [
        fc.Status.EDGE, fc.Status.CERTIFIED, fc.Status.OUTSIDE, fc.Status.NOT_A_NUMBER, fc.Status.OUTSIDE,
    ]  # fmt: skip
    assert np.isnan([found.density[3], found.cdf[3]]).all()


@pytest.mark.parametrize(
    "law",
    [
        MP,
        fc.MLP(3, weight_variance=2.0).jacobian(),
        fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete([1.0, 9.0], [0.5, 0.5])),
    ],
    ids=["quarter circle", "network", "gap"],
)
def test_compiled_singular_values_are_the_same(law: fc.Law) -> None:
    exact = law.singular_values()
    compiled = exact.compile()
    intervals = exact.support()
    part = np.concatenate([np.geomspace(1e-6, 0.5, 20), 1.0 - np.geomspace(1e-6, 0.5, 20)])
    s = np.concatenate([low + (high - low) * part for low, high in intervals])
    np.testing.assert_allclose(compiled.density(s), exact.density(s), rtol=1e-10)
    np.testing.assert_allclose(compiled.cdf(s), exact.cdf(s), rtol=0.0, atol=1e-12)
    p = np.linspace(0.0, 1.0, 41)
    np.testing.assert_allclose(compiled.quantile(p), exact.quantile(p), rtol=1e-10)
    np.testing.assert_allclose(compiled.sample(9, rng=1), exact.sample(9, rng=1), rtol=1e-9)
    beside = np.array([0.0, 1e-170, -1.0, 2.0 * intervals[-1, 1], np.inf, np.nan])
    np.testing.assert_allclose(compiled.density(beside), exact.density(beside), rtol=1e-10)
    np.testing.assert_array_equal(compiled.cdf(beside), exact.cdf(beside))
    np.testing.assert_array_equal(compiled.support(), intervals)
    assert compiled.atoms().weights.tolist() == exact.atoms().weights.tolist()
    assert compiled.error <= 1e-12
    assert compiled.nbytes > 0
    copy = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(copy.density(s), compiled.density(s))
    assert type(compiled.density(1.0)) is type(compiled.quantile(0.5)) is float
