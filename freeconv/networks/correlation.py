"""The correlation of two inputs, layer by layer: its map, the derivative and the fixed points."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from freeconv._validate import non_negative, positive
from freeconv.activations import Activation, resolve
from freeconv.networks.critical import elementwise, fixed_point, root

__all__ = ["CorrelationFixedPoint", "correlation_derivative", "correlation_fixed_points", "correlation_map"]

_CRITICAL = 1e-12
"""A slope at c = 1 that exceeds 1 by less is taken as 1: q* and χ are known to a tenth of it."""


class CorrelationFixedPoint(NamedTuple):
    """A correlation that a layer hands on unchanged.

    Attributes
    ----------
    correlation : float
        c* in [0, 1].
    slope : float
        The derivative of the map there; at 1 it is χ.  −1/log(slope) layers is how far correlations remember.
    stable : bool
        Whether correlations below it, and near it, are drawn to it.
    """

    correlation: float
    slope: float
    stable: bool


def correlation_map(activation: str | Activation, q1: ArrayLike, q2: ArrayLike, covariance: ArrayLike) -> Any:
    """Return K = E φ(h₁) φ(h₂).

    Parameters
    ----------
    activation : str or Activation
    q1, q2 : float or array_like of float
        The variances of h₁ and h₂, ≥ 0.
    covariance : float or array_like of float
        c, with c² ≤ q₁ q₂.

    Returns
    -------
    float, or ndarray of the broadcast shape
        To 1e-12 of √(V(q₁) V(q₂)).

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.

    Notes
    -----
    (h₁, h₂) is a centred Gaussian, the pre-activations of two inputs.  In closed form for linear, ReLU and leaky ReLU
    [1]_, erf [2]_, GELU, sine and cosine; else by quadrature in two dimensions.

    References
    ----------
    .. [1] Y. Cho and L. K. Saul, "Kernel methods for deep learning", NIPS 2009.
    .. [2] C. K. I. Williams, "Computing with infinite networks", NIPS 1996.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.networks.correlation_map("gelu", 1.3, 0.8, 0.5), 12)
    0.228485090843
    """
    return elementwise(resolve(activation).product_moment, q1, q2, covariance)


def correlation_derivative(activation: str | Activation, q1: ArrayLike, q2: ArrayLike, covariance: ArrayLike) -> Any:
    """Return K̇ = E φ'(h₁) φ'(h₂), the derivative of `correlation_map` by the covariance.

    Parameters
    ----------
    activation : str or Activation
    q1, q2, covariance : float or array_like of float
        As for `correlation_map`.

    Returns
    -------
    float, or ndarray of the broadcast shape
        To 1e-12 of √(E φ'(h₁)² E φ'(h₂)²).

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.

    Notes
    -----
    ∂K/∂c = K̇ is Price's theorem.  As for `correlation_map`, in closed form where one is known.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.networks.correlation_derivative("gelu", 1.3, 0.8, 0.5), 12)
    0.339844538893
    """
    return elementwise(resolve(activation).slope_product_moment, q1, q2, covariance)


def correlation_fixed_points(
    activation: str | Activation, weight_variance: float, bias_variance: float, input_variance: float = 1.0
) -> tuple[CorrelationFixedPoint, ...]:
    """Return the correlations in [0, 1] that a layer hands on unchanged.

    Parameters
    ----------
    activation : str or Activation
    weight_variance : float
        σ_w² > 0.
    bias_variance : float
        σ_b² ≥ 0.
    input_variance : float
        > 0: which fixed point of the variances is meant, see `fixed_point`.

    Returns
    -------
    tuple of CorrelationFixedPoint
        Ascending; the last is 1.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, the variances grow without bound or tend to 0, or every correlation is a fixed
        point.

    Notes
    -----
    c' = C(c) = (σ_w² K(q*, q*, c q*) + σ_b²)/q*.  C is a power series in c with coefficients ≥ 0, so convex on [0, 1],
    with C(1) = 1 and C'(1) = χ = σ_w² E φ'(√q* Z)².  If χ ≤ 1, the only fixed point is 1, and stable; if χ > 1, that is
    unstable and there is one other, stable.  It is the root of (C(c) − c)/(1 − c), known to about 1e-13/(χ − 1).

    Examples
    --------
    >>> import freeconv as fc
    >>> [(round(c, 9), stable) for c, _, stable in fc.networks.correlation_fixed_points("erf", 3.0, 0.1)]
    [(0.324871931, True), (1.0, False)]
    """
    activation = resolve(activation)
    weight, bias = positive("weight_variance", weight_variance), non_negative("bias_variance", bias_variance)
    q: float = fixed_point(activation, weight, bias, input_variance)
    if q == 0.0:
        raise ValueError(
            f"the variances of {activation!r} must not tend to 0, as they do at weight_variance {weight!r} and "
            f"bias_variance {bias!r}"
        )

    def slope(c: float) -> float:
        return weight * activation.slope_product_moment(q, q, c * q)

    def rise(c: float) -> float:
        return ((weight * activation.product_moment(q, q, c * q) + bias) / q - c) / (1.0 - c)

    chi = weight * activation.slope_second_moment(q)
    at_zero = slope(0.0)
    if bias == 0.0 and abs(chi - at_zero) <= _CRITICAL and abs(chi - 1.0) <= _CRITICAL:
        raise ValueError(f"every correlation is a fixed point of {activation!r} at weight_variance {weight!r}")
    one = CorrelationFixedPoint(1.0, chi, chi <= 1.0 + _CRITICAL)
    if one.stable:
        return (one,)
    if rise(0.0) <= _CRITICAL:
        return CorrelationFixedPoint(0.0, at_zero, True), one
    # (C(c) − c)/(1 − c) falls from C(0) > 0 to 1 − χ < 0: towards 1 until its sign turns.
    gap = 0.5
    while rise(1.0 - gap) > 0.0 and gap > _CRITICAL:
        gap *= 0.5
    below = 1.0 - 2.0 * gap
    c = root(rise, max(below, 0.0), 1.0 - gap)
    return CorrelationFixedPoint(c, slope(c), True), one
