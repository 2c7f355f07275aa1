"""Calls: set-up with support, building a deep network's law, import, threads."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial

import numpy as np

import freeconv as fc
from bench import baselines
from bench.case import Array, Case, Group, Job, Skip, Target, per_point
from bench.common import few, inside, reference
from bench.groups.kernels import layers_of
from bench.groups.kernels import relu as relu_net
from bench.groups.relu import law as relu
from freeconv import engine
from freeconv._validate import worker_count
from tests.tolerances import EDGE

__all__ = ["GROUPS", "new_covariance", "new_support"]

SCAN = 2000
"""Points of the baselines' scan: edges to half a thousandth of the width, against 1e-12."""

RELU_EDGE = 16.457756896732835


def new_support(net: fc.MLP, kind: str) -> Array:
    """Build the law of a network and find its support, with no solver kept from before."""
    engine.solver.cache_clear()
    law: fc.Law = getattr(net, kind)()
    return law.support()


def covariance_edges() -> Array:
    """Its support, from the table."""
    known = reference("mp_discrete", "MP(0.05) x").support
    assert known is not None
    return known


def new_covariance() -> Array:
    """The same for Marchenko–Pastur(0.05) ⊠ {1, 3, 10}."""
    engine.solver.cache_clear()
    population = fc.Discrete([1.0, 3.0, 10.0], [0.2, 0.4, 0.4])
    return fc.boxtimes(fc.MarchenkoPastur(0.05), population).support()


def relu_setup(quick: bool) -> Job:
    net = fc.MLP(3, "relu", weight_variance=2.0)
    np.testing.assert_allclose(new_support(net, "jacobian"), [[0.0, RELU_EDGE]], rtol=EDGE)
    return Job(lambda: new_support(net, "jacobian"))


def relu_scan(quick: bool) -> Job:
    find = partial(baselines.edges_by_scan, partial(baselines.relu_gaussian_newton, 3), 0.01, 20.0, SCAN)
    error = abs(find()[-1, 1] / RELU_EDGE - 1.0)
    assert error < 20.0 / SCAN
    return Job(find, error=error)


def kernel_setup(quick: bool) -> Job:
    net = relu_net(20, "gaussian")
    support, law = new_support(net, "ntk"), net.ntk()
    assert support.shape == (1, 2)
    # The mass between the edges is what the atom leaves: nothing lies beyond them.
    angle = np.pi * (np.arange(4000) + 0.5) / 8000
    low, high = support[0]
    density = law.density(low + (high - low) * np.sin(angle) ** 2)
    assert abs(np.sum(density * np.sin(2.0 * angle)) * (high - low) * np.pi / 8000 - 0.5) < 1e-6
    return Job(lambda: new_support(net, "ntk"))


def kernel_scan(quick: bool) -> Job:
    net = relu_net(20, "gaussian")
    high = float(net.ntk().support()[0, 1])
    density = partial(baselines.kernel_newton, layers_of(net, gaussian=True))
    find = partial(baselines.edges_by_scan, density, 1.1, 1.2 * high, SCAN)
    error = abs(find()[-1, 1] / high - 1.0)
    assert error < 5.0 / SCAN
    return Job(find, error=error)


def covariance_setup(quick: bool) -> Job:
    np.testing.assert_allclose(new_covariance(), covariance_edges(), rtol=EDGE)
    return Job(new_covariance)


def covariance_scan(quick: bool) -> Job:
    density = partial(baselines.marchenko_pastur_discrete_averaged, 0.05, (1.0, 3.0, 10.0), (0.2, 0.4, 0.4))
    find = partial(baselines.edges_by_scan, density, 0.5, 14.0, SCAN)
    error = float(np.max(np.abs(find() / covariance_edges() - 1.0)))
    assert error < 0.02
    return Job(find, error=error)


def build(quick: bool) -> Job:
    """A network and its law from nothing: what is remembered of other networks does not count."""
    law = fc.MLP(depth=100).jacobian()
    assert abs(law.mean() / 0.5**100 - 1.0) < 1e-12
    return Job(lambda: fc.MLP(depth=100).jacobian())


def recursion(quick: bool) -> Job:
    """The variances of a hundred layers, in a loop of Python."""

    def run() -> list[float]:
        variance, found = 1.0, []
        for _ in range(100):
            variance = 0.5 * variance
            found.append(variance)
        return found

    np.testing.assert_allclose(run(), fc.MLP(depth=100).mean_field().activation_variance, rtol=1e-12)
    return Job(run)


def imported(package: str, cache: str) -> str:
    """Import a package in a new interpreter, and return what it says its version is.

    With compiled modules as an installation has them, in a directory of their own: where Python is told not to write
    any, it would compile all of freeconv each time and none of NumPy.
    """
    code = f"import {package}; print({package}.__version__)"
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return ran.stdout.strip()


def importing(package: str, version: str) -> Case:
    def prepare(quick: bool) -> Job:
        cache = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, cache, ignore_errors=True)
        assert imported(package, cache) == version
        return Job(lambda: imported(package, cache))

    return Case(f"import {package}", prepare, rounds=15)


def threaded(workers: int) -> Case:
    def prepare(quick: bool) -> Job:
        if worker_count(-1) < workers:
            raise Skip(f"there are fewer than {workers} processors")
        law = relu()
        x = inside(law, few(quick, 10_000_000, 100_000))
        np.testing.assert_array_equal(law.density(x[::37], workers=workers), law.density(x[::37]))
        return Job(lambda: law.density(x, workers=workers), points=x.size, wall=True)

    return Case(f"workers={workers}", prepare)


BUILD, SCANNED = "freeconv", f"NumPy, scan of {SCAN} points"

GROUPS = (
    Group(
        "setup-relu",
        "Set-up with support, Jacobian, Gaussian ReLU, L = 3",
        (Case(BUILD, relu_setup, 20), Case(SCANNED, relu_scan)),
    ),
    Group(
        "setup-kernel",
        "Set-up with support, tangent kernel, Gaussian ReLU, L = 20",
        (Case(BUILD, kernel_setup, 20), Case(SCANNED, kernel_scan, 3)),
    ),
    Group(
        "setup-covariance",
        "Set-up with support, Marchenko–Pastur(0.05) ⊠ {1, 3, 10}",
        (Case(BUILD, covariance_setup, 20), Case(SCANNED, covariance_scan, 3)),
    ),
    Group(
        "build",
        "MLP(depth=100).jacobian()",
        (Case(BUILD, build, 30), Case("Python, the variances alone", recursion, 30)),
        (Target("MLP(depth=100).jacobian()", lambda rows: 1e3 * rows[BUILD].value, 2.0, unit="ms"),),
    ),
    Group(
        "import",
        "Import, in a new interpreter",
        (importing("freeconv", fc.__version__), importing("numpy", np.__version__)),
        (
            Target(
                "import beyond NumPy's",
                lambda rows: rows["import freeconv"].value - rows["import numpy"].value,
                0.15,
                unit="s",
            ),
        ),
    ),
    Group(
        "workers",
        "Two threads, ten million points: Gaussian ReLU, L = 3",
        (threaded(1), threaded(2)),
        (
            Target(
                "two workers against one (reported; asked on a quiet machine)",
                per_point("workers=1", "workers=2"),
                1.8,
                at_least=True,
            ),
        ),
    ),
)
