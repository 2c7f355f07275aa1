"""Floating-point arithmetic that neither raises nor loses what it need not."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["power", "snapped", "total"]

_ULP = 2.0**-52


def power(base: float, exponent: float) -> float:
    """base^exponent for base ≥ 0 and exponent > 0, inf where it overflows."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def total(values: Iterable[float]) -> float:
    """The correctly rounded sum; where `math.fsum` raises, on overflow and on inf − inf, the plain one."""
    values = list(values)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return sum(values)


def snapped(value: float, target: float = 1.0) -> float:
    """`target` if the value is within four units in its last place, else the value: 49·(1/49) is meant to be 1."""
    return target if abs(value - target) <= 4.0 * _ULP * abs(target) else value
