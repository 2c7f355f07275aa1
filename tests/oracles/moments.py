"""First eight moments of a dozen laws by exact power series.

Checked against closed forms (ReLU Gaussian 1, 7, 67, 741, orthogonal 1, 4, 19, 98, kernel 3, 14, 78), the known
numbers of leaky ReLU and hard tanh, and for semicircle ⊞ atoms and MP ⊠ atoms the second and third moments by a
quadrature of the density.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tests.oracles import additive, leaky_relu, mp_discrete, relu_gaussian, relu_haar
from tests.oracles.common import Entry, Interval, Number, agree, integral, mp, mpf, write_table
from tests.oracles.mean_field import hard_tanh
from tests.oracles.ntk import clipped, relu
from tests.oracles.series import moments
from tests.oracles.specs import (
    affine,
    arcsine,
    bernoulli,
    boxplus,
    boxtimes,
    compress,
    discrete,
    free_poisson,
    marchenko_pastur,
    resize,
    semicircle,
    uniform,
)


def quadrature(density: Callable[[Number], Number], support: Sequence[Interval]) -> list[Number]:
    """∫ xⁿ f dx for n = 0 .. 3."""

    def weighted(n: int, x: Number) -> Number:
        return x**n * density(x)

    with mp.workdps(25):
        return [mp.fsum(integral(partial(weighted, n), *ends, 100) for ends in support) for n in range(4)]


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
    three, ten = discrete([-2, 0.5, 3], [0.25, 0.5, 0.25]), discrete([1, 3, 10], [0.25, 0.25, 0.5])
    centred = moments(affine(laws["semicircle + atoms"], 1.0, -0.5), 3)
    sums = quadrature(partial(additive.density, 0.25, three), additive.support(0.25, three))
    products = quadrature(partial(mp_discrete.density, 0.05, ten), mp_discrete.support(0.05, ten))
    for n in (1, 2, 3):
        agree(sums[n] + 1, centred[n - 1] + 1, f"quadrature of moment {n}, semicircle + atoms", 1e-9)
        agree(products[n], found["MP(0.05) x {1,3,10}"][n - 1], f"quadrature of moment {n}, MP x atoms", 1e-9)
    return [Entry(name, law, moments=found[name]) for name, law in laws.items()]


def main() -> None:
    """Regenerate the table."""
    write_table("moments", "closed forms, independently computed numbers", entries())


if __name__ == "__main__":
    main()
