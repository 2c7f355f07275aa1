"""Deep orthogonal networks on the critical line, tuned to one variance σ₀² of their Jacobians, tend to universal laws.

For each depth L the pre-activation variance q is chosen with L (E φ'⁴/(E φ'²)² − 1) = σ₀², the weights with
σ_w² E φ'² = 1, and the biases so that q is a fixed point. Printed is the Kolmogorov distance to the limit: it
falls like 1/L where slopes are 0 or 1. Where they are smooth it is that of their skewness: of the order of 1/L where
φ'² is 1 + c h for small h (GELU, SiLU), and 1/√L where it is 1 − c h² (erf, tanh).

Run: python examples/isometry_limits.py
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

import freeconv as fc

VARIANCE = 0.5
CLASSES = {"hard_tanh": "bernoulli", "gelu": "smooth", "silu": "smooth", "erf": "smooth"}


def tuned(depth: int, name: str) -> fc.MLP:
    """The critical network of this depth whose Jacobian has the variance VARIANCE."""
    activation = fc.activations.resolve(name)

    def excess(log_q: float) -> float:
        q = math.exp(log_q)
        return depth * (activation.slope_fourth_moment(q) / activation.slope_second_moment(q) ** 2 - 1.0) - VARIANCE

    q = math.exp(brentq(excess, math.log(1e-6), math.log(10.0), xtol=1e-14))
    weight_variance = 1.0 / activation.slope_second_moment(q)
    moment = activation.second_moment(q)
    return fc.MLP(
        depth,
        activation,
        weights="orthogonal",
        weight_variance=weight_variance,
        bias_variance=max(0.0, q - weight_variance * moment),
        input_variance=moment,
    )


def distance(law: fc.Law, limit: fc.Law) -> float:
    """The Kolmogorov distance on a grid; atoms, which move to their limit, are left out with what is beside them."""
    x = np.linspace(0.0, 1.05 * float(limit.support().max()), 2001)[1:]
    near = [np.abs(x - location) < 0.05 for location in (*law.atoms().locations, *limit.atoms().locations)]
    keep = ~np.any(near, axis=0) if near else np.ones(x.shape, dtype=bool)
    return float(np.abs(law.cdf(x[keep]) - limit.cdf(x[keep])).max())


def main() -> None:
    """Print the distances, by depth."""
    print(f"σ₀² = {VARIANCE}        L =" + "".join(f"{depth:10}" for depth in (5, 20, 80, 200)))
    for name, kind in CLASSES.items():
        limit = fc.isometry_limit(kind, VARIANCE)
        row = [distance(tuned(depth, name).jacobian(), limit) for depth in (5, 20, 80, 200)]
        print(f"{name:10} → {kind:10}" + "".join(f"{value:10.5f}" for value in row))


if __name__ == "__main__":
    main()
