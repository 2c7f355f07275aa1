"""Random trees of laws from seeds, as specifications (`tests.oracles.specs`), which print and build.

Two kinds of specification are added, for laws too deep to be nested dictionaries: ``{"MLP": {...}}`` with the
arguments of `freeconv.MLP` and the law, "jacobian" or "ntk", and ``{"layers": {...}}``: `depth` times
X ↦ scale · (X ⊠ slope) + shift from the point mass at 1, a tangent kernel.

A seed means another tree in every generation of the gardens: the first has closed leaves only, the second squared
slopes, samples, rectangular networks and isometry limits as well (`tests.stress.leaves`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import freeconv as fc
from tests.oracles import load, specs
from tests.oracles.specs import Law as Spec
from tests.stress import expand

ROUGH = 0.3
"""The fraction of trees with nearly degenerate parameters."""
DEEP = 0.01
"""The fraction of networks and chains of up to a thousand layers."""
TRIES = 60
MOST_LEAVES = 10

NORMAL_LEAVES = ("MarchenkoPastur", "FreePoisson", "Semicircle")


class Garden:
    """Draws specifications; `rough` mixes in nearly degenerate parameters."""

    stream = 20240
    weights = ("gaussian", "haar")  # "haar" is no name, and the seeds below 100000 are drawn so

    def __init__(self, rng: np.random.Generator, *, rough: bool) -> None:
        self.rng = rng
        self.rough = rough

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def number(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def one_of(self, *values: float) -> float:
        return float(values[self.rng.integers(len(values))])

    def nearly(self, value: float) -> float:
        """A number, or one within rounding of it."""
        return value * (1.0 + self.one_of(-1e-12, 1e-12, -1e-15, 1e-9, -1e-6)) if self.spoilt() else value

    def spoilt(self) -> bool:
        return self.rough and self.chance(0.25)

    def probability(self) -> float:
        if self.spoilt():
            return self.one_of(1e-12, 1.0 - 1e-12, 1e-6, 1.0 - 1e-9, 0.5 + 1e-12, 0.5 - 1e-15)
        return self.one_of(0.125, 0.25, 0.5, 0.5, 0.625, 0.75, 0.875) if self.chance(0.5) else self.number(0.02, 0.98)

    def ratio(self) -> float:
        if self.spoilt() and self.chance(0.2):
            return self.one_of(1e-6, 1e6, 1e-3, 1e3)
        return self.nearly(self.one_of(0.5, 1.0, 1.0, 2.0)) if self.chance(0.5) else self.number(0.1, 5.0)

    def scale(self) -> float:
        if self.spoilt():
            return self.one_of(1e-150, 1e150, 1e-8, 1e8, 1e-3, 1e3)
        return 1.0 if self.chance(0.4) else self.number(0.2, 3.0)

    def power(self, *, divisible: bool = False) -> float:
        if divisible and self.chance(0.2):
            return self.number(0.2, 1.0)
        if self.spoilt():
            return self.one_of(1.0 + 1e-12, 2.0 - 1e-9, 17.5, 100.0, 1.0 + 1e-6)
        return self.one_of(1.0, 1.0, 1.0, 1.5, 2.0, 3.0) if self.chance(0.7) else self.number(1.0, 5.0)

    def interval(self, kind: Callable[[float, float], Spec], low: float) -> Spec:
        start = low if self.chance(0.5) else self.number(low, low + 2.0)
        return kind(start, start + (self.one_of(1e-8, 1e-4, 100.0) if self.spoilt() else self.number(0.3, 3.0)))

    def atoms(self, low: int) -> Spec:
        count = int(self.rng.integers(2, 5))
        places = [float(k) / 4.0 for k in sorted(self.rng.choice(np.arange(low, 17), count, replace=False))]
        if self.spoilt():
            places[1] = places[0] + self.one_of(1e-8, 1e-4)
        cuts = sorted(self.rng.choice(np.arange(1, 16), count - 1, replace=False))
        weights = [float(b - a) / 16.0 for a, b in zip([0, *cuts], [*cuts, 16], strict=True)]
        if self.spoilt():
            tiny = self.one_of(1e-12, 1e-7)
            weights = [tiny, *weights[1:-1], weights[-1] + weights[0] - tiny]
        return specs.discrete(places, weights)

    def leaf(self, *, positive: bool) -> Spec:
        low = 0.0 if positive else -2.0
        mean = self.number(0.3, 2.5)
        match int(self.rng.integers(8 if positive else 10)):
            case 0 | 1:
                return specs.bernoulli(self.probability(), self.scale())
            case 2:
                return self.atoms(0 if positive else -8)
            case 3:
                return specs.marchenko_pastur(self.ratio(), self.scale())
            case 4:
                return specs.free_poisson(self.ratio(), self.scale() * (1.0 if positive or self.chance(0.5) else -1.0))
            case 5:
                part = self.nearly(1.0) if self.rough and self.chance(0.2) else self.number(0.1, 0.97)
                return specs.semicircle(mean, (min(part, 1.0) * mean / 2.0) ** 2)
            case 6:
                return self.interval(specs.arcsine, low)
            case 7:
                return self.interval(specs.uniform, low)
            case 8:
                return specs.semicircle(self.number(-2.0, 2.0), self.scale() if self.rough else self.number(0.05, 4.0))
            case _:
                return {"PointMass": {"location": self.number(-2.0, 2.0)}}

    def factors(self, depth: int, *, positive: bool, operation: str) -> list[tuple[Spec, float]]:
        count = 1 if self.chance(0.2) else int(self.rng.integers(2, 4))
        laws = [self.tree(depth - 1, positive=positive) for _ in range(count)]
        divisible = NORMAL_LEAVES if operation == "boxplus" else ("MarchenkoPastur",)
        return [(law, self.power(divisible=next(iter(law)) in divisible)) for law in laws]

    def tree(self, depth: int, *, positive: bool) -> Spec:
        """A tree of at most this depth, on [0, ∞) if `positive`."""
        if depth <= 0 or self.chance(0.15):
            return self.leaf(positive=positive)
        match int(self.rng.integers(10)):
            case 0 | 1 | 2:
                return specs.boxtimes(*self.factors(depth, positive=True, operation="boxtimes"))
            case 3 | 4 | 5:
                return specs.boxplus(*self.factors(depth, positive=positive, operation="boxplus"))
            case 6:
                t = self.nearly(self.one_of(0.25, 0.5, 0.75, 0.9))
                return specs.compress(self.tree(depth - 1, positive=positive), t)
            case 7:
                ratio = self.nearly(self.one_of(0.5, 0.8, 1.25, 2.0, 4.0))
                return specs.resize(self.tree(depth - 1, positive=True), ratio)
            case _:
                scale = self.scale() * (-1.0 if not positive and self.chance(0.4) else 1.0)
                shift = self.number(0.0 if positive else -2.0, 2.0) if self.chance(0.6) else 0.0
                return specs.affine(self.tree(depth - 1, positive=positive), scale, shift)

    def deep(self) -> Spec:
        """A network or a chain of many layers."""
        depth = int(self.one_of(2, 5, 20, 100, 300, 1000))
        if self.chance(0.5):
            network = {
                "depth": depth,
                "activation": str(self.rng.choice(["relu", "leaky_relu", "hard_tanh", "linear"])),
                "weights": str(self.rng.choice(self.weights)),
                "weight_variance": self.one_of(1.0, 1.5, 2.0),
                "bias_variance": self.one_of(0.0, 0.05),
            }
            return {"MLP": {**network, "law": str(self.rng.choice(["jacobian", "ntk"]))}}
        slope = self.leaf(positive=True)
        return {"layers": {"depth": depth, "slope": slope, "scale": self.number(0.3, 1.2), "shift": self.number(0, 1)}}


def build(spec: Spec) -> fc.Law:
    """The law of a specification; ValueError if there is none."""
    (kind, data), *_ = spec.items()
    if kind == "MLP":
        network = fc.MLP(**{key: value for key, value in data.items() if key != "law"})
        law: fc.Law = getattr(network, data["law"])()
        return law
    if kind == "Network":
        return expand.network_law(data)
    if kind in ("boxtimes", "boxplus", "affine", "compress", "resize"):
        combined: fc.Law = load.build(spec, build)
        return combined
    if kind == "layers":
        law, slope = fc.PointMass(1.0), load.build(data["slope"])
        for _ in range(data["depth"]):
            law = data["scale"] * fc.boxtimes(law, slope) + data["shift"]
        return law
    built: fc.Law = load.build(spec)
    return built


def leaves(spec: Spec) -> int:
    """Number of leaves."""
    (kind, data), *_ = spec.items()
    if kind == "Network":
        return leaves(expand.expanded(spec))
    if kind in ("boxtimes", "boxplus"):
        return sum(leaves(factor["law"]) for factor in data)
    return leaves(data["law"]) if kind in ("affine", "compress", "resize") else 1


def draw(seed: int, garden: type[Garden]) -> tuple[Spec, fc.Law]:
    """The specification of a seed in a garden, and its law, which is no point mass."""
    rng = np.random.default_rng([seed, garden.stream])
    for _ in range(TRIES):
        drawer = garden(rng, rough=bool(rng.random() < ROUGH))
        if rng.random() < DEEP:
            spec = drawer.deep()
        else:
            spec = drawer.tree(int(rng.integers(1, 6)), positive=bool(rng.random() < 0.5))
            if leaves(spec) > MOST_LEAVES:
                continue
        try:
            law = build(spec)
        except ValueError:  # no such law
            continue
        if not isinstance(law, fc.PointMass):
            return spec, law
    raise AssertionError(f"no law in {TRIES} tries from seed {seed}")


def regrouped(spec: Spec, rng: np.random.Generator) -> Spec:
    """The same law in another order: factors shuffled, bracketed, and powers from 2 on split."""
    (kind, data), *_ = spec.items()
    if kind == "Network":
        return expand.expanded(spec)
    if kind in ("affine", "compress", "resize"):
        return {kind: {**data, "law": regrouped(data["law"], rng)}}
    if kind not in ("boxtimes", "boxplus"):
        return spec
    factors: list[dict[str, Any]] = []
    for factor in data:
        law, power = regrouped(factor["law"], rng), factor["power"]
        parts = [1.0, power - 1.0] if power >= 2.0 else [power]
        factors += [{"law": law, "power": part} for part in parts]
    order = [factors[i] for i in rng.permutation(len(factors))]
    if len(order) > 2:
        order = [{"law": {kind: order[:2]}, "power": 1.0}, *order[2:]]
    return {kind: order}
