"""Laws of what was measured on a finite network."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from freeconv.laws import Discrete, Law, PointMass

__all__ = ["measured_law"]


def measured_law(values: ArrayLike) -> Law:
    """Return the law that gives every value the same weight.

    Parameters
    ----------
    values : array_like, shape (n,)
        Squared slopes or squared singular values; equal ones become one atom.

    Returns
    -------
    Law

    Examples
    --------
    >>> from freeconv.networks.measured import measured_law
    >>> measured_law([1.0, 0.0, 1.0, 1.0])
    Discrete(locations=(0.0, 1.0), weights=(0.25, 0.75))
    """
    locations, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    if locations.size == 1:
        return PointMass(float(locations[0]))
    return Discrete(locations, counts / counts.sum())
