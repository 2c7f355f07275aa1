"""Networks of curved activations against 25-digit solutions, closed forms and known moments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import freeconv as fc
from freeconv import Status
from tests.oracles.load import Reference, build, load
from tests.tolerances import CDF, SLOPE_NETWORK

QUICK = {
    "Jacobian, orthogonal tanh L=5",
    "Jacobian, Gaussian gelu L=2",
    "Jacobian, orthogonal erf L=50",
    "Jacobian, Gaussian silu L=50",
    "kernel, Gaussian tanh L=3",
    "kernel, Gaussian gelu L=5",
    "kernel, orthogonal tanh L=10",
    "kernel, orthogonal gelu L=10",
}


@pytest.mark.parametrize(
    "entry",
    [entry if entry.name in QUICK else pytest.param(entry, marks=pytest.mark.slow) for entry in load("slopes")],
    ids=str,
)
def test_networks_against_the_oracle(entry: Reference) -> None:
    law = build(entry.spec)
    evaluation = law.evaluate(entry.x)
    assert set(np.unique(evaluation.status)) <= {Status.CERTIFIED, Status.RECOVERED}
    np.testing.assert_allclose(evaluation.density, entry.density, rtol=SLOPE_NETWORK)
    if entry.cdf.size:
        np.testing.assert_allclose(law.cdf(entry.x), entry.cdf, rtol=0.0, atol=CDF)


def test_points_come_near_the_axis() -> None:
    # The table's points beside q̂_{L−1}: Im ω of a law of squared slopes is 1e-8 there, of 1e-4.
    (deepest,) = (entry for entry in load("slopes") if entry.name == "kernel, orthogonal tanh L=10")
    law = build(deepest.spec)
    shift = 0.5 + 9.0 / 16.0
    (slopes,) = (factor["law"] for factor in deepest.spec["affine"]["law"]["boxtimes"][:1])
    found = np.asarray(law.subordination(complex(deepest.x[5], 0.0)))
    assert deepest.x[5] - shift < 1e-3
    assert slopes == {"SlopeLaw": {"activation": "tanh", "variance": 0.6328125}}
    assert 0.0 < np.min(found.imag / np.abs(found)) < 1e-3


def test_one_orthogonal_layer_is_the_law_itself() -> None:
    net = fc.MLP(1, "tanh", weights="orthogonal", weight_variance=1.5, bias_variance=0.05)
    law = net.jacobian()
    q = float(net.mean_field().preactivation_variance[0])
    x = np.array([0.01, 0.4, 1.2, 1.49])
    np.testing.assert_allclose(law.density(x), np.asarray(fc.SlopeLaw("tanh", q).density(x / 1.5)) / 1.5, rtol=1e-13)


@pytest.mark.parametrize(
    ("activation", "weights", "expected"),
    [
        (fc.activations.Erf(math.sqrt(math.pi) / 2.0), "gaussian", (0.39600392, 1.07257971, 4.11255785)),
        (fc.activations.Erf(math.sqrt(math.pi) / 2.0), "orthogonal", (0.39600392, 0.44530330, 0.63023411)),
        (fc.activations.Tanh(), "gaussian", (0.34309838, 0.81672053, 2.75650022)),
    ],
)
def test_jacobian_moments(activation: fc.activations.Activation, weights: Any, expected: tuple[float, ...]) -> None:
    net = fc.MLP(4, activation, weights=weights, weight_variance=1.5, bias_variance=0.05)
    law = net.jacobian()
    np.testing.assert_allclose([law.moment(k) for k in (1, 2, 3)], expected, atol=6e-9)


def test_networks_hold_their_moments() -> None:
    # The density of the network integrates to the moments of the power series, which know nothing of contours.
    law = fc.MLP(3, "tanh", weight_variance=1.8, bias_variance=0.1).ntk()
    assert float(law.expectation(lambda x: x)) == pytest.approx(law.moment(1), rel=1e-9)
    assert float(law.expectation(lambda x: x**3)) == pytest.approx(law.moment(3), rel=1e-9)


@pytest.mark.parametrize("depth", [9, 12])
def test_kernels_of_layers_that_shrink_their_signals(depth: int) -> None:
    # Of ten layers on, the innermost m is below 1e-9: as η = m + p₀ it had seven digits left, and no support was found.
    law = fc.MLP(depth, "sigmoid", weight_variance=1.5, bias_variance=0.05).ntk()
    deeper = fc.MLP(depth + 1, "sigmoid", weight_variance=1.5, bias_variance=0.05).ntk()
    ((low, high),) = law.support()
    assert low == pytest.approx(0.273706970, rel=1e-7)
    x = np.array([0.28, 0.3, 0.35])
    assert np.all(x < high)
    # The layers that are added are felt by (χ = 0.08)^depth only.
    np.testing.assert_allclose(law.density(x), deeper.density(x), rtol=1e-6)
    assert float(law.expectation(lambda t: t)) == pytest.approx(law.mean(), rel=1e-9)
