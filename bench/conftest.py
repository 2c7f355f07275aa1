"""What the benchmarks share: how a call over many points is timed, and how its answer is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

Array = NDArray[np.float64]


class Timer(Protocol):
    """Times a function of nothing; says who computes, for how many points, and with what error."""

    def __call__(
        self, who: str, function: Callable[[], Any], *, points: int = 1, error: float | None = None, rounds: int = 5
    ) -> None: ...


@pytest.fixture
def timer(benchmark: BenchmarkFixture) -> Timer:
    """One call a round after one to warm up; `bench.report` reads what is put into `extra_info`."""

    pedantic: Any = benchmark.pedantic  # comes without types

    def run(
        who: str, function: Callable[[], Any], *, points: int = 1, error: float | None = None, rounds: int = 5
    ) -> None:
        benchmark.extra_info.update(who=who, points=points, error=error)
        pedantic(function, rounds=rounds, iterations=1, warmup_rounds=1)

    return run


def largest_error(values: Array, truth: Array, share: float = 1.0) -> float:
    """Largest relative error of all points but the worst 1 − share of them."""
    return float(np.quantile(np.abs(values / truth - 1.0), share))
