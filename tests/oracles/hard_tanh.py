"""Jacobian of an orthogonal hard tanh network, L = 5, σ_w² = 1.1, σ_b² = 0.02, |x|²/N = 0.25.

A product of five different Bernoulli laws (p_l from the mean-field recursion, rounded to doubles) times σ_w^{10}:
x(m) = s^5 (1 + m)/m Π (p_l + m)/(1 + m).  The top atom stands apart at s^5, so the right edge of the bulk is the
critical point with m < -1; the left edge is 0 or a critical point with m between -max p and -min p.

Checked against a polynomial root of x(m) = x at every point, total mass, and independently computed numbers.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import rules, tree
from tests.oracles.common import (
    Entry,
    Number,
    agree,
    bracketed_root,
    check_mass,
    interval_grid,
    mp,
    mpf,
    plus,
    polynomial,
    polynomial_roots,
    write_table,
)
from tests.oracles.mean_field import hard_tanh
from tests.oracles.series import moments
from tests.oracles.specs import affine, bernoulli, boxtimes

WEIGHT_VARIANCE = 1.1
P = [float(p) for p in hard_tanh(5, "1.1", "0.02", "0.25")[1]]
LAW = affine(boxtimes(*[bernoulli(p) for p in P]), WEIGHT_VARIANCE**5, 0.0)
SCALE = mpf(WEIGHT_VARIANCE**5)


def log_slope(m: Number) -> Number:
    """d log|x| / dm."""
    return -4 / (1 + m) - 1 / m + mp.fsum(1 / (p + m) for p in P)


def at(m: Number) -> Number:
    """x(m)."""
    return SCALE / (m * (1 + m) ** 4) * mp.fprod(p + m for p in P)


def nearest_root(x: float, density: Number) -> Number:
    """Density of the root of s^5 Π(p_l + m) = x m (1 + m)^4 nearest to a given one (the largest is often wrong)."""
    left = [SCALE * c for c in polynomial(*[[mpf(1), mpf(p)] for p in P])]
    right = [-mpf(x) * c for c in polynomial([mpf(1), mpf(0)], *[[mpf(1), mpf(1)]] * 4)]
    roots = polynomial_roots(plus(left, right))
    found = [-root.imag / (mp.pi * mpf(x)) for root in roots]
    return min(found, key=lambda other: abs(other - density))


def entries() -> list[Entry]:
    """The law, verified."""
    right = at(bracketed_root(log_slope, mpf("-1.9"), mpf("-1.2")))
    weights = sorted(mpf(p) for p in P)
    left = at(bracketed_root(log_slope, -weights[1] + mpf(10) ** -20, -weights[0] - mpf(10) ** -20))
    atoms = list(rules.atoms(LAW).items())
    x = interval_grid(left, right, 11)
    values = [tree.density(LAW, point) for point in x]
    for point, value in zip(x, values, strict=True):
        agree(value, nearest_root(point, value), f"hard_tanh x={point!r}")
    agree(right, mpf("1.0741890733"), "right edge of the bulk", 1e-9)
    agree(atoms[0][1], mpf("0.0808294701"), "weight at 0", 1e-9)
    agree(atoms[1][1], mpf("0.6275603364"), "weight at the top", 1e-9)
    found = moments(LAW, 6)
    for value, known in zip(found, ["1.09354434", "1.67728518", "2.65728430"], strict=False):
        agree(value, mpf(known), "moment", 1e-8)
    check_mass("hard_tanh", partial(tree.log_density, LAW), [(mp.log(left), mp.log(right))], atoms, None, 1e-7)
    return [Entry("orthogonal hard tanh L=5", LAW, x, values, [(left, right)], atoms, moments=found)]


def main() -> None:
    """Regenerate the table."""
    write_table(
        "hard_tanh", "certified tree solver = polynomial root to 38 digits; mass, known edge and atoms", entries()
    )


if __name__ == "__main__":
    main()
