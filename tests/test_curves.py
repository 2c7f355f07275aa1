"""Sampled laws: the grid reaches edges, hard edges and gaps, and carries the mass."""

from __future__ import annotations

import math

import numpy as np
import pytest

import freeconv as fc
from freeconv.curves import Curve, sample


def mass(curve: Curve) -> float:
    """Integrate each interval by the trapezoidal rule in the abscissa itself."""
    total = 0.0
    for index in range(len(curve.support)):
        here = curve.interval == index
        x, density = curve.x[here], curve.density[here]
        total += 0.5 * float(np.diff(x) @ (density[1:] + density[:-1]))
    return total


class TestGrid:
    def test_ends_belong_to_the_sample(self) -> None:
        curve = sample(fc.Semicircle(), points=101)
        assert curve.x.size == 101
        assert curve.x[[0, -1]].tolist() == [-2.0, 2.0]
        assert curve.density[[0, -1]].tolist() == [0.0, 0.0]
        assert np.all(np.diff(curve.x) > 0.0)

    def test_dense_at_both_ends(self) -> None:
        steps = np.diff(sample(fc.Semicircle(), points=201).x)
        assert steps[0] == pytest.approx(steps[-1], rel=1e-9)
        assert steps.max() / steps[0] > 50.0

    def test_density_is_that_of_the_law(self) -> None:
        law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
        curve = sample(law, points=50)
        assert np.array_equal(curve.density, law.density(curve.x))

    def test_blow_ups_are_only_approached(self) -> None:
        curve = sample(fc.Arcsine(3.0, 7.0), points=50)
        assert np.all(np.isfinite(curve.density))
        assert 3.0 < curve.x[0] < 3.01
        assert 6.99 < curve.x[-1] < 7.0
        assert curve.density[0] > curve.density[1]
        assert curve.density[-1] > curve.density[-2]

    def test_hard_edge_is_sampled_in_log_x(self) -> None:
        curve = sample(fc.MarchenkoPastur(1.0), points=400)
        assert np.all(curve.x > 0.0)
        assert np.all(np.isfinite(curve.density))
        low = curve.x < 0.1
        assert curve.x[0] < 4e-3
        # Even in log x far from the upper end.
        assert np.ptp(np.diff(np.log(curve.x[low]))) < 0.02

    def test_decades_follow_the_law(self) -> None:
        shallow, deep = (sample(fc.MLP(depth, "linear").jacobian(), points=100) for depth in (1, 6))
        span = [math.log10(curve.x[-1] / curve.x[0]) for curve in (shallow, deep)]
        assert 3.0 <= span[0] < span[1] <= 12.0

    def test_wide_interval_away_from_zero(self) -> None:
        law = fc.Uniform(1.0, 1e6)
        x = sample(law, points=100).x
        assert x[[0, -1]] == pytest.approx([1.0, 1e6], rel=0.01)
        assert np.count_nonzero(x < 1e3) == pytest.approx(50, abs=2)

    def test_gaps_separate_intervals(self) -> None:
        law = fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete((1.0, 3.0, 10.0), (0.4, 0.3, 0.3)))
        curve = sample(law, points=60)
        assert curve.support.shape == (3, 2)
        assert np.bincount(curve.interval).tolist() == [60, 60, 60]
        for index, (low, high) in enumerate(curve.support.tolist()):
            x = curve.x[curve.interval == index]
            assert (x[0], x[-1]) == (low, high)
        assert curve.atoms.weights.size == 0

    def test_only_atoms(self) -> None:
        curve = sample(fc.Discrete((1.0, 2.0), (0.25, 0.75)))
        assert curve.x.size == curve.density.size == curve.interval.size == 0
        assert curve.support.shape == (0, 2)
        assert curve.atoms.weights.tolist() == [0.25, 0.75]


class TestMass:
    """The trapezoidal error of the densely sampled edges is O(1/points²), with constants well below 100 here."""

    @pytest.mark.parametrize(
        "law",
        [
            fc.Semicircle(1.0, 2.0),
            fc.MarchenkoPastur(0.5),
            fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete((1.0, 3.0, 10.0), (0.4, 0.3, 0.3))),
            fc.MLP(
                3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25
            ).ntk(),
        ],
        ids=["semicircle", "marchenko-pastur", "three intervals", "ntk"],
    )
    def test_density_and_atoms_add_to_one(self, law: fc.Law) -> None:
        curve = sample(law, points=1000)
        assert mass(curve) + math.fsum(curve.atoms.weights) == pytest.approx(1.0, abs=1e-4)


class TestBadInput:
    @pytest.mark.parametrize("points", [2, 0, -1])
    def test_too_few_points(self, points: int) -> None:
        with pytest.raises(ValueError, match=f"points must be an integer >= 3, got {points}"):
            sample(fc.Semicircle(), points)

    @pytest.mark.parametrize("points", [10.0, "10", None, True])
    def test_not_an_integer(self, points: int) -> None:
        with pytest.raises(TypeError, match="points must be an integer >= 3"):
            sample(fc.Semicircle(), points)
