"""Tangent kernels: nested products, whose cost grows like the depth."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

import freeconv as fc
from bench import baselines
from bench.case import Group, Target, per_point
from bench.common import NEWTON, baseline_case, density_case, reference

__all__ = ["GROUPS", "hard_tanh", "relu"]

STEPS = 6
"""Newton steps at each of the ten heights in the baseline that is asked for."""


def layers_of(net: fc.MLP, *, gaussian: bool) -> baselines.KernelLayers:
    """What the recursion H ↦ q̂ + σ² (coin ⊠ H) takes from a network of piecewise-linear layers."""
    found = net.mean_field()
    gains = np.array([layer.weight_variance for layer in net.layers])
    return baselines.KernelLayers(
        first=net.input_variance,
        shares=tuple((found.chi / gains)[:-1].tolist()),
        gains=tuple(gains[1:].tolist()),
        shifts=tuple(found.activation_variance[:-1].tolist()),
        gaussian=gaussian,
    )


@lru_cache
def hard_tanh() -> fc.MLP:
    """Ten orthogonal hard-tanh layers, all different."""
    variances = np.linspace(1.05, 1.23, 10)
    return fc.MLP(10, "hard_tanh", weights="orthogonal", weight_variance=variances, bias_variance=0.05)


@lru_cache
def relu(depth: int, weights: str) -> fc.MLP:
    """Equal ReLU layers at σ_w² = 2; the recursion's steps are not merged."""
    return fc.MLP(depth, "relu", weights=weights, weight_variance=2.0)


def newton(net: fc.MLP, x: baselines.Array, *, gaussian: bool, many: bool = False) -> baselines.Array:
    """Newton of the chain: economical, or as it is asked for, with ten heights and six steps at each."""
    layers = layers_of(net, gaussian=gaussian)
    if not many:
        return baselines.kernel_newton(layers, x)
    return baselines.kernel_newton(layers, x, np.geomspace(8.0, 1e-9, 10), STEPS)


def relu_group(depth: int, weights: str) -> Group:
    """Densities of a kernel of equal layers, beside the NumPy Newton."""
    entry = partial(reference, "ntk", "Gaussian ReLU L=20") if (depth, weights) == (20, "gaussian") else None
    net = partial(relu, depth, weights)
    gaussian = weights == "gaussian"
    name = "Gaussian" if gaussian else "orthogonal"

    def baseline(x: baselines.Array) -> baselines.Array:
        return newton(net(), x, gaussian=gaussian)

    return Group(
        f"kernel-{weights}-{depth}",
        f"Tangent kernel, {name} ReLU, L = {depth}",
        (
            density_case("freeconv", lambda: net().ntk(), 10_000, margin=1e-3, entry=entry),
            baseline_case(NEWTON, lambda: net().ntk(), baseline, 2000),
        ),
    )


OWN, ISSUE, FEWEST = "freeconv", "NumPy, Newton at 10 heights, 6 steps each", f"{NEWTON}, 6 × 4"

GROUPS = (
    Group(
        "ntk",
        "Tangent kernel, orthogonal hard tanh, ten different layers",
        (
            density_case(OWN, lambda: hard_tanh().ntk(), 100_000),
            baseline_case(
                ISSUE,
                lambda: hard_tanh().ntk(),
                lambda x: newton(hard_tanh(), x, gaussian=False, many=True),
                10_000,
            ),
            baseline_case(FEWEST, lambda: hard_tanh().ntk(), lambda x: newton(hard_tanh(), x, gaussian=False), 10_000),
        ),
        (Target("kernel of ten layers against its NumPy Newton", per_point(ISSUE, OWN), 50.0, at_least=True),),
    ),
    *(relu_group(depth, "gaussian") for depth in (5, 10, 20, 40)),
    relu_group(20, "orthogonal"),
)
