"""The operations' canonical forms, domains and messages."""

from __future__ import annotations

import math
import sys
import time
import types
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeconv.algebra import affine, boxplus, boxplus_power, boxtimes, boxtimes_power, compress, resize
from freeconv.hull import hull
from freeconv.laws import (
    Affine,
    Arcsine,
    Bernoulli,
    Boxplus,
    Boxtimes,
    Discrete,
    FreePoisson,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Resize,
    Semicircle,
    Uniform,
)

RELU = Bernoulli(0.5)
MP = MarchenkoPastur()
UNIFORM = Uniform(1.0, 2.0)


def test_units() -> None:
    assert boxplus() == PointMass(0.0)
    assert boxtimes() == PointMass(1.0)
    for law in (RELU, MP, UNIFORM, boxtimes(RELU, UNIFORM), boxplus(RELU, UNIFORM)):
        assert boxplus(law) == boxplus(law, PointMass(0.0)) == boxplus_power(law, 1.0) == compress(law, 1.0) == law
        assert boxtimes(law) == boxtimes(law, PointMass(1.0)) == boxtimes_power(law, 1.0) == resize(law, 1.0) == law
        assert boxtimes(law, PointMass(0.0)) == PointMass(0.0)
        assert boxplus(law, PointMass(3.0)) == law + 3.0
        assert boxtimes(law, PointMass(3.0)) == 3.0 * law
    assert boxplus(Discrete([2.0], [1.0]), PointMass(1.0)) == PointMass(3.0)
    assert boxtimes(Discrete([2.0], [1.0]), PointMass(3.0)) == PointMass(6.0)


@pytest.mark.parametrize(("join", "node"), [(boxplus, Boxplus), (boxtimes, Boxtimes)])
def test_nested_is_flattened_and_equal_factors_merge(join: Callable[..., Law], node: type[Boxplus | Boxtimes]) -> None:
    third = Arcsine(1.0, 3.0)
    flat = join(RELU, UNIFORM, third, RELU)
    assert flat == node(((RELU, 2.0), (UNIFORM, 1.0), (third, 1.0)))
    assert join(join(RELU, UNIFORM), join(third, RELU)) == flat
    assert join(join(join(RELU), UNIFORM, third), RELU) == flat
    power = boxplus_power if node is Boxplus else boxtimes_power
    assert power(flat, 2.5) == node(((RELU, 5.0), (UNIFORM, 2.5), (third, 2.5)))
    assert power(power(RELU, 3.0), 0.5) == node(((RELU, 1.5),))
    assert power(power(RELU, 49.0), 1.0 / 49.0) == RELU


def test_scales_leave_products_and_shifts_leave_sums() -> None:
    product, total = boxtimes(RELU, MP), boxplus(RELU, UNIFORM)
    assert boxtimes(2.0 * product, UNIFORM) == Affine(boxtimes(RELU, MP, UNIFORM), 2.0, 0.0)
    assert boxtimes_power(2.0 * product, 3.0) == Affine(boxtimes_power(product, 3.0), 8.0, 0.0)
    assert boxplus(total + 2.0, Arcsine(0.0, 1.0)) == Affine(boxplus(RELU, UNIFORM, Arcsine(0.0, 1.0)), 1.0, 2.0)
    assert boxplus(MP + 2.0, UNIFORM) == Affine(boxplus(MP, UNIFORM), 1.0, 2.0)
    assert boxtimes(2.0 * RELU, MarchenkoPastur(1.0, 3.0)) == Boxtimes(
        ((2.0 * RELU, 1.0), (MarchenkoPastur(1.0, 3.0), 1.0))
    )
    assert resize(2.0 * product, 2.0) == Affine(Resize(product, 2.0), 2.0, 0.0)


def test_large_scales_stay_inside() -> None:
    product = boxtimes(RELU, MP)
    left = boxtimes(1e99 * product, 1e99 * boxtimes(RELU, UNIFORM))
    assert isinstance(left, Boxtimes)
    back = boxtimes(1e99 * product, 1e-98 * boxtimes(RELU, UNIFORM))
    assert isinstance(back, Affine)
    assert back.scale == pytest.approx(10.0, rel=1e-14)
    assert back.law == boxtimes(RELU, MP, RELU, UNIFORM)
    balanced = boxtimes(*(PointMass(10.0**k) for k in (90, 90, 90, -90, -90, -90)), product)
    assert balanced.mean() == pytest.approx(0.5, rel=1e-13)
    with pytest.raises(ValueError, match="product of the scales must be a positive double"):
        boxtimes(PointMass(1e200), PointMass(1e200), MP)


