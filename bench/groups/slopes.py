"""Laws of squared slopes of curved activations: what distribution functions and quantiles cost beside densities."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np

import freeconv as fc
from bench.case import Array, Case, Group, Job, Target, per_point
from bench.common import certified, few
from bench.groups.products import tanh

__all__ = ["GROUPS"]

Build = Callable[[], fc.Law]

DENSITY, CDF, QUANTILE = "freeconv, density", "freeconv, cdf", "freeconv, quantile"


@lru_cache
def gelu() -> fc.Law:
    """Three Gaussian layers, each with slopes of its own."""
    return fc.MLP(3, "gelu", weight_variance=1.8, bias_variance=0.1).jacobian()


@lru_cache
def single() -> fc.Law:
    """The slopes of one layer, four pieces of a Gaussian."""
    return fc.SlopeLaw("gelu", 0.6)


def levels(quick: bool, points: int) -> Array:
    """Even levels of probability."""
    count = few(quick, points, 500)
    return (np.arange(count) + 0.5) / count


def density(law: Build, points: int, quick: bool) -> Job:
    built = law()
    x = np.asarray(built.quantile(levels(quick, points)))
    if law is not single:  # in closed form, not solved
        certified(built, x)
    return Job(lambda: built.density(x), points=x.size)


def cdf(law: Build, points: int, quick: bool) -> Job:
    built, p = law(), levels(quick, points)
    x = np.asarray(built.quantile(p))
    # Beside a turning value F grows by 1e-9 from one double to the next.
    below, above = (np.asarray(built.cdf(np.nextafter(np.nextafter(x, side), side))) for side in (-np.inf, np.inf))
    assert ((below - 1e-12 < p) & (p < above + 1e-12)).all()
    # Between two points F grows by the integral of the density.
    low, high = built.quantile([0.6, 0.61])
    nodes, weights = np.polynomial.legendre.leggauss(20)
    inner = 0.5 * (low + high) + 0.5 * (high - low) * nodes
    grown = 0.5 * (high - low) * float(weights @ np.asarray(built.density(inner)))
    assert abs(grown - float(built.cdf(high) - built.cdf(low))) < 1e-12
    return Job(lambda: built.cdf(x), points=x.size)


def quantile(law: Build, points: int, quick: bool) -> Job:
    built, p = law(), levels(quick, points)
    x = np.asarray(built.quantile(p))
    assert (np.diff(x) >= 0.0).all()
    return Job(lambda: built.quantile(p), points=x.size)


def group(key: str, title: str, law: Build, points: int) -> Group:
    return Group(
        key,
        title,
        (
            Case(DENSITY, partial(density, law, points), rounds=3),
            Case(CDF, partial(cdf, law, points), rounds=3),
            Case(QUANTILE, partial(quantile, law, points), rounds=3),
        ),
        (
            Target(f"{title}: cdf against density", per_point(CDF, DENSITY), 2.0),
            Target(f"{title}: quantile against density", per_point(QUANTILE, DENSITY), 4.0),
        ),
    )


GROUPS = (
    group("slopes-gelu", "Gaussian GELU, L = 3", gelu, 5000),
    group("slopes-tanh", "orthogonal tanh, L = 10", tanh, 20_000),
    group("slopes-single", "squared slopes of GELU alone", single, 100_000),
)
