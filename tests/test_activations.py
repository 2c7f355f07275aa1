"""Activations against a multiprecision table, against closed forms and against themselves."""

from __future__ import annotations

import ast
import json
import math
import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from freeconv.activations import KNOWN, Activation, Custom, from_name
from freeconv.activations.quadrature import gaussian_expectation
from tests.oracles.load import TABLES

MOMENT = 1e-13
"""The promise for moments.  1.3e-15 is seen."""

CONTINUATION = 5e-15
"""Of derivatives in the complex plane: exponentials of up to 40 in size are good to 40 ulp/2."""

TABLE = json.loads((TABLES / "activations" / "moments.json").read_text(encoding="utf-8"))["entries"]
SMOOTH = [kind() for name, kind in KNOWN.items() if not kind().piecewise_linear]
ALL = [*(kind() for kind in KNOWN.values()), fc.activations.Erf(scale=0.3), fc.activations.Softplus(beta=4.0)]
CUSTOM = [Custom(a.function, a.derivative, a.kinks) for a in ALL]


def activation_of(text: str) -> Activation:
    """The activation that a constructor in the table describes."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    keywords = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    return cast("Activation", getattr(fc.activations, call.func.id)(**keywords))


def power(exponent: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda h: h**exponent


def relative(value: float, exact: float) -> float:
    return abs(value - exact) / abs(exact)


class TestMoments:
    @pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["name"])
    def test_table(self, entry: dict[str, Any]) -> None:
        activation = activation_of(entry["name"])
        for q, (square, slope, fourth) in zip(entry["variances"], entry["moments"], strict=True):
            assert relative(activation.second_moment(q), square) <= MOMENT
            assert relative(activation.slope_second_moment(q), slope) <= MOMENT
            assert relative(activation.slope_fourth_moment(q), fourth) <= MOMENT

    def test_the_table_has_all_names(self) -> None:
        tabled = {activation_of(entry["name"]).name for entry in TABLE}
        assert KNOWN.keys() - tabled == {"linear", "relu"}  # whose moments have tests of their own

    @pytest.mark.parametrize("activation", CUSTOM, ids=lambda a: a._function.__self__.name)
    @pytest.mark.parametrize("q", [1e-9, 0.3, 50.0, 1e4])
    def test_quadrature_agrees_with_closed_forms(self, activation: Custom, q: float) -> None:
        known = cast("Any", activation._function).__self__
        assert relative(activation.second_moment(q), known.second_moment(q)) <= MOMENT
        assert relative(activation.slope_fourth_moment(q), known.slope_fourth_moment(q)) <= MOMENT

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_zero_variance_is_the_limit(self, activation: Activation) -> None:
        for method in (activation.second_moment, activation.slope_second_moment, activation.slope_fourth_moment):
            assert method(0.0) == pytest.approx(method(1e-22), rel=1e-10, abs=1e-20)

    def test_slope_moments_are_ordered(self) -> None:
        for activation in ALL:
            for q in (0.1, 1.0, 10.0):
                assert activation.slope_fourth_moment(q) >= activation.slope_second_moment(q) ** 2 * (1.0 - 1e-14)

    def test_expectation_of_polynomials(self) -> None:
        # E h^{2k} = (2k − 1)!! q^k.
        for q in (1e-8, 1.0, 1e8):
            for k in (1, 2, 5):
                exact = math.prod(range(1, 2 * k, 2)) * q**k
                assert relative(gaussian_expectation(power(2 * k), q), exact) <= MOMENT

    def test_expectation_of_a_narrow_feature(self) -> None:
        # E 1/(1 + h²/w²) = √(π/2) (w/√q) erfcx(w/√(2q)): poles at ±iw, w = 1e-3 standard deviations.
        from scipy.special import erfcx

        w, q = 1e-2, 100.0
        exact = math.sqrt(math.pi / 2.0) * w / math.sqrt(q) * float(erfcx(w / math.sqrt(2.0 * q)))
        assert relative(gaussian_expectation(lambda h: 1.0 / (1.0 + (h / w) ** 2), q), exact) <= MOMENT

    def test_expectation_that_is_infinite(self) -> None:
        with (
            pytest.raises(ValueError, match=r"expectation at variance 4\.0 must be finite, got inf"),
            np.errstate(all="ignore"),
        ):
            gaussian_expectation(lambda h: np.exp(30.0 * h * h), 4.0)

    def test_expectation_of_what_is_not_a_function(self) -> None:
        rng = np.random.default_rng(0)
        with pytest.raises(ValueError, match=r"expectation at variance 1\.0 needs more than"):
            gaussian_expectation(lambda h: rng.standard_normal(h.shape), 1.0)


class TestSlopes:
    @pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry["name"])
    def test_turning_points(self, entry: dict[str, Any]) -> None:
        found = activation_of(entry["name"]).turning_points(3.2)
        expected = entry["turning_points"]
        assert found == pytest.approx(expected, rel=2.3e-16, abs=0.0)

    def test_turning_points_are_within_reach(self) -> None:
        assert fc.activations.SiLU().turning_points(2.0) == (fc.activations.SiLU().turning_points(3.0)[1],)
        points = fc.activations.Sin().turning_points(100.0)
        assert len(points) == 127  # |k| ≤ 200/π = 63.66
        assert points == pytest.approx([0.5 * math.pi * k for k in range(-63, 64)], rel=1e-15)

    @pytest.mark.parametrize("activation", SMOOTH, ids=repr)
    def test_turning_points_are_zeros(self, activation: Activation) -> None:
        for point in activation.turning_points(5.0):
            product = float(activation.derivative(point)) * float(activation.curvature(point))
            assert abs(product) <= 1e-15

    @pytest.mark.parametrize("activation", SMOOTH, ids=repr)
    def test_continuation(self, activation: Activation) -> None:
        # Cauchy's formula for φ and φ' on a circle around real h recovers φ' and φ'': they are one analytic function.
        turn = np.exp(2j * math.pi * np.arange(64) / 64)
        for h in (-30.0, -2.3, -0.9, 0.7, 1.9, 25.0):
            radius = 0.4
            circle = activation.derivative(h + radius * turn)
            assert circle.dtype == np.complex128
            size = float(np.abs(circle).max())
            assert abs(np.mean(circle) - activation.derivative(h)) <= 1e-14 * size
            curvature = np.mean(circle / turn) / radius
            assert abs(curvature - activation.curvature(h)) <= 1e-13 * size

    @pytest.mark.parametrize(
        ("name", "exact"),
        [
            ("tanh", lambda h: mpmath.sech(h) ** 2),
            ("erf", lambda h: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-h * h)),
            ("sigmoid", lambda h: mpmath.exp(-h) / (1 + mpmath.exp(-h)) ** 2),
            ("silu", lambda h: (1 + h / (1 + mpmath.exp(h))) / (1 + mpmath.exp(-h))),
            ("gelu", lambda h: mpmath.erfc(-h / mpmath.sqrt(2)) / 2 + h * mpmath.npdf(h)),
            ("softplus", lambda h: 1 / (1 + mpmath.exp(-h))),
            ("sin", mpmath.cos),
        ],
    )
    def test_complex_values(self, name: str, exact: Callable[[Any], Any]) -> None:
        # Points in the strip, away from zeros of φ'; the condition number of e^{h²} grows with |h|².
        h = np.array([0.1 + 0.5j, -0.1 - 0.5j, 2.0 + 1.0j, -2.0 + 1.0j, 5.0 - 1.2j, -5.0 - 1.2j, 0.0 + 1.4j])
        with mpmath.workdps(40):
            expected = np.array([complex(exact(mpmath.mpc(point))) for point in h])
        error = np.abs(KNOWN[name]().derivative(h) - expected) / np.abs(expected)
        assert error.max() <= CONTINUATION

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_nothing_overflows(self, activation: Activation) -> None:
        h = np.array([-1e3, -300.0, 300.0, 1e3])
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            for shift in (0.0, 0.7j, -0.3j):
                for values in (activation.derivative(h + shift), activation.curvature(h + shift)):
                    assert np.isfinite(values).all()
            assert np.isfinite(activation.function(h)).all()

    @pytest.mark.parametrize("activation", [*ALL, *CUSTOM], ids=repr)
    def test_real_in_real_out(self, activation: Activation) -> None:
        h = np.array([[-1.0, math.nan, 2.5]])
        for values in (activation.derivative(h), activation.curvature(h), activation.function(h)):
            assert values.shape == h.shape
            assert values.dtype == np.float64
            assert np.isnan(values).tolist() == [[False, True, False]] or activation.name in (
                "linear",
                "relu",
                "custom",
            )
        with pytest.raises(TypeError, match="h must be real, got an array of complex128"):
            activation.function(h + 0j)

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_kinks_are_the_left_pieces(self, activation: Activation) -> None:
        for kink in activation.kinks:
            left = math.nextafter(kink, -math.inf)
            assert float(activation.derivative(kink)) == pytest.approx(float(activation.derivative(left)), rel=1e-15)
            assert activation.derivative(kink + 0.1j).real == pytest.approx(activation.derivative(left + 0.1j).real)


class TestSlopeAtoms:
    def test_probabilities(self) -> None:
        assert fc.activations.ELU().slope_atoms(2.0) == ((1.0, 0.5),)
        assert fc.activations.SELU().slope_atoms(2.0) == ((1.0507009873554805**2, 0.5),)
        assert fc.activations.Tanh().slope_atoms(2.0) == ()
        assert fc.activations.LeakyReLU(slope=-1.0).slope_atoms(2.0) == ((1.0, 1.0),)
        (zero, saturated), (one, active) = fc.activations.HardTanh(clip=2.0).slope_atoms(0.5)
        assert (zero, one) == (0.0, 1.0)
        assert (saturated, active) == pytest.approx((math.erfc(2.0), math.erf(2.0)), rel=1e-14)

    def test_zero_variance(self) -> None:
        assert fc.activations.Sigmoid().slope_atoms(0.0) == ((0.0625, 1.0),)
        assert fc.activations.ELU(alpha=0.5).slope_atoms(0.0) == ((0.25, 0.5), (1.0, 0.5))
        assert fc.networks.slope_law(fc.activations.Tanh(), 0.0) == fc.PointMass(1.0)

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_constant_pieces_are_constant(self, activation: Activation) -> None:
        ends = (-math.inf, *activation.kinks, math.inf)
        for piece in activation.constant_pieces:
            assert (piece.low, piece.high) in list(pairwise(ends))
            inside = np.linspace(max(piece.low, -9.0), min(piece.high, 9.0), 102)[1:-1]
            assert (activation.derivative(inside) == piece.slope).all()
            assert (activation.curvature(inside) == 0.0).all()


def step(h: NDArray[np.float64]) -> NDArray[np.bool_]:
    return h > 0.0


class TestCustom:
    @pytest.mark.parametrize("activation", CUSTOM, ids=repr)
    def test_is_as_what_it_was_made_from(self, activation: Custom) -> None:
        known = cast("Any", activation._function).__self__
        assert activation.constant_pieces == known.constant_pieces
        assert activation.turning_points(9.0) == pytest.approx(known.turning_points(9.0), rel=1e-12, abs=1e-12)
        h = np.linspace(-9.0, 9.0, 331) + 0.001
        assert activation.curvature(h) == pytest.approx(known.curvature(h), abs=2e-11)

    def test_values_with_rounding_noise_do_not_turn(self) -> None:
        # 1 − tanh² is 0, 1e-16 or 2e-16 for h > 18.
        noisy = Custom(np.tanh, lambda h: 1.0 - np.tanh(h) ** 2)
        assert noisy.turning_points(100.0) == pytest.approx([0.0], abs=1e-13)

    def test_touching_zeros_are_found(self) -> None:
        # φ' = (h² − 1)² has double zeros, φ' = h³ + 1 a flat point at 0.
        quintic = Custom(lambda h: h**5 / 5.0 - 2.0 * h**3 / 3.0 + h, lambda h: (h * h - 1.0) ** 2)
        assert quintic.turning_points(3.0) == pytest.approx([-1.0, 0.0, 1.0], abs=1e-12)
        flat = Custom(lambda h: h**4 / 4.0 + h, lambda h: h**3 + 1.0)
        assert flat.turning_points(3.0) == pytest.approx([-1.0, 0.0], abs=1e-6)

    def test_a_narrow_feature_is_seen(self) -> None:
        # φ = h + erf((h − 7.3)/w)/10, w = 0.15: E φ'² = 1 + 2/(10 w) · E g + E g²/(10 w)², with Gaussian integrals.
        from scipy.special import erf

        q, w, m = 50.0, 0.15, 7.3
        bump = Custom(
            lambda h: h + 0.1 * erf((h - m) / w),
            lambda h: 1.0 + 0.2 / (w * math.sqrt(math.pi)) * np.exp(-(((h - m) / w) ** 2)),
        )
        height = 0.2 / (w * math.sqrt(math.pi))
        first, second = (
            math.exp(-m * m / (2.0 * q + s * s)) * s / math.sqrt(s * s + 2.0 * q) for s in (w, w / math.sqrt(2.0))
        )
        assert bump.slope_second_moment(q) == pytest.approx(1.0 + 2.0 * height * first + height**2 * second, rel=MOMENT)
        assert bump.turning_points(20.0) == pytest.approx([m], abs=1e-12)

    def test_a_law_of_constant_pieces(self) -> None:
        relu = Custom(lambda h: np.maximum(h, 0.0), step, kinks=[0.0])
        assert fc.networks.slope_law(relu, 3.0) == fc.Bernoulli(0.5)
        net = fc.MLP(3, relu, weight_variance=2.0)
        assert net.jacobian() == fc.MLP(3, "relu", weight_variance=2.0).jacobian()

    def test_identity(self) -> None:
        square, double = (lambda h: h * h), (lambda h: 2.0 * h)
        one, other = Custom(square, double), Custom(square, double)
        assert one == other
        assert hash(one) == hash(other)
        assert one != Custom(square, double, kinks=[1.0])
        assert one != Custom(lambda h: h * h, double)
        assert repr(Custom(np.sin, np.cos, kinks=[2.0, 1.0, 1.0])) == "Custom(sin, cos, kinks=(1.0, 2.0))"
        assert pickle.loads(pickle.dumps(Custom(np.sin, np.cos))) == Custom(np.sin, np.cos)
        assert not Custom.complex_slope

    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (lambda: Custom(cast("Any", 3), np.cos), TypeError, "function must be callable, got 3"),
            (lambda: Custom(np.sin, cast("Any", None)), TypeError, "derivative must be callable, got None"),
            (lambda: Custom(np.sin, np.cos, kinks=[math.nan]), ValueError, r"kinks\[0\] must be finite, got nan"),
            (lambda: Custom(np.cos, np.cos), ValueError, r"derivative must be that of function: at h = -4\.1 it must"),
            (
                lambda: Custom(np.sum, np.cos),
                ValueError,
                r"function must map a real array of shape \(8,\) .*shape \(\)",
            ),
            (lambda: Custom(np.sin, lambda h: np.cos(h) + 0j), ValueError, r"derivative must map .* type complex128"),
            (
                lambda: Custom(lambda h: 1.0 if h > 0.0 else 0.0, step),
                TypeError,
                "function must work on arrays",
            ),
            (
                lambda: Custom(lambda h: np.where(h > 3.0, np.inf, h), np.ones_like),
                ValueError,
                r"function must be finite, got inf at h = 3\.9",
            ),
            (
                lambda: Custom(lambda h: np.maximum(h, 0.0), step).turning_points(5.0),
                ValueError,
                "derivative is not smooth near h = .*: is a kink missing there?",
            ),
            (lambda: Custom(np.sin, np.cos).derivative(1j), TypeError, "h must be real, got an array of complex128"),
            (lambda: fc.activations.ELU(alpha=0.0), ValueError, "alpha must be > 0, got 0.0"),
            (lambda: fc.activations.ELU(alpha=1e80), ValueError, "alpha must have a finite fourth power, got 1e"),
            (lambda: fc.activations.Erf(scale=-1.0), ValueError, "scale must be > 0, got -1.0"),
            (lambda: fc.activations.Softplus(beta=math.inf), ValueError, "beta must be finite, got inf"),
            (
                lambda: from_name("tanh", {"scale": 1.0}),
                ValueError,
                "unknown parameter 'scale' of activation 'tanh'",
            ),
        ],
    )
    def test_bad_input(self, make: Callable[[], object], error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            make()


class TestTwoPoints:
    PAIRS = (
        *((1.3, 0.8, 0.49), (0.57, 0.57, 0.999), (0.57, 0.57, 1.0 - 1e-9), (1e4, 1e4, 0.9), (1e-6, 3e-6, -0.7)),
        *((1.0, 2.0, -0.9999), (2.0, 2.0, 1.0), (3.0, 2.0, -1.0), (0.5, 50.0, 0.9), (1.0, 0.0, 0.0), (1.0, 2.0, 0.0)),
    )

    def test_gelu_to_all_digits(self) -> None:
        gelu = fc.activations.GELU()
        assert gelu.product_moment(1.3, 0.8, 0.5) == pytest.approx(0.22848509084316, abs=6e-15)
        assert gelu.slope_product_moment(1.3, 0.8, 0.5) == pytest.approx(0.33984453889306, abs=6e-15)

    @pytest.mark.parametrize(
        "activation",
        [
            *(fc.activations.Linear(), fc.activations.ReLU(), fc.activations.LeakyReLU(slope=-0.3)),
            *(fc.activations.Erf(), fc.activations.Erf(scale=0.5), fc.activations.GELU()),
            *(fc.activations.Sin(), fc.activations.Cos()),
        ],
        ids=repr,
    )
    def test_closed_forms_against_quadrature(self, activation: Activation) -> None:
        custom = Custom(activation.function, activation.derivative, activation.kinks)
        for q1, q2, correlation in self.PAIRS:
            if q1 > 1e3 and activation.name in ("sin", "cos"):
                continue  # a hundred periods: nothing but 0 in the closed form
            covariance = correlation * math.sqrt(q1 * q2)
            size = math.sqrt(activation.second_moment(q1) * activation.second_moment(q2))
            difference = custom.product_moment(q1, q2, covariance) - activation.product_moment(q1, q2, covariance)
            assert abs(difference) <= 1e-12 * size
            size = math.sqrt(activation.slope_second_moment(q1) * activation.slope_second_moment(q2))
            difference = custom.slope_product_moment(q1, q2, covariance) - activation.slope_product_moment(
                q1, q2, covariance
            )
            assert abs(difference) <= 1e-12 * size

    def test_hard_tanh_box(self) -> None:
        # K̇ = P(|h₁| < 1, |h₂| < 1), by one-dimensional quadrature in multiprecision.
        for q1, q2, c in ((0.46, 0.46, 0.4), (2.0, 0.7, -0.9)):
            with mpmath.workdps(25):
                s = mpmath.sqrt(2 * (q2 - mpmath.mpf(c) ** 2 / q1))

                def inner(h: Any, c: float = c, q1: float = q1, s: Any = s) -> Any:
                    mean = c / mpmath.mpf(q1) * h
                    box = (mpmath.erf((1 - mean) / s) + mpmath.erf((1 + mean) / s)) / 2
                    return box * mpmath.npdf(h, 0, mpmath.sqrt(q1))

                exact = float(mpmath.quad(inner, [-1, -0.5, 0, 0.5, 1]))
            assert fc.activations.HardTanh().slope_product_moment(q1, q2, c) == pytest.approx(exact, rel=1e-13)

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_equal_inputs(self, activation: Activation) -> None:
        for q in (0.3, 4.0):
            assert activation.product_moment(q, q, q) == pytest.approx(activation.second_moment(q), rel=MOMENT)
            slope = activation.slope_product_moment(q, q, q)
            assert slope == pytest.approx(activation.slope_second_moment(q), rel=MOMENT)

    @pytest.mark.parametrize("activation", ALL, ids=repr)
    def test_prices_theorem(self, activation: Activation) -> None:
        # ∫ K̇ dc = ΔK by Gauss–Legendre in c, where K is analytic.
        nodes, weights = np.polynomial.legendre.leggauss(16)
        q1, q2, low, high = 1.1, 0.6, -0.1, 0.3
        at = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        slopes = fc.networks.correlation_derivative(activation, q1, q2, at)
        rise = activation.product_moment(q1, q2, high) - activation.product_moment(q1, q2, low)
        assert 0.5 * (high - low) * float(weights @ slopes) == pytest.approx(rise, rel=1e-12)

    def test_relu_far_below(self) -> None:
        # ψ³/3 (1 − ψ²/10) at ψ = π − θ → 0; the textbook form has no digit there.
        psi = 1e-4
        covariance = -math.cos(psi)
        exact = (psi**3 / 3.0 - psi**5 / 30.0) / (2.0 * math.pi)
        # The covariance, rounded to a double, determines ψ² = 2(1 − |c|) to 1e-16/1e-8.
        assert fc.activations.ReLU().product_moment(1.0, 1.0, covariance) == pytest.approx(exact, rel=3e-8)

    def test_bad_covariance(self) -> None:
        with pytest.raises(ValueError, match=r"covariance must be in .* = \[-2\.0, 2\.0\], got 2\.5"):
            fc.activations.Tanh().product_moment(1.0, 4.0, 2.5)
        with pytest.raises(ValueError, match=r"q2 must be >= 0, got -1\.0"):
            fc.activations.Tanh().product_moment(1.0, -1.0, 0.0)
