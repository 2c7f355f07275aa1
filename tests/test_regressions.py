"""What goes wrong in other packages, as tests: each says what failed elsewhere."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from tests.oracles import potential, specs
from tests.oracles.load import Reference, build, load
from tests.tolerances import ATOM, EDGE, REFERENCE, density_tolerance

Array = NDArray[np.float64]

# Total masses by `mass`: its rule converges geometrically for the square-root and inverse square-root edges of the laws
# here, to this at 2000 nodes.
QUADRATURE = 1e-9


def relu_gaussian(depth: int) -> fc.Law:
    """Bernoulli(1/2)^{⊠L} ⊠ MP(1, 2)^{⊠L}."""
    return fc.MLP(depth, "relu", weight_variance=2.0).jacobian()


def relu_gaussian_curve(depth: int, points: int) -> tuple[Array, Array]:
    """(x, density): x(m) = (1 + m)(1 + 2m)^L/m is real at 1 + 2m = r e^{−it}, r = s + √(s² + 1), s = sin t cot Lt."""
    t = np.pi / depth * (np.arange(points) + 0.5) / points
    a = np.sin(t) / np.tan(depth * t)
    r = np.exp(np.arcsinh(a))
    u = r * np.exp(-1j * t)
    factor = np.abs((1.0 + u) / (u - 1.0))
    x = factor * np.exp(depth * np.arcsinh(a))
    with np.errstate(divide="ignore"):
        return x, r * np.sin(t) / (2.0 * np.pi * x)


def fuss_catalan_curve(s: int, points: int) -> tuple[Array, Array]:
    """(x, density) of MP^{⊠s}: x = sin^{s+1}((s+1)t)/(sin t sin^s(st)), 0 < t < π/(s+1)."""
    t = np.pi / (s + 1) * (np.arange(points) + 0.5) / points
    all_, most = np.sin((s + 1) * t), np.sin(s * t)
    x = all_ ** (s + 1) / (np.sin(t) * most**s)
    return x, np.sin(t) ** 2 * most ** (s - 1) / (np.pi * all_**s)


def relu_haar_curve(depth: int, points: int) -> tuple[Array, Array]:
    """(x, density) of Bern(1/2, 2)^{⊠L}: x = v^L/(v − 1), v = r e^{−it}, r = sin Lt/sin (L−1)t, G = 1/((2 − v) x)."""
    t = np.pi / depth * (np.arange(points) + 0.5) / points
    r = np.sin(depth * t) / np.sin((depth - 1) * t)
    v = r * np.exp(-1j * t)
    x = np.exp(depth * np.log(r)) / np.abs(v - 1.0)
    return x, np.abs((1.0 / (2.0 - v)).imag) / (np.pi * x)


def assert_curve(law: fc.Law, x: Array, density: Array, factors: int) -> None:
    """Compare with a closed form in doubles, at every point.

    The curve rounds x by a few ε per factor, which moves the density by |x f'/f| ≤ 1 + x/(edge − x) times as much.
    """
    keep = x > 0.0  # deep products reach down to where x underflows
    x, density = x[keep], density[keep]
    values = law.evaluate(x)
    known = np.isin(values.status, [fc.Status.CERTIFIED, fc.Status.RECOVERED])
    assert known.all()
    assert (values.density > 0.0).all()
    room = law.support()[-1, 1] - x
    bound = REFERENCE + 4.0 * (factors + 4.0) * np.finfo(float).eps * (1.0 + x / room)
    np.testing.assert_array_less(np.abs(values.density / density - 1.0), bound)


def mass(law: fc.Law, nodes: int = 2000) -> float:
    """Mass of the continuous part: the midpoint rule in s for x = low + (high − low) sin²(πs/2) on each interval."""
    angle = np.pi * (np.arange(nodes) + 0.5) / (2 * nodes)
    parts = []
    for low, high in law.support():
        density = law.density(low + (high - low) * np.sin(angle) ** 2)
        parts.append(math.fsum(density * np.sin(2.0 * angle)) * (high - low) * np.pi / (2 * nodes))
    return math.fsum(parts)


def reference(table: str, start: str) -> Reference:
    """The entry of a table whose name starts so."""
    return next(entry for entry in load(table) if entry.name.startswith(start))


def assert_reference(entry: Reference) -> None:
    """Density, support and atoms of a reference."""
    law: Any = build(entry.spec)
    inside = entry.density > 0.0
    x, density = entry.x[inside], entry.density[inside]
    edges = np.concatenate([law.support().ravel(), law.atoms().locations])
    np.testing.assert_array_less(np.abs(law.density(x) / density - 1.0), density_tolerance(x, edges))
    np.testing.assert_array_equal(law.density(entry.x[~inside]), 0.0)
    if entry.support is not None:
        np.testing.assert_allclose(law.support(), entry.support, rtol=EDGE)
    if entry.atoms is not None:
        np.testing.assert_allclose(law.atoms().locations, entry.atoms[:, 0], rtol=ATOM)
        np.testing.assert_allclose(law.atoms().weights, entry.atoms[:, 1], atol=ATOM)


def test_a_point_where_newton_certifies_the_wrong_root() -> None:
    """Cold Newton basins (FreeNN) return .36098 here, certified by a Kantorovich test as a root: not as the right one.

    The true value, 0.30734488358938722806, is that of the closed curve at 80 digits.
    """
    law = relu_gaussian(3)
    assert law.density(0.17280644741569479) == pytest.approx(0.30734488358938723, rel=REFERENCE)
    assert law.evaluate(0.17280644741569479).status == fc.Status.CERTIFIED


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled", "one by one"])
def test_no_wrong_root_from_a_cold_start_or_a_neighbour(order: str) -> None:
    """Newton basins return wrong roots at 2–5 % of points from a cold start (FreeNN); nor may order matter."""
    law = relu_gaussian(3)
    x, density = relu_gaussian_curve(3, 500)
    at = {"ascending": np.argsort(x), "descending": np.argsort(x)[::-1]}.get(order)
    if at is None:
        at = np.random.default_rng(1).permutation(len(x))
    if order == "one by one":
        single = np.array([law.density(point) for point in x])
        np.testing.assert_array_equal(single, law.density(x))
    assert_curve(law, x[at], density[at], 6)


@pytest.mark.parametrize("depth", range(40, 51))
def test_no_negative_density_at_depth(depth: int) -> None:
    """Expanded degree-L polynomials give negative densities at L = 40–50 (FreeNN)."""
    assert_curve(relu_gaussian(depth), *relu_gaussian_curve(depth, 1000), 2 * depth)


@pytest.mark.parametrize("depth", [70, 80, 90, 100, 300])
def test_great_depths_end_and_are_right(depth: int) -> None:
    """The same polynomials overflow and hang at L = 70–100 (FreeNN)."""
    assert_curve(relu_gaussian(depth), *relu_gaussian_curve(depth, 1000), 2 * depth)


def jacobian_of_widths(widths: tuple[int, ...]) -> fc.Law:
    """J Jᵀ of a Gaussian ReLU network at σ_w² = 2 of these widths: ⊠ by WᵀW, of size N_{l−1}, then a change to N_l."""
    law: fc.Law = fc.PointMass(1.0)
    for before, after in itertools.pairwise(widths):
        gram = fc.MarchenkoPastur(before / after, 2.0 * after / before)
        law = fc.boxtimes(fc.resize(fc.boxtimes(law, gram), after / before), fc.Bernoulli(0.5))
    return law


@pytest.mark.parametrize(
    ("widths", "output", "input_"),
    [((800, 1200, 600, 1000), 0.7, 0.625), ((1200, 800, 1600), 0.75, 2.0 / 3.0), ((500, 500, 500), 0.5, 0.5)],
)
def test_the_atom_of_unequal_widths(widths: tuple[int, ...], output: float, input_: float) -> None:
    """Rule of the narrowest layer: 1 − min(N_0, min N_l/2)/N.  FreeNN takes the widest: .25 for JᵀJ in the first."""
    law = jacobian_of_widths(widths)
    transposed = fc.resize(law, widths[0] / widths[-1])
    for side, weight in ((law, output), (transposed, input_)):
        atoms = side.atoms()
        assert atoms.locations.tolist() == [0.0]
        assert atoms.weights[0] == pytest.approx(weight, abs=ATOM)
    np.testing.assert_allclose(transposed.support(), law.support(), rtol=EDGE)
    if law.support()[0, 0] > 0.0:  # no hard edge at 0
        assert mass(law) == pytest.approx(1.0 - output, abs=QUADRATURE)
        assert mass(transposed) == pytest.approx(1.0 - input_, abs=QUADRATURE)


def test_the_square_of_marchenko_pastur_at_every_point() -> None:
    """A wrong branch at 31 of 1000 points (freealg 0.12.2)."""
    law = fc.boxtimes(fc.MarchenkoPastur(), fc.MarchenkoPastur())
    assert_curve(law, *fuss_catalan_curve(2, 1000), 2)


@pytest.mark.parametrize("factors", range(3, 9))
def test_products_of_many_factors_at_every_point(factors: int) -> None:
    """A wrong branch at 22–35 % of points with 3–8 factors (freealg 0.12.2); equal and unequal factors here."""
    x, density = fuss_catalan_curve(factors, 1000)
    assert_curve(fc.boxtimes_power(fc.MarchenkoPastur(), factors), x, density, factors)
    scales = [2.0 ** (k - 2) for k in range(factors)]  # unequal, so that no two factors become one
    law = fc.boxtimes(*(fc.MarchenkoPastur(1.0, scale) for scale in scales))
    scale = math.prod(scales)
    assert_curve(law, scale * x, density / scale, factors)


@pytest.mark.parametrize("depth", range(3, 9))
def test_three_and_more_layers_at_every_point(depth: int) -> None:
    """100 % of points wrong from three layers on (`best_density` of rmtool 1.0.0)."""
    assert_curve(relu_gaussian(depth), *relu_gaussian_curve(depth, 1000), 2 * depth)
    haar = fc.MLP(depth, "relu", weights="orthogonal", weight_variance=2.0).jacobian()
    assert_curve(haar, *relu_haar_curve(depth, 1000), depth)


def test_integers_are_not_truncated() -> None:
    """Densities written into an array of the argument's integer type are all 0 (freealg 0.12.2)."""
    law = relu_gaussian(3)
    for dtype in (np.int8, np.int32, np.int64, np.uint16):
        x = np.arange(1, 17, dtype=dtype)
        values = law.density(x)
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, law.density(x.astype(np.float64)))
        assert (values > 0.0).all()
    assert law.density(1) == law.density(1.0) > 0.0
    assert law.density([1, 2]).tolist() == law.density([1.0, 2.0]).tolist()


