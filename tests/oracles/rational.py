"""Rational functions of the discrete laws, as polynomials (highest power first): G = numerator / denominator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracles.common import Interval, Number, mpf, plus, polynomial
from tests.oracles.specs import Law
from tests.oracles.tree import atoms_of

Polynomial = list[Number]


def atoms(law: Law) -> list[tuple[Number, Number]]:
    """Atoms of a discrete leaf."""
    pairs = atoms_of(law)
    if pairs is None:
        raise ValueError(f"{next(iter(law))} has no finite list of atoms")
    return pairs


def denominator(law: Law) -> Polynomial:
    """Π (w - a)."""
    return polynomial(*[[mpf(1), -a] for a, _ in atoms(law)])


def numerator(law: Law, values: Sequence[Number] | None = None) -> Polynomial:
    """Σ p_i v_i Π_{j≠i} (w - a_j), with v_i = 1 by default (then the numerator of G)."""
    pairs = atoms(law)
    values = [mpf(1)] * len(pairs) if values is None else values
    terms = []
    for i, (_, weight) in enumerate(pairs):
        rest = [[mpf(1), -a] for j, (a, _) in enumerate(pairs) if j != i]
        terms.append([weight * values[i] * c for c in polynomial(*rest)])
    return plus(*terms)


def scaled(factor: Number, coefficients: Sequence[Number]) -> Polynomial:
    """factor · polynomial."""
    return [factor * c for c in coefficients]


def square_sum(law: Law, values: Sequence[Number]) -> Polynomial:
    """Σ p_i v_i Π_{j≠i} (w - a_j)², the numerator of Σ p_i v_i / (w - a_i)²."""
    pairs = atoms(law)
    terms = []
    for i, (_, weight) in enumerate(pairs):
        rest = [[mpf(1), -a] for j, (a, _) in enumerate(pairs) if j != i for _ in range(2)]
        terms.append([weight * values[i] * c for c in polynomial(*rest)])
    return plus(*terms)


def images(curve: Callable[[Number], Number], critical: Sequence[Number]) -> list[Interval]:
    """Support intervals from the sorted real critical points of z(w): consecutive pairs bound the set z' < 0."""
    return [(curve(critical[k]), curve(critical[k + 1])) for k in range(0, len(critical), 2)]
