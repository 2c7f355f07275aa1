"""Atoms against brute force with fractions, and against the numbers of worked networks."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeconv.algebra import boxplus, boxplus_power, boxtimes, boxtimes_power, resize
from freeconv.atoms import Atoms, atoms, mass_off_zero, singular_points
from freeconv.laws import Bernoulli, Discrete, FreePoisson, Law, MarchenkoPastur, PointMass, Semicircle, Uniform

Exact = dict[Fraction, Fraction]


@st.composite
def discrete(draw: st.DrawFn, low: int = -3) -> Exact:
    points = draw(st.lists(st.integers(low, 4), min_size=2, max_size=4, unique=True))
    masses = draw(st.lists(st.integers(1, 8), min_size=len(points), max_size=len(points)))
    heavy = draw(st.integers(0, 60))
    masses[0] += heavy
    return {Fraction(p): Fraction(w, sum(masses)) for p, w in zip(points, masses, strict=True)}


def law_of(exact: Exact) -> Law:
    return Discrete([float(p) for p in exact], [float(w) for w in exact.values()])


def brute_sum(a: Exact, b: Exact) -> Exact:
    found: Exact = {}
    for (x, v), (y, w) in itertools.product(a.items(), b.items()):
        if v + w > 1:
            found[x + y] = v + w - 1
    return found


def brute_product(a: Exact, b: Exact) -> Exact:
    found = {x: w for x, w in _nonzero_products(a, b).items() if w > 0}
    zero = max(a.get(Fraction(0), Fraction(0)), b.get(Fraction(0), Fraction(0)))
    return found | ({Fraction(0): zero} if zero > 0 else {})


def _nonzero_products(a: Exact, b: Exact) -> Exact:
    return {x * y: v + w - 1 for (x, v), (y, w) in itertools.product(a.items(), b.items()) if x * y != 0 and v + w > 1}


def check(found: Atoms, expected: Exact) -> None:
    assert found.locations.tolist() == pytest.approx([float(p) for p in sorted(expected)], rel=1e-14)
    assert found.weights == pytest.approx([float(expected[p]) for p in sorted(expected)], abs=1e-13)


@given(discrete(), discrete(), discrete())
def test_sums_match_fractions(a: Exact, b: Exact, c: Exact) -> None:
    check(atoms(boxplus(law_of(a), Semicircle())), {})
    if a != b:
        check(atoms(boxplus(law_of(a), law_of(b))), brute_sum(a, b))
        if c not in (a, b):
            check(atoms(boxplus(law_of(a), law_of(b), law_of(c))), brute_sum(brute_sum(a, b), c))


@given(discrete(0), discrete(0), discrete(0))
def test_products_match_fractions(a: Exact, b: Exact, c: Exact) -> None:
    if a != b:
        check(atoms(boxtimes(law_of(a), law_of(b))), brute_product(a, b))
        if c not in (a, b):
            check(atoms(boxtimes(law_of(a), law_of(b), law_of(c))), brute_product(brute_product(a, b), c))


@given(discrete(0), st.floats(1.001, 5.0))  # nearer to 1 the power is the law itself, to the last digit
def test_powers(a: Exact, t: float) -> None:
    plus = {float(p) * t: 1.0 - t * (1.0 - float(w)) for p, w in a.items()}
    found = atoms(boxplus_power(law_of(a), t))
    assert dict(zip(found.locations.tolist(), found.weights.tolist(), strict=True)) == pytest.approx(
        {p: w for p, w in plus.items() if w > 1e-13}, abs=1e-13
    )
    times = atoms(boxtimes_power(law_of(a), t))
    zero = float(a.get(Fraction(0), Fraction(0)))
    expected = {float(p) ** t: 1.0 - t * (1.0 - float(w)) for p, w in a.items() if p > 0}
    assert dict(zip(times.locations.tolist(), times.weights.tolist(), strict=True)) == pytest.approx(
        {p: w for p, w in expected.items() if w > 1e-13} | ({0.0: zero} if zero > 0.0 else {}), abs=1e-13
    )


@given(discrete(0), st.floats(1.0, 9.0))
def test_size_changes(a: Exact, ratio: float) -> None:
    product = boxtimes(law_of(a), Uniform(1.0, 2.0) + 0.5)
    zero = float(a.get(Fraction(0), Fraction(0)))
    found = atoms(resize(product, ratio))
    weight = 1.0 - (1.0 - zero) / ratio
    assert found.weights.sum() == pytest.approx(weight, abs=1e-13)
    there_and_back = resize(resize(law_of(a), ratio), 1.0 / ratio)
    assert mass_off_zero(there_and_back) == pytest.approx(1.0 - zero, rel=1e-13)


def test_hard_tanh_jacobian() -> None:
    # Five Haar layers of hard tanh: weights 1.1, biases 0.02, input 0.25.
    ps = (0.9344003079, 0.9285068722, 0.9242416342, 0.9212409922, 0.9191705299)
    law = boxtimes(*(Bernoulli(p, 1.1) for p in ps))
    found = law.atoms()
    assert found.locations == pytest.approx([0.0, 1.61051])
    assert found.weights == pytest.approx([0.0808294701, 0.6275603364], abs=2e-10)


def test_hard_tanh_kernel() -> None:
    q = (0.25, 0.2616760663505652, 0.2700864885078864)
    p = (0.934400307852928, 0.9285068722071437)
    law: Law = PointMass(q[0])
    for mass, moment in zip(p, q[1:], strict=True):
        law = boxtimes(Bernoulli(mass, 1.1), law) + moment
    found = law.atoms()
    assert found.locations == pytest.approx([0.2700864885, 0.8604301615], abs=1e-10)
    assert found.weights == pytest.approx([0.0714931278, 0.8629071801], abs=1e-10)


def test_relu_kernel_has_a_would_be_atom() -> None:
    law: Law = PointMass(1.0)
    for _ in range(3):
        law = boxtimes(Bernoulli(0.5, 2.0), law) + 1.0
    assert law.atoms() == Atoms([1.0], [0.5])
    assert singular_points(law) == (3.0,)
    assert singular_points(2.0 * law - 1.0) == (5.0,)
    assert singular_points(law.children[0]) == (2.0,)


def test_would_be_atoms() -> None:
    assert singular_points(boxplus_power(Discrete([-1.0, 1.0], [0.5, 0.5]), 2.0)) == (-2.0, 2.0)
    assert singular_points(boxtimes(Bernoulli(0.1), Bernoulli(0.9, 2.0))) == (2.0,)
    assert singular_points(boxtimes_power(Bernoulli(0.9), 10.0)) == (1.0,)
    assert singular_points(boxtimes(*(Bernoulli(0.9, value) for value in range(1, 11)))) == (3628800.0,)
    assert singular_points(boxtimes(Bernoulli(0.5), MarchenkoPastur(1.0))) == ()
    assert singular_points(boxtimes(Bernoulli(0.5), Bernoulli(0.6, 2.0))) == ()
    assert singular_points(Bernoulli(1e-300)) == ()
    assert singular_points(Uniform(0.0, 1.0)) == ()
    assert singular_points(resize(boxtimes(Bernoulli(0.5), Bernoulli(0.5, 2.0)), 2.0)) == (2.0,)


def test_mass_off_zero_keeps_all_digits() -> None:
    assert mass_off_zero(Bernoulli(1e-300)) == 1e-300
    assert mass_off_zero(boxtimes(Bernoulli(1e-20), Bernoulli(0.5))) == 1e-20
    assert mass_off_zero(resize(boxtimes(Bernoulli(1e-20), MarchenkoPastur()), 4.0)) == 0.25e-20
    assert mass_off_zero(MarchenkoPastur(3.0)) == 1.0 / 3.0
    assert mass_off_zero(FreePoisson(1e-5)) == 1e-5
    assert mass_off_zero(PointMass(0.0)) == 0.0
    assert mass_off_zero(PointMass(1.0)) == mass_off_zero(Semicircle()) == 1.0
    assert mass_off_zero(Bernoulli(0.25) - 1.0) == 0.75


def test_equal_size_changes_of_rectangular_layers() -> None:
    # 800, 1200, 600, 1000 wide ReLU layers: rank min(400, 600, 300, 500) of 1000 is 0.3.
    law: Law = PointMass(1.0)
    widths = (800, 1200, 600, 1000)
    for before, after in itertools.pairwise(widths):
        law = boxtimes(Bernoulli(0.5), resize(boxtimes(law, MarchenkoPastur(before / after, 2.0)), after / before))
    assert law.atoms().weights == pytest.approx([0.7], abs=1e-15)


def test_atoms_are_values() -> None:
    found = Atoms([0.0, 1.0], [0.25, 0.5])
    assert found == Atoms(np.array([0.0, 1.0]), (0.25, 0.5))
    assert found != Atoms([0.0, 1.0], [0.25, 0.25])
    assert found != "atoms"
    assert len(found) == 2
    twin = pickle.loads(pickle.dumps(found))
    assert twin == found
    assert hash(twin) == hash(found)
    with pytest.raises(ValueError, match="read-only"):
        twin.weights[0] = 1.0


def test_many_factors_are_pruned() -> None:
    coins = [Discrete([float(i), i + 0.5], [0.998, 0.002]) for i in range(1, 401)]
    found = boxplus(*coins).atoms()
    assert found.locations.tolist() == [sum(range(1, 401))]
    assert found.weights == pytest.approx([0.2], abs=1e-13)
    wide = Discrete(np.arange(20000.0), np.full(20000, 1 / 20000))
    assert len(boxplus(wide, Bernoulli(0.5)).atoms()) == 0
