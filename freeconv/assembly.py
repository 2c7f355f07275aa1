"""Tables in the making: regions of an axis one after the other, and the arrays of their cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from freeconv import engine
from freeconv.graded import TERMS, Grading

__all__ = ["Assembly", "evaluator"]

Array = NDArray[np.float64]


class Assembly:
    """Regions one after the other, and the arrays of their cells."""

    def __init__(self) -> None:
        self.cuts: list[float] = []
        self.regions: list[tuple[float, float, float, float]] = []
        self.offsets: list[int] = []
        self.octaves: list[NDArray[np.float64]] = [np.array([[1.0, 0.0]])]
        self.rows: list[NDArray[np.float64]] = [np.zeros((1, TERMS))]

    def add(self, start: float, region: tuple[float, float, float, float], grading: Grading | None = None) -> None:
        """Begin a region; what begins at or below its start goes."""
        while self.cuts and self.cuts[-1] >= start:
            self.cuts.pop()
            self.regions.pop()
            self.offsets.pop()
        if self.regions:
            self.cuts.append(start)
        self.regions.append(region)
        self.offsets.append(0)
        if grading is not None and len(grading.cells):
            self.offsets[-1] = sum(map(len, self.octaves)) - (grading.low + 1023)
            first = grading.first + sum(map(len, self.rows))
            self.octaves.append(np.column_stack([grading.cells, first]).astype(np.float64))
            self.rows.append(grading.rows)

    def constant(self, start: float, value: float) -> None:
        """Begin a region of one value."""
        self.add(start, (0.0, 1.0, value, np.nan))

    def unknown(self, start: float) -> None:
        """Begin a region that is left to the law."""
        self.add(start, (0.0, 1.0, 0.0, np.inf))

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Arguments of `engine.table`."""
        return (
            np.array(self.cuts, dtype=np.float64),
            np.array(self.regions, dtype=np.float64).reshape(-1, 4),
            np.array(self.offsets, dtype=np.int64),
            np.concatenate(self.octaves),
            np.concatenate(self.rows),
        )


def evaluator(grading: Grading) -> Callable[[Array], Array]:
    """The function of s that a grading stands for."""
    assembly = Assembly()
    assembly.add(-np.inf, (0.0, 1.0, 0.0, np.nan))
    assembly.add(grading.bottom, (0.0, 1.0, 0.0, grading.bottom), grading)
    assembly.add(float(np.nextafter(grading.farthest, np.inf)), (0.0, 1.0, 0.0, np.nan))
    table = engine.table(*assembly.arrays())
    return lambda s: table.evaluate(np.ascontiguousarray(s))[0]
