"""A wide multilayer perceptron with random weights, and the limit spectra of its Jacobian and tangent kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from freeconv import _validate
from freeconv.activations import Activation, resolve
from freeconv.laws import Law
from freeconv.networks.finite import SIDES
from freeconv.networks.mean_field import MeanField, mean_field
from freeconv.networks.rectangular import gain, jacobian_law, ntk_law, weight_law
from freeconv.networks.simulation_methods import SimulationMethods
from freeconv.networks.slopes import slope_law
from freeconv.networks.widths import checked_depth, checked_widths

__all__ = ["MLP", "SIDES", "WEIGHTS", "LayerParameters"]

WEIGHTS = ("gaussian", "orthogonal")

T = TypeVar("T")


class LayerParameters(NamedTuple):
    """What an `MLP` is told about one layer."""

    activation: Activation
    weight_variance: float
    bias_variance: float


@dataclass(frozen=True, init=False)
class MLP(SimulationMethods):
    """A wide network x^l = φ_l(W_l x^{l−1} + b_l), l = 1 … depth, W_l of shape (N_l, N_{l−1}).

    Parameters
    ----------
    depth : int
        The number of layers, ≥ 1; it may be left out where `widths` are given.
    activation : str, Activation, or a sequence of them, one per layer
        A name (one of `freeconv.activations.KNOWN`: "relu", "tanh", "gelu", …) or an object of
        `freeconv.activations`.
    weights : str
        "gaussian": W_l has independent entries of variance weight_variance/N_{l−1}.
        "orthogonal": W_l is √weight_variance times a block of a Haar orthogonal matrix, with orthonormal rows where
        N_l ≤ N_{l−1} and orthonormal columns where N_l > N_{l−1}.
    weight_variance : float, or a sequence of one per layer
        > 0, in the sense of `weights`.
    bias_variance : float, or a sequence of one per layer
        The variance of the biases' entries, ≥ 0.
    input_variance : float
        The mean square of the input's entries, |x⁰|²/N_0, > 0.
    widths : sequence of float, length depth + 1, optional
        N_0, …, N_L, each > 0: sizes, or anything in proportion to them, since only ratios matter.  By default all are
        equal, and equal ones are stored as None.

    Raises
    ------
    TypeError
        If a number is not a real number, or the depth not an integer.
    ValueError
        If a number is out of range, a name unknown, or a sequence not of its length.

    Notes
    -----
    |W_l x|²/N_l is weight_variance·|x|²/N_{l−1} for wide layers, but for orthogonal ones that expand it is N_{l−1}/N_l
    times that: an isometry keeps |x|² and spreads it over more entries.  `mean_field` and all laws take this into
    account; weight_variance_l·N_l/N_{l−1} in place of weight_variance_l undoes it.

    An MLP is immutable, hashable, comparable and picklable.  A per-layer sequence of equal values is stored as that one
    value, so the two ways to write the same network compare equal.

    Examples
    --------
    >>> import freeconv as fc
    >>> net = fc.MLP(3, "relu", weight_variance=2.0)
    >>> net.jacobian().mean()
    1.0
    """

    depth: int
    activation: Activation | tuple[Activation, ...]
    weights: str
    weight_variance: float | tuple[float, ...]
    bias_variance: float | tuple[float, ...]
    input_variance: float
    widths: tuple[float, ...] | None

    def __init__(
        self,
        depth: int | None = None,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        weights: str = "gaussian",
        weight_variance: float | Sequence[float] | NDArray[np.float64] = 1.0,
        bias_variance: float | Sequence[float] | NDArray[np.float64] = 0.0,
        input_variance: float = 1.0,
        widths: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> None:
        depth = checked_depth(depth, widths)
        if not isinstance(weights, str) or weights not in WEIGHTS:
            raise ValueError(f"weights must be one of {', '.join(map(repr, WEIGHTS))}, got {weights!r}")
        values: dict[str, object] = {
            "depth": depth,
            "activation": _one_or_per_layer("activation", activation, depth, _activation),
            "weights": weights,
            "weight_variance": _one_or_per_layer("weight_variance", weight_variance, depth, _validate.positive),
            "bias_variance": _one_or_per_layer("bias_variance", bias_variance, depth, _validate.non_negative),
            "input_variance": _validate.positive("input_variance", input_variance),
            "widths": checked_widths(widths, depth),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def layers(self) -> tuple[LayerParameters, ...]:
        """The activation and the variances of every layer, from the input on.

        Returns
        -------
        tuple of (activation, weight_variance, bias_variance), length depth

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=[2.0, 1.0]).layers[1].weight_variance
        1.0
        """
        activations, weight_variances, bias_variances, _ = self._variances()
        return tuple(map(LayerParameters, activations, weight_variances, bias_variances))

    def mean_field(self) -> MeanField:
        """Return the variances and gains of all layers.

        Returns
        -------
        MeanField
            Three arrays of shape (depth,).

        Raises
        ------
        ValueError
            If a variance exceeds the largest double.

        Notes
        -----
        q_l = g_l · weight_variance_l · q̂_{l−1} + bias_variance_l, q̂_l = E φ_l(√q_l Z)², q̂_0 = input_variance,
        χ_l = g_l · weight_variance_l · E φ_l'(√q_l Z)²; g_l = 1, but N_{l−1}/N_l for orthogonal layers that expand.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=[2.0, 4.0]).mean_field().chi
        array([1., 2.])
        """
        activations, weight_variances, bias_variances, input_variance = self._variances()
        effective = [
            variance * gain(before, after, orthogonal=self._orthogonal)
            for variance, (before, after) in zip(weight_variances, pairwise(self._widths()), strict=True)
        ]
        return mean_field(activations, effective, bias_variances, input_variance)

    def jacobian(self, side: str = "output") -> Law:
        """Return the limit law of the squared singular values of J = D_L W_L ⋯ D_1 W_1, D_l = diag φ_l'(h^l).

        Parameters
        ----------
        side : {"output", "input"}
            "output" for J Jᵀ of size N_L, "input" for JᵀJ of size N_0: equal up to the weight of 0.

        Returns
        -------
        Law

        Raises
        ------
        ValueError
            If `side` is neither, or a variance exceeds the largest double.

        Notes
        -----
        ⊠ over the layers of ν_l = law of φ_l'(√q_l Z)² and of the law of W_l W_lᵀ, each brought to the smallest width
        (see `freeconv.networks.rectangular`); for equal widths Marchenko–Pastur of ratio 1 and scale weight_variance,
        or the point mass at weight_variance.  Factors commute, so all equal ones, wherever they stand, become one
        factor with a multiplicity.  The mean of the law of J Jᵀ is ∏ χ_l, that of JᵀJ is N_L/N_0 times that.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(5, "linear", weights="orthogonal").jacobian()
        PointMass(location=1.0)
        >>> fc.MLP(activation="linear", weights="orthogonal", widths=[4, 3, 6]).jacobian()
        Discrete(locations=(0.0, 1.0), weights=(0.5, 0.5))
        """
        if side not in SIDES:
            raise ValueError(f"side must be one of {', '.join(map(repr, SIDES))}, got {side!r}")
        return jacobian_law(self._slope_laws(), self._weight_laws(), self._widths(), side)

    def ntk(self) -> Law:
        """Return the limit law of the one-sample tangent kernel H_L of the outputs h^L, a Fisher information matrix.

        Returns
        -------
        Law

        Raises
        ------
        ValueError
            If a variance exceeds the largest double.

        Notes
        -----
        H_1 = q̂_0,  H_{l+1} = q̂_l + W_{l+1} D_l H_l D_l W_{l+1}ᵀ, with h^L linear in the last weights: the activation
        of the last layer does not enter.  So μ_1 = δ_{q̂_0}, and μ_{l+1} is ν_l ⊠ law(W_{l+1} W_{l+1}ᵀ) ⊠ μ_l shifted
        by q̂_l [1]_, with size changes where widths differ.  H_l has the size N_l.  H_L is the Gram matrix of the
        gradients of h^L by all √N_{l−1} W_l, the weights without their fan-in scaling; for equal widths the one by the
        weights, divided by the width.  Its largest eigenvalue λ_max bounds the stable learning rates of gradient
        descent in these parameters by 2/λ_max.

        References
        ----------
        .. [1] T. Hayase and R. Karakida, "The spectrum of Fisher information of deep networks achieving dynamical
           isometry", AISTATS 2021, arXiv:2006.07814.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0).ntk().mean()
        3.0
        """
        moments = [self.input_variance, *self.mean_field().activation_variance[:-1].tolist()]
        return ntk_law(self._slope_laws()[:-1], self._weight_laws()[1:], self._widths()[1:], moments)

    def _per_layer(self, value: T | tuple[T, ...]) -> tuple[T, ...]:
        return value if isinstance(value, tuple) else (value,) * self.depth

    def _variances(self) -> tuple[tuple[Activation, ...], tuple[float, ...], tuple[float, ...], float]:
        """What the recursion of the variances runs over: one entry per layer, and q̂_0."""
        return (
            self._per_layer(self.activation),
            self._per_layer(self.weight_variance),
            self._per_layer(self.bias_variance),
            self.input_variance,
        )

    @property
    def _orthogonal(self) -> bool:
        return self.weights == "orthogonal"

    def _widths(self) -> tuple[float, ...]:
        return self.widths or (1,) * (self.depth + 1)

    def _slope_laws(self) -> list[Law]:
        """ν_l, layer by layer; equal ones are built once."""
        variances = self.mean_field().preactivation_variance.tolist()
        slopes = [
            _Slope(activation, 1.0 if activation.homogeneous else variance)
            for activation, variance in zip(self._per_layer(self.activation), variances, strict=True)
        ]
        laws = {slope: slope.law() for slope in set(slopes)}
        return [laws[slope] for slope in slopes]

    def _weight_laws(self) -> list[Law]:
        """The laws of W_l W_lᵀ, layer by layer."""
        return [
            weight_law(before, after, variance, orthogonal=self._orthogonal)
            for variance, (before, after) in zip(
                self._per_layer(self.weight_variance), pairwise(self._widths()), strict=True
            )
        ]


class _Slope(NamedTuple):
    """An activation at a pre-activation variance; the variance is 1 where the law does not depend on it."""

    activation: Activation
    variance: float

    def law(self) -> Law:
        return slope_law(self.activation, self.variance)


def _activation(_: str, value: object) -> Activation:
    return resolve(cast("str | Activation", value))


def _one_or_per_layer(name: str, given: object, depth: int, check: Callable[[str, object], T]) -> T | tuple[T, ...]:
    """Check one value or one per layer; equal values become one."""
    if not isinstance(given, (list, tuple, np.ndarray)):
        return check(name, given)
    if isinstance(given, np.ndarray) and given.ndim != 1:
        raise ValueError(f"{name} must be one value or {depth}, one per layer, got an array of shape {given.shape}")
    if len(given) != depth:
        raise ValueError(f"{name} must be one value or {depth}, one per layer (depth = {depth}), got {len(given)}")
    values = tuple(check(name if depth == 1 else f"{name}[{layer}]", value) for layer, value in enumerate(given))
    return values[0] if len(set(values)) == 1 else values
