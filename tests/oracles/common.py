"""What the table scripts share: multiprecision, grids, root finding, checks and the JSON form of a table.

A table is ``{"table", "check", "entries"}``.  An entry has ``name``, ``law`` (see `tests.oracles.specs`), ``x`` and
``density`` (doubles; the density is the value at that exact double x, correctly rounded), ``cdf`` (the distribution
function there, right-continuous, atoms included; added by `tests.oracles.cumulative`), and where known
``support`` (intervals, doubles), ``support_digits`` (the same to 30 digits, as text), ``atoms`` (pairs location,
weight), ``singular_points`` (where two atoms meet 1 exactly; hard edges of products at 0 left out) and ``moments``
(from the first on).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import mpmath

from tests.oracles.specs import Law

mp: Any = mpmath.mp
mpf: Any = mpmath.mpf
mpc: Any = mpmath.mpc
Number = Any  # an mpf or an mpc: mpmath has no types to name
Interval = tuple[Number, Number]

DIGITS = 50
AGREE = 1e-38  # two routes at 50 digits must agree to this, relative
TABLES = Path(__file__).resolve().parent / "tables"
mp.dps = DIGITS


@dataclass(frozen=True)
class Entry:
    """One law and what is known about it, in multiprecision."""

    name: str
    law: Law
    x: Sequence[float] = ()
    density: Sequence[Number] = ()
    support: Sequence[Interval] | None = None
    atoms: Sequence[tuple[Number, Number]] | None = None
    singular_points: Sequence[Number] = ()
    moments: Sequence[Number] = ()
    cdf: Sequence[Number] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The entry as plain data."""
        if len(self.x) != len(self.density):
            raise ValueError(f"{self.name}: {len(self.x)} points but {len(self.density)} densities")
        out: dict[str, Any] = {"name": self.name, "law": self.law}
        if self.x:
            out |= {"x": list(self.x), "density": [float(value) for value in self.density]}
        if self.cdf:
            out["cdf"] = [float(value) for value in self.cdf]
        if self.support is not None:
            out["support"] = [[float(low), float(high)] for low, high in self.support]
            out["support_digits"] = [[mp.nstr(low, 30), mp.nstr(high, 30)] for low, high in self.support]
        if self.atoms is not None:
            out["atoms"] = [[float(location), float(weight)] for location, weight in self.atoms]
        if self.singular_points:
            out["singular_points"] = [float(point) for point in self.singular_points]
        if self.moments:
            out["moments"] = [float(moment) for moment in self.moments]
        return out | self.extra


def write_table(name: str, check: str, entries: Sequence[Entry]) -> None:
    """Write ``tables/<name>.json``; ``check`` says how the entries were verified."""
    save_table(name, check, [entry.json() for entry in entries])


def save_table(name: str, check: str, entries: Sequence[dict[str, Any]]) -> None:
    """Write ``tables/<name>.json`` from plain data."""
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    head = f'"table": {json.dumps(name)},\n"digits": {DIGITS},\n"check": {json.dumps(check)}'
    path = TABLES / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{" + head + ',\n"entries": [\n' + lines + "\n]}\n", encoding="utf-8")


def read_table(name: str) -> dict[str, Any]:
    """``tables/<name>.json`` as plain data."""
    data: dict[str, Any] = json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))
    return data


def agree(value: Number, other: Number, what: str, tolerance: float = AGREE) -> None:
    """Raise unless two numbers agree, relative to the larger of 1e-30 and the second."""
    error = abs(value - other) / max(abs(other), mpf(10) ** -30)
    if not error <= tolerance:
        raise AssertionError(f"{what}: {mp.nstr(value, 20)} against {mp.nstr(other, 20)}, relative {mp.nstr(error, 3)}")


def hard_edge_grid(edge: Number) -> list[float]:
    """25 doubles in (0, edge): log-spaced from 1e-8 edge, then close to the edge, up to (1 - 1e-6) edge."""
    low = [mpf(10) ** (-8 + mpf(k) * (8 + mp.log10(0.5)) / 19) for k in range(20)]
    high = [mpf("0.7"), mpf("0.9"), mpf("0.99"), 1 - mpf("1e-4"), 1 - mpf("1e-6")]
    return [float(edge * fraction) for fraction in [*low, *high]]


def interval_grid(low: Number, high: Number, inner: int = 9) -> list[float]:
    """Doubles in (low, high): ``inner`` Chebyshev points, and four at 1e-3 and 1e-6 of the width from the edges."""
    width = high - low
    fractions = [mp.sin(mp.pi * (2 * k + 1) / (4 * inner)) ** 2 for k in range(inner)]
    near = [mpf("1e-6"), mpf("1e-3")]
    return [float(low + width * f) for f in [*near, *fractions, *(1 - f for f in reversed(near))]]


