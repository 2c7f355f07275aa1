"""Agreement with free sums and products of random matrices: the tree as one matrix of a few hundred rows.

Leaves are diagonal matrices of their own quantiles, squared slopes of those of a Gaussian, in Haar-random positions.
Trees with multiplicities other than 1, 2 or 3 and with size changes are left out: they would need larger matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tests import random_matrices as rm
from tests.oracles.specs import Law as Spec
from tests.stress import slopes, trees
from tests.stress.case import Case

SIZE = 240
LARGEST_SPREAD = 1e4
"""Of the eigenvalues of a factor about its mean: matrices of doubles lose the small ones of wider laws."""


class UnfitError(Exception):
    """A tree that is no small matrix."""


def eigenvalues(spec: Spec, rng: np.random.Generator) -> NDArray[np.float64]:
    """`SIZE` eigenvalues of a matrix model of the tree.

    Raises
    ------
    UnfitError
        For real multiplicities, size changes and laws that are too wide.
    """
    (kind, data), *_ = spec.items()
    if kind == "affine":
        return np.sort(eigenvalues(data["law"], rng) * data["scale"] + data["shift"])
    if kind in ("boxplus", "boxtimes"):
        diagonals = []
        for factor in data:
            if factor["power"] not in (1.0, 2.0, 3.0):
                raise UnfitError
            diagonals += [eigenvalues(factor["law"], rng) for _ in range(int(factor["power"]))]
        if kind == "boxplus":
            return rm.rotated_sum(diagonals, rng)
        return rm.rotated_product([np.maximum(diagonal, 0.0) for diagonal in diagonals], rng)
    if kind in ("compress", "resize", "MLP", "layers", "Network"):
        raise UnfitError
    middles = (np.arange(SIZE) + 0.5) / SIZE
    if kind == "SlopeLaw":
        return slopes.squared(data["activation"], np.sqrt(data["variance"]) * ndtri(middles))
    law: Any = trees.build(spec)
    values = np.asarray(law.quantile(middles), dtype=np.float64)
    if np.ptp(values) > LARGEST_SPREAD * max(1e-300, abs(float(np.median(values)))) or np.abs(values).max() > 1e100:
        raise UnfitError
    return values


def distance(case: Case) -> float:
    """Lévy distance, in widths, of the law to the eigenvalues of one matrix.

    The Kolmogorov distance would be that of eigenvalues that scatter about an atom.
    """
    values = np.sort(eigenvalues(case.spec, case.rng))
    empirical = np.arange(SIZE + 1) / SIZE
    low, high = 0.0, 1.0
    for _ in range(14):
        e = 0.5 * (low + high)
        right = np.asarray(case.law.cdf(values + e * case.width), dtype=np.float64)
        left = np.asarray(case.law.cdf(values - e * case.width), dtype=np.float64)
        near = bool(np.all(left - e <= empirical[:-1]) and np.all(empirical[1:] <= right + e))
        low, high = (low, e) if near else (e, high)
    return high


def matrices(case: Case) -> None:
    """The law is the limit of the matrices: a few eigenvalues off at this size, 0.3 if a branch is wrong."""
    try:
        found = distance(case)
    except UnfitError:
        return
    bound = rm.kolmogorov_bound(SIZE, factors=trees.leaves(case.spec) + 1)
    case.tried["matrices"] += SIZE
    case.wrong("matrices", found > bound, np.nan, found, bound, "Lévy distance")
