"""Distribution functions by the logarithmic potential U(z) = ∫ log(z - t) μ(dt): F(x) = 1 - Im U(x + i0)/π.

U' = G, so U follows G through a tree (with z, m, G at the solution, T = Σ t_i):

    ⊠ :  U = Σ t_i U_i + (T - 1) log m          ⊞ :  U = Σ t_i U_i + (T - 1) log G
    a X + b :  U = U_c + log a                  resize r :  U = U_c / r + (1 - 1/r) log z

Every logarithm is the principal one: z - t lies in the upper half-plane, m (of a law on [0, ∞)) and G in the lower
one, and each is continued from +i∞ without leaving it.  The points are those certified in `tests.oracles.tree`.

Inside the support the points are taken at x itself.  Off it, where no point is in the open half-plane, they are taken
at x + iε, ε = 1e-40, and Im U(x + iε) = π (1 - F(x)) + ε G(x) + O(ε³).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.oracles import slope_rule, tree
from tests.oracles.common import DIGITS, Number, mp, mpc, mpf
from tests.oracles.specs import Law
from tests.oracles.tree import Points

HEIGHT = mpf(10) ** -40
OUTSIDE_DIGITS = 2 * DIGITS
CLOSED = ("MarchenkoPastur", "FreePoisson", "Semicircle")


def leaf(law: Law, z: Number) -> Number:
    """U(z) of a leaf for z in the upper half-plane, or on the real line where the tree solves it in closed form."""
    (kind, data), *_ = law.items()
    atoms = tree.atoms_of(law)
    if atoms is not None:
        return mp.fsum(w * mp.log(z - a) for a, w in atoms)
    if kind == "SlopeLaw":
        return slope_rule.potential(data["activation"], data["variance"], z)
    if kind == "Uniform":
        low, high = mpf(data["low"]), mpf(data["high"])
        return ((z - low) * mp.log(z - low) - (z - high) * mp.log(z - high)) / (high - low) - 1
    if kind == "Arcsine":
        low, high = mpf(data["low"]), mpf(data["high"])
        return 2 * mp.log((mp.sqrt(z - low) + mp.sqrt(z - high)) / 2)
    g = tree.leaf_cauchy(law, z)
    if kind == "Semicircle":
        return mpf(data["variance"]) * g * g / 2 - mp.log(g)
    if kind == "MarchenkoPastur":
        rate, jump = 1 / mpf(data["ratio"]), mpf(data["ratio"]) * mpf(data["scale"])
    else:
        rate, jump = mpf(data["rate"]), mpf(data["jump"])
    u = jump * g  # z = 1/G + rate · jump / (1 - jump G); 1 - jump G keeps to one half-plane
    return rate * (u / (1 - u) + mp.log(1 - u)) - mp.log(g)


def _node(law: Law, points: Iterator[Number]) -> tuple[Number, Number, Number]:
    """(z, G, U) of a node."""
    kind, data = tree.parts(law)
    if kind == "affine":
        z, g, u = _node(data["law"], points)
        scale = mpf(data["scale"])
        return scale * z + data["shift"], g / scale, u + mp.log(scale)
    if kind == "resize":
        z, g, u = _node(data["law"], points)
        share = 1 / mpf(data["ratio"])
        return z, (1 + (z * g - 1) * share) / z, u * share + (1 - share) * mp.log(z)
    if kind not in ("boxtimes", "boxplus"):
        z = next(points)
        return z, tree.leaf_cauchy(law, z), leaf(law, z)
    children = [(*_node(f["law"], points), mpf(f["power"])) for f in data]
    z, g, _, _ = children[0]
    excess = mp.fsum(t for *_, t in children) - 1
    shared = z * g - 1 if kind == "boxtimes" else g
    u = mp.fsum(t * u for *_, u, t in children) + excess * mp.log(shared)
    if kind == "boxplus":
        return mp.fsum(t * z for z, *_, t in children) - excess / g, g, u
    z = mp.exp(mp.fsum(t * mp.log(z) for z, *_, t in children) + excess * mp.log(shared / (1 + shared)))
    return z, (1 + shared) / z, u


def _inside(law: Law, target: Number) -> tuple[Law, Number]:
    """Under affine maps and single unit powers, which do not move mass: the law and the point."""
    while True:
        kind, data = tree.parts(law)
        if kind == "affine":
            law, target = data["law"], (target - data["shift"]) / mpf(data["scale"])
        elif kind in ("boxtimes", "boxplus") and len(data) == 1 and data[0]["power"] == 1:
            law = data[0]["law"]
        else:
            return law, target


def _above(law: Law, target: Number, points: Points) -> Number:
    """Im U / π, at a real target the mass above it."""
    law, target = _inside(law, target)
    kind, data = tree.parts(law)
    if kind == "resize":
        share = 1 / mpf(data["ratio"])
        return share * _above(data["law"], target, points) + (1 - share) * mp.arg(target) / mp.pi
    if kind in CLOSED:
        return leaf(law, mpc(target)).imag / mp.pi
    return _node(law, iter(points))[2].imag / mp.pi


def inside(law: Law, x: Sequence[float | Number], digits: int = DIGITS) -> tuple[list[Number], list[Number]]:
    """(F, density) at points inside the support; each starts from the solution before it."""
    points: Points | None = None
    masses, densities = [], []
    closed = next(iter(tree.strip(law, mpf(0))[0])) in CLOSED
    for target in map(mpf, x):
        points = [] if closed else _solve(law, target, digits, points)
        with mp.workdps(digits + 20):
            masses.append(mass_below(law, target, points))
            densities.append(tree.density(law, target, digits) if closed else tree.density_at(law, target, points))
    return [+value for value in masses], [+value for value in densities]


def mass_below(law: Law, target: Number, points: Points) -> Number:
    """F at a real target inside the support, from its leaf points."""
    return 1 - _above(law, target, points)


def _solve(law: Law, target: Number, digits: int, near: Points | None) -> Points:
    """From the neighbour's solution, or if that leads nowhere from far above."""
    try:
        return tree.solve(law, target, digits, near)
    except ArithmeticError:
        return tree.solve(law, target, digits)


def outside(law: Law, x: float | Number) -> Number:
    """F at a point off the support (no density there, no atom), to 40 digits; it is checked that there is none."""
    with mp.workdps(OUTSIDE_DIGITS + 20):
        height = HEIGHT * (1 + abs(mpf(x)))
        target = mpc(x, height)
        closed = next(iter(tree.strip(law, mpf(0))[0])) in CLOSED
        points = [] if closed else tree.solve(law, target, OUTSIDE_DIGITS)
        density = tree.density_at(law, target, points) if not closed else tree.density(law, mpf(x))
        if not abs(density) <= mpf(10) ** -15:
            raise ArithmeticError(f"density {mp.nstr(density, 5)} at x = {mp.nstr(mpf(x), 17)}, not off the support")
        mass = 1 - _above(law, target, points)
        return mp.nint(mass) if abs(mass - mp.nint(mass)) < mpf(10) ** -35 else mass