def test_atoms_are_not_smeared() -> None:
    """Atoms become peaks of a finite width, their mass part of the density (freealg 0.12.2)."""
    law = fc.boxplus(fc.Discrete([0.0, 1.0], [0.25, 0.75]), fc.Discrete([0.0, 2.0], [0.25, 0.75]))
    atoms = law.atoms()
    np.testing.assert_allclose(atoms.locations, [3.0], rtol=ATOM)
    np.testing.assert_allclose(atoms.weights, [0.5], atol=ATOM)
    around = 3.0 + np.array([-1e-3, -1e-6, -1e-12, 0.0, 1e-12, 1e-6, 1e-3])
    np.testing.assert_array_equal(law.density(around), 0.0)
    assert mass(law) == pytest.approx(0.5, abs=QUADRATURE)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("mp_discrete", "MP(0.05) x {1,3,10}"),
        ("mp_discrete", "MP(0.5) x {0,1,4}"),
        ("mp_discrete", "MP(0.001) x {1,1.2,50}"),
        ("additive", "semicircle(0.01) + {0,1,1.5}"),
        ("ntk", "orthogonal hard tanh L=3"),
        ("ntk", "orthogonal hard tanh L=8"),
    ],
)
def test_several_intervals_and_atoms_of_the_result(table: str, name: str) -> None:
    """Contour integrals (Cortinovis and Ying) take one interval and no atoms, and blow up silently otherwise."""
    entry = reference(table, name)
    assert_reference(entry)
    law: fc.Law = build(entry.spec)
    assert mass(law) + math.fsum(law.atoms().weights) == pytest.approx(1.0, abs=QUADRATURE)


