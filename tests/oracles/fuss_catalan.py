"""Products of L square Gaussian matrices: MP(1, 1)^{⊠L}, x(m) = (1 + m)^{L+1} / m.

On the curve m = e^{-i(L+1)φ} sin φ / sin Lφ, 1 + m = e^{-iφ} sin (L+1)φ / sin Lφ, 0 < φ < π/(L+1),
x = sin^{L+1} (L+1)φ / (sin φ sin^L Lφ), density = sin² φ sin^{L-1} Lφ / (π sin^L (L+1)φ), and the right edge is
(L+1)^{L+1} / L^L.  (Forrester and Liu 2015; Haagerup and Möller 2013.)  L need not be an integer.

Checked against the certified tree solver at every point, and by the Fuss-Catalan moments C((L+1)n, n) / (Ln + 1).
"""

from __future__ import annotations

from tests.oracles import tree
from tests.oracles.common import Entry, Number, agree, bracketed_root, hard_edge_grid, mp, mpf, write_table
from tests.oracles.specs import Law, boxtimes, marchenko_pastur


def law(power: float) -> Law:
    """Specification of the law."""
    return boxtimes((marchenko_pastur(1.0, 1.0), power))


def curve(power: Number, phi: Number) -> tuple[Number, Number]:
    """(log x, density) at parameter φ."""
    s1, s2, s3 = mp.sin(phi), mp.sin(power * phi), mp.sin((power + 1) * phi)
    log_x = (power + 1) * mp.log(s3) - mp.log(s1) - power * mp.log(s2)
    return log_x, s1**2 * s2 ** (power - 1) / (mp.pi * s3**power)


def parameter(power: Number, x: float) -> Number:
    """φ at an exact double."""
    low, high = mpf(10) ** -30, mp.pi / (power + 1) * (1 - mpf(10) ** -30)
    return bracketed_root(lambda phi: curve(power, phi)[0] - mp.log(x), low, high)


def density(power: Number, x: float) -> Number:
    """Density at an exact double."""
    with mp.workdps(80):
        power = mpf(power)
        return curve(power, parameter(power, x))[1]


def cdf(power: Number, x: float) -> Number:
    """F at an exact double: the potential is L m - log m."""
    with mp.workdps(80):
        power = mpf(power)
        phi = parameter(power, x)
        angle = (power + 1) * phi
        return 1 - (angle - power * mp.sin(angle) * mp.sin(phi) / mp.sin(power * phi)) / mp.pi


def edge(power: Number) -> Number:
    """Right edge."""
    return mpf(power + 1) ** (power + 1) / mpf(power) ** power


def moment(power: Number, order: int) -> Number:
    """∫ xⁿ f dx along the curve."""
    with mp.workdps(30):
        power = mpf(power)
        end = mp.pi / (power + 1)

        def integrand(phi: Number) -> Number:
            log_x, f = curve(power, phi)
            cots = mp.cot(phi) + power**2 * mp.cot(power * phi) - (power + 1) ** 2 * mp.cot((power + 1) * phi)
            return mp.exp((order + 1) * log_x) * f * cots

        return mp.quad(integrand, [0, end / 2, end], maxdegree=7)


def entries() -> list[Entry]:
    """Depths 1 to 20, verified."""
    out = []
    for depth in range(1, 21):
        x = hard_edge_grid(edge(depth))
        values = [density(depth, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(depth), point), value, f"fuss_catalan L={depth} x={point!r}")
        for n in (0, 1, 2):
            agree(moment(depth, n), mp.binomial((depth + 1) * n, n) / (depth * n + 1), f"L={depth} moment {n}", 1e-10)
        moments = [mp.binomial((depth + 1) * n, n) / (depth * n + 1) for n in range(1, 9)]
        out.append(Entry(f"L={depth}", law(depth), x, values, [(mpf(0), edge(depth))], [], moments=moments))
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "fuss_catalan",
        "sine parametrisation = certified tree solver to 38 digits; Fuss-Catalan moments 0..2",
        entries(),
    )


if __name__ == "__main__":
    main()
