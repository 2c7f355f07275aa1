"""Cauchy transform and logarithmic potential from the rules, in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from freeconv.contours.rules import RuleSet

__all__ = ["cauchy", "log_potential"]

Complex = NDArray[np.complex128]


def cauchy(rules: RuleSet, z: Complex) -> Complex:
    """Return G(z) in the closed upper half-plane.

    Parameters
    ----------
    rules : RuleSet
    z : complex array, one-dimensional

    Returns
    -------
    complex array
    """
    total = _sums(rules, z, lambda apart: 1.0 / apart)
    with np.errstate(divide="ignore", invalid="ignore"):
        for location, weight in rules.atoms:
            total += weight / (z - location)
    return total


def log_potential(rules: RuleSet, z: Complex) -> NDArray[np.float64]:
    """Return ∫ log|z − t| dμ(t) in the closed upper half-plane.

    Parameters
    ----------
    rules : RuleSet
    z : complex array, one-dimensional

    Returns
    -------
    array
    """
    total = _sums(rules, z, np.log).real
    with np.errstate(divide="ignore"):
        for location, weight in rules.atoms:
            total += weight * np.log(np.abs(z - location))
    return total


def _sums(rules: RuleSet, z: Complex, term: Callable[[Complex], Complex]) -> Complex:
    """Σ w·term(z − ζ) by the rule that serves each point."""
    nearest = np.min(np.abs(z[:, None] - rules.singular), axis=1)
    total = np.zeros(z.shape, dtype=np.complex128)
    left = np.ones(z.shape, dtype=bool)
    for rule in rules.rules:
        chosen = left & ~(nearest < rule.distance)
        left &= ~chosen
        if not chosen.any():
            continue
        for x, v, w in zip(rules.singular, rule.offsets, rule.weights, strict=True):
            if v.size:
                total[chosen] += term((z[chosen] - x)[:, None] - v) @ w
    return total