@pytest.mark.parametrize("entry", load("mp_discrete"), ids=str)
def test_no_edge_is_missed(entry: Reference) -> None:
    """The lowest edge of MP ⊠ discrete is missed by Spectrode; each edge here, to the last digits, and its sides."""
    law: fc.Law = build(entry.spec)
    assert entry.support is not None
    np.testing.assert_allclose(law.support(), entry.support, rtol=EDGE)
    low, high = entry.support.T
    step = 1e-6 * (high - low)
    assert (law.density(low + step) > 0.0).all()
    assert (law.density(high - step) > 0.0).all()
    np.testing.assert_array_equal(law.density(low - step), 0.0)
    np.testing.assert_array_equal(law.density(high + step), 0.0)


def test_the_root_of_largest_imaginary_part_is_not_the_law() -> None:
    """Picking it from the roots in m of m x = (1 + m)(1 + 2m)³ doubles the mass of Gaussian ReLU L = 3, which is .5."""
    law = relu_gaussian(3)
    x = np.geomspace(1e-12, law.support()[0, 1], 4000)[:-1]
    quartic = np.polymul([1.0, 1.0], np.polymul([2.0, 1.0], np.polymul([2.0, 1.0], [2.0, 1.0])))
    roots = np.array([np.roots(np.polysub(quartic, [point, 0.0])) for point in x])
    picked, ours = roots.imag.max(axis=1) / (np.pi * x), law.density(x)
    wrong = np.abs(picked / ours - 1.0) > 1e-2
    assert 0.1 < wrong.mean() < 0.9  # the trap is one: right at many points, wrong at many
    nearest = np.min(np.abs(roots.imag / (np.pi * x * ours)[:, None] - 1.0), axis=1)
    assert (nearest < 1e-2).all()  # the law is a root everywhere; np.roots sees the nearly triple ones at 0 this well
    masses = [np.trapezoid(values * x, np.log(x)) for values in (picked, ours)]
    assert masses == pytest.approx([1.013, 0.5], abs=5e-3)


