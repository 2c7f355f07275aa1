"""The distribution function F(x) = μ((-∞, x]) at the points of every table: the field ``cdf``.

It reads a table, adds the field and leaves every other byte of the entries as it is.  F comes from the logarithmic
potential at points solved afresh (`tests.oracles.potential`; for the chains of `tests.oracles.ntk` in their one
unknown), and the density found on the way must round to the one in the table.

Checked against a second derivation:

* ∫ f dx between neighbouring points and up to the ends of the support, beyond which F is known by the atoms, to 20
  digits (Gauss-Legendre in s, x = low + (high - low) sin²(πs/2)), for some laws of each table;
* closed forms at every point where there are some, to 38 digits;
* F increases from point to point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from tests.oracles import fuss_catalan, ntk, potential, relu_gaussian, relu_haar, rules
from tests.oracles.common import Interval, Number, agree, mp, mpf, read_table, save_table

NOTE = "; cdf: potential = closed forms to 38 digits, = quadrature of the density to 20"
NODES = 48
QUADRATURE = 1e-20
FAR = 1e-3  # no quadrature where the distance to an end that is not soft changes by more
Density = Callable[[Sequence[Number]], list[Number]]
CHECKED = 4  # laws a table whose density is integrated


def known(table: str, entry: dict[str, Any]) -> list[Number] | None:
    """F by the closed form of a table, if it has one."""
    x, name = [mpf(point) for point in entry["x"]], entry["name"]
    if table == "fuss_catalan":
        return [fuss_catalan.cdf(int(name[2:]), point) for point in x]
    if name.startswith("MP(1,1)"):
        return [fuss_catalan.cdf(mpf("0.5"), point) for point in x]
    if table == "relu_gaussian":
        return [relu_gaussian.cdf(int(name[2:]), point) for point in x]
    if table == "relu_haar":
        depth = int(name[2:])
        return [relu_haar.cdf(depth, point) for point in x] if depth > 1 else [mpf(1) / 2, mpf(1)]
    if name == "orthogonal ReLU L=2":
        return [relu_haar.cdf(2, point) for point in x]
    if name == "orthogonal ReLU L=3":  # the kernel: 1/2 δ_1 + 1/2 arcsine on [3, 7]
        return [mpf(1) / 2 + half_arcsine((point - 5) / 2) for point in x]
    if name == "coin + coin = arcsine":
        return [2 * half_arcsine(point / 2) for point in x]
    return None


def half_arcsine(t: Number) -> Number:
    """Half the arcsine law's F on [-1, 1]."""
    return mpf(1) / 4 + mp.asin(t) / (2 * mp.pi)


def computed(table: str, entry: dict[str, Any]) -> list[Number]:
    """F by the potential; the densities must round to those in the table."""
    law, x, name = entry["law"], entry["x"], entry["name"]
    if table == "ntk":
        chain = ntk.chain(name)
        masses, densities = map(list, zip(*[chain.both(point) for point in x], strict=True))
    else:
        masses, densities = potential.inside(law, x)
    wrong = [point for point, f, g in zip(x, densities, entry["density"], strict=True) if float(f) != g]
    if wrong:
        raise AssertionError(f"{table} {name}: another density at {wrong}")
    return masses


def distribution(table: str, entry: dict[str, Any]) -> list[Number]:
    """F at the points of an entry."""
    closed, keep = known(table, entry), [k for k, f in enumerate(entry["density"]) if f > 0]
    if closed is None and "cusp" in entry["name"]:  # symmetric about 0, where the density vanishes
        closed = [mpf(1) / 2 if point == 0 else None for point in entry["x"]]
    if entry["name"].startswith("MP(1,1)^") and closed is not None:
        return closed  # a power below 1 is no self-map: the tree has no certificate for it
    inside = {name: [entry[name][k] for k in keep] for name in ("x", "density")}
    masses = dict(zip(keep, computed(table, entry | inside) if keep else [], strict=True))
    out = []
    for k, point in enumerate(entry["x"]):
        value = closed[k] if closed is not None else None
        if value is not None and k in masses:
            agree(masses[k], value, f"{table} {entry['name']} x={point!r}")
        out.append(masses.get(k, value))
    return out


def mismatch(
    density: Density, ends: Interval, low: Number, high: Number, mass: Number, tolerance: float = QUADRATURE
) -> Number:
    """How far ∫ f dx from low to high, inside the interval with these ends, is from a mass."""
    start, width = ends[0], ends[1] - ends[0]
    a, b = (mp.asin(mp.sqrt(min((x - start) / width, mpf(1)))) for x in (low, high))
    cuts = [a, b]
    while low > 0 and high > 4 * low:  # over many decades, decade by decade
        low *= 4
        cuts.insert(-1, mp.asin(mp.sqrt((low - start) / width)))

    def part(a: Number, b: Number) -> Number:
        nodes, weights = RULE
        angles = [a + (b - a) * (1 + node) / 2 for node in nodes]
        values = density([start + width * mp.sin(angle) ** 2 for angle in angles])
        terms = [w * f * mp.sin(2 * angle) for w, f, angle in zip(weights, values, angles, strict=True)]
        return mp.fsum(terms) * width * (b - a) / 2

    def halved(a: Number, b: Number, whole: Number, depth: int) -> Number:
        middle = (a + b) / 2
        left, right = part(a, middle), part(middle, b)
        if abs(left + right - whole) < tolerance / 100 or depth == 0:
            return left + right
        return halved(a, middle, left, depth - 1) + halved(middle, b, right, depth - 1)

    parts = [(c, d, part(c, d)) for c, d in pairwise(cuts)]
    error = abs(mp.fsum(value for *_, value in parts) - mass)
    if error > tolerance:  # too few nodes, or a wrong mass
        error = abs(mp.fsum(halved(*known_part, 10) for known_part in parts) - mass)
    return error


