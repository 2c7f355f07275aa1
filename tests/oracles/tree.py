"""Boundary values of any tree of laws at 50 digits, with a proof at each point that the root is the right one.

Unknowns are the points z_i of the leaves.  Siblings must share m = zG - 1 (⊠) or G (⊞), and the root must sit at x:

    ⊠ :  log z = Σ t_i log z_i + (Σ t_i - 1) log(m / (1 + m))          ⊞ :  z = Σ t_i z_i - (Σ t_i - 1) / G

Why the root is right: for real x these equations are the fixed-point equations of an analytic self-map of the upper
half-plane, so (Denjoy-Wolff) a solution with every point in the OPEN upper half-plane, principal logarithms included,
is the only one, and is the boundary value (Biane 1998; Belinschi and Bercovici 2007).  How it was found is
irrelevant; here, by continuation from x + iY downwards and a Newton iteration with difference quotients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.oracles import slope_rule
from tests.oracles.common import DIGITS, Number, mp, mpc, mpf
from tests.oracles.specs import Law

Points = list[Number]
ROUGH_DIGITS = 16  # up to which squared slopes are summed in doubles


def atoms_of(leaf: Law) -> list[tuple[Number, Number]] | None:
    """(location, weight) of a leaf with finitely many atoms, else None."""
    (kind, data), *_ = leaf.items()
    if kind == "PointMass":
        return [(mpf(data["location"]), mpf(1))]
    if kind == "Bernoulli":
        return [(mpf(0), 1 - mpf(data["p"])), (mpf(data["value"]), mpf(data["p"]))]
    if kind == "Discrete":
        weights = [mpf(w) for w in data["weights"]]
        return [(mpf(a), w / mp.fsum(weights)) for a, w in zip(data["locations"], weights, strict=True)]
    return None


def leaf_cauchy(leaf: Law, z: Number) -> Number:
    """G(z) of a leaf for z in the upper half-plane."""
    (kind, data), *_ = leaf.items()
    atoms = atoms_of(leaf)
    if atoms is not None:
        return mp.fsum(w / (z - a) for a, w in atoms)
    if kind == "SlopeLaw" and mp.dps <= ROUGH_DIGITS:
        return mpc(slope_rule.rough(data["activation"], data["variance"], complex(z)))
    if kind == "Given":  # functions, which no table holds
        return data["cauchy"](z)
    if kind == "SlopeLaw":
        return _slope_cauchy(data["activation"], data["variance"], z, mp.dps)
    if kind == "Arcsine":
        return 1 / (mp.sqrt(z - data["low"]) * mp.sqrt(z - data["high"]))
    if kind == "Uniform":
        low, high = mpf(data["low"]), mpf(data["high"])
        return (mp.log(z - low) - mp.log(z - high)) / (high - low)
    if kind == "Semicircle":
        a, b = mpf(data["variance"]), data["mean"] - z
    else:
        if kind == "MarchenkoPastur":
            rate, jump = 1 / mpf(data["ratio"]), mpf(data["ratio"]) * mpf(data["scale"])
        else:
            rate, jump = mpf(data["rate"]), mpf(data["jump"])
        a, b = jump * z, jump * (rate - 1) - z
    # a G² + b G + 1 = 0 has exactly one root in the lower half-plane for z in the upper one: for large z a difference.
    with mp.extradps(20):
        root = mp.sqrt(b * b - 4 * a)
        first, second = (-b - root) / (2 * a), (-b + root) / (2 * a)
    return +first if first.imag < second.imag else +second


@lru_cache(maxsize=4096)
def _slope_cauchy(activation: str, variance: float, z: Number, _: int) -> Number:
    """Remembered, at each precision: thousands of terms."""
    return slope_rule.cauchy(activation, variance, z)


def parts(law: Law) -> tuple[str, Any]:
    """Kind and data, with compress written out: compress(μ, t) = t · μ^{⊞1/t}."""
    (kind, data), *_ = law.items()
    if kind == "compress":
        power = {"boxplus": [{"law": data["law"], "power": 1 / mpf(data["t"])}]}
        return "affine", {"law": power, "scale": data["t"], "shift": 0.0}
    return kind, data


def leaf_mean(leaf: Law) -> Number:
    """Mean of a leaf."""
    (kind, data), *_ = leaf.items()
    atoms = atoms_of(leaf)
    if atoms is not None:
        return mp.fsum(a * w for a, w in atoms)
    if kind == "MarchenkoPastur":
        return mpf(data["scale"])
    if kind == "Given":
        return data["mean"]()
    if kind == "SlopeLaw":
        return slope_rule.mean(data["activation"], data["variance"])
    if kind == "FreePoisson":
        return mpf(data["rate"]) * mpf(data["jump"])
    return mpf(data["mean"]) if kind == "Semicircle" else (mpf(data["low"]) + mpf(data["high"])) / 2


def mean(law: Law) -> Number:
    """Mean of a tree."""
    kind, data = parts(law)
    if kind == "boxtimes":
        return mp.fprod(mean(f["law"]) ** mpf(f["power"]) for f in data)
    if kind == "boxplus":
        return mp.fsum(mean(f["law"]) * f["power"] for f in data)
    if kind == "affine":
        return mean(data["law"]) * data["scale"] + data["shift"]
    return mean(data["law"]) / mpf(data["ratio"]) if kind == "resize" else leaf_mean(law)


@dataclass
class Climb:
    """One upward pass: the residuals, and the smallest certified imaginary part or angle met on the way."""

    points: Iterator[Number]
    residuals: list[Number] = field(default_factory=list)
    margin: Number = field(default_factory=lambda: mpf(1))

    def keep(self, height: Number) -> None:
        """Record a quantity that must be positive."""
        self.margin = min(self.margin, height)

    def node(self, law: Law, root: bool = False) -> tuple[Number, Number]:
        """(z, G) of a node; at a ⊠ root z is returned as its logarithm."""
        kind, data = parts(law)
        if kind == "affine":
            z, g = self.node(data["law"])
            return data["scale"] * z + data["shift"], g / mpf(data["scale"])
        if kind == "resize":
            z, g = self.node(data["law"])
            return z, (1 + (z * g - 1) / mpf(data["ratio"])) / z
        if kind not in ("boxtimes", "boxplus"):
            z = next(self.points)
            self.keep(z.imag)
            return z, leaf_cauchy(law, z)
        children = [(*self.node(f["law"]), mpf(f["power"])) for f in data]
        excess = mp.fsum(t for *_, t in children) - 1
        if kind == "boxplus":
            g = children[0][1]
            self.residuals += [mp.log(other / g) for _, other, _ in children[1:]]
            z = mp.fsum(t * z for z, _, t in children) - excess / g
        else:
            m = children[0][0] * children[0][1] - 1
            self.residuals += [mp.log((z * other - 1) / m) for z, other, _ in children[1:]]
            log_z = mp.fsum(t * mp.log(z) for z, _, t in children) + excess * mp.log(m / (1 + m))
            if not root:
                self.keep(mp.pi - log_z.imag)
                self.keep(log_z.imag)
            z = mp.exp(log_z)
            g = (1 + m) / z
            z = log_z if root else z
        if not root:
            self.keep(z.imag)
        return z, g


def strip(law: Law, target: Number) -> tuple[Law, Number, Number]:
    """Undo affine maps, size changes and single unit powers at the root: (law, point, factor of the density)."""
    weight = mpf(1)
    while True:
        kind, data = parts(law)
        if kind == "affine":
            target = (target - data["shift"]) / mpf(data["scale"])
            weight /= mpf(data["scale"])
            law = data["law"]
        elif kind == "resize":  # same z, m / ratio
            weight /= mpf(data["ratio"])
            law = data["law"]
        elif kind in ("boxtimes", "boxplus") and len(data) == 1 and data[0]["power"] == 1:
            law = data[0]["law"]
        else:
            return law, target, weight


def _residuals(law: Law, target: Number, points: Sequence[Number]) -> tuple[list[Number], Number, Number]:
    """Residuals, certificate margin and the density at the root."""
    climb = Climb(iter(points))
    law, target, weight = strip(law, target)
    kind = next(iter(law))
    z, g = climb.node(law, root=True)
    climb.residuals.append(z - mp.log(target) if kind == "boxtimes" else (z - target) / (1 + abs(target)))
    return climb.residuals, climb.margin, -g.imag * weight / mp.pi


def _newton(law: Law, target: Number, points: list[Number], steps: int, tolerance: Number) -> list[Number] | None:
    """Newton with a difference Jacobian; None if it leaves the domain or does not converge."""
    h = mpf(10) ** (-mp.dps // 2)
    for _ in range(steps):
        try:
            values, margin, _ = _residuals(law, target, points)
        except ZeroDivisionError:  # far off
            return None
        if margin <= 0:
            return None
        columns = []  # derivatives with respect to log z_i, the natural unknowns of high powers
        for i, point in enumerate(points):
            moved = [*points[:i], point * (1 + h), *points[i + 1 :]]
            columns.append([(a - b) / h for a, b in zip(_residuals(law, target, moved)[0], values, strict=True)])
        matrix = mp.matrix(len(points), len(points))
        for j, column in enumerate(columns):
            for i, value in enumerate(column):
                matrix[i, j] = value
        try:
            change = mp.lu_solve(matrix, mp.matrix(values))
        except ZeroDivisionError:
            return None
        points = [point * mp.exp(-change[i]) for i, point in enumerate(points)]
        if any(point.imag <= 0 for point in points):
            return None
        if max(abs(delta) for delta in change) < tolerance:
            return points
    return None


def _start(law: Law, z: Number) -> Points:
    """Leaf points for a large z."""
    kind, data = parts(law)
    if kind == "boxtimes":
        scale = z / mean(law)
        return [p for f in data for p in _start(f["law"], scale * mean(f["law"]))]
    if kind == "boxplus":
        shift = z - mean(law)
        return [p for f in data for p in _start(f["law"], shift + mean(f["law"]))]
    if kind == "affine":
        return _start(data["law"], (z - data["shift"]) / data["scale"])
    return _start(data["law"], z) if kind == "resize" else [mpc(z)]


def density(law: Law, x: float | Number, digits: int = DIGITS) -> Number:
    """Density of a tree at a real x inside its support, certified.

    Raises
    ------
    ArithmeticError
        If no certified root is found (x outside the support, or the path was lost).
    """
    leaf, point, weight = strip(law, mpf(x))
    if next(iter(leaf)) in ("MarchenkoPastur", "FreePoisson", "Semicircle"):
        return -weight * leaf_cauchy(leaf, mpc(point)).imag / mp.pi
    points = solve(law, mpf(x), digits)
    with mp.workdps(digits + 20):
        result = density_at(law, mpf(x), points)
    return +result


def density_at(law: Law, target: Number, points: Points) -> Number:
    """-Im G/π of the root, from its leaf points."""
    return _residuals(law, target, points)[2]


def solve(law: Law, target: Number, digits: int = DIGITS, near: Points | None = None) -> Points:
    """The certified leaf points at a real target inside the support, or one in the upper half-plane.

    ``near`` may hold the points of a neighbouring target; the certificate does not ask where a solution came from.
    """
    found = None
    if near is not None:
        with mp.workdps(digits + 10):
            found = _newton(law, target, near, 25, mpf(10) ** -15)
    return _polish(law, target, _descend(law, target, digits) if found is None else found, digits)


def rough(law: Law, target: Number) -> Points:
    """Leaf points to about 8 digits, for ``near`` in `solve`: squared slopes are summed in doubles."""
    return _descend(law, target, ROUGH_DIGITS - 10, 1e-8)


def follow(law: Law, start: Number, points: Points, target: Number) -> Points:
    """Leaf points at a real target, as `rough`, from those at another one, along the axis.

    Raises
    ------
    ArithmeticError
        If the way is lost.
    """
    with mp.workdps(ROUGH_DIGITS):
        at, step = mpf(start), mpf(target) - mpf(start)
        while at != target:
            to = target if abs(target - at) <= abs(step) * (1 + mpf(10) ** -9) else at + step
            found = _newton(law, to, list(points), 12, mpf(10) ** -8)
            if found is None:
                step /= 2
                if abs(step) < mpf(10) ** -6 * abs(target):
                    raise ArithmeticError(f"lost between x = {mp.nstr(start, 17)} and {mp.nstr(target, 17)}")
                continue
            at, points = to, found
    return points


def _descend(law: Law, target: Number, digits: int, accuracy: float = 1e-15) -> Points:
    """Leaf points to this accuracy, by continuation from target + iY downwards."""
    size = abs(target) + abs(mean(law))  # products of many factors may be as small as 1e-23
    with mp.workdps(digits + 10):
        height, points = 10 * size, None
        while points is None:  # far enough up that the start is a good one
            height *= 10
            if height > mpf(10) ** 12 * size:
                raise ArithmeticError(f"no start for x = {mp.nstr(target, 17)}")
            points = _newton(law, target + mpc(0, height), _start(law, target + mpc(0, height)), 40, mpf(10) ** -8)
        factor = mpf(1) / 4
        for attempt in range(600):
            trial = _newton(law, target + mpc(0, height * factor), points, 8, mpf(10) ** -6)
            if trial is None:
                factor = mp.sqrt(factor)
                continue
            points, height, factor = trial, height * factor, max(factor**2, mpf(1) / 16)
            if attempt > 2:
                found = _newton(law, target, points, 12, mpf(accuracy))
                if found is not None:
                    return found
    raise ArithmeticError(f"no certified root at x = {mp.nstr(target, 17)}")


def _polish(law: Law, target: Number, found: Points, digits: int) -> Points:
    """Leaf points to all digits, certified."""
    with mp.workdps(digits + 20):
        final = _newton(law, target, found, 8, mpf(10) ** -(digits // 2 + 8))
        if final is None:
            raise ArithmeticError(f"polishing failed at x = {mp.nstr(target, 17)}")
        final = _newton(law, target, final, 8, mpf(10) ** -(digits + 2)) or final
        values, margin, _ = _residuals(law, target, final)
        if margin <= 0 or max(abs(v) for v in values) > mpf(10) ** -digits:
            raise ArithmeticError(f"not certified at x = {mp.nstr(target, 17)}")
    return final


def log_density(law: Law, s: Number) -> Number:
    """Density of log X at s, to 22 digits: what to integrate when the support spans many decades."""
    return density(law, mp.exp(s), 22) * mp.exp(s)
