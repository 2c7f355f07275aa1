"""All cases under pytest: `--benchmark-disable` asserts their answers alone, `-n 0` in its place times them as well.

The points are those of a quick run; `python -m bench` takes all of them and writes the table.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.case import Case, Group, Reading, Row, Skip
from bench.groups import GROUPS


def cases() -> list[Any]:
    """Each case, marked with its group."""
    return [
        pytest.param(case, id=f"{group.key}: {case.name}", marks=pytest.mark.benchmark(group=group.title))
        for group in GROUPS
        for case in group.cases
    ]


@pytest.mark.parametrize("case", cases())
def test_answer(case: Case, benchmark: BenchmarkFixture) -> None:
    try:
        ready = case.prepare(True)
    except Skip as reason:
        pytest.skip(str(reason))
    pedantic: Any = benchmark.pedantic  # comes without types
    if isinstance(ready, Reading):
        assert math.isfinite(ready.value)
        benchmark.extra_info.update(value=ready.value, unit=ready.unit)
        pedantic(lambda: ready.value, rounds=1)
        return
    assert ready.error is None or math.isfinite(ready.error)
    benchmark.extra_info.update(points=ready.points, error=ready.error)
    pedantic(ready.call, rounds=case.rounds, iterations=1, warmup_rounds=1)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.key)
def test_targets_name_cases_of_their_group(group: Group) -> None:
    class Names(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            assert name in {case.name for case in group.cases}
            return Row(name, 1.0)

    for target in group.targets:
        assert math.isfinite(target.measure(Names()))
