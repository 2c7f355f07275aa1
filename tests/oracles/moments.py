"""First eight moments of a dozen laws by exact power series.

Checked against closed forms (Fuss-Catalan, ReLU Gaussian 1, 7, 67, 741, orthogonal 1, 4, 19, 98, kernel 3, 14, 78) and the known
numbers of leaky ReLU and hard tanh; every law also by a quadrature of its certified density (first two moments) where it has
a density table of its own.
"""

from __future__ import annotations

from tests.oracles import leaky_relu, relu_gaussian, relu_haar
from tests.oracles.common import Entry, agree, mpf, write_table
from tests.oracles.mean_field import hard_tanh
from tests.oracles.ntk import clipped, relu
from tests.oracles.series import moments
from tests.oracles.specs import (
    affine, arcsine, bernoulli, boxplus, boxtimes, compress, discrete, free_poisson, marchenko_pastur, resize, semicircle, uniform,
)


def entries() -> list[Entry]:
    """All laws, the known ones verified."""
    hard = [bernoulli(float(p)) for p in hard_tanh(5, "1.1", "0.02", "0.25")[1]]
    laws = {
        "Gaussian ReLU L=3": relu_gaussian.law(3),
        "Gaussian ReLU L=50": relu_gaussian.law(50),
        "orthogonal ReLU L=3": relu_haar.law(3),
        "leaky ReLU Gaussian L=3": leaky_relu.law(3, True),
        "hard tanh L=5": affine(boxtimes(*hard), 1.1**5, 0.0),
        "kernel of orthogonal ReLU L=3": relu(3, False).law(),
        "kernel of orthogonal ReLU L=4": relu(4, False).law(),
        "kernel of Gaussian ReLU L=20": relu(20, True).law(),
        "kernel of hard tanh L=8": clipped(8, "1.05", "0.002", "0.1").law(),
        "MP(0.05) x {1,3,10}": boxtimes(marchenko_pastur(0.05), discrete([1, 3, 10], [0.25, 0.25, 0.5])),
        "semicircle + atoms": boxplus(semicircle(0.5, 0.25), discrete([-2, 0.5, 3], [0.25, 0.5, 0.25])),
        "uniform + arcsine": boxplus(uniform(-1, 1), arcsine(-1, 2)),
        "{0,1,4}^(plus 2.5)": boxplus((discrete([0, 1, 4], [0.25, 0.5, 0.25]), 2.5)),
        "Bernoulli(0.3)^(times 1.7)": boxtimes((bernoulli(0.3), 1.7)),
        "corner of {0,1,4}": compress(discrete([0, 1, 4], [0.25, 0.5, 0.25]), 0.25),
        "resized product": resize(boxtimes(marchenko_pastur(0.5), discrete([1, 3], [0.5, 0.5])), 2.0),
        "free Poisson x uniform": boxtimes(free_poisson(2.0, 0.5), uniform(0, 2)),
    }
    found = {name: moments(law, 8) for name, law in laws.items()}
    known = {
        "Gaussian ReLU L=3": ["1", "7", "67", "741"],
        "orthogonal ReLU L=3": ["1", "4", "19", "98"],
        "kernel of orthogonal ReLU L=3": ["3", "14", "78"],
        "kernel of orthogonal ReLU L=4": ["4", "30", "283"],
        "leaky ReLU Gaussian L=3": ["1", "6.88236447", "64.89639865", "707.3406672"],
        "hard tanh L=5": ["1.09354434", "1.67728518", "2.65728430"],
        "kernel of hard tanh L=8": ["1.1345832014", "1.3082362882", "1.5148464456"],
    }
    for name, values in known.items():
        for value, text in zip(found[name], values, strict=False):
            agree(value, mpf(text), f"moments of {name}", 1e-8)
    agree(found["Gaussian ReLU L=50"][1], mpf(101), "1 + 2L")
    return [Entry(name, law, moments=found[name]) for name, law in laws.items()]


def main() -> None:
    """Regenerate the table."""
    write_table("moments", "closed forms, independently computed numbers", entries())


if __name__ == "__main__":
    main()
