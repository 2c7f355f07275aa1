"""Fixed points of variances, the critical line, and correlations, for all activations."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

import freeconv as fc
from freeconv.activations import KNOWN, Activation
from freeconv.networks import (
    correlation_derivative,
    correlation_fixed_points,
    correlation_map,
    critical_point,
    fixed_point,
)

PRINTED = 1e-10
"""Numbers printed to 11 decimals, as known before."""

SOLVED = 1e-13
"""Roots of equations whose terms are integrated to 1e-14, where their slopes are of order 1."""

ISOMETRIC_ERF = fc.activations.Erf(scale=0.5 * math.sqrt(math.pi))
CRITICAL = [
    ("tanh", 0.05, 0.57004788164, 1.76095463961, 0.34225607831),
    (ISOMETRIC_ERF, 0.05, 0.58797836780, 1.68736140787, 0.31409644353),
    ("hard_tanh", 0.05, 0.46386396943, 1.16554468964, 0.16554468964),
    ("sin", 0.05, 0.55207010256, 1.50207010256, 0.22344894733),
    ("hard_tanh", 0.001, 0.14396995893, 1.00847236440, 0.00847236440),
]
WITH_CRITICAL_POINT = ["hard_tanh", "erf", "tanh", "sigmoid", "silu", "gelu", "elu", "selu", "sin", "cos"]


class TestCriticalPoints:
    @pytest.mark.parametrize(("activation", "bias", "variance", "weight", "spread"), CRITICAL, ids=str)
    def test_table(
        self, activation: str | Activation, bias: float, variance: float, weight: float, spread: float
    ) -> None:
        point = critical_point(activation, bias)
        assert point.variance == pytest.approx(variance, abs=PRINTED)
        assert point.weight_variance == pytest.approx(weight, abs=PRINTED)
        phi = fc.activations.resolve(activation)
        moments = phi.slope_second_moment(point.variance), phi.slope_fourth_moment(point.variance)
        assert moments[1] / moments[0] ** 2 - 1.0 == pytest.approx(spread, abs=PRINTED)

    def test_erf_in_multiprecision(self) -> None:
        # One equation for q: q − (2/π) asin(x/(1 + x)) √(1 + 2x) = σ_b², x = πq/2, from V and E φ'² = (1 + πq)^{−1/2}.
        with mpmath.workdps(30):
            bias = mpmath.mpf(0.05)

            def equation(q: mpmath.mpf) -> mpmath.mpf:
                x = mpmath.pi * q / 2
                return q - 2 / mpmath.pi * mpmath.asin(x / (1 + x)) * mpmath.sqrt(1 + 2 * x) - bias

            q = mpmath.findroot(equation, 0.588)
            expected = float(q), float(mpmath.sqrt(1 + mpmath.pi * q))
        # scale² is π/4 to an ulp only.
        assert critical_point(ISOMETRIC_ERF, 0.05) == pytest.approx(expected, rel=10.0 * SOLVED)

    @pytest.mark.parametrize("activation", WITH_CRITICAL_POINT)
    @pytest.mark.parametrize("bias", [1e-6, 0.05, 1.0])
    def test_both_equations_hold(self, activation: str, bias: float) -> None:
        phi = fc.activations.resolve(activation)
        q, weight = critical_point(activation, bias)
        assert weight * phi.slope_second_moment(q) == pytest.approx(1.0, rel=SOLVED)
        assert weight * phi.second_moment(q) + bias == pytest.approx(q, rel=SOLVED)
        start = (q - bias) / weight
        assert fixed_point(activation, weight, bias, start) == pytest.approx(q, rel=SOLVED)

    def test_without_biases(self) -> None:
        assert fc.critical_weight_variance("relu") == 2.0
        assert fc.critical_weight_variance("linear") == 1.0
        assert fc.critical_weight_variance(fc.activations.LeakyReLU(slope=0.5)) == 1.6
        # φ(0) = 0: the variances tend to 0, where σ_w² φ'(0)² = 1.
        assert critical_point("tanh", 0.0) == (0.0, 1.0)
        assert critical_point("gelu", 0.0) == (0.0, 4.0)
        assert fc.critical_weight_variance(ISOMETRIC_ERF) == pytest.approx(1.0, rel=1e-15)

    def test_arrays(self) -> None:
        biases = np.array([[0.05], [0.001]])
        weights = fc.critical_weight_variance("hard_tanh", biases)
        assert weights.shape == (2, 1)
        assert weights == pytest.approx(np.array([[1.16554468964], [1.00847236440]]), abs=PRINTED)
        assert isinstance(fc.critical_weight_variance("hard_tanh", 0.05), float)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (
                lambda: critical_point("relu", 0.05),
                r"ReLU\(\) has a critical point for bias_variance 0 only, got 0\.05",
            ),
            (
                lambda: critical_point("softplus", 0.05),
                r"must have one critical point at bias_variance 0\.05, got none",
            ),
            (lambda: critical_point(Wavy(), 0.05), r"got several, at variances near 1, 23\.1, "),
            (
                lambda: fixed_point("relu", 3.0, 0.0),
                r"variances of ReLU\(\) grow without bound at weight_variance 3\.0",
            ),
            (
                lambda: correlation_fixed_points("tanh", 0.5, 0.0),
                r"variances of Tanh\(\) must not tend to 0, as they do",
            ),
            (
                lambda: correlation_fixed_points("linear", 1.0, 0.0),
                r"every correlation is a fixed point of Linear\(\) at",
            ),
        ],
    )
    def test_none_or_several(self, call: Callable[[], object], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            call()


class Wavy(fc.activations.Tanh):
    """Moments that belong to no φ, for which q − V/E φ'² goes up and down through 0.05: at log q = 0, ±π, ±2π, …"""

    def second_moment(self, variance: float) -> float:
        return variance - 0.05 - 0.01 * math.sin(math.log(variance)) if variance > 0.0 else 1.0

    def slope_second_moment(self, variance: float) -> float:
        return 1.0


