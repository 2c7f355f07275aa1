"""Jacobians of leaky ReLU networks of slope 0.1: two-point slope law {0.01, 1}, σ_w² = 2/1.01.

With w the point of the slope law and m = m(w): Gaussian x = s^L w^L m^{L-1} (1 + m), orthogonal
x = s^L w^L (m/(1+m))^{L-1} (s the weight variance), which give the edges; the density solves the tree.
Orthogonal L = 2 is closed: in the plane A = diag(1, a) and a copy rotated by a uniform angle θ have
λ + a²/λ = 2a + (1-a)² cos² θ, and λ is spread evenly over both roots.

Checked by total mass, which a wrong root or edge would spoil, and by the closed form of L = 2.
"""

from __future__ import annotations

from functools import partial

from tests.oracles import rules, tree
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
    write_table,
)
from tests.oracles.specs import Law, affine, boxtimes, discrete, marchenko_pastur

SLOPE = 0.01
SCALE = 2 / 1.01
SLOPES = discrete([SLOPE, 1.0], [0.5, 0.5])


def law(depth: int, gaussian: bool) -> Law:
    """Specification."""
    if gaussian:
        return boxtimes((SLOPES, depth), (marchenko_pastur(1.0, SCALE), depth))
    return affine(boxtimes((SLOPES, depth)), SCALE**depth, 0.0)


def log_slope(depth: int, gaussian: bool, w: Number) -> Number:
    """d log|x| / dw for real w off the atoms."""
    a = mpf(SLOPE)
    m = (a / (w - a) + 1 / (w - 1)) / 2
    dm = -(a / (w - a) ** 2 + 1 / (w - 1) ** 2) / 2
    tail = 1 / (1 + m) if gaussian else -(depth - 1) / (1 + m)
    return depth / w + dm * ((depth - 1) / m + tail)


def at(depth: int, gaussian: bool, w: Number) -> Number:
    """x(w)."""
    a = mpf(SLOPE)
    m = (a / (w - a) + 1 / (w - 1)) / 2
    if gaussian:
        return (mpf(SCALE) * w) ** depth * m ** (depth - 1) * (1 + m)
    return mpf(SCALE**depth) * w**depth * (m / (1 + m)) ** (depth - 1)


def closed_two_layers(x: float | Number) -> Number:
    """Density of the orthogonal L = 2."""
    a, scale = mpf(SLOPE), mpf(SCALE**2)
    y = mpf(x) / scale
    cosine = (y + a * a / y - 2 * a) / (1 - a) ** 2  # cos² θ; dθ = |d cos²| / (2 √(cos² (1 - cos²)))
    slope = abs(1 - a * a / (y * y)) / (1 - a) ** 2
    return slope / (2 * mp.sqrt(cosine * (1 - cosine))) / (mp.pi / 2) / 2 / scale


def edges(depth: int, gaussian: bool) -> Interval:
    """Both edges: critical points right of 1 and left of the small atom."""
    speed = partial(log_slope, depth, gaussian)
    right = bracketed_root(speed, 1 + mpf(10) ** -9, mpf(1000))
    if gaussian:  # 1 + m, m vanish between the atoms; the lower edge is at w < 0, or x = 0
        return mpf(0), at(depth, gaussian, right)
    left = bracketed_root(speed, mpf(10) ** -9, mpf(SLOPE) * (1 - mpf(10) ** -9))
    return at(depth, gaussian, left), at(depth, gaussian, right)


def entries() -> list[Entry]:
    """All cases, verified."""
    out = []
    for name, depth, gaussian in [
        ("Gaussian L=3", 3, True),
        ("orthogonal L=2", 2, False),
        ("orthogonal L=5", 5, False),
    ]:
        spec = law(depth, gaussian)
        exact = (mpf(SLOPE) ** 2 * mpf(SCALE**2), mpf(SCALE**2))
        support = exact if depth == 2 else edges(depth, gaussian)
        x = hard_edge_grid(support[1]) if gaussian else interval_grid(*support, 13)
        values = [tree.density(spec, point) for point in x]
        if depth == 2:
            for point, value in zip(x, values, strict=True):
                agree(value, closed_two_layers(point), f"{name} x={point!r}", 1e-35)
            singular = [mpf(SCALE**2) * mpf(SLOPE) ** k for k in (2, 1, 0)]
            check_mass(
                name,
                closed_two_layers,
                [(support[0], singular[1]), (singular[1], support[1])],
                [],
                tree.mean(spec),
                1e-5,
            )
            out.append(Entry(name, spec, x, values, [support], [], singular))
            continue
        # stretch the hard edge at 0 (x^{-3/4}) by x = edge · s⁸, and the small lower edge by x = low e^s
        if gaussian:
            top = support[1]
            stretched = partial(_power_density, spec, top)
            check_mass(name, stretched, [(mpf(0), mpf(1))], [], None, 1e-7)
        else:
            check_mass(
                name, partial(tree.log_density, spec), [(mp.log(support[0]), mp.log(support[1]))], [], None, 1e-7
            )
        assert not rules.atoms(spec)
        out.append(Entry(name, spec, x, values, [support], []))
    return out


def _power_density(spec: Law, top: Number, s: Number) -> Number:
    return tree.density(spec, top * s**8, 22) * 8 * top * s**7


def main() -> None:
    """Regenerate the table."""
    write_table(
        "leaky_relu", "certified tree solver; closed form for orthogonal L = 2 to 35 digits; total mass", entries()
    )


if __name__ == "__main__":
    main()
