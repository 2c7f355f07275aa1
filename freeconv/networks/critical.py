"""Fixed points of the variances, and the critical line on which perturbations neither grow nor die out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import non_negative, positive
from freeconv.activations import Activation, resolve

__all__ = ["CriticalPoint", "critical_point", "critical_weight_variance", "elementwise", "fixed_point", "root"]

_ROUNDING = 1e-13
"""A difference of two quantities of size q is told from 0 above this times q: each is integrated to 1e-14."""

_PER_DECADE = 16
"""Points at which signs are looked at.  Two roots closer than that are not told apart from none."""

_DECADES = 12
"""How far beyond the bias variance and 1 roots are looked for."""


class CriticalPoint(NamedTuple):
    """Where χ = 1 at the fixed point of the variances.

    Attributes
    ----------
    variance : float
        q*, the variance of the pre-activations.
    weight_variance : float
        σ_w².
    """

    variance: float
    weight_variance: float


def fixed_point(
    activation: str | Activation,
    weight_variance: ArrayLike,
    bias_variance: ArrayLike,
    input_variance: ArrayLike = 1.0,
) -> Any:
    """Return the variance q* that the pre-activations of a deep network tend to.

    Parameters
    ----------
    activation : str or Activation
    weight_variance : float or array_like of float
        σ_w² > 0.
    bias_variance : float or array_like of float
        σ_b² ≥ 0.
    input_variance : float or array_like of float
        q̂_0 > 0: which fixed point is meant, where there are several.

    Returns
    -------
    float, or ndarray of the broadcast shape
        q* = σ_w² V(q*) + σ_b².

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the variances grow without bound.

    Notes
    -----
    It is the first fixed point that q ↦ σ_w² V(q) + σ_b² points to from q_1 = σ_w² q̂_0 + σ_b²; the recursion, monotone
    for most activations, converges to it, if slowly near the critical line.  For homogeneous activations with
    σ_w² E φ'² = 1 and σ_b² = 0 every variance is a fixed point, and the result is q_1.

    Examples
    --------
    >>> import freeconv as fc
    >>> round(fc.networks.fixed_point("relu", 1.0, 0.5), 12)
    1.0
    """
    return elementwise(partial(_fixed_point, resolve(activation)), weight_variance, bias_variance, input_variance)


def _fixed_point(activation: Activation, weight_variance: float, bias_variance: float, input_variance: float) -> float:
    """One value of `fixed_point`."""
    weight, bias = positive("weight_variance", weight_variance), non_negative("bias_variance", bias_variance)
    start = weight * positive("input_variance", input_variance) + bias

    def growth(q: float) -> float:
        return weight * activation.second_moment(q) + bias - q

    value = growth(start)
    if abs(value) <= 0.2 * _ROUNDING * start:
        return start
    step = 1.25 if value > 0.0 else 0.8
    here, there = start, start * step
    while growth(there) * value > 0.0:
        here, there = there, there * step
        if there > 1e150:
            raise ValueError(
                f"the variances of {activation!r} grow without bound at weight_variance {weight!r} and bias_variance "
                f"{bias!r} from input_variance {input_variance!r}"
            )
        if there < 1e-150:
            return 0.0
    return root(growth, *sorted((here, there)))


def critical_point(activation: str | Activation, bias_variance: float) -> CriticalPoint:
    """Return the fixed point of the variances and the weight variance with χ = 1.

    Parameters
    ----------
    activation : str or Activation
    bias_variance : float
        σ_b² ≥ 0.

    Returns
    -------
    CriticalPoint
        (q*, σ_w²).  For a homogeneous activation any q* will do, and is given as 1.

    Raises
    ------
    TypeError, ValueError
        If `bias_variance` is not such a number, or if there is none or more than one.

    Notes
    -----
    χ = σ_w² E φ'(√q Z)² = 1 and q = σ_w² V(q) + σ_b² leave one equation for q, q − V(q)/E φ'(√q Z)² = σ_b²; its roots
    are looked for between 1e-12 and 1e12 (for σ_b² > 0, from σ_b² on), at 16 points a decade.  If φ(0) = 0, q = 0
    belongs to σ_b² = 0.

    Examples
    --------
    >>> import freeconv as fc
    >>> [round(value, 10) for value in fc.networks.critical_point("tanh", 0.05)]
    [0.5700478816, 1.7609546396]
    """
    activation = resolve(activation)
    bias = non_negative("bias_variance", bias_variance)
    if activation.homogeneous:
        if bias > 0.0:
            raise ValueError(f"{activation!r} has a critical point for bias_variance 0 only, got {bias_variance!r}")
        return CriticalPoint(1.0, 1.0 / activation.slope_second_moment(1.0))

    def excess(q: float) -> float:
        slope = activation.slope_second_moment(q)
        return q - activation.second_moment(q) / slope - bias if slope > 0.0 else -math.inf

    roots = [0.0] if bias == 0.0 and activation.second_moment(0.0) == 0.0 and _slope_at_zero(activation) else []
    brackets = _sign_changes(excess, bias)
    if len(roots) + len(brackets) != 1:
        found = ", ".join([*map(str, roots), *(f"{root(excess, low, high):.3g}" for low, high in brackets)])
        raise ValueError(
            f"{activation!r} must have one critical point at bias_variance {bias!r}, got "
            + (f"several, at variances near {found}" if found else "none")
        )
    q = roots[0] if roots else root(excess, *brackets[0])
    return CriticalPoint(q, 1.0 / activation.slope_second_moment(q))


def critical_weight_variance(activation: str | Activation, bias_variance: ArrayLike = 0.0) -> Any:
    """Return the weight variance with χ = 1 at the fixed point of the variances.

    Parameters
    ----------
    activation : str or Activation
    bias_variance : float or array_like of float
        σ_b² ≥ 0.

    Returns
    -------
    float, or ndarray of the shape of `bias_variance`
        σ_w².

    Raises
    ------
    TypeError, ValueError
        If a `bias_variance` is not such a number, or if there is none or more than one.

    Notes
    -----
    Below this line nearby inputs converge and gradients die out, above it both grow; on it networks can be deep [1]_.
    For ReLU it is 2 at σ_b² = 0, the initialisation of He et al.; with biases ReLU has none.  See `critical_point`.

    The variance that it belongs to is a fixed point, but need not attract: for GELU and SiLU with small biases it
    repels, and a network has to start on it, with q_1 = q*.

    References
    ----------
    .. [1] S. S. Schoenholz, J. Gilmer, S. Ganguli and J. Sohl-Dickstein, "Deep information propagation", ICLR 2017,
       arXiv:1611.01232.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.critical_weight_variance("relu")
    2.0
    >>> fc.critical_weight_variance("hard_tanh", [0.001, 0.05]).round(8)
    array([1.00847236, 1.16554469])
    """
    activation = resolve(activation)
    return elementwise(lambda bias: critical_point(activation, bias).weight_variance, bias_variance)


def elementwise(function: Callable[..., float], *arguments: ArrayLike) -> Any:
    """Apply a function of numbers to arrays that are broadcast; a number for numbers."""
    if not any(isinstance(argument, (list, tuple, np.ndarray)) for argument in arguments):
        return function(*arguments)
    arrays = np.broadcast_arrays(*map(np.asarray, arguments))
    values = [function(*row) for row in zip(*(array.ravel().tolist() for array in arrays), strict=True)]
    return np.array(values, dtype=np.float64).reshape(arrays[0].shape)


def _slope_at_zero(activation: Activation) -> bool:
    return activation.slope_second_moment(0.0) > 0.0


def _sign_changes(function: Callable[[float], float], bias: float) -> list[tuple[float, float]]:
    """Brackets of the roots; points where the sign is not certain are passed over."""
    low = math.log10(bias) if bias > 0.0 else -float(_DECADES)
    high = max(low, 0.0) + _DECADES
    grid: NDArray[np.float64] = np.logspace(low, high, math.ceil((high - low) * _PER_DECADE) + 1)
    brackets = []
    last: tuple[float, float] | None = None
    for q in grid.tolist():
        value = function(q)
        if not abs(value) > _ROUNDING * q:
            continue
        if last is not None and (value > 0.0) != (last[1] > 0.0):
            brackets.append((last[0], q))
        last = q, value
    return brackets


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """The root in a bracket, to rounding."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-300, rtol=4.0 * np.finfo(float).eps, maxiter=200))
