"""Laws for the distribution function: atoms at 0, inside and on top, rectangular products, deep kernels, sums.

Points: inside the intervals, at 1e-8 of their width from both sides of every edge, in the gaps, outside, and exactly at
the atoms, where F is right-continuous.  The intervals only choose the points: on which side of an edge a point lies is
decided by the solver, which finds a certified point of the open half-plane or no density.

F is the potential's (`tests.oracles.potential`).  Off the support it is taken at x + iε; at an isolated atom on its
two sides, which must differ by the weight of the rules (`tests.oracles.rules`).  For the three kernels of depth 50 the
values off the support are those the atoms leave.

Checked by ∫ f dx between neighbouring points inside, to 20 digits, and up to the ends of the intervals, to 11 (they are
doubles); and for the rectangular product by its known moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from tests.oracles import cumulative, ntk, potential, relu_gaussian, relu_haar, rules
from tests.oracles.chain import Chain
from tests.oracles.common import Entry, Number, agree, mp, mpf, write_table
from tests.oracles.series import moments
from tests.oracles.specs import (
    Law,
    affine,
    arcsine,
    bernoulli,
    boxplus,
    boxtimes,
    compress,
    discrete,
    free_poisson,
    marchenko_pastur,
    resize,
    semicircle,
    uniform,
)

NEAR = 1e-8
ENDS = 1e-11
Ends = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Case:
    """A law or a deep chain, and the doubles nearest to the ends of its intervals."""

    law: Law
    intervals: Ends
    chain: Chain | None = None


def rectangular(widths: Sequence[int], active: Sequence[float], gaussian: bool, variance: float) -> Law:
    """J Jᵀ of a network with Bernoulli slopes: D W (J Jᵀ) Wᵀ D, resized from the width before to the width after."""
    law: Law | None = None
    for before, after, p in zip(widths, widths[1:], active, strict=False):
        ratio = after / before
        factors = [] if law is None else [law]
        if gaussian:  # Wᵀ W, entries of variance / before
            factors.append(marchenko_pastur(before / after, variance * ratio))
        elif ratio < 1:
            factors.append(bernoulli(ratio, variance))
        law = boxtimes(bernoulli(p), resize(boxtimes(*factors), ratio))
    assert law is not None
    return law


def deep(chain: Chain, intervals: Ends) -> Case:
    """A chain that is too deep for the tree."""
    return Case(chain.law(), intervals, chain)


RECTANGLE = rectangular([800, 1200, 600, 1000], [0.5] * 3, True, 2.0)
CASES = {
    "two projections": Case(boxtimes(bernoulli(0.9), bernoulli(0.8)), [(0.02, 0.5)]),
    "three projections": Case(
        boxtimes(bernoulli(0.90625), bernoulli(0.9375, 2.0), bernoulli(0.875)),
        [(0.002150431828890321, 1.0312047831088498)],
    ),
    "atom between intervals": Case(
        boxtimes(bernoulli(0.875), discrete([1, 4, 16], [0.25, 0.5, 0.25])),
        [(1.10427959635277, 3.1679935773395145), (8.35171210430615, 15.66489032008769)],
    ),
    "nearly a projection": Case(
        boxtimes(bernoulli(1 - 2.0**-20), discrete([1, 2], [0.5, 0.5])), [(1.4990234379656644, 1.5009765620343385)]
    ),
    "atom at 0 and a gap": Case(
        boxtimes(marchenko_pastur(0.0625), discrete([0, 1, 8], [0.25, 0.25, 0.5])),
        [(0.734972692893777, 1.2246586945947686), (5.4399952423983375, 11.09590908439883)],
    ),
    "uniform x projection x MP": Case(
        boxtimes(uniform(0, 2), bernoulli(0.75), marchenko_pastur(0.5)), [(0.04717249897272316, 3.2822943277576506)]
    ),
    "free power with a top atom": Case(
        boxtimes((discrete([1, 4], [0.25, 0.75]), 2.5)), [(1.4741188532675684, 29.58285833667196)]
    ),
    "sum inside a product": Case(
        boxtimes(boxplus(arcsine(1, 2), discrete([0, 3], [0.5, 0.5])), bernoulli(0.75)),
        [(1.1480617920404215, 4.851938207959579)],
    ),
    "resized": Case(
        resize(boxtimes(bernoulli(0.5), discrete([1, 3], [0.625, 0.375])), 0.75),
        [(1.0317541634481457, 2.968245836551854)],
    ),
    "Gaussian ReLU 800-1200-600-1000": Case(RECTANGLE, [(0.034226938750170126, 19.213869248972294)]),
    "orthogonal 800-600-1200-900": Case(
        rectangular([800, 600, 1200, 900], [0.875, 0.9375, 0.96875], False, 1.0),
        [(0.07305460878607951, 0.9899436849405405)],
    ),
    "orthogonal kernel L=5": Case(
        Chain([1.0] * 5, [0.9375] * 4, 1.0, False).law(),
        [(2.0, 2.6009354942013134), (3.0239102999562286, 3.641259076511918), (4.040182657068147, 4.428690206413308)],
    ),
    "Gaussian kernel L=6": Case(
        Chain([0.5] * 6, [0.75] * 5, 1.25, True).law(), [(0.5223294130859897, 20.861344963689362)]
    ),
    "orthogonal kernel L=50": deep(
        Chain([1.0] * 50, [1 - 2.0**-6] * 49, 1.0, False), [(3.0538405239719117, 49.87368485210945)]
    ),
    "orthogonal ReLU kernel L=50": deep(ntk.relu(50, False), [(3.0, 2769.288738892582)]),
    "Gaussian ReLU kernel L=50": deep(ntk.relu(50, True), [(1.3439827439271057, 5603.387025330718)]),
    "negative sum with atoms": Case(
        boxplus(discrete([-2, -1], [0.8125, 0.1875]), bernoulli(0.75)),
        [(-1.9971311007459094, -1.5641183988536902), (-0.43588160114630986, -0.0028688992540905627)],
    ),
    "semicircle + three atoms": Case(
        boxplus(semicircle(0.0, 0.0625), discrete([-3, 0, 2], [0.25, 0.5, 0.25])),
        [
            (-3.263048329660577, -2.764075310449809),
            (-0.3551957561177629, 0.34990017941349527),
            (1.769874658210014, 2.267752891937973),
        ],
    ),
    "negative jumps + coin": Case(
        boxplus(free_poisson(0.25, -2.0), discrete([0, 3], [0.5, 0.5])),
        [(-3.615716401196341, -0.12137009858646085), (1.1079018950869797, 2.93687691238813)],
    ),
    "jumps both ways": Case(
        boxplus(free_poisson(0.5, -1.0), free_poisson(2.0, 0.5)), [(-2.138858087944225, 2.638858087944225)]
    ),
    "corner of three atoms": Case(
        compress(discrete([-1, 0, 2], [0.125, 0.6875, 0.1875]), 0.75),
        [(-0.9693625878115717, -0.32689389599086327), (0.5763834207509222, 1.9879143001649147)],
    ),
    "power of a sum with two atoms": Case(
        boxplus((discrete([-1, 1], [0.75, 0.25]), 1.25)), [(-0.49102540378443865, 1.2410254037844386)]
    ),
    "uniform + coin": Case(
        boxplus(uniform(-1, 1), discrete([0, 8], [0.25, 0.75])),
        [(-0.58733986850542, 0.5344171773469588), (7.094073859982442, 8.915858513652655)],
    ),
    "arcsine + semicircle + coin": Case(
        boxplus(arcsine(-1, 1), semicircle(0.5, 0.25), bernoulli(0.25, 4.0)),
        [(-0.9194837501437387, 1.8557930032955818), (3.797515905387182, 5.447785128266252)],
    ),
    "product + semicircle": Case(
        boxplus(boxtimes(marchenko_pastur(0.25), discrete([1, 16], [0.5, 0.5])), semicircle(-1.0, 0.25)),
        [(-1.0566267968035958, 0.885156338050903), (5.811621524489291, 28.4654547755234)],
    ),
    "mixed product + semicircle": Case(
        boxplus(affine(boxtimes(bernoulli(0.875), discrete([1, 2], [0.5, 0.5])), 1.0, -1.0), semicircle(0.0, 2.0**-10)),
        [
            (-1.0227233148953705, -0.9785405099673092),
            (-0.03877872910506264, 0.037718695865762264),
            (0.17024873824600983, 0.8299223385031498),
            (0.962462705973903, 1.0389636387474552),
        ],
    ),
    "mixed product + coin": Case(
        boxplus(boxtimes(bernoulli(0.9375), discrete([1, 3], [0.5, 0.5])), discrete([-2, 0], [0.25, 0.75])),
        [
            (-1.4739888729730537, 0.332229123860203),
            (0.3378370373224247, 0.8790897324546937),
            (1.208582002147834, 2.9624982132501234),
        ],
    ),
    "Gaussian ReLU + coin, atom at an edge": Case(
        boxplus(boxtimes((bernoulli(0.5), 3), (marchenko_pastur(1.0, 2.0), 3)), discrete([-5, 0], [0.25, 0.75])),
        [(-4.990531856705875, -2.7578284838447837), (0.0, 15.490590372723291)],
    ),
}


def inner_points(low: float, high: float, few: bool) -> list[float]:
    """Doubles inside an interval."""
    fractions = [NEAR, 0.3, 0.9] if few else [NEAR, 0.02, 0.3, 0.7, 0.98, 1 - NEAR]
    return [low + (high - low) * fraction for fraction in fractions]


def outer_points(case: Case, atoms: Sequence[float], few: bool) -> list[float]:
    """Doubles off the support and away from the atoms: beside the edges, in the middle of gaps, far outside."""
    low, high = min([case.intervals[0][0], 0.0, *atoms]), max([case.intervals[-1][1], *atoms])
    out = [low - 1.5, high * 1.25 + 1]
    if case.chain is None:
        for a, b in case.intervals:
            width = NEAR * (b - a)
            out += [a - width] if few else [a - width, b + width]
        out += [(b + c) / 2 for (_, b), (c, _) in pairwise(case.intervals)]
    return [x for x in out if not any(a <= x <= b for a, b in case.intervals) and x not in atoms]


def at_atom(case: Case, location: float, weight: Number) -> Number:
    """F at an isolated atom."""
    gaps = [abs(location - end) for interval in case.intervals for end in interval]
    others = [abs(location - float(other)) for other in rules.atoms(case.law) if float(other) != location]
    step = min([*gaps, *others, 1.0]) / 4
    below, above = (potential.outside(case.law, location + sign * step) for sign in (-1, 1))
    agree(above - below, weight, f"weight at {location!r}", 1e-30)
    return above


def left_over(case: Case, x: float) -> Number:
    """F off the support of a chain with one interval: the atoms below, and above it what the other atoms leave."""
    atoms = rules.atoms(case.law)
    if x < case.intervals[0][0]:
        return mp.fsum(w for a, w in atoms.items() if a <= x)
    return 1 - mp.fsum(w for a, w in atoms.items() if a > x)


def entry(name: str, case: Case) -> Entry:
    """One verified entry."""
    few, atoms = len(case.intervals) > 2, rules.atoms(case.law)
    rows: dict[float, tuple[Number, Number]] = {}
    for ends in case.intervals:
        points = inner_points(*ends, few)
        if case.chain is None:
            masses, densities = potential.inside(case.law, points)
        else:
            masses, densities = map(list, zip(*[case.chain.both(x) for x in points], strict=True))
        check(name, case, ends, points, masses)
        rows |= dict(zip(points, zip(masses, densities, strict=True), strict=True))
    for x in outer_points(case, [float(a) for a in atoms], few):
        rows[x] = (potential.outside(case.law, x) if case.chain is None else left_over(case, x)), mpf(0)
    for location, weight in atoms.items():
        touched = any(location in ends for ends in case.intervals)  # the density is infinite there
        if float(location) == location and not touched:  # else no double is at the atom
            at = at_atom if case.chain is None else lambda case, x, _: left_over(case, x)
            rows[float(location)] = at(case, float(location), weight), mpf(0)
    places = sorted(rows)
    masses, densities = map(list, zip(*[rows[x] for x in places], strict=True))
    if any(not 0 <= f <= g <= 1 for f, g in pairwise(masses)):
        raise AssertionError(f"{name}: F does not increase")
    print(f"{name}: {len(places)} points", flush=True)
    return Entry(name, case.law, places, densities, atoms=list(atoms.items()), cdf=masses)


def check(name: str, case: Case, ends: tuple[float, float], x: Sequence[float], masses: Sequence[Number]) -> None:
    """Compare differences of F with integrals of the density, and with what is left beyond the ends."""
    if case.chain is not None:
        return
    low, high = mpf(ends[0]), mpf(ends[1])
    density = partial(_density, case.law)
    left, right = cumulative.soft(density, (low, high), 1e-10)
    for (a, f), (b, g) in pairwise(zip(map(mpf, x), masses, strict=True)):
        if not left and a - low < cumulative.FAR * (b - low):
            continue
        error = cumulative.mismatch(density, (low, high), a, b, g - f)
        if error > cumulative.QUADRATURE:
            raise AssertionError(f"{name} [{float(a)!r}, {float(b)!r}]: off by {mp.nstr(error)}")
    beyond = NEAR * (high - low)
    tails = []
    if left:
        tails.append((low, mpf(x[0]), masses[0] - potential.outside(case.law, low - beyond)))
    if right:
        tails.append((mpf(x[-1]), high, potential.outside(case.law, high + beyond) - masses[-1]))
    for a, b, mass in tails:
        error = cumulative.mismatch(density, (low, high), a, b, mass, ENDS)
        if error > ENDS:
            raise AssertionError(f"{name} [{float(a)!r}, {float(b)!r}], an end: off by {mp.nstr(error)}")


def _density(law: Law, points: Sequence[Number]) -> list[Number]:
    return potential.inside(law, points, 30)[1]


def check_known() -> None:
    """Numbers computed elsewhere."""
    sixth = Chain([1.0] * 6, [0.8] * 5, 1.25, False)
    for law, points, known in [
        (relu_gaussian.law(3), [0.5, 1], ["0.7550601920", "0.8031589370"]),
        (relu_haar.law(3), [0.5, 1, 2], ["0.6762081912", "0.7272647124", "0.7966674733"]),
        (sixth.law(), [3.5, 5, 6, 8, 10], [".3395709840", ".4383933519", ".5001848871", ".6254306791", ".7777873852"]),
    ]:
        for x, value, text in zip(points, potential.inside(law, points)[0], known, strict=True):
            agree(value, mpf(text), f"F({x})", 3e-10)
    one, two = potential.inside(relu_gaussian.law(3), [1, 2])[0]
    agree(two - one, mpf("0.05267768225538"), "F(2) - F(1)", 1e-13)
    agree(sixth.both(6)[0], potential.inside(sixth.law(), [6])[0][0], "chain = tree")


def entries() -> list[Entry]:
    """All laws, verified."""
    for value, known in zip(moments(RECTANGLE, 3), ["1", "8.25", "92.36805556"], strict=True):
        agree(value, mpf(known), "moments of 800-1200-600-1000", 1e-10)
    agree(rules.atoms(RECTANGLE)[mpf(0)], mpf("0.7"), "its atom at 0", 1e-15)
    check_known()
    return [entry(name, case) for name, case in CASES.items()]


def main() -> None:
    """Regenerate the table."""
    write_table(
        "distribution", "potential = quadrature of the density to 20 digits, = atoms beyond the ends", entries()
    )


if __name__ == "__main__":
    main()
