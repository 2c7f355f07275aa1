"""How densities end: kinds, exponents and coefficients against exact asymptotics; the density at edges themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import freeconv as fc
from freeconv import EdgeKind
from tests import strategies
from tests.tolerances import COEFFICIENT, EDGE

EXAMPLES = settings(max_examples=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

MP = fc.MarchenkoPastur()
COIN = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
RELU = fc.MLP(3, "relu", weight_variance=2.0).jacobian()


def check(edge: fc.Edge, location: float, side: int, kind: EdgeKind, exponent: float, coefficient: float) -> None:
    assert edge.location == pytest.approx(location, rel=EDGE, abs=1e-15)
    assert (edge.side, edge.kind) == (side, kind)
    assert edge.exponent == pytest.approx(exponent, abs=1e-15)
    assert edge.coefficient == pytest.approx(coefficient, rel=COEFFICIENT)


def fuss_catalan(k: int) -> float:
    """x^(k/(k+1)) f(x) → (1/π) sin(π/(k + 1)) for k square factors of scale 1: z G^(k+1) → 1."""
    return math.sin(math.pi / (k + 1)) / math.pi


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.0, 2.0), (-3.0, 0.25)])
def test_semicircle(mean: float, variance: float) -> None:
    low, high = fc.Semicircle(mean, variance).edges()
    radius = 2.0 * math.sqrt(variance)
    value = math.sqrt(2.0 * radius) / (2.0 * math.pi * variance)
    check(low, mean - radius, 1, EdgeKind.SQUARE_ROOT, 0.5, value)
    check(high, mean + radius, -1, EdgeKind.SQUARE_ROOT, 0.5, value)


@pytest.mark.parametrize("c", [0.25, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 5.0])
def test_marchenko_pastur(c: float, scale: float) -> None:
    """f = √((b − x)(x − a))/(2π c s x)."""
    low, high = fc.MarchenkoPastur(c, scale).edges()
    a, b = (scale * (1.0 + sign * math.sqrt(c)) ** 2 for sign in (-1.0, 1.0))
    check(low, a, 1, EdgeKind.SQUARE_ROOT, 0.5, math.sqrt(b - a) / (2.0 * math.pi * c * scale * a))
    check(high, b, -1, EdgeKind.SQUARE_ROOT, 0.5, math.sqrt(b - a) / (2.0 * math.pi * c * scale * b))


@pytest.mark.parametrize("k", [1, 2, 3, 5, 10, 20])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_products_of_square_factors_end_hard(k: int, scale: float) -> None:
    low, high = fc.boxtimes_power(fc.MarchenkoPastur(1.0, scale), k).edges()
    # Density of a X: f(x/a)/a.
    power = -k / (k + 1.0)
    check(low, 0.0, 1, EdgeKind.HARD, power, fuss_catalan(k) * (scale**k) ** (-1.0 - power))
    assert (high.side, high.kind, high.exponent) == (-1, EdgeKind.SQUARE_ROOT, 0.5)
    assert high.location == pytest.approx(scale**k * (k + 1.0) ** (k + 1) / float(k) ** k, rel=EDGE)


@pytest.mark.parametrize("depth", [2, 3, 8])
def test_relu_networks_end_hard(depth: int) -> None:
    """Half of the mass is a product of `depth` square factors: K ~ η^depth at m = −1/2."""
    low, high = fc.MLP(depth, "relu", weight_variance=2.0).jacobian().edges()
    assert (low.location, low.side, low.kind) == (0.0, 1, EdgeKind.HARD)
    assert low.exponent == pytest.approx(-(depth - 1.0) / depth, abs=1e-15)
    assert high.kind is EdgeKind.SQUARE_ROOT
    assert math.isinf(fc.MLP(depth, "relu", weight_variance=2.0).jacobian().density(0.0))


def test_closed_laws() -> None:
    low, high = fc.Arcsine(-1.0, 3.0).edges()
    check(low, -1.0, 1, EdgeKind.INVERSE_SQUARE_ROOT, -0.5, 0.5 / math.pi)
    check(high, 3.0, -1, EdgeKind.INVERSE_SQUARE_ROOT, -0.5, 0.5 / math.pi)
    low, high = fc.Uniform(-1.0, 2.0).edges()
    check(low, -1.0, 1, EdgeKind.JUMP, 0.0, 1.0 / 3.0)
    check(high, 2.0, -1, EdgeKind.JUMP, 0.0, 1.0 / 3.0)
    assert fc.PointMass(1.0).edges() == fc.Discrete([0.0, 1.0], [0.5, 0.5]).edges() == ()
    for edge, side in zip(fc.boxplus(COIN, COIN).edges(), (1, -1), strict=True):  # an arcsine law on (−2, 2)
        check(edge, -2.0 * side, side, EdgeKind.INVERSE_SQUARE_ROOT, -0.5, 0.5 / math.pi)


def test_gaps_have_their_edges() -> None:
    found = fc.boxplus(fc.Semicircle(0.0, 0.25), COIN).edges()
    assert [edge.side for edge in found] == [1, -1, 1, -1]
    assert {edge.kind for edge in found} == {EdgeKind.SQUARE_ROOT}
    assert [edge.location for edge in found] == pytest.approx([-edge.location for edge in reversed(found)], rel=EDGE)


def test_two_sides_of_would_be_atoms() -> None:
    """Atoms 1/2 at 0 and 1/2 at 1 meet exactly 1 at 1: the density diverges on both sides of an interval's cut."""
    found = fc.boxplus(fc.MarchenkoPastur(2.0), fc.Bernoulli(0.5)).edges()
    cut = [edge for edge in found if edge.location == 1.0]
    assert [edge.side for edge in cut] == [-1, 1]
    assert {edge.exponent for edge in cut} == {-1.0 / 3.0}
    assert cut[0].coefficient == pytest.approx(cut[1].coefficient, rel=1e-9)


