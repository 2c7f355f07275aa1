"""The mean field: how variances travel through the layers of a wide random network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation

__all__ = ["MeanField", "mean_field"]


@dataclass(frozen=True, eq=False)
class MeanField:
    """Variances and gains, layer by layer.  Entry l−1 of each array belongs to layer l = 1 … depth; all are read-only.

    Attributes
    ----------
    preactivation_variance : ndarray, shape (depth,)
        q_l, the variance of the pre-activations h^l = W_l x^{l−1} + b_l.
    activation_variance : ndarray, shape (depth,)
        q̂_l = E φ_l(√q_l Z)², the mean square of the activations x^l = φ_l(h^l).  (q̂_0 is the input variance.)
    chi : ndarray, shape (depth,)
        χ_l = weight_variance_l · E φ_l'(√q_l Z)², with the variance that reaches the next layer (see `MLP`); the mean
        of the law of J Jᵀ is their product.
    """

    preactivation_variance: NDArray[np.float64]
    activation_variance: NDArray[np.float64]
    chi: NDArray[np.float64]


def mean_field(
    activations: Sequence[Activation],
    weight_variances: Sequence[float],
    bias_variances: Sequence[float],
    input_variance: float,
) -> MeanField:
    """Run the recursion of the variances through a network.

    Parameters
    ----------
    activations : sequence of Activation, length depth
    weight_variances, bias_variances : sequence of float, length depth
    input_variance : float
        q̂_0, the mean square of the input's entries.

    Returns
    -------
    MeanField

    Raises
    ------
    ValueError
        If a variance exceeds the largest double.

    Notes
    -----
    q_l = weight_variance_l · q̂_{l−1} + bias_variance_l,  q̂_l = E φ_l(√q_l Z)²,
    χ_l = weight_variance_l · E φ_l'(√q_l Z)².

    Examples
    --------
    >>> from freeconv.activations import ReLU
    >>> mean_field([ReLU(), ReLU()], [2.0, 2.0], [0.0, 0.5], 1.0).preactivation_variance
    array([2. , 2.5])
    """
    rows = []
    previous = input_variance
    for layer, (activation, weight, bias) in enumerate(
        zip(activations, weight_variances, bias_variances, strict=True), start=1
    ):
        variance = weight * previous + bias
        if not math.isfinite(variance):
            raise ValueError(
                f"the variance of layer {layer} exceeds the largest double; "
                f"choose smaller weight variances (here {weight!r})"
            )
        previous = activation.second_moment(variance)
        rows.append((variance, previous, weight * activation.slope_second_moment(variance)))
    columns = np.array(rows, dtype=np.float64).T.copy()
    columns.flags.writeable = False
    return MeanField(*columns)
