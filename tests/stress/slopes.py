"""G of laws of squared slopes for the NumPy oracle and the judge: quadrature on a path laid out here, node by node.

Nothing is shared with `freeconv.contours` but the idea, that the path in h runs where Im φ'(h)² < 0: φ' is written once
more, the height is searched for, panels grow with it from singular ends on, and there is one rule for all z.
`tests/test_stress_leaves.py` compares it with adaptive quadrature on the real axis and with 28-digit tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erf, erfc

from tests.oracles.common import Number, mp, mpc, mpf

Points = NDArray[np.complex128]

REACH = 9.5
"""Of the path, in standard deviations: the Gaussian's rest is 1e-20."""
NODES = 16
NODES_HP = 24
CLOSEST = 1e-9
"""First panel from a singular end, in standard deviations or pieces: z may come to 1e-9 of a kink's value."""
FLAT = 1e-40
SELU = (1.0507009873554804934, 1.6732632423543772848)
PIECEWISE_LINEAR = ("linear", "relu", "leaky_relu", "hard_tanh")


def gate(h: Points) -> Points:
    return np.asarray(1.0 / (1.0 + np.exp(-h)))


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda h: np.cosh(h) ** -2.0,
    "erf": lambda h: 2.0 / np.sqrt(np.pi) * np.exp(-h * h),
    "sigmoid": lambda h: gate(h) * gate(-h),
    "softplus": gate,
    "silu": lambda h: gate(h) * (1.0 + h * gate(-h)),
    "gelu": lambda h: 0.5 * erfc(-h / np.sqrt(2.0)) + h * np.exp(-0.5 * h * h) / np.sqrt(2.0 * np.pi),
    "sin": np.cos,
    "cos": np.sin,
    "elu": np.exp,
    "selu": lambda h: SELU[0] * SELU[1] * np.exp(h),
}
"""φ' of the curved piece, up to its sign."""


def _gate_hp(h: Number) -> Number:
    return 1 / (1 + mp.exp(-h))


DERIVATIVES_HP: dict[str, Callable[[Number], Number]] = {
    "tanh": lambda h: mp.sech(h) ** 2,
    "erf": lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h),
    "sigmoid": lambda h: _gate_hp(h) * _gate_hp(-h),
    "softplus": _gate_hp,
    "silu": lambda h: _gate_hp(h) * (1 + h * _gate_hp(-h)),
    "gelu": lambda h: mp.erfc(-h / mp.sqrt(2)) / 2 + h * mp.exp(-h * h / 2) / mp.sqrt(2 * mp.pi),
    "sin": mp.cos,
    "cos": mp.sin,
    "elu": mp.exp,
    "selu": lambda h: mpf(SELU[0]) * mpf(SELU[1]) * mp.exp(h),
}
EVEN = ("tanh", "erf", "sigmoid", "sin", "cos")


@dataclass(frozen=True)
class Measure:
    """Complex nodes and weights."""

    nodes: Points
    weights: Points


def atoms(name: str, variance: float) -> tuple[list[float], list[float]]:
    """The squared slopes of a piecewise-linear activation, and their weights."""
    if name == "linear":
        return [1.0], [1.0]
    if name == "hard_tanh":
        return [0.0, 1.0], [float(erfc(1.0 / np.sqrt(2.0 * variance))), float(erf(1.0 / np.sqrt(2.0 * variance)))]
    return [0.0 if name == "relu" else 0.01**2, 1.0], [0.5, 0.5]


def squared(name: str, h: NDArray[np.float64]) -> NDArray[np.float64]:
    """φ'(h)² on the real line, ascending."""
    if name == "hard_tanh":
        return np.sort(np.where(np.abs(h) < 1.0, 1.0, 0.0))
    if name in PIECEWISE_LINEAR:
        low = {"linear": 1.0, "relu": 0.0, "leaky_relu": 0.01**2}[name]
        return np.sort(np.where(h > 0.0, 1.0, low))
    values = np.asarray(DERIVATIVES[name](h + 0j), dtype=np.complex128).real ** 2
    return np.sort(np.where(h > 0.0, flat(name)[0], values) if name in ("elu", "selu") else values)


def flat(name: str) -> tuple[float, float]:
    """Location and weight of the atom of a curved activation; weight 0 if it has none."""
    return {"elu": (1.0, 0.5), "selu": (SELU[0] ** 2, 0.5)}.get(name, (0.0, 0.0))


