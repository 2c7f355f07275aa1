"""What atoms cost: 10 to 10⁵ of them in a product, beside a Marchenko–Pastur law in their place."""

from __future__ import annotations

import numpy as np
import pytest

import freeconv as fc
from bench.conftest import Array, Timer, largest_error

RATIO = 0.5
POINTS = 10_000
LIMIT = fc.boxtimes(fc.MarchenkoPastur(ratio=RATIO), fc.Uniform(0.5, 2.0))
SMOOTH = fc.boxtimes(fc.MarchenkoPastur(ratio=RATIO), fc.MarchenkoPastur(ratio=0.3))
# As in the middle of an ensemble: subordination points about as high as the atoms' law is wide.
HEIGHT = 1.0


def midpoints(count: int) -> fc.Law:
    """MP ⊠ the midpoints of `count` cells of [1/2, 2]: the uniform law up to count⁻²."""
    return fc.boxtimes(fc.MarchenkoPastur(ratio=RATIO), fc.Empirical(0.5 + 1.5 * (np.arange(count) + 0.5) / count))


def grid(law: fc.Law) -> Array:
    low, high = law.support()[0]
    return np.asarray(low + (high - low) * np.linspace(0.05, 0.95, POINTS))


@pytest.mark.benchmark(group="atoms: density, MP ⊠ n atoms")
class TestDensity:
    @pytest.mark.parametrize("count", [10, 100, 1000, 10_000, 100_000])
    def test_atoms(self, timer: Timer, count: int) -> None:
        law, x = midpoints(count), grid(LIMIT)
        error = largest_error(law.density(x), LIMIT.density(x))
        assert error < 3.0 / count**2 + 1e-11
        timer(f"{count} atoms", lambda: law.density(x), points=POINTS, error=error)

    def test_marchenko_pastur(self, timer: Timer) -> None:
        x = grid(SMOOTH)
        assert SMOOTH.evaluate(x).status.max() == 0
        timer("a Marchenko–Pastur law", lambda: SMOOTH.density(x), points=POINTS)


@pytest.mark.benchmark(group="atoms: G above the axis, MP ⊠ n atoms")
class TestCauchy:
    @pytest.mark.parametrize("count", [10, 100, 1000, 10_000, 100_000])
    def test_atoms(self, timer: Timer, count: int) -> None:
        law, z = midpoints(count), grid(LIMIT)[::10] + 1j * HEIGHT
        error = float(np.max(np.abs(law.cauchy(z) / LIMIT.cauchy(z) - 1.0)))
        assert error < 3.0 / count**2 + 1e-11
        timer(f"{count} atoms", lambda: law.cauchy(z), points=z.size, error=error)

    def test_marchenko_pastur(self, timer: Timer) -> None:
        z = grid(SMOOTH)[::10] + 1j * HEIGHT
        assert np.all(SMOOTH.cauchy(z).imag < 0.0)
        timer("a Marchenko–Pastur law", lambda: SMOOTH.cauchy(z), points=z.size)
