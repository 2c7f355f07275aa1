"""Neural tangent kernels (Hayase-Karakida 2021): H_1 = q_0, H_{l+1} = q_l + W D H_l D Wᵀ, in the limit a `Chain`.

ReLU at σ_w² = 2 and q_l = 1, orthogonal (L = 3, 4, 6) and Gaussian (L = 3, 6, 20, 100), and two orthogonal hard tanh
networks, whose q_l and p_l are rounded to doubles: the law is that of the doubles in its specification.

Checked against the tree solver (depth up to 6, one point of L = 20), the arcsine law of orthogonal ReLU L = 3, known
numbers of hard tanh, and the total mass and mean where the support is complete.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracles import rules, tree
from tests.oracles.chain import Chain, find_edge
from tests.oracles.common import Entry, Interval, agree, check_mass, interval_grid, mp, mpf, write_table
from tests.oracles.mean_field import hard_tanh

HARD_TANH = {3: ("1.1", "0.02", "0.25"), 8: ("1.05", "0.002", "0.1")}  # depth: σ_w², σ_b², |x|²/N


def relu(depth: int, gaussian: bool) -> Chain:
    """ReLU at σ_w² = 2, q_l = 1."""
    return Chain([1.0] * depth, [0.5] * (depth - 1), 2.0, gaussian)


def clipped(depth: int, weight_variance: str, bias_variance: str, input_variance: str) -> Chain:
    """Orthogonal hard tanh."""
    powers, active = hard_tanh(depth - 1, weight_variance, bias_variance, input_variance)
    return Chain([float(q) for q in powers], [float(p) for p in active], float(weight_variance), False)


def chain(name: str) -> Chain:
    """The chain of an entry."""
    kind, depth = name.rsplit(" L=", 1)
    if kind == "orthogonal hard tanh":
        return clipped(int(depth), *HARD_TANH[int(depth)])
    return relu(int(depth), kind == "Gaussian ReLU")


def entry(
    name: str, chain: Chain, support: Sequence[Interval], check: int, inner: int = 8, mass: float = 1e-5
) -> Entry:
    """One verified entry: ``check`` points against the tree, the total mass to ``mass`` (0: not checked)."""
    law = chain.law()
    atoms = list(rules.atoms(law).items())
    x = [point for low, high in support for point in interval_grid(low, high, inner)]
    values = [chain.density(point) for point in x]
    for point, value in list(zip(x, values, strict=True))[-check:] if check else []:
        agree(tree.density(law, point), value, f"ntk {name} x={point!r}")
    if mass:
        check_mass(f"ntk {name}", chain.density, support, atoms, tree.mean(law), mass)
    return Entry(name, law, x, values, support, atoms, rules.singular_points(law))


def entries() -> list[Entry]:
    """All networks, verified."""
    out = []
    three = entry("orthogonal ReLU L=3", relu(3, False), [(mpf(3), mpf(7))], 12)
    for x, value in zip(three.x, three.density, strict=True):
        agree(value, 1 / (2 * mp.pi * mp.sqrt((mpf(x) - 3) * (7 - mpf(x)))), "half arcsine")
    out.append(three)
    chain = relu(4, False)
    top = find_edge(chain, 12.0, 15.0)
    agree(top, mpf("13.543557704910"), "edge of orthogonal ReLU L=4", 1e-13)
    agree(chain.density(12), mpf("0.0332940210"), "f(12) of orthogonal ReLU L=4", 1e-8)
    out.append(entry("orthogonal ReLU L=4", chain, [(mpf(3), top)], 12, mass=5e-3))
    chain = relu(6, False)
    out.append(entry("orthogonal ReLU L=6", chain, [(mpf(3), find_edge(chain, 20.0, 63.0))], 12, mass=5e-3))
    for depth in (3, 6):
        chain = relu(depth, True)
        edges = find_edge(chain, 2.0, 1.0 + 2.0**-20), find_edge(chain, 5.0, 60.0 * depth)
        out.append(entry(f"Gaussian ReLU L={depth}", chain, [edges], 12))
    for depth in (20, 100):
        chain, high = relu(depth, True), 4.0 * depth
        points = [1.5, 2.0, 3.0, 5.0, 8.0, 10.0, 20.0, 30.0, 50.0, high / 2, high]
        values = [chain.density(point) for point in points]
        if depth == 20:
            agree(tree.density(chain.law(), 5.0), values[3], "ntk Gaussian ReLU L=20")
        out.append(Entry(f"Gaussian ReLU L={depth}", chain.law(), points, values, None, [(mpf(1), mpf(1) / 2)]))
    chain = clipped(3, *HARD_TANH[3])
    bulk = [(find_edge(chain, 0.6, 0.5), find_edge(chain, 0.6, 0.7))]
    hard = entry("orthogonal hard tanh L=3", chain, bulk, 12)
    agree(bulk[0][0], mpf("0.55797132"), "left edge of hard tanh L=3", 1e-7)
    agree(chain.density("0.5965633336"), mpf("0.6025213473"), "hard tanh L=3", 1e-8)
    agree(dict(hard.atoms or []).popitem()[1], mpf("0.8629071801"), "atom of hard tanh L=3", 1e-9)
    out.append(hard)
    chain = clipped(8, *HARD_TANH[8])
    top_location, top_weight = list(rules.atoms(chain.law()).items())[-1]
    agree(top_location, mpf("1.1615570707"), "top atom of hard tanh L=8", 1e-9)
    agree(top_weight, mpf("0.9613637997"), "its weight", 1e-9)
    agree(tree.mean(chain.law()), mpf("1.1345832014"), "its mean", 1e-9)
    points = [0.3, 0.305, 0.31, 0.32, 0.46, 0.6, 0.74]  # in four of its small bulks
    values = [chain.density(point) for point in points]
    agree(tree.density(chain.law(), 0.46), values[4], "ntk hard tanh L=8")
    masses = list(rules.atoms(chain.law()).items())
    out.append(Entry("orthogonal hard tanh L=8", chain.law(), points, values, None, masses))
    return out


def main() -> None:
    """Regenerate the table."""
    check = (
        "chain in one unknown = tree solver to 38 digits (L <= 6); closed laws; mass and mean; edges by extrapolation"
    )
    write_table("ntk", check, entries())


if __name__ == "__main__":
    main()