def anchors(name: str, reach: float) -> list[float]:
    """Where g' = 0, or a kink."""
    if name in ("sin", "cos"):
        return [0.5 * np.pi * k for k in range(int(reach / (0.5 * np.pi)) + 1)]
    top = float(brentq(lambda h: h * np.tanh(0.5 * h) - 2.0, 2.0, 3.0, xtol=1e-15))

    def silu(h: float) -> float:
        return float(1.0 + h / (1.0 + np.exp(h)))

    def gelu(h: float) -> float:
        return float(DERIVATIVES["gelu"](np.array(h)))

    return {
        "silu": [-top, float(brentq(silu, -2.0, -1.0, xtol=1e-15)), top],
        "gelu": [-np.sqrt(2.0), float(brentq(gelu, -1.0, -0.5, xtol=1e-15)), np.sqrt(2.0)],
        "softplus": [],
    }.get(name, [0.0])


def _ends(name: str, variance: float) -> tuple[list[float], list[float]]:
    """Ends of the pieces, and which are anchors; tails end where g is its limit."""
    reach = REACH * float(np.sqrt(variance))
    fixed = [a for a in anchors(name, reach) if abs(a) < reach]
    grid = np.linspace(0.0, reach, 4001)
    right = reach
    left = -reach
    if name not in ("sin", "cos"):
        with np.errstate(over="ignore", under="ignore"):
            falls = np.abs(DERIVATIVES[name](-grid + 0j)) ** 2 > FLAT
            tail = DERIVATIVES[name](grid + 0j).real
            away = tail**2 > FLAT if name in EVEN else np.abs(1.0 - tail) > 1e-17
        left = -float(grid[falls].max())
        right = float(grid[away].max()) if name not in ("elu", "selu") else 0.0
    low = [] if name in EVEN else [left]
    high = [] if name in ("elu", "selu") else [right]
    inner = [a for a in fixed if left < a < right or a == 0.0]
    return [*low, *inner, *high], inner


def corners(name: str, variance: float) -> list[tuple[list[complex], int, float]]:
    """Corners of the path piece by piece, with the side of the axis."""
    slope = DERIVATIVES[name]
    ends, fixed = _ends(name, variance)
    deviation = float(np.sqrt(variance))
    steps = np.arange(1, 65) / 64.0
    paths = []
    for low, high in pairwise(ends):
        probe = np.array([low + 0.49 * (high - low), low + 0.51 * (high - low)])
        values = np.abs(slope(probe + 0j)) ** 2
        side = 1 if values[1] < values[0] else -1

        def height(h: float, low: float = low, high: float = high, side: int = side) -> float:
            y = min(deviation, 2.0)
            y = min(y, 0.9 * (h - low)) if low in fixed else y
            y = min(y, 0.9 * (high - h)) if high in fixed else y
            for _ in range(20):
                with np.errstate(all="ignore"):
                    g = slope(h + 1j * side * y * 2.0 * steps) ** 2
                fails = np.flatnonzero(~(g.imag < 0.0))
                if not fails.size:
                    return y
                if fails[0] > 8:
                    return float(min(y, y * steps[fails[0] - 1]))
                y *= 0.125
            return y

        closest = CLOSEST * min(deviation, high - low)

        def march(start: float, stop: float, way: int, height: Any = height, closest: float = closest) -> list[float]:
            h = start + way * closest if start in fixed else start
            found = [start, h] if start in fixed else [start]
            while True:
                h += way * height(h)
                if way * (stop - h) <= 0.0:
                    return found
                found.append(h)

        middle = 0.5 * (low + high) if low in fixed and high in fixed else (high if low in fixed else low)
        first = march(low, middle, 1) if middle != low else []
        second = march(high, middle, -1)[::-1] if middle != high else []
        stations = [*first, *([middle] if middle not in (low, high) or not (first and second) else []), *second]
        stations = sorted(set(stations))
        path = [complex(h, 0.0 if h in fixed else side * height(h)) for h in stations]
        paths.append((path, side, 2.0 if name in EVEN else 1.0))
    return paths


def _rest(h: complex, variance: float) -> complex:
    """The Gaussian's mass behind the end of the path, to the right."""
    return complex(0.5 * erfc(h / np.sqrt(2.0 * variance + 0j)))


