"""The law of the squared slopes of a wide layer."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from freeconv._validate import non_negative
from freeconv.activations import Activation, resolve
from freeconv.laws.base import Law
from freeconv.laws.leaves import Discrete, Leaf, PointMass

__all__ = ["CurvedSlopes", "SlopeLaw"]

_REACH = 9.2  # deviations
_ROUNDED = 2.0**-46


@dataclass(frozen=True, repr=False)
class CurvedSlopes(Leaf):
    """The law of φ'(√q Z)² for an activation with a curved piece; `SlopeLaw` makes it.

    Parameters
    ----------
    activation : Activation
        With a piece between kinks on which φ' is not constant.
    dispersion : float
        q > 0; `variance` is a method of every law.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.SlopeLaw("sin", 1.0)
    SlopeLaw(activation=Sin(), variance=1.0)
    """

    activation: Activation
    dispersion: float

    def __repr__(self) -> str:
        return f"SlopeLaw(activation={self.activation!r}, variance={self.dispersion!r})"


def SlopeLaw(activation: str | Activation, variance: float) -> Law:  # noqa: N802  # named like the laws beside which it is used
    """Return the law of φ'(√q Z)², Z standard normal: of the squared slopes of a wide layer.

    Parameters
    ----------
    activation : str or Activation
    variance : float
        q ≥ 0, the variance of the pre-activations; for q = 0 the limit from above is meant.

    Returns
    -------
    Law
        A `Discrete` or `PointMass` where φ' is constant between kinks, else a leaf of its own; for q so small that all
        squared slopes are the limit's to 64 ulps the limit for q → 0.

    Raises
    ------
    TypeError, ValueError
        If the activation is not known or the variance no such number.

    Notes
    -----
    The push-forward of a Gaussian by g = φ'².  Its Cauchy transform ∫ ρ(h)/(z − g(h)) dh is computed on a contour in
    the complex h plane on which Im g < 0, for all z in the closed upper half-plane at once; see ``docs/slope_laws.md``.

    Examples
    --------
    >>> import freeconv as fc
    >>> law = fc.SlopeLaw("tanh", 0.5)
    >>> law.support().tolist()
    [[0.0, 1.0]]
    >>> fc.SlopeLaw("relu", 0.5)
    Discrete(locations=(0.0, 1.0), weights=(0.5, 0.5))
    """
    phi = resolve(activation)
    q = non_negative("variance", variance)
    atoms = phi.slope_atoms(q)
    if q > 0.0 and not phi.piecewise_linear:
        if not _is_rounded_to_limit(phi, q):
            return CurvedSlopes(phi, q)
        atoms = phi.slope_atoms(0.0)
    if len(atoms) == 1:
        return PointMass(atoms[0][0])
    squares, weights = zip(*atoms, strict=True)
    return Discrete(squares, weights)


def _is_rounded_to_limit(phi: Activation, variance: float) -> bool:
    """Whether φ'² on either side of 0 is its limit to `_ROUNDED`, up to where the Gaussian is negligible."""
    reach = _REACH * math.sqrt(variance)
    if any(0.0 < abs(kink) <= reach for kink in phi.kinks):
        return False
    h = reach * np.array([[-1.0, 1.0], [-0.6, 0.6], [-0.3, 0.3], [-1e-9, 1e-9]])
    squares = np.square(np.asarray(phi.derivative(h), dtype=np.float64))
    return bool(np.all(np.abs(squares - squares[-1]) <= _ROUNDED * squares[-1]))
