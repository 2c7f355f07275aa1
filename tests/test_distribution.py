"""Distribution functions, quantiles, samples and the record of each point; values against tables: test_reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from numpy.typing import NDArray

import freeconv as fc
from freeconv import boundary
from tests import strategies
from tests.tolerances import CDF, QUANTILE_ULPS

Array = NDArray[np.float64]

EXAMPLES = settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
GAP = fc.boxplus(fc.Semicircle(0.0, 0.25), COIN)
RELU = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
LAWS = {
    "closed": fc.Uniform(-1.0, 2.0),
    "arcsine": fc.Arcsine(-2.0, 1.0),
    "atoms": fc.Discrete([-1.0, 0.5, 3.0], [0.25, 0.25, 0.5]),
    "point": fc.PointMass(2.0),
    "soft": fc.Semicircle(1.0, 2.0),
    "hard": fc.MarchenkoPastur(),
    "atom": fc.MarchenkoPastur(ratio=2.0),
    "gap": GAP,
    "network": RELU,
    "affine": -2.0 * fc.MarchenkoPastur(ratio=0.5) + 1.0,
    "negative": fc.FreePoisson(0.5, -1.0),
    "resized": fc.resize(fc.boxtimes(fc.Bernoulli(0.75), fc.MarchenkoPastur()), 1.5),
    "top atom": fc.boxtimes(fc.Bernoulli(0.75), fc.Bernoulli(0.75, 2.0)),
}
NAMED = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())


def inside(law: fc.Law, nearest: float) -> Array:
    """Points of every interval down to `nearest` of its width from both ends."""
    part = np.geomspace(nearest, 0.5, 12)
    grids = [np.concatenate([a + (b - a) * part, b - (b - a) * part]) for a, b in law.support().tolist()]
    return np.sort(np.concatenate(grids)) if grids else np.empty(0)


def assert_inverse(law: fc.Law, x: Array) -> None:
    """quantile(cdf(x)) = x to the error of F over the density: relatively, 1/(x f(x)) times it."""
    masses = np.asarray(law.cdf(x))
    error = np.abs(np.asarray(law.quantile(masses)) - x)
    allowed = 2.0 * CDF / np.asarray(law.density(x)) + QUANTILE_ULPS * np.finfo(float).eps * np.abs(x)
    assert (error <= allowed).all(), (x[error > allowed], error[error > allowed])


@NAMED
def test_quantile_inverts_cdf_of_named_laws(law: fc.Law) -> None:
    x = inside(law, 1e-6)
    assert np.asarray(law.quantile(law.cdf(x))).shape == x.shape
    assert_inverse(law, x)


@EXAMPLES
@given(strategies.laws())
def test_quantile_inverts_cdf(law: fc.Law) -> None:
    assert_inverse(law, inside(law, 1e-3))


@EXAMPLES
@given(strategies.laws())
def test_quantiles_are_monotone_and_the_generalised_inverse(law: fc.Law) -> None:
    p = np.linspace(0.0, 1.0, 201)
    q = np.asarray(law.quantile(p))
    assert (np.diff(q) >= 0.0).all()
    ulps = 4.0 * np.finfo(float).eps * np.abs(q)
    assert (np.asarray(law.cdf(q + ulps)) >= p - 2.0 * CDF).all()
    assert (np.asarray(law.cdf(q - ulps))[1:] <= p[1:] + 2.0 * CDF)[q[1:] > q[0]].all()
    np.testing.assert_array_equal([law.quantile(float(one)) for one in p[::50]], q[::50])


@pytest.mark.parametrize("power", [1, 2, 3, 9])
@pytest.mark.parametrize("x", [1e-200, 1e-60, 1e-30, 1e-10, 1e-2])
def test_quantiles_at_a_hard_edge_keep_all_digits(power: int, x: float) -> None:
    law = fc.boxtimes_power(fc.MarchenkoPastur(), power)
    p = law.cdf(x)
    # F is relatively exact, and x f(x)/F(x) ≥ 1/(k + 1).
    assert law.quantile(p) == pytest.approx(x, rel=(power + 1) * 1e-14)
    leading = (power + 1) / math.pi * math.sin(math.pi / (power + 1)) * x ** (1.0 / (power + 1))
    assert p == pytest.approx(leading, rel=3.0 * x ** (1.0 / (power + 1)) + 1e-13)


@pytest.mark.parametrize("name", ["three atoms", "ReLU", "kernel", "moved", "coins"])
def test_no_quantile_depends_on_its_company(name: str) -> None:
    law = {
        "three atoms": fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete([1.0, 3.0, 10.0], [0.4, 0.3, 0.3])),
        "ReLU": fc.MLP(4, weight_variance=2.0).jacobian(),
        "kernel": fc.MLP(3, "hard_tanh", weights="orthogonal", weight_variance=1.3, bias_variance=0.1).ntk(),
        "moved": fc.resize(2.0 * fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Bernoulli(0.3)), 1.7) + 0.5,
        "coins": fc.boxplus(fc.Bernoulli(0.3), fc.Semicircle()),
    }[name]
    rng = np.random.default_rng(7)
    tails = 10.0 ** rng.uniform(-13.0, 0.0, 50)
    p = np.concatenate([rng.uniform(0.0, 1.0, 200), tails, 1.0 - tails[:30]])
    x = law.quantile(p)
    order = np.argsort(p)
    np.testing.assert_array_equal(law.quantile(p[order]), x[order])
    np.testing.assert_array_equal(law.quantile(p[::-1])[::-1], x)
    np.testing.assert_array_equal([law.quantile(level) for level in p[::17]], x[::17])


def test_quantiles_beside_a_hard_edge_that_holds_most_of_the_mass() -> None:
    """Half of what a hundred layers have off 0 is below 1e-30: distances are from 0, masses from the other end."""
    law = fc.MLP(100, weight_variance=2.0).jacobian()
    p = np.linspace(0.5, 1.0, 402)[1:-1]
    x = np.asarray(law.quantile(p))
    found = x > 1e-280
    assert found.sum() > 300
    assert (x[found] < 1e-30).sum() > 100
    np.testing.assert_allclose(law.cdf(x[found]), p[found], rtol=0.0, atol=1e-14)


def test_a_level_that_rounding_put_above_the_jump_before_a_piece() -> None:
    """F is 0.05 in the gap behind an atom, and an ulp more where the piece begins: not the piece's upper end."""
    cubed = fc.boxtimes_power(fc.Discrete([1.25, 1.75, 2.0, 2.5], [0.125, 0.125, 0.0625, 0.6875]), 3.0)
    law = -1.353076826458182 * fc.resize(cubed, 1.25) - 1.969237078180739
    low = law.support()[0, 0]
    level = law.cdf(low)
    for p in (level, np.nextafter(level, 1.0), level + 1e-14):
        assert law.quantile(p) == pytest.approx(low, rel=1e-9)


