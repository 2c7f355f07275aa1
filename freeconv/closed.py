"""Leaves that need no solver: atoms only, arcsine and uniform laws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from freeconv.laws import Arcsine, Discrete, Law, PointMass, Uniform

__all__ = ["cauchy", "density", "is_closed", "support"]


def is_closed(law: Law) -> bool:
    """Whether the functions of this module serve the law."""
    return isinstance(law, (PointMass, Discrete, Arcsine, Uniform))


def density(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density at real points, 0 off the open support."""
    if not isinstance(law, (Arcsine, Uniform)):
        return np.where(np.isnan(x), np.nan, 0.0)
    inside = (x > law.low) & (x < law.high)
    left = np.where(inside, x - law.low, 1.0)
    right = np.where(inside, law.high - x, 1.0)
    values = 1.0 / (np.pi * np.sqrt(left) * np.sqrt(right)) if isinstance(law, Arcsine) else 1.0 / (left + right)
    return np.where(np.isnan(x), np.nan, np.where(inside, values, 0.0))


def support(law: Law) -> NDArray[np.float64]:
    """Return the intervals of the continuous part."""
    if isinstance(law, (Arcsine, Uniform)):
        return np.array([[law.low, law.high]])
    return np.empty((0, 2))


def cauchy(law: Law, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return G in the closed upper half-plane, the boundary value on the real axis.

    Notes
    -----
    Arcsine: 1/(√(z − a) √(z − b)), both roots principal.  Uniform: log((z − a)/(z − b))/(b − a), as a difference of
    principal logarithms so that no cut is crossed; far away it is 2 artanh(w)/(b − a), w = (b − a)/(2z − a − b): the
    difference loses log10|z| digits.
    """
    z = z + 0.0  # turns an imaginary part of −0.0, the lower side of every cut, into +0.0
    if isinstance(law, Arcsine):
        return np.asarray(1.0 / (np.sqrt(z - law.low) * np.sqrt(z - law.high)), dtype=np.complex128)
    if isinstance(law, Uniform):
        width = law.high - law.low
        w = width / (2.0 * z - (law.low + law.high))
        near = (np.log(z - law.low) - np.log(z - law.high)) / width
        far = 2.0 * np.arctanh(np.where(np.abs(w) < 0.5, w, 0.0)) / width
        return np.asarray(np.where(np.abs(w) < 0.5, far, near), dtype=np.complex128)
    if isinstance(law, PointMass):
        return 1.0 / (z - law.location)
    if isinstance(law, Discrete):
        total = np.zeros_like(z)
        for location, weight in zip(law.locations, law.weights, strict=True):
            total += weight / (z - location)
        return total
    raise TypeError(f"{law!r} has no closed form here")