def test_leaves_take_in_scale_and_shift() -> None:
    assert 2.0 * MarchenkoPastur(0.5, 3.0) == MarchenkoPastur(0.5, 6.0)
    assert 2.0 * FreePoisson(0.5, 3.0) == FreePoisson(0.5, 6.0)
    assert -2.0 * FreePoisson(0.5, 3.0) == FreePoisson(0.5, -6.0)
    assert 2.0 * Semicircle(1.0, 3.0) + 1.0 == Semicircle(3.0, 12.0)
    assert -2.0 * Uniform(0.0, 1.0) + 1.0 == Uniform(-1.0, 1.0)
    assert -2.0 * Arcsine(0.0, 1.0) + 1.0 == Arcsine(-1.0, 1.0)
    assert -1.0 * Bernoulli(0.25, 2.0) == Discrete([-2.0, 0.0], [0.25, 0.75])
    assert 2.0 * (MP + 1.0) == 2.0 * MP + 2.0 == Affine(MarchenkoPastur(1.0, 2.0), 1.0, 2.0)
    assert -1.0 * MarchenkoPastur(2.0, 3.0) == FreePoisson(0.5, -6.0)
    assert 0.0 * boxtimes(RELU, MP) + 2.0 == PointMass(2.0)


def test_families_merge_in_sums() -> None:
    assert boxplus(Semicircle(1.0, 2.0), RELU, Semicircle(3.0, 4.0)) == Boxplus(
        ((Semicircle(4.0, 6.0), 1.0), (RELU, 1.0))
    )
    assert boxplus_power(Semicircle(1.0, 2.0), 0.5) == Semicircle(0.5, 1.0)
    assert boxplus_power(MarchenkoPastur(2.0, 3.0), 4.0) == MarchenkoPastur(0.5, 12.0)
    assert boxplus_power(MarchenkoPastur(2.0, 3.0), 0.25) == MarchenkoPastur(8.0, 0.75)
    assert boxplus(MP, MP) == MarchenkoPastur(0.5, 2.0)
    assert boxplus(FreePoisson(1.0, 2.0), FreePoisson(3.0, 2.0)) == FreePoisson(4.0, 2.0)
    assert boxplus(FreePoisson(1.0, 2.0), MarchenkoPastur(0.5, 4.0)) == FreePoisson(3.0, 2.0)
    assert boxplus(FreePoisson(1.0, 2.0), FreePoisson(1.0, -2.0)) == Boxplus(
        ((FreePoisson(1.0, 2.0), 1.0), (FreePoisson(1.0, -2.0), 1.0))
    )
    assert compress(MP, 0.25) == MarchenkoPastur(0.25, 1.0)


def test_compound_free_poisson() -> None:
    compound = boxtimes(RELU, MP, UNIFORM)
    assert boxplus_power(compound, 0.5) == resize(boxtimes(RELU, MarchenkoPastur(0.5), UNIFORM), 2.0)
    assert boxplus_power(boxplus_power(compound, 0.25), 2.0) == boxplus_power(compound, 0.5)
    assert boxplus_power(boxplus_power(compound, 0.25), 4.0) == compound
    jumps = boxtimes(RELU, UNIFORM)
    for t in (0.25, 0.5, 2.0, 3.5):
        power = boxplus_power(compound, t)
        assert power.mean() == pytest.approx(t * compound.mean(), rel=1e-14)
        assert power.variance() == pytest.approx(t * compound.variance(), rel=1e-14)
        third = power.moment(3) - 3 * power.mean() * power.variance() - power.mean() ** 3
        assert third == pytest.approx(t * jumps.moment(3), rel=1e-12)
        # The rank of W N Wᵀ, N of rank 1/2 and W of t times as many columns as rows, is t/2.
        assert power.atoms().weights == pytest.approx([1.0 - 0.5 * t] if t < 2.0 else [], abs=1e-15)
        again = boxplus_power(power, 1.0 / t)
        assert [again.moment(k) for k in range(6)] == pytest.approx([compound.moment(k) for k in range(6)], rel=1e-13)
    assert boxplus(compound, compound) == boxplus_power(compound, 2.0)
    total = boxplus(2.0 * compound + 1.0, Semicircle())
    half = boxplus_power(total, 0.5)
    assert half.variance() == pytest.approx(0.5 * total.variance(), rel=1e-14)
    nested = boxplus_power(3.0 * total, 0.25)
    assert nested.mean() == pytest.approx(0.75 * total.mean(), rel=1e-14)


