"""Moments against closed forms, against sums over non-crossing partitions in fractions, and the rules they obey."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeconv.algebra import boxplus, boxplus_power, boxtimes, boxtimes_power, compress, resize
from freeconv.laws import (
    Arcsine,
    Bernoulli,
    Discrete,
    FreePoisson,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Semicircle,
    Uniform,
)

Partition = tuple[tuple[int, ...], ...]


def partitions(n: int) -> list[Partition]:
    """All set partitions of range(n)."""
    if n == 0:
        return [()]
    found: list[Partition] = []
    for smaller in partitions(n - 1):
        found.append((*smaller, (n - 1,)))
        found += [(*smaller[:i], (*block, n - 1), *smaller[i + 1 :]) for i, block in enumerate(smaller)]
    return found


def crosses(partition: Partition) -> bool:
    block_of = {point: i for i, block in enumerate(partition) for point in block}
    n = len(block_of)
    return any(
        block_of[a] == block_of[c] != block_of[b] == block_of[d] for a, b, c, d in itertools.combinations(range(n), 4)
    )


NONCROSSING = {n: [p for p in partitions(n) if not crosses(p)] for n in range(1, 6)}


def kreweras(partition: Partition) -> Partition:
    """The cycles of σ⁻¹ (0 1 … n−1), σ the partition's permutation."""
    previous = {b: a for block in partition for a, b in zip(block, (*block[1:], block[0]), strict=True)}
    n = len(previous)
    left, cycles = set(range(n)), []
    while left:
        cycle, point = [], min(left)
        while point in left:
            left.remove(point)
            cycle.append(point)
            point = previous[(point + 1) % n]
        cycles.append(tuple(cycle))
    return tuple(cycles)


def product_over(partition: Partition, values: Sequence[Fraction]) -> Fraction:
    return math.prod((values[len(block)] for block in partition), start=Fraction(1))


def cumulants(moments: Sequence[Fraction]) -> list[Fraction]:
    found = [Fraction(0)]
    for n in range(1, 6):
        rest = sum((product_over(p, found) for p in NONCROSSING[n] if len(p) > 1), Fraction(0))
        found.append(moments[n] - rest)
    return found


def moments_of(free_cumulants: Sequence[Fraction]) -> list[Fraction]:
    return [Fraction(1)] + [
        sum((product_over(p, free_cumulants) for p in NONCROSSING[n]), Fraction(0)) for n in range(1, 6)
    ]


Exact = dict[Fraction, Fraction]


@st.composite
def discrete(draw: st.DrawFn) -> Exact:
    points = draw(st.lists(st.integers(0, 4), min_size=2, max_size=3, unique=True))
    masses = draw(st.lists(st.integers(1, 8), min_size=len(points), max_size=len(points)))
    return {Fraction(p): Fraction(w, sum(masses)) for p, w in zip(points, masses, strict=True)}


def exact_moments(law: Exact) -> list[Fraction]:
    return [sum((w * p**k for p, w in law.items()), Fraction(0)) for k in range(6)]


def law_of(exact: Exact) -> Law:
    return Discrete([float(p) for p in exact], [float(w) for w in exact.values()])


def check(law: Law, expected: Sequence[Fraction], scale: float = 1.0) -> None:
    found = [law.moment(k) for k in range(len(expected))]
    assert found == pytest.approx([float(value) for value in expected], rel=1e-11, abs=1e-11 * scale)


@given(discrete(), discrete())
def test_sums_match_noncrossing_partitions(a: Exact, b: Exact) -> None:
    total = [x + y for x, y in zip(cumulants(exact_moments(a)), cumulants(exact_moments(b)), strict=True)]
    check(boxplus(law_of(a), law_of(b)), moments_of(total))


@given(discrete(), discrete())
def test_products_match_noncrossing_partitions(a: Exact, b: Exact) -> None:
    left, right = cumulants(exact_moments(a)), exact_moments(b)
    expected = [Fraction(1)] + [
        sum((product_over(p, left) * product_over(kreweras(p), right) for p in NONCROSSING[n]), Fraction(0))
        for n in range(1, 6)
    ]
    check(boxtimes(law_of(a), law_of(b)), expected)


@given(discrete(), st.integers(2, 6))
def test_powers_match_noncrossing_partitions(a: Exact, t: int) -> None:
    power = [t * value for value in cumulants(exact_moments(a))]
    check(boxplus_power(law_of(a), t), moments_of(power))
    corner = [value * Fraction(1, t) ** (n - 1) for n, value in enumerate(cumulants(exact_moments(a)))]
    check(compress(law_of(a), 1.0 / t), moments_of(corner))


@given(discrete(), st.sampled_from([1.25, 2.0, 3.5]))
def test_size_changes_divide_moments(a: Exact, ratio: float) -> None:
    law = boxtimes(law_of(a), MarchenkoPastur(0.5))
    changed = resize(law, ratio)
    for k in range(1, 8):
        assert changed.moment(k) == pytest.approx(law.moment(k) / ratio, rel=1e-12)
    assert changed.variance() == pytest.approx(changed.moment(2) - changed.mean() ** 2, rel=1e-11)


