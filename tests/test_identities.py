"""Identities that every law must satisfy, on random leaves and trees."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import freeconv as fc
from freeconv.atoms import singular_points
from tests import strategies
from tests.tolerances import ATOM, EDGE, REFERENCE

Array = NDArray[np.float64]

EXAMPLES = settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # trees take long to shrink, and are read as they are
    suppress_health_check=list(HealthCheck),
)

QUADRATURE = 1e-7
"""Mass, mean and standard deviation from the density.  The adaptive rule stops at 1e-10 a piece; where the density
has an inverse square root at a point that is not 0 of its own tree, abscissae come no nearer than an ulp, and
√ε = 1.5e-8 of the law, times an amplitude, stays uncounted."""

CAUCHY = 1e-9
"""Values of G against each other: each certified to REFERENCE, taken through at most two more operations, times the
condition of 1/G near its zeros."""

DEPTH = 75.0
"""e-folds for which a hard edge at 0 is followed before its power law is continued.  A sum inside a product knows
1 + m = z/F absolutely only, so that points below 1e-40 of the law may be UNCERTIFIED."""

INVERSE = 1e-8
"""z from R or S at G(z): the condition number of z ↦ G is up to 1e2 at the distances used here."""

FAR = 1e6
"""A height, in standard deviations, at which z G = 1 + O(FAR⁻²) about the mean."""

NODES, KRONROD = (
    np.array([0.9914553711208126, 0.9491079123427585, 0.8648644233597691, 0.7415311855993945, 0.5860872354676911,
              0.4058451513773972, 0.2077849550078985, 0.0]),
    np.array([0.0229353220105292, 0.0630920926299786, 0.1047900103222502, 0.1406532597159259, 0.1690047266392679,
              0.1903505780647854, 0.2044329400752989, 0.2094821410847278]),
)  # fmt: skip
GAUSS = np.array([0.1294849661688697, 0.2797053914892767, 0.3818300505051189, 0.4179591836734694])


def spread(law: fc.Law) -> float:
    return math.sqrt(law.variance())


def hull(law: fc.Law) -> tuple[float, float]:
    ends = np.concatenate([law.support().ravel(), law.atoms().locations])
    return float(ends.min()), float(ends.max())


def integrate(law: fc.Law, functions: Sequence[Callable[[Array], Array]]) -> list[float]:
    """Integrate functions against the whole law: atoms, and the density piece by piece."""
    known = law.atoms()
    totals = np.array([float(np.sum(known.weights * f(known.locations))) for f in functions])
    for low, high in law.support().tolist():
        cuts = [low, *sorted(x for x in singular_points(law) if low < x < high), high]
        for left, right in itertools.pairwise(cuts):
            totals += _piece(law, functions, left, right)
    return [float(total) for total in totals]


def _piece(law: fc.Law, functions: Sequence[Callable[[Array], Array]], low: float, high: float) -> Array:
    """Adaptive Gauss–Kronrod in θ, x = low + (high − low) sin²(θ/2), or in log x from a hard edge at 0."""
    nodes = np.concatenate([-NODES[:-1], NODES[::-1]])
    weights = np.concatenate([KRONROD[:-1], KRONROD[::-1]])
    coarse = np.zeros(15)
    coarse[1::2] = np.concatenate([GAUSS[:-1], GAUSS[::-1]])
    ends = np.linspace(0.0, math.pi, 13)
    panels = np.stack([ends[:-1], ends[1:]])
    totals = np.zeros(len(functions))
    for _ in range(24):
        half = (panels[1] - panels[0]) / 2.0
        theta = (panels[0] + half)[:, None] + half[:, None] * nodes
        x, slope = _abscissae(theta, low, high)
        density = np.asarray(law.density(x))
        density[np.isinf(density)] = 0.0  # x rounded to an end where the density diverges
        density = density * slope
        values = np.array([density * f(x) for f in functions]) * half[:, None]
        errors = np.max(np.abs(values @ (weights - coarse)), axis=0)
        done = (errors < 1e-10 * np.maximum(half, 1e-3)) | (half < 1e-10)
        totals += (values @ weights)[:, done].sum(axis=1)
        left, middle, right = panels[0, ~done], (panels[0] + half)[~done], panels[1, ~done]
        if left.size == 0:
            break
        panels = np.concatenate([np.stack([left, middle]), np.stack([middle, right])], axis=1)
    if low == 0.0 or high == 0.0:
        totals += np.array([f(np.zeros(1))[0] for f in functions]) * _tail(law, low, high)
    return totals


def _tail(law: fc.Law, low: float, high: float) -> float:
    """The mass beyond DEPTH: ∫₀ʸ f = y f(y)/(1 − a) where f ~ x⁻ᵃ."""
    y = (low + high) * math.exp(-DEPTH)
    near, far = (float(law.density(y * factor)) for factor in (1.0, math.e))
    return abs(y) * near / (1.0 + math.log(far / near)) if near > 0.0 and far > 0.0 else 0.0


def _abscissae(theta: Array, low: float, high: float) -> tuple[Array, Array]:
    """Each half is measured from its own end.  Close to 0 everything is even in log x."""
    logarithmic = min(abs(low), abs(high)) < 1e-2 * max(abs(low), abs(high)) and low * high >= 0.0
    mirrored = logarithmic and high <= 0.0
    if mirrored:
        low, high = -high, -low
    first, last = low, high
    if logarithmic:
        first, last = (math.log(low) if low > 0.0 else math.log(high) - DEPTH), math.log(high)
    width = last - first
    near, far = first + width * np.sin(theta / 2.0) ** 2, last - width * np.sin((math.pi - theta) / 2.0) ** 2
    x = np.where(theta < math.pi / 2.0, near, far)
    slope = 0.5 * width * np.sin(theta)
    if logarithmic:
        x = np.exp(x)
        slope = slope * x
    x = np.clip(x, low, high)
    return (-x if mirrored else x), slope


def points(law: fc.Law, count: int = 40) -> Array:
    """Real points inside every interval, in every gap and beyond both ends."""
    low, high = hull(law)
    width = high - low
    grids = [np.linspace(low - 0.97 * width, high + 1.03 * width, count)]  # no point is an end
    for a, b in law.support().tolist():
        grids.append(a + (b - a) * np.sin(np.linspace(0.01, math.pi / 2 - 0.01, count)) ** 2)
    return np.sort(np.concatenate(grids))


def upper(law: fc.Law) -> NDArray[np.complex128]:
    """Points of the upper half-plane, from near the axis to far away."""
    angles = np.array([0.05, 0.8, 1.6, 2.4, 3.09])
    radii = np.array([0.3, 1.0, 3.0, 30.0])
    z: NDArray[np.complex128] = law.mean() + spread(law) * np.multiply.outer(radii, np.exp(1j * angles)).ravel()
    return z


def beyond(law: fc.Law) -> Array:
    """Real points above the support, where G decreases."""
    _, high = hull(law)
    return high + spread(law) * np.array([4.0, 8.0, 20.0])


@EXAMPLES
@given(strategies.laws())
def test_mass_mean_and_variance_of_the_density(law: fc.Law) -> None:
    center, deviation = law.mean(), spread(law)
    mass, first, second = integrate(
        law, [np.ones_like, lambda x: (x - center) / deviation, lambda x: ((x - center) / deviation) ** 2]
    )
    assert mass == pytest.approx(1.0, abs=QUADRATURE)
    assert first == pytest.approx(0.0, abs=QUADRATURE)
    assert second == pytest.approx(1.0, abs=QUADRATURE)


@EXAMPLES
@given(strategies.laws())
def test_every_point_is_certified_or_flagged(law: fc.Law) -> None:
    x = points(law)
    found = law.evaluate(x)
    assert set(found.status.tolist()) <= {fc.Status.CERTIFIED, fc.Status.RECOVERED, fc.Status.OUTSIDE, fc.Status.EDGE}
    assert (found.density >= 0.0).all()
    off = np.isin(found.status, (fc.Status.OUTSIDE, fc.Status.EDGE))
    assert (found.density[off] == 0.0).all()
    assert (found.density[~off] > 0.0).all()


@EXAMPLES
@given(strategies.laws())
def test_the_density_lives_on_the_support(law: fc.Law) -> None:
    support = law.support()
    assert (support[:, 0] < support[:, 1]).all()
    assert (support[:-1, 1] <= support[1:, 0]).all()
    x = points(law)
    within = EDGE * np.abs(support).max(axis=1, initial=0.0)  # the ends themselves are rounded
    inside = ((x[:, None] > support[:, 0] + within) & (x[:, None] < support[:, 1] - within)).any(axis=1)
    outside = ((x[:, None] < support[:, 0]) | (x[:, None] > support[:, 1])).all(axis=1)
    found = law.evaluate(x)
    assert (found.density[outside] == 0.0).all()
    assert np.isin(found.status[inside], (fc.Status.CERTIFIED, fc.Status.RECOVERED)).all()


@EXAMPLES
@given(strategies.laws())
def test_support_and_atoms_share_the_mass(law: fc.Law) -> None:
    known = law.atoms()
    total = math.fsum(known.weights)
    assert total <= 1.0 + ATOM
    # Atoms alone make no interval, and what they leave is on one.
    assert (law.support().size > 0) == (total < 1.0 - ATOM)
    support = law.support()
    interior = (known.locations[:, None] > support[:, 0]) & (known.locations[:, None] < support[:, 1])
    assert law.variance() > 0.0
    # A density may diverge towards an atom, but has no other value there.
    beside = np.asarray(law.evaluate(known.locations).density)[~interior.any(axis=1)]
    assert ((beside == 0.0) | np.isinf(beside)).all()


@EXAMPLES
@given(strategies.laws())
def test_cauchy_maps_half_planes(law: fc.Law) -> None:
    z = upper(law)
    g = law.cauchy(z)
    assert (g.imag < 0.0).all()
    excess = (1.0 / g).imag - z.imag  # Nevanlinna: F(z) − z is in the upper half-plane
    assert (excess >= -CAUCHY * np.abs(z - law.mean())).all()
    assert (law.cauchy(z.conj()) == g.conj()).all()
    # |F(z) − z + mean| ≤ variance / Im z
    assert (np.abs(1.0 / g - z + law.mean()) <= law.variance() / z.imag * (1.0 + CAUCHY) + CAUCHY * np.abs(z)).all()


@EXAMPLES
@given(strategies.laws())
def test_cauchy_far_away(law: fc.Law) -> None:
    z = law.mean() + 1j * FAR * spread(law)
    assert abs(law.cauchy(z) * (z - law.mean()) - 1.0) < 2.0 / FAR**2 + CAUCHY


@EXAMPLES
@given(strategies.laws())
def test_cauchy_is_the_integral_of_the_density(law: fc.Law) -> None:
    z = law.mean() + spread(law) * np.exp(1.1j)
    kernel = [lambda x: np.real(1.0 / (z - x)) * spread(law), lambda x: np.imag(1.0 / (z - x)) * spread(law)]
    real, imaginary = integrate(law, kernel)
    g = law.cauchy(z) * spread(law)
    assert abs(complex(real, imaginary) - g) < 2.0 * QUADRATURE


@EXAMPLES
@given(strategies.positive_laws())
def test_density_is_the_boundary_value_of_cauchy(law: fc.Law) -> None:
    support = law.support()
    x = support.mean(axis=1)
    singular = np.array([*singular_points(law), *law.atoms().locations])
    assume(x.size > 0 and not np.isclose(x[:, None], singular, rtol=1e-3, atol=1e-3 * spread(law)).any())
    density = law.density(x)
    np.testing.assert_allclose(-law.cauchy(x).imag / math.pi, density, rtol=1e3 * REFERENCE)


@EXAMPLES
@given(strategies.laws(), st.integers(1, 7))
def test_scalars_vectors_and_chunks_agree_bit_for_bit(law: fc.Law, size: int) -> None:
    x = points(law, 12)
    whole = law.evaluate(x)
    parts = [law.evaluate(x[i : i + size]) for i in range(0, x.size, size)]
    assert np.concatenate([part.density for part in parts]).tobytes() == whole.density.tobytes()
    assert np.concatenate([part.status for part in parts]).tobytes() == whole.status.tobytes()
    backwards = law.density(x[::-1].reshape(-1, 1))
    assert backwards[::-1, 0].tobytes() == whole.density.tobytes()
    assert [law.density(float(point)) for point in x] == whole.density.tolist()
    assert (law.cauchy(upper(law))[::3] == law.cauchy(upper(law)[::3])).all()


def agree(one: fc.Law, other: fc.Law) -> None:
    """Two descriptions of one law have one density, support and set of atoms."""
    z = upper(one)
    np.testing.assert_allclose(one.cauchy(z), other.cauchy(z), rtol=CAUCHY)
    np.testing.assert_allclose(one.support(), other.support(), rtol=CAUCHY, atol=CAUCHY * spread(one))
    np.testing.assert_allclose(one.atoms().locations, other.atoms().locations, rtol=ATOM, atol=ATOM * spread(one))
    np.testing.assert_allclose(one.atoms().weights, other.atoms().weights, atol=ATOM)
    assert one.mean() == pytest.approx(other.mean(), rel=CAUCHY, abs=CAUCHY * spread(one))
    assert one.variance() == pytest.approx(other.variance(), rel=CAUCHY)


JOINS = [
    pytest.param(fc.boxplus, fc.boxplus_power, strategies.leaves(), id="boxplus"),
    pytest.param(fc.boxtimes, fc.boxtimes_power, strategies.positive_leaves(), id="boxtimes"),
]


@pytest.mark.parametrize(("join", "power", "leaves"), JOINS)
def test_convolutions_commute_and_associate(
    join: Callable[..., fc.Law], power: Callable[[fc.Law, float], fc.Law], leaves: st.SearchStrategy[fc.Law]
) -> None:
    @EXAMPLES
    @given(leaves, leaves, leaves)
    def check(a: fc.Law, b: fc.Law, c: fc.Law) -> None:
        agree(join(a, b, c), join(c, b, a))
        assert join(join(a, b), c) == join(a, b, c)
        agree(join(a, join(b, c)), join(a, b, c))
        agree(power(join(a, b), 2.0), join(power(b, 2.0), a, a))

    check()


@EXAMPLES
@given(strategies.laws(), strategies.numbers(-2.0, 2.0), strategies.numbers(0.5, 2.0))
def test_units_shifts_and_scales(law: fc.Law, shift: float, scale: float) -> None:
    assert fc.boxplus(law) == law
    assert fc.boxplus_power(law, 1.0) == fc.compress(law, 1.0) == 1.0 * law + 0.0 == law
    moved = scale * law + shift
    z = upper(law)
    np.testing.assert_allclose(moved.cauchy(scale * z + shift) * scale, law.cauchy(z), rtol=CAUCHY)
    np.testing.assert_allclose((-law).cauchy(-z), -law.cauchy(z), rtol=CAUCHY)
    np.testing.assert_allclose(
        moved.support(), scale * law.support() + shift, rtol=CAUCHY, atol=CAUCHY * spread(law) + CAUCHY * abs(shift)
    )
    x = points(law, 10)
    np.testing.assert_allclose((-law).density(-x), law.density(x), rtol=CAUCHY)


@EXAMPLES
@given(strategies.laws())
def test_r_inverts_cauchy(law: fc.Law) -> None:
    z = beyond(law)
    g = law.cauchy(z).real
    back = law.r_transform(g) + 1.0 / g
    np.testing.assert_allclose(back - law.mean(), z - law.mean(), rtol=INVERSE)


@EXAMPLES
@given(strategies.positive_laws())
def test_s_inverts_cauchy(law: fc.Law) -> None:
    assume(not isinstance(law, fc.PointMass))
    z = -law.mean() * np.array([0.5, 2.0, 8.0])
    m = law.cauchy(z).real * z - 1.0
    np.testing.assert_allclose((1.0 + m) / (m * law.s_transform(m)), z, rtol=INVERSE)


@EXAMPLES
@given(strategies.leaves(), strategies.leaves())
def test_r_transforms_add(a: fc.Law, b: fc.Law) -> None:
    total = fc.boxplus(a, b)
    g = np.array([-0.03, 0.01, 0.05, 0.02 - 0.03j]) / spread(total)
    separate = a.r_transform(g) + b.r_transform(g)
    np.testing.assert_allclose(total.r_transform(g), separate, rtol=CAUCHY, atol=CAUCHY * spread(total))
    assert total.mean() == pytest.approx(a.mean() + b.mean(), abs=CAUCHY)
    assert total.variance() == pytest.approx(a.variance() + b.variance(), rel=CAUCHY)


@EXAMPLES
@given(strategies.positive_leaves(), strategies.positive_leaves())
def test_s_transforms_multiply(a: fc.Law, b: fc.Law) -> None:
    product = fc.boxtimes(a, b)
    known = product.atoms()
    off_zero = 1.0 - float(known.weights[known.locations == 0.0].sum())
    m = off_zero * np.array([-0.6, -0.2, -0.02, -0.1 - 0.2j])
    np.testing.assert_allclose(product.s_transform(m), a.s_transform(m) * b.s_transform(m), rtol=CAUCHY)
    assert product.mean() == pytest.approx(a.mean() * b.mean(), rel=CAUCHY)
    relative = [law.variance() / law.mean() ** 2 for law in (product, a, b)]
    assert relative[0] == pytest.approx(relative[1] + relative[2], rel=CAUCHY)


@EXAMPLES
@given(strategies.sums(), strategies.products())
def test_subordination(total: fc.Law, product: fc.Law) -> None:
    """The points lie in the domains in which they are unique: Im ω ≥ Im z, and arg ω ≥ arg z."""
    for law in (total, product):
        core = law.law if isinstance(law, fc.laws.Affine) else law
        if not isinstance(core, fc.laws.Boxplus | fc.laws.Boxtimes):
            continue
        z = upper(core)
        g = core.cauchy(z)
        points = core.subordination(z)
        assert points.shape == (len(core.children), z.size)
        for child, omega in zip(core.children, points, strict=True):
            values = child.cauchy(omega)
            if isinstance(core, fc.laws.Boxplus):
                assert (omega.imag >= z.imag * (1.0 - CAUCHY)).all()
                np.testing.assert_allclose(values, g, rtol=CAUCHY)
            else:
                assert (np.angle(omega) >= np.angle(z) - CAUCHY).all()
                np.testing.assert_allclose(values * omega, g * z, rtol=CAUCHY)
