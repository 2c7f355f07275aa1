"""A wide multilayer perceptron with random weights, and the limit spectra of its Jacobian and tangent kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from freeconv import _validate
from freeconv.activations import Activation, resolve
from freeconv.algebra import boxtimes, boxtimes_power
from freeconv.laws import Law, MarchenkoPastur, PointMass
from freeconv.networks.mean_field import MeanField, mean_field
from freeconv.networks.simulation import Layer, forward, jacobian_eigenvalues, ntk_eigenvalues
from freeconv.networks.slopes import slope_law

__all__ = ["MLP", "SIDES", "WEIGHTS", "LayerParameters"]

WEIGHTS = ("gaussian", "orthogonal")
SIDES = ("output", "input")

T = TypeVar("T")


class LayerParameters(NamedTuple):
    """What an `MLP` is told about one layer."""

    activation: Activation
    weight_variance: float
    bias_variance: float


@dataclass(frozen=True, init=False)
class MLP:
    """A wide network x^l = φ_l(W_l x^{l−1} + b_l), l = 1 … depth, with all layers of the same width.

    Parameters
    ----------
    depth : int
        The number of layers, ≥ 1.
    activation : str, Activation, or a sequence of them, one per layer
        A name (one of `freeconv.activations.KNOWN`: "relu", "tanh", "gelu", …) or an object of
        `freeconv.activations`.
    weights : str
        "gaussian": W_l has independent entries of variance weight_variance/width.
        "orthogonal": W_l is √weight_variance times a Haar orthogonal matrix.
    weight_variance : float, or a sequence of one per layer
        The width times the variance of a weight, > 0.
    bias_variance : float, or a sequence of one per layer
        The variance of the biases' entries, ≥ 0.
    input_variance : float
        The mean square of the input's entries, |x⁰|²/width, > 0.
    widths : None
        Must be None: networks of unequal widths are not available in this version.

    Raises
    ------
    TypeError
        If a number is not a real number, or the depth not an integer.
    ValueError
        If a number is out of range, a name unknown, a per-layer sequence not of length depth, or `widths` not None.

    Notes
    -----
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

    def __init__(
        self,
        depth: int,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        weights: str = "gaussian",
        weight_variance: float | Sequence[float] | NDArray[np.float64] = 1.0,
        bias_variance: float | Sequence[float] | NDArray[np.float64] = 0.0,
        input_variance: float = 1.0,
        widths: None = None,
    ) -> None:
        if widths is not None:
            raise ValueError(f"widths must be None (all layers have the same width in this version), got {widths!r}")
        depth = _validate.integer("depth", depth)
        if not isinstance(weights, str) or weights not in WEIGHTS:
            raise ValueError(f"weights must be one of {', '.join(map(repr, WEIGHTS))}, got {weights!r}")
        values: dict[str, object] = {
            "depth": depth,
            "activation": _one_or_per_layer("activation", activation, depth, _activation),
            "weights": weights,
            "weight_variance": _one_or_per_layer("weight_variance", weight_variance, depth, _validate.positive),
            "bias_variance": _one_or_per_layer("bias_variance", bias_variance, depth, _validate.non_negative),
            "input_variance": _validate.positive("input_variance", input_variance),
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
        q_l = weight_variance_l · q̂_{l−1} + bias_variance_l, q̂_l = E φ_l(√q_l Z)², q̂_0 = input_variance,
        χ_l = weight_variance_l · E φ_l'(√q_l Z)².

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=[2.0, 4.0]).mean_field().chi
        array([1., 2.])
        """
        return mean_field(*self._variances())

    def jacobian(self, side: str = "output") -> Law:
        """Return the limit law of the squared singular values of J = D_L W_L ⋯ D_1 W_1, D_l = diag φ_l'(h^l).

        Parameters
        ----------
        side : {"output", "input"}
            "output" for J Jᵀ, "input" for Jᵀ J; the laws are equal while all layers have the same width.

        Returns
        -------
        Law

        Raises
        ------
        ValueError
            If `side` is neither, or a variance exceeds the largest double.

        Notes
        -----
        ⊠ over the layers of ν_l = law of φ_l'(√q_l Z)² and of the law of W_l W_lᵀ: Marchenko–Pastur of ratio 1 and
        scale weight_variance, or the point mass at weight_variance.  Factors commute, so all equal ones, wherever they
        stand, become one factor with a multiplicity.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(5, "linear", weights="orthogonal").jacobian()
        PointMass(location=1.0)
        """
        if side not in SIDES:
            raise ValueError(f"side must be one of {', '.join(map(repr, SIDES))}, got {side!r}")
        scales = self._per_layer(self.weight_variance)
        slopes = self._slopes()
        if self.weights == "gaussian":
            gaussian = [boxtimes_power(MarchenkoPastur(1.0, scale), count) for scale, count in Counter(scales).items()]
            return boxtimes(
                *(boxtimes_power(slope.law(), count) for slope, count in Counter(slopes).items()), *gaussian
            )
        return boxtimes(
            *(
                boxtimes_power(scale * slope.law(), count)
                for (slope, scale), count in Counter(zip(slopes, scales, strict=True)).items()
            )
        )

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
        by q̂_l [1]_.  H_L is the Gram matrix of the gradients of h^L by all weights, divided by the width; its largest
        eigenvalue λ_max bounds the stable learning rates of gradient descent by 2/λ_max.

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
        law: Law = PointMass(self.input_variance)
        moments = self.mean_field().activation_variance.tolist()
        scales = self._per_layer(self.weight_variance)
        slopes = self._slopes()
        laws = {slope: slope.law() for slope in set(slopes)}
        for slope, moment, scale in zip(slopes[:-1], moments[:-1], scales[1:], strict=True):
            if self.weights == "gaussian":
                law = boxtimes(laws[slope], MarchenkoPastur(1.0, scale), law) + moment
            else:
                law = boxtimes(scale * laws[slope], law) + moment
        return law

    def simulate_jacobian(
        self, width: int, samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> NDArray[np.float64]:
        """Draw finite networks and return the eigenvalues of J Jᵀ.

        Parameters
        ----------
        width : int
            The common width of all layers, ≥ 1.
        samples : int
            The number of networks, ≥ 1.
        rng : Generator, int or None
            As in `numpy.random.default_rng`.

        Returns
        -------
        ndarray, shape (samples, width)
            The eigenvalues of each network, ascending.

        Raises
        ------
        TypeError, ValueError
            If `width` or `samples` is not an integer ≥ 1.

        Notes
        -----
        Each network runs forward from an input of uniformly random direction and |x⁰|²/width = input_variance exactly;
        D_l is read off the pre-activations that occur.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=2.0).simulate_jacobian(50, samples=3, rng=0).shape
        (3, 50)
        """
        return self._simulate(jacobian_eigenvalues, width, samples, rng)

    def simulate_ntk(
        self, width: int, samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> NDArray[np.float64]:
        """Draw finite networks and return the eigenvalues of H_L.

        Parameters
        ----------
        width, samples, rng
            As in `simulate_jacobian`.

        Returns
        -------
        ndarray, shape (samples, width)
            The eigenvalues of each network, ascending.

        Raises
        ------
        TypeError, ValueError
            If `width` or `samples` is not an integer ≥ 1.

        Notes
        -----
        H_{l+1} = |x^l|²/width + W_{l+1} D_l H_l D_l W_{l+1}ᵀ, exact at any width, on the forward pass of
        `simulate_jacobian`.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MLP(2, "relu", weight_variance=2.0).simulate_ntk(50, samples=3, rng=0).shape
        (3, 50)
        """
        return self._simulate(ntk_eigenvalues, width, samples, rng)

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

    def _slopes(self) -> list[_Slope]:
        """What decides ν_l, layer by layer: equal entries mean equal laws."""
        variances = self.mean_field().preactivation_variance.tolist()
        return [
            _Slope(activation, 1.0 if activation.homogeneous else variance)
            for activation, variance in zip(self._per_layer(self.activation), variances, strict=True)
        ]

    def _simulate(
        self,
        eigenvalues: Callable[[Iterator[Layer], int], NDArray[np.float64]],
        width: int,
        samples: int,
        rng: np.random.Generator | int | None,
    ) -> NDArray[np.float64]:
        width, samples = _validate.integer("width", width), _validate.integer("samples", samples)
        generator = np.random.default_rng(rng)
        networks = (
            forward(*self._variances(), orthogonal=self.weights == "orthogonal", width=width, rng=generator)
            for _ in range(samples)
        )
        return np.stack([eigenvalues(network, width) for network in networks])


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