def test_m_through_infinity_at_an_isolated_top_atom() -> None:
    """The right edge of the bulk is then a critical point at m < −1; searching m > 0 finds another or none."""
    entry = reference("hard_tanh", "orthogonal hard tanh L=5")
    assert_reference(entry)
    net = fc.MLP(5, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25)
    law = net.jacobian()
    assert entry.support is not None
    right = entry.support[0, 1]
    assert right == pytest.approx(1.0741890731302934, rel=EDGE)
    assert law.support()[0, 1] == pytest.approx(right, rel=EDGE)
    m = right * law.cauchy(right * (1.0 + 1e-9)).real - 1.0
    assert m == pytest.approx(-1.47421, abs=1e-3)
    atoms = law.atoms()
    assert atoms.locations[1] == pytest.approx(1.1**5, rel=ATOM)
    assert atoms.weights[1] == pytest.approx(0.6275603364, abs=1e-10)
    np.testing.assert_array_equal(law.density(np.linspace(right * (1 + 1e-9), 1.7, 200)), 0.0)


def two_atoms_by_coin(x: Array) -> Array:
    """Density of Bernoulli(1/2) ⊠ (.4 δ₁ + .6 δ₃), from the quadratic for m; its discriminant is x² Q(x)."""
    a, b, p, c = 1.0, 3.0, 0.5, 2.2
    q = np.polysub(
        np.polymul([1.0, -(p * (a + b) + c), 2.0 * p * a * b], [1.0, -(p * (a + b) + c), 2.0 * p * a * b]),
        4.0 * np.polymul([1.0, -(a + b), a * b], [-p * c, p * p * a * b]),
    )
    inside = np.maximum(-np.polyval(q, x), 0.0)
    return np.asarray(np.sqrt(inside) / (2.0 * np.pi * x * np.abs(x - a) * np.abs(x - b)))


def test_convergence_at_the_axis() -> None:
    """The plain subordination iteration takes O(1/y) steps at height y: 141 979 at x = 1.7 + 1e-4i."""
    law = fc.boxtimes(fc.Bernoulli(0.5), fc.Discrete([1.0, 3.0], [0.4, 0.6]))
    assert law.density(1.7) == pytest.approx(0.16313170136, abs=1e-11)
    x = np.linspace(1.03, 2.97, 1001)
    values = law.evaluate(x)
    np.testing.assert_allclose(values.density, two_atoms_by_coin(x), rtol=REFERENCE)
    assert values.iterations.max() <= 100
    for height in (1e-4, 1e-9, 1e-14):
        assert -law.cauchy(1.7 + height * 1j).imag / np.pi == pytest.approx(law.density(1.7), abs=10.0 * height)


