"""Hypothesis strategies: random laws, from single leaves to trees two operations deep.

Parameters keep away from what only test_regressions looks at (tiny weights, scales of 1e30); exact halves, square
Gaussian factors and atoms that meet 1 exactly are drawn often, being where density and support are singular.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import freeconv as fc


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """A grid of 200 numbers; `floats` would shrink to shifts of 1e-300."""
    return st.integers(0, 199).map(lambda k: low + (high - low) * k / 199.0)


def probabilities() -> st.SearchStrategy[float]:
    """Weights: eighths, which meet 1 exactly, or any."""
    return st.sampled_from([0.125, 0.25, 0.5, 0.5, 0.625, 0.75, 0.875]) | numbers(0.1, 0.9)


def ratios() -> st.SearchStrategy[float]:
    """Aspect ratios and rates: square ones, or any moderate one."""
    return st.sampled_from([0.5, 1.0, 1.0, 2.0]) | numbers(0.2, 4.0)


def scales() -> st.SearchStrategy[float]:
    """Scales about 1."""
    return st.just(1.0) | numbers(0.4, 2.5)


def powers() -> st.SearchStrategy[float]:
    """Multiplicities, fractional ones included."""
    return st.sampled_from([1.0, 1.0, 1.0, 1.5, 2.0, 3.0])


@st.composite
def discrete(draw: st.DrawFn, *, positive: bool) -> fc.Law:
    """Two to four atoms at distances of at least 1/4, weights in sixteenths."""
    count = draw(st.integers(2, 4))
    grid = st.integers(0 if positive else -8, 16)
    locations = sorted(draw(st.lists(grid, min_size=count, max_size=count, unique=True)))
    cuts = sorted(draw(st.lists(st.integers(1, 15), min_size=count - 1, max_size=count - 1, unique=True)))
    weights = [(b - a) / 16.0 for a, b in zip([0, *cuts], [*cuts, 16], strict=True)]
    return fc.Discrete([location / 4.0 for location in locations], weights)


@st.composite
def interval(draw: st.DrawFn, kind: type[fc.Arcsine] | type[fc.Uniform], low: float) -> fc.Law:
    """An arcsine or a uniform law above `low`."""
    start = draw(st.just(low) | numbers(low, low + 2.0))
    return kind(start, start + draw(numbers(0.5, 3.0)))


def slopes() -> st.SearchStrategy[fc.Law]:
    """Squared slopes of curved activations; few, since each costs some tenths of a second when it is made."""
    return st.builds(fc.SlopeLaw, st.sampled_from(["tanh", "erf", "gelu", "silu", "elu", "sin"]), st.just(0.5625))


@st.composite
def samples(draw: st.DrawFn) -> fc.Law:
    """Squares of 5 to 40 normal numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return fc.Empirical(rng.standard_normal(draw(st.integers(5, 40))) ** 2)


def measured() -> st.SearchStrategy[fc.Law]:
    """What networks bring: squared slopes, samples, the universal limits."""
    limits = st.builds(fc.isometry_limit, st.sampled_from(["bernoulli", "smooth"]), numbers(0.1, 3.0))
    return evenly(slopes(), samples(), limits)


def positive_leaves() -> st.SearchStrategy[fc.Law]:
    """Leaves on [0, ∞)."""
    return st.one_of(
        measured(),
        st.builds(fc.Bernoulli, probabilities(), scales()),
        discrete(positive=True),
        st.builds(fc.MarchenkoPastur, ratios(), scales()),
        st.builds(fc.FreePoisson, ratios(), scales()),
        st.builds(lambda mean, part: fc.Semicircle(mean, (part * mean / 2.0) ** 2), scales(), numbers(0.2, 0.95)),
        interval(fc.Arcsine, 0.0),
    )


def leaves() -> st.SearchStrategy[fc.Law]:
    """Leaves anywhere."""
    return st.one_of(
        positive_leaves(),
        interval(fc.Uniform, 0.0),
        discrete(positive=False),
        st.builds(fc.FreePoisson, ratios(), scales().map(lambda scale: -scale)),
        st.builds(fc.Semicircle, numbers(-2.0, 2.0), numbers(0.05, 4.0)),
        interval(fc.Arcsine, -2.0),
        interval(fc.Uniform, -2.0),
    )


@st.composite
def products(draw: st.DrawFn, factors: st.SearchStrategy[fc.Law] | None = None) -> fc.Law:
    """⊠ of two or three laws on [0, ∞) with multiplicities."""
    factors = positive_leaves() if factors is None else factors
    count = draw(st.integers(2, 3))
    return fc.boxtimes(*[fc.boxtimes_power(draw(factors), draw(powers())) for _ in range(count)])


@st.composite
def sums(draw: st.DrawFn, terms: st.SearchStrategy[fc.Law] | None = None) -> fc.Law:
    """⊞ of two or three laws with multiplicities."""
    terms = leaves() if terms is None else terms
    count = draw(st.integers(2, 3))
    return fc.boxplus(*[fc.boxplus_power(draw(terms), draw(powers())) for _ in range(count)])


def corners(law: st.SearchStrategy[fc.Law]) -> st.SearchStrategy[fc.Law]:
    """Free compressions."""
    return st.builds(fc.compress, law, st.sampled_from([0.25, 0.5, 0.75, 0.9]))


def resized(law: st.SearchStrategy[fc.Law]) -> st.SearchStrategy[fc.Law]:
    """Size changes to larger matrices, which every law on [0, ∞) allows."""
    return st.builds(fc.resize, law, st.sampled_from([1.25, 2.0]))


def layers() -> st.SearchStrategy[fc.Law]:
    """The recursion of tangent kernels: a product, scaled, shifted, multiplied again."""
    inner = products().map(lambda law: 0.5 * law + 1.0)
    return st.builds(fc.boxtimes, inner, positive_leaves())


def evenly(*choices: st.SearchStrategy[fc.Law]) -> st.SearchStrategy[fc.Law]:
    """Choose among strategies evenly: `one_of` counts each alternative of a leaf as often as a whole kind of tree."""
    return st.sampled_from(choices).flatmap(lambda choice: choice)


def positive_laws() -> st.SearchStrategy[fc.Law]:
    """Laws on [0, ∞): leaves, products, sums, size changes, products of sums, layers."""
    leaf = positive_leaves()
    nested = products(evenly(leaf, sums(leaf)))
    return evenly(leaf, products(), sums(leaf), corners(products()), resized(products()), nested, layers())


def laws() -> st.SearchStrategy[fc.Law]:
    """Laws anywhere: all of `positive_laws`, sums and corners with negative support, shifts, reflections."""
    tree = evenly(leaves(), sums(), sums(evenly(leaves(), products())), corners(sums()), positive_laws())
    factors = st.sampled_from([-1.0, 2.0])
    moved = st.builds(lambda law, scale, shift: scale * law + shift, tree, factors, numbers(-1.0, 1.0))
    return evenly(tree, tree, moved).filter(lambda law: not isinstance(law, fc.PointMass))
