"""What comes before the first density: finding the support of a new law, and importing the package."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import freeconv as fc
from bench import baselines
from bench.conftest import Timer
from freeconv import engine
from tests.oracles.load import load

SCAN = 2000
"""Points of the baselines' scan: edges to half a thousandth of the width, against 1e-12."""


def new_support(net: fc.MLP, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Build the law of a network and find its support, with no solver kept from before."""
    engine.solver.cache_clear()
    law: fc.Law = getattr(net, kind)()
    return law.support()


@pytest.mark.benchmark(group="Set-up with support, Jacobian, Gaussian ReLU, L = 3")
class TestJacobianSetup:
    NET = fc.MLP(3, "relu", weight_variance=2.0)
    EDGE = 16.457756896732835

    def test_freeconv(self, timer: Timer) -> None:
        np.testing.assert_allclose(new_support(self.NET, "jacobian"), [[0.0, self.EDGE]], rtol=1e-12)
        timer("freeconv", lambda: new_support(self.NET, "jacobian"), rounds=50)

    def test_scan(self, timer: Timer) -> None:
        find = partial(baselines.edges_by_scan, partial(baselines.relu_gaussian_newton, 3), 0.01, 20.0, SCAN)
        error = abs(find()[-1, 1] / self.EDGE - 1.0)
        assert error < 20.0 / SCAN
        timer(f"NumPy, scan of {SCAN} points", find, error=error)


@pytest.mark.benchmark(group="Set-up with support, tangent kernel, Gaussian ReLU, L = 20")
class TestKernelSetup:
    NET = fc.MLP(20, "relu", weight_variance=2.0)

    def test_freeconv(self, timer: Timer) -> None:
        support = new_support(self.NET, "ntk")
        law = self.NET.ntk()
        assert support.shape == (1, 2)
        # The mass between the edges is what the atom leaves: nothing lies beyond them.
        angle = np.pi * (np.arange(4000) + 0.5) / 8000
        low, high = support[0]
        density = law.density(low + (high - low) * np.sin(angle) ** 2)
        mass = np.sum(density * np.sin(2.0 * angle)) * (high - low) * np.pi / 8000
        assert mass == pytest.approx(0.5, abs=1e-6)
        timer("freeconv", lambda: new_support(self.NET, "ntk"), rounds=20)

    def test_scan(self, timer: Timer) -> None:
        high = float(self.NET.ntk().support()[0, 1])
        density = partial(baselines.relu_ntk_newton, 20, gaussian=True)
        find = partial(baselines.edges_by_scan, density, 1.1, 1.2 * high, SCAN)
        error = abs(find()[-1, 1] / high - 1.0)
        assert error < 5.0 / SCAN
        timer(f"NumPy, scan of {SCAN} points", find, error=error, rounds=3)


@pytest.mark.benchmark(group="Set-up with support, Marchenko–Pastur(0.05) ⊠ {1, 3, 10}")
class TestCovarianceSetup:
    ENTRY = next(entry for entry in load("mp_discrete") if entry.name.startswith("MP(0.05)"))

    def test_freeconv(self, timer: Timer) -> None:
        def find() -> object:
            engine.solver.cache_clear()
            population = fc.Discrete([1.0, 3.0, 10.0], [0.2, 0.4, 0.4])
            return fc.boxtimes(fc.MarchenkoPastur(0.05), population).support()

        assert self.ENTRY.support is not None
        np.testing.assert_allclose(np.asarray(find()), self.ENTRY.support, rtol=1e-12)
        timer("freeconv", find, rounds=50)

    def test_scan(self, timer: Timer) -> None:
        density = partial(baselines.marchenko_pastur_discrete_averaged, 0.05, (1.0, 3.0, 10.0), (0.2, 0.4, 0.4))
        find = partial(baselines.edges_by_scan, density, 0.5, 14.0, SCAN)
        found = find()
        assert self.ENTRY.support is not None
        error = float(np.max(np.abs(found / self.ENTRY.support - 1.0)))
        assert error < 0.02
        timer(f"NumPy, scan of {SCAN} points", find, error=error, rounds=3)


def imported(package: str) -> str:
    """Import a package in a new interpreter, and return what it says its version is."""
    code = f"import {package}; print({package}.__version__)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.benchmark(group="Import, in a new interpreter")
class TestImport:
    def test_freeconv(self, timer: Timer) -> None:
        assert imported("freeconv") == fc.__version__
        timer("import freeconv", lambda: imported("freeconv"))

    def test_numpy(self, timer: Timer) -> None:
        assert imported("numpy") == np.__version__
        timer("import numpy", lambda: imported("numpy"))
