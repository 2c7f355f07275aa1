"""Jacobian of an orthogonal ReLU network of depth L at σ_w² = 2: Bernoulli(1/2, 2)^{⊠L}.

With η = m / (1 + m), x = (1 + η)^L / η, which is real on the Fuss-Catalan curve
η = e^{-iLθ} sin θ / sin (L-1)θ, 1 + η = e^{-iθ} sin Lθ / sin (L-1)θ, 0 < θ < π/L.  So
x = sin^L Lθ / (sin θ sin^{L-1} (L-1)θ), density = -Im 1/(1 - η) / (πx), right edge L^L / (L-1)^{L-1} (η = 1/(L-1)).
L = 1 is two atoms; L = 2 is half an arcsine law on (0, 4), where the atoms of the two factors meet 1 exactly at 4.

Checked against the certified tree solver at every point, and by total mass and mean.
"""

from __future__ import annotations

from tests.oracles import tree
from tests.oracles.common import Entry, Number, agree, bracketed_root, hard_edge_grid, mp, mpf, write_table
from tests.oracles.specs import Law, bernoulli, boxtimes

DEPTHS = (2, 3, 10, 50, 100, 500)


def law(depth: int) -> Law:
    """Specification of the law."""
    return boxtimes((bernoulli(0.5, 2.0), depth))


def curve(depth: int, theta: Number) -> tuple[Number, Number]:
    """(log x, density · x) at parameter θ."""
    s1, s2, s3 = mp.sin(theta), mp.sin((depth - 1) * theta), mp.sin(depth * theta)
    eta = s1 / s2 * mp.expj(-depth * theta)
    return depth * mp.log(s3) - mp.log(s1) - (depth - 1) * mp.log(s2), -(1 / (1 - eta)).imag / mp.pi


def parameter(depth: int, x: float) -> Number:
    """θ at an exact double."""
    low, high = mpf(10) ** -30, mp.pi / depth * (1 - mpf(10) ** -30)
    return bracketed_root(lambda t: curve(depth, t)[0] - mp.log(x), low, high)


def density(depth: int, x: float) -> Number:
    """Density at an exact double."""
    with mp.workdps(80):
        return curve(depth, parameter(depth, x))[1] / x


def cdf(depth: int, x: float) -> Number:
    """F at an exact double: Im of the potential is L arg((1 + η)/(1 - η))/2 - arg(η/(1 - η))."""
    with mp.workdps(80):
        theta = parameter(depth, x)
        eta = mp.sin(theta) / mp.sin((depth - 1) * theta) * mp.expj(-depth * theta)
        rest = mp.arg(1 - eta)
        return 1 - (depth * (theta - rest) / 2 + rest) / mp.pi


def mass_and_mean(depth: int) -> tuple[Number, Number]:
    """∫ f dx and ∫ x f dx over the curve."""
    with mp.workdps(30):
        end, order = mp.pi / depth, depth

        def speed(t: Number) -> Number:
            return mp.cot(t) + (order - 1) ** 2 * mp.cot((order - 1) * t) - order**2 * mp.cot(order * t)

        mass = mp.quad(lambda t: curve(depth, t)[1] * speed(t), [0, end / 2, end], maxdegree=7)
        mean = mp.quad(
            lambda t: curve(depth, t)[1] * speed(t) * mp.exp(curve(depth, t)[0]), [0, end / 4, end], maxdegree=7
        )
    return mass, mean


def entries() -> list[Entry]:
    """All depths, verified."""
    half = (mpf(0), mpf(1) / 2)
    out = [Entry("L=1", law(1), [1.0, 2.5], [mpf(0), mpf(0)], [], [half, (mpf(2), mpf(1) / 2)])]
    for depth in DEPTHS:
        high = mpf(depth) ** depth / mpf(depth - 1) ** (depth - 1)
        x = hard_edge_grid(high)
        values = [density(depth, point) for point in x]
        for point, value in zip(x, values, strict=True):
            agree(tree.density(law(depth), point), value, f"relu_haar L={depth} x={point!r}")
            if depth == 2:
                agree(value, 1 / (2 * mp.pi * mp.sqrt(mpf(point) * (4 - mpf(point)))), "half arcsine")
        mass, mean = mass_and_mean(depth)
        agree(mass, mpf(1) / 2, f"relu_haar L={depth} mass", 1e-12)
        agree(mean, mpf(1), f"relu_haar L={depth} mean", 1e-12)
        out.append(Entry(f"L={depth}", law(depth), x, values, [(mpf(0), high)], [half], [mpf(4)] if depth == 2 else []))
    agree(density(3, 5.0), mpf("0.04134559"), "f(5), L=3", 1e-6)
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "relu_haar", "Fuss-Catalan parametrisation = certified tree solver to 38 digits; mass 1, mean 1", entries()
    )


if __name__ == "__main__":
    main()
