"""Time the cases of a group in turn, and keep the least of each.

What is counted is the processor's time, of this process and of those that it waited for: on a machine that others use,
wall time says more about them.  Threads alone are timed by the wall.
"""

from __future__ import annotations

import gc
import resource
import time
from dataclasses import dataclass

from bench.case import Group, Job, Reading, Row, Skip

__all__ = ["Outcome", "run_group"]

SHORTEST = 5e-3
"""Seconds of a round: a faster call is repeated within it."""

LONGEST = 20.0
"""Seconds after which a case is timed no more."""


@dataclass(frozen=True)
class Outcome:
    """What came of a group: its rows, and why some cases have none."""

    group: Group
    rows: dict[str, Row]
    skipped: dict[str, str]


def run_group(group: Group, *, quick: bool) -> Outcome:
    """Assert the answers of all cases of a group, then time them.

    Parameters
    ----------
    group : Group
        What to measure.
    quick : bool
        Fewer points and two rounds.

    Returns
    -------
    Outcome
        Minima over the rounds.  In a round every case has its turn.
    """
    rows: dict[str, Row] = {}
    skipped: dict[str, str] = {}
    jobs: dict[str, Job] = {}
    for case in group.cases:
        try:
            ready = case.prepare(quick)
        except Skip as reason:
            skipped[case.name] = str(reason)
            continue
        if isinstance(ready, Reading):
            rows[case.name] = Row(case.name, ready.value, ready.unit)
        else:
            jobs[case.name] = ready
    rounds = {case.name: min(case.rounds, 2) if quick else case.rounds for case in group.cases}
    best = dict.fromkeys(jobs, float("inf"))
    spent = dict.fromkeys(jobs, 0.0)
    loops = {name: _loops(job) for name, job in jobs.items()}
    for turn in range(max(rounds.values())):
        for name, job in jobs.items():
            if turn < rounds[name] and (turn == 0 or spent[name] < LONGEST):
                elapsed = _seconds(job, loops[name])
                best[name] = min(best[name], elapsed / loops[name])
                spent[name] += elapsed
    for name, job in jobs.items():
        rows[name] = Row(name, best[name] / job.points, points=job.points, error=job.error)
    order = [case.name for case in group.cases if case.name in rows]
    return Outcome(group, {name: rows[name] for name in order}, skipped)


def _loops(job: Job) -> int:
    """Calls in a round, so that it is long enough; a first call that is short may have been one to warm up."""
    elapsed = _seconds(job, 1)
    if elapsed < 0.1:
        elapsed = min(_seconds(job, 1) for _ in range(3))
    return max(1, int(SHORTEST / max(elapsed, 1e-7)))


def _seconds(job: Job, loops: int) -> float:
    """Time of so many calls, without the collector of garbage."""
    call, clock = job.call, time.perf_counter if job.wall else _processor_time
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for _ in range(loops):
            call()
        return clock() - start
    finally:
        if enabled:
            gc.enable()


def _processor_time() -> float:
    """Seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
