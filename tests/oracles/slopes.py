"""Networks of curved activations: Jacobians of depth 1, 2, 5, 50 and tangent kernels of depth 2, 3, 5, 10.

Layers of equal variance are powers; depth 2 and the kernels have a variance of their own in each layer.  25 digits, the
Cauchy transforms of squared slopes by `tests.oracles.slope_rule`, which is checked against adaptive quadrature on the
real axis.  Solutions are certified by the tree; where they start, from a continuation in doubles, does not matter.

``cdf`` comes from the logarithmic potential (`tests.oracles.potential`).  Of one layer it is checked against normal
probabilities, of two networks against the integral of the density between points.  ``height`` is the least |arg ω| of
the points at which laws of squared slopes are evaluated: how near to the axis these are.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence

from tests.oracles import cumulative, potential, slope_rule, tree
from tests.oracles.common import TABLES, Entry, Number, agree, mp, mpf, read_table, save_table
from tests.oracles.specs import Law, affine, boxtimes, marchenko_pastur, slope_law

DIGITS = 25
VARIANCES = {
    "tanh": (0.5703125, 0.75, 0.4375, 0.625),
    "erf": (0.5625, 0.6875, 0.4375, 0.5),
    "gelu": (0.53125, 0.6875, 0.40625, 0.59375),
    "silu": (0.5625, 1.0, 0.4375, 0.71875),
}
# In units of the mean.
PLACES = {1: (0.125, 0.75, 1.5), 2: (0.0625, 0.75, 1.75), 5: (0.015625, 0.5, 2.0), 50: (4.0, 1.0, 0.25)}
# Above q̂_{L−1}, in units of the mean's distance; the last four of the deepest kernels only.
KERNEL_PLACES = (0.25, 1.0, 1.5, 1e-1, 1e-2, 1e-4, 3.0)
DEEP_PLACES = (0.25, 1.0, 1e-2, 1e-4)  # of GELU and SiLU, whose rules have twice the nodes
CHECKED = 1e-18


def jacobian(activation: str, depth: int, gaussian: bool) -> Law:
    """∏ of squared slopes, with a Wishart factor for each layer if Gaussian."""
    q = VARIANCES[activation]
    slopes: list[Law | tuple[Law, float]] = (
        [slope_law(activation, q[0]), slope_law(activation, q[1])]
        if depth == 2
        else [(slope_law(activation, q[0]), float(depth))]
    )
    # A mean near 1: at 1e-13, that of depth 50 otherwise, the continuation takes too long.
    scale = float(mp.nint(8 / slope_rule.mean(activation, q[0]))) / 8
    return boxtimes(*slopes, *([(marchenko_pastur(1.0, scale), float(depth))] if gaussian else []))


def kernel(activation: str, depth: int, gaussian: bool) -> Law:
    """H₁ = 1/2, H_{l+1} = 1/2 + l/16 + W D H_l D Wᵀ of weight variance 3/2, all variances different."""
    law: Law | None = None
    for layer in range(1, depth):
        turn, place = divmod(layer - 1, 4)
        variance = VARIANCES[activation][place] + turn / 32
        factors: list[Law | tuple[Law, float]] = [slope_law(activation, variance)]
        factors += [marchenko_pastur()] if gaussian else []
        factors += [] if law is None else [law]
        law = affine(boxtimes(*factors), 0.75 if law is None else 1.5, 0.5 + layer / 16)
    assert law is not None
    return law


def entry(name: str, law: Law, points: Sequence[Number]) -> Entry:
    """Densities and distribution functions, each solution started from one in doubles."""
    x, values, masses, height = [], [], [], mp.pi
    known: dict[float, tree.Points] = {}
    for point in points:
        at = float(point)
        with mp.workdps(DIGITS + 20):
            found = known[at] = tree.solve(law, mpf(at), DIGITS, near(law, at, known))
            values.append(+tree.density_at(law, mpf(at), found))
            masses.append(+potential.mass_below(law, mpf(at), found))
            curved = [z for leaf, z in zip(leaves(law), found, strict=True) if "SlopeLaw" in leaf]
            height = min(height, *(min(mp.arg(z), mp.pi - mp.arg(z)) for z in curved))
        x.append(at)
    print(f"{name}: x = {x}, height {mp.nstr(height, 3)}", flush=True)
    return Entry(name, law, x, values, cdf=masses, extra={"height": float(height)})


def near(law: Law, at: float, known: Mapping[float, tree.Points]) -> tree.Points:
    """Rough leaf points: from infinity or, where that way is lost, along the axis from the nearest known point."""
    try:
        return tree.rough(law, mpf(at))
    except ArithmeticError:
        if not known:
            raise
        start = min(known, key=lambda other: abs(other - at))
        return tree.follow(law, mpf(start), known[start], mpf(at))


def leaves(law: Law) -> list[Law]:
    """The leaves of a tree, in the order of their points."""
    kind, data = tree.parts(law)
    if kind in ("boxtimes", "boxplus"):
        return [leaf for factor in data for leaf in leaves(factor["law"])]
    return leaves(data["law"]) if kind in ("affine", "resize") else [law]


def check_distribution() -> None:
    """Raise unless F from the potential is that of normal probabilities, and its differences integrals of densities."""
    with mp.workdps(DIGITS + 20):
        for name in ("tanh", "erf", "sigmoid"):
            for part in ("0.01", "0.3", "0.9"):
                x = mpf(part) * slope_rule.derivative(name)(mpf(0)) ** 2
                below = potential.mass_below(slope_law(name, 0.5625), x, [mpf(x)])
                agree(below, slope_rule.distribution(name, 0.5625, x), f"F of {name} at {part}", 1e-25)
        for law in (jacobian("tanh", 1, True), kernel("silu", 3, False)):
            ends = mpf(tree.mean(law)), mpf(tree.mean(law)) * mpf("1.25")
            solved = [tree.solve(law, end, DIGITS, tree.rough(law, end)) for end in ends]
            low, high = (potential.mass_below(law, end, points) for end, points in zip(ends, solved, strict=True))

            def density(points: Sequence[Number], law: Law = law) -> list[Number]:
                near = [tree.solve(law, point, DIGITS, tree.rough(law, point)) for point in points]
                return [tree.density_at(law, point, found) for point, found in zip(points, near, strict=True)]

            wide = mpf(0), 2 * ends[1]
            agree(cumulative.mismatch(density, wide, *ends, high - low, CHECKED) + 1, mpf(1), "∫ f dx", CHECKED)


def entries(activation: str, known: Collection[str] = ()) -> Iterator[Entry]:
    """All networks of an activation, but those of these names."""
    for q in VARIANCES[activation][:2]:
        slope_rule.check(activation, q)
    for gaussian in (False, True):
        weights = "Gaussian" if gaussian else "orthogonal"
        for depth, places in PLACES.items():
            if depth == 1 and not gaussian:
                continue  # has a closed form
            law = jacobian(activation, depth, gaussian)
            mean = tree.mean(law)
            name = f"Jacobian, {weights} {activation} L={depth}"
            if name not in known:
                yield entry(name, law, [mean * p for p in places])
        for depth in (2, 3, 5, 10) if gaussian else (3, 5, 10):
            law = kernel(activation, depth, gaussian)
            mean = tree.mean(law)
            low = mpf(1) / 2 + mpf(depth - 1) / 16
            deep = DEEP_PLACES if activation in ("gelu", "silu") else KERNEL_PLACES
            points = [low + (mean - low) * p for p in (deep if depth == 10 else KERNEL_PLACES[:3])]
            name = f"kernel, {weights} {activation} L={depth}"
            if name not in known:
                yield entry(name, law, points)


def main(names: Sequence[str] = ()) -> None:
    """Regenerate the entries of the activations named, or of all of them: a few minutes each.

    With ``--missing`` only those that the table has not.
    """
    check_distribution()
    print("distribution functions checked", flush=True)
    check = "solutions of the tree certified; G of the leaves against quadrature on the real axis to 28 digits"
    check += "; cdf: potential = normal probabilities to 25 digits, = quadrature of the density to 18"
    table = read_table("slopes")["entries"] if (TABLES / "slopes.json").exists() else []
    done = {entry["name"] for entry in table} if "--missing" in names else set()
    for activation in [name for name in names if name in VARIANCES] or VARIANCES:
        for made in entries(activation, done):
            table = [entry for entry in table if entry["name"] != made.name]
            table = sorted([*table, made.json()], key=lambda entry: str(entry["name"]))
            save_table("slopes", check, table)


if __name__ == "__main__":
    main(sys.argv[1:])
