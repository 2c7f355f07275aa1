"""Networks of unequal widths: tables, the layer-by-layer tree, 40-digit solutions, and finite networks."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import mpmath
import numpy as np
import pytest

import freeconv as fc
from freeconv.lowering import lower
from freeconv.networks.rectangular import ntk_law, weight_law

# Moments in the tables are printed to 8 decimals.
MOMENT_TABLE = 1e-8
# Closed forms in doubles: a few roundings.
ROUNDING = 1e-13
# Two trees of the same law, each solved to some ulp and amplified by 1/|dz/dm|, see tests/test_networks.py; the
# distribution function is stationary.
DENSITY = 1e-11
CDF = 1e-13

HOURGLASS = [800, 1200, 600, 1000]
BOTTLENECK = [1200, 800, 1600]
SHAPES = [HOURGLASS, BOTTLENECK, [1000, 700, 900], [100, 1000, 100, 1000, 300], [4, 3, 2, 1], [1, 2, 3], [2, 1, 1, 1]]
KINDS = ["gaussian", "orthogonal"]


def relu(widths: Sequence[float], weights: str = "gaussian") -> fc.MLP:
    return fc.MLP(activation="relu", weights=weights, weight_variance=2.0, widths=widths)


def leaky(widths: Sequence[float], weights: str = "gaussian") -> fc.MLP:
    return fc.MLP(activation=fc.activations.LeakyReLU(0.3), weights=weights, weight_variance=1.5, widths=widths)


def layer_by_layer(net: fc.MLP, widths: Sequence[float]) -> fc.Law:
    """J Jᵀ by D (W A Wᵀ) D alone: WᵀW ⊠ A at the size before the layer, a size change, ⊠ D² behind it."""
    law: fc.Law = fc.PointMass(1.0)
    for layer, variance, (before, after) in zip(
        net.layers, net.mean_field().preactivation_variance, pairwise(widths), strict=True
    ):
        gram = weight_law(before, after, layer.weight_variance, orthogonal=net.weights == "orthogonal")
        turned = fc.boxtimes(law, fc.resize(gram, before / after))
        law = fc.boxtimes(fc.networks.slope_law(layer.activation, float(variance)), fc.resize(turned, after / before))
    return law


def inside(law: fc.Law, points: int = 40) -> np.ndarray[Any, np.dtype[np.float64]]:
    fractions = (np.arange(points) + 0.5) / points
    return np.concatenate([low + (high - low) * fractions for low, high in law.support()])


class TestTables:
    @pytest.mark.parametrize(
        ("widths", "moments", "output", "input_"),
        [(HOURGLASS, [1.0, 8.25, 92.36805556], 0.70, 0.625), (BOTTLENECK, [1.0, 22.0 / 3.0, 69.77777778], 0.75, 2 / 3)],
        ids=["hourglass", "bottleneck"],
    )
    def test_relu_gaussian(self, widths: list[float], moments: list[float], output: float, input_: float) -> None:
        law = relu(widths).jacobian()
        assert [law.moment(k) for k in (1, 2, 3)] == pytest.approx(moments, abs=MOMENT_TABLE)
        for side, weight in (("output", output), ("input", input_)):
            atoms = relu(widths).jacobian(side).atoms()
            assert atoms.locations.tolist() == [0.0]
            assert atoms.weights == pytest.approx([weight], abs=1e-15)

    def test_linear_truncated_haar(self) -> None:
        atoms = fc.MLP(activation="linear", weights="orthogonal", widths=[1000, 700, 900]).jacobian().atoms()
        assert atoms.locations.tolist() == [0.0, 1.0]
        assert atoms.weights == pytest.approx([2 / 9, 7 / 9], abs=1e-15)

    def test_one_gaussian_layer_is_marchenko_pastur(self) -> None:
        assert fc.MLP(activation="linear", widths=[2, 6]).jacobian() == fc.MarchenkoPastur(3.0)
        assert fc.MLP(activation="linear", widths=[6, 2]).jacobian() == fc.MarchenkoPastur(1 / 3)
        # Wᵀ: 2 × 6, entries of variance 1/2 = 3/6.
        assert fc.MLP(activation="linear", widths=[2, 6]).jacobian("input") == fc.MarchenkoPastur(1 / 3, 3.0)

    def test_one_expanding_orthogonal_relu_layer(self) -> None:
        # D² ⊠ a projection of trace 1/3: a corner of trace 1/3 of (δ₀ + δ₁)/2 beside zeros.  Two free projections of
        # traces 1/2 and 1/3 have density √((λ₊ − x)(x − λ₋))/(2π x (1 − x)), λ± = 1/2 ± √(2/9) ([Voiculescu 1987]).
        law = fc.MLP(activation="relu", weights="orthogonal", widths=[1, 3]).jacobian()
        assert law.atoms().weights == pytest.approx([2 / 3], abs=1e-15)
        low, high = 0.5 - math.sqrt(2 / 9), 0.5 + math.sqrt(2 / 9)
        assert law.support() == pytest.approx(np.array([[low, high]]), abs=ROUNDING)
        x = inside(law)
        expected = np.sqrt((high - x) * (x - low)) / (2.0 * math.pi * x * (1.0 - x))
        assert law.density(x) == pytest.approx(expected, rel=DENSITY)


class TestJacobian:
    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", SHAPES, ids=str)
    @pytest.mark.parametrize("make", [relu, leaky])
    def test_layer_by_layer(self, make: Any, widths: list[float], weights: str) -> None:
        net = make(widths, weights)
        law, other = net.jacobian(), layer_by_layer(net, widths)
        assert law.support() == pytest.approx(other.support(), rel=1e-11, abs=1e-11)
        assert law.atoms().locations == pytest.approx(other.atoms().locations, rel=1e-15)
        assert law.atoms().weights == pytest.approx(other.atoms().weights, abs=1e-14)
        x = inside(law)
        assert law.density(x) == pytest.approx(other.density(x), rel=DENSITY)
        assert law.cdf(x) == pytest.approx(other.cdf(x), abs=CDF)

    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", SHAPES, ids=str)
    def test_sides_differ_by_zeros(self, widths: list[float], weights: str) -> None:
        net = leaky(widths, weights)
        output, input_ = net.jacobian("output"), net.jacobian("input")
        ratio = widths[0] / widths[-1]
        x = inside(output)
        assert output.density(x) == pytest.approx(ratio * input_.density(x), rel=DENSITY)
        assert 1.0 - output.cdf(x) == pytest.approx(ratio * (1.0 - input_.cdf(x)), abs=10 * CDF)
        for k in (1, 2, 3):
            assert output.moment(k) == pytest.approx(ratio * input_.moment(k), rel=ROUNDING)

    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", SHAPES, ids=str)
    @pytest.mark.parametrize("side", ["output", "input"])
    def test_weight_of_zero(self, widths: list[float], weights: str, side: str) -> None:
        # 1 − min(N_0, min_l N_l (1 − ν_l{0}))/N of the side.
        rank = min(widths[0], min(widths[1:]) / 2)
        size = widths[-1] if side == "output" else widths[0]
        atoms = relu(widths, weights).jacobian(side).atoms()
        assert atoms.weights[atoms.locations == 0.0].sum() == pytest.approx(1.0 - rank / size, abs=1e-15)

    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", SHAPES, ids=str)
    def test_mean_is_the_product_of_chi(self, widths: list[float], weights: str) -> None:
        net = fc.MLP(
            activation="hard_tanh", weights=weights, weight_variance=1.2, bias_variance=0.1, input_variance=0.3,
            widths=widths,
        )  # fmt: skip
        expected = math.prod(net.mean_field().chi)
        assert net.jacobian().mean() == pytest.approx(expected, rel=ROUNDING)
        assert net.jacobian("input").mean() == pytest.approx(expected * widths[-1] / widths[0], rel=ROUNDING)

    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", [HOURGLASS, BOTTLENECK, [1, 2, 3]], ids=str)
    def test_40_digits(self, widths: list[float], weights: str) -> None:
        # S_{JᵀJ}(m) = ∏ S_{D_l²}(Λ_l m) S_{W_lᵀW_l}(Λ_{l−1} m), Λ_l = N_0/N_l, followed from x + i∞ down to the axis.
        law = relu(widths, weights).jacobian("input")
        with mpmath.workdps(40):
            for x in law.quantile([0.8, 0.93, 0.99]).tolist():
                height = mpmath.mpf(1e4)
                m = law.mean() / (x + 1j * height)
                while height > 1e-3:
                    m = self.newton(m, x + 1j * height, widths, weights)
                    height /= 1.2
                m = self.newton(m, x, widths, weights)
                density = -mpmath.im((1 + m) / x) / mpmath.pi
                assert density > 0
                assert law.density(x) == pytest.approx(float(density), rel=DENSITY)

    def newton(self, m: Any, target: Any, widths: list[float], weights: str) -> Any:
        """The root of z(m) = target near m, to 35 digits."""
        for _ in range(50):
            step = (1 / self.z(m, widths, weights) - 1 / target) / mpmath.diff(
                lambda m: 1 / self.z(m, widths, weights), m
            )
            m -= step
            if abs(step) < 1e-35 * abs(m):
                return m
        raise AssertionError(f"no root of z(m) = {target} near {m}")

    @staticmethod
    def z(m: Any, widths: list[float], weights: str) -> Any:
        """(1 + m)/(m S(m)) with S(m) = (1 + m)/(1/2 + m) for D², and the table of S_{WᵀW}, weight variance 2."""
        value = (1 + m) / m
        for before, after in pairwise(widths):
            w = m * mpmath.mpf(widths[0]) / after
            value *= (mpmath.mpf(0.5) + w) / (1 + w)
            v, ratio = m * mpmath.mpf(widths[0]) / before, mpmath.mpf(after) / before
            if weights == "gaussian":
                value *= 2 * (ratio + v)
            else:
                value *= 2 if ratio >= 1 else 2 * (ratio + v) / (1 + v)
        return value

    def test_depth_costs_nothing(self) -> None:
        for weights in KINDS:
            laws = (relu([*[3, 2] * pairs, 3], weights).jacobian() for pairs in (2, 3, 50, 200))
            assert len({len(lower(law).nodes) for law in laws}) == 1


class TestTangentKernel:
    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", SHAPES, ids=str)
    def test_mean_recursion(self, widths: list[float], weights: str) -> None:
        net = fc.MLP(
            activation="hard_tanh", weights=weights, weight_variance=1.2, bias_variance=0.1, input_variance=0.3,
            widths=widths,
        )  # fmt: skip
        moments = net.mean_field().activation_variance
        mean = 0.3
        for layer, (before, after) in enumerate(pairwise(widths[1:])):
            slope = net.layers[layer].activation.slope_second_moment(
                float(net.mean_field().preactivation_variance[layer])
            )
            kept = before / after if weights == "orthogonal" and after > before else 1.0
            mean = float(moments[layer]) + 1.2 * kept * slope * mean
        assert net.ntk().mean() == pytest.approx(mean, rel=ROUNDING)

    @pytest.mark.parametrize("weights", KINDS)
    @pytest.mark.parametrize("widths", [[5, 1200, 600, 1000], [1, 4, 3, 2], [1, 1, 2, 3]], ids=str)
    @pytest.mark.parametrize("make", [relu, leaky])
    def test_size_changes_alone(self, make: Any, widths: list[float], weights: str) -> None:
        # Every layer by WᵀW ⊠ D² ⊠ H at the size before it, contracting ones as well.
        net = make(widths, weights)
        field = net.mean_field()
        other: fc.Law = fc.PointMass(1.0)
        for l, (before, after) in enumerate(pairwise(widths[1:])):  # noqa: E741  # the layer
            gram = weight_law(before, after, net.layers[l].weight_variance, orthogonal=weights == "orthogonal")
            slope = fc.networks.slope_law(net.layers[l].activation, float(field.preactivation_variance[l]))
            product = fc.boxtimes(slope, fc.resize(gram, before / after), other)
            other = fc.resize(product, after / before) + float(field.activation_variance[l])
        law = net.ntk()
        assert law.support() == pytest.approx(other.support(), rel=1e-11, abs=1e-11)
        assert law.atoms().weights == pytest.approx(other.atoms().weights, abs=1e-14)
        x = inside(law)
        assert law.density(x) == pytest.approx(other.density(x), rel=DENSITY)
        assert law.cdf(x) == pytest.approx(other.cdf(x), abs=CDF)

    def test_linear_orthogonal_contraction_is_a_point(self) -> None:
        # W Wᵀ = 2 at each step: 1, 1 + 2, 1 + 6; the mean squares grow like 2^l.
        net = fc.MLP(activation="linear", weights="orthogonal", weight_variance=2.0, widths=[9, 8, 5, 3])
        assert net.ntk() == fc.PointMass(4.0 + 2.0 * (2.0 + 2.0 * 1.0))

    def test_linear_orthogonal_expansion(self) -> None:
        # W Wᵀ is 2 on 1/4 of the space and 0 on the rest; q_2 = 2·(1/4)·q̂_1.
        net = fc.MLP(activation="linear", weights="orthogonal", weight_variance=2.0, widths=[1, 1, 4])
        atoms = net.ntk().atoms()
        assert atoms.locations.tolist() == [2.0, 4.0]
        assert atoms.weights.tolist() == [0.75, 0.25]
        assert net.mean_field().preactivation_variance.tolist() == [2.0, 1.0]

    def test_input_width_does_not_enter_for_gaussian_weights(self) -> None:
        assert relu([7, 3, 2]).ntk() == relu([1, 3, 2]).ntk()

    def test_equal_widths_are_a_square_network(self) -> None:
        slopes, grams = [fc.Bernoulli(0.5)] * 2, [fc.MarchenkoPastur(1.0, 2.0)] * 2
        assert ntk_law(slopes, grams, [3, 3, 3], [1.0, 1.0, 1.0]) == fc.MLP(3, "relu", weight_variance=2.0).ntk()


class TestWidths:
    def test_equal_widths_are_none(self) -> None:
        net = fc.MLP(3, "relu", widths=np.array([50, 50, 50, 50]))
        assert net.widths is None
        assert net == fc.MLP(3, "relu")
        assert hash(net) == hash(fc.MLP(3, "relu"))

    def test_depth_follows_from_widths(self) -> None:
        assert fc.MLP(widths=[3, 2, 1]) == fc.MLP(2, widths=(3, 2, 1)) == fc.MLP(2, widths=np.array([3, 2, 1]))
        assert fc.MLP(widths=[3, 2, 1]).depth == 2

    def test_only_ratios_matter(self) -> None:
        assert relu([4, 3, 8]).jacobian() == relu([1.0, 0.75, 2.0]).jacobian()
        assert relu([4, 3, 8]).ntk() == relu([1.0, 0.75, 2.0]).ntk()

    def test_integers_stay_integers(self) -> None:
        widths = fc.MLP(widths=[784, 100, 1.5]).widths
        assert widths == (784, 100, 1.5)
        assert widths is not None
        assert [type(width) for width in widths] == [int, int, float]

    def test_pickles(self) -> None:
        assert pickle.loads(pickle.dumps(relu(HOURGLASS))) == relu(HOURGLASS)

    @pytest.mark.parametrize(
        ("keywords", "error", "message"),
        [
            ({"depth": 2, "widths": [3, 4]}, ValueError, r"widths must be 3 numbers, N_0 to N_2 \(depth = 2\), got 2"),
            ({"widths": []}, ValueError, "widths must be 2 numbers, N_0 to N_1 .*got 0"),
            ({"widths": [3]}, ValueError, "widths must be 2 numbers, N_0 to N_1 .*got 1"),
            ({"widths": [3, 0, 4]}, ValueError, r"widths\[1\] must be > 0, got 0"),
            ({"widths": [3, math.inf]}, ValueError, r"widths\[1\] must be finite, got inf"),
            ({"widths": [3, "4"]}, TypeError, r"widths\[1\] must be a real number, got '4'"),
            ({"widths": [True, 4]}, TypeError, r"widths\[0\] must be a real number, got True"),
            ({"widths": "34"}, TypeError, "widths must be a sequence of numbers > 0, one more than layers, got '34'"),
            ({"widths": 5}, TypeError, "widths must be a sequence of numbers > 0, one more than layers, got 5"),
            (
                {"widths": np.ones((2, 2))},
                ValueError,
                r"widths must have one dimension, got an array of shape \(2, 2\)",
            ),
            ({}, TypeError, "depth must be an integer >= 1, got None"),
        ],
    )
    def test_bad_input(self, keywords: dict[str, Any], error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            fc.MLP(**cast("Any", keywords))
