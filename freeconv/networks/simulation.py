"""Finite random networks: what the limit laws are the limits of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation

__all__ = ["Layer", "forward", "jacobian_eigenvalues", "ntk_eigenvalues", "stacked"]


class Layer(NamedTuple):
    """One layer of one finite network: W_l, the diagonal of D_l, and |x^{l−1}|²/N_{l−1}."""

    weight: NDArray[np.float64]
    slopes: NDArray[np.float64]
    input_moment: float


def forward(
    activations: Sequence[Activation],
    weight_variances: Sequence[float],
    bias_variances: Sequence[float],
    input_variance: float,
    *,
    orthogonal: bool,
    sizes: Sequence[int],
    rng: np.random.Generator,
) -> Iterator[Layer]:
    """Draw one network and run it forward on an input of random direction and exact mean square; hand out its layers.

    Parameters
    ----------
    activations : sequence of Activation, length depth
    weight_variances, bias_variances : sequence of float, length depth
    input_variance : float
        |x⁰|²/N_0.
    orthogonal : bool
        Blocks of Haar orthogonal weights instead of Gaussian ones.
    sizes : sequence of int, length depth + 1
        N_0, …, N_L.
    rng : Generator

    Yields
    ------
    Layer
    """
    draw = _haar if orthogonal else _gaussian
    direction = rng.standard_normal(sizes[0])
    x = direction * (math.sqrt(input_variance * sizes[0]) / np.linalg.norm(direction))
    for activation, weight_variance, bias_variance, (before, after) in zip(
        activations, weight_variances, bias_variances, pairwise(sizes), strict=True
    ):
        weight = math.sqrt(weight_variance) * draw(before, after, rng)
        h = weight @ x + math.sqrt(bias_variance) * rng.standard_normal(after)
        yield Layer(weight, activation.derivative(h), float(x @ x) / before)
        x = activation.function(h)


def jacobian_eigenvalues(layers: Iterable[Layer], sizes: Sequence[int], side: str = "output") -> NDArray[np.float64]:
    """Return the eigenvalues of J Jᵀ or JᵀJ, J = D_L W_L ⋯ D_1 W_1, ascending.

    Parameters
    ----------
    layers : iterable of Layer
    sizes : sequence of int
        N_0, …, N_L.
    side : {"output", "input"}

    Returns
    -------
    ndarray, shape (N_L,) or (N_0,)
        Squared singular values, so never negative; as many are exactly 0 as widths and slopes 0 force to be.
    """
    jacobian: NDArray[np.float64] | None = None
    rank = min(sizes)
    for layer in layers:
        product = layer.weight if jacobian is None else layer.weight @ jacobian
        jacobian = layer.slopes[:, np.newaxis] * product
        rank = min(rank, int(np.count_nonzero(layer.slopes)))
    assert jacobian is not None
    eigenvalues = np.zeros(sizes[-1] if side == "output" else sizes[0])
    if rank > 0:
        singular = np.linalg.svd(jacobian, compute_uv=False)[:rank]
        eigenvalues[-rank:] = (singular * singular)[::-1]
    return eigenvalues


def ntk_eigenvalues(layers: Iterable[Layer], sizes: Sequence[int]) -> NDArray[np.float64]:
    """Return the eigenvalues of H_L, H_1 = |x⁰|²/N_0, H_{l+1} = |x^l|²/N_l + W_{l+1} D_l H_l D_l W_{l+1}ᵀ, ascending.

    Parameters
    ----------
    layers : iterable of Layer
    sizes : sequence of int
        N_0, …, N_L.

    Returns
    -------
    ndarray, shape (N_L,)
        As many are exactly |x^{L−1}|²/N_{L−1} as widths and slopes 0 force to be.
    """
    last: Layer | None = None
    kernel = np.zeros((sizes[0], sizes[0]))
    moment, rank = 0.0, 0
    for layer in layers:
        if last is None:
            kernel = np.zeros((sizes[1], sizes[1]))
        else:
            backward = layer.weight * last.slopes
            rank = min(*layer.weight.shape, int(np.count_nonzero(last.slopes)))
            kernel = backward @ (kernel + moment * np.eye(len(kernel))) @ backward.T
        last, moment = layer, layer.input_moment
    eigenvalues = np.zeros(sizes[-1])
    if rank > 0:
        eigenvalues[-rank:] = np.maximum(np.linalg.eigvalsh(kernel)[-rank:], 0.0)
    return eigenvalues + moment


def stacked(network: Callable[[], NDArray[np.float64]], samples: int, *, progress: bool = False) -> NDArray[np.float64]:
    """Call a function `samples` times and stack what it returns, with a progress bar on request.

    Parameters
    ----------
    network : callable
        Draws a network and returns its eigenvalues.
    samples : int
    progress : bool

    Returns
    -------
    ndarray, shape (samples, …)

    Raises
    ------
    ImportError
        If the bar is asked for and tqdm is not installed.
    """
    rounds: Iterable[int] = range(samples)
    if progress:
        try:
            from tqdm import tqdm
        except ImportError as error:
            raise ImportError('a progress bar needs tqdm: pip install "freeconv[progress]"') from error
        rounds = tqdm(rounds, desc="networks", unit="net")
    return np.stack([network() for _ in rounds])


def _gaussian(before: int, after: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Independent entries of variance 1/before, shape (after, before)."""
    return rng.standard_normal((after, before)) / math.sqrt(before)


def _haar(before: int, after: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A block of a Haar orthogonal matrix, with orthonormal rows or columns, shape (after, before).

    The Q of a tall Gaussian matrix has the law of the first columns of a Haar matrix, once the diagonal of R is made
    positive.
    """
    q, r = np.linalg.qr(rng.standard_normal((max(before, after), min(before, after))))
    columns = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
    return columns if after >= before else columns.T