def test_multiplicative_roots() -> None:
    root = boxtimes_power(MarchenkoPastur(0.5, 2.0), 0.25)
    assert root == MarchenkoPasturPower(0.5, 2.0, 0.25)
    assert boxtimes_power(root, 4.0) == MarchenkoPastur(0.5, 2.0)
    assert boxtimes_power(root, 8.0) == boxtimes_power(MarchenkoPastur(0.5, 2.0), 2.0)
    assert boxtimes(root, root) == MarchenkoPasturPower(0.5, 2.0, 0.5)
    assert boxtimes_power(FreePoisson(2.0, 1.0), 0.25) == root
    assert boxtimes_power(4.0 * boxtimes_power(MP, 2.0), 0.25) == Affine(
        MarchenkoPasturPower(1.0, 1.0, 0.5), math.sqrt(2.0), 0.0
    )
    assert boxtimes_power(PointMass(4.0), 0.5) == PointMass(2.0)


def test_reflected_products() -> None:
    product = boxtimes(RELU, MP)
    reflected = -product
    assert -reflected == product
    total = boxplus(-product, UNIFORM)
    assert total == Affine(boxplus(product, -UNIFORM), -1.0, 0.0)
    assert total.mean() == UNIFORM.mean() - product.mean()
    assert total.variance() == pytest.approx(UNIFORM.variance() + product.variance(), rel=1e-15)
    assert boxplus(-product, -product + 3.0) == -boxplus(product, product) + 3.0
    assert boxplus_power(-product, 2.0) == -boxplus_power(product, 2.0)
    with pytest.raises(ValueError, match="a reflected free product cannot be added yet"):
        boxplus(product, -boxtimes(RELU, UNIFORM))
    with pytest.raises(ValueError, match="boxtimes cannot take a reflected free product yet"):
        boxtimes(10.0 - product, MP)


def test_size_changes() -> None:
    product = boxtimes(Bernoulli(0.25), UNIFORM)
    assert resize(resize(product, 2.0), 0.25) == Resize(product, 0.5)
    assert resize(resize(product, 3.0), 1.0 / 3.0) == product
    assert resize(MarchenkoPastur(0.25, 3.0), 4.0) == MarchenkoPastur(4.0, 0.75)
    assert resize(FreePoisson(4.0, 3.0), 4.0) == FreePoisson(0.25, 12.0)
    assert resize(Bernoulli(0.25, 3.0), 0.5) == Bernoulli(0.5, 3.0)
    assert resize(Bernoulli(0.25, 3.0), 0.25) == PointMass(3.0)
    assert resize(PointMass(3.0), 4.0) == Bernoulli(0.25, 3.0)
    assert resize(PointMass(0.0), 0.5) == PointMass(0.0)
    assert resize(product, 0.25).atoms().weights.tolist() == []
    with pytest.raises(ValueError, match=r"ratio must be >= 0.25, the mass off 0 of boxtimes\(.*\), got 0.2:"):
        resize(product, 0.2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: boxplus(1.0), TypeError, "boxplus needs laws, got 1.0"),  # type: ignore[arg-type]  # under test
        (lambda: boxtimes(MP, 2), TypeError, "boxtimes needs laws, got 2"),  # type: ignore[arg-type]  # under test
        (lambda: affine("a", 1.0, 1.0), TypeError, "affine needs laws, got 'a'"),  # type: ignore[arg-type]  # under test
        (lambda: boxtimes(MP, Semicircle()), ValueError, r"on \[0, inf\), got Semicircle\(.*\) with support from -2"),
        (lambda: boxtimes(PointMass(0.0), Semicircle()), ValueError, "boxtimes needs laws on"),
        (lambda: boxtimes(PointMass(-1.0)), ValueError, "with support from -1"),
        (lambda: boxtimes(FreePoisson(4.0, -1.0)), ValueError, "with support from -9"),
        (lambda: boxtimes(MP - 0.5), ValueError, "with support from -0.5"),
        (lambda: resize(Uniform(-1.0, 1.0), 2.0), ValueError, "resize needs laws on"),
        (lambda: boxtimes_power(Uniform(-1.0, 1.0), 2.0), ValueError, "boxtimes_power needs laws on"),
        (lambda: boxtimes_power(RELU, 0.5), ValueError, "t must be >= 1 for Discrete.*, got a power 0.5; below 1"),
        (lambda: boxtimes_power(MarchenkoPastur(2.0), 0.5), ValueError, "MarchenkoPastur of ratio <= 1"),
        (lambda: boxplus_power(RELU, 0.5), ValueError, "t must be >= 1 for Discrete.*, got a power 0.5; below 1"),
        (
            lambda: boxplus_power(boxtimes(MarchenkoPastur(2.0), UNIFORM), 0.5),
            ValueError,
            "t must be >= 1 for boxtimes",
        ),
        (lambda: boxplus_power(boxplus(MP, UNIFORM), 0.5), ValueError, "t must be >= 1 for Uniform"),
        (lambda: boxplus_power(MP, 0.0), ValueError, "t must be > 0, got 0.0"),
        (lambda: boxtimes_power(MP, -1.0), ValueError, "t must be > 0, got -1.0"),
        (lambda: boxtimes_power(MP, math.nan), ValueError, "t must be finite, got nan"),
        (lambda: boxplus_power(MP, "2"), TypeError, "t must be a real number, got '2'"),  # type: ignore[arg-type]  # under test
        (lambda: compress(MP, 1.5), ValueError, "t must be <= 1, got 1.5"),
        (lambda: compress(MP, 0.0), ValueError, "t must be > 0, got 0.0"),
        (lambda: compress(MP, 1e-320), ValueError, "1/t must be finite"),
        (lambda: resize(MP, 0.0), ValueError, "ratio must be > 0, got 0.0"),
        (lambda: affine(MP, math.inf, 0.0), ValueError, "scale must be finite, got inf"),
        (lambda: affine(MP, 1.0, math.nan), ValueError, "shift must be finite, got nan"),
        (lambda: boxplus(PointMass(1.7e308), PointMass(1.7e308)), ValueError, "location must be finite, got inf"),
    ],
)
def test_bad_arguments(make: Callable[[], Law], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_support_is_asked_only_where_bounds_do_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Law] = []
    answers = iter([np.array([[0.25, 3.0]]), np.array([[-0.5, 3.0]])])

    def support(law: Law) -> object:
        asked.append(law)
        return next(answers)

    stub = types.ModuleType("freeconv.spectrum")
    vars(stub)["support"] = support
    monkeypatch.setitem(sys.modules, "freeconv.spectrum", stub)
    monkeypatch.setattr(sys.modules["freeconv"], "spectrum", stub, raising=False)
    law = boxplus(Uniform(0.0, 1.0), Semicircle(1.9, 1.0))
    assert hull(law)[0] < 0.0
    assert isinstance(boxtimes(law, MP), Boxtimes)
    with pytest.raises(ValueError, match=r"with support from -0\.5"):
        boxtimes(law, MP)
    assert asked == [law, law]
    boxtimes(boxplus(Uniform(0.0, 1.0), Semicircle(2.0, 1.0)), boxplus_power(UNIFORM, 2.5), boxplus(MP, RELU))
    assert len(asked) == 2


