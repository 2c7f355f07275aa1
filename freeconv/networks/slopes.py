"""The law of the squared slopes of a layer."""

from __future__ import annotations

from freeconv.activations import Activation
from freeconv.laws import Discrete, Law, PointMass

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
    NotImplementedError
        If φ' is not constant between kinks.

    Examples
    --------
    >>> import freeconv as fc
    >>> slope_law(fc.activations.LeakyReLU(slope=0.5), 2.0)
    Discrete(locations=(0.25, 1.0), weights=(0.5, 0.5))
    """
    atoms = activation.slope_atoms(variance)
    if variance > 0.0 and not activation.piecewise_linear:
        raise NotImplementedError(f"the law of the squared slopes of {activation!r} is not available in this version")
    if len(atoms) == 1:
        return PointMass(atoms[0][0])
    squares, weights = zip(*atoms, strict=True)
    return Discrete(squares, weights)
