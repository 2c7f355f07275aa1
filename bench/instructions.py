"""Count instructions per point with callgrind: a number that does not move with the machine's load.

Run: python -m bench.instructions            compares with bench/instructions.json, and fails at 3 % more
     python -m bench.instructions --update   writes it

One process does all workloads.  Each is called once to build what is kept, then counted.  The kernels of the baseline
instruction set are forced, so that machines agree; counts depend on the compiler and on Python, and are compared only
with those of the same ones.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import freeconv as fc
from bench.common import inside
from bench.groups import calls, growth, kernels, products, relu

__all__ = ["TOLERANCE", "WORKLOADS", "compare", "main"]

BASELINE = Path(__file__).resolve().with_name("instructions.json")
SOURCE = Path(__file__).resolve().with_name("callgrind.c")

TOLERANCE = 0.03
"""How much a count may grow."""


@dataclass(frozen=True)
class Workload:
    """A call over so many points; `prepare` takes their number."""

    points: int
    prepare: Callable[[int], Callable[[], object]]


def density(law: Callable[[], fc.Law], points: int) -> Callable[[], object]:
    """Densities inside the support."""
    built = law()
    x = inside(built, points)
    assert x.size == points
    return lambda: built.density(x)


def cdf(law: Callable[[], fc.Law], points: int) -> Callable[[], object]:
    """Distribution functions inside the support."""
    built = law()
    x = inside(built, points)
    return lambda: built.cdf(x)


def batch(points: int) -> Callable[[], object]:
    """Densities of laws at 200 points each."""
    laws = [growth.network(share) for share in np.linspace(0.0, 1.0, points // 200)]
    x = np.linspace(0.05, 2.0, 200)
    return lambda: fc.densities(laws, x)


def quantile(points: int) -> Callable[[], object]:
    """Quantiles of a chain."""
    law = relu.law()
    p = (np.arange(points) + 0.5) / points
    return lambda: law.quantile(p)


def transform(points: int) -> Callable[[], object]:
    """Cauchy transforms above the support."""
    law = relu.law()
    z = inside(law, points) + 0.1j
    return lambda: law.cauchy(z)


def support(points: int) -> Callable[[], object]:
    """A new law's support."""
    net = fc.MLP(3, "relu", weight_variance=2.0)
    return lambda: [calls.new_support(net, "jacobian") for _ in range(points)]


WORKLOADS = {
    "density of a chain": Workload(16_000, partial(density, relu.law)),
    "cdf of a chain": Workload(8000, partial(cdf, relu.law)),
    "quantile of a chain": Workload(8000, quantile),
    "density of a tree": Workload(6000, partial(density, products.wigner)),
    "density of a tangent kernel": Workload(6000, partial(density, lambda: kernels.hard_tanh().ntk())),
    "density with tanh": Workload(1600, partial(density, products.tanh)),
    "cdf with tanh": Workload(1600, partial(cdf, products.tanh)),
    "density with 64 atoms": Workload(1600, partial(density, lambda: growth.empirical(64))),
    "density of many laws": Workload(20_000, batch),
    "Cauchy transform": Workload(2000, transform),
    "support": Workload(1, support),
}


def run_workloads(library: str) -> None:
    """Be what is counted: between the marks runs one call of each workload."""
    marks = ctypes.CDLL(library)
    for name, workload in WORKLOADS.items():
        call = workload.prepare(workload.points)
        call()
        marks.begin()
        call()
        marks.end(name.encode())


def count() -> dict[str, float] | str:
    """Instructions per point of all workloads; or why they cannot be counted here."""
    valgrind, compiler = shutil.which("valgrind"), shutil.which("cc")
    if valgrind is None or compiler is None:
        return f"{'valgrind' if valgrind is None else 'cc'} is not on PATH"
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "marks.so"
        built = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], capture_output=True)
        if built.returncode != 0:
            return "valgrind/callgrind.h is not installed"
        still = [setarch, "-R"] if (setarch := shutil.which("setarch")) else []
        tool = [valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        command = [sys.executable, "-m", "bench.instructions", "--run", str(library)]
        fixed = {"FREECONV_ISA": "baseline", "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        run = subprocess.run([*still, *tool, *command], env={**os.environ, **fixed}, capture_output=True, text=True)
        if run.returncode != 0:
            raise RuntimeError(f"callgrind failed:\n{run.stderr}")
        counts = {}
        for path in Path(folder).glob("out.*"):
            text = path.read_text(encoding="utf-8")
            reason = re.search(r"^desc: Trigger: Client Request: (.+)$", text, re.MULTILINE)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
            if reason and total and reason[1] in WORKLOADS:
                counts[reason[1]] = int(total[1]) / WORKLOADS[reason[1]].points
    missing = WORKLOADS.keys() - counts.keys()
    if missing:
        raise RuntimeError(f"callgrind wrote no counts for {', '.join(sorted(missing))}")
    return {name: round(counts[name], 1) for name in WORKLOADS}


def environment() -> str:
    """What counts may be compared within."""
    described = fc.show_config(mode="dicts") or {}
    return f"{described['compiler']}, Python {'.'.join(platform.python_version_tuple()[:2])}, {platform.machine()}"


def compare(counts: dict[str, float], baseline: dict[str, float]) -> tuple[str, list[str]]:
    """Return a table of counts beside the baseline's, and the names of those that grew by more than `TOLERANCE`."""
    lines, grown = [], []
    for name, value in counts.items():
        before = baseline.get(name)
        if before is None:
            lines.append(f"{name:30} {value:14,.1f}  not in the baseline: run with --update")
            grown.append(name)
            continue
        change = value / before - 1.0
        verdict = ""
        if change > TOLERANCE:
            verdict = "  grew"
            grown.append(name)
        elif change < -TOLERANCE:
            verdict = "  fell: run with --update"
        lines.append(f"{name:30} {value:14,.1f} {before:14,.1f} {100.0 * change:+7.2f} %{verdict}")
    return "\n".join(lines), grown


def main(arguments: list[str] | None = None) -> int:
    """Count and compare; return 1 where a count grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description="Count instructions per point.")
    parser.add_argument("--update", action="store_true", help="write the baseline of this compiler and Python")
    parser.add_argument("--run", metavar="LIBRARY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run is not None:
        run_workloads(options.run)
        return 0
    counts = count()
    if isinstance(counts, str):
        print(f"instructions are not counted: {counts}")
        return 0
    known = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    own = environment()
    if options.update:
        known[own] = counts
        BASELINE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if own not in known:
        print(f"no baseline for {own}, only for {'; '.join(known) or 'nothing'}: not compared")
        print("\n".join(f"{name:30} {value:14,.1f}" for name, value in counts.items()))
        return 0
    table, grown = compare(counts, known[own])
    print(f"instructions per point, {own}: now, in the baseline, change\n{table}")
    if grown:
        print(f"more than {100.0 * TOLERANCE:g} % above the baseline: {', '.join(grown)}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
