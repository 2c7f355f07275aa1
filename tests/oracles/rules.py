"""Atoms of a tree, exactly, by the rules of Bercovici-Voiculescu (⊞) and Belinschi (⊠ on [0, ∞)).

a + b (or ab ≠ 0) has weight μ{a} + ν{b} - 1 if that is positive; in a product 0 has weight max(μ{0}, ν{0}); a power t
has t w - (t - 1), at 0 of a product w; a size change 1 - (1 - w)/r at 0 and w/r elsewhere.
"""

from __future__ import annotations

from itertools import product

from tests.oracles.common import Number, mpf
from tests.oracles.specs import Law
from tests.oracles.tree import atoms_of, parts

Atoms = dict[Number, Number]
BORDERLINE = mpf(10) ** -25


def candidates(law: Law) -> Atoms:
    """Location -> weight, with weight 0 where two atoms meet 1 exactly at the last operation."""
    kind, data = parts(law)
    listed = atoms_of(law)
    if listed is not None:
        return {a: w for a, w in listed if w > 0}
    if kind in ("MarchenkoPastur", "FreePoisson"):
        weight = 1 - (1 / mpf(data["ratio"]) if kind == "MarchenkoPastur" else mpf(data["rate"]))
        return {mpf(0): weight} if weight > 0 else {}
    if kind == "affine":
        inner = candidates(data["law"])
        return {a * mpf(data["scale"]) + mpf(data["shift"]): w for a, w in inner.items()}
    if kind == "resize":
        ratio, inner = mpf(data["ratio"]), atoms(data["law"])
        zero = 1 - (1 - inner.get(mpf(0), mpf(0))) / ratio
        return {a: w / ratio for a, w in inner.items() if a != 0} | ({mpf(0): zero} if zero > 0 else {})
    if kind not in ("boxtimes", "boxplus"):
        return {}
    times = kind == "boxtimes"
    factors = []
    for factor in data:
        t, inner = mpf(factor["power"]), atoms(factor["law"])
        factors.append(
            {(a**t if times else a * t): (w if times and a == 0 else t * w - (t - 1)) for a, w in inner.items()}
        )
    out: Atoms = {}
    for choice in product(*[list(f.items()) for f in factors]):
        location, weight = mpf(1 if times else 0), 1 - mpf(len(choice))
        for a, w in choice:
            location = location * a if times else location + a
            weight += w
        if weight > -BORDERLINE and not (times and location == 0):
            out[location] = weight if weight > BORDERLINE else mpf(0)
    zeros = [f[mpf(0)] for f in factors if mpf(0) in f]
    return out | ({mpf(0): max(zeros)} if times and zeros else {})


def atoms(law: Law) -> Atoms:
    """Location -> weight of the atoms."""
    return {a: w for a, w in sorted(candidates(law).items()) if w > 0}


def singular_points(law: Law) -> list[Number]:
    """Locations where two atoms meet 1 exactly at the last operation (under affine maps)."""
    return [a for a, w in sorted(candidates(law).items()) if w == 0]