def test_quantiles_at_the_right_end() -> None:
    """1 − F ~ (2/3) c d^(3/2), c = 1/(4π): p = 1 − 1e-12 is known to ε/2, so d to ε/3e-12 = 4e-5."""
    distance = 4.0 - float(np.asarray(fc.MarchenkoPastur().quantile(1.0 - 1e-12)))
    assert distance == pytest.approx((1.5e-12 * 4.0 * math.pi) ** (2.0 / 3.0), rel=1e-4)


def test_quantiles_of_masses_in_the_noise_of_f() -> None:
    """F is good to 1e-16 only, of a mass of 2e-14 half a percent: the search ended without an answer."""
    law = fc.boxtimes(fc.Discrete([1.0, 50.0], [0.5, 0.5]), fc.MarchenkoPastur(0.05))
    p = np.append(np.geomspace(3e-15, 1e-9, 400), 2.1871393385115584e-14)
    x = np.asarray(law.quantile(p))
    np.testing.assert_allclose(law.cdf(x), p, rtol=0.0, atol=1e-15)
    assert (-law).quantile(0.9999999999999781) == pytest.approx(-x[-1], rel=1e-6)


def test_generalised_inverse_on_gaps_and_atoms() -> None:
    assert GAP.quantile(0.5) == pytest.approx(-0.3690087298281905, rel=1e-12)  # the gap's lower end
    assert GAP.quantile(0.5 + 1e-9) > 0.369
    assert fc.MarchenkoPastur(ratio=2.0).quantile([0.0, 1e-300, 0.5 - 1e-12, 0.5]).tolist() == [0.0] * 4
    top = LAWS["top atom"]  # 1/4 at 0, 1/4 between, 1/2 at 2
    assert top.quantile([0.0, 0.1, 0.25, 0.5 + 1e-12, 0.75, 1.0]).tolist() == [0.0, 0.0, 0.0, 2.0, 2.0, 2.0]
    atoms = LAWS["atoms"]
    assert atoms.quantile([0.0, 0.1, 0.25, 0.26, 0.5, 0.51, 1.0]).tolist() == [-1.0, -1.0, -1.0, 0.5, 0.5, 3.0, 3.0]
    assert fc.PointMass(2.0).quantile([0.0, 0.5, 1.0]).tolist() == [2.0, 2.0, 2.0]
    assert LAWS["negative"].quantile([0.5 + 1e-12, 0.75, 1.0]).tolist() == [0.0, 0.0, 0.0]


