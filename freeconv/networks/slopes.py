"""The law of the squared slopes of a layer."""

from __future__ import annotations

from freeconv.activations import Activation
from freeconv.laws import Law, SlopeLaw

__all__ = ["slope_law"]


def slope_law(activation: Activation, variance: float) -> Law:
    """Return the law of φ'(√q Z)², Z standard normal.

    Parameters
    ----------
    activation : Activation
    variance : float
        q ≥ 0; for q = 0 the limit from above is meant.

    Returns
    -------
    Law

    Raises
    ------
    TypeError, ValueError
        If `variance` is not such a number.

    Examples
    --------
    >>> import freeconv as fc
    >>> slope_law(fc.activations.LeakyReLU(slope=0.5), 2.0)
    Discrete(locations=(0.25, 1.0), weights=(0.5, 0.5))
    """
    return SlopeLaw(activation, variance)
