"""What a benchmark is: a group of cases on the same data, each with its answer asserted before it is timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Case", "Group", "Job", "Reading", "Row", "Skip", "Target", "largest_error", "per_point"]

Array = NDArray[np.float64]


class Skip(Exception):  # noqa: N818  # not an error
    """A case cannot run here: its package, or what it times, does not exist."""


@dataclass(frozen=True)
class Job:
    """A call that is ready to be timed, and whose answer was found right.

    Parameters
    ----------
    call : callable
        What is timed.
    points : int
        How many points it computes: times are given per point.
    error : float, optional
        Its largest relative error at these points, where it is an approximation.
    wall : bool
        Whether it is timed by the wall instead of the processor: for threads.
    """

    call: Callable[[], object]
    points: int = 1
    error: float | None = None
    wall: bool = False


@dataclass(frozen=True)
class Reading:
    """A number that is no time: bytes per point."""

    value: float
    unit: str


@dataclass(frozen=True)
class Case:
    """One line of a group.

    Parameters
    ----------
    name : str
        Who computes what; a group's names differ.
    prepare : callable
        Takes whether to be quick (fewer points), asserts the answer, returns what is to be timed or was read.
    rounds : int
        How often it is timed; the minimum counts.
    """

    name: str
    prepare: Callable[[bool], Job | Reading]
    rounds: int = 7


@dataclass(frozen=True)
class Row:
    """What was measured of a case: `value` in `unit`, or seconds per point where the unit is "s"."""

    name: str
    value: float
    unit: str = "s"
    points: int = 1
    error: float | None = None


@dataclass(frozen=True)
class Target:
    """A number that is asked for.

    Parameters
    ----------
    what : str
        In words.
    measure : callable
        Takes the rows by name; a KeyError says that one of them was skipped.
    asked : float
        The bound.
    at_least : bool
        Whether it is a lower one.
    unit : str
        Of the bound: "×" for a ratio within the run.
    """

    what: str
    measure: Callable[[Mapping[str, Row]], float]
    asked: float
    at_least: bool = False
    unit: str = "×"

    def met(self, value: float) -> bool:
        """Return whether a measured number is within the bound."""
        return value >= self.asked if self.at_least else value <= self.asked


@dataclass(frozen=True)
class Group:
    """Cases that are timed in turn, round by round, so that the machine's load falls on all of them.

    Parameters
    ----------
    key : str
        For `--only`.
    title : str
        Of its lines in the table.
    cases : tuple of Case
        The first is what the others are compared with.
    targets : tuple of Target
        What is asked of it.
    """

    key: str
    title: str
    cases: tuple[Case, ...]
    targets: tuple[Target, ...] = field(default=())

    def __post_init__(self) -> None:
        names = [case.name for case in self.cases]
        if len(set(names)) < len(names):
            raise ValueError(f"the names of a group's cases must differ, got {names}")


def per_point(numerator: str, denominator: str) -> Callable[[Mapping[str, Row]], float]:
    """Return the measure of a target: one row's time per point over another's."""
    return lambda rows: rows[numerator].value / rows[denominator].value


def largest_error(values: Array, truth: Array, share: float = 1.0) -> float:
    """Largest relative error of all points but the worst 1 − share of them."""
    return float(np.quantile(np.abs(values / truth - 1.0), share))
