"""Checks of the numbers that describe a network.  Each message names the value and what is allowed."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import cast

import numpy as np

__all__ = ["finite", "integer", "non_negative", "positive"]


def finite(name: str, value: object) -> float:
    """Return a finite real number as a float."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def positive(name: str, value: object) -> float:
    """Return a finite number > 0 as a float."""
    number = finite(name, value)
    if number <= 0.0:
        raise ValueError(f"{name} must be > 0, got {value!r}")
    return number


def non_negative(name: str, value: object) -> float:
    """Return a finite number ≥ 0 as a float."""
    number = finite(name, value)
    if number < 0.0:
        raise ValueError(f"{name} must be >= 0, got {value!r}")
    return number


def integer(name: str, value: object) -> int:
    """Return an integer ≥ 1 as an int; a float is refused, whole or not."""
    message = f"{name} must be an integer >= 1, got {value!r}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(message)
    try:
        number = operator.index(cast("int", value))
    except TypeError:
        raise TypeError(message) from None
    if number < 1:
        raise ValueError(message)
    return number