def test_atoms_that_meet_one_exactly_blow_up() -> None:
    """ReLU is on the borderline 1/2 + 1/2 = 1: no atom, an inverse square root instead, which steppers run into.

    The tangent kernel of orthogonal ReLU, L = 3, is 1/2 δ₁ + 1/2 arcsine[3, 7] exactly.
    """
    law = fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0).ntk()
    atoms = law.atoms()
    assert (atoms.locations.tolist(), atoms.weights.tolist()) == ([1.0], [0.5])
    np.testing.assert_allclose(law.support(), [[3.0, 7.0]], rtol=EDGE)
    distance = np.logspace(-12, np.log10(2.0), 200)
    low, high = 3.0 + distance, 7.0 - distance
    for x in (low, high):
        exact = 1.0 / (2.0 * np.pi * np.sqrt((x - 3.0) * (7.0 - x)))
        np.testing.assert_allclose(law.density(x), exact, rtol=REFERENCE)
    assert mass(law) == pytest.approx(0.5, abs=QUADRATURE)
    assert [law.moment(k) for k in (1, 2, 3)] == pytest.approx([3.0, 14.0, 78.0], rel=1e-14)


def test_a_blow_up_inside_a_deeper_kernel() -> None:
    """Orthogonal ReLU L = 4: the upper bound 15 is not attained, the lower edge still blows up at 3 exactly."""
    entry = reference("ntk", "orthogonal ReLU L=4")
    assert_reference(entry)
    law: fc.Law = build(entry.spec)
    assert law.support()[0] == pytest.approx([3.0, 13.543557704909631], rel=EDGE)
    assert law.density(3.0 + 1e-9) > 1e2


@pytest.mark.parametrize("variance", [0.9, 0.99, 0.999, 0.9995])
def test_narrow_gaps_of_noisy_coins(variance: float) -> None:
    # In the gap G is near 0, and real Newton in doubles stalled at 1e-9: the gap was flagged, and not listed.
    law = fc.boxplus(fc.Discrete([-1.0, 1.0], [0.5, 0.5]), fc.Semicircle(0.0, variance))
    square = (2.0 * (1.0 - variance)) / ((2.0 + variance) + math.sqrt((2.0 + variance) ** 2 - 4.0 * (1.0 - variance)))
    w = math.sqrt(square)  # dz/dw = 0 for z = w + variance·w/(w² − 1)
    edge = -w - variance * w / (square - 1.0)
    support = law.support()
    assert support.shape == (2, 2)
    np.testing.assert_allclose(support[:, 1][0], -abs(edge), rtol=1e-9)
    x = np.array([0.3, 0.7, 0.99]) * abs(edge)
    assert (law.evaluate(x).status == fc.Status.OUTSIDE).all()
    assert (law.cdf(x) == 0.5).all()


@pytest.mark.parametrize("distance", [1e20, 1e41])
def test_far_apart_terms_end_in_an_error(distance: float) -> None:
    # An interval of the size of its own rounding made a NaN an integer.
    law = fc.boxplus(fc.Discrete([0.0, distance], [0.5, 0.5]), fc.Semicircle())
    with pytest.raises(fc.ConvergenceError, match="not all of the mass"):
        law.support()


@pytest.mark.parametrize("z", [1e14, 1e150, -1e200, 1e60j, 1e300 + 1e300j, -1e20 - 1.0j])
def test_far_away_only_the_mean_is_seen(z: complex) -> None:
    # 80 s of continuation in steps of 0.1 %, before an error.
    law = fc.boxplus(fc.Uniform(0.0, 1.0), fc.Semicircle())
    assert law.cauchy(z) == pytest.approx(1.0 / (z - 0.5), rel=1e-15)
    assert law.log_potential(z) == pytest.approx(math.log(abs(z)), rel=1e-15)


TOUCHED = [
    fc.boxplus_power(fc.boxtimes_power(fc.Bernoulli(0.6), 2.0), 1.5),
    fc.boxplus_power(fc.boxtimes(fc.Bernoulli(0.6), fc.MarchenkoPastur(5.0 / 3.0)), 1.2),
    fc.boxplus(fc.MLP(3, "relu", weight_variance=2.0).jacobian(), fc.Discrete([-5.0, 0.0], [0.25, 0.75])),
]


