"""Laws of samples: exact weights, and the spectra that they predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import freeconv as fc


def test_equal_samples_are_one_atom() -> None:
    assert fc.Empirical([2, 1, 2, 2]) == fc.Discrete([1.0, 2.0], [0.25, 0.75])
    assert fc.Empirical(np.array([3.0, 3.0])) == fc.PointMass(3.0)
    assert fc.Empirical([1.0, 2.0, 5.0], [1.0, 3.0, 0.0]) == fc.Discrete([1.0, 2.0], [0.25, 0.75])
    assert fc.Empirical([1.0, 2.0], [1e308, 1e308]) == fc.Discrete([1.0, 2.0], [0.5, 0.5])


def test_moments_are_those_of_the_samples() -> None:
    samples = np.random.default_rng(0).normal(size=500)
    law = fc.Empirical(samples)
    for k in range(1, 5):
        assert law.moment(k) == pytest.approx(float(np.mean(samples**k)), rel=1e-12)


def test_a_sample_covariance_matrix() -> None:
    rng = np.random.default_rng(1)
    population = rng.uniform(0.5, 2.0, size=400)
    law = fc.boxtimes(fc.Empirical(population), fc.MarchenkoPastur(ratio=0.5))
    data = np.sqrt(population)[:, None] * rng.normal(size=(400, 800)) / np.sqrt(800)
    eigenvalues = np.linalg.eigvalsh(data @ data.T)
    assert fc.compare(law, eigenvalues).kolmogorov_distance < 0.01


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, "samples must have at least one entry, got none"),
        (([1.0, float("nan")],), ValueError, r"samples\[1\] must be finite, got nan"),
        (("12",), TypeError, "samples must be a sequence of real numbers, got '12'"),
        ((np.ones((2, 2)),), ValueError, r"samples must have one dimension, got an array of shape \(2, 2\)"),
        (([1.0], [1.0, 2.0]), ValueError, "samples and weights must be of one length, got 1 and 2"),
        (([1.0, 2.0], [1.0, -2.0]), ValueError, r"weights\[1\] must be >= 0, got -2.0"),
        (([1.0, 2.0], [0.0, 0.0]), ValueError, "weights must not all be 0"),
    ],
)
def test_samples_that_are_none(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fc.Empirical(*arguments)