@given(st.floats(0.05, 1.0), st.floats(0.1, 4.0), st.floats(0.05, 0.95))
def test_hull_of_roots_bounds_moments(ratio: float, scale: float, power: float) -> None:
    law = MarchenkoPasturPower(ratio, scale, power)
    low, high = hull(law)
    assert 0.0 <= low <= law.mean() <= high
    assert law.moment(30) ** (1 / 30) <= high * (1.0 + 1e-12)
    assert law.moment(30) / law.moment(29) > 0.6 * high


def test_hull_of_leaves() -> None:
    assert hull(MarchenkoPastur(0.25, 4.0)) == pytest.approx((1.0, 9.0))
    assert hull(MarchenkoPastur(4.0, 1.0)) == pytest.approx((0.0, 9.0))
    assert hull(FreePoisson(4.0, -1.0)) == pytest.approx((-9.0, -1.0))
    assert hull(Semicircle(1.0, 4.0)) == (-3.0, 5.0)
    assert hull(boxtimes(Uniform(1.0, 2.0), Uniform(2.0, 3.0))) == (2.0, 6.0)
    assert hull(-boxtimes(Uniform(1.0, 2.0), Uniform(2.0, 3.0))) == (-6.0, -2.0)
    assert hull(resize(boxtimes(Uniform(1.0, 2.0), Uniform(2.0, 3.0)), 2.0)) == (0.0, 6.0)
    assert hull(boxtimes_power(Uniform(10.0, 20.0), 400.0))[1] == math.inf


def test_five_hundred_factors_and_a_thousand_levels_are_quick() -> None:
    start = time.perf_counter()
    law = boxtimes(*(MarchenkoPastur(1.0, 1.0 + i / 500) for i in range(500)))
    assert len(law.children) == 500
    chain: Law = PointMass(1.0)
    for _ in range(1000):
        chain = boxtimes(RELU, MarchenkoPastur(1.0, 2.0), chain) + 1.0
    alternating: Law = UNIFORM
    for _ in range(1000):
        alternating = 0.5 * boxplus(MP, alternating)
    reflected = -alternating
    assert reflected.mean() == -alternating.mean()
    assert boxplus_power(0.5 * boxplus(MP, Semicircle()), 0.5).mean() == 0.25
    assert time.perf_counter() - start < 2.0