@NAMED
def test_ends_of_quantiles_and_cdf(law: fc.Law) -> None:
    ends = np.concatenate([law.support().ravel(), law.atoms().locations])
    assert law.quantile(0.0) == ends.min()
    assert law.quantile(1.0) == ends.max()
    x = [-math.inf, -1e300, np.nextafter(ends.min(), -math.inf), ends.max(), 1e300, math.inf]
    assert law.cdf(x).tolist() == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


@NAMED
def test_quantile_refuses_what_is_no_probability(law: fc.Law) -> None:
    for p in (-5e-324, 1.0 + 2.3e-16, math.inf, -math.inf, 1e308, -1.0):
        with pytest.raises(ValueError, match=rf"p must be in \[0, 1\], got {float(p)!r}".replace("+", r"\+")):
            law.quantile([0.5, p])
    assert math.isnan(law.quantile(math.nan))
    np.testing.assert_array_equal(law.quantile([math.nan, 1.0]), [math.nan, law.quantile(1.0)])


@EXAMPLES
@given(strategies.laws())
def test_cdf_is_the_integral_of_the_density_and_jumps_at_atoms(law: fc.Law) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(24)
    for low, high in law.support().tolist():
        x = 0.5 * (low + high) + 0.2 * (high - low) * np.linspace(-1.0, 1.0, 24)
        x = x[np.asarray(law.density(x)) > 0.0]
        half = 1e-3 * (high - low)
        fine = law.density(x[:, None] + half * nodes)
        smooth = np.max(fine, axis=1) < 1.1 * np.min(fine, axis=1)  # not beside a would-be atom
        step = np.asarray(law.cdf(x + half)) - np.asarray(law.cdf(x - half))
        np.testing.assert_allclose((half * fine @ weights)[smooth], step[smooth], rtol=1e-8, atol=2.0 * CDF)
    known = law.atoms()
    jumps = np.asarray(law.cdf(known.locations)) - np.asarray(law.cdf(np.nextafter(known.locations, -math.inf)))
    # The ulp below an atom holds √ε of what diverges there.
    np.testing.assert_allclose(jumps, known.weights, rtol=0.0, atol=1e-7)


