"""Jacobian of a Gaussian ReLU network of depth L at σ_w² = 2: Bernoulli(1/2)^{⊠L} ⊠ MP(1, 2)^{⊠L}.

x(m) = (1 + m)(1 + 2m)^L / m.  With u = 1 + 2m = r e^{-it}, 0 < t < π/L, x is real exactly for
r = sin t cot Lt + √(sin² t cot² Lt + 1); then x = |(1 + u)/(u - 1)| r^L and the density is r sin t / (2πx).
The right edge is the critical point 2L m² + (2L - 2) m - 1 = 0.

Checked against the certified tree solver at every point, and by total mass and mean.
"""

from __future__ import annotations

from tests.oracles import tree
from tests.oracles.common import (
    Entry,
    Number,
    agree,
    bracketed_root,
    hard_edge_grid,
    interval_grid,
    mp,
    mpc,
    mpf,
    write_table,
)
from tests.oracles.specs import Law, bernoulli, boxtimes, marchenko_pastur

DEPTHS = (1, 2, 3, 10, 50, 100, 500)


def law(depth: int) -> Law:
    """Specification of the law."""
    return boxtimes((bernoulli(0.5), depth), (marchenko_pastur(1.0, 2.0), depth))


def curve(depth: int, t: Number) -> tuple[Number, Number]:
    """(log x, density · x) at parameter t."""
    a = mp.sin(t) * mp.cot(depth * t)
    root = mp.sqrt(a * a + 1)
    r = a + root if a >= 0 else 1 / (root - a)
    u = r * mp.expj(-t)
    return mp.log(abs((1 + u) / (u - 1))) + depth * mp.log(r), r * mp.sin(t) / (2 * mp.pi)


def parameter(depth: int, x: float) -> Number:
    """t at an exact double."""
    low, high = mpf(10) ** -30, mp.pi / depth * (1 - mpf(10) ** -30)
    return bracketed_root(lambda t: curve(depth, t)[0] - mp.log(x), low, high)


def density(depth: int, x: float) -> Number:
    """Density at an exact double."""
    with mp.workdps(80):
        return curve(depth, parameter(depth, x))[1] / x


def cdf(depth: int, x: float) -> Number:
    """F at an exact double: Im of the potential is L (Im m + arg(u)/2) - arg m, with 2m = u - 1."""
    with mp.workdps(80):
        t = parameter(depth, x)
        twice = 2 * mp.pi * curve(depth, t)[1]  # r sin t = -2 Im m
        m = mpc(twice * mp.cot(t) - 1, -twice) / 2
        return 1 - (depth * (m.imag - t / 2) - mp.arg(m)) / mp.pi


def edge(depth: int, sign: int = 1) -> Number:
    """Right edge; with sign -1 and depth 1, the left one."""
    b = mpf(2 * depth - 2)
    m = (-b + sign * mp.sqrt(b * b + 8 * depth)) / (4 * depth)
    return (1 + m) * (1 + 2 * m) ** depth / m


def mass_and_mean(depth: int) -> tuple[Number, Number]:
    """∫ f dx and ∫ x f dx over the curve."""
    with mp.workdps(30):
        end = mp.pi / depth

        def speed(t: Number) -> Number:
            h = min(t, end - t) * mpf(10) ** -12
            return -(curve(depth, t + h)[0] - curve(depth, t - h)[0]) / (2 * h)

        mass = mp.quad(lambda t: curve(depth, t)[1] * speed(t), [0, end / 2, end], maxdegree=7)
        mean = mp.quad(
            lambda t: curve(depth, t)[1] * speed(t) * mp.exp(curve(depth, t)[0]), [0, end / 4, end], maxdegree=7
        )
    return mass, mean


def entries() -> list[Entry]:
    """All depths, verified."""
    out = []
    for depth in DEPTHS:
        low, high = edge(1, -1) if depth == 1 else mpf(0), edge(depth)
        x = interval_grid(low, high, 17) if depth == 1 else hard_edge_grid(high)
        values = [density(depth, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(depth), point), value, f"relu_gaussian L={depth} x={point!r}")
        mass, mean = mass_and_mean(depth)
        agree(mass, mpf(1) / 2, f"relu_gaussian L={depth} mass", 1e-12)
        agree(mean, mpf(1), f"relu_gaussian L={depth} mean", 1e-12)
        half = (mpf(0), mpf(1) / 2)
        out.append(Entry(f"L={depth}", law(depth), x, values, [(low, high)], [half]))
    agree(density(3, 10.0), mpf("0.00618416"), "f(10), L=3", 1e-6)
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "relu_gaussian", "polar parametrisation = certified tree solver to 38 digits; mass 1, mean 1", entries()
    )


if __name__ == "__main__":
    main()
