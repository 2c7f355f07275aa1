"""Laws of squared slopes: the contour rules, closed forms and the core against mpmath and against each other."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from freeconv import Status, engine
from freeconv.contours import pushforward, rule_set
from freeconv.contours.rules import Rule, RuleSet
from freeconv.contours.values import cauchy
from freeconv.laws import CurvedSlopes
from freeconv.lowering import lower
from tests.tolerances import CAUCHY, CDF, MOMENT

Complex = NDArray[np.complex128]
TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "oracles" / "tables" / "slope_cauchy.json").read_text(encoding="utf-8")
)["entries"]


def some(names: tuple[str, ...], quick: tuple[str, ...]) -> list[Any]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


CURVED = ("tanh", "erf", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "sin", "cos")
SOME = some(CURVED, ("tanh", "elu", "sin"))


def case_id(entry: dict[str, Any]) -> str:
    return f"{entry['activation']} q={entry['variance']}"


def curved(name: str, q: float) -> CurvedSlopes:
    law = fc.SlopeLaw(name, q)
    assert isinstance(law, CurvedSlopes)
    return law


@pytest.mark.parametrize("entry", TABLE, ids=case_id)
def test_cauchy_transform_everywhere(entry: dict[str, Any]) -> None:
    law = curved(entry["activation"], entry["variance"])
    z = np.array([complex(*pair) for pair in entry["z"]])
    expected = np.array([complex(*pair) for pair in entry["g"]])
    found = np.asarray(law.cauchy(z))
    # Singular values x_s are good to two ulps, which z − x_s shows.
    known = pushforward(law.activation, law.dispersion)
    values = np.array([anchor.value for anchor in known.anchors if anchor.kind != "cut"])
    distance = np.abs(z[:, None] - values)
    rounding = 2.0**-50 * values[distance.argmin(axis=1)] / distance.min(axis=1)
    error = np.abs(found - expected) / np.maximum(np.abs(expected), 1.0 / (1.0 + np.abs(z)))
    assert np.all(error <= CAUCHY + rounding)


def potentials(rules: RuleSet, rule: Rule, x: float, relative: Complex) -> tuple[Complex, Complex]:
    """∫ log(z − t) dμ(t) of the continuous part at z = x + relative: by weights, and by parts."""
    assert rule.elements is not None
    weighed, by_parts = np.zeros(relative.shape, complex), np.zeros(relative.shape, complex)
    for value, v, w, y in zip(rules.singular, rule.offsets, rule.weights, rule.elements, strict=True):
        apart = (relative + (x - value))[:, None] - v
        weighed += np.log(apart) @ w
        by_parts += (1.0 / apart) @ y
    for group, point, mass in rules.splits:
        by_parts += mass * np.log(relative + (x - rules.singular[group]) - point)
    return weighed, by_parts


# Wide and narrow Gaussians, with one or both tails cut off, folded onto a period, or in several pieces. (Where the cut
# was an ulp from the end of the path, it was split there: off by 7e-8 at .0033, or not at all at .029 and .0878.)
@pytest.mark.parametrize("q", [1e-14, 1e-5, 3.3e-3, 0.029, 0.0878, 0.3, 2.0, 1e4])
@pytest.mark.parametrize("name", some(CURVED, ("gelu",)))
def test_potentials_by_parts_are_those_of_the_weights(name: str, q: float) -> None:
    law = curved(name, q)
    rules = rule_set(law.activation, q)
    assert math.fsum(mass for *_, mass in rules.splits) == pytest.approx(rules.mass, abs=2e-16)
    assert rules.rules[0].elements is None
    width = rules.singular[-1] - rules.singular[0]
    turns = np.exp(1j * np.linspace(0.0, math.pi, 7))
    for rule in rules.rules[1:]:
        nearest = max(rule.distance, 1e-15 * float(np.abs(rules.singular).max()), 1e-14 * width)
        for x in rules.singular:
            relative = np.outer(np.geomspace(nearest, 4.0 * width, 15), turns).ravel()
            away = np.abs(relative[:, None] - (rules.singular - x)).min(axis=1)
            weighed, by_parts = potentials(rules, rule, x, relative[away >= nearest * (1.0 - 1e-12)])
            # What is asked when rules are built; beside singular values a thousand logarithms round to 5e-14.
            assert np.abs(weighed - by_parts).max() <= 1e-13


def test_potentials_of_very_wide_gaussians_are_those_of_the_weights() -> None:
    slopes = curved("gelu", 1e9)
    assert rule_set(slopes.activation, 1e9).splits == ()
    assert rule_set(slopes.activation, 1e4).splits != ()
    nodes, weights = np.polynomial.legendre.leggauss(60)
    for law in (fc.boxtimes(slopes, fc.MarchenkoPastur(0.5)), fc.boxplus(slopes, fc.Semicircle())):
        low, high = law.support()[-1]
        x = low + (high - low) * np.array([0.5, 0.6])
        inner = 0.5 * x.sum() + 0.05 * (high - low) * nodes
        grown = 0.05 * (high - low) * float(weights @ np.asarray(law.density(inner)))
        assert grown == pytest.approx(float(np.diff(law.cdf(x))[0]), abs=CDF)


@pytest.mark.parametrize("entry", TABLE, ids=case_id)
def test_moments_against_quadrature(entry: dict[str, Any]) -> None:
    law = fc.SlopeLaw(entry["activation"], entry["variance"])
    found = [law.moment(k) for k in range(1, len(entry["moments"]) + 1)]
    np.testing.assert_allclose(found, entry["moments"], rtol=MOMENT)
    second = entry["moments"][1] - entry["moments"][0] ** 2
    assert law.variance() == pytest.approx(second, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("q", [1e-3, 0.2, 0.7, 2.0, 30.0])
def test_closed_moments(q: float) -> None:
    erf, sine, cosine = (fc.SlopeLaw(name, q) for name in ("erf", "sin", "cos"))
    for k in range(1, 7):
        assert erf.moment(k) == pytest.approx((4.0 / math.pi) ** k / math.sqrt(1.0 + 4.0 * k * q), rel=1e-12)
    assert sine.moment(1) == pytest.approx(0.5 * (1.0 + math.exp(-2.0 * q)), rel=1e-12)
    assert sine.moment(2) == pytest.approx((3.0 + 4.0 * math.exp(-2.0 * q) + math.exp(-8.0 * q)) / 8.0, rel=1e-12)
    assert cosine.moment(1) == pytest.approx(-0.5 * math.expm1(-2.0 * q), rel=1e-12)


def test_closed_densities() -> None:
    q = 0.7
    x = np.array([1e-6, 0.01, 0.3, 0.9, 1.0 - 1e-9])

    def normal(h: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(np.exp(-h * h / (2.0 * q)) / math.sqrt(2.0 * math.pi * q))

    tanh = normal(np.arccosh(x**-0.25)) / (2.0 * x * np.sqrt(1.0 - np.sqrt(x)))
    np.testing.assert_allclose(fc.SlopeLaw("tanh", q).density(x[:4]), tanh[:4], rtol=1e-13)
    y = x / 16.0
    sigmoid = normal(np.arccosh(0.5 / np.sqrt(y) - 1.0)) / (y * np.sqrt(1.0 - 4.0 * np.sqrt(y)))
    np.testing.assert_allclose(fc.SlopeLaw("sigmoid", q).density(y[:4]), sigmoid[:4], rtol=1e-13)
    w = x * 4.0 / math.pi
    t = -np.log(math.pi * w / 4.0) / (2.0 * q)
    erf = (math.pi * w / 4.0) ** (1.0 / (4.0 * q)) / (2.0 * q * w * np.sqrt(2.0 * math.pi * t))
    np.testing.assert_allclose(fc.SlopeLaw("erf", q).density(w[:4]), erf[:4], rtol=1e-13)
    elu = normal(0.5 * np.log(x)) / (2.0 * x)
    np.testing.assert_allclose(fc.SlopeLaw("elu", q).density(x), elu, rtol=1e-13)
    # A nine digits from its turning value keeps its distance: 1 − x is exact.
    delta = 1.0 - x[4]
    h = math.sqrt(0.5 * delta) * (1.0 + delta / 3.0)
    assert fc.SlopeLaw("tanh", q).density(x[4]) == pytest.approx(2.0 * normal(np.array(h)) / (4.0 * h), rel=1e-8)


@pytest.mark.parametrize("name", CURVED)
@pytest.mark.parametrize("q", [1e-4, 0.6, 12.0])
def test_rules_agree_and_lie_below_the_axis(name: str, q: float) -> None:
    rules = rule_set(fc.activations.resolve(name), q)
    assert rules.error <= 3e-14
    assert [rule.distance for rule in rules.rules] == sorted((rule.distance for rule in rules.rules), reverse=True)
    assert rules.rules[-1].distance == 0.0
    for rule in rules.rules:
        weights = np.concatenate(rule.weights)
        assert abs(weights.sum() - rules.mass) <= 1e-14
        heights = np.concatenate(rule.offsets).imag
        assert np.all(heights <= 0.0 if rule is rules.rules[0] else heights < 0.0)
    # The real axis itself, and the mirror image below it, which the rule continues only up to its nodes.
    z = np.array([5.0 + 0j, 5.0 + 1j])
    g = cauchy(rules, z)
    assert g[0].imag == pytest.approx(0.0, abs=1e-15)
    assert g[1].imag < 0.0


@pytest.mark.parametrize("q", [113.0, pytest.param(1e3, marks=pytest.mark.slow), 1e6])
@pytest.mark.parametrize("name", some(CURVED, ("erf", "tanh", "gelu")))
def test_wide_gaussians(name: str, q: float) -> None:
    rules = rule_set(fc.activations.resolve(name), q)
    assert rules.error < 3e-14
    assert rules.rules[-1].size < 5000
    law = fc.SlopeLaw(name, q)
    x = np.array([0.3, 0.7])
    np.testing.assert_allclose(-np.asarray(law.cauchy(x)).imag / math.pi, law.density(x), rtol=1e-10)


@pytest.mark.parametrize("q", [1e-8, 1e-12, 1e-15])
def test_laws_narrow_beside_their_values(q: float) -> None:
    # φ'² = 1 − 2h² + O(h⁴) of tanh; of GELU 1/4 + c h + O(h²), c = φ''(0) = √(2/π).
    law = curved("tanh", q)
    x = 1.0 - 2.0 * q * np.array([0.3, 1.0, 4.0])
    t = (1.0 - x) / (2.0 * q)
    expected = np.exp(-0.5 * t) / np.sqrt(2.0 * math.pi * t) / (2.0 * q)
    np.testing.assert_allclose(law.density(x), expected, rtol=1e-7)
    np.testing.assert_allclose(-np.asarray(law.cauchy(x)).imag / math.pi, expected, rtol=1e-7)
    assert rule_set(law.activation, q).error < 2e-14
    assert law.variance() == pytest.approx(8.0 * q * q, rel=1e-6)
    law, slope = curved("gelu", q), math.sqrt(2.0 / math.pi)
    x = 0.25 + slope * math.sqrt(q) * np.array([-1.5, 0.1, 1.0])
    h = (x - 0.25) / slope
    expected = np.exp(-h * h / (2.0 * q)) / math.sqrt(2.0 * math.pi * q) / slope
    tolerance = 30.0 * math.sqrt(q)
    np.testing.assert_allclose(law.density(x), expected, rtol=tolerance)
    np.testing.assert_allclose(-np.asarray(law.cauchy(x)).imag / math.pi, expected, rtol=tolerance)
    assert rule_set(law.activation, q).error < 2e-14
    assert law.variance() == pytest.approx(slope * slope * q, rel=tolerance)


def test_networks_of_tiny_signals_are_linear() -> None:
    # Up to O(q), of the distance of 0.01 from the edge that moves by it.
    for variance in (1e-8, 1e-13, 1e-20):
        tanh = fc.MLP(3, "tanh", input_variance=variance)
        linear = fc.MLP(3, "linear")
        x = np.array([0.01, 0.5, 3.0])
        for law, known in ((tanh.jacobian(), linear.jacobian()), (tanh.ntk() / variance, linear.ntk() + 0.0)):
            np.testing.assert_allclose(law.density(x + 1.0), known.density(x + 1.0), rtol=1000.0 * variance + 1e-12)


def test_laws_narrower_than_rounding_are_their_limits() -> None:
    assert fc.SlopeLaw("tanh", 1e-20) == fc.PointMass(1.0)
    assert fc.SlopeLaw("softplus", 1e-40) == fc.PointMass(0.25)
    assert fc.SlopeLaw("elu", 1e-40) == fc.PointMass(1.0)
    assert fc.SlopeLaw("selu", 1e-40) == fc.SlopeLaw("selu", 0.0)
    assert isinstance(fc.SlopeLaw("cos", 1e-30), CurvedSlopes)  # h² has no scale of its own


@pytest.mark.parametrize("name", CURVED)
@pytest.mark.parametrize("q", [0.05, 0.6])
def test_density_cdf_and_quantiles_are_consistent(name: str, q: float) -> None:
    law = fc.SlopeLaw(name, q)
    (low, high), *_ = law.support().tolist()
    pieces = np.unique(law.support())
    known = law.atoms()
    assert law.cdf(low - 1e-9) == pytest.approx(0.0, abs=1e-15)
    assert law.cdf(max(pieces[-1], *known.locations, high)) == pytest.approx(1.0, abs=1e-14)
    x = low + (high - low) * np.array([0.03, 0.21, 0.55, 0.83])
    step = 1e-5 * (high - low)
    slope = (law.cdf(x + step) - law.cdf(x - step)) / (2.0 * step)
    np.testing.assert_allclose(slope, law.density(x), rtol=1e-4, atol=1e-9)
    p = law.cdf(x)
    inner = (p > 1e-10) & (p < 1.0 - 1e-10) & (law.density(x) > 1e-6)
    np.testing.assert_allclose(law.quantile(p[inner]), x[inner], rtol=1e-9)
    # −Im G(x + i0)/π is the same density, from the contour.
    np.testing.assert_allclose(-np.asarray(law.cauchy(x)).imag / math.pi, law.density(x), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("q", [1e-12, 1e-3, 0.5625, 30.0, 1e6])
@pytest.mark.parametrize("name", ["tanh", "erf", "sigmoid", "softplus", "silu", "gelu", "elu", "selu", "sin", "cos"])
def test_quantiles_are_the_nearest_doubles(name: str, q: float) -> None:
    # Newton in a bracket: beside 1/√ at the upper end half of the levels lie within some ulps of it.
    law = fc.SlopeLaw(name, q)
    least = float(law.cdf(1e-300)) if law.support().size else 0.0  # below lie numbers that are no doubles
    p = np.concatenate([np.linspace(0.0, 1.0, 31), np.geomspace(1e-300, 0.1, 40), 1.0 - np.geomspace(1e-16, 0.1, 20)])
    p = np.sort(p[(p > least) | (p == 0.0)])
    x = np.asarray(law.quantile(p))
    below, above = (np.nextafter(np.nextafter(x, side), side) for side in (-np.inf, np.inf))
    slack = 8e-16 + 1e-14 * p
    assert np.all(law.cdf(above) >= p - slack)
    assert np.all(law.cdf(below)[1:] <= (p + slack)[1:])
    assert np.all(np.diff(x) >= -4e-16 * x[1:])


@pytest.mark.parametrize("name", SOME)
def test_the_core_agrees_with_the_closed_form(name: str) -> None:
    law = fc.SlopeLaw(name, 0.6)
    core = engine.solver(law)
    assert core.complete
    # Between singular values, and near them.
    ends = np.unique(np.concatenate([law.support().ravel(), [edge.location for edge in law.edges()]]))
    mid = 0.5 * (ends[1:] + ends[:-1])
    width = ends[-1] - ends[0]
    x = np.concatenate([mid, ends[0] + width * np.array([1e-3, 0.02, 0.11, 0.37, 0.71]), ends[1:] - 1e-5 * width])
    x = np.unique(x[np.asarray(law.density(x)) > 1e-3])
    density, masses, _, status, *_ = core.evaluate(x, True, False, True, 1)
    assert set(status) <= {Status.CERTIFIED, Status.RECOVERED}
    # The contour's rounding is that of G, of which the density may be a small part.
    error = np.abs(density - law.density(x)) / (np.asarray(law.density(x)) + np.abs(law.cauchy(x)) / 1e4)
    assert np.all(error <= 2e-12)
    assert masses is not None
    np.testing.assert_allclose(masses, law.cdf(x), rtol=0.0, atol=CDF)


# Densities of ∏ of 200 squared slopes of erf at q = 0.0131, by tests.oracles.tree at 25 digits. The largest is 1e-19.
FAINT = {
    4.95e17: 6.9136222250641176e-34,
    5.775e17: 1.3923902783080433e-32,
    6.05e17: 3.4788913571588025e-32,
    6.6e17: 1.9567947048361772e-31,
    7.15e17: 9.7740941462232541e-31,
    8.25e17: 1.8418231968388106e-29,
    9.9e17: 9.1851146345827002e-28,
    1.21e18: 1.0427956155506441e-25,
}


def test_what_is_fainter_than_the_rules_is_nothing_and_the_rest_knows_its_error() -> None:
    # With the rounding of Im G, 4e-16 |G|, these were off by all of their size and said 9e-16, or could not be solved.
    law = fc.boxtimes_power(fc.SlopeLaw("erf", 0.0131), 200)
    x, exact = np.array(list(FAINT)), np.array(list(FAINT.values()))
    found = law.evaluate(x)
    shown = x > law.support()[0, 0]
    assert shown.tolist() == [False, False, True, True, True, True, True, True]
    np.testing.assert_array_equal(found.density[~shown], 0.0)
    np.testing.assert_array_equal(found.status[~shown], Status.OUTSIDE)
    error = np.abs(found.density - exact)[shown] / exact[shown]
    assert np.all(error <= found.accuracy[shown])
    assert np.all(found.accuracy[shown] <= 400.0 * error)
    assert np.all(found.accuracy[shown] < 0.5)


@pytest.mark.parametrize(
    ("name", "q"), [("erf", 20.0), ("gelu", 20.0), ("tanh", 1e4), ("sigmoid", 1e5), ("softplus", 1e6)]
)
def test_quantiles_below_the_doubles_are_the_least_of_them(name: str, q: float) -> None:
    # The last bracket is from 0 to a number whose millionth part is none: the largest value was told for such roots.
    law = fc.SlopeLaw(name, q)
    p = np.concatenate([np.geomspace(1e-300, 1e-3, 200), np.linspace(0.002, 1.0, 400)])
    x = np.asarray(law.quantile(p))
    least = law.cdf(5e-324)
    assert np.count_nonzero(p < 0.5 * least) > 5
    assert np.all(x[p < 0.5 * least] == 5e-324)
    assert np.all(np.diff(x) >= -4e-16 * x[1:] - 1e-323)
    # One of many alone.
    assert law.quantile(p[7]) == x[7]


def test_small_distribution_functions_keep_their_digits() -> None:
    # Beside the zero of φ' two pieces meet, with F ~ √x: the mass between h and the zero, where h had lost it.
    law = fc.SlopeLaw("gelu", 0.6)
    x = np.array([1e-10, 1e-20, 1e-30, 1e-40, 1e-80, 1e-160, 1e-300])
    grows = law.cdf(4.0 * x) / law.cdf(x)
    np.testing.assert_allclose(grows, 2.0, rtol=1e-4)
    np.testing.assert_allclose(law.density(x) * x / law.cdf(x), 0.5, rtol=1e-4)
    p = np.geomspace(1e-140, 1e-6, 30)
    np.testing.assert_allclose(law.cdf(law.quantile(p)), p, rtol=1e-13)


def test_faint_tails_are_solved_from_the_skeleton() -> None:
    # The outer 6 % of the support lie below 1e-9 of the largest density. Each of their points was a continuation from
    # infinity of 700 to 5000 steps; where two rules took turns at the solution (2 of 20,000) it was UNCERTIFIED.
    law = fc.MLP(depth=10, activation="gelu", weights="orthogonal").ntk()
    low, high = law.support()[0]
    x = np.linspace(low, high, 20002)[1:-1]
    x = np.concatenate([x[:200:4], x[-1000::4], x[[18896, 18930]]])
    found = law.evaluate(x)
    assert np.all(np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED, Status.OUTSIDE)))
    assert np.percentile(found.iterations, 99) <= 30
    faint = found.density * (high - low) < 1e-9
    assert np.count_nonzero(faint) > 200
    # The same as from infinity, where the rules' error allows to tell.
    clear = np.flatnonzero(faint & (found.accuracy < 1e-2))[::5]
    height = -law.cauchy(x[clear]).imag / np.pi
    np.testing.assert_allclose(found.density[clear], height, rtol=1e-9)
    # What it does not: within the error that is told.
    hidden = np.flatnonzero(faint & (found.status == Status.RECOVERED) & (found.accuracy > 0.5))[::10]
    assert hidden.size > 3
    assert np.all(found.density[hidden] * (high - low) < 1e-12)


def test_a_gap_between_faint_tails() -> None:
    # Both bulks fade below the rules' error before the gap begins.
    tangent = fc.MLP(depth=6, activation="gelu", weights="orthogonal").ntk()
    law = fc.boxplus(tangent * (1.0 / tangent.mean()), fc.Discrete([1.0, 6.0], [0.5, 0.5]))
    support = law.support()
    assert support.shape == (2, 2)
    assert law.cdf(0.5 * (support[0, 1] + support[1, 0])) == pytest.approx(0.5, abs=1e-14)
    for low, high in support:
        near = np.geomspace(1e-9, 0.5, 40) * (high - low)
        found = law.evaluate(np.concatenate([low + near, high - near[::-1]]))
        assert np.all(np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED, Status.OUTSIDE)))
        assert np.all(np.diff(found.cdf) >= -1e-15)


@pytest.mark.parametrize(
    ("name", "q", "depth"),
    [
        ("erf", 0.01314492615612674, 200),
        ("tanh", 0.0118, 1000),
        ("sigmoid", 0.0101, 1000),
        ("sin", 0.0229, 1000),
        ("selu", 1e-9, 3000),
    ],
)
def test_deep_networks_have_a_value_everywhere(name: str, q: float, depth: int) -> None:
    slopes = fc.SlopeLaw(name, q)
    law = fc.boxtimes_power(slopes * (1.0 / slopes.mean()), depth)
    ends = law.support()[0]
    near = np.geomspace(1e-10, 0.5, 60) * (ends[1] - ends[0])
    x = np.concatenate([np.linspace(0.0, 1.02 * ends[1], 300), ends[0] + near, ends[1] - near])
    found = law.evaluate(x)
    assert np.all(found.status != Status.UNCERTIFIED)
    assert np.all(np.diff(found.cdf[np.argsort(x)]) >= -1e-12)


def test_factory_and_value_semantics() -> None:
    assert fc.SlopeLaw("relu", 0.5) == fc.Discrete([0.0, 1.0], [0.5, 0.5])
    assert fc.SlopeLaw("linear", 2.0) == fc.PointMass(1.0)
    assert fc.SlopeLaw("tanh", 0.0) == fc.PointMass(1.0)
    law = fc.SlopeLaw("gelu", 0.5)
    assert isinstance(law, CurvedSlopes)
    assert repr(law) == "SlopeLaw(activation=GELU(), variance=0.5)"
    again = pickle.loads(pickle.dumps(law))
    assert again == law
    assert hash(again) == hash(law)
    with pytest.raises(ValueError, match=r"variance must be >= 0, got -0\.5"):
        fc.SlopeLaw("tanh", -0.5)
    with pytest.raises(ValueError, match="gelu"):
        fc.SlopeLaw("gleu", 0.5)
    assert "singular values" in str(lower(law))


def test_atoms_of_flat_pieces() -> None:
    law = fc.SlopeLaw("selu", 0.7)
    scale = 1.0507009873554805**2
    assert law.atoms() == fc.laws.Law.atoms(law)
    assert law.atoms().locations.tolist() == [pytest.approx(scale, rel=1e-15)]
    assert law.atoms().weights.tolist() == [0.5]
    assert law.cdf(scale) - law.cdf(np.nextafter(scale, 0.0)) == pytest.approx(0.5, abs=1e-12)
    product = fc.boxtimes(law, fc.Bernoulli(0.75))
    assert product.atoms().weights.tolist() == [pytest.approx(0.25), pytest.approx(0.25)]
    low, high = product.support()[0]
    assert 0.0 <= low < high


def test_beside_an_atom_inside_the_support() -> None:
    # F was off by half of the atom up to 1e-9 from it, where values are means over both sides.
    law = fc.boxplus_power(fc.SlopeLaw("selu", 2.0), 1.5)
    location, weight = law.atoms().locations[0], law.atoms().weights[0]
    assert weight == pytest.approx(0.25)
    d = np.array([-1e-6, -1e-9, -1e-12, -4e-16, 0.0, 4e-16, 1e-12, 1e-9, 1e-6])
    found = law.evaluate(location * (1.0 + d))
    assert np.all(np.isin(found.status, (Status.CERTIFIED, Status.RECOVERED)))
    np.testing.assert_allclose(found.density, 0.35872, rtol=1e-4)
    np.testing.assert_allclose(found.cdf - np.where(d >= 0.0, weight, 0.0), 0.536893, atol=2e-6)


def slope_of_tanh(h: Any) -> Any:
    e = np.exp(-2.0 * np.abs(h))
    return 4.0 * e / (1.0 + e) ** 2


def test_functions_known_by_real_values() -> None:
    law = fc.SlopeLaw(fc.activations.Custom(np.tanh, slope_of_tanh), 0.7)
    z = np.array([0.3, 0.02, 1.2 + 0.1j, -0.4, 1.0 - 1e-6, 5.0 + 5.0j])
    np.testing.assert_allclose(law.cauchy(z), fc.SlopeLaw("tanh", 0.7).cauchy(z), rtol=1e-10)
    assert law.moment(3) == pytest.approx(fc.SlopeLaw("tanh", 0.7).moment(3), rel=1e-13)
    x = np.array([0.2, 0.6, 1.4])
    ours, builtin = (fc.boxtimes(fc.MarchenkoPastur(), one) for one in (law, fc.SlopeLaw("tanh", 0.7)))
    np.testing.assert_allclose(ours.density(x), builtin.density(x), rtol=1e-9)


def test_kinks_of_a_function() -> None:
    # φ = h²/2 for h > 0: X = h² there, an atom of 1/2 at 0, and a density e^{−x/2q}/(2 √(2πqx)) that jumps nowhere.
    def slope(h: Any) -> Any:
        return np.maximum(h, 0.0)

    law = fc.SlopeLaw(fc.activations.Custom(lambda h: 0.5 * slope(h) ** 2, slope, kinks=(0.0,)), 0.5)
    x = np.array([1e-6, 0.1, 1.0, 3.0])
    np.testing.assert_allclose(law.density(x), np.exp(-x) / (2.0 * np.sqrt(np.pi * x)), rtol=1e-11)
    assert law.atoms().weights.tolist() == [0.5]
    np.testing.assert_allclose(-np.asarray(law.cauchy(x)).imag / math.pi, law.density(x), rtol=1e-9)


def test_a_function_with_an_unnamed_kink_is_refused() -> None:
    def slope(h: Any) -> Any:
        return 1.0 / (1.0 + np.abs(h)) ** 2

    softsign = fc.activations.Custom(lambda h: h / (1.0 + np.abs(h)), slope)
    with pytest.raises(ValueError, match="smooth"):
        fc.SlopeLaw(softsign, 1.0).density(0.5)
