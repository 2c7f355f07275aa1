"""Checks of arguments.  Each message names the argument, the value, and what is allowed."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import cast

import numpy as np

__all__ = ["choice", "finite", "finite_sequence", "flag", "integer", "non_negative", "positive", "worker_count"]


def choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """Return one of the allowed strings."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def flag(name: str, value: object) -> bool:
    """Return a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def finite(name: str, value: object) -> float:
    """Return a finite real number as a float; −0.0 becomes 0.0."""
    if isinstance(value, np.generic):
        value = value.item()  # NumPy's scalars would be named np.float64(nan) in messages
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number + 0.0


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


def integer(name: str, value: object, minimum: int = 1) -> int:
    """Return an integer ≥ minimum as an int; a float is refused, whole or not."""
    message = f"{name} must be an integer >= {minimum}, got {value!r}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(message)
    try:
        number = operator.index(cast("int", value))
    except TypeError:
        raise TypeError(message) from None
    if number < minimum:
        raise ValueError(message)
    return number


def worker_count(workers: object) -> int:
    """Return a number of threads: `workers` itself if ≥ 1, that of the available processors for −1."""
    if isinstance(workers, (bool, np.bool_)):
        raise TypeError(f"workers must be an integer >= 1 or -1, got {workers!r}")
    try:
        count = operator.index(cast("int", workers))
    except TypeError:
        raise TypeError(f"workers must be an integer >= 1 or -1, got {workers!r}") from None
    if count == -1:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count < 1:
        raise ValueError(f"workers must be an integer >= 1 or -1, got {workers!r}")
    return min(count, 1024)


def finite_sequence(name: str, values: object) -> list[float]:
    """Return a one-dimensional sequence of finite real numbers as a list of floats."""
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ValueError(f"{name} must have one dimension, got an array of shape {values.shape}")
        if values.dtype.kind in "iuf" and bool(np.isfinite(values).all()):
            return cast("list[float]", (values.astype(np.float64) + 0.0).tolist())
    elif isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a sequence of real numbers, got {values!r}")
    return [finite(f"{name}[{i}]", value) for i, value in enumerate(values)]
