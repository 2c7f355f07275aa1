"""Bernoulli(p) ⊠ ((1-b) δ_A + b δ_B): a quadratic in m.

m²(x-A)(x-B) + m(x² - x(p(A+B) + c) + 2pAB) + p²AB - pcx = 0 with c the mean of the second law.  Its discriminant is
x² Q(x), and the density is √(-Q)/(2π|x-A||x-B|) between the two roots of Q; atoms by the rules.

Checked against the certified tree solver at every point, by total mass and mean, and by f(1.7) = 0.16313170136 in
the first case.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import rules, tree
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
    write_table,
)
from tests.oracles.rational import atoms, scaled
from tests.oracles.specs import Law, bernoulli, boxtimes, discrete

CASES = {
    "Bernoulli(0.5) x {1,3}": (0.5, discrete([1, 3], [0.4, 0.6])),
    "Bernoulli(0.5) x {1,3}, both meet 1": (0.5, discrete([1, 3], [0.5, 0.5])),
    "Bernoulli(0.75) x {1,3}, one meets 1": (0.75, discrete([1, 3], [0.25, 0.75])),
    "Bernoulli(0.9) x {1,3}": (0.9, discrete([1, 3], [0.5, 0.5])),
    "Bernoulli(0.1) x {0.5,8}": (0.1, discrete([0.5, 8], [0.3, 0.7])),
    "Bernoulli(0.99) x {1,1000}": (0.99, discrete([1, 1000], [0.999, 0.001])),
}


def law(p: float, other: Law) -> Law:
    """Specification."""
    return boxtimes(bernoulli(p), other)


def quadratic(p: float, other: Law) -> tuple[list[Number], Number, Number]:
    """Q (highest power first), A and B."""
    (a, _), (b, _) = atoms(other)
    p, c = mpf(p), tree.mean(other)
    middle = [mpf(1), -(p * (a + b) + c), 2 * p * a * b]
    product = polynomial([mpf(1), -a], [mpf(1), -b], [-p * c, p * p * a * b])
    discriminant = plus(polynomial(middle, middle), scaled(mpf(-4), product))
    return discriminant[:3], a, b


def density(p: float, other: Law, x: float | Number) -> Number:
    """Density inside the support."""
    q, a, b = quadratic(p, other)
    return mp.sqrt(-mp.polyval(q, mpf(x))) / (2 * mp.pi * abs((x - a) * (x - b)))


def entries() -> list[Entry]:
    """All cases, verified."""
    out = []
    for name, (p, other) in CASES.items():
        low, high = real_roots(quadratic(p, other)[0])
        support: list[Interval] = [(low, high)]
        x = interval_grid(low, high)
        values = [density(p, other, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(p, other), point), value, f"{name} x={point!r}", 1e-35)
        masses = list(rules.atoms(law(p, other)).items())
        check_mass(name, partial(density, p, other), support, masses, tree.mean(law(p, other)))
        out.append(Entry(name, law(p, other), x, values, support, masses, rules.singular_points(law(p, other))))
    agree(density(*CASES["Bernoulli(0.5) x {1,3}"], 1.7), mpf("0.16313170136"), "f(1.7)", 1e-10)
    return out


def main() -> None:
    """Regenerate the table."""
    write_table("two_point_bernoulli", "closed form = certified tree solver to 35 digits; mass and mean", entries())


if __name__ == "__main__":
    main()
