"""The second generation of random trees: slopes, samples, isometry limits and small networks among the leaves."""

from __future__ import annotations

import numpy as np

from tests.oracles import specs
from tests.oracles.specs import Law as Spec
from tests.stress.slopes import PIECEWISE_LINEAR
from tests.stress.trees import Garden

CURVED = ("tanh", "erf", "sigmoid", "softplus", "silu", "gelu", "elu", "selu", "sin", "cos")
SLOPES = tuple((name, q) for name in CURVED for q in (0.5703125, 2.0))
"""Few, since each costs some tenths of a second when it is made."""
ROUGH_SLOPES = (
    *((name, 1e-3) for name in CURVED),
    *((name, 100.0) for name in ("tanh", "sigmoid", "softplus", "silu", "elu", "selu", "cos")),
    *(("erf", 30.0), ("gelu", 30.0), ("tanh", 0.03), ("silu", 0.02), ("elu", 1e-8), ("cos", 1e-8)),
)
NEW = 0.4
"""The fraction of new leaves."""
NETWORKS = 0.12
"""Of the new leaves."""


class Orchard(Garden):
    """Gardens with every kind of leaf."""

    stream = 20241
    weights = ("gaussian", "orthogonal")

    def leaf(self, *, positive: bool) -> Spec:
        if not self.chance(NEW):
            return super().leaf(positive=positive)
        if self.chance(NETWORKS):
            return self.network()
        match int(self.rng.integers(7)):
            case 0 | 1 | 2:
                return self.slope()
            case 3 | 4:
                return self.samples(positive=positive)
            case 5:
                kind = "bernoulli" if self.chance(0.5) else "smooth"
                variance = self.number(0.05, 3.0)
                if self.spoilt():
                    variance = self.one_of(1.0, 1.0 - 1e-12, 1.0 + 1e-9, 1e-3, 1e-6, 20.0)
                return {"isometry_limit": {"kind": kind, "variance": variance}}
            case _:
                name = str(self.rng.choice(["relu", "leaky_relu", "hard_tanh"]))
                return specs.slope_law(name, self.one_of(1e-3, 0.1, 0.5, 2.0, 100.0))

    def slope(self) -> Spec:
        """A curved activation's."""
        pool = ROUGH_SLOPES if self.spoilt() else SLOPES
        return specs.slope_law(*pool[int(self.rng.integers(len(pool)))])

    def samples(self, *, positive: bool) -> Spec:
        """5 to 200 numbers, evenly spread, squared, or in clusters with repetitions."""
        count = int(np.exp(self.number(np.log(5.0), np.log(200.0))))
        match int(self.rng.integers(3)):
            case 0:
                drawn = self.rng.standard_normal(count) ** 2
            case 1:
                drawn = self.rng.random(count) * 3.0
            case _:
                drawn = self.rng.choice([0.0, 0.5, 1.0, 2.0], count) + np.round(self.rng.random(count), 1)
        if self.spoilt():
            drawn = 1.0 + drawn * self.one_of(1e-3, 1e-6)
        if not positive and self.chance(0.5):
            drawn = drawn - 1.0
        drawn[0] += 0.25  # no point mass
        return {"Empirical": {"samples": drawn.tolist()}}

    def network(self, deepest: int = 3) -> Spec:
        """A rectangular network of few layers."""
        depth = int(self.rng.integers(1, deepest + 1))
        curved = self.chance(0.35)
        names = CURVED if curved else PIECEWISE_LINEAR
        one = str(self.rng.choice(names))
        several = depth > 1 and self.chance(0.3)
        sizes = [64.0]
        for _ in range(depth):
            ratio = self.one_of(0.5, 1.0, 1.25, 2.0) if self.chance(0.6) else self.number(0.2, 5.0)
            if self.spoilt():
                ratio = self.one_of(1.0 + 1e-9, 1.0 - 1e-9, 0.01, 100.0)
            sizes.append(sizes[-1] * ratio)
        law = "ntk" if self.chance(0.5) else "jacobian"
        return {
            "Network": {
                "widths": sizes,
                "activation": [str(self.rng.choice(names)) for _ in range(depth)] if several else one,
                "weights": "orthogonal" if self.chance(0.5) else "gaussian",
                "weight_variance": self.one_of(1.0, 1.5, 2.0),
                "bias_variance": self.one_of(0.0, 0.05, 0.3),
                "input_variance": self.one_of(0.25, 1.0, 2.0),
                "law": law,
                "side": "input" if law == "jacobian" and self.chance(0.5) else "output",
            }
        }

    def deep(self) -> Spec:
        """A network of up to five layers in half of the cases."""
        return self.network(5) if self.chance(0.5) else super().deep()
