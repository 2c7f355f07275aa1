"""Many laws in one call: the same values as one by one, whatever serves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import freeconv as fc
from freeconv import _core, engine
from freeconv.laws import Affine, Boxtimes, Resize
from freeconv.lowering import lower
from tests import strategies, tolerances


def networks(count: int, depth: int, seed: int = 0) -> list[fc.Law]:
    rng = np.random.default_rng(seed)
    return [
        fc.MLP(depth, "hard_tanh", weight_variance=w, bias_variance=b).jacobian()
        for w, b in zip(rng.uniform(0.8, 3.0, count).tolist(), rng.uniform(0.0, 0.5, count).tolist(), strict=True)
    ]


@st.composite
def flat(draw: st.DrawFn) -> fc.Law:
    """Products of Bernoulli and Marchenko–Pastur laws with whole powers, moved or resized or not."""
    factors = draw(
        st.lists(
            st.builds(fc.Bernoulli, strategies.probabilities(), strategies.scales())
            | st.builds(fc.MarchenkoPastur, strategies.ratios(), strategies.scales()),
            min_size=2,
            max_size=5,
        )
    )
    law = fc.boxtimes(*factors)
    law = fc.boxtimes_power(law, draw(st.sampled_from([1.0, 1.0, 2.0, 5.0])))
    if draw(st.booleans()):
        law = draw(strategies.scales()) * law + draw(strategies.numbers(-2.0, 2.0))
    elif draw(st.booleans()) and law.atoms().weights.sum() < 0.4:
        law = fc.resize(law, 1.5)
    return law


def probes(law: fc.Law) -> NDArray[np.float64]:
    support = law.support()
    if len(support) == 0:
        return np.linspace(-1.0, 5.0, 13)
    low, high = support[0, 0], support[-1, 1]
    inside = low + (high - low) * np.concatenate([np.geomspace(1e-9, 0.5, 9), 1.0 - np.geomspace(1e-9, 0.5, 9)])
    return np.concatenate([inside, [low - 1.0, high + 1.0, low - 1e-9, high + 1e-9, 0.0, np.inf, -np.inf]])


@given(st.lists(flat(), min_size=1, max_size=4))
def test_flat_products_agree_with_the_laws(laws: list[fc.Law]) -> None:
    x = np.stack([probes(law) for law in laws[:1]] * len(laws))
    density, cdf = fc.densities(laws, x), fc.cdfs(laws, x)
    for i, law in enumerate(laws):
        expected = law.evaluate(x[i])
        edges = law.support().reshape(-1)
        allowed = tolerances.density_tolerance(x[i], edges) if edges.size else 0.0
        finite = np.isfinite(expected.density)
        np.testing.assert_array_equal(finite, np.isfinite(density[i]))
        wanted = expected.density[finite]
        assert (np.abs(density[i][finite] - wanted) <= np.broadcast_to(allowed, finite.shape)[finite] * wanted).all()
        np.testing.assert_allclose(cdf[i], expected.cdf, rtol=0.0, atol=tolerances.CDF)


@given(st.lists(strategies.laws(), min_size=1, max_size=3))
def test_any_laws_may_be_mixed(laws: list[fc.Law]) -> None:
    laws = [*laws, *networks(2, 2)]
    x = np.array([-1.0, 0.3, 1.1, 4.0])
    for i, law in enumerate(laws):
        np.testing.assert_allclose(fc.cdfs(laws, x)[i], law.cdf(x), rtol=0.0, atol=tolerances.CDF)


@given(st.lists(flat(), min_size=1, max_size=6))
def test_rows_are_the_arrays_of_the_programs(laws: list[fc.Law]) -> None:
    groups, others = engine.flat_rows(laws)
    # Simplified to a leaf, or mirrored.
    assert not any(isinstance(_product_in(laws[i]), Boxtimes) and not _is_mirrored(laws[i]) for i in others)
    assert sorted([*others, *(i for places, _, _ in groups for i in places)]) == list(range(len(laws)))
    structures: list[tuple[int, ...]] = []
    for places, parameters, multiplicities in groups:
        kinds = {tuple(lower(laws[i]).arrays().kinds) for i in places}
        assert len(kinds) == 1
        structures += kinds
        for i, row, powers in zip(places, parameters, multiplicities, strict=True):
            arrays = lower(laws[i]).arrays()
            assert row.tolist() == arrays.parameters.tolist()
            assert powers.tolist() == arrays.multiplicities.tolist()
    assert len(set(structures)) == len(structures)


def _product_in(law: fc.Law) -> fc.Law:
    while isinstance(law, (Affine, Resize)):
        law = law.law
    return law


def _is_mirrored(law: fc.Law) -> bool:
    return isinstance(law, Affine) and law.scale < 0.0


@pytest.mark.parametrize(
    "law",
    [
        fc.Semicircle(),
        fc.MarchenkoPastur(),
        -1.0 * fc.boxtimes(fc.Bernoulli(0.5), fc.MarchenkoPastur()),
        fc.boxtimes(fc.Bernoulli(0.5), fc.Uniform(0.0, 1.0)),
        fc.boxtimes(fc.Discrete([1.0, 2.0], [0.5, 0.5]), fc.MarchenkoPastur()),
        fc.boxtimes(fc.Discrete([0.0, 1.0, 2.0], [0.5, 0.25, 0.25]), fc.MarchenkoPastur()),
        fc.boxtimes(fc.Bernoulli(0.5), fc.MarchenkoPastur() + 1.0),
        fc.boxplus(fc.Bernoulli(0.5), fc.MarchenkoPastur()),
    ],
)
def test_what_is_no_flat_product_has_no_row(law: fc.Law) -> None:
    assert engine.flat_rows([law]) == ([], [0])


def test_networks_are_solved_by_the_batch_itself() -> None:
    laws = networks(50, 3)
    ((places, parameters, multiplicities),), others = engine.flat_rows(laws)
    assert not others
    x = np.linspace(0.01, 3.0, 100)[None, :]
    values = np.empty((50, 100))
    left = _core.evaluate_laws(
        lower(laws[0]).arrays(),
        parameters,
        multiplicities,
        x,
        True,
        places,
        values,
    )
    np.testing.assert_array_equal(left, np.isnan(values).any(axis=1))
    assert np.mean(np.isnan(values)) < 1e-3
    assert np.mean(values > 0.0) > 0.5


def test_a_row_of_points_for_each_law() -> None:
    laws = networks(7, 2)
    x = np.random.default_rng(1).uniform(0.0, 4.0, (7, 33))
    expected = np.stack([law.density(row) for law, row in zip(laws, x, strict=True)])
    np.testing.assert_allclose(fc.densities(laws, x), expected, rtol=tolerances.REFERENCE, atol=0.0)


def test_no_bit_depends_on_workers_nor_on_company() -> None:
    laws = [*networks(40, 3), *networks(30, 2, seed=3)]
    x = np.linspace(0.0, 5.0, 77)
    alone = np.concatenate([fc.densities([law], x) for law in laws])
    np.testing.assert_array_equal(fc.densities(laws, x), alone)
    np.testing.assert_array_equal(fc.densities(laws, x, workers=2), alone)
    np.testing.assert_array_equal(fc.densities(laws[::-1], x, workers=-1)[::-1], alone)
    np.testing.assert_array_equal(fc.densities(laws, x[::-1])[:, ::-1], alone)


def test_deep_in_a_hard_edge_and_up_to_an_edge() -> None:
    law = fc.MLP(3, weight_variance=2.0).jacobian()
    edge = law.support()[0, 1]
    x = np.concatenate([np.geomspace(1e-250, 1.0, 60), edge * (1.0 - np.geomspace(1e-13, 0.1, 40)), [0.0, edge]])
    allowed = tolerances.density_tolerance(x, law.support().reshape(-1))
    expected, found = law.density(x), fc.densities([law], x)[0]
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(finite, np.isfinite(found))
    assert (np.abs(found[finite] - expected[finite]) <= allowed[finite] * expected[finite]).all()


@pytest.mark.parametrize("step", [-1e-15, -2.3e-16, 1.2e-16, 2.3e-16, 1e-15, 1e-12])
@pytest.mark.parametrize("scale", [1.0, 1e-140, 1e140])
def test_weights_that_almost_meet(step: float, scale: float) -> None:
    # p0 was that of the first factor within 1e-14 of the least one: z had a zero where none was looked for, the support
    # began far inside, and below lay densities of 0 and an F that was off by up to .2.
    laws = [
        scale * law
        for law in (
            fc.boxtimes(fc.Bernoulli(0.5), fc.Bernoulli(0.5 * (1.0 + step)), fc.MarchenkoPastur(1.0 + step)),
            fc.boxtimes(fc.Bernoulli(0.5 * (1.0 + step)), fc.MarchenkoPastur(2.0), fc.MarchenkoPastur(1.0 + step)),
            fc.boxtimes(fc.MarchenkoPastur(2.0 * (1.0 + step)), fc.Bernoulli(0.5)),
        )
    ]
    top = np.array([law.support()[-1, 1] for law in laws])
    x = top[:, None] * np.concatenate([10.0 ** -np.arange(1.0, 12.0), np.linspace(0.15, 0.95, 9)])
    density, cdf = fc.densities(laws, x), fc.cdfs(laws, x)
    for i, law in enumerate(laws):
        found = law.evaluate(x[i])
        np.testing.assert_allclose(density[i], found.density, rtol=1e-11)
        np.testing.assert_allclose(cdf[i], found.cdf, rtol=0.0, atol=tolerances.CDF)
        assert np.all(np.diff(cdf[i][np.argsort(x[i])]) >= 0.0)


@pytest.mark.parametrize("depth", [5000, 1_000_000])
def test_edges_of_deep_products_are_not_better_known_than_their_logarithms(depth: int) -> None:
    # log b is a sum of so many terms: points 1e-12 to 1e-9 inside of it were told to be outside.
    law = fc.boxtimes(fc.Bernoulli(0.9), fc.boxtimes_power(fc.MarchenkoPastur(1.0 / depth), float(depth)))
    low, high = law.support()[-1]
    near = np.geomspace(1e-13, 1e-6, 100)
    x = np.concatenate([low * (1.0 + near), high * (1.0 - near)])
    np.testing.assert_array_equal(fc.densities([law], x)[0] > 0.0, law.density(x) > 0.0)


def test_no_laws_and_no_points() -> None:
    assert fc.densities([], [1.0, 2.0]).shape == (0, 2)
    assert fc.densities(networks(2, 2), []).shape == (2, 0)


def test_nan_stays_nan() -> None:
    found = fc.densities(networks(2, 2), [np.nan, 1.0])
    assert np.isnan(found[:, 0]).all()
    assert (found[:, 1] > 0.0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0], [1.0]), TypeError, r"laws\[0\] must be a law, got 1.0"),
        ((fc.Semicircle(), [1.0]), TypeError, "laws must be an iterable of laws, got one law, Semicircle"),
        (([fc.Semicircle()], 1.0), ValueError, r"x must have shape \(m,\) or \(1, m\), a row for each law, got \(\)"),
        (([fc.Semicircle()], [[1.0], [2.0]]), ValueError, r"x must have shape .*, got \(2, 1\)"),
        (([fc.Semicircle()], [1j]), TypeError, "x must be real"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[Any, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fc.densities(*arguments)
    with pytest.raises(error, match=message):
        fc.cdfs(*arguments)


def test_workers_are_checked() -> None:
    with pytest.raises(ValueError, match="workers must be"):
        fc.densities([fc.Semicircle()], [1.0], workers=0)


def test_kernels_are_set_up_side_by_side() -> None:
    laws = [fc.MLP(3, "hard_tanh", weights="orthogonal", weight_variance=1.2 + 0.1 * k).ntk() for k in range(6)]
    mixed = [*laws, *networks(5, 3), fc.boxplus(fc.Semicircle(), fc.Bernoulli(0.3))]
    x = np.linspace(0.1, 6.0, 50)
    for many, one in ((fc.densities, fc.Law.density), (fc.cdfs, fc.Law.cdf)):
        values = many(mixed, x, workers=3)
        np.testing.assert_array_equal(values, many(mixed, x))
        np.testing.assert_array_equal(values[2], one(laws[2], x))


def test_what_one_of_many_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    laws = [fc.MLP(2, weight_variance=1.0 + 0.1 * k).ntk() for k in range(20)]
    asked: list[fc.Law] = []

    def failing(law: fc.Law, x: Any, *, workers: int) -> Any:
        asked.append(law)
        raise fc.ConvergenceError("not this one")

    monkeypatch.setattr("freeconv.spectrum.density", failing)
    with pytest.raises(fc.ConvergenceError, match="not this one"):
        fc.densities(laws, [1.0], workers=2)
    assert asked
