"""Truncated power series: arrays of coefficients, all of one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Series",
    "arcsine_series",
    "exponential",
    "integer_power",
    "logarithm",
    "padded",
    "reciprocal",
    "reverted",
    "times",
    "uniform_series",
]

Series: TypeAlias = NDArray[np.float64]


def padded(start: Sequence[float], order: int) -> Series:
    """The series that starts so and has `order` coefficients."""
    return np.concatenate([start, np.zeros(max(0, order - len(start)))])[:order]


def arcsine_series(order: int) -> Series:
    """The series (√(1 + x²) − 1)/x."""
    series = np.zeros(order)
    coefficient = 0.5
    for j in range(1, order, 2):
        series[j] = coefficient
        coefficient *= (0.5 - (j + 1) / 2) / ((j + 3) / 2)
    return series


def uniform_series(order: int) -> Series:
    """The series u = coth x − 1/x, from u' = 1 − u² − 2u/x; all terms of a sum have one sign."""
    series = np.zeros(order + 1)
    for j in range(order):
        series[j + 1] = ((1.0 if j == 0 else 0.0) - series[: j + 1] @ series[: j + 1][::-1]) / (j + 3.0)
    return series[:order]


def times(a: Series, b: Series) -> Series:
    """The product, to the order of a."""
    return np.convolve(a, b)[: a.size]


def integer_power(base: Series, exponent: int) -> Series:
    """The power base^exponent by squaring."""
    result = padded([1.0], base.size)
    while exponent:
        if exponent & 1:
            result = times(result, base)
        base = times(base, base)
        exponent >>= 1
    return result


def reciprocal(a: Series) -> Series:
    """The series 1/a for a(0) = 1."""
    b = padded([1.0], a.size)
    for n in range(1, a.size):
        b[n] = -(a[1 : n + 1] @ b[n - 1 :: -1][:n])
    return b


def logarithm(a: Series) -> Series:
    """The series log a for a(0) = 1, from a·(log a)' = a'."""
    b = np.zeros(a.size)
    j = np.arange(float(a.size))
    for n in range(1, a.size):
        b[n] = a[n] - (j[1:n] * b[1:n]) @ a[n - 1 : 0 : -1] / n
    return b


def exponential(a: Series) -> Series:
    """The series exp a for a(0) = 0, from b' = a' b."""
    b = padded([1.0], a.size)
    weighted = np.arange(float(a.size)) * a
    for n in range(1, a.size):
        b[n] = (weighted[1 : n + 1] @ b[n - 1 :: -1][:n]) / n
    return b


def reverted(phi: Series) -> Series:
    """The series y/x of the solution y of y = x phi(y), phi(0) = 1: its coefficients are [y^n] phi^{n+1} / (n + 1)."""
    result = np.empty(phi.size)
    powers = phi
    for n in range(phi.size):
        result[n] = powers[n] / (n + 1)
        powers = times(powers, phi)
    return result
