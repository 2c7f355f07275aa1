"""Two free projections of traces p and q: Bernoulli(p) ⊠ Bernoulli(q), and Bernoulli(p) ⊞ Bernoulli(q).

⊠ (Voiculescu): density √((x - r₋)(r₊ - x)) / (2πx(1 - x)), r± = p + q - 2pq ± √(4pq(1-p)(1-q)), atoms 1 - min(p, q)
at 0 and max(p + q - 1, 0) at 1.  ⊞: a generic pair is a rotation in each of many planes, so an eigenvalue
cos²θ of PQP comes with 1 ± cos θ of P + Q: f_⊞(1 + s) = 2|s| f_⊠(s²); atoms max(1-p-q, 0), |p - q|,
max(p+q-1, 0) at 0, 1, 2.

Checked against the certified tree solver at every point, the atom rules, and by total mass and mean.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import rules, tree
from tests.oracles.common import Entry, Interval, Number, agree, check_mass, interval_grid, mp, mpf, write_table
from tests.oracles.specs import Law, bernoulli, boxplus, boxtimes

PAIRS = [
    (0.5, 0.5),
    (0.25, 0.75),
    (0.3, 0.6),
    (0.8, 0.7),
    (0.5, 0.4),
    (0.001, 0.4),
    (1e-6, 0.7),
    (0.001, 0.001),
    (0.999, 0.99),
    (0.0625, 0.9375),
]


def ends(p: Number, q: Number) -> Interval:
    """r±, the small one without cancellation."""
    high = p + q - 2 * p * q + mp.sqrt(4 * p * q * (1 - p) * (1 - q))
    return (p - q) ** 2 / high, high


def product_density(p: float, q: float, x: float | Number) -> Number:
    """Density of the product."""
    low, high = ends(mpf(p), mpf(q))
    return mp.sqrt((x - low) * (high - x)) / (2 * mp.pi * x * (1 - mpf(x)))


def sum_density(p: float, q: float, x: float | Number) -> Number:
    """Density of the sum."""
    square = (mpf(x) - 1) ** 2
    low, high = ends(mpf(p), mpf(q))
    gap = 1 - low / square if low > 0 else mpf(1)
    return mp.sqrt(gap * (high - square)) / (mp.pi * (1 - square))


def verified(name: str, law: Law, support: list[Interval], density: partial[Number]) -> Entry:
    """An entry, checked."""
    x = [point for low, high in support for point in interval_grid(low, high, 5)]
    x = [point for point in x if any(low < point < high for low, high in support)]
    values = [density(point) for point in x]
    for point, value in zip(x, values, strict=True):
        agree(tree.density(law, point), value, f"{name} x={point!r}", 1e-35)
    atoms = list(rules.atoms(law).items())
    check_mass(name, density, support, atoms, tree.mean(law))
    return Entry(name, law, x, values, support, atoms, rules.singular_points(law))


def entries() -> list[Entry]:
    """All pairs, verified."""
    out = []
    for p, q in PAIRS:
        factors = [(bernoulli(p), 2.0)] if p == q else [bernoulli(p), bernoulli(q)]
        low, high = ends(mpf(p), mpf(q))
        out.append(verified(f"{p} x {q}", boxtimes(*factors), [(low, high)], partial(product_density, p, q)))
        a, b = mp.sqrt(low), mp.sqrt(high)
        two = [(1 - b, 1 - a), (1 + a, 1 + b)] if a > 0 else [(1 - b, 1 + b)]
        out.append(verified(f"{p} + {q}", boxplus(*factors), two, partial(sum_density, p, q)))
    return out


def main() -> None:
    """Regenerate the table."""
    write_table("two_projections", "closed forms = certified tree solver to 35 digits; mass and mean", entries())


if __name__ == "__main__":
    main()
