"""Networks of curved activations: Jacobians of depth 1, 2, 5, 50 and tangent kernels of depth 2, 3, 5.

Layers of equal variance are powers; depth 2 and the kernels have a variance of their own in each layer.  25 digits, the
Cauchy transforms of squared slopes by `tests.oracles.slope_rule`, which is checked against adaptive quadrature on the
real axis.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.oracles import slope_rule, tree
from tests.oracles.common import TABLES, Entry, Number, mp, mpf, read_table, save_table
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
    """H₁ = 1/2, H_{l+1} = 1/2 + l/16 + W D H_l D Wᵀ of weight variance 3/2."""
    law: Law | None = None
    for layer in range(1, depth):
        factors: list[Law | tuple[Law, float]] = [slope_law(activation, VARIANCES[activation][layer - 1])]
        factors += [marchenko_pastur()] if gaussian else []
        factors += [] if law is None else [law]
        law = affine(boxtimes(*factors), 0.75 if law is None else 1.5, 0.5 + layer / 16)
    assert law is not None
    return law


def entry(name: str, law: Law, points: Sequence[Number]) -> Entry:
    """Densities, each solution started from the one before."""
    x, values, near = [], [], None
    for point in points:
        at = float(point)
        with mp.workdps(DIGITS + 20):
            near = tree.solve(law, mpf(at), DIGITS, near)
            values.append(+tree.density_at(law, mpf(at), near))
        x.append(at)
    return Entry(name, law, x, values)


def entries(activation: str) -> list[Entry]:
    """All networks of an activation."""
    out = []
    for q in VARIANCES[activation][:2]:
        slope_rule.check(activation, q)
    for gaussian in (False, True):
        weights = "Gaussian" if gaussian else "orthogonal"
        for depth, places in PLACES.items():
            if depth == 1 and not gaussian:
                continue  # has a closed form
            law = jacobian(activation, depth, gaussian)
            mean = tree.mean(law)
            out.append(entry(f"Jacobian, {weights} {activation} L={depth}", law, [mean * p for p in places]))
        for depth in (2, 3, 5) if gaussian else (3, 5):
            law = kernel(activation, depth, gaussian)
            mean = tree.mean(law)
            low = mpf(1) / 2 + mpf(depth - 1) / 16
            points = [low + (mean - low) * p for p in (0.25, 1.0, 1.5)]
            out.append(entry(f"kernel, {weights} {activation} L={depth}", law, points))
    return out


def main(names: Sequence[str] = ()) -> None:
    """Regenerate the entries of the activations named, or of all of them: a few minutes each."""
    for activation in names or VARIANCES:
        made = [entry.json() for entry in entries(activation)]
        check = "solutions of the tree certified; G of the leaves against quadrature on the real axis to 28 digits"
        known = read_table("slopes")["entries"] if (TABLES / "slopes.json").exists() else []
        kept = [entry for entry in known if entry["name"] not in {one["name"] for one in made}]
        save_table("slopes", check, sorted([*kept, *made], key=lambda entry: str(entry["name"])))


if __name__ == "__main__":
    main(sys.argv[1:])
