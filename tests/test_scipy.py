"""The continuous part as a SciPy distribution, against the law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import freeconv as fc
from tests import strategies

EXAMPLES = settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
GAP = fc.boxplus(fc.Semicircle(0.0, 0.25), COIN)
LAWS = {
    "closed": fc.Uniform(-1.0, 2.0),
    "soft": fc.Semicircle(1.0, 2.0),
    "tall": fc.MarchenkoPastur(ratio=0.5),
    "atom": fc.MarchenkoPastur(ratio=2.0),
    "gap": GAP,
    "gap and atom": fc.boxtimes(fc.Bernoulli(0.5), 0.2 * GAP + 1.0),
    "affine": -2.0 * fc.MarchenkoPastur(ratio=0.5) + 1.0,
    "two atoms": fc.boxplus(fc.Discrete([0.0, 1.0], [0.75, 0.25]), fc.Discrete([0.0, 3.0], [0.625, 0.375])),
}
NAMED = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())


def points(law: fc.Law) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    low, high = law.support().min(), law.support().max()
    return np.linspace(low - 0.1, high + 0.1, 57)


@NAMED
def test_pdf_and_cdf_are_the_conditioned_ones(law: fc.Law) -> None:
    frozen = law.to_scipy()
    known = law.atoms()
    mass = 1.0 - known.weights.sum()
    x = points(law)
    below = np.array([known.weights[known.locations <= one].sum() for one in x])
    np.testing.assert_allclose(frozen.pdf(x), np.asarray(law.density(x)) / mass, rtol=1e-12)
    np.testing.assert_allclose(frozen.cdf(x), (np.asarray(law.cdf(x)) - below) / mass, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(frozen.ccdf(x), 1.0 - frozen.cdf(x), rtol=0.0, atol=1e-12)
    assert tuple(map(float, frozen.support())) == (law.support().min(), law.support().max())
    assert [float(frozen.cdf(one)) for one in (-math.inf, math.inf)] == [0.0, 1.0]


@NAMED
def test_icdf_inverts_cdf(law: fc.Law) -> None:
    frozen = law.to_scipy()
    p = np.linspace(0.0, 1.0, 41)
    x = frozen.icdf(p)
    assert (np.diff(x) >= 0.0).all()
    np.testing.assert_allclose(frozen.cdf(x), p, rtol=0.0, atol=1e-12)
    assert (x[0], x[-1]) == tuple(map(float, frozen.support()))
    assert np.isnan(frozen.icdf([-0.1, 1.1, math.nan])).all()
    assert frozen.median() == pytest.approx(float(frozen.icdf(0.5)), rel=1e-12)
    assert frozen.icdf(p.reshape(1, 41)).shape == (1, 41)
    assert all(((x >= low) & (x <= high)).any() for low, high in law.support().tolist())
    inside = np.any([(x >= low) & (x <= high) for low, high in law.support().tolist()], axis=0)
    assert inside.all()  # nothing in a gap, nothing at an atom


@NAMED
def test_mean_and_variance(law: fc.Law) -> None:
    frozen = law.to_scipy()
    known = law.atoms()
    mass = 1.0 - known.weights.sum()
    mean = (law.mean() - known.weights @ known.locations) / mass
    second = (law.moment(2) - known.weights @ known.locations**2) / mass
    # SciPy integrates through gaps and edges without knowing of them.
    assert float(frozen.mean()) == pytest.approx(mean, rel=1e-3, abs=1e-3)
    assert float(frozen.variance()) == pytest.approx(second - mean**2, rel=1e-3)


@NAMED
def test_samples_follow_the_continuous_part(law: fc.Law) -> None:
    """Kolmogorov's bound of test_distribution: 2.7/√n is passed by one in 10⁶."""
    n = 20_000
    frozen = law.to_scipy()
    x = np.sort(frozen.sample(n, rng=np.random.default_rng(4)))
    distance = np.max(np.abs(frozen.cdf(x) - (np.arange(n) + 0.5) / n)) + 0.5 / n
    assert distance <= 2.7 / math.sqrt(n)
    np.testing.assert_array_equal(np.sort(law.to_scipy().sample(n, rng=np.random.default_rng(4))), x)


def test_hard_edges() -> None:
    frozen = fc.MarchenkoPastur().to_scipy()
    assert float(frozen.cdf(1e-20)) == pytest.approx(2e-10 / math.pi, rel=1e-9)
    assert float(frozen.icdf(2e-10 / math.pi)) == pytest.approx(1e-20, rel=1e-9)
    assert float(frozen.median()) == fc.MarchenkoPastur().quantile(0.5)
    relu = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
    assert float(relu.to_scipy().median()) == pytest.approx(float(np.asarray(relu.quantile(0.75))), rel=1e-12)


@EXAMPLES
@given(strategies.evenly(strategies.leaves(), strategies.products()))
def test_random_laws(law: fc.Law) -> None:
    if law.support().size == 0:
        with pytest.raises(ValueError, match="to_scipy needs a law with a continuous part"):
            law.to_scipy()
        return
    frozen = law.to_scipy()
    p = np.array([0.1, 0.3, 0.7])
    np.testing.assert_allclose(frozen.cdf(frozen.icdf(p)), p, rtol=0.0, atol=1e-10)


@pytest.mark.parametrize("law", [fc.PointMass(1.0), COIN, 2.0 * COIN + 1.0, fc.Bernoulli(0.5)], ids=repr)
def test_atoms_only(law: fc.Law) -> None:
    with pytest.raises(ValueError, match="to_scipy needs a law with a continuous part, got"):
        law.to_scipy()
