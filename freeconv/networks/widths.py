"""The widths of the layers: checked, and scaled to finite networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from freeconv._validate import integer, positive

__all__ = ["checked_depth", "checked_widths", "sizes"]


def checked_depth(depth: object, widths: object) -> int:
    """Return the number of layers: as given, or one less than the widths.

    Parameters
    ----------
    depth : int or None
    widths : sequence or None

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If `depth` is not an integer ≥ 1, or there is neither.

    Examples
    --------
    >>> from freeconv.networks.widths import checked_depth
    >>> checked_depth(None, [784, 100, 10])
    2
    """
    if depth is None and widths is not None:
        return max(1, len(_listed(widths)) - 1)
    return integer("depth", depth)


def checked_widths(widths: object, depth: int) -> tuple[float, ...] | None:
    """Return N_0, …, N_L; None where all are equal.

    Parameters
    ----------
    widths : sequence of float or None
    depth : int

    Returns
    -------
    tuple of float, length depth + 1, or None
        Integers stay such.

    Raises
    ------
    TypeError, ValueError
        If these are not depth + 1 finite numbers > 0.

    Examples
    --------
    >>> from freeconv.networks.widths import checked_widths
    >>> checked_widths([2, 1.5, 1], 2), checked_widths([100, 100, 100], 2)
    ((2, 1.5, 1), None)
    """
    if widths is None:
        return None
    given = _listed(widths)
    if len(given) != depth + 1:
        raise ValueError(f"widths must be {depth + 1} numbers, N_0 to N_{depth} (depth = {depth}), got {len(given)}")
    checked = tuple(_number(f"widths[{layer}]", width) for layer, width in enumerate(given))
    return None if len(set(checked)) == 1 else checked


def sizes(widths: Sequence[float], width: int) -> tuple[int, ...]:
    """Return the sizes of a finite network: the largest is `width`, the others are in proportion, rounded, at least 1.

    Parameters
    ----------
    widths : sequence of float
    width : int

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> from freeconv.networks.widths import sizes
    >>> sizes([784, 100, 10], 1000)
    (1000, 128, 13)
    """
    largest = max(widths)
    return tuple(max(1, round(width * (size / largest))) for size in widths)


def _listed(widths: object) -> list[object]:
    if isinstance(widths, np.ndarray):
        if widths.ndim != 1:
            raise ValueError(f"widths must have one dimension, got an array of shape {widths.shape}")
        return list(widths.tolist())
    if isinstance(widths, (str, bytes)) or not isinstance(widths, Iterable):
        raise TypeError(f"widths must be a sequence of numbers > 0, one more than layers, got {widths!r}")
    return list(widths)


def _number(name: str, value: object) -> float:
    number = positive(name, value)
    return int(number) if isinstance(value, (int, np.integer)) else number