@pytest.mark.parametrize("name", ["hard", "network", "gap", "top atom", "affine", "arcsine", "atoms"])
def test_samples_follow_the_law(name: str) -> None:
    """Dvoretzky, Kiefer and Wolfowitz with Massart's constant: P(√n D > t) ≤ 2 exp(−2 t²), 1e-6 at t = 2.7."""
    law, n = LAWS[name], 10**6 if name in ("hard", "network") else 10**5
    values, counts = np.unique(law.sample(n, rng=7), return_counts=True)
    total = np.cumsum(counts)
    above = np.max(np.abs(total / n - law.cdf(values)))
    below = np.max(np.abs((total - counts) / n - law.cdf(np.nextafter(values, -math.inf))))
    assert max(above, below) <= 2.7 / math.sqrt(n)
    known = law.atoms()
    for location, weight in zip(known.locations, known.weights, strict=True):
        hits = int(counts[values == location].sum())
        assert abs(hits - n * weight) <= 5.0 * math.sqrt(n * weight * (1.0 - weight))


def test_samples_are_reproducible_and_of_any_shape() -> None:
    law = fc.MarchenkoPastur(ratio=2.0)
    assert type(law.sample()) is float
    assert law.sample(rng=3) == law.sample(1, rng=3)[0]
    assert law.sample((2, 0), rng=1).shape == (2, 0)
    np.testing.assert_array_equal(law.sample((3, 4), rng=3).ravel(), law.sample(12, rng=3))
    generator = np.random.default_rng(3)
    first, second = law.sample(5, generator), law.sample(5, generator)
    np.testing.assert_array_equal(first, law.sample(5, 3))
    assert np.any(first != second)
    wrong: list[tuple[Any, Any]] = [("a", None), (2.5, None), (3, "seed"), (3, 1.5)]
    for size, rng in wrong:
        with pytest.raises(TypeError):
            law.sample(size, rng)
    for negative in (-1, (2, -1)):
        with pytest.raises(ValueError, match="size must be an integer >= 0"):
            law.sample(negative)


@EXAMPLES
@given(strategies.laws())
def test_evaluate_agrees_with_density_and_cdf(law: fc.Law) -> None:
    x = np.concatenate([inside(law, 1e-4), law.atoms().locations, [1e3, -1e3, math.nan]])
    found = law.evaluate(x)
    np.testing.assert_array_equal(found.cdf, law.cdf(x))
    np.testing.assert_array_equal(found.density, law.density(x))
    assert found.status[-1] == fc.Status.NOT_A_NUMBER
    assert np.isnan([found.density[-1], found.cdf[-1], found.accuracy[-1]]).all()
    assert (found.accuracy[:-1] >= 0.0).all()
    assert (found.accuracy[:-1] <= 1e-11).all()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> fc.Law:
    """A law whose density cannot be certified at x = 1."""
    honest = boundary.record

    def record(law: fc.Law, x: Array, **options: Any) -> boundary.Record:
        found = honest(law, x, **options)
        found.status[x == 1.0] = fc.Status.UNCERTIFIED
        return found

    monkeypatch.setattr(boundary, "record", record)
    return fc.MarchenkoPastur()


def test_on_failure(failing: fc.Law) -> None:
    x = np.array([[0.5, 1.0], [2.0, math.nan]])
    for method in (failing.density, failing.cdf):
        assert np.isnan(method(x, on_failure="nan")).tolist() == [[False, True], [False, True]]
        assert np.isnan(method(x, on_failure="return")).tolist() == [[False, False], [False, True]]
        assert np.isfinite(method([0.5, 2.0])).all()
        assert math.isnan(method(1.0, on_failure="nan"))
        with pytest.raises(fc.ConvergenceError, match=r"1 of 4 points .* x = 1\.0; evaluate"):
            method(x)
    assert np.isnan(failing.evaluate(x).density[0, 1])
    assert failing.evaluate(x, on_failure="return").cdf[0, 1] == pytest.approx(0.6089977810442294, rel=1e-12)
    with pytest.raises(fc.ConvergenceError) as raised:
        failing.evaluate(x, on_failure="raise")
    found = raised.value.evaluation
    assert found is not None
    assert found.status.tolist() == [[fc.Status.CERTIFIED, fc.Status.UNCERTIFIED], [0, fc.Status.NOT_A_NUMBER]]
    for values in (found.density, found.cdf, found.residual, found.iterations, found.accuracy):
        assert values.shape == (2, 2)
    assert found.cdf[0, 0] == failing.cdf(0.5)
    assert np.isnan([found.cdf[0, 1], found.density[0, 1]]).all()


