"""Laws beside samples: distances with atoms on both sides, quantiles, moments, and histograms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import freeconv as fc
from freeconv.comparison import at_atoms
from freeconv.histogram import histogram

HALF = fc.Bernoulli(0.5)
RELU = fc.MLP(3, "relu", weight_variance=2.0).jacobian()


def distance(law: fc.Law, sample: Any, **options: Any) -> float:
    return fc.compare(law, sample, **options).kolmogorov_distance


class TestKolmogorov:
    def test_quantiles_at_midpoints_have_half_a_step(self) -> None:
        # F_n jumps by 1/n around F at each midpoint quantile.
        for law in (fc.Semicircle(), fc.MarchenkoPastur(0.3), fc.Uniform(0.0, 1.0)):
            sample = law.quantile((np.arange(20) + 0.5) / 20)
            assert distance(law, sample) == pytest.approx(0.025, abs=1e-13)

    @pytest.mark.parametrize(
        ("sample", "expected"),
        [
            ([0.0, 1.0], 0.0),
            ([0.0, 0.0, 1.0], 1 / 6),
            ([0.5, 0.5], 0.5),
            # Just before 0: F_n = 1/3, F = 0.
            ([-1.0, 0.0, 1.0], 1 / 3),
            # Between the sample's points and the law's last atom: F_n = 1, F = 1/2.
            ([0.0, 0.0], 0.5),
            # Before the first of the sample: F_n = 0, F = 1/2.
            ([1.0], 0.5),
            ([2.0], 1.0),
        ],
    )
    def test_atoms(self, sample: list[float], expected: float) -> None:
        assert distance(HALF, sample) == pytest.approx(expected, abs=1e-15)

    def test_brute_force(self) -> None:
        # The largest difference on a fine grid, both sides of every atom and eigenvalue included.
        rng = np.random.default_rng(1)
        law = fc.boxtimes(fc.Bernoulli(0.8), fc.MarchenkoPastur(0.4))
        sample = np.concatenate([np.zeros(5), law.sample(40, rng)])
        breaks = np.unique(np.concatenate([sample, [0.0]]))
        grid = np.unique(np.concatenate([np.nextafter(breaks, -9), breaks, np.nextafter(breaks, 9)]))
        empirical = np.searchsorted(np.sort(sample), grid, side="right") / sample.size
        assert distance(law, sample) == pytest.approx(np.abs(empirical - law.cdf(grid)).max(), abs=1e-12)

    def test_location(self) -> None:
        found = fc.compare(fc.Uniform(0.0, 1.0), [0.1, 0.2, 0.3, 0.9])
        assert (found.kolmogorov_location, round(found.kolmogorov_distance, 12)) == (0.3, 0.45)

    def test_independent_samples(self) -> None:
        # √n D has mean 0.8687 and standard deviation 0.26: the mean of 20 is within 4 standard errors of 0.058.
        law = fc.MarchenkoPastur(0.5)
        scaled = [distance(law, law.sample(300, seed)) * np.sqrt(300) for seed in range(20)]
        assert np.mean(scaled) == pytest.approx(0.8687, abs=4 * 0.058)


class TestRounding:
    def test_eigenvalues_near_an_atom_are_at_it(self) -> None:
        assert distance(HALF, [-1e-15, 1e-15, 1.0 + 1e-15, 1.0 - 1e-15]) == 0.0
        assert distance(HALF, [-1e-15, 1e-15, 1.0 + 1e-15, 1.0 - 1e-15], rounding=0.0) == 0.25
        assert distance(HALF, [0.0, 0.001, 1.0, 1.001], rounding=1e-2) == 0.0

    def test_exact_zeros_stand_alone(self) -> None:
        atoms = RELU.atoms()
        sample = np.array([0.0, 1e-20, 5.0])
        assert at_atoms(atoms, sample).tolist() == [0, -1, -1]
        assert at_atoms(atoms, sample[1:]).tolist() == [0, -1]
        assert at_atoms(atoms, sample, 1e-12).tolist() == [0, 0, -1]

    def test_deep_network(self) -> None:
        # A fifth of the mass off 0 is below 1e-12 of the largest eigenvalue.
        drawn = fc.MLP(20, "relu", weight_variance=2.0).draw(200, rng=0)
        law, eigenvalues = drawn.jacobian_law(), drawn.jacobian_eigenvalues()
        assert law.cdf(1e-12 * eigenvalues.max()) - law.cdf(0.0) > 0.08
        assert distance(law, eigenvalues) < 0.02


class TestNumbers:
    def test_quantiles_and_moments(self) -> None:
        found = fc.compare(fc.Uniform(0.0, 1.0), np.array([[0.1, 0.4], [0.6, 0.8]]), levels=[0.0, 0.25, 0.5, 1.0])
        assert found.size == 4
        assert found.levels == (0.0, 0.25, 0.5, 1.0)
        assert found.law_quantiles == pytest.approx((0.0, 0.25, 0.5, 1.0), abs=1e-14)
        assert found.sample_quantiles == (0.1, 0.1, 0.4, 0.8)
        assert found.quantile_differences == pytest.approx((0.1, -0.15, -0.1, -0.2), abs=1e-14)
        assert found.law_moments == pytest.approx((1 / 2, 1 / 3, 1 / 4, 1 / 5), rel=1e-14)
        sums = [sum(x**k for x in (0.1, 0.4, 0.6, 0.8)) for k in (1, 2, 3, 4)]
        assert found.sample_moments == pytest.approx([total / 4 for total in sums], rel=1e-15)

    def test_report(self) -> None:
        text = str(fc.compare(HALF, [0.0, 0.0, 1.0], levels=[0.5, 0.75]))
        assert text.splitlines() == [
            "3 eigenvalues, Kolmogorov distance 0.16667 at 0",
            "                law     sample   difference",
            "quantile 0.5      0          0           +0",
            "quantile 0.75     1          1           +0",
            "moment 1        0.5   0.333333        -0.17",
            "moment 2        0.5   0.333333        -0.17",
            "moment 3        0.5   0.333333        -0.17",
            "moment 4        0.5   0.333333        -0.17",
        ]

    def test_integers_and_single_values(self) -> None:
        assert fc.compare(HALF, 1).size == 1
        assert distance(HALF, [0, 1]) == 0.0

    @pytest.mark.parametrize(
        ("arguments", "options", "error", "message"),
        [
            ((3.0, [1.0]), {}, TypeError, "compare needs a law, got 3.0"),
            ((HALF, []), {}, ValueError, "eigenvalues must have at least one entry, got none"),
            ((HALF, [1.0, np.nan]), {}, ValueError, "eigenvalues must be finite, got nan"),
            ((HALF, [1.0, np.inf]), {}, ValueError, "eigenvalues must be finite, got inf"),
            ((HALF, [1.0j]), {}, TypeError, "eigenvalues must be real"),
            ((HALF, ["1"]), {}, TypeError, "eigenvalues must be a number or an array of numbers"),
            ((HALF, [1.0]), {"levels": []}, ValueError, "levels must have at least one entry, got none"),
            ((HALF, [1.0]), {"levels": [1.5]}, ValueError, r"levels must be in \[0, 1\], got 1.5"),
            ((HALF, [1.0]), {"rounding": -1.0}, ValueError, "rounding must be >= 0, got -1.0"),
        ],
    )
    def test_bad_input(self, arguments: Any, options: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            fc.compare(*arguments, **options)


class TestHistogram:
    def test_counts_off_the_atoms(self) -> None:
        eigenvalues = RELU.sample(500, 3)
        found = histogram(RELU.atoms(), eigenvalues)
        zeros = np.mean(eigenvalues == 0.0)
        assert found.atom_weights.tolist() == [zeros]
        assert float(found.heights @ np.diff(found.edges)) == pytest.approx(1.0 - zeros, rel=1e-13)
        assert (found.edges[0], found.edges[-1]) == (eigenvalues[eigenvalues > 0.0].min(), eigenvalues.max())

    def test_approximates_the_density(self) -> None:
        law = fc.Semicircle()
        found = histogram(law.atoms(), law.quantile((np.arange(10_000) + 0.5) / 10_000))
        middle = 0.5 * (found.edges[1:] + found.edges[:-1])
        # 100 bins: within 1 count in 100 and the curvature, away from the edges.
        inner = np.abs(middle) < 1.8
        assert found.heights[inner] == pytest.approx(law.density(middle[inner]), rel=0.02)

    def test_logarithmic_bins(self) -> None:
        found = histogram(RELU.atoms(), RELU.sample(500, 3), logarithmic=True)
        assert np.diff(np.log(found.edges)) == pytest.approx(np.log(found.edges[-1] / found.edges[0]) / 15, rel=1e-9)

    @pytest.mark.parametrize("logarithmic", [False, True])
    def test_few_eigenvalues(self, logarithmic: bool) -> None:
        nothing = histogram(HALF.atoms(), [0.0, 1.0, 1.0], logarithmic=logarithmic)
        assert (nothing.heights.size, nothing.atom_weights.tolist()) == (0, [1 / 3, 2 / 3])
        one = histogram(HALF.atoms(), [0.0, 0.5], logarithmic=logarithmic)
        assert float(one.heights @ np.diff(one.edges)) == pytest.approx(0.5, rel=1e-13)
