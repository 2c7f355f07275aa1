"""Leaves that need no solver: atoms only, arcsine and uniform laws, squared slopes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from freeconv.contours import closed_form, rule_set
from freeconv.contours.values import cauchy as contour_cauchy
from freeconv.contours.values import log_potential as contour_potential
from freeconv.laws import Arcsine, CurvedSlopes, Discrete, Law, PointMass, Uniform

__all__ = ["cauchy", "cdf", "density", "density_and_cdf", "is_closed", "log_potential", "pieces", "quantile", "support"]


def is_closed(law: Law) -> bool:
    """Whether the functions of this module serve the law."""
    return isinstance(law, (PointMass, Discrete, Arcsine, Uniform, CurvedSlopes))


def density(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density at real points, 0 off the open support."""
    if isinstance(law, CurvedSlopes):
        return np.where(np.isnan(x), np.nan, closed_form(law.activation, law.dispersion).density(x))
    if not isinstance(law, (Arcsine, Uniform)):
        return np.where(np.isnan(x), np.nan, 0.0)
    inside = (x > law.low) & (x < law.high)
    left = np.where(inside, x - law.low, 1.0)
    right = np.where(inside, law.high - x, 1.0)
    values = 1.0 / (np.pi * np.sqrt(left) * np.sqrt(right)) if isinstance(law, Arcsine) else 1.0 / (left + right)
    return np.where(np.isnan(x), np.nan, np.where(inside, values, 0.0))


def cdf(law: Law, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return μ((−∞, x]).

    Notes
    -----
    Arcsine: (2/π) arctan √((x − a)/(b − x)), which has no cancellation at either end.
    """
    if isinstance(law, CurvedSlopes):
        return np.where(np.isnan(x), np.nan, closed_form(law.activation, law.dispersion).cdf(x))
    if not isinstance(law, (Arcsine, Uniform)):
        locations, weights = _atoms(law)
        values = np.concatenate([[0.0], np.cumsum(weights)])
        values[-1] = 1.0
        return np.where(np.isnan(x), np.nan, values[np.searchsorted(locations, x, side="right")])
    left = np.clip(x - law.low, 0.0, None)
    right = np.clip(law.high - x, 0.0, None)
    with np.errstate(invalid="ignore"):  # ∞/∞
        part = left / (left + right)
    values = (2.0 / np.pi) * np.arctan2(np.sqrt(left), np.sqrt(right)) if isinstance(law, Arcsine) else part
    values = np.where(left == 0.0, 0.0, np.where(right == 0.0, 1.0, values))
    return np.where(np.isnan(x), np.nan, values)


def density_and_cdf(law: Law, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both; those of squared slopes share the preimages of x."""
    if not isinstance(law, CurvedSlopes):
        return density(law, x), cdf(law, x)
    both = closed_form(law.activation, law.dispersion).both(x)
    heights, below = (np.where(np.isnan(x), np.nan, values) for values in both)
    return heights, below


def quantile(law: Law, p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return inf{x : F(x) ≥ p} for p in [0, 1], the lower end of the support for p = 0."""
    if isinstance(law, CurvedSlopes):
        return closed_form(law.activation, law.dispersion).quantile(p)
    if not isinstance(law, (Arcsine, Uniform)):
        locations, weights = _atoms(law)
        values = np.cumsum(weights)
        values[-1] = 1.0
        index = np.searchsorted(values, np.where(np.isnan(p), 0.0, p), side="left")
        return np.where(np.isnan(p), np.nan, locations[index])
    part: NDArray[np.float64] = np.sin(0.5 * np.pi * p) ** 2 if isinstance(law, Arcsine) else p
    # The nearer end is the better start of a difference; 1 − sin² is cos².
    rest = np.cos(0.5 * np.pi * p) ** 2 if isinstance(law, Arcsine) else 1.0 - p
    width = law.high - law.low
    return np.asarray(np.where(part < 0.5, law.low + width * part, law.high - width * rest), dtype=np.float64)


def log_potential(law: Law, z: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return ∫ log|z − t| dμ(t).

    Notes
    -----
    Arcsine: log|(y + √(z − a)√(z − b))/2|, y = z − (a + b)/2.  Uniform: the real part of ((z − a) log(z − a) − (z − b)
    log(z − b))/(b − a) − 1; far away, where that loses log10|z| digits, that of log y − Σ q^k/(2k(2k + 1)), q = ((b −
    a)/2y)².
    """
    z = z + 0.0
    if isinstance(law, CurvedSlopes):
        above = np.where(z.imag < 0.0, np.conj(z), z)
        return contour_potential(rule_set(law.activation, law.dispersion), above)
    with np.errstate(divide="ignore", invalid="ignore"):
        if isinstance(law, Arcsine):
            root = np.sqrt(z - law.low) * np.sqrt(z - law.high)
            return np.asarray(np.log(np.abs(0.5 * ((z - 0.5 * (law.low + law.high)) + root))), dtype=np.float64)
        if isinstance(law, Uniform):
            y = z - 0.5 * (law.low + law.high)
            q = np.square(0.5 * (law.high - law.low) / y)
            far = np.abs(q) < 0.25
            series = np.zeros_like(z)
            for k in range(30, 0, -1):
                series = np.where(far, q, 0.0) * (1.0 / (2 * k * (2 * k + 1)) + series)
            ends = [np.where(end == 0.0, 0.0, end * np.log(end)) for end in (z - law.low, z - law.high)]
            near = (ends[0] - ends[1]).real / (law.high - law.low) - 1.0
            return np.asarray(np.where(np.isinf(z), np.inf, np.where(far, np.log(np.abs(y)) - series.real, near)))
        locations, weights = _atoms(law)
        total = np.zeros(z.shape)
        for location, weight in zip(locations, weights, strict=True):
            total += weight * np.log(np.abs(z - location))
        return total


def support(law: Law) -> NDArray[np.float64]:
    """Return the intervals of the continuous part."""
    if isinstance(law, CurvedSlopes):
        return _joined(pieces(law)[:, :2])
    if isinstance(law, (Arcsine, Uniform)):
        return np.array([[law.low, law.high]])
    return np.empty((0, 2))


def pieces(law: Law) -> NDArray[np.float64]:
    """Return the open pieces of the support, cut where the density is singular: low, high, and F at these ends."""
    if isinstance(law, CurvedSlopes):
        return closed_form(law.activation, law.dispersion).pieces()
    intervals = support(law)
    return np.hstack([intervals, np.tile([0.0, 1.0], (len(intervals), 1))])


def _joined(intervals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Neighbours as one."""
    rows = [intervals[0].tolist()]
    for low, high in intervals[1:].tolist():
        if low == rows[-1][1]:
            rows[-1][1] = high
        else:
            rows.append([low, high])
    return np.array(rows)


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
    if isinstance(law, CurvedSlopes):
        return contour_cauchy(rule_set(law.activation, law.dispersion), z)
    total = np.zeros_like(z)
    for location, weight in zip(*_atoms(law), strict=True):
        total += weight / (z - location)
    return total


def _atoms(law: Law) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if isinstance(law, PointMass):
        return np.array([law.location]), np.ones(1)
    if isinstance(law, Discrete):
        return np.array(law.locations), np.array(law.weights)
    raise TypeError(f"{law!r} has no closed form here")
