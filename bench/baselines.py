"""What a user would write in vectorised NumPy: the other rows of each group.

None of them checks its branch, and all but the companion matrices evaluate at x + iη instead of on the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Numbers = Sequence[float] | Array

HEIGHTS = (10.0, 1.0, 0.1, 0.01, 1e-3, 1e-9)
"""Imaginary parts of the continuation, in units of the law's scale: the fewest that keep the right root here."""

STEPS = 4
"""Newton steps at each."""


def relu_gaussian_newton(depth: int, x: Array, heights: Numbers | None = None, steps: int = STEPS) -> Array:
    """Newton in m for log((1 + m)(1 + 2m)^L/m) = log z, continued in Im z; all points at once."""
    heights = depth * np.array(HEIGHTS) if heights is None else heights
    m = 1.0 / (x + 1j * heights[0])
    for height in heights:
        z = x + 1j * height
        for _ in range(steps):
            ratio = (1.0 + m) / m * (1.0 + 2.0 * m) ** depth / z
            slope = 1.0 / (1.0 + m) - 1.0 / m + 2.0 * depth / (1.0 + 2.0 * m)
            m = m - np.log(ratio) / slope
    return np.asarray(-((1.0 + m) / z).imag / np.pi)


def relu_polynomial_newton(x: Array, heights: Numbers, steps: int) -> Array:
    """L = 3: Newton for the polynomial (1 + m)(1 + 2m)³ − z m, which NumPy does fastest: no logarithm, no division."""
    m = 1.0 / (x + 1j * heights[0])
    for height in heights:
        z = x + 1j * height
        for _ in range(steps):
            a = 1.0 + 2.0 * m
            square = a * a
            cube = square * a
            m = m - ((1.0 + m) * cube - z * m) / (cube + 6.0 * (1.0 + m) * square - z)
    return np.asarray(-((1.0 + m) / z).imag / np.pi)


def gaussian_layers_newton(shares: Array, gains: Array, x: Array) -> Array:
    """Newton in m for z = (1 + m)/m ∏ g_l (p_l + m): Gaussian layers with shares p_l of linear units; as above."""
    scale = float(x.max())
    mean = float(np.prod(shares * gains))
    m = mean / (x + 1j * HEIGHTS[0] * scale)
    for height in HEIGHTS:
        z = x + 1j * height * scale
        for _ in range(STEPS):
            ratio = (1.0 + m) / m / z
            slope = 1.0 / (1.0 + m) - 1.0 / m
            for share, gain in zip(shares, gains, strict=True):
                ratio = ratio * gain * (share + m)
                slope = slope + 1.0 / (share + m)
            m = m - np.log(ratio) / slope
    return np.asarray(-((1.0 + m) / z).imag / np.pi)


def power_of_discrete_newton(
    power: float, locations: Array, weights: Array, x: Array, heights: Numbers = HEIGHTS, steps: int = STEPS
) -> Array:
    """ν^⊠t of atoms: Newton in the atoms' own point w for z = (m/(1 + m))^(t − 1) w^t, continued in Im z."""
    scale = float(x.max())
    w = (x + 1j * heights[0] * scale) / float(weights @ locations) ** (power - 1.0)
    for height in heights:
        z = x + 1j * height * scale
        for _ in range(steps):
            parts = 1.0 / (w[:, None] - locations)
            m = parts @ (weights * locations)
            d_m = -(parts * parts) @ (weights * locations)
            ratio = (m / (1.0 + m)) ** (power - 1.0) * w**power / z
            slope = (power - 1.0) * d_m / (m * (1.0 + m)) + power / w
            change = np.log(ratio) / slope
            # Newton alone leaves the upper half-plane: go at most nine tenths of the way to the axis.
            excess = np.maximum(change.imag / np.maximum(0.9 * w.imag, 1e-300), 1.0)
            w = w - change / excess
    parts = 1.0 / (w[:, None] - locations)
    return np.asarray(-((1.0 + parts @ (weights * locations)) / z).imag / np.pi)


def relu_gaussian_companion(x: Array) -> Array:
    """L = 3: the eigenvalues of a batch of 4 × 4 companion matrices of (1 + m)(1 + 2m)³ − x m.

    Which of two pairs is the law cannot be told by a rule of thumb such as the largest imaginary part.  That it is the
    one of larger real part, which comes from m = 0 at infinity, is knowledge about this one law.
    """
    # (1 + m)(1 + 2m)³ = 8m⁴ + 20m³ + 18m² + 7m + 1
    matrices = np.zeros((x.size, 4, 4))
    matrices[:, 1, 0] = matrices[:, 2, 1] = matrices[:, 3, 2] = 1.0
    matrices[:, 0, 3] = -1.0 / 8.0
    matrices[:, 1, 3] = -(7.0 - x) / 8.0
    matrices[:, 2, 3] = -18.0 / 8.0
    matrices[:, 3, 3] = -20.0 / 8.0
    roots = np.linalg.eigvals(matrices)
    lower = np.where(roots.imag < 0.0, roots.real, -np.inf)
    m = np.take_along_axis(roots, lower.argmax(axis=1)[:, None], axis=1)[:, 0]
    return -m.imag / (np.pi * x)


