"""Continuous leaves: uniform ⊞ semicircle, arcsine ⊞ uniform, uniform ⊠ MP(1/2).

Each is one explicit function of the point w of the uniform law, G = log((w-a)/(w-b))/(b-a):
x = w + v G;  x = w + (c + √(r² + 1/G²)) - 1/G (R-transform of the arcsine law);  x = w (1 + ρ(wG - 1)).
Edges are its real critical points.

The density comes from the certified tree solver and is checked against a root of the explicit function reached by the
averaged fixed-point iteration in double precision (no continuation), and by total mass and mean.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.oracles import tree
from tests.oracles.common import (
    Entry,
    Interval,
    Number,
    agree,
    bracketed_root,
    check_mass,
    interval_grid,
    mp,
    mpc,
    mpf,
    newton,
    write_table,
)
from tests.oracles.specs import Law, arcsine, boxplus, boxtimes, marchenko_pastur, semicircle, uniform


@dataclass(frozen=True)
class Case:
    """A law, its explicit x(w), the density from (x, w), and the double-precision self-map of the upper half-plane."""

    law: Law
    low: float
    high: float
    x: Callable[[Number, Number], Number]
    density: Callable[[Number, Number, Number], Number]
    self_map: Callable[[complex, complex, complex], complex]

    def cauchy(self, w: Number) -> Number:
        """G of the uniform law; real w outside its interval stay real."""
        low, high = mpf(self.low), mpf(self.high)
        if isinstance(w, mpf):
            return mp.log((w - low) / (w - high)) / (high - low)
        return (mp.log(w - low) - mp.log(w - high)) / (high - low)

    def point(self, x: float) -> Number:
        """The uniform law's point: averaged fixed point, then Newton."""
        w = complex(x, 1.0)
        for _ in range(3000):
            g = (cmath.log(w - self.low) - cmath.log(w - self.high)) / (self.high - self.low)
            w = (w + self.self_map(complex(x), w, g)) / 2
        return newton(lambda u: self.x(u, self.cauchy(u)) - mpf(x), mpc(w))

    def edge(self, inner: str, outer: str) -> Number:
        """x at the critical point between two real points outside the interval."""

        def slope(w: Number) -> Number:
            h = abs(w) * mpf(10) ** -25
            return (self.at(w + h) - self.at(w - h)) / (2 * h)

        with mp.workdps(80):
            return self.at(bracketed_root(slope, mpf(inner), mpf(outer)))

    def at(self, w: Number) -> Number:
        """x(w)."""
        return self.x(w, self.cauchy(w))


def _arcsine_point(g: complex) -> complex:
    """The arcsine(-1, 1) point with a given G: F = √(w² - 1), so w = √(1 + F²) in the upper half-plane."""
    w = cmath.sqrt(1 + 1 / (g * g))
    return w if w.imag > 0 else -w


def _arcsine_mp(g: Number) -> Number:
    w = mp.sqrt(1 + 1 / g**2)
    return w if mp.re(w * g) > 0 else -w


def _arcsine_uniform_map(x: complex, w: complex, g: complex) -> complex:
    other = x + 1 / g - w  # H_uniform(w) + x, then H_arcsine of it + x
    root = cmath.sqrt(other - 1) * cmath.sqrt(other + 1)
    return x + root - other


def _gaussian_edge_sign(case: Case, support: Interval) -> None:
    if not case.at(mpf(case.high) * 2) > support[1]:
        raise AssertionError("the edge is not a minimum of x(w)")


CASES = {
    "uniform(-1,1) + semicircle(0.2)": Case(
        boxplus(uniform(-1, 1), semicircle(0.0, 0.2)),
        -1.0,
        1.0,
        lambda w, g: w + mpf(0.2) * g,
        lambda x, w, g: -g.imag / mp.pi,
        lambda x, w, g: x - 0.2 * g,
    ),
    "arcsine(-1,1) + uniform(-1,1)": Case(
        boxplus(arcsine(-1, 1), uniform(-1, 1)),
        -1.0,
        1.0,
        lambda w, g: w + _arcsine_mp(g) - 1 / g,
        lambda x, w, g: -g.imag / mp.pi,
        _arcsine_uniform_map,
    ),
    "uniform(0,2) x MP(0.5)": Case(
        boxtimes(uniform(0, 2), marchenko_pastur(0.5, 1.0)),
        0.0,
        2.0,
        lambda w, g: w * (1 + (w * g - 1) / 2),
        lambda x, w, g: -(w * g).imag / (mp.pi * x),
        lambda x, w, g: x / (1 + (w * g - 1) / 2),
    ),
}


def entries() -> list[Entry]:
    """All cases, verified."""
    out = []
    for name, case in CASES.items():
        outer = case.edge(str(case.high * (1 + 1e-12)), "50")
        support: Interval = (mpf(0), outer) if " x " in name else (-outer, outer)
        _gaussian_edge_sign(case, support)
        x = interval_grid(*support, 11)
        if " x " not in name:
            x = sorted([*x, 1e-7])
        values = [tree.density(case.law, point) for point in x]
        for point, value in zip(x, values, strict=True):
            w = case.point(point)
            agree(case.density(mpf(point), w, case.cauchy(w)), value, f"{name} x={point!r}", 1e-35)
        check_mass(name, partial(tree.density, case.law, digits=22), [support], [], tree.mean(case.law), 1e-5)
        out.append(Entry(name, case.law, x, values, [support], []))
    return out


def main() -> None:
    """Regenerate the table."""
    write_table(
        "uniform_arcsine",
        "certified tree solver = averaged fixed point + Newton on x(w) to 35 digits; mass, mean",
        entries(),
    )


if __name__ == "__main__":
    main()