def catalan(k: int) -> int:
    return math.comb(2 * k, k) // (k + 1)


def narayana(k: int, ratio: Fraction) -> Fraction:
    return sum((Fraction(math.comb(k, j + 1) * math.comb(k, j), k) * ratio**j for j in range(k)), Fraction(0))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 7, 12, 20, 30])
def test_leaves(k: int) -> None:
    even = 1 - k % 2
    assert Semicircle(0.0, 4.0).moment(k) == pytest.approx(even * catalan(k // 2) * 2.0**k, rel=1e-12)
    assert Arcsine(-2.0, 2.0).moment(k) == pytest.approx(even * math.comb(k, k // 2), rel=1e-12)
    assert Arcsine(0.0, 4.0).moment(k) == pytest.approx(math.comb(2 * k, k), rel=1e-11)
    assert Uniform(0.0, 2.0).moment(k) == pytest.approx(2.0**k / (k + 1), rel=1e-11)
    assert Uniform(-1.0, 1.0).moment(k) == pytest.approx(even / (k + 1), rel=1e-11)
    assert Bernoulli(0.3, 2.0).moment(k) == pytest.approx(0.3 * 2.0**k if k else 1.0, rel=1e-15)
    assert PointMass(-2.0).moment(k) == (-2.0) ** k
    expected = float(narayana(k, Fraction(1, 2))) if k else 1.0
    assert MarchenkoPastur(0.5).moment(k) == pytest.approx(expected, rel=1e-12)
    assert FreePoisson(2.0, 0.5).moment(k) == pytest.approx(expected, rel=1e-12)
    assert FreePoisson(2.0, -0.5).moment(k) == pytest.approx((-1) ** k * expected, rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 10, 30])
def test_fuss_catalan(k: int) -> None:
    for factors in (2, 3, 20):
        expected = math.comb((factors + 1) * k, k) / (factors * k + 1)
        assert boxtimes_power(MarchenkoPastur(), factors).moment(k) == pytest.approx(expected, rel=1e-12)
    root = boxtimes_power(MarchenkoPastur(1.0, 4.0), 0.5)
    assert isinstance(root, MarchenkoPasturPower)
    expected = 2.0**k * math.gamma(1.5 * k + 1) / math.gamma(k + 1) / math.gamma(0.5 * k + 1) / (0.5 * k + 1)
    assert root.moment(k) == pytest.approx(expected, rel=1e-12)


def test_worked_networks() -> None:
    relu = Bernoulli(0.5)
    gaussian = boxtimes_power(boxtimes(relu, MarchenkoPastur(1.0, 2.0)), 3.0)
    assert [gaussian.moment(k) for k in range(1, 5)] == pytest.approx([1.0, 7.0, 67.0, 741.0], rel=1e-14)
    haar = boxtimes_power(2.0 * relu, 3.0)
    assert [haar.moment(k) for k in range(1, 5)] == pytest.approx([1.0, 4.0, 19.0, 98.0], rel=1e-14)
    leaky = boxtimes_power(boxtimes(Discrete([0.01, 1.0], [0.5, 0.5]), MarchenkoPastur(1.0, 2.0 / 1.01)), 3.0)
    expected = [1.0, 6.88236447, 64.89639865, 707.3406672]
    assert [leaky.moment(k) for k in range(1, 5)] == pytest.approx(expected, rel=1e-9)
    kernel: Law = PointMass(1.0)
    for _ in range(3):
        kernel = boxtimes(2.0 * relu, kernel) + 1.0
    assert [kernel.moment(k) for k in range(1, 4)] == pytest.approx([4.0, 30.0, 283.0], rel=1e-14)


def test_rectangular_networks() -> None:
    for widths, expected in (
        ((800, 1200, 600, 1000), [1.0, 8.25, 92.36805556]),
        ((1200, 800, 1600), [1.0, 22.0 / 3.0, 69.77777778]),
    ):
        law: Law = PointMass(1.0)
        for before, after in itertools.pairwise(widths):
            # W law Wᵀ has the nonzero eigenvalues of √law WᵀW √law, and WᵀW of size `before` has ratio before/after.
            gram = MarchenkoPastur(before / after, 2.0 * after / before)
            law = boxtimes(Bernoulli(0.5), resize(boxtimes(law, gram), after / before))
        assert [law.moment(k) for k in range(1, 4)] == pytest.approx(expected, rel=1e-9)


def trees() -> st.SearchStrategy[Law]:
    positive = st.floats(0.25, 4.0)
    leaves: st.SearchStrategy[Law] = st.one_of(
        st.builds(MarchenkoPastur, positive, positive),
        st.builds(Bernoulli, st.floats(0.1, 0.9), positive),
        st.builds(lambda a, b: Uniform(a, a + b), positive, positive),
        st.builds(lambda a, b: Arcsine(a, a + b), positive, positive),
        st.builds(FreePoisson, positive, positive),
        st.builds(lambda v: Semicircle(3.0 * math.sqrt(v), v), positive),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(boxplus, inner, inner),
            st.builds(boxtimes, inner, inner),
            st.builds(lambda law, s, b: s * law + b, inner, positive, positive),
            st.builds(resize, inner, st.floats(1.0, 3.0)),
            st.builds(boxtimes_power, inner, st.floats(1.0, 3.0)),
            st.builds(boxplus_power, inner, st.floats(1.0, 3.0)),
        ),
        max_leaves=6,
    )


@given(trees(), trees(), trees())
def test_rules_of_random_trees(a: Law, b: Law, c: Law) -> None:
    for join in (boxplus, boxtimes):
        expected = [join(a, b, c).moment(k) for k in range(1, 7)]
        for same in (join(c, a, b), join(join(a, b), c), join(a, join(b, c)), join(join(b, join(c)), a)):
            assert [same.moment(k) for k in range(1, 7)] == pytest.approx(expected, rel=1e-9)
    plus, times = boxplus(a, b), boxtimes(a, b)
    assert plus.mean() == pytest.approx(a.mean() + b.mean(), rel=1e-13)
    assert plus.variance() == pytest.approx(a.variance() + b.variance(), rel=1e-12)
    assert times.mean() == pytest.approx(a.mean() * b.mean(), rel=1e-12)
    relative = [law.variance() / law.mean() ** 2 for law in (times, a, b)]
    assert relative[0] == pytest.approx(relative[1] + relative[2], rel=1e-11)
    for law in (plus, times):
        assert law.moment(2) == pytest.approx(law.variance() + law.mean() ** 2, rel=1e-13)
        assert law.moment(4) * law.moment(2) >= law.moment(3) ** 2 * (1.0 - 1e-9)  # Cauchy–Schwarz


@given(trees(), trees(), trees())
def test_atoms_of_random_trees_do_not_depend_on_brackets(a: Law, b: Law, c: Law) -> None:
    for join in (boxplus, boxtimes):
        expected = join(a, b, c).atoms()
        for same in (join(c, a, b), join(join(a, b), c), join(a, join(b, c))):
            found = same.atoms()
            near = [w for w in (*found.weights, *expected.weights) if w < 1e-12]
            if not near:
                assert found.locations == pytest.approx(expected.locations, rel=1e-12)
                assert found.weights == pytest.approx(expected.weights, abs=1e-12)
        assert np.sum(expected.weights) <= 1.0 + 1e-12


def test_variance_does_not_cancel() -> None:
    assert (MarchenkoPastur(1e-12) + 1e6).variance() == 1e-12
    assert boxtimes_power(MarchenkoPastur(1e-20), 3.0).variance() == pytest.approx(3e-20, rel=1e-15)
    assert Discrete([1e8, 1e8 + 1.0], [0.5, 0.5]).variance() == 0.25


def test_overflow_is_infinite_and_never_nan() -> None:
    assert (1e200 * MarchenkoPastur()).moment(2) == math.inf
    assert (1e20 * Uniform(0.0, 1.0)).moment(30) == math.inf
    assert (-1e100 * Uniform(0.0, 1.0)).moment(5) == -math.inf
    assert Semicircle(0.0, 1e300).moment(3) == 0.0
    large = boxplus(1e200 * Uniform(0.0, 1.0), Semicircle(0.0, 1e200))
    assert [large.moment(k) for k in (4, 5)] == [math.inf, math.inf]
    tiny = boxtimes_power(Bernoulli(1e-10, 1e-10), 40.0)
    assert tiny.mean() == tiny.moment(3) == tiny.variance() == 0.0
    assert not math.isnan(boxtimes_power(Bernoulli(1e-3), 20.0).moment(200))


@pytest.mark.parametrize(("k", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError), ("1", TypeError)])
def test_bad_orders(k: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"k must be an integer >= 0, got {k!r}"):
        Semicircle().moment(k)


def test_deep_trees() -> None:
    law: Law = PointMass(1.0)
    start = time.perf_counter()
    for _ in range(1000):
        law = boxtimes(Bernoulli(0.5), MarchenkoPastur(1.0, 2.0), law) + 1.0
    assert law.mean() == 1001.0
    second = 1.0
    for mean in range(1, 1001):  # m₂' = 1 + 2m₁ + ((m₂ − m₁²) + 3m₁² − … ) with ν ⊠ MP of mean 1 and second moment 3
        second = 1.0 + 2.0 * mean + second + 2.0 * mean * mean
    assert law.moment(2) == pytest.approx(second, rel=1e-12)
    assert law.moment(3) > second * 1001.0
    assert time.perf_counter() - start < 3.0
