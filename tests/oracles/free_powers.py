"""Free powers, corners and size changes.

* discrete^{⊞t}: x = t w - (t-1) F(w), a polynomial in w; edges where dx/dw = 0 (Belinschi-Bercovici 2004).
* Bernoulli(p)^{⊠t} and MP(1, 1)^{⊠1/2}: powers of closed S-transforms (the second is Fuss-Catalan at L = 1/2).
* corner of trace t: t · law^{⊞1/t}; a projection's corner is Jacobi, with the closed form of two free projections:
  the corner of Bernoulli(p) at t has density f(x)/t, f that of Bernoulli(p) ⊠ Bernoulli(t).
* resize: A Aᵀ → Aᵀ A, so MP(c, s) at ratio 1/c is MP(1/c, cs), and any law keeps density f/r.

Checked against the certified tree solver, total mass and mean, and those identities.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import fuss_catalan, mp_discrete, rules, tree, two_projections
from tests.oracles.common import (
    Entry,
    Interval,
    Number,
    agree,
    bracketed_root,
    check_mass,
    hard_edge_grid,
    interval_grid,
    mp,
    mpf,
    plus,
    polynomial,
    real_roots,
    upper_root,
    write_table,
)
from tests.oracles.rational import atoms, denominator, numerator, scaled
from tests.oracles.specs import Law, bernoulli, boxplus, boxtimes, compress, discrete, marchenko_pastur, resize

THREE = discrete([0, 1, 4], [0.25, 0.5, 0.25])
POWER = 2.5


def sum_density(t: float, law: Law, x: float | Number) -> Number:
    """Density of discrete^{⊞t}: t w N(w) - (t-1) D(w) = x N(w), G = N/D."""
    above, below = numerator(law), denominator(law)
    w = upper_root(plus(polynomial([mpf(t), -mpf(x)], above), scaled(1 - mpf(t), below)))
    return -mp.fsum(p / (w - a) for a, p in atoms(law)).imag / mp.pi


def sum_support(t: float, law: Law) -> list[Interval]:
    """Intervals of discrete^{⊞t}: 1 = (t-1)(F' - 1)/1, that is t G² + (t-1) G' = 0, between real critical points."""
    pairs = atoms(law)

    def at(w: Number) -> Number:
        return mpf(t) * w - (mpf(t) - 1) / mp.fsum(p / (w - a) for a, p in pairs)

    above = numerator(law)
    squares = []
    for i, (_, weight) in enumerate(pairs):
        factors = [[mpf(1), -a] for j, (a, _) in enumerate(pairs) if j != i for _ in range(2)]
        squares.append(scaled(weight, polynomial(*factors)))
    critical = real_roots(plus(scaled(mpf(t), polynomial(above, above)), scaled(1 - mpf(t), plus(*squares))))
    ends = sorted(at(w) for w in critical)
    return [(ends[k], ends[k + 1]) for k in range(0, len(ends), 2)]


def bernoulli_edge(p: float, t: float) -> Number:
    """Right edge of Bernoulli(p)^{⊠t} with no top atom: x = (1+m)/m ((p+m)/(1+m))^t, t m (1 - p) = p + m."""
    m = mpf(p) / (mpf(t) * (1 - mpf(p)) - 1)
    return (1 + m) / m * ((mpf(p) + m) / (1 + m)) ** mpf(t)


def half_root_entry() -> Entry:
    """MP(1, 1)^{⊠1/2}."""
    law, x = fuss_catalan.law(0.5), hard_edge_grid(fuss_catalan.edge(mpf(0.5)))
    values = [fuss_catalan.density(mpf(0.5), point) for point in x]
    for point, value in zip(x, values, strict=True):
        m = _half_root_point(point)
        agree(-m.imag / (mp.pi * mpf(point)), value, f"MP^(1/2) x={point!r}")
    agree(fuss_catalan.moment(mpf(0.5), 0), mpf(1), "mass of MP^(1/2)", 1e-10)
    agree(fuss_catalan.moment(mpf(0.5), 2), mpf(1.5), "second moment of MP^(1/2)", 1e-10)
    return Entry("MP(1,1)^(times 0.5)", law, x, values, [(mpf(0), fuss_catalan.edge(mpf(0.5)))], [])


def _half_root_point(x: float) -> Number:
    """The root of (1 + m)³ = x² m² in the lower half-plane: one of a conjugate pair inside the support."""
    y = mpf(x) ** 2
    return upper_root([mpf(1), 3 - y, mpf(3), mpf(1)]).conjugate()


def verified(name: str, law: Law, support: list[Interval], x: list[float], values: list[Number], mass: float) -> Entry:
    """An entry checked against the tree solver, and by its mass and mean."""
    for point, value in zip(x, values, strict=True):
        agree(tree.density(law, point), value, f"{name} x={point!r}", 1e-35)
    masses = list(rules.atoms(law).items())
    if mass:
        check_mass(name, partial(tree.density, law, digits=22), support, masses, tree.mean(law), mass)
    return Entry(name, law, x, values, support, masses, rules.singular_points(law))


def entries() -> list[Entry]:
    """All laws, verified."""
    out = [half_root_entry()]
    spec = boxplus((THREE, POWER))
    support = sum_support(POWER, THREE)
    x = [point for low, high in support for point in interval_grid(low, high)]
    out.append(
        verified("{0,1,4}^(plus 2.5)", spec, support, x, [sum_density(POWER, THREE, point) for point in x], 1e-6)
    )
    wide = discrete([-1, 2], [0.125, 0.875])
    support = sum_support(1.5, wide)
    x = [point for low, high in support for point in interval_grid(low, high)]
    out.append(
        verified(
            "{-1,2}^(plus 1.5)", boxplus((wide, 1.5)), support, x, [sum_density(1.5, wide, point) for point in x], 1e-6
        )
    )

    spec, edge = boxtimes((bernoulli(0.3), 1.7)), bernoulli_edge(0.3, 1.7)
    x = hard_edge_grid(edge)
    values = [tree.density(spec, point) for point in x]
    for point, value in zip(x, values, strict=True):
        agree(_bernoulli_power(0.3, 1.7, point, edge), value, f"Bernoulli^1.7 x={point!r}", 1e-33)
    out.append(verified("Bernoulli(0.3)^(times 1.7)", spec, [(mpf(0), edge)], x, values, 0.0))
    mass = mp.quad(
        lambda s: tree.density(spec, edge * s**4, 22) * 4 * s**3 * edge,
        [mpf(10) ** -6, 0.5, 1 - mpf(10) ** -12],
        maxdegree=4,
    )
    agree(mass, mpf(0.3), "mass of Bernoulli(0.3)^1.7", 1e-3)

    spec, t, p = compress(bernoulli(0.375), 0.25), 0.25, 0.375
    low, high = two_projections.ends(mpf(p), mpf(t))
    x = interval_grid(low, high)
    values = [two_projections.product_density(p, t, point) / mpf(t) for point in x]
    out.append(verified("corner of Bernoulli(0.375) at 0.25", spec, [(low, high)], x, values, 1e-6))
    spec = compress(THREE, 0.25)
    support = [(mpf(0.25) * a, mpf(0.25) * b) for a, b in sum_support(4.0, THREE)]
    x = interval_grid(*support[0])
    values = [tree.density(spec, point) for point in x]
    out.append(verified("corner of {0,1,4} at 0.25", spec, support, x, values, 1e-6))

    spec, other = resize(marchenko_pastur(0.5, 1.0), 2.0), marchenko_pastur(2.0, 0.5)
    ends = (mpf(1) - mp.sqrt(0.5)) ** 2, (mpf(1) + mp.sqrt(0.5)) ** 2
    x = interval_grid(*ends)
    out.append(verified("MP(0.5) resized by 2", spec, [ends], x, [tree.density(other, point) for point in x], 0.0))
    population = discrete([1, 3], [0.5, 0.5])
    spec = resize(boxtimes(marchenko_pastur(2.0, 1.0), population), 0.5)
    support = mp_discrete.support(2.0, population)
    x = [point for low, high in support for point in interval_grid(low, high)]
    values = [mp_discrete.density(2.0, population, point) / mpf(0.5) for point in x]
    out.append(verified("MP(2) x {1,3} resized by 0.5", spec, support, x, values, 1e-6))
    return out


def _bernoulli_power(p: float, t: float, x: float, edge: Number) -> Number:
    """Density by the curve: with η = m/(1+m), x = (p + (1-p) η)^t / η; η = e^{-iα} ρ, solved for α with ρ inside."""
    q, t = mpf(p), mpf(t)

    def radius(alpha: Number) -> Number:
        # arg(p + (1-p) ρ e^{iα}) = α/t  =>  (1-p) ρ sin(α - α/t) = p sin(α/t)
        return q * mp.sin(alpha / t) / ((1 - q) * mp.sin(alpha - alpha / t))

    def log_x(alpha: Number) -> Number:
        return t * mp.log(abs(q + (1 - q) * radius(alpha) * mp.expj(alpha))) - mp.log(radius(alpha))

    with mp.workdps(80):
        alpha = bracketed_root(lambda a: log_x(a) - mp.log(x), mpf(10) ** -30, mp.pi * (1 - mpf(10) ** -30))
        eta = radius(alpha) * mp.expj(-alpha)
        if not mpf(x) < edge:
            raise ValueError(f"x must be below the edge, got {x!r}")
        return -(1 / (1 - eta)).imag / (mp.pi * mpf(x))


def main() -> None:
    """Regenerate the table."""
    write_table(
        "free_powers", "polynomials, curves and identities = certified tree solver to 33 digits; mass, mean", entries()
    )


if __name__ == "__main__":
    main()