@dataclass(frozen=True)
class KernelLayers:
    """What a tangent kernel H ↦ shift + gain · (coin ⊠ H) is made of, layer by layer, from H = first.

    Parameters
    ----------
    first : float
        q̂_0, where the recursion starts.
    shares, gains, shifts : tuple of float
        The coin's probability of 1, the weights' variance, and q̂_l, of each layer.
    gaussian : bool
        Whether Marchenko–Pastur is a factor of each layer.
    """

    first: float
    shares: tuple[float, ...]
    gains: tuple[float, ...]
    shifts: tuple[float, ...]
    gaussian: bool


def kernel_newton(layers: KernelLayers, x: Array, heights: Numbers = HEIGHTS, steps: int = STEPS) -> Array:
    """Tangent kernel of piecewise-linear layers: the explicit chain of z as a function of the innermost one.

    Each layer maps (z, G) onwards by the closed S-transforms of the coin and of Marchenko–Pastur, and carries the
    derivatives along; one complex Newton in the innermost z for all points, continued in Im z.
    """
    scale = float(x.max())
    # Innermost: H_1 = q̂_0, G = 1/(u − q̂_0); far away, u is z less the shifts, over the product of the means.
    mean, offset = 1.0, 0.0
    for share, gain, shift in zip(layers.shares, layers.gains, layers.shifts, strict=True):
        mean, offset = mean * share * gain, offset * share * gain + shift
    u: ComplexArray = np.asarray((x + 1j * heights[0] * scale - offset) / mean, dtype=np.complex128)
    for height in heights:
        target = x + 1j * height * scale
        for _ in range(steps):
            z, g, dz = _kernel_chain(layers, u)
            change = (z - target) / dz
            # A step of half the distance to the pole at u = q̂_0 at most.
            limit = 0.5 * np.abs(u - layers.first)
            change = change * np.minimum(1.0, limit / np.maximum(np.abs(change), 1e-300))
            u = u - change
    _, g, _ = _kernel_chain(layers, u)
    return np.asarray(-g.imag / np.pi)


def _kernel_chain(layers: KernelLayers, u: ComplexArray) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    z, g = u, 1.0 / (u - layers.first)
    dz, dg = np.ones_like(u), -g * g
    for share, gain, shift in zip(layers.shares, layers.gains, layers.shifts, strict=True):
        m = z * g - 1.0
        dm = dz * g + z * dg
        inverse = (share + m) / (1.0 + m)  # 1/S of the coin
        d_inverse = (1.0 - share) * dm / (1.0 + m) ** 2
        if layers.gaussian:  # ⊠ Marchenko–Pastur of ratio 1
            inverse, d_inverse = inverse * (1.0 + m), d_inverse * (1.0 + m) + inverse * dm
        z, dz = z * inverse, dz * inverse + z * d_inverse
        g, dg = (1.0 + m) / z, dm / z - (1.0 + m) * dz / (z * z)
        z, dz, g, dg = shift + gain * z, gain * dz, g / gain, dg / gain
    return z, g, dz


def marchenko_pastur_discrete_averaged(
    ratio: float, locations: Numbers, weights: Numbers, x: Array, *, tolerance: float = 1e-12
) -> Array:
    """MP ⊠ discrete by the averaged fixed point at η = 1e-9; points that have converged drop out.

    The equation is that of the companion Stieltjes transform: v = −1/(z − c Σ w t/(1 + t v)), c the ratio.
    """
    z = x + 1e-9j
    result = 1j / z.conj()
    left = np.arange(x.size)
    while left.size:
        v = result[left]
        total = np.zeros_like(v)
        for location, weight in zip(locations, weights, strict=True):
            total += weight * location / (1.0 + location * v)
        change = 0.5 * (-1.0 / (z[left] - ratio * total) - v)
        result[left] = v + change
        left = left[np.abs(change) > tolerance * np.abs(v)]
    # The companion's mass off 0 is ratio times that of the law.
    return np.asarray(result.imag / (np.pi * ratio))


def semicircle_discrete_newton(
    variance: float, locations: Sequence[float], weights: Sequence[float], x: Array
) -> Array:
    """Semicircle ⊞ discrete: G = Σ w/(z − v G − a), Newton in ω = z − v G, continued in Im z."""
    scale = float(np.abs(x).max())
    omega = x + 1j * HEIGHTS[0] * scale
    for height in HEIGHTS:
        z = x + 1j * height * scale
        for _ in range(STEPS):
            g = np.zeros_like(omega)
            slope = np.zeros_like(omega)
            for location, weight in zip(locations, weights, strict=True):
                part = 1.0 / (omega - location)
                g += weight * part
                slope -= weight * part * part
            change = (omega + variance * g - z) / (1.0 + variance * slope)
            # Newton alone leaves the upper half-plane: go at most nine tenths of the way to the axis.
            excess = np.maximum(change.imag / np.maximum(0.9 * omega.imag, 1e-300), 1.0)
            omega = omega - change / excess
    return np.asarray((omega - z).imag / (np.pi * variance))


def edges_by_scan(density: Callable[[Array], Array], low: float, high: float, points: int) -> Array:
    """Ends (k, 2) of the runs of a grid where the density is not small: as good as the grid is fine."""
    x = np.linspace(low, high, points)
    inside = np.concatenate([[False], density(x) > 1e-6 / (high - low), [False]])
    change = np.flatnonzero(inside[1:] != inside[:-1])
    return np.column_stack([x[change[::2]], x[change[1::2] - 1]])