@pytest.mark.parametrize("law", TOUCHED, ids=repr)
def test_an_atom_that_the_density_touches_counts_once(law: fc.Law) -> None:
    # The interval began 1e-25 left of the atom at 0: F(0) was not certified, or the atom counted twice.
    weight = dict(zip(law.atoms().locations.tolist(), law.atoms().weights.tolist(), strict=True))[0.0]
    assert 0.0 in law.support()[:, 0]
    before, at = law.cdf([-1e-9, 0.0])
    assert at - before == pytest.approx(weight, abs=1e-14)
    assert law.quantile([0.5 * (before + at), at]).tolist() == [0.0, 0.0]
    assert law.expectation(lambda x: 1.0) == pytest.approx(1.0, abs=1e-11)


@pytest.mark.parametrize("size", [1e5, 1e8, 1e15, 1e40])
def test_no_interval_is_passed_over_in_sums_of_any_size(size: float) -> None:
    # Real solutions at 1e8 were refused for an imaginary residual of 2e-9; the interval about 0 was passed over then,
    # and F was 0 where it is .692.
    far = fc.boxtimes(fc.Uniform(0.55, 2.35), fc.Bernoulli(0.6159, size))
    law = fc.boxplus(fc.Semicircle(-1.95, 4.0), fc.boxplus_power(fc.resize(far + 1.19, 4.0), 2.0 - 1e-9))
    below = 1.0 - (2.0 - 1e-9) * 0.6159 / 4.0
    np.testing.assert_allclose(law.support()[0], [-5.1018, 1.86375], rtol=1e-4)
    assert len(law.support()) == 2
    assert law.cdf(1e-3 * size) == pytest.approx(below, abs=1e-15)


@pytest.mark.parametrize("exponent", [-500, -332, 332, 498])
def test_laws_of_any_scale_are_the_same_law(exponent: int) -> None:
    # At 1e-100 the side of the cut that a real unknown is on was lost by underflow: supports began at 0. At 1e150
    # squares were too large to be split for double-double: edges were off by 1e-4, and most points not certified.
    scale = 2.0**exponent
    t = 1.0 / (1.0 + np.exp(-np.linspace(-15.0, 15.0, 31)))
    laws = (
        fc.FreePoisson(0.125),
        fc.boxtimes(fc.Bernoulli(0.3), fc.MarchenkoPastur(0.5)),
        fc.boxtimes(fc.Uniform(0.0, 2.0), fc.boxtimes_power(fc.Discrete([1.25, 3.75], [0.5, 0.5]), 4.6)),
        fc.boxplus(fc.Uniform(0.0, 1.0), fc.Arcsine(0.0, 2.0), fc.Discrete([0.0, 1.0], [0.5, 0.5])),
        fc.boxplus(fc.Semicircle(), fc.Uniform(0.0, 1.0)),
    )
    for law in laws:
        (low, high), *_ = law.support()
        np.testing.assert_allclose((scale * law).support() / scale, law.support(), rtol=1e-14)
        x = low + (high - low) * t
        np.testing.assert_allclose(scale * (scale * law).density(scale * x), law.density(x), rtol=1e-9)
        np.testing.assert_allclose((scale * law).cdf(scale * x), law.cdf(x), rtol=0.0, atol=1e-14)


def test_components_of_mass_1e_12_are_found() -> None:
    law = fc.boxplus(
        fc.boxplus_power(fc.Discrete([0.0, 1000.0], [1.0 - 1e-12, 1e-12]), 2.0 - 1e-9), fc.FreePoisson(7.0, 2.0)
    )
    _, (low, high) = law.support()
    assert 1000.0 < low < high < 1030.0
    assert 1.0 - law.cdf(500.0) == pytest.approx(2e-12, rel=1e-3)
    assert law.density(0.5 * (low + high)) * (high - low) == pytest.approx(2e-12, rel=0.5)


def test_distribution_functions_where_double_double_was_needed() -> None:
    # F was taken at unknowns rounded to doubles, which moved z by 1e-8 and F by 8e-12.
    spec = specs.boxplus(
        (specs.discrete([1.75, 1.7501], [1e-07, 0.9999999]), 1.0),
        (specs.free_poisson(0.766840828011524, 1e8), 1.0),
        (specs.discrete([0.0, 1.25, 2.75], [0.5625, 0.3125, 0.125]), 1.999999999),
    )
    x = [2.1649828847947585, 2.1655, 2.3, 4.5]
    true, _ = potential.inside(spec, x, 30)
    np.testing.assert_allclose(build(spec).cdf(x), np.array([float(f) for f in true]), rtol=0.0, atol=1e-15)


