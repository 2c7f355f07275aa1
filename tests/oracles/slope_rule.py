"""G of the law of φ'(√q Z)² to 28 digits: Gauss-Legendre and tanh-sinh rules on a polygon beside the real axis.

∫ ρ(h)/(z − g(h)) dh, g = φ'², is moved to where Im g < 0, so that for z in the upper half-plane no pole is crossed.
The polygon is laid out by hand for each activation, and fixed: nodes do not depend on z.  `check` compares with
mpmath's adaptive quadrature on the real axis at points that are far enough from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.oracles.common import Number, agree, mp, mpc, mpf

NODES = 48  # of a Gauss-Legendre segment
RULE_DIGITS = 40


def derivative(name: str) -> Callable[[Number], Number]:
    """φ' of the smooth part, for complex h."""

    def gate(h: Number) -> Number:
        return 1 / (1 + mp.exp(-h))

    known: dict[str, Callable[[Number], Number]] = {
        "tanh": lambda h: mp.sech(h) ** 2,
        "erf": lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h),
        "sigmoid": lambda h: gate(h) * gate(-h),
        "softplus": gate,
        "silu": lambda h: gate(h) * (1 + h * gate(-h)),
        "gelu": lambda h: mp.erfc(-h / mp.sqrt(2)) / 2 + h * mp.exp(-h * h / 2) / mp.sqrt(2 * mp.pi),
        "sin": mp.cos,
        "elu": mp.exp,
    }
    return known[name]


@lru_cache(maxsize=64)
def corners(name: str) -> list[Number]:
    """Where g' = 0, or a kink, on the part of the line that is integrated over."""
    with mp.workdps(RULE_DIGITS + 10):
        slope = derivative(name)
        if name in ("tanh", "erf", "sigmoid"):
            return [mpf(0)]
        if name == "silu":
            # findroot has guard digits; an end of the polygon has to be equal to itself after rounding.
            top = +mp.findroot(lambda h: h * mp.tanh(h / 2) - 2, 2.4)
            return [-top, +mp.findroot(slope, -1.278), top]
        if name == "gelu":
            return [-mp.sqrt(2), +mp.findroot(slope, -0.7518), mp.sqrt(2)]
        if name == "elu":
            return [mpf(0)]
        return []


def height(name: str, deviation: Number, h: Number) -> Number:
    """How far from the axis the polygon may run at h."""
    most = {"tanh": 0.38, "erf": 0.5, "sigmoid": 0.75, "softplus": 0.75, "silu": 0.35, "gelu": 0.35, "elu": 0.75}[name]
    y = min(mpf(most), deviation)
    if name == "erf":
        y = min(y, mp.pi / (8 * (abs(h) + mpf(1) / 2)))
    if name == "gelu":
        y = min(y, mp.pi / (4 * (abs(h) + mpf(1) / 2)))
    return y


@lru_cache(maxsize=64)
def rule(name: str, variance: float) -> tuple[list[Number], list[Number]]:
    """Values of g at the nodes, and weights; those of half of the line are doubled for even g."""
    with mp.workdps(RULE_DIGITS + 10):
        q = mpf(variance)
        deviation = mp.sqrt(q)
        slope = derivative(name)
        # Far enough that e^{−h²/2q}/g is negligible as well; g > e^{−4|h|} but for the Gaussian ones.
        reach = 14 * deviation + 4 * q + 2
        if name in ("erf", "gelu"):
            reach = min(14 * deviation * (1 if q < 0.2 else 2), mpf(10)) + 1
        even = name in ("tanh", "erf", "sigmoid")
        ends = [*([] if even else [-reach]), *corners(name), *([] if name == "elu" else [reach])]
        values, weights = [], []
        for low, high in pairwise(ends):
            rises = (slope((low + high) / 2 + mpf(10) ** -9) ** 2 - slope((low + high) / 2) ** 2).real > 0
            side = -1 if rises else 1
            points = _polygon(name, deviation, low, high, side, low in corners(name), high in corners(name))
            for start, stop in pairwise(points):
                for t, w in _line(start in (low, high), stop in (low, high)):
                    h = start + (stop - start) * t
                    value = slope(h) ** 2
                    if value.imag > 0:
                        raise ArithmeticError(f"the polygon of {name} leaves the lower half-plane at {mp.nstr(h, 8)}")
                    values.append(value)
                    density = mp.exp(-h * h / (2 * q)) / mp.sqrt(2 * mp.pi * q)
                    weights.append((2 if even else 1) * w * (stop - start) * density)
        return values, weights


def cauchy(name: str, variance: float, z: Number) -> Number:
    """G(z) for z in the upper half-plane, atoms of flat pieces included."""
    values, weights = rule(name, variance)
    total = mp.fsum(w / (z - g) for g, w in zip(values, weights, strict=True))
    return total + (mpf(1) / 2 / (z - 1) if name == "elu" else 0)


def rough(name: str, variance: float, z: complex) -> complex:
    """G(z) to about 12 digits, for starting points: the rule in doubles."""
    values, weights = _doubles(name, variance)
    return complex((weights / (z - values)).sum()) + (0.5 / (z - 1.0) if name == "elu" else 0.0)


@lru_cache(maxsize=64)
def _doubles(name: str, variance: float) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    values, weights = rule(name, variance)
    return np.array([complex(value) for value in values]), np.array([complex(weight) for weight in weights])


def potential(name: str, variance: float, z: Number) -> Number:
    """∫ log(z − x) for z in the upper half-plane, where Im(z − g) > 0 at all nodes: principal logarithms."""
    values, weights = rule(name, variance)
    total = mp.fsum(w * mp.log(z - g) for g, w in zip(values, weights, strict=True))
    return total + (mp.log(z - 1) / 2 if name == "elu" else 0)


