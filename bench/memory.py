"""Memory of a call beyond its input and output, as the kernel of the system counts it: NumPy's and the core's alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.case import Skip

__all__ = ["extra_bytes"]

STATUS, PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")

PROGRAM = """
import sys
import numpy as np
import freeconv as fc

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
method, points = getattr(law, sys.argv[1]), int(sys.argv[2])
low, high = (0.0, 1.0) if sys.argv[1] == "quantile" else law.support()[0]
x = low + (high - low) * (np.arange(points) + 0.5) / points
method(x[:5000])
open("/proc/self/clear_refs", "w").write("5")  # the peak starts from here
before = peak()
result = method(x)
extra = peak() - before - result.nbytes
assert np.isfinite(result).all()  # takes a byte a point itself
print(extra)
"""


def extra_bytes(method: str, points: int) -> float:
    """Return bytes per point of a law's method, called once in a process of its own.

    Parameters
    ----------
    method : {"density", "cdf", "quantile"}
        What is called.
    points : int
        How many points.

    Raises
    ------
    Skip
        Where the system does not tell (only Linux does).
    """
    if not (STATUS.exists() and PEAK.exists()):
        raise Skip("the peak of the memory is told on Linux only")
    command = [sys.executable, "-c", PROGRAM, method, str(points)]
    # Arrays are mapped and unmapped one by one: none finds room that another has left, which would not be counted.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return max(0.0, float(run.stdout)) / points
