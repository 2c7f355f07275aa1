"""Eigenvalues as a histogram that can stand beside a law's density."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._grids import real_grid
from freeconv.atoms import Atoms
from freeconv.comparison import at_atoms

__all__ = ["Histogram", "histogram"]

FEWEST, MOST = 10, 100


@dataclass(frozen=True, eq=False)
class Histogram:
    """A sample as numbers to draw.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
        Ascending; of one entry where no eigenvalue is off the atoms.
    heights : ndarray, shape (bins,)
        Numbers of eigenvalues off the atoms, over the size of the sample and the width of the bin: comparable with the
        density.
    atom_weights : ndarray, shape (number of atoms,)
        The parts of the sample at each atom of the law.
    """

    edges: NDArray[np.float64]
    heights: NDArray[np.float64]
    atom_weights: NDArray[np.float64]


def histogram(atoms: Atoms, eigenvalues: ArrayLike, *, logarithmic: bool = False) -> Histogram:
    """Count eigenvalues in bins, those at atoms of a law apart.

    Parameters
    ----------
    atoms : Atoms
        Those of the law to compare with.
    eigenvalues : array_like, real
        Any shape.
    logarithmic : bool
        Bins of equal width in log x, for the positive eigenvalues.

    Returns
    -------
    Histogram
        Of √n bins, 10 at least and 100 at most, for n eigenvalues off the atoms.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.histogram import histogram
    >>> found = histogram(fc.Bernoulli(0.5).atoms(), [0.0, 0.0, 0.5, 0.75, 1.0])
    >>> found.atom_weights.tolist(), float((found.heights * (found.edges[1:] - found.edges[:-1])).sum().round(9))
    ([0.4, 0.2], 0.4)
    """
    values, _ = real_grid("eigenvalues", eigenvalues)
    nearest = at_atoms(atoms, values)
    weights = np.bincount(nearest[nearest >= 0], minlength=len(atoms)) / max(values.size, 1)
    bulk = values[(nearest < 0) & ((values > 0.0) | (not logarithmic))]
    if not bulk.size:
        return Histogram(np.zeros(1), np.zeros(0), weights)
    bins = min(max(math.isqrt(bulk.size), FEWEST), MOST)
    low, high = float(bulk.min()), float(bulk.max())
    edges = np.geomspace(low, high, bins + 1) if logarithmic and low < high else np.histogram_bin_edges(bulk, bins)
    edges[0], edges[-1] = min(low, edges[0]), max(high, edges[-1])
    counts, _ = np.histogram(bulk, edges)
    return Histogram(edges, counts / (values.size * np.diff(edges)), weights)