def distribution(name: str, variance: float, x: Number) -> Number:
    """F of an even, falling φ' (tanh, erf, sigmoid) by normal probabilities: P(|h| > h(x)), φ'(h(x))² = x."""
    slope, q = derivative(name), mpf(variance)
    root = mp.findroot(lambda h: mp.log(slope(h) ** 2 / x), (mpf("0.3"), mpf("0.6")))
    return mp.erfc(abs(root) / mp.sqrt(2 * q))


def mean(name: str, variance: float) -> Number:
    """E φ'²."""
    values, weights = rule(name, variance)
    total = mp.fsum(w * g for g, w in zip(values, weights, strict=True)).real
    return total + (mpf(1) / 2 if name == "elu" else 0)


def moment(name: str, variance: float, k: int) -> Number:
    """E φ'^{2k}, by mpmath's quadrature on the real axis."""
    q = mpf(variance)
    slope = derivative(name)

    def term(h: Number) -> Number:
        return slope(h) ** (2 * k) * mp.exp(-h * h / (2 * q)) / mp.sqrt(2 * mp.pi * q)

    reach = 14 * mp.sqrt(q)
    inner = [mpf(h) / 2 for h in range(-20, 21) if abs(mpf(h) / 2) < reach]
    stop = [mpf(0)] if name == "elu" else [*[h for h in inner if h > 0], reach]
    total = mp.quad(term, [-reach, *[h for h in inner if h < 0], *stop])
    return total + (mpf(1) / 2 if name == "elu" else 0)


def check(name: str, variance: float) -> None:
    """Raise unless the rule agrees with quadrature on the real axis at two points away from it."""
    q = mpf(variance)
    slope = derivative(name)
    reach = 14 * mp.sqrt(q)
    with mp.workdps(35):
        for z in (mpc("0.3", "0.4"), mpc("-0.2", "0.5"), mpc("1.2", "0.6")):

            def term(h: Number, z: Number = z) -> Number:
                return mp.exp(-h * h / (2 * q)) / mp.sqrt(2 * mp.pi * q) / (z - slope(h) ** 2)

            inner = [mpf(h) / 4 for h in range(-60, 61) if abs(mpf(h) / 4) < reach]
            stop = [mpf(0)] if name == "elu" else [*[h for h in inner if h > 0], reach]
            total = mp.quad(term, [-reach, *[h for h in inner if h < 0], *stop], maxdegree=8)
            total += mpf(1) / 2 / (z - 1) if name == "elu" else 0
            agree(cauchy(name, variance, z), total, f"G of {name}, q = {variance!r}, at {mp.nstr(z, 5)}", 1e-28)


def _polygon(
    name: str, deviation: Number, low: Number, high: Number, side: int, at_low: bool, at_high: bool
) -> list[Number]:
    """Corners from low to high: 45 degrees off a singular end, then along `height`."""

    def level(h: Number) -> Number:
        y = height(name, deviation, h)
        y = min(y, h - low) if at_low else y
        return min(y, high - h) if at_high else y

    points, h = [low + (0 if at_low else mpc(0, side * level(low)))], low
    while True:
        if h == low and at_low:
            h = low + min(height(name, deviation, low) * mpf("0.7"), (high - low) / 2)
        else:
            h += level(h)
        left = high - h
        if left <= level(h) * mpf("1.2") or left < mpf(10) ** -6:
            break
        points.append(mpc(h, side * level(h)))
        if at_high and left <= height(name, deviation, h) * mpf("1.5"):
            break
    last = points[-1].real
    if at_high and high - last > mpf("1.6") * abs(points[-1].imag):
        h = (last + high) / 2
        points.append(mpc(h, side * level(h)))
    return [*points, high + (0 if at_high else mpc(0, side * level(high)))]


@lru_cache(maxsize=4)
def _line(at_start: bool, at_stop: bool) -> list[tuple[Number, Number]]:
    """Nodes and weights on [0, 1]: Gauss-Legendre, or tanh-sinh where an end is singular."""
    if not (at_start or at_stop):
        return [((1 + x) / 2, w / 2) for x, w in _legendre()]
    found = []
    step = mpf(1) / 160  # poles come as near to a singular end as 1e-5, at 45 degrees
    k = 0
    while True:
        u = mp.pi / 2 * mp.sinh(k * step)
        w = step * mp.pi / 4 * mp.cosh(k * step) / mp.cosh(u) ** 2
        t = 1 / (1 + mp.exp(-2 * u))
        found.append((t, w))
        if k:
            found.append((1 / (1 + mp.exp(2 * u)), w))
        k += 1
        if w < mpf(10) ** -(RULE_DIGITS + 2):
            return found


@lru_cache(maxsize=1)
def _legendre() -> list[tuple[Number, Number]]:
    found = []
    for k in range(NODES):
        x = mp.cos(mp.pi * (k + mpf(3) / 4) / (NODES + mpf(1) / 2))
        for _ in range(8):
            p0, p1 = mpf(1), x
            for n in range(2, NODES + 1):
                p0, p1 = p1, ((2 * n - 1) * x * p1 - (n - 1) * p0) / n
            slope = NODES * (x * p1 - p0) / (x * x - 1)
            x -= p1 / slope
        p0, p1 = mpf(1), x
        for n in range(2, NODES + 1):
            p0, p1 = p1, ((2 * n - 1) * x * p1 - (n - 1) * p0) / n
        slope = NODES * (x * p1 - p0) / (x * x - 1)
        found.append((x, 2 / ((1 - x * x) * slope * slope)))
    return found
