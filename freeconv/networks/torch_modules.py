"""Networks read from PyTorch modules by duck typing: torch itself is never imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freeconv._validate import choice, flag, positive
from freeconv.activations import Activation, Linear, from_name
from freeconv.laws import Empirical, Law
from freeconv.networks.finite import SIDES
from freeconv.networks.mean_field import mean_field
from freeconv.networks.mlp import MLP
from freeconv.networks.rectangular import gain, jacobian_law
from freeconv.networks.slopes import slope_law

__all__ = ["NetworkReading", "from_torch"]


def _hard_tanh(module: Any) -> dict[str, float]:
    if module.min_val != -module.max_val:
        raise ValueError(f"Hardtanh must have min_val = -max_val, got {module.min_val!r} and {module.max_val!r}")
    return {"clip": module.max_val}


def _gelu(module: Any) -> dict[str, float]:
    if module.approximate != "none":
        raise ValueError(f"GELU must have approximate = 'none', got {module.approximate!r}")
    return {}


def _none(_: Any) -> dict[str, float]:
    return {}


ACTIVATIONS: dict[str, tuple[str, Callable[[Any], dict[str, float]]]] = {
    "ReLU": ("relu", _none),
    "LeakyReLU": ("leaky_relu", lambda module: {"slope": module.negative_slope}),
    "Hardtanh": ("hard_tanh", _hard_tanh),
    "Tanh": ("tanh", _none),
    "Sigmoid": ("sigmoid", _none),
    "SiLU": ("silu", _none),
    "GELU": ("gelu", _gelu),
    "ELU": ("elu", lambda module: {"alpha": module.alpha}),
    "SELU": ("selu", _none),
    "Softplus": ("softplus", lambda module: {"beta": module.beta}),
}
"""By the names of their classes: our name, and our parameters."""

CONTAINERS = ("Sequential", "ModuleList")
SKIPPED = ("Identity", "Flatten")


@dataclass(frozen=True, eq=False, repr=False)
class NetworkReading:
    """What `from_torch` read.

    Attributes
    ----------
    widths : tuple of int, length depth + 1
        N_0, …, N_L.
    activations : tuple of Activation, length depth
        Linear where two Linear layers follow each other, and at the end.
    weight_variances : tuple of float, length depth
        Fan-in times the mean square of the weights.
    bias_variances : tuple of float, length depth
        The mean square of the biases, 0 without.
    input_variance : float
    squared_singular_values : tuple of ndarray, length depth, or None
        Those of W_l, with zeros as many as the eigenvalues of W_l W_lᵀ, ascending; None unless asked for.
    """

    widths: tuple[int, ...]
    activations: tuple[Activation, ...]
    weight_variances: tuple[float, ...]
    bias_variances: tuple[float, ...]
    input_variance: float
    squared_singular_values: tuple[NDArray[np.float64], ...] | None = None

    def __repr__(self) -> str:
        names = ", ".join(activation.name for activation in self.activations)
        return f"NetworkReading(widths={self.widths}, activations=({names}))"

    def mlp(self, *, weights: str = "gaussian") -> MLP:
        """Return the random network of these widths, activations and variances.

        Parameters
        ----------
        weights : {"gaussian", "orthogonal"}
            The kind of the random weights.

        Returns
        -------
        MLP
            Its entries have the mean squares that were read: for orthogonal weights, weight_variance is
            max(N_l, N_{l−1}) times that.

        Raises
        ------
        ValueError
            If `weights` is neither, or a layer has weights 0 only.

        Examples
        --------
        >>> import freeconv as fc
        >>> class Linear:
        ...     weight, bias = [[0.0, 2.0], [2.0, 0.0], [2.0, 2.0]], None
        >>> fc.from_torch([Linear()]).mlp().widths
        (2, 3)
        """
        variances = [
            variance / gain(before, after, orthogonal=weights == "orthogonal")
            for variance, (before, after) in zip(self.weight_variances, pairwise(self.widths), strict=True)
        ]
        return MLP(
            activation=self.activations,
            weights=weights,
            weight_variance=variances,
            bias_variance=self.bias_variances,
            input_variance=self.input_variance,
            widths=self.widths,
        )

    def jacobian(self, side: str = "output") -> Law:
        """Return the law of J Jᵀ or JᵀJ that the weights' own singular values predict.

        Parameters
        ----------
        side : {"output", "input"}
            As in `MLP.jacobian`.

        Returns
        -------
        Law

        Raises
        ------
        ValueError
            If `side` is neither, or the singular values were not asked for.

        Notes
        -----
        W_l enters by its spectrum, as if its singular vectors were in generic position to what stands before and behind
        it.  At initialisation they are; training aligns them, and the eigenvalues then are larger than predicted.  The
        squared slopes have their law at the mean field's variance, from the weights' and biases' mean squares.

        Examples
        --------
        >>> import freeconv as fc
        >>> class Linear:
        ...     weight, bias = [[0.0, 2.0], [1.0, 0.0]], None
        >>> fc.from_torch([Linear()], measured_weights=True).jacobian()
        Discrete(locations=(1.0, 4.0), weights=(0.5, 0.5))
        """
        side = choice("side", side, SIDES)
        if self.squared_singular_values is None:
            raise ValueError("the singular values were not read: from_torch needs measured_weights=True for this")
        field = mean_field(self.activations, self.weight_variances, self.bias_variances, self.input_variance)
        slopes = [
            slope_law(activation, variance)
            for activation, variance in zip(self.activations, field.preactivation_variance.tolist(), strict=True)
        ]
        return jacobian_law(slopes, [Empirical(squares) for squares in self.squared_singular_values], self.widths, side)


def from_torch(module: Any, *, input_variance: float = 1.0, measured_weights: bool = False) -> NetworkReading:
    """Read widths, activations and variances from a chain of Linear and activation modules.

    Parameters
    ----------
    module : torch.nn.Sequential, or an iterable of modules
        Of Linear, ReLU, LeakyReLU, Hardtanh, Tanh, Sigmoid, SiLU, GELU, ELU, SELU and Softplus, known by the names of
        their classes; Identity, Flatten, and Dropout that does nothing are skipped, containers in it are opened.
    input_variance : float
        The mean square of the input's entries, > 0.
    measured_weights : bool
        Also read the singular values of the weights.

    Returns
    -------
    NetworkReading

    Raises
    ------
    TypeError, ValueError
        If there is another module, two activations in a row or one before the first Linear, layers that do not fit, or
        weights that are not finite.

    Notes
    -----
    torch is not imported: modules are known by the names of their classes, and read by their attributes (weight, bias,
    negative_slope, …).

    Examples
    --------
    >>> import numpy as np
    >>> import freeconv as fc
    >>> class Linear:
    ...     weight, bias = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]), None
    >>> class ReLU:
    ...     pass
    >>> fc.from_torch([Linear(), ReLU()]).weight_variances
    (2.0,)
    """
    input_variance = positive("input_variance", input_variance)
    measured_weights = flag("measured_weights", measured_weights)
    weights: list[NDArray[np.float64]] = []
    biases: list[float] = []
    activations: list[Activation | None] = []
    for name, one in _chain(module):
        if name == "Linear":
            weight = _matrix(one.weight, len(weights) + 1)
            if weights and weight.shape[1] != weights[-1].shape[0]:
                raise ValueError(
                    f"Linear number {len(weights) + 1} must take {weights[-1].shape[0]} numbers, those of the layer "
                    f"before it, got {weight.shape[1]}"
                )
            weights.append(weight)
            biases.append(0.0 if one.bias is None else float(np.mean(np.square(_array(one.bias)))))
            activations.append(None)
        elif not activations or activations[-1] is not None:
            place = "before the first Linear" if not activations else "behind another activation"
            raise ValueError(f"an activation must follow a Linear, got {name} {place}")
        else:
            ours, parameters = ACTIVATIONS[name]
            activations[-1] = from_name(ours, parameters(one))
    if not weights:
        raise ValueError(f"a network needs at least one Linear, got none in {module!r:.200}")
    return NetworkReading(
        widths=(weights[0].shape[1], *(weight.shape[0] for weight in weights)),
        activations=tuple(Linear() if activation is None else activation for activation in activations),
        weight_variances=tuple(weight.shape[1] * float(np.mean(np.square(weight))) for weight in weights),
        bias_variances=tuple(biases),
        input_variance=input_variance,
        squared_singular_values=tuple(map(_squared_singular_values, weights)) if measured_weights else None,
    )


def _chain(module: Any) -> Iterator[tuple[str, Any]]:
    """The Linear and activation modules in order, with the names of their classes."""
    name = type(module).__name__
    if name in SKIPPED or (name == "Dropout" and (module.p == 0.0 or not module.training)):
        return
    if name == "Linear" or name in ACTIVATIONS:
        yield name, module
    elif name in CONTAINERS or (isinstance(module, Iterable) and not isinstance(module, (str, bytes, np.ndarray))):
        for one in module:
            yield from _chain(one)
    else:
        known = ", ".join(["Linear", *ACTIVATIONS, *SKIPPED, "Dropout in evaluation mode"])
        raise TypeError(f"cannot read the module {name}; known are {known}, and Sequential or iterables of these")


def _matrix(weight: Any, number: int) -> NDArray[np.float64]:
    matrix = _array(weight)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"the weight of Linear number {number} must be a matrix, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"the weight of Linear number {number} must be finite, got NaN or infinity")
    return matrix


def _array(tensor: Any) -> NDArray[np.float64]:
    """A tensor of any device and type, or anything NumPy reads, as doubles."""
    for step in ("detach", "cpu", "double"):
        tensor = getattr(tensor, step, lambda same=tensor: same)()
    return np.asarray(tensor, dtype=np.float64)


def _squared_singular_values(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The eigenvalues of W Wᵀ, ascending; those that the shape forces to be 0 are exactly 0."""
    singular = np.linalg.svd(weight, compute_uv=False)
    squares = np.zeros(weight.shape[0])
    squares[-singular.size :] = np.square(singular)[::-1]
    return squares
