"""Compare the limit law of a Jacobian with the eigenvalues of finite networks.

Run: python examples/limit_against_simulation.py
"""

from __future__ import annotations

import numpy as np

import freeconv as fc

WIDTH, SAMPLES = 400, 20


def main() -> None:
    """Print moments, the atom at 0 and the largest eigenvalue, of the limit and of the simulation."""
    net = fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0)
    law = net.jacobian()
    eigenvalues = net.simulate_jacobian(WIDTH, samples=SAMPLES, rng=0)

    print(f"{net.depth} ReLU layers, orthogonal weights; {SAMPLES} networks of width {WIDTH}")
    print(f"{'':20} {'limit':>10} {'simulated':>10}")
    for k in (1, 2, 3):
        print(f"{f'moment {k}':20} {law.moment(k):10.4f} {np.mean(eigenvalues**k):10.4f}")
    atoms = law.atoms()
    at_zero = atoms.weights[atoms.locations == 0.0].sum()
    print(f"{'weight of 0':20} {at_zero:10.4f} {np.mean(eigenvalues < 1e-12):10.4f}")
    print(f"{'largest eigenvalue':20} {law.support().max():10.4f} {eigenvalues.max(axis=1).mean():10.4f}")


if __name__ == "__main__":
    main()
