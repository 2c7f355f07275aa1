"""Tree after tree, with a limit of time for each, and the table of what was found."""

from __future__ import annotations

import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import freeconv as fc
from tests.stress import checks, matrices
from tests.stress.case import Case, Violation, plant
from tests.stress.leaves import Orchard
from tests.stress.trees import Garden

POINTWISE = ("order", "derivative")
"""The checks that ask for values at points, and flag what comes without a proof."""


class OutOfTimeError(Exception):
    """A tree took longer than its limit."""


@dataclass
class Report:
    """Counts by check, and every tree that was wrong, slow, or refused."""

    trees: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    failing: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, str, Violation]] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    hanging: list[tuple[int, str, str]] = field(default_factory=list)
    slow: list[tuple[float, int, str]] = field(default_factory=list)
    doubtful: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def pairs(self) -> int:
        return sum(self.tried.values())

    def add(self, case: Case, seconds: float) -> None:
        self.trees += 1
        self.tried += case.tried
        self.flagged += case.flagged
        self.failing += Counter({violation.check for violation in case.violations})
        self.wrong += [(case.seed, f"{case.law!r:.1000}", violation) for violation in case.violations]
        flagged = sum(case.flagged[check] for check in POINTWISE)
        if flagged:
            self.doubtful = sorted([*self.doubtful, (flagged, case.seed, f"{case.law!r:.300}")], reverse=True)[:30]
        self.slow = sorted([*self.slow, (seconds, case.seed, f"{case.law!r:.200}")], reverse=True)[:10]

    def __str__(self) -> str:
        lines = [f"{self.trees} trees, {self.pairs} pairs, {len(self.refused)} laws refused, {len(self.hanging)} hang"]
        lines += [f"{'check':12} {'tried':>10} {'flagged':>9} {'wrong trees':>12}"]
        for name in sorted({*self.tried, *self.flagged, *self.failing}):
            lines.append(f"{name:12} {self.tried[name]:10} {self.flagged[name]:9} {self.failing[name]:12}")
        lines += ["slowest:", *(f"  {seconds:7.2f} s  seed {seed}: {law}" for seconds, seed, law in self.slow)]
        lines += ["flagged:", *(f"  {count:7} points  seed {seed}: {law}" for count, seed, law in self.doubtful)]
        lines += ["out of time:", *(f"  seed {seed} in {check}: {law}" for seed, law, check in self.hanging)]
        lines += ["refused:", *(f"  seed {seed}: {law} : {reason}" for seed, law, reason in self.refused)]
        lines += ["wrong:"]
        for seed, law, violation in self.wrong:
            lines += [f"  seed {seed}: {law}", f"    {violation}"]
        return "\n".join(lines)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the block after so long."""

    def ring(*_: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def examine(case: Case, report: Report, chosen: Sequence[Callable[[Case], None]], limit: float) -> None:
    """Run checks on a case and add it to the report."""
    begin, name = time.perf_counter(), ""
    try:
        with time_limit(limit), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            name = "mass"
            for check in chosen if case.spread_out else ():
                name = check.__name__
                try:
                    check(case)
                except fc.ConvergenceError:
                    case.flagged[name] += 1
    except fc.ConvergenceError as refusal:
        report.refused.append((case.seed, f"{case.law!r:.300}", f"{refusal!s:.30}"))
    except OutOfTimeError:
        report.hanging.append((case.seed, f"{case.law!r:.300}", name))
    except ValueError as error:
        if "rescale the law" not in str(error):
            case.violations.append(Violation("exception", float("nan"), 0.0, 0.0, f"{name}: {error!r:.300}"))
        report.refused.append((case.seed, f"{case.law!r:.300}", f"{error!s:.60}"))
    except Exception as error:
        case.violations.append(Violation("exception", float("nan"), 0.0, 0.0, f"{name}: {error!r:.300}"))
    report.add(case, time.perf_counter() - begin)


def run(
    seed: int,
    *,
    pairs: int | None = None,
    trees: int | None = None,
    points: int = 100,
    minutes: float = 60.0,
    limit: float = 20.0,
    chosen: Sequence[Callable[[Case], None]] = (*checks.ALL, matrices.matrices),
    garden: type[Garden] = Orchard,
) -> Report:
    """Examine the trees of `seed`, `seed` + 1, … until so many pairs, trees or minutes."""
    report, end = Report(), time.monotonic() + 60.0 * minutes
    while time.monotonic() < end and (trees is None or report.trees < trees):
        if pairs is not None and report.pairs >= pairs:
            break
        examine(plant(seed, points, garden), report, chosen, limit)
        seed += 1
    return report
