"""Calls with more points than a segment: the same values, and memory for a segment only."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import freeconv as fc
from freeconv._segments import SEGMENT, in_segments

LAW = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
POINTS = 3 * SEGMENT + 17


def grid(method: str) -> Any:
    """Points of the support and beyond, or levels."""
    return np.linspace(0.0, 1.0, POINTS) if method == "quantile" else np.linspace(-1.0, 12.0, POINTS)


@pytest.mark.parametrize("law", [LAW, LAW.singular_values(), 1.0 - LAW], ids=["law", "singular values", "mirrored"])
@pytest.mark.parametrize("method", ["density", "cdf", "quantile"])
def test_segments_change_no_value_and_bound_the_memory(law: Any, method: str) -> None:
    x = grid(method)
    call = getattr(law, method)
    call(x[:100])  # what is built once
    tracemalloc.start()
    values = call(x)
    extra = tracemalloc.get_traced_memory()[1] - values.nbytes
    tracemalloc.stop()
    # 8 bytes a point would be 3 MB, which is what some arrays of a segment take: evaluate() keeps all of its record.
    assert extra < 12 * 8 * SEGMENT
    at = np.array([0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, POINTS - 1])
    np.testing.assert_array_equal(values[at], call(x[at]))
    assert call(x.reshape(-1, 1)).shape == (POINTS, 1)


def test_a_segment_without_an_answer_ends_the_call() -> None:
    asked: list[int] = []

    def answer(part: Any) -> Any:
        asked.append(part.size)
        return None if len(asked) == 2 else part

    assert in_segments(answer, np.zeros(POINTS)) is None
    assert asked == [SEGMENT, SEGMENT]
    np.testing.assert_array_equal(in_segments(lambda part: 2.0 * part, grid("density")), 2.0 * grid("density"))


def test_bad_levels_far_into_the_array_are_named() -> None:
    p = np.full(POINTS, 0.5)
    p[-3] = 1.5
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got 1\.5"):
        LAW.quantile(p)
    p[-3] = np.nan
    assert np.flatnonzero(np.isnan(LAW.quantile(p))).tolist() == [POINTS - 3]
