"""Leaves, arithmetic, and the tree's own methods: equality, hash, representation, pickling."""

from __future__ import annotations

import copy
import math
import pickle
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeconv import algebra, laws
from freeconv.algebra import affine, boxplus, boxtimes, boxtimes_power, resize
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
from freeconv.laws.operations import Affine, fold

LEAVES: list[Law] = [
    PointMass(2.0),
    Discrete([1.0, -3.0], [0.25, 0.75]),
    Bernoulli(0.3, 2.0),
    Semicircle(1.0, 2.0),
    MarchenkoPastur(2.0, 3.0),
    MarchenkoPasturPower(0.5, 2.0, 0.25),
    Arcsine(-1.0, 2.0),
    Uniform(0.0, 1.0),
    FreePoisson(0.5, -2.0),
]
NAMES: dict[str, Any] = {name: getattr(laws, name) for name in laws.__all__} | {
    name: getattr(algebra, name) for name in algebra.__all__
}


def tangent_kernel(depth: int) -> Law:
    """The tree of a ReLU network's kernel, as deep as the network."""
    law: Law = PointMass(1.0)
    for _ in range(depth):
        law = boxtimes(Bernoulli(0.5), MarchenkoPastur(1.0, 2.0), law) + 1.0
    return law


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: PointMass(math.nan), ValueError, "location must be finite, got nan"),
        (lambda: PointMass(10**400), ValueError, "location must be finite, got 1000"),
        (lambda: PointMass(True), TypeError, "location must be a real number, got True"),
        (lambda: PointMass(1j), TypeError, "location must be a real number, got 1j"),  # type: ignore[arg-type]  # under test
        (lambda: PointMass("1"), TypeError, "must be a real number, got '1'"),  # type: ignore[arg-type]  # under test
        (lambda: Semicircle(variance=0.0), ValueError, "variance must be > 0, got 0.0"),
        (lambda: Semicircle(mean=math.inf), ValueError, "mean must be finite, got inf"),
        (lambda: MarchenkoPastur(ratio=-0.5), ValueError, "ratio must be > 0, got -0.5"),
        (lambda: MarchenkoPastur(scale=0), ValueError, "scale must be > 0, got 0"),
        (lambda: MarchenkoPasturPower(2.0, 1.0, 0.5), ValueError, "ratio must be <= 1, got 2.0"),
        (lambda: MarchenkoPasturPower(1.0, 1.0, 1.0), ValueError, "power must be < 1, got 1.0"),
        (lambda: Arcsine(1.0, 1.0), ValueError, "low must be < high, got 1.0 and 1.0"),
        (lambda: Uniform(0.0, math.inf), ValueError, "high must be finite, got inf"),
        (lambda: FreePoisson(0.0), ValueError, "rate must be > 0, got 0.0"),
        (lambda: FreePoisson(1.0, 0.0), ValueError, "jump must be != 0, got 0.0"),
        (lambda: Bernoulli(1.5), ValueError, "p must be in \\[0, 1\\], got 1.5"),
        (lambda: Bernoulli(0.5, math.nan), ValueError, "value must be finite, got nan"),
        (lambda: Discrete([], []), ValueError, "locations must have at least one entry"),
        (lambda: Discrete([1.0], [0.5, 0.5]), ValueError, "must be of one length, got 1 and 2"),
        (lambda: Discrete([1.0, 2.0], [0.5, 0.4]), ValueError, "weights must sum to 1 up to 1e-12, got 0.9"),
        (lambda: Discrete([1.0, 2.0], [1.5, -0.5]), ValueError, "weights\\[1\\] must be >= 0, got -0.5"),
        (lambda: Discrete([1.0, math.nan], [0.5, 0.5]), ValueError, "locations\\[1\\] must be finite, got nan"),
        (lambda: Discrete(np.array([1.0, np.inf]), [0.5, 0.5]), ValueError, "locations\\[1\\] must be finite, got inf"),
        (lambda: Discrete([1.0, 2j], [0.5, 0.5]), TypeError, "locations\\[1\\] must be a real number, got 2j"),
        (lambda: Discrete("12", [0.5, 0.5]), TypeError, "locations must be a sequence of real numbers, got '12'"),
        (lambda: Discrete(1.0, 1.0), TypeError, "locations must be a sequence of real numbers, got 1.0"),
        (lambda: Discrete(np.ones((1, 1)), [1.0]), ValueError, "one dimension, got an array of shape \\(1, 1\\)"),
    ],
)
def test_bad_parameters_are_named(make: Callable[[], Law], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_law_itself_and_unfinished_subclasses_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Law()  # type: ignore[abstract]  # this is the error under test


def test_numbers_of_all_kinds_are_stored_as_floats() -> None:
    for one in (1, np.float32(1.0), np.int8(1), Fraction(1, 1)):
        law = MarchenkoPastur(one, one)  # type: ignore[arg-type]  # Fraction is a Real, not a float
        assert law == MarchenkoPastur(1.0, 1.0)
        assert type(law.ratio) is float
    assert math.copysign(1.0, PointMass(-0.0).location) == 1.0
    assert Discrete(np.array([2, 1]), np.array([0.5, 0.5], dtype=np.float32)) == Discrete((1.0, 2.0), (0.5, 0.5))


def test_discrete_sorts_merges_and_drops() -> None:
    law = Discrete([3.0, 1.0, 3.0, 5.0, -0.0, 0.0], [0.1, 0.3, 0.2, 0.0, 0.2, 0.2])
    assert law.locations == (0.0, 1.0, 3.0)
    assert law.weights == (0.4, 0.3, math.fsum([0.1, 0.2]))
    one = Discrete([3.0], [1.0])
    assert isinstance(one, Discrete)
    assert one + 0.0 == one


@given(st.floats(0.0, 1.0), st.floats(-1e3, 1e3))
def test_bernoulli_keeps_p_exactly(p: float, value: float) -> None:
    law = Bernoulli(p, value)
    if value == 0.0 or p in {0.0, 1.0}:
        assert law == PointMass(value if p == 1.0 else 0.0)
    else:
        assert isinstance(law, Discrete)
        assert law.weights[law.locations.index(value)] == p


@pytest.mark.parametrize("law", [law for law in LEAVES if not isinstance(law, PointMass)], ids=repr)
def test_equal_parameters_mean_equal_laws(law: Law) -> None:
    twin = pickle.loads(pickle.dumps(law))
    assert twin == law
    assert hash(twin) == hash(law)
    assert law == copy.deepcopy(law)
    assert law not in [other for other in LEAVES if other is not law]


@pytest.mark.parametrize("law", LEAVES, ids=repr)
def test_arithmetic_with_numbers(law: Law) -> None:
    assert (2.0 * law + 1.0).mean() == pytest.approx(2.0 * law.mean() + 1.0, rel=1e-15)
    assert law + 1 == 1 + law == law - (-1)
    assert 2 * law == law * 2 == law / 0.5 == np.float64(2.0) * law
    assert law + np.float64(1.0) == np.float64(1.0) + law
    assert 0.0 * law + 3.0 == PointMass(3.0)
    assert law * 1 == law + 0 == law
    assert (2 * (law + 1) - 2) / 2 == law


@pytest.mark.parametrize("law", [law for law in LEAVES if not isinstance(law, MarchenkoPasturPower)], ids=repr)
def test_reflection_goes_into_leaves(law: Law) -> None:
    reflected = -law
    assert not isinstance(reflected, Affine)
    assert 0.0 - law == reflected
    for k in range(1, 6):
        assert reflected.moment(k) == pytest.approx((-1) ** k * law.moment(k), rel=1e-14)
    assert [-x for x in reversed(reflected.atoms().locations)] == list(law.atoms().locations)


def test_two_laws_have_no_arithmetic() -> None:
    law = Semicircle()
    with pytest.raises(TypeError, match=r"freeconv\.boxplus"):
        law + law  # type: ignore[operator]  # the error under test
    with pytest.raises(TypeError, match=r"freeconv\.boxplus"):
        law - law  # type: ignore[operator]  # the error under test
    with pytest.raises(TypeError, match=r"freeconv\.boxtimes"):
        law * law  # type: ignore[operator]  # the error under test
    with pytest.raises(TypeError, match=r"freeconv\.boxtimes"):
        law / law  # type: ignore[operator]  # the error under test
    with pytest.raises(ValueError, match="divided by a number != 0, got 0"):
        law / 0
    for other in ("a", True, 1j, None):
        with pytest.raises(TypeError):
            law + other  # type: ignore[operator]  # the error under test
    with pytest.raises(ValueError, match="scale must be finite, got nan"):
        law * math.nan


@pytest.mark.parametrize(
    "law",
    [
        *LEAVES,
        boxtimes(Bernoulli(0.5), MarchenkoPastur(), Uniform(0.0, 1.0) + 1.0),
        boxtimes_power(MarchenkoPastur(1.0, 2.0), 3.0),
        2.0 * boxtimes(Bernoulli(0.5), boxtimes(Uniform(1.0, 2.0), MarchenkoPastur()) + 1.0) - 1.0,
        boxplus(Uniform(0.0, 1.0), Semicircle(), Bernoulli(0.25), Bernoulli(0.25)),
        resize(boxtimes(Bernoulli(0.5), MarchenkoPastur()), 1.5),
        -boxtimes(Bernoulli(0.5), MarchenkoPastur()),
    ],
    ids=repr,
)
def test_representation_makes_the_law_again(law: Law) -> None:
    assert eval(repr(law), NAMES) == law


def test_representation_of_a_power() -> None:
    law = boxtimes_power(MarchenkoPastur(1.0, 2.0), 3.0)
    assert repr(law) == "boxtimes_power(MarchenkoPastur(ratio=1.0, scale=2.0), 3.0)"


def test_trees_a_thousand_deep() -> None:
    start = time.perf_counter()
    law, twin = tangent_kernel(1000), tangent_kernel(1000)
    assert law is not twin
    assert law == twin
    assert hash(law) == hash(twin)
    assert law != tangent_kernel(999)
    assert law != twin + 1e-9
    assert pickle.loads(pickle.dumps(law)) == law
    assert copy.deepcopy(law) == law
    assert repr(law).count("MarchenkoPastur") == 1000
    assert law.atoms().weights.tolist() == [0.5]
    assert law.mean() == 1001.0
    assert time.perf_counter() - start < 2.0


def test_shared_subtrees_cost_nothing() -> None:
    law: Law = Uniform(1.0, 2.0)
    twin: Law = Uniform(1.0, 2.0)
    for _ in range(200):  # 2^200 occurrences of the leaf
        law, twin = boxtimes(law + 1.0, 0.5 * law + 0.25), boxtimes(twin + 1.0, 0.5 * twin + 0.25)
    again = pickle.loads(pickle.dumps(law))
    assert law == twin == again
    assert hash(again) == hash(law)
    assert fold(law, "depth", lambda _, children: 1 + max(children, default=0)) == 400
    assert repr(law).endswith("...")


def test_laws_are_immutable() -> None:
    for law in (*LEAVES, boxtimes(Bernoulli(0.5), MarchenkoPastur())):
        name = next(iter(vars(law)))
        with pytest.raises(AttributeError):
            setattr(law, name, 1.0)


def test_affine_nodes_compose() -> None:
    law = boxtimes(Bernoulli(0.5), MarchenkoPastur())
    node = affine(affine(law, 2.0, 1.0), 4.0, -3.0)
    assert node == Affine(law, 8.0, 1.0)
    assert affine(node, 0.125, -0.125) == law