def bracketed_root(function: Callable[[Number], Number], low: Number, high: Number) -> Number:
    """Zero of a function that changes sign once on (low, high): Ridders' method to the working precision."""
    low, high = mpf(low), mpf(high)
    f_low, f_high = function(low), function(high)
    if f_low == 0 or f_high == 0:
        return low if f_low == 0 else high
    if (f_low > 0) == (f_high > 0):
        raise ValueError(f"no sign change on [{mp.nstr(low, 10)}, {mp.nstr(high, 10)}]")
    for _ in range(400):
        middle = (low + high) / 2
        f_middle = function(middle)
        point = middle + (middle - low) * mp.sign(f_low - f_high) * f_middle / mp.sqrt(f_middle**2 - f_low * f_high)
        f_point = function(point)
        if f_point == 0:
            return point
        ends = sorted([(low, f_low), (high, f_high), (middle, f_middle), (point, f_point)], key=lambda pair: pair[0])
        for (a, f_a), (b, f_b) in pairwise(ends):
            if f_a == 0:
                return a
            if (f_a > 0) != (f_b > 0):
                low, f_low, high, f_high = a, f_a, b, f_b
                break
        if high - low <= abs(high) * mp.eps * 4:
            break
    return (low + high) / 2


def newton(function: Callable[[Number], Number], start: Number, steps: int = 60, digits: int | None = None) -> Number:
    """Zero of an analytic function near ``start``, by Newton with a difference quotient far below the precision."""
    digits = mp.dps - 5 if digits is None else digits
    point, h = start, mpf(10) ** (-mp.dps // 2)
    for _ in range(steps):
        step_size = h * max(abs(point), h)
        value = function(point)
        slope = (function(point + step_size) - function(point - step_size)) / (2 * step_size)
        change = value / slope
        point = point - change
        if abs(change) <= abs(point) * mpf(10) ** -digits:
            return point
    raise ArithmeticError(f"Newton did not converge from {mp.nstr(start, 10)}")


def real_roots(coefficients: Sequence[Number]) -> list[Number]:
    """Real roots of a polynomial (highest power first), increasing."""
    roots = polynomial_roots(coefficients)
    return sorted(r.real for r in roots if abs(r.imag) <= abs(r) * mpf(10) ** -30)


def polynomial_roots(coefficients: Sequence[Number]) -> list[Number]:
    """All roots of a polynomial (highest power first), to the working precision."""
    return [mpc(r) for r in mp.polyroots(list(coefficients), maxsteps=500, extraprec=400)]


def polynomial(*factors: Sequence[Number]) -> list[Number]:
    """Product of polynomials, highest power first."""
    out: list[Number] = [mpf(1)]
    for factor in factors:
        terms = [mpf(0)] * (len(out) + len(factor) - 1)
        for i, a in enumerate(out):
            for j, b in enumerate(factor):
                terms[i + j] += a * b
        out = terms
    return out


def plus(*terms: Sequence[Number]) -> list[Number]:
    """Sum of polynomials, highest power first."""
    size = max(len(term) for term in terms)
    padded = [[mpf(0)] * (size - len(term)) + list(term) for term in terms]
    return [mp.fsum(column) for column in zip(*padded, strict=True)]


def integral(function: Callable[[Number], Number], low: Number, high: Number, nodes: int = 40) -> Number:
    """Integral over [low, high] of a function with square-root ends, zero or infinite there.

    Midpoint rule in s of x = low + (high - low) sin²(πs/2), which is spectrally accurate for such ends.
    """
    terms = []
    for k in range(nodes):
        angle = mp.pi * (k + mpf(1) / 2) / (2 * nodes)
        x = low + (high - low) * mp.sin(angle) ** 2
        terms.append(function(x) * mp.sin(2 * angle))
    return mp.fsum(terms) * (high - low) * mp.pi / (2 * nodes)


def check_mass(
    name: str,
    density: Callable[[Number], Number],
    support: Sequence[Interval],
    atoms: Sequence[tuple[Number, Number]],
    mean: Number | None = None,
    tolerance: float = 1e-9,
) -> None:
    """Raise unless density and atoms have total mass 1 (and the given mean)."""
    values: dict[Number, Number] = {}

    def remembered(x: Number) -> Number:
        if x not in values:
            values[x] = density(x)
        return values[x]

    with mp.workdps(25):
        for nodes in (24, 72, 216, 648):  # thrice the nodes contain the old ones
            total = mp.fsum(weight for _, weight in atoms)
            first = mp.fsum(location * weight for location, weight in atoms)
            for low, high in support:
                total += integral(remembered, low, high, nodes)
                first += integral(lambda x: x * remembered(x), low, high, nodes)
            error = max(abs(total - 1), 0 if mean is None else abs(first - mean) / (1 + abs(mean)))
            if error <= tolerance:
                return
    raise AssertionError(f"{name}: mass {mp.nstr(total, 15)}, mean {mp.nstr(first, 15)} against {mean}")


def upper_root(coefficients: Sequence[Number]) -> Number:
    """The root of a real polynomial in the upper half-plane, which must be alone there.

    It is alone for the equation z(w) = x of a subordination point, because that point is unique.
    """
    upper = [root for root in polynomial_roots(coefficients) if root.imag > abs(root) * mpf(10) ** (-mp.dps // 2)]
    if len(upper) != 1:
        raise ArithmeticError(f"{len(upper)} roots in the upper half-plane where there must be one")
    return upper[0]