@pytest.mark.parametrize("wrong", ["ignore", "Raise", "", None, 1, ("nan",)])
def test_on_failure_names_a_wrong_choice(wrong: Any) -> None:
    for method in (fc.Semicircle().density, fc.Semicircle().cdf, fc.Semicircle().evaluate):
        points: list[Any] = [1.0, []]
        for x in points:
            with pytest.raises(ValueError, match="on_failure must be one of 'raise', 'nan', 'return', got "):
                method(x, on_failure=wrong)


@pytest.mark.parametrize(
    "leaf",
    [
        fc.SlopeLaw("cos", 0.5703125),
        fc.SlopeLaw("tanh", 0.5),
        fc.Discrete([0.2, 1.1, 1.5], [0.3, 0.3, 0.4]),
        fc.Arcsine(0.5, 2.0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("p", [1e-3, 1e-6])
def test_products_almost_all_at_zero(leaf: fc.Law, p: float) -> None:
    # eta = m + p of a leaf was z G - (1 - p), rounded by 1: F, certified, was off by 1e-10 at p = 1e-6.
    law = fc.boxtimes(leaf, fc.boxtimes_power(fc.Bernoulli(p), 1.88))
    low, high = law.support()[-1]
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for start, stop in ((0.02, 0.1), (0.1, 0.3), (0.5, 0.7)):
        a, b = (low + part * (high - low) for part in (start, stop))
        mass = 0.5 * (b - a) * weights @ law.density(a + 0.5 * (b - a) * (1.0 + nodes))
        assert law.cdf(b) - law.cdf(a) == pytest.approx(mass, rel=1e-9, abs=3e-15)


def test_powers_of_measures() -> None:
    """F of a 300th power holds 299 arg m, which z G − 1 has to 1/|m| = 200 ulps only. (From 40 digits.)"""
    law = fc.boxtimes_power(fc.Discrete([0.00015000000000000001, 1.5], [0.5, 0.5]), 300.0)
    low, high = law.cdf(np.array([1e-35, 1.7782794100389227e-35]))
    assert high - low == pytest.approx(0.000707839630021181482, rel=0.0, abs=CDF)


def test_f_of_a_thousand_layers() -> None:
    """Rounding of the unknown moves F by the whole chain's slope, unless it is taken back. (From 50 digits.)"""
    law = fc.MLP(1000, weight_variance=2.0).jacobian()
    (low, high) = law.support()[0]
    values = law.cdf(low + (high - low) * (np.array([0, 20, 39]) + 0.5) / 40)
    np.testing.assert_allclose(
        values, [0.998808723238696438, 0.999919745322962033, 0.999999788187464365], rtol=0.0, atol=4e-15
    )


def test_sums_of_thousands_of_slopes() -> None:
    # Sums of logarithms in doubles, 7000 times: F fell by 3e-12 at a point and was off by 1e-11.
    slopes = fc.boxplus_power(fc.SlopeLaw("softplus", 0.001), 400)
    law = fc.boxplus(fc.boxplus_power(fc.boxplus(slopes, fc.FreePoisson(18.4)), 17.5), fc.MarchenkoPastur(0.5))
    low, high = law.support()[0]
    nodes, weights = np.polynomial.legendre.leggauss(30)
    for part in (1e-5, 1e-4, 1e-3):
        a, b = high - part * (high - low), high - 0.3 * part * (high - low)
        mass = 0.5 * (b - a) * weights @ law.density(a + 0.5 * (b - a) * (1.0 + nodes))
        assert law.cdf(b) - law.cdf(a) == pytest.approx(mass, rel=1e-7, abs=1e-13)


def test_a_weight_that_is_rounded_away() -> None:
    # p = 1 to the last digit is no Bernoulli node: an internal error came out.
    coin = fc.Discrete([0.0, 1.0], [1e-219, 1.0])
    law = fc.boxtimes(coin, fc.MarchenkoPastur(0.5))
    assert law.density(1.1) == pytest.approx(fc.MarchenkoPastur(0.5).density(1.1), rel=1e-12)
    assert fc.densities([law], [1.1])[0, 0] == law.density(1.1)


def bernoulli_of(p: float) -> fc.Law:
    return fc.Discrete([0.0, 1.0], [1.0 - p, p])


# Forty decades without mass; all of the mass within 1e-12 of a point; an edge that is known to 1e-14 of the width only.
MP = fc.MarchenkoPastur
NARROW_AND_WIDE = [
    fc.boxtimes(
        fc.boxtimes_power(MP(1.0 - 1e-9), 5.0),
        fc.boxtimes_power(1e9 * fc.boxtimes(fc.Bernoulli(0.5), MP(0.5)) + 1e-9, 5.0),
    ),
    fc.boxtimes(
        bernoulli_of(0.999999999),
        1.4746481443701749
        * fc.boxtimes(
            bernoulli_of(0.999999999),
            1.1551035927721515e-06
            * fc.boxtimes(
                bernoulli_of(0.3),
                bernoulli_of(0.999999999),
                5.290178279147756e-07 * fc.boxtimes(MP(0.5), MP(2.0)) + 1e-9,
            )
            + 1.0,
        )
        + 1.0,
    ),
    1e-60
    * fc.boxtimes(
        bernoulli_of(0.999999999),
        1.7372248441424698e-12
        * fc.boxtimes(MP(1.0 + 1e-12), 780303490.7273195 * fc.boxtimes(bernoulli_of(1e-9), MP(2.0)) + 1.0)
        + 1.0,
    ),
]


@pytest.mark.parametrize("law", NARROW_AND_WIDE, ids=["wide", "narrow", "scaled"])
def test_quantiles_of_laws_that_doubles_hardly_hold(law: fc.Law) -> None:
    """A step beyond the ends of a piece was taken for the quantile, which was off by all of the law; others raised."""
    p = np.concatenate(
        [np.linspace(0.0, 1.0, 103)[1:-1], np.geomspace(1e-14, 1e-3, 12), 1.0 - np.geomspace(1e-14, 1e-3, 12)]
    )
    p.sort()
    q = np.asarray(law.quantile(p))
    assert (np.diff(q) >= 0.0).all()
    ulps = 3.0 * np.spacing(q)
    assert (np.asarray(law.cdf(q + ulps)) >= p - 1e-12).all()
    assert (np.asarray(law.cdf(q - ulps)) <= p + 1e-12).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_quantiles_are_upper_where_f_jumps_between_doubles(sign: float) -> None:
    law = sign * fc.boxtimes(MP(1e-22), MP(5e-23))
    p = np.linspace(0.01, 0.99, 37)
    q = np.asarray(law.quantile(p))
    assert (np.asarray(law.cdf(q)) >= p - 1e-11).all()  # an ulp of x is 5e-6 of F
    assert (np.asarray(law.cdf(q - 2.0 * np.spacing(np.abs(q)))) <= p + 1e-11).all()


def test_quantiles_at_an_atom_inside_the_density() -> None:
    # One of four was the atom, the others an ulp below.
    law = fc.boxplus_power(fc.SlopeLaw("selu", 1.0), 1.25)
    atom, weight = float(law.atoms().locations[0]), float(law.atoms().weights[0])
    low, high = law.support()[0]
    assert low < atom < high
    top = law.cdf(atom)
    p = top - weight * np.linspace(0.001, 0.999, 57)
    assert (np.asarray(law.quantile(p)) == atom).all()
    assert law.quantile(top - 1.01 * weight) < atom < law.quantile(top + 0.01 * weight)