class TestFixedPoints:
    @pytest.mark.parametrize("activation", [name for name in KNOWN if name != "linear"])
    def test_is_the_limit_of_the_recursion(self, activation: str) -> None:
        weight, bias = 0.9, 0.2
        q = fixed_point(activation, weight, bias)
        field = fc.MLP(400, activation, weight_variance=weight, bias_variance=bias).mean_field()
        assert field.preactivation_variance[-1] == pytest.approx(q, rel=SOLVED)

    def test_relu(self) -> None:
        assert fixed_point("relu", 1.0, 0.5) == pytest.approx(1.0, rel=SOLVED)
        assert fixed_point("relu", 2.0, 0.0, 0.7) == 1.4  # every variance is one
        assert fixed_point("relu", 1.0, 0.0) == 0.0
        grid = fixed_point("relu", [[0.5], [1.0]], [0.5, 3.0])
        assert grid == pytest.approx(np.array([[2.0 / 3.0, 4.0], [1.0, 6.0]]), rel=SOLVED)

    def test_the_start_decides(self) -> None:
        # GELU, σ_w² = 3: near 0 V = q/4, so variances die out; far away V = q/2, so they explode.
        assert fixed_point("gelu", 3.0, 0.0, 1e-3) == 0.0
        with pytest.raises(ValueError, match="grow without bound"):
            fixed_point("gelu", 3.0, 0.0, 1e3)

    def test_tanh_above_its_transition(self) -> None:
        q = fixed_point("tanh", 2.0, 0.0)
        assert 2.0 * fc.activations.Tanh().second_moment(q) == pytest.approx(q, rel=SOLVED)
        assert fixed_point("tanh", 2.0, 0.0, 100.0) == pytest.approx(q, rel=SOLVED)


class TestDepth:
    @pytest.mark.parametrize("activation", list(KNOWN))
    def test_a_thousand_layers_are_quick(self, activation: str) -> None:
        weight = 1.5 if activation != "linear" else 1.0
        bias = 0.05 if activation != "linear" else 0.0
        start = time.perf_counter()
        field = fc.MLP(1000, activation, weight_variance=weight, bias_variance=bias).mean_field()
        # A thousand different variances would take 0.1 ms each and moment, on a slow machine several times that.
        assert time.perf_counter() - start < 5.0
        phi = fc.activations.resolve(activation)
        for layer in (0, 10, 999):
            q = field.preactivation_variance[layer]
            assert field.activation_variance[layer] == phi.second_moment(q)
            assert field.chi[layer] == weight * phi.slope_second_moment(q)


