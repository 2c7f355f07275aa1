"""Grids of points: what users pass in becomes a flat array of doubles, and results take the shape they came in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["complex_grid", "real_grid", "shaped"]


def real_grid(name: str, values: ArrayLike) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return integers or floats as a flat array of doubles, and their shape."""
    array = _numeric(name, values)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} must be real, got an array of {array.dtype}")
    return np.ascontiguousarray(array.reshape(-1), dtype=np.float64), array.shape


def complex_grid(name: str, values: ArrayLike) -> tuple[NDArray[np.complex128], tuple[int, ...]]:
    """Return numbers as a flat array of complex doubles, and their shape."""
    array = _numeric(name, values)
    return np.ascontiguousarray(array.reshape(-1), dtype=np.complex128), array.shape


def shaped(values: NDArray[Any], shape: tuple[int, ...]) -> Any:
    """Give a flat result the shape of its argument; a scalar argument gives a Python number."""
    return values.reshape(shape) if shape else values.item()


def _numeric(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.size == 0 and array.dtype.kind in "fiuc":
        return array
    if array.dtype.kind not in "fiuc":
        raise TypeError(f"{name} must be a number or an array of numbers, got {array.dtype} ({values!r:.80})")
    return array
