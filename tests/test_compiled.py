"""Compiled laws against the laws themselves, at every kind of edge."""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import freeconv as fc
from freeconv import boundary, engine
from tests.tolerances import COMPILED, COMPILED_RELATIVE

Array = NDArray[np.float64]

COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
LAWS: dict[str, Callable[[], fc.Law]] = {
    "ReLU, L=1": lambda: fc.MLP(1, "relu", weight_variance=2.0).jacobian(),
    "ReLU, L=3, hard edge": lambda: fc.MLP(3, "relu", weight_variance=2.0).jacobian(),
    "ReLU, L=20, harder": lambda: fc.MLP(20, "relu", weight_variance=2.0).jacobian(),
    "Haar": lambda: fc.MLP(5, "relu", weights="orthogonal", weight_variance=2.0).jacobian(),
    "hard tanh kernel": lambda: fc.MLP(
        3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02
    ).ntk(),
    "MP below 1": lambda: fc.MarchenkoPastur(0.3),
    "MP 1": lambda: fc.MarchenkoPastur(1.0),
    "MP above 1, an atom": lambda: fc.MarchenkoPastur(3.0),
    "MP turned round": lambda: -2.0 * fc.MarchenkoPastur(1.0) + 3.0,
    "two intervals": lambda: fc.boxplus(fc.Semicircle(variance=0.1), COIN),
    "nearly a cusp": lambda: fc.boxplus(fc.Semicircle(variance=1.0001), COIN),
    "cusp": lambda: fc.boxplus(fc.Semicircle(variance=1.0), COIN),
    "coins, inverse square roots": lambda: fc.boxplus(COIN, COIN),
    "two atoms, three pieces": lambda: fc.boxplus(
        fc.Discrete([-1.0, 1.0], [0.3, 0.7]), fc.Discrete([0.0, 1.5], [0.4, 0.6])
    ),
    "uniform, jumps": lambda: fc.Uniform(-1.0, 2.0),
    "arcsine": lambda: fc.Arcsine(0.0, 1.0),
    "tanh": lambda: fc.MLP(2, "tanh", weight_variance=1.2, bias_variance=0.05).jacobian(),
    "atoms alone": lambda: fc.Discrete([-1.0, 0.0, 3.0], [0.25, 0.5, 0.25]),
}


@functools.cache
def both(name: str) -> tuple[fc.Law, fc.CompiledLaw]:
    law = LAWS[name]()
    return law, law.compile()


def ends(law: fc.Law) -> list[tuple[float, float]]:
    return [(edge.location, edge.exponent) for edge in law.edges()]


def inside(law: fc.Law, n: int) -> Array:
    """Random points of every piece."""
    edges = [edge.location for edge in law.edges()]
    rng = np.random.default_rng(0)
    return np.concatenate(
        [[-0.5, 0.5, 7.0], *(a + (b - a) * rng.random(n) for a, b in zip(edges[::2], edges[1::2], strict=True))]
    )


def beside(law: fc.Law) -> Array:
    """Points at 1e-15 to 1e-2 of the width from every end, on both sides of it, and far below a hard edge."""
    locations = [edge.location for edge in law.edges()]
    width = np.ptp(locations) if locations else 1.0
    distances = width * np.concatenate([[0.0], np.geomspace(1e-15, 1e-2, 30)])
    points = [location + sign * distances for location in locations for sign in (-1.0, 1.0)]
    if any(edge.kind is fc.EdgeKind.HARD and edge.location == 0.0 for edge in law.edges()):
        points.append(np.geomspace(1e-288, 1e-15, 60))
    return np.concatenate([[0.0], *points])


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("where", [functools.partial(inside, n=300), beside], ids=["inside", "beside the edges"])
def test_densities_are_those_of_the_law(name: str, where: Callable[[fc.Law], Array]) -> None:
    law, compiled = both(name)
    x = where(law)
    values, truth = np.asarray(compiled.density(x)), np.asarray(law.density(x))
    assert np.array_equal(values[~np.isfinite(truth)], truth[~np.isfinite(truth)])
    assert np.array_equal(values == 0.0, truth == 0.0)
    positive = np.isfinite(truth) & (truth > 0.0)
    values, truth, x = values[positive], truth[positive], x[positive]
    assert np.all(np.abs(values - truth) <= COMPILED_RELATIVE * truth)
    # Away from divergences, in terms of the maximum there.
    width = np.ptp([location for location, _ in ends(law)]) if ends(law) else 1.0
    away = np.ones(x.shape, dtype=bool)
    for location, exponent in ends(law):
        if exponent < 0.0:
            away &= np.abs(x - location) > 0.05 * width
    assert np.all(np.abs(values - truth)[away] <= COMPILED * truth[away].max(initial=0.0))