@EXAMPLES
@given(strategies.laws(), strategies.scales(), strategies.numbers(-2.0, 2.0), st.sampled_from([1.0, -1.0]))
def test_affine_images(law: fc.Law, scale: float, shift: float, sign: float) -> None:
    """f_{aX+b}(x) = f((x − b)/a)/|a|."""
    before = law.edges()
    after = (sign * scale * law + shift).edges()
    assert len(before) == len(after)
    for old, new in zip(before if sign > 0.0 else before[::-1], after, strict=True):
        assert new.location == pytest.approx(sign * scale * old.location + shift, rel=1e-10, abs=1e-10)
        assert (new.side, new.kind) == (sign * old.side, old.kind)
        assert new.exponent == pytest.approx(old.exponent, abs=1e-3)
        # Edges of images are found anew where shifts join the leaves: 1e-3 where the exponent was measured.
        known = old.kind is not EdgeKind.POWER
        want = old.coefficient / scale ** (1.0 + old.exponent)
        assert new.coefficient == pytest.approx(want, rel=1e-6 if known else 1e-2)


def test_edges_that_are_no_powers() -> None:
    # x = sech⁴ h: f = e^{−h²/2q}/√(2πq) · 2/|g'|, g' = −4 g tanh h, h = log(16/x)/4 + …: a lognormal tail.
    low, high = fc.SlopeLaw("tanh", 0.5625).edges()
    assert (low.location, low.side, low.kind) == (0.0, 1, EdgeKind.OTHER)
    h = 0.25 * math.log(16.0 / 4e-10)  # the middle of where it is measured
    assert low.exponent == pytest.approx(h / (4.0 * 0.5625) - 1.0, abs=1e-3)
    x = 1e-10
    assert low.coefficient * x**low.exponent == pytest.approx(float(fc.SlopeLaw("tanh", 0.5625).density(x)), rel=1e-12)
    assert fc.SlopeLaw("tanh", 0.5625).density(0.0) == 0.0
    assert high.kind is EdgeKind.INVERSE_SQUARE_ROOT


