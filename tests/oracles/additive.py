"""Free sums: semicircle ⊞ atoms (x = w + v G(w), a polynomial in w), and coin ⊞ coin = arcsine.

The root in the upper half-plane is unique, density -Im G/π = Im w/(πv).  Edges: 1 = v Σ p/(w - a)² (Biane 1997).
Semicircle(v) ⊞ ±1 coin: two intervals for v < 1, at v = 1 they touch at 0 in a cusp f ~ (√3/2π)|x|^{1/3}, one interval
above.

Checked against the certified tree solver at every point, and by total mass and mean.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import tree
from tests.oracles.common import (
    Entry,
    Interval,
    Number,
    agree,
    check_mass,
    interval_grid,
    mp,
    mpf,
    plus,
    polynomial,
    real_roots,
    upper_root,
    write_table,
)
from tests.oracles.rational import atoms, denominator, images, numerator, scaled, square_sum
from tests.oracles.specs import Law, boxplus, discrete, semicircle

COIN = discrete([-1, 1], [0.5, 0.5])
CASES = {
    "semicircle(1) + coin, cusp at 0": (1.0, COIN),
    "semicircle(0.1) + coin": (0.1, COIN),
    "semicircle(4) + coin": (4.0, COIN),
    "semicircle(0.0625) + {-2,0.5,3}": (0.0625, discrete([-2, 0.5, 3], [0.25, 0.5, 0.25])),
    "semicircle(0.01) + {0,1,1.5}": (0.01, discrete([0, 1, 1.5], [0.25, 0.25, 0.5])),
}


def law(variance: float, term: Law) -> Law:
    """Specification."""
    return boxplus(semicircle(0.0, variance), term)


def curve(variance: float, term: Law, w: Number) -> Number:
    """x(w)."""
    return w + variance * mp.fsum(p / (w - a) for a, p in atoms(term))


def density(variance: float, term: Law, x: float | Number) -> Number:
    """Density inside the support."""
    below, above = denominator(term), numerator(term)
    w = upper_root(plus(polynomial([mpf(1), -mpf(x)], below), scaled(mpf(variance), above)))
    return w.imag / (mp.pi * variance)


def support(variance: float, term: Law) -> list[Interval]:
    """All intervals."""
    below = denominator(term)
    squares = square_sum(term, [mpf(1) for _ in atoms(term)])
    critical = real_roots(plus(polynomial(below, below), scaled(-mpf(variance), squares)))
    if variance == 1.0 and term == COIN:  # the double root at 0 is a cusp, not an edge
        critical = [-mp.sqrt(3), mp.sqrt(3)]
    return images(partial(curve, variance, term), critical)


def entries() -> list[Entry]:
    """All cases, verified."""
    out = []
    for name, (variance, term) in CASES.items():
        intervals = support(variance, term)
        x = [point for low, high in intervals for point in interval_grid(low, high, 6)]
        if "cusp" in name:
            x = sorted([*x, 1e-12, -1e-6, 1e-3])
        values = [density(variance, term, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(variance, term), point), value, f"{name} x={point!r}")
        if "cusp" in name:  # x and density at the cusp itself, then integrate in two halves with x ~ s³
            agree(density(variance, term, 1e-12), mp.sqrt(3) / (2 * mp.pi) * mpf("1e-4"), "cusp", 1e-6)
            position = x.index(1e-12)
            x.insert(position, 0.0)
            values.insert(position, mpf(0))
            check_mass(
                name,
                partial(density, variance, term),
                [(intervals[0][0], mpf(0)), (mpf(0), intervals[0][1])],
                [],
                mpf(0),
                1e-4,
            )
        else:
            check_mass(name, partial(density, variance, term), intervals, [], tree.mean(term))
        out.append(Entry(name, law(variance, term), x, values, intervals, []))
    coins = boxplus((COIN, 2))
    x = [-1.999999, -1.5, -0.25, 1e-9, 0.0, 1.0, 1.999, 1.9999999999]
    values = [1 / (mp.pi * mp.sqrt(4 - mpf(point) ** 2)) for point in x]
    for point, value in zip(x, values, strict=True):
        if point != 0.0:
            agree(tree.density(coins, point), value, f"coin + coin x={point!r}")
    out.append(Entry("coin + coin = arcsine", coins, x, values, [(mpf(-2), mpf(2))], [], [mpf(-2), mpf(0), mpf(2)]))
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "additive",
        "polynomial root in the upper half-plane = certified tree solver to 38 digits; mass, mean",
        entries(),
    )


if __name__ == "__main__":
    main()
