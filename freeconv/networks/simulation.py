"""Finite random networks: what the limit laws are the limits of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation

__all__ = ["Layer", "forward", "jacobian_eigenvalues", "ntk_eigenvalues"]


class Layer(NamedTuple):
    """One layer of one finite network: W_l, the diagonal of D_l, and |x^{l−1}|²/width."""

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
    width: int,
    rng: np.random.Generator,
) -> Iterator[Layer]:
    """Draw one network and run it forward on an input of random direction and exact mean square; hand out its layers.

    Parameters
    ----------
    activations : sequence of Activation, length depth
    weight_variances, bias_variances : sequence of float, length depth
    input_variance : float
        |x⁰|²/width.
    orthogonal : bool
        Haar orthogonal weights instead of Gaussian ones.
    width : int
    rng : Generator

    Yields
    ------
    Layer
    """
    draw = _haar if orthogonal else _gaussian
    direction = rng.standard_normal(width)
    x = direction * (math.sqrt(input_variance * width) / np.linalg.norm(direction))
    for activation, weight_variance, bias_variance in zip(activations, weight_variances, bias_variances, strict=True):
        weight = math.sqrt(weight_variance) * draw(width, rng)
        h = weight @ x + math.sqrt(bias_variance) * rng.standard_normal(width)
        yield Layer(weight, activation.derivative(h), float(x @ x) / width)
        x = activation.function(h)


def jacobian_eigenvalues(layers: Iterator[Layer], width: int) -> NDArray[np.float64]:
    """Return the eigenvalues of J Jᵀ, J = D_L W_L ⋯ D_1 W_1, ascending: squared singular values, so never negative."""
    jacobian = np.eye(width)
    for layer in layers:
        jacobian = layer.slopes[:, np.newaxis] * (layer.weight @ jacobian)
    singular = np.asarray(np.linalg.svd(jacobian, compute_uv=False)[::-1], dtype=np.float64)
    return singular * singular


def ntk_eigenvalues(layers: Iterator[Layer], width: int) -> NDArray[np.float64]:
    """Return the eigenvalues of H_L, H_{l+1} = |x^l|²/width + W_{l+1} D_l H_l D_l W_{l+1}ᵀ from H_0 = 0, ascending."""
    kernel = np.zeros((width, width))
    slopes = np.zeros(width)
    for layer in layers:
        backward = layer.weight * slopes
        kernel = backward @ kernel @ backward.T + layer.input_moment * np.eye(width)
        slopes = layer.slopes
    return np.asarray(np.linalg.eigvalsh(kernel), dtype=np.float64)


def _gaussian(width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Independent entries of variance 1/width."""
    return rng.standard_normal((width, width)) / math.sqrt(width)


def _haar(width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A Haar orthogonal matrix: the Q of a Gaussian matrix is Haar once the diagonal of R is made positive."""
    q, r = np.linalg.qr(rng.standard_normal((width, width)))
    return q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)