@pytest.mark.parametrize("name", LAWS)
def test_distribution_functions_are_those_of_the_law(name: str) -> None:
    law, compiled = both(name)
    x = np.concatenate([inside(law, 300), beside(law), law.atoms().locations])
    assert np.abs(compiled.cdf(x) - law.cdf(x)).max() <= compiled.error <= COMPILED
    assert np.all(np.diff(compiled.cdf(np.sort(x))) >= -COMPILED)


@pytest.mark.parametrize("name", LAWS)
def test_quantiles_are_those_of_the_law(name: str) -> None:
    law, compiled = both(name)
    p = np.concatenate([np.random.default_rng(1).random(300), np.geomspace(1e-4, 0.1, 50), [0.0, 0.25, 0.5, 1.0]])
    x, truth = np.asarray(compiled.quantile(p)), np.asarray(law.quantile(p))
    assert x.shape == p.shape
    # F differs by the error of either; at an inverse square root by what an ulp of x makes.
    with np.errstate(divide="ignore", invalid="ignore"):
        slack = COMPILED * np.where(np.isin(x, law.atoms().locations), 1.0, p * (1.0 - p)) / law.density(truth)
    scale = max(map(abs, law.support().ravel()), default=1.0)
    near = np.abs(x - truth) <= np.where(np.isfinite(slack), slack, 0.0) + 4e-12 * np.abs(truth) + 1e-15 * scale
    assert near.all()


def test_masses_are_relative_to_the_nearer_end() -> None:
    law = fc.MLP(3, "relu", weight_variance=2.0).jacobian().compile()
    # f ~ c x^(-3/4): F(x) = 4 x f(x) (1 + O(x^(1/4))) far below what 1 - Im U/pi tells.
    x = np.array([1e-200, 1e-250])
    np.testing.assert_allclose(law.cdf(x) - 0.5, 0.0, atol=1e-15)
    bare = fc.MLP(3, "linear").jacobian().compile()
    np.testing.assert_allclose(bare.cdf(x), 4.0 * x * bare.density(x), rtol=1e-12)
    low = fc.MarchenkoPastur(0.25).compile()
    edge = low.support()[0, 0]
    distance = (edge + 1e-6) - edge
    leading = 2.0 / 3.0 * distance * low.density(edge + 1e-6)
    assert low.cdf(edge + 1e-6) == pytest.approx(leading, rel=1e-4)


@pytest.mark.parametrize("name", ["ReLU, L=1", "two intervals", "MP 1", "uniform, jumps", "cusp"])
def test_quantiles_invert_the_distribution_function(name: str) -> None:
    _, compiled = both(name)
    bottom = compiled.atoms().weights.sum()
    p = np.linspace(bottom, 1.0, 20_001)[1:-1]
    assert np.abs(compiled.cdf(compiled.quantile(p)) - p).max() <= COMPILED