def gauss_legendre(count: int) -> tuple[list[Number], list[Number]]:
    """Nodes and weights on [-1, 1], by Newton on the Legendre polynomial."""
    nodes, weights = [], []
    for k in range(count):
        x = -mp.cos(mp.pi * (k + mpf("0.75")) / (count + mpf("0.5")))
        for _ in range(8):
            before, value = mpf(1), x
            for n in range(2, count + 1):
                before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
            slope = count * (x * value - before) / (x * x - 1)
            x -= value / slope
        nodes.append(x)
        weights.append(2 / ((1 - x * x) * slope**2))
    return nodes, weights


RULE = gauss_legendre(NODES)


def soft(density: Density, ends: Interval, step: float = 1e-12) -> tuple[bool, bool]:
    """Whether the density is a square root or an inverse square root at the ends, smooth in s."""
    low, width = ends[0], ends[1] - ends[0]
    out = []
    for start, way in ((low, width), (ends[1], -width)):
        try:
            near, far = density([start + way * mpf(step), start + way * mpf(step) * 10**4])
        except ArithmeticError:  # the tree gives up that near: a cusp
            out.append(False)
            continue
        ratio = near / far  # 1e-2 at a square-root edge, 1e2 at an inverse one
        out.append(bool(abs(ratio * 100 - 1) < mpf("1e-2") or abs(ratio / 100 - 1) < mpf("1e-2")))
    return out[0], out[1]


def check_integrals(table: str, entry: dict[str, Any], masses: Sequence[Number]) -> int:
    """Compare differences of F with integrals of the density; the number of comparisons."""
    law, done = entry["law"], 0
    atoms = list(rules.atoms(law).items())

    def density(points: Sequence[Number]) -> list[Number]:
        if entry["name"].startswith("MP(1,1)^"):
            return [fuss_catalan.density(mpf("0.5"), point) for point in points]
        return potential.inside(law, points, 30)[1]

    pieces: list[Interval] = [(mpf(low), mpf(high)) for low, high in entry["support_digits"]]
    cuts = sorted(mpf(point) for point in entry.get("singular_points", [0.0] if "cusp" in entry["name"] else []))
    for cut in cuts:
        pieces = [part for low, high in pieces for part in _cut(low, high, cut)]
    for ends in pieces:
        found = [(mpf(x), f) for x, f in zip(entry["x"], masses, strict=True) if ends[0] < x < ends[1]]
        if not found:
            continue
        left, right = soft(density, ends)
        below = mp.fsum(weight for location, weight in atoms if location <= ends[0])
        if left and ends[0] == pieces[0][0]:
            found.insert(0, (ends[0], below))
        if right and ends[1] == pieces[-1][1]:
            found.append((ends[1], 1 - mp.fsum(weight for location, weight in atoms if location > ends[1])))
        for (x, f), (y, g) in pairwise(found):
            if not left and x - ends[0] < FAR * (y - ends[0]):
                continue
            if not right and ends[1] - y < FAR * (ends[1] - x):
                continue
            error = mismatch(density, ends, x, y, g - f)
            if error > QUADRATURE:
                raise AssertionError(f"{table} {entry['name']} [{float(x)!r}, {float(y)!r}]: off by {mp.nstr(error)}")
            done += 1
    return done


def _cut(low: Number, high: Number, at: Number) -> list[Interval]:
    return [(low, at), (at, high)] if low < at < high else [(low, high)]


def complete(name: str) -> None:
    """Add ``cdf`` to the entries of a table that have points."""
    table, entries, compared = read_table(name), [], 0
    listed = [entry for entry in table["entries"] if entry.get("x")]
    chosen = [entry["name"] for entry in listed if entry.get("support_digits") and any(entry["density"])]
    chosen = chosen[:: max(1, len(chosen) // CHECKED)]
    for entry in table["entries"]:
        if not entry.get("x"):
            entries.append(entry)
            continue
        masses = distribution(name, entry)
        ordered = [f for _, f in sorted(zip(entry["x"], masses, strict=True))]
        if any(not 0 <= f <= g <= 1 for f, g in pairwise(ordered)):
            raise AssertionError(f"{name} {entry['name']}: F does not increase")
        if entry["name"] in chosen:
            compared += check_integrals(name, entry, masses)
        position = list(entry).index("density") + 1
        fields = [(key, value) for key, value in entry.items() if key != "cdf"]
        fields.insert(position, ("cdf", [float(value) for value in masses]))
        entries.append(dict(fields))
    check = table["check"] if NOTE in table["check"] or not listed else table["check"] + NOTE
    save_table(name, check, entries)
    print(f"{name}: {sum(len(entry['x']) for entry in listed)} values of F, {compared} integrals", flush=True)
