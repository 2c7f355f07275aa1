"""Where a law lives, as every law offers it; the modules of these names compute it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from freeconv.laws.delegate import module

if TYPE_CHECKING:
    from freeconv.atoms import Atoms
    from freeconv.edges import Edge

__all__ = ["ShapeMethods"]


class ShapeMethods:
    """Support, edges and atoms."""

    def support(self) -> NDArray[np.float64]:
        """Return the support of the continuous part.

        Returns
        -------
        ndarray, shape (k, 2)
            The ends of its k intervals, ascending; k = 0 for a law of atoms only.

        Raises
        ------
        ConvergenceError
            If not all of the mass could be located.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.Semicircle().support().round(9).tolist()
        [[-2.0, 2.0]]
        """
        intervals: NDArray[np.float64] = module("spectrum").support(self)
        return intervals

    def edges(self) -> tuple[Edge, ...]:
        """Return how the density ends at both ends of every interval of the support.

        Returns
        -------
        tuple of Edge
            Ascending, with `location`, `side` (+1 if the density lies to the right), `kind`, `exponent` and
            `coefficient`: density ≈ coefficient · |x − location|^exponent.  A cusp or a would-be atom inside an
            interval has two, one a side.

        Raises
        ------
        ConvergenceError
            If not all of the mass could be located.

        Notes
        -----
        The exponent of a hard edge at 0 is known from the order of the zero of z(m) there; the others are read off
        densities near the edge.

        Examples
        --------
        >>> import freeconv as fc
        >>> [(edge.location, str(edge.kind)) for edge in fc.MarchenkoPastur().edges()]
        [(0.0, 'hard'), (4.0, 'square_root')]
        """
        found: tuple[Edge, ...] = module("edges").edges(self)
        return found

    def atoms(self) -> Atoms:
        """Return all atoms and their weights.

        Returns
        -------
        Atoms
            `locations`, ascending, and `weights`.

        Notes
        -----
        Exact rules through the tree, see `freeconv.atoms.atoms`.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.boxtimes(fc.Bernoulli(0.75), fc.Bernoulli(0.75, 2.0)).atoms()
        Atoms(locations=[0.0, 2.0], weights=[0.25, 0.5])
        """
        known: Atoms = module("atoms").atoms(self)
        return known
