"""Long arrays a segment at a time: what a call keeps of each point on the way does not grow with their length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["SEGMENT", "in_segments"]

SEGMENT = 1 << 17
"""Points: 1 MB of doubles, some ms of work, so that neither threads nor the copy of the results are felt."""


def in_segments(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64] | None], x: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return function(x), an element of the result for each of x, or None as soon as it says None of a segment."""
    if x.size <= SEGMENT:
        return function(x)
    out = np.empty(x.size)
    for start in range(0, x.size, SEGMENT):
        stop = min(start + SEGMENT, x.size)
        part = function(x[start:stop])
        if part is None:
            return None
        out[start:stop] = part
    return out