class TestCorrelations:
    def test_arrays(self) -> None:
        values = correlation_map("tanh", [1.0, 2.0], 0.5, [[0.1], [0.2]])
        assert values.shape == (2, 2)
        assert values[1, 0] == correlation_map("tanh", 1.0, 0.5, 0.2)
        assert isinstance(correlation_derivative("tanh", 1.0, 0.5, 0.2), float)

    def test_odd_and_even(self) -> None:
        for name in ("tanh", "erf", "sin", "hard_tanh"):
            assert correlation_map(name, 1.0, 1.0, -0.4) == pytest.approx(
                -correlation_map(name, 1.0, 1.0, 0.4), rel=1e-12
            )
        assert correlation_map("cos", 1.0, 1.0, -0.4) == correlation_map("cos", 1.0, 1.0, 0.4)

    @pytest.mark.parametrize(
        ("activation", "weight", "bias"),
        [
            *(("tanh", 2.0, 0.05), ("hard_tanh", 1.4, 0.05), ("erf", 3.0, 0.1), ("sin", 1.8, 0.02)),
            *(("cos", 3.0, 0.1), ("sigmoid", 110.0, 0.05), ("elu", 1.6, 0.05), ("tanh", 1.77, 0.05)),
        ],
    )
    def test_chaotic_phase(self, activation: str, weight: float, bias: float) -> None:
        q = fixed_point(activation, weight, bias)
        inner, one = correlation_fixed_points(activation, weight, bias)
        for c, slope, _ in (inner, one):
            assert (weight * correlation_map(activation, q, q, c * q) + bias) / q == pytest.approx(c, abs=SOLVED)
            assert weight * correlation_derivative(activation, q, q, c * q) == pytest.approx(slope, rel=1e-12)
        assert 0.0 < inner.correlation < one.correlation == 1.0
        assert inner.slope < 1.0 < one.slope
        assert (inner.stable, one.stable) == (True, False)
        chi = weight * fc.activations.resolve(activation).slope_second_moment(q)
        assert one.slope == chi

    def test_the_fixed_point_attracts(self) -> None:
        weight, bias = 2.0, 0.05
        q = fixed_point("erf", weight, bias)
        c = 0.999
        for _ in range(600):
            c = (weight * correlation_map("erf", q, q, c * q) + bias) / q
        assert correlation_fixed_points("erf", weight, bias)[0].correlation == pytest.approx(c, abs=1e-12)

    def test_ordered_phase(self) -> None:
        for activation, weight, bias in (("tanh", 1.0, 0.05), ("relu", 1.0, 1.0), ("softplus", 0.9, 0.2)):
            (point,) = correlation_fixed_points(activation, weight, bias)
            assert point.correlation == 1.0
            assert point.stable
            assert point.slope < 1.0

    def test_critical_line(self) -> None:
        weight = fc.critical_weight_variance("tanh", 0.05)
        (point,) = correlation_fixed_points("tanh", weight, 0.05)
        assert point.slope == pytest.approx(1.0, rel=SOLVED)
        assert point.stable

    def test_odd_without_biases(self) -> None:
        zero, _ = correlation_fixed_points("tanh", 2.0, 0.0)
        assert zero.correlation == 0.0
        assert zero.stable

    @pytest.mark.parametrize("activation", ["tanh", "gelu", "hard_tanh", "elu", "silu"])
    def test_slope_at_one_is_chi(self, activation: str) -> None:
        # c'(1) by a one-sided difference quotient whose error is of order √step at a kink, and step without.
        step = 1e-8
        q, weight = 0.8, 1.3
        quotient = weight * (correlation_map(activation, q, q, q) - correlation_map(activation, q, q, q * (1.0 - step)))
        chi = weight * fc.activations.resolve(activation).slope_second_moment(q)
        assert quotient / (step * q) == pytest.approx(chi, rel=3.0 * math.sqrt(step))