@pytest.mark.parametrize("ratio", [1.25, 2.0, 4.0])
def test_size_changes_divide_coefficients(ratio: float) -> None:
    for law in (MP, RELU, fc.MarchenkoPastur(0.5), fc.boxtimes_power(MP, 3)):
        for old, new in zip(law.edges(), fc.resize(law, ratio).edges(), strict=True):
            check(new, old.location, old.side, old.kind, old.exponent, old.coefficient / ratio)


@pytest.mark.parametrize("scale", [1e150, 1e-150])
def test_coefficients_beyond_the_doubles_do_not_raise(scale: float) -> None:
    """Density beside an end of squared ELU slopes has scale ** (1 + exponent) in it, which is no double."""
    law = scale * fc.SlopeLaw("elu", 2.0)
    for edge, own in zip(law.edges(), fc.SlopeLaw("elu", 2.0).edges(), strict=True):
        assert edge.exponent == own.exponent
        assert edge.location == pytest.approx(scale * own.location, rel=1e-12)
    x = np.array([edge.location for edge in law.edges()])
    assert not np.isnan(law.density(x)).any()


def test_compressions() -> None:
    """A corner of half the size of a square Wishart matrix is one of ratio 1/2."""
    for old, new in zip(fc.MarchenkoPastur(0.5).edges(), fc.compress(MP, 0.5).edges(), strict=True):
        check(new, old.location, old.side, old.kind, old.exponent, old.coefficient)


@EXAMPLES
@given(strategies.laws())
def test_edges_are_the_ends_of_the_support_with_their_asymptotics(law: fc.Law) -> None:
    found = law.edges()
    ends = law.support()
    assert [edge.side for edge in found] == [1, -1] * (len(found) // 2)
    assert set(ends.ravel().tolist()) <= {edge.location for edge in found}
    locations = [edge.location for edge in found]
    assert locations == sorted(locations)
    for edge, other in zip(found, [found[i ^ 1] for i in range(len(found))], strict=True):
        if math.isnan(edge.coefficient):
            assert edge.kind is EdgeKind.OTHER
            continue
        assert edge.coefficient > 0.0
        distance = (1e-10 if edge.kind is EdgeKind.OTHER else 1e-6) * abs(other.location - edge.location)
        x = edge.location + edge.side * distance
        # Leading order: the next is √distance, or a small power of it for steep hard edges.
        ratio = float(np.asarray(law.density(x))) / (edge.coefficient * abs(x - edge.location) ** edge.exponent)
        assert ratio == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize(
    "law",
    [
        MP,
        fc.MarchenkoPastur(0.5),
        RELU,
        fc.Uniform(-1.0, 2.0),
        3.0 * fc.Uniform(-1.0, 2.0),
        fc.Arcsine(0.0, 4.0),
        fc.boxplus(COIN, COIN),
        fc.boxplus(fc.Semicircle(0.0, 0.25), COIN),
        -2.0 * MP,
        fc.resize(MP, 2.0),
        fc.resize(fc.Uniform(0.0, 1.0), 2.0),
        fc.FreePoisson(1.0, -2.0),
        fc.boxtimes_power(MP, 50),
        fc.compress(fc.Uniform(0.0, 1.0), 0.5),
    ],
    ids=repr,
)
def test_the_density_at_an_edge_is_its_limit(law: fc.Law) -> None:
    for edge in law.edges():
        limit = math.inf if edge.exponent < 0.0 else 0.0 if edge.exponent > 0.0 else edge.coefficient
        assert law.density(edge.location) == limit
        assert law.evaluate([edge.location]).density.tolist() == [limit]


def test_edges_are_values() -> None:
    low, high = MP.edges()
    assert (low, high) == fc.MarchenkoPastur(1.0, 1.0).edges()
    assert hash(low) != hash(high)
    assert str(low.kind) == "hard"
    with pytest.raises(AttributeError):
        low.side = 2  # type: ignore[misc]
