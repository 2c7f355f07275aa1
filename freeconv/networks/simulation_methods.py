"""What an `MLP` offers of finite networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from freeconv import _validate
from freeconv.activations import Activation
from freeconv.networks.finite import SIDES, FiniteNetwork
from freeconv.networks.simulation import Layer, forward, jacobian_eigenvalues, ntk_eigenvalues, stacked
from freeconv.networks.widths import sizes

__all__ = ["SimulationMethods"]


class SimulationMethods(ABC):
    """Draw finite networks."""

    def draw(self, width: int, rng: np.random.Generator | int | None = None) -> FiniteNetwork:
        """Draw one finite network and run it forward, to have its eigenvalues, and laws from its measured slopes.

        Parameters
        ----------
        width : int
            The width of the widest layer, ≥ 1; the others are in proportion, rounded, at least 1.
        rng : Generator, int or None
            As in `numpy.random.default_rng`.

        Returns
        -------
        FiniteNetwork
            It holds all its weights: 8 Σ N_l N_{l−1} bytes.

        Raises
        ------
        TypeError, ValueError
            If `width` is not an integer ≥ 1.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", widths=[2, 4, 1]).draw(100, rng=0).sizes
        (50, 100, 25)
        """
        return FiniteNetwork(
            tuple(self._forward(_validate.integer("width", width), np.random.default_rng(rng))),
            self._variances()[1],
            orthogonal=self._orthogonal,
        )

    def simulate_jacobian(
        self,
        width: int,
        samples: int = 1,
        rng: np.random.Generator | int | None = None,
        *,
        side: str = "output",
        progress: bool = False,
    ) -> NDArray[np.float64]:
        """Draw finite networks and return the eigenvalues of J Jᵀ or JᵀJ.

        Parameters
        ----------
        width : int
            The width of the widest layer, ≥ 1; the others are in proportion, rounded, at least 1.
        samples : int
            The number of networks, ≥ 1.
        rng : Generator, int or None
            As in `numpy.random.default_rng`.
        side : {"output", "input"}
            "output" for J Jᵀ, "input" for JᵀJ.
        progress : bool
            Show a progress bar; needs tqdm.

        Returns
        -------
        ndarray, shape (samples, N_L) or (samples, N_0)
            The eigenvalues of each network, ascending.  As many are exactly 0 as the widths and the slopes 0 force to
            be.

        Raises
        ------
        TypeError, ValueError
            If `width` or `samples` is not an integer ≥ 1, or `side` is neither.
        ImportError
            If a progress bar is asked for and tqdm is not installed.

        Notes
        -----
        Each network runs forward from an input of uniformly random direction and |x⁰|²/N_0 = input_variance exactly;
        D_l is read off the pre-activations that occur.  At any depth at most eight matrices of the widest layers are in
        memory at once: 64 N² bytes, 64 MB for N = 1000, beside the result.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=2.0).simulate_jacobian(50, samples=3, rng=0).shape
        (3, 50)
        """
        side = _validate.choice("side", side, SIDES)
        finite, samples = self._sizes(width), _validate.integer("samples", samples)
        generator = np.random.default_rng(rng)
        return stacked(
            lambda: jacobian_eigenvalues(self._forward(width, generator), finite, side), samples, progress=progress
        )

    def simulate_ntk(
        self,
        width: int,
        samples: int = 1,
        rng: np.random.Generator | int | None = None,
        *,
        progress: bool = False,
    ) -> NDArray[np.float64]:
        """Draw finite networks and return the eigenvalues of H_L.

        Parameters
        ----------
        width, samples, rng, progress
            As in `simulate_jacobian`.

        Returns
        -------
        ndarray, shape (samples, N_L)
            The eigenvalues of each network, ascending.

        Raises
        ------
        TypeError, ValueError, ImportError
            As in `simulate_jacobian`.

        Notes
        -----
        H_{l+1} = |x^l|²/N_l + W_{l+1} D_l H_l D_l W_{l+1}ᵀ, exact at any width, on the forward pass of
        `simulate_jacobian`, with as much memory.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=2.0).simulate_ntk(50, samples=3, rng=0).shape
        (3, 50)
        """
        finite, samples = self._sizes(width), _validate.integer("samples", samples)
        generator = np.random.default_rng(rng)
        return stacked(lambda: ntk_eigenvalues(self._forward(width, generator), finite), samples, progress=progress)

    @property
    @abstractmethod
    def _orthogonal(self) -> bool:
        """Whether the weights are orthogonal."""

    @abstractmethod
    def _widths(self) -> tuple[float, ...]:
        """N_0, …, N_L, up to a factor."""

    @abstractmethod
    def _variances(self) -> tuple[tuple[Activation, ...], tuple[float, ...], tuple[float, ...], float]:
        """Activations, weight and bias variances of all layers, and q̂_0."""

    def _sizes(self, width: int) -> tuple[int, ...]:
        return sizes(self._widths(), _validate.integer("width", width))

    def _forward(self, width: int, rng: np.random.Generator) -> Iterator[Layer]:
        return forward(*self._variances(), orthogonal=self._orthogonal, sizes=self._sizes(width), rng=rng)
