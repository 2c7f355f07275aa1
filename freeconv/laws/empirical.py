"""Laws of what was measured: eigenvalues, squared slopes, squared singular values."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from freeconv._validate import finite_sequence
from freeconv.laws.base import Law
from freeconv.laws.leaves import Discrete, PointMass

__all__ = ["Empirical"]


def Empirical(samples: Iterable[float] | ArrayLike, weights: Iterable[float] | ArrayLike | None = None) -> Law:  # noqa: N802  # named like the laws beside which it is used
    """Return the empirical law of samples: each with the same weight, or with weights in proportion to those given.

    Parameters
    ----------
    samples : array_like, shape (n,)
        Finite; equal ones become one atom.
    weights : array_like, shape (n,), optional
        ≥ 0, not all 0; they need not sum to 1.

    Returns
    -------
    Law
        A `Discrete`, or a `PointMass` where there is one point only.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such.

    Notes
    -----
    (1/n) Σ δ_{x_i}.  In a tree, fewer than 96 atoms cost a division each, a point and a Newton step.  More are seen
    as clusters, each by its Gauss rule where the point is not near: 10⁵ cost as much as 12 where it is farther off than
    1.3 widths, and a few hundred beside them, with the same digits (docs/many_atoms.md).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.Empirical([1.0, 0.0, 1.0, 1.0])
    Discrete(locations=(0.0, 1.0), weights=(0.25, 0.75))
    >>> fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Empirical([1.0, 2.0, 3.0])).mean()
    2.0
    """
    points = np.array(finite_sequence("samples", samples), dtype=np.float64)
    if points.size == 0:
        raise ValueError("samples must have at least one entry, got none")
    shares = np.ones(points.size) if weights is None else np.array(finite_sequence("weights", weights))
    if shares.size != points.size:
        raise ValueError(f"samples and weights must be of one length, got {points.size} and {shares.size}")
    if (shares < 0.0).any():
        i = int(np.argmax(shares < 0.0))
        raise ValueError(f"weights[{i}] must be >= 0, got {shares[i].item()!r}")
    if not shares.max() > 0.0:
        raise ValueError("weights must not all be 0")
    shares = shares / shares.max()  # so that no sum overflows
    locations, index = np.unique(points[shares > 0.0], return_inverse=True)
    sums = np.bincount(index, weights=shares[shares > 0.0])
    if locations.size == 1:
        return PointMass(float(locations[0]))
    return Discrete(locations, sums / sums.sum())
