"""How the largest stable learning rate of gradient descent falls with depth, for three networks.

Run: python examples/stable_learning_rates.py
"""

from __future__ import annotations

from functools import partial

import freeconv as fc

DEPTHS = (2, 4, 8, 16)


def largest_eigenvalue(law: fc.Law) -> float:
    """Return the top of a law's spectrum: of its continuous part or its atoms, whichever is higher."""
    return float(max([*law.support().ravel().tolist(), *law.atoms().locations.tolist()]))


def main() -> None:
    """Print 2/λ_max of the tangent kernel, by depth."""
    networks = {
        "relu, gaussian": partial(fc.MLP, activation="relu", weight_variance=2.0),
        "relu, orthogonal": partial(fc.MLP, activation="relu", weights="orthogonal", weight_variance=2.0),
        "hard tanh, orthogonal": partial(
            fc.MLP,
            activation="hard_tanh",
            weights="orthogonal",
            weight_variance=1.05,
            bias_variance=0.002,
            input_variance=0.1,
        ),
    }
    print(f"{'depth':>24}" + "".join(f"{depth:>10}" for depth in DEPTHS))
    for name, network in networks.items():
        rates = [2.0 / largest_eigenvalue(network(depth).ntk()) for depth in DEPTHS]
        print(f"{name:>24}" + "".join(f"{rate:10.4f}" for rate in rates))


if __name__ == "__main__":
    main()