@lru_cache(maxsize=128)
def measure(name: str, variance: float) -> Measure:
    """The law as complex nodes g and weights."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = [], []
    paths = corners(name, variance)
    for path, _, times in paths:
        for start, stop in pairwise(path):
            h = 0.5 * (start + stop) + 0.5 * (stop - start) * x
            nodes.append(DERIVATIVES[name](h) ** 2)
            rho = np.exp(-0.5 * h * h / variance) / np.sqrt(2.0 * np.pi * variance)
            weights.append(times * 0.5 * (stop - start) * w * rho)
    place, weight = flat(name)
    first, last, times = paths[0][0][0], paths[-1][0][-1], paths[0][2]
    ends = DERIVATIVES[name](np.array([last, first])) ** 2
    nodes.append(np.array([place, *ends]))
    right = 0.0 if name in ("elu", "selu") else times * _rest(last, variance)
    left = 0.0 if name in EVEN else _rest(-first, variance)
    weights.append(np.array([weight, right, left]))
    return Measure(np.concatenate(nodes).astype(np.complex128), np.concatenate(weights).astype(np.complex128))


def k_of(name: str, variance: float, z: Points) -> Points:
    """K = z − 1/G on either side of the real line; a real z belongs to the side of the sign of its imaginary zero."""
    law = measure(name, variance)
    below = np.signbit(z.imag)
    upper = np.where(below, z.conj(), z).ravel()
    k = np.empty(upper.shape, dtype=np.complex128)
    for begin in range(0, upper.size, 64):
        terms = law.weights / (upper[begin : begin + 64, None] - law.nodes)
        k[begin : begin + 64] = (terms @ law.nodes) / terms.sum(axis=1)
    on_their_side = np.where(below.ravel(), k.conj(), k)
    return np.asarray(on_their_side.reshape(z.shape), dtype=np.complex128)


@lru_cache(maxsize=32)
def measure_hp(name: str, variance: float) -> tuple[list[Number], list[Number]]:
    """The same path with more nodes, at the precision of mpmath."""
    q = mpf(variance)
    slope = DERIVATIVES_HP[name]
    rule = _legendre(NODES_HP)
    nodes, weights = [], []
    paths = corners(name, variance)
    for path, _, times in paths:
        for start, stop in pairwise([mpc(h) for h in path]):
            for x, w in rule:
                h = (start + stop) / 2 + (stop - start) / 2 * x
                nodes.append(slope(h) ** 2)
                weights.append(times * w * (stop - start) / 2 * mp.exp(-h * h / (2 * q)) / mp.sqrt(2 * mp.pi * q))
    first, last, times = mpc(paths[0][0][0]), mpc(paths[-1][0][-1]), paths[0][2]
    if name in ("elu", "selu"):
        nodes.append(mpf(flat(name)[0]))
        weights.append(mpf(1) / 2)
    else:
        nodes.append(slope(last) ** 2)
        weights.append(times * mp.erfc(last / mp.sqrt(2 * q)) / 2)
    if name not in EVEN:
        nodes.append(slope(first) ** 2)
        weights.append(mp.erfc(-first / mp.sqrt(2 * q)) / 2)
    return nodes, weights


def cauchy_hp(name: str, variance: float, z: Number) -> Number:
    """G at a point of the closed upper half-plane."""
    nodes, weights = measure_hp(name, variance)
    return mp.fsum(w / (z - g) for g, w in zip(nodes, weights, strict=True))


def mean_hp(name: str, variance: float) -> Number:
    """E φ'²."""
    nodes, weights = measure_hp(name, variance)
    return mp.fsum(w * g for g, w in zip(nodes, weights, strict=True)).real


@lru_cache(maxsize=2)
def _legendre(count: int) -> list[tuple[Number, Number]]:
    found = []
    for guess in np.polynomial.legendre.leggauss(count)[0]:
        x = mpf(float(guess))
        for _ in range(4):
            p0, p1 = mpf(1), x
            for n in range(2, count + 1):
                p0, p1 = p1, ((2 * n - 1) * x * p1 - (n - 1) * p0) / n
            slope = count * (x * p1 - p0) / (x * x - 1)
            x -= p1 / slope
        found.append((x, 2 / ((1 - x * x) * slope * slope)))
    return found
