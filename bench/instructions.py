"""Count instructions per point with callgrind: a number that does not move with the machine's load.

Run: python -m bench.instructions

Each law is evaluated at N and at 2N points in processes of their own; the difference leaves out the interpreter, the
imports and the set-up of the law.  The addresses are not randomised, so that counts repeat.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import freeconv as fc
from tests.oracles.load import build, load

POINTS = 4000


def law_named(name: str) -> fc.Law:
    """One of the laws that are counted."""
    if name == "jacobian":
        return fc.MLP(3, "relu", weight_variance=2.0).jacobian()
    if name == "tangent kernel":
        return fc.MLP(10, "relu", weight_variance=2.0).ntk()
    law: fc.Law = build(next(entry for entry in load("mp_discrete") if entry.name.startswith("MP(0.05)")).spec)
    return law


NAMES = ("jacobian", "tangent kernel", "covariance")


def evaluate(name: str, points: int) -> None:
    """What is counted: densities inside the support, all of them certified."""
    law = law_named(name)
    low, high = law.support()[0]
    status = law.evaluate(np.linspace(low, high, points + 2)[1:-1]).status
    assert np.isin(status, [fc.Status.CERTIFIED, fc.Status.RECOVERED]).all()


def count(valgrind: str, name: str, points: int) -> int:
    """Instructions of a process that evaluates a law at so many points."""
    still = [setarch, "-R"] if (setarch := shutil.which("setarch")) else []
    tool = [valgrind, "--tool=callgrind"]
    command = [sys.executable, "-m", "bench.instructions", name, str(points)]
    fixed = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [*still, *tool, f"--callgrind-out-file={Path(folder) / 'out'}", *command],
            env={**os.environ, **fixed},
            capture_output=True,
            text=True,
        )
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or collected is None:
        raise RuntimeError(f"callgrind failed:\n{run.stderr}")
    return int(collected[1])


def main() -> None:
    """Print instructions per point; with a law and a number of points on the command line, be what is counted."""
    if len(sys.argv) == 3:
        evaluate(sys.argv[1], int(sys.argv[2]))
        return
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("valgrind is not on PATH: nothing counted")
        return
    for name in NAMES:
        once, twice = (count(valgrind, name, points) for points in (POINTS, 2 * POINTS))
        print(f"{name:16} {(twice - once) / POINTS:10.1f} instructions per point")


if __name__ == "__main__":
    main()
