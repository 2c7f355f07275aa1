"""Regenerate reference tables: ``python -m tests.oracles.make_tables [name ...]`` (all of them by default)."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence

from tests.oracles import cumulative

NAMES = (
    "relu_gaussian",
    "relu_haar",
    "fuss_catalan",
    "leaky_relu",
    "hard_tanh",
    "two_projections",
    "two_point_bernoulli",
    "additive",
    "mp_discrete",
    "ntk",
    "uniform_arcsine",
    "moments",
    "free_powers",
    "distribution",
    "slopes",
    "slope_cauchy",
    "activations",
)
WITHOUT_LAWS = ("activations", "slopes", "slope_cauchy")


def main(names: Sequence[str]) -> None:
    """Run the scripts of the named tables."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise SystemExit(f"unknown table {unknown[0]!r}, choose from {', '.join(NAMES)}")
    for name in names or NAMES:
        start = time.perf_counter()
        importlib.import_module(f"tests.oracles.{name}").main()
        if name != "distribution" and name not in WITHOUT_LAWS:
            cumulative.complete(name)
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
