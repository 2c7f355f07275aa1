"""Laws with discrete and curved leaves: several intervals, and the slopes of tanh beside as many atoms."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

import freeconv as fc
from bench import baselines
from bench.case import Array, Case, Group, Job, Target, per_point
from bench.common import NEWTON, baseline_case, certified, density_case, few, inside, reference
from tests.oracles.load import build

__all__ = ["GROUPS", "covariance", "tanh", "tanh_discrete"]

SHARES = (0.2, 0.4, 0.4)
LEAF = 64
"""Atoms of the leaf that tanh is compared with."""


@lru_cache
def covariance() -> fc.Law:
    """Marchenko–Pastur(0.05) ⊠ {1, 3, 10}."""
    law: fc.Law = build(reference("mp_discrete", "MP(0.05) x {1,3,10}").spec)
    return law


@lru_cache
def wigner() -> fc.Law:
    """Semicircle ⊞ {-2, 0.5, 3}."""
    law: fc.Law = build(reference("additive", "semicircle(0.0625) + {-2,0.5,3}").spec)
    return law


def with_gaps(quick: bool) -> Job:
    """An even grid over all intervals and gaps."""
    law, x = covariance(), np.linspace(0.0, 15.0, 100_000)
    evaluation = law.evaluate(x)
    assert np.isin(evaluation.status, [fc.Status.CERTIFIED, fc.Status.OUTSIDE]).all()
    assert abs(float(np.trapezoid(evaluation.density, x)) - 1.0) < 1e-5
    return Job(lambda: law.density(x), points=x.size)


@lru_cache
def critical() -> float:
    """σ_w² at the critical point of σ_b² = 0.05."""
    return float(fc.critical_weight_variance("tanh", 0.05))


def gain() -> float:
    """What ten orthogonal matrices contribute to the law of J Jᵀ."""
    return critical() ** 10


@lru_cache
def slope() -> fc.Law:
    """The law of tanh'(√q Z)² there, in the fixed point of the variances."""
    net = fc.MLP(200, "tanh", weight_variance=critical(), bias_variance=0.05)
    return fc.SlopeLaw("tanh", float(net.mean_field().preactivation_variance[-1]))


@lru_cache
def tanh() -> fc.Law:
    """Ten orthogonal tanh layers in their fixed point, on the critical line: one curved leaf with a multiplicity."""
    return gain() * fc.boxtimes_power(slope(), 10.0)


@lru_cache
def tanh_discrete() -> fc.Law:
    """The same with the 64 atoms of a Gauss rule in place of the law of the slopes."""
    return gain() * fc.boxtimes_power(atoms(), 10.0)


@lru_cache
def atoms() -> fc.Discrete:
    """The Gauss rule."""
    leaf = slope().discretise(LEAF)
    assert isinstance(leaf, fc.Discrete)
    assert len(leaf.locations) == LEAF
    return leaf


def discrete_newton(x: Array) -> Array:
    """The same in NumPy, with the fewest heights and steps that keep the right root."""
    locations, weights = np.array(atoms().locations), np.array(atoms().weights)
    heights = np.geomspace(8.0, 1e-9, 20)
    return baselines.power_of_discrete_newton(10.0, locations, weights, x / gain(), heights, 2) / gain()


def tanh_discrete_case(quick: bool) -> Job:
    law = tanh_discrete()
    x = inside(law, few(quick, 20_000, 500))
    certified(law, x)
    middle = np.linspace(0.1, 0.9, 9) * tanh().support()[-1, 1]
    np.testing.assert_allclose(law.density(middle), tanh().density(middle), rtol=1e-3)
    return Job(lambda: law.density(x), points=x.size)


CURVED, ATOMS = "freeconv, tanh", f"freeconv, {LEAF} atoms"

GROUPS = (
    Group(
        "covariance",
        "Marchenko–Pastur(0.05) ⊠ {1, 3, 10}, three intervals",
        (
            density_case(
                "freeconv", covariance, 99_999, entry=partial(reference, "mp_discrete", "MP(0.05) x {1,3,10}")
            ),
            Case("freeconv, an even grid with the gaps", with_gaps),
            baseline_case(
                "NumPy, averaged fixed point",
                covariance,
                partial(baselines.marchenko_pastur_discrete_averaged, 0.05, (1.0, 3.0, 10.0), SHARES),
                9000,
                quickly=300,
            ),
        ),
    ),
    Group(
        "wigner",
        "Semicircle ⊞ {-2, 0.5, 3}, three intervals",
        (
            density_case(
                "freeconv", wigner, 99_999, entry=partial(reference, "additive", "semicircle(0.0625) + {-2,0.5,3}")
            ),
            baseline_case(
                NEWTON,
                wigner,
                partial(baselines.semicircle_discrete_newton, 0.0625, (-2.0, 0.5, 3.0), (0.25, 0.5, 0.25)),
                30_000,
            ),
        ),
    ),
    Group(
        "tanh",
        "Jacobian, orthogonal tanh, L = 10",
        (
            density_case(CURVED, tanh, 20_000, quickly=500),
            Case(ATOMS, tanh_discrete_case),
            baseline_case(
                "NumPy, Newton for the atoms",
                tanh_discrete,
                discrete_newton,
                2000,
                quickly=200,
            ),
        ),
        (Target(f"speed of tanh against {LEAF} atoms", per_point(ATOMS, CURVED), 0.4, at_least=True),),
    ),
)
