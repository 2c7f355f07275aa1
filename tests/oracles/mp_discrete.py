"""MP(c) ⊠ discrete (generalised sample covariance): x = w (1 + c m(w)) with w the point of the discrete law.

The equation is a polynomial in w with at most one root in the upper half-plane (the subordination point), density
-Im G/π with G = (1 + m)/x.  Edges: dx/dw = 1 - c Σ p a²/(w - a)² = 0, all real roots, paired (Silverstein-Choi 1995).
Atom at 0: max(p_0, 1 - 1/c).

Checked against the certified tree solver at every point, and by total mass and mean over the intervals.
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
from tests.oracles.specs import Law, boxtimes, discrete, marchenko_pastur

CASES = {
    "MP(0.05) x {1,3,10}": (0.05, discrete([1, 3, 10], [0.2, 0.4, 0.4])),
    "MP(2) x {1,3}": (2.0, discrete([1, 3], [0.5, 0.5])),
    "MP(0.5) x {0,1,4}": (0.5, discrete([0, 1, 4], [0.25, 0.5, 0.25])),
    "MP(2) x {0,2,5}": (2.0, discrete([0, 2, 5], [0.25, 0.25, 0.5])),
    "MP(0.001) x {1,1.2,50}": (0.001, discrete([1, 1.2, 50], [0.25, 0.25, 0.5])),
}


def law(ratio: float, population: Law) -> Law:
    """Specification."""
    return boxtimes(marchenko_pastur(ratio, 1.0), population)


def curve(ratio: float, population: Law, w: Number) -> Number:
    """x(w)."""
    return w * (1 + mpf(ratio) * mp.fsum(p * a / (w - a) for a, p in atoms(population)))


def density(ratio: float, population: Law, x: float | Number) -> Number:
    """Density inside the support."""
    below, means = denominator(population), numerator(population, [a for a, _ in atoms(population)])
    w = upper_root(plus([*plus(below, scaled(mpf(ratio), means)), mpf(0)], scaled(-mpf(x), below)))
    m = mp.fsum(p * a / (w - a) for a, p in atoms(population))
    return -m.imag / (mp.pi * mpf(x))


def support(ratio: float, population: Law) -> list[Interval]:
    """All intervals."""
    below = denominator(population)
    squares = square_sum(population, [a * a for a, _ in atoms(population)])
    critical = real_roots(plus(polynomial(below, below), scaled(-mpf(ratio), squares)))
    critical = [w for w in critical if abs(w) > mpf(10) ** -25]  # an atom at 0 leaves a factor w²
    return images(lambda w: curve(ratio, population, w), critical)


def entries() -> list[Entry]:
    """All cases, verified."""
    out = []
    for name, (ratio, population) in CASES.items():
        intervals = support(ratio, population)
        x = [point for low, high in intervals for point in interval_grid(low, high, 5)]
        values = [density(ratio, population, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(ratio, population), point), value, f"{name} x={point!r}")
        zero = max([1 - 1 / mpf(ratio), *(p for a, p in atoms(population) if a == 0)])
        masses = [(mpf(0), zero)] if zero > 0 else []
        mean = tree.mean(population)
        check_mass(name, partial(density, ratio, population), intervals, masses, mean)
        out.append(Entry(name, law(ratio, population), x, values, intervals, masses))
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "mp_discrete",
        "polynomial root in the upper half-plane = certified tree solver to 38 digits; mass, mean",
        entries(),
    )


if __name__ == "__main__":
    main()