def test_a_million_samples_follow_the_law() -> None:
    law, compiled = both("hard tanh kernel")
    samples = np.asarray(compiled.sample(1_000_000, rng=7))
    assert np.array_equal(samples[:100], compiled.sample((10, 10), rng=7).ravel())
    np.testing.assert_allclose(samples[:1000], law.sample(1000, rng=7), rtol=1e-12)
    known = law.atoms()
    for location, weight in zip(known.locations, known.weights, strict=True):
        assert np.mean(samples == location) == pytest.approx(weight, abs=5.0 * np.sqrt(weight / samples.size))
    free = samples[~np.isin(samples, known.locations)]
    below = np.asarray(law.cdf(np.sort(free)[::100]))
    # The Kolmogorov distance of the continuous part is that of uniform numbers: its law is known.
    place = (below - below.min()) / (below.max() - below.min())
    assert stats.kstest(place, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("workers", [2, 3, -1])
def test_no_bit_depends_on_workers_or_neighbours(workers: int) -> None:
    _, compiled = both("hard tanh kernel")
    x = np.random.default_rng(3).uniform(-0.1, 3.0, 10_007)
    p = np.random.default_rng(4).random(10_007)
    for function, points in ((compiled.density, x), (compiled.cdf, x), (compiled.quantile, p)):
        alone = function(points)
        assert function(points, workers=workers).tobytes() == alone.tobytes()
        assert function(points[::-1])[::-1].tobytes() == alone.tobytes()
        assert [function(point) for point in points[:5].tolist()] == alone[:5].tolist()


def test_points_where_there_is_nothing() -> None:
    law, compiled = both("MP above 1, an atom")
    x = np.array([np.nan, -np.inf, np.inf, -1.0, 0.0, 1e300, 5e-324])
    assert np.array_equal(compiled.density(x), [np.nan, 0, 0, 0, 0, 0, 0], equal_nan=True)
    assert np.array_equal(compiled.cdf(x), law.cdf(x), equal_nan=True)
    assert np.isnan(compiled.quantile(np.nan))
    assert compiled.quantile(0.1) == 0.0
    assert compiled.density(np.empty((0, 3))).shape == (0, 3)


def test_at_the_edges_are_the_limits_of_the_law() -> None:
    for name in ("uniform, jumps", "coins, inverse square roots", "MP 1", "cusp"):
        law, compiled = both(name)
        locations = np.array([location for location, _ in ends(law)])
        assert np.array_equal(compiled.density(locations), law.density(locations))
        assert np.array_equal(compiled.cdf(locations), law.cdf(locations))
        assert compiled.quantile(0.0) == law.quantile(0.0)
        assert compiled.quantile(1.0) == law.quantile(1.0)


def test_what_a_compiled_law_is() -> None:
    law, compiled = both("MP below 1")
    assert compiled.law is law
    assert repr(compiled) == "MarchenkoPastur(ratio=0.3, scale=1.0).compile(tol=1e-12)"
    assert compiled == law.compile()
    assert compiled != law.compile(tol=1e-9)
    assert hash(compiled) == hash(law.compile())
    assert 0.0 < compiled.error <= compiled.tol == 1e-12
    assert 0 < law.compile(tol=1e-6).nbytes <= compiled.nbytes < 2**18
    assert (compiled.mean(), compiled.variance(), compiled.moment(3)) == (law.mean(), law.variance(), law.moment(3))
    assert np.array_equal(compiled.support(), law.support())
    assert repr(compiled.atoms()) == repr(law.atoms())
    with pytest.raises(AttributeError):
        compiled.tol = 1.0  # type: ignore[misc]


def test_pickles_keep_every_bit() -> None:
    law, compiled = both("two intervals")
    again = pickle.loads(pickle.dumps(compiled))
    x = inside(law, 200)
    assert again == compiled
    assert again.error == compiled.error
    assert again.density(x).tobytes() == compiled.density(x).tobytes()
    assert again.quantile(0.3) == compiled.quantile(0.3)


@pytest.mark.parametrize(
    ("tol", "error", "message"),
    [
        (0.0, ValueError, "tol must be > 0, got 0.0"),
        (-1.0, ValueError, "tol must be > 0, got -1.0"),
        (np.nan, ValueError, "tol must be finite, got nan"),
        (1e-14, ValueError, "tol must be in [1e-13, 0.001], got 1e-14"),
        (0.5, ValueError, "tol must be in [1e-13, 0.001], got 0.5"),
        ("1e-9", TypeError, "tol must be a real number, got '1e-9'"),
        (True, TypeError, "tol must be a real number, got True"),
    ],
)
def test_tolerances(tol: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        fc.Semicircle().compile(tol)


def test_wrong_points_are_refused() -> None:
    _, compiled = both("MP 1")
    for call in (compiled.density, compiled.cdf, compiled.quantile):
        with pytest.raises(TypeError, match="must be real"):
            call(1j)
        with pytest.raises(TypeError, match="must be a number or an array of numbers"):
            call("1")
        with pytest.raises(ValueError, match="workers must be an integer >= 1 or -1, got 0"):
            call(0.5, workers=0)
    for p in (-0.1, 1.1, np.inf):
        with pytest.raises(ValueError, match=re.escape(f"p must be in [0, 1], got {p}")):
            compiled.quantile([0.5, p])
    with pytest.raises(TypeError, match="size must be an integer"):
        compiled.sample(2.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng must be"):
        compiled.sample(2, rng="x")


def test_a_tolerance_that_cannot_be_met_is_said() -> None:
    # A density known to six digits: noise that no cell resolves.
    law = fc.MarchenkoPastur(0.3)
    rough = boundary.record

    def noisy(*arguments: Any, **options: Any) -> Any:
        found = rough(*arguments, **options)
        return found._replace(density=found.density * (1.0 + 1e-6 * np.sin(1e9 * arguments[1])))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boundary, "record", noisy)
        with pytest.raises(fc.ConvergenceError, match=r"tol = 1e-12 is off by .* at x = .*; a larger tol may be met"):
            law.compile()


TABLE: dict[str, Any] = {
    "cuts": np.array([1.0, 2.0]),
    "regions": np.array([[0.0, 1.0, 5.0, np.nan], [0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 7.0, np.nan]]),
    "octave_offsets": np.array([0, -1022, 0]),
    "octaves": np.array([[1.0, 0.0], [2.0, 1.0]]),
    "rows": np.vstack([np.zeros(8), np.eye(8)[:2]]),
}


def test_a_table_is_its_cells() -> None:
    # In [1, 2): 1 in the lower half, the place in the cell in the upper one.
    values, missed = engine.table(*TABLE.values()).evaluate(np.array([0.0, 1.0, 1.25, 1.5, 1.75, 2.0, np.nan]))
    assert missed == 0
    assert np.array_equal(values, [5.0, 1.0, 1.0, -0.5, 0.0, 7.0, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cuts", np.array([2.0, 1.0]), "cuts must be ascending"),
        ("cuts", np.array([1.0, np.inf]), "cuts must be finite"),
        ("cuts", np.array([1.0]), "one region more than cuts"),
        ("octave_offsets", np.array([0, -1021, 0]), "octaves must be those of the table"),
        ("octave_offsets", np.array([0, -1023, 0]), "octaves must be those of the table"),
        ("octave_offsets", np.array([0, 2**62, 0]), "octaves must be those of the table"),
        ("octaves", np.array([[1.0, 0.0], [3.0, 1.0]]), "cells must be rows of the table"),
        ("octaves", np.array([[1.0, 0.0], [2.5, 1.0]]), "cells of an octave must be an integer"),
        ("octaves", np.array([[1.0, 0.0], [2.0, 3.0]]), "first row must be one of the rows"),
        ("octaves", np.array([[2.0, 0.0], [2.0, 1.0]]), "first octave must be one cell"),
        ("rows", np.zeros((3, 7)), "rows must have two dimensions, the second of length 8"),
    ],
)
def test_wrong_tables_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        engine.table(*(TABLE | {name: value}).values())


@pytest.mark.parametrize("column", range(4))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-320, 1e300])
def test_no_region_reads_beyond_the_arrays(column: int, value: float) -> None:
    regions = TABLE["regions"].copy()
    regions[1, column] = value
    x = np.concatenate([np.linspace(-3.0, 3.0, 1000), [np.nan, np.inf, -np.inf, 1e300, 5e-324]])
    try:
        made = engine.table(*(TABLE | {"regions": regions}).values())
    except ValueError:
        return
    values, missed = made.evaluate(x)
    assert np.count_nonzero(np.isnan(values)) == missed + 1


def nearly_equal_coins(offset: float) -> fc.Law:
    return fc.boxplus(fc.Discrete([0.0, 1.0], [0.5, 0.5]), fc.Discrete([0.0, 1.0], [0.5 + offset, 0.5 - offset]))


def test_panels_shorter_than_the_rounding_of_x_are_no_panels() -> None:
    """At the centre of coins that are equal but for 1e-8 they ended in a singular matrix."""
    law = nearly_equal_coins(1e-8)
    table = law.compile()
    assert table.error <= 1e-12
    x = np.concatenate([1.0 + np.geomspace(1e-6, 0.9, 50), 1.0 - np.geomspace(1e-6, 0.9, 50)])
    np.testing.assert_allclose(table.cdf(x), law.cdf(x), rtol=0.0, atol=COMPILED)
    np.testing.assert_allclose(table.density(x), law.density(x), rtol=COMPILED_RELATIVE)


def test_pieces_closer_than_tables_can_tell_are_refused() -> None:
    with pytest.raises(fc.ConvergenceError, match=r"a table of .* with tol = 1e-12 is off by"):
        nearly_equal_coins(1e-12).compile()