def test_quantiles_near_an_edge_far_nearer_to_0_than_the_width() -> None:
    # A guess with F = 1e-25 has a rounding that excused any step: quantile(1e-7) had F = 3e-6.
    law = fc.boxtimes(fc.boxtimes_power(fc.Discrete([0.05, 3.0], [0.4, 0.6]), 8.0), fc.Uniform(1.0, 4.0))
    p = 10.0 ** np.arange(-12.0, -3.0)
    np.testing.assert_allclose(law.cdf(law.quantile(p)), p, rtol=1e-6, atol=1e-15)


def test_quantiles_within_rounding_of_an_end_stay_at_that_end() -> None:
    # F underflowed its own rounding, and Newton went to the other end of the interval.
    arcsine = fc.boxplus_power(fc.Bernoulli(0.5), 2.0)
    p = np.array([1e-12, 1e-17, 1e-20])
    np.testing.assert_allclose(arcsine.quantile(p), 2.0 * np.sin(0.5 * np.pi * p) ** 2, rtol=1e-3)
    narrow = fc.boxplus(fc.Discrete([-1.0, 0.0], [0.5, 0.5]), fc.Uniform(0.0, 1.0))
    assert np.ptp(narrow.quantile([1.0 - 1e-15, 1.0 - 1e-16])) < 1e-6
    np.testing.assert_allclose((-1.0 * fc.MarchenkoPastur()).quantile([1e-17, 1e-25]), -4.0, rtol=1e-9)


def test_a_would_be_atom_inside_an_interval_is_not_outside() -> None:
    law = fc.boxplus(fc.MarchenkoPastur(2.0), fc.Bernoulli(0.5))  # 1/2 + 1/2 = 1 at 1, where the density is infinite
    assert law.evaluate(1.0).status == fc.Status.EDGE
    assert law.density(1.0) == np.inf
    assert law.cdf(1.0) == 0.5
    assert {edge.exponent for edge in law.edges() if edge.location == 1.0} == {-1.0 / 3.0}


def test_a_term_that_is_almost_all_at_zero_leaves_the_distribution_function_alone() -> None:
    # Its m was rounded twice, by 1e-16 p0/|m|: F was off by 1e-8, and certified.
    almost_nothing = fc.boxtimes(
        fc.boxtimes_power(fc.Bernoulli(1e-12), 1.62), fc.boxtimes_power(fc.resize(fc.FreePoisson(2.93), 1.25), 3.0)
    )
    law = fc.boxplus(fc.Semicircle(), fc.boxplus_power(almost_nothing, 103.8))
    x = np.linspace(-1.9, 1.9, 9)
    np.testing.assert_allclose(law.cdf(x), fc.Semicircle().cdf(x), atol=1e-13)


def test_a_cusp_cuts_its_interval() -> None:
    law = fc.boxplus(fc.Semicircle(), fc.Discrete([-1.0, 1.0], [0.5, 0.5]))
    assert law.support().shape == (1, 2)
    left, right = law.edges()[1:3]
    assert (left.location, left.side, right.location, right.side) == (0.0, -1, 0.0, 1)
    assert left.kind == right.kind == fc.EdgeKind.CUSP
    assert left.coefficient == pytest.approx(math.sqrt(3.0) / (2.0 * math.pi), rel=1e-9)
    assert law.quantile(0.5) == 0.0
    assert abs(law.log_potential(0.0)) < 1e-13


def test_a_factor_at_infinity_is_no_real_solution() -> None:
    """One double in six was told to be off the support, with F = 1, in the middle of it: m of the product was 1e-15."""
    product = fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1.0, 1.1325003614051559], [0.5, 0.5]))
    law = fc.boxplus(883.7652311552888 * product, fc.Semicircle(0.0, 4.50344547355007e-09))
    x = 308.8897054832889 + np.arange(-300, 300) * np.spacing(308.0)
    found = law.evaluate(x)
    assert np.isin(found.status, [fc.Status.CERTIFIED, fc.Status.RECOVERED]).all()
    np.testing.assert_allclose(found.density, found.density[0], rtol=1e-9)
    np.testing.assert_allclose(found.cdf, found.cdf[0], rtol=0.0, atol=1e-12)
