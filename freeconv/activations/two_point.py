"""Expectations E f(h₁) f(h₂) of two correlated Gaussians: adaptive in h₁, a rule adapted to it in h₂."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from freeconv._validate import finite, non_negative
from freeconv.activations.quadrature import gaussian_expectation, legendre, panels

__all__ = ["Pair", "gaussian_pair", "gaussian_product_expectation"]

_NODES = 14
_REACH = 9.0
"""In standard deviations of h₂ given h₁: beyond, the mass is 2e-19."""

_CHUNK = 1 << 19
"""Values of f at once."""


class Pair:
    """Two centred Gaussians: their deviations, and what is left of h₂ when h₁ is known.

    Attributes
    ----------
    first, second : float
        √q₁ and √q₂.
    covariance : float
        c.
    determinant : float
        q₁ q₂ − c² ≥ 0, as (√q₁√q₂ − |c|)(√q₁√q₂ + |c|).
    """

    def __init__(self, q1: float, q2: float, covariance: float) -> None:
        self.first, self.second, self.covariance = math.sqrt(q1), math.sqrt(q2), covariance
        most = math.sqrt(q1 * q2)
        self.determinant = max(most - abs(covariance), 0.0) * (most + abs(covariance))

    @property
    def angle(self) -> float:
        """The arccosine of the correlation, without its loss of digits near ±1; π/2 where a variance is 0."""
        if self.covariance == 0.0:
            return 0.5 * math.pi
        return math.atan2(math.sqrt(self.determinant), self.covariance)


def gaussian_pair(q1: float, q2: float, covariance: float) -> Pair:
    """Check two variances and a covariance.

    Raises
    ------
    TypeError, ValueError
        If one is not a finite real number, a variance is negative, or |covariance| exceeds √(q1 q2) by more than
        rounding.
    """
    q1, q2, covariance = non_negative("q1", q1), non_negative("q2", q2), finite("covariance", covariance)
    most = math.sqrt(q1 * q2)
    if abs(covariance) > most * (1.0 + 1e-14):
        raise ValueError(f"covariance must be in [-sqrt(q1 q2), sqrt(q1 q2)] = [{-most}, {most}], got {covariance!r}")
    return Pair(q1, q2, min(max(covariance, -most), most))


def gaussian_product_expectation(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    pair: Pair,
    breaks: Sequence[float] = (),
    width: float = 1.0,
) -> float:
    """Return E f(h₁) f(h₂) to about 1e-12 of √(E f(h₁)² E f(h₂)²).

    Parameters
    ----------
    f : callable
        Maps an array of real h to an array of values.
    pair : Pair
        The law of (h₁, h₂).
    breaks : sequence of float
        Where f is not analytic.
    width : float
        The length over which f changes near 0 and near the breaks.

    Returns
    -------
    float

    Notes
    -----
    E f(h₁) g(h₁) with g(h₁) = E[f(h₂) | h₁], where h₂ is N(r h₁, s²), r = c/q₁, s² = q₂ − c²/q₁.  g is analytic; it
    bends where r h₁ is at a break, over a length s/r.  The inner rule is split at the breaks of f, at the panels around
    them, and at multiples of s around r h₁.
    """
    q1, q2 = pair.first * pair.first, pair.second * pair.second
    if pair.covariance == 0.0 or q1 == 0.0 or q2 == 0.0:
        return gaussian_expectation(f, q1, breaks, width) * gaussian_expectation(f, q2, breaks, width)
    ratio = pair.covariance / q1
    deviation = math.sqrt(pair.determinant) / pair.first
    mirrored = [point / ratio for point in breaks]
    if deviation == 0.0:
        # An outer rule in h₁ sees both factors; features of f(r h₁) have width/|r|.
        scale = min(width, width / abs(ratio))
        return gaussian_expectation(lambda h: f(h) * f(ratio * h), q1, [*breaks, *mirrored], scale)
    bend = min(width, width / abs(ratio))
    if breaks:
        bend = min(bend, deviation / abs(ratio))
    ends = panels(q2, breaks, width)

    def both(h: NDArray[np.float64]) -> NDArray[np.float64]:
        means = ratio * h.ravel()
        rows = max(1, _CHUNK // (_NODES * (ends.size + 14)))
        parts = [_conditional(f, means[i : i + rows], deviation, ends) for i in range(0, means.size, rows)]
        return f(h) * np.concatenate(parts).reshape(h.shape)

    return gaussian_expectation(both, q1, [*breaks, *mirrored], bend)


def _conditional(
    f: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    means: NDArray[np.float64],
    deviation: float,
    ends: NDArray[np.float64],
) -> NDArray[np.float64]:
    """E f(m + s V) for every mean m: Gauss–Legendre in V between the images of the ends and steps of the Gaussian."""
    steps = np.arange(-_REACH, _REACH + 0.5, 1.5)
    corners = np.clip((ends - means[:, np.newaxis]) / deviation, -_REACH, _REACH)
    corners = np.sort(np.concatenate([corners, np.broadcast_to(steps, (means.size, steps.size))], axis=1), axis=1)
    low, high = corners[:, :-1], corners[:, 1:]
    row, column = np.nonzero(high > low)
    a, b = low[row, column], high[row, column]
    nodes, weights = legendre(_NODES)
    half = 0.5 * (b - a)
    v = half[:, np.newaxis] * nodes + (0.5 * (a + b))[:, np.newaxis]
    values = f(means[row, np.newaxis] + deviation * v) * np.exp(-0.5 * v * v)
    integrals = (values @ weights) * (half / math.sqrt(2.0 * math.pi))
    return np.asarray(np.bincount(row, integrals, minlength=means.size), dtype=np.float64)
