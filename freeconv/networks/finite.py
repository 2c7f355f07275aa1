"""One finite network that was run: its eigenvalues, and the laws that its own slopes predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freeconv._validate import choice
from freeconv.laws import Empirical, Law
from freeconv.networks.rectangular import jacobian_law, ntk_law, weight_law
from freeconv.networks.simulation import Layer, jacobian_eigenvalues, ntk_eigenvalues

__all__ = ["SIDES", "FiniteNetwork"]

SIDES = ("output", "input")


@dataclass(frozen=True, eq=False, repr=False)
class FiniteNetwork:
    """A finite network and what its layers did with one input; `MLP.draw` makes it.

    Parameters
    ----------
    layers : tuple of Layer
        W_l, the slopes φ_l'(h^l), and |x^{l−1}|²/N_{l−1}.
    weight_variances : tuple of float
        Those of the `MLP`.
    orthogonal : bool
        Whether its weights are orthogonal.

    Notes
    -----
    The slopes and activations of one network deviate from the mean field by O(1/√width), together for all eigenvalues.
    The laws of `jacobian_law` and `ntk_law` take them as they were measured, and are much closer to this network's
    eigenvalues, which are rigid given the slopes.

    Examples
    --------
    >>> import freeconv as fc
    >>> network = fc.MLP(2, "relu", weight_variance=2.0).draw(300, rng=1)
    >>> bool(abs(network.jacobian_law().mean() - network.jacobian_eigenvalues().mean()) < 0.05)
    True
    """

    layers: tuple[Layer, ...]
    weight_variances: tuple[float, ...]
    orthogonal: bool

    def __repr__(self) -> str:
        return f"FiniteNetwork(sizes={self.sizes})"

    @property
    def sizes(self) -> tuple[int, ...]:
        """N_0, …, N_L."""
        return self.layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in self.layers)

    def jacobian_eigenvalues(self, side: str = "output") -> NDArray[np.float64]:
        """Return the eigenvalues of J Jᵀ or JᵀJ, ascending; those that have to be 0 are exactly 0."""
        return jacobian_eigenvalues(self.layers, self.sizes, choice("side", side, SIDES))

    def ntk_eigenvalues(self) -> NDArray[np.float64]:
        """Return the eigenvalues of H_L, ascending."""
        return ntk_eigenvalues(self.layers, self.sizes)

    def jacobian_law(self, side: str = "output") -> Law:
        """Return the law that the measured squared slopes predict for J Jᵀ or JᵀJ.

        Parameters
        ----------
        side : {"output", "input"}

        Returns
        -------
        Law
        """
        side = choice("side", side, SIDES)
        return jacobian_law(self._slope_laws(), self._weight_laws(), self.sizes, side)

    def ntk_law(self) -> Law:
        """Return the law that the measured squared slopes and mean squares of the activations predict for H_L.

        Returns
        -------
        Law
        """
        moments = [layer.input_moment for layer in self.layers]
        return ntk_law(self._slope_laws()[:-1], self._weight_laws()[1:], self.sizes[1:], moments)

    def _slope_laws(self) -> list[Law]:
        return [Empirical(layer.slopes * layer.slopes) for layer in self.layers]

    def _weight_laws(self) -> list[Law]:
        shapes = [layer.weight.shape for layer in self.layers]
        return [
            weight_law(before, after, variance, orthogonal=self.orthogonal)
            for (after, before), variance in zip(shapes, self.weight_variances, strict=True)
        ]
