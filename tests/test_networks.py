"""Networks: activations, mean fields, Jacobian and NTK laws against closed forms, tables and finite networks."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest

import freeconv as fc
from freeconv.activations import KNOWN, Activation, from_name, parameters_of, resolve
from freeconv.lowering import lower
from freeconv.networks import slope_law

# Tables below are printed to 10 decimals unless said otherwise: half a unit of the last place, doubled.
TABLE = 1e-10
# Moments in the tables are printed to 8 decimals; at values up to 1e3 that is an absolute error of 1e-8.
MOMENT_TABLE = 1e-8
# Densities are printed to 8 decimals in part, to 10 in part; each table names the one it uses.
DENSITY_TABLE = 1e-8
# Closed forms in doubles: a few roundings of a moment series or of an edge.
ROUNDING = 1e-13
# Closed-form densities in the bulk: the boundary value is solved to some ulp, amplified by 1/|dz/dG|.
DENSITY = 1e-12

RELU_GAUSSIAN = fc.MLP(3, "relu", weight_variance=2.0)
RELU_ORTHOGONAL = fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0)
LEAKY_GAUSSIAN = fc.MLP(3, fc.activations.LeakyReLU(slope=0.1), weight_variance=2.0 / 1.01)
HARD_TANH = fc.MLP(5, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25)
NTK_HARD_TANH = fc.MLP(
    3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25
)
NTK_ISOMETRY = fc.MLP(
    8, "hard_tanh", weights="orthogonal", weight_variance=1.05, bias_variance=0.002, input_variance=0.1
)

ACTIVATIONS = [
    fc.activations.Linear(),
    fc.activations.ReLU(),
    fc.activations.LeakyReLU(),
    fc.activations.LeakyReLU(slope=-0.5),
    fc.activations.HardTanh(),
    fc.activations.HardTanh(clip=2.5),
]


def gaussian_mean(values: Any, variance: float, kinks: tuple[float, ...]) -> float:
    """E values(√variance Z), by Gauss–Legendre on the pieces between kinks: exact to rounding on every smooth piece."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    scale = math.sqrt(variance)
    ends = [-12.0, *sorted(k / scale for k in kinks if abs(k) < 12.0 * scale), 12.0]
    total = 0.0
    for low, high in pairwise(ends):
        z = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        total += 0.5 * (high - low) * float(weights @ (density * values(scale * z)))
    return total


def kinks(activation: Activation) -> tuple[float, ...]:
    if isinstance(activation, fc.activations.HardTanh):
        return (-activation.clip, activation.clip)
    return (0.0,)


class TestActivations:
    @pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
    @pytest.mark.parametrize("variance", [0.04, 0.7, 2.0, 30.0])
    def test_moments_are_gaussian_integrals(self, activation: Activation, variance: float) -> None:
        square = gaussian_mean(lambda h: activation.function(h) ** 2, variance, kinks(activation))
        slope = gaussian_mean(lambda h: activation.derivative(h) ** 2, variance, kinks(activation))
        assert activation.second_moment(variance) == pytest.approx(square, rel=1e-12)
        assert activation.slope_second_moment(variance) == pytest.approx(slope, rel=1e-12)

    @pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
    @pytest.mark.parametrize("variance", [0.0, 1e-6, 0.7, 2.0, 1e6])
    def test_slope_law_has_the_slope_second_moment_as_its_mean(self, activation: Activation, variance: float) -> None:
        law = slope_law(activation, variance)
        assert law.mean() == pytest.approx(activation.slope_second_moment(variance), rel=1e-14)

    @pytest.mark.parametrize("variance", [1e3, 1e6, 1e12])
    def test_wide_hard_tanh_keeps_its_digits(self, variance: float) -> None:
        # With t = 1/√(2q) → 0: q P(3/2, t²) = q (4/(3√π)) t³ (1 − 3t²/5 + …) and erfc(t) = 1 − (2/√π)(t − t³/3 + …).
        t = 1.0 / math.sqrt(2.0 * variance)
        truncated = 4.0 / (3.0 * math.sqrt(math.pi)) * variance * t**3 * (1.0 - 0.6 * t * t)
        expected = truncated + 1.0 - 2.0 / math.sqrt(math.pi) * (t - t**3 / 3.0)
        assert fc.activations.HardTanh().second_moment(variance) == pytest.approx(expected, rel=10.0 * t**5 + 1e-15)

    def test_rare_saturation_keeps_its_weight(self) -> None:
        # P(|Z| > 10) = erfc(10/√2): 1 − erf would be 0.
        law = slope_law(fc.activations.HardTanh(clip=10.0), 1.0)
        atoms = law.atoms()
        assert atoms.weights[atoms.locations == 0.0].tolist() == [math.erfc(10.0 / math.sqrt(2.0))]

    def test_derivatives_agree_with_differences(self) -> None:
        h = np.array([-3.0, -1.2, -0.4, 0.3, 0.9, 1.7])
        step = 1e-6
        for activation in ACTIVATIONS:
            slope = (activation.function(h + step) - activation.function(h - step)) / (2.0 * step)
            assert activation.derivative(h) == pytest.approx(slope, abs=1e-9)

    def test_names(self) -> None:
        assert list(KNOWN)[:4] == ["linear", "relu", "leaky_relu", "hard_tanh"]
        assert [parameters_of(name) for name in list(KNOWN)[:4]] == [(), (), ("slope",), ("clip",)]
        assert from_name("hard_tanh", {"clip": 2}) == fc.activations.HardTanh(clip=2.0)
        assert resolve("leaky_relu") == fc.activations.LeakyReLU(slope=0.01)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (
                lambda: resolve("swish"),
                ValueError,
                "unknown activation 'swish'; known are linear, relu, leaky_relu, hard",
            ),
            (lambda: resolve(cast("str", 3)), TypeError, "activation must be a name or an Activation, got 3"),
            (lambda: from_name("relu", {"slope": 1.0}), ValueError, "unknown parameter 'slope' of activation 'relu'"),
            (lambda: fc.activations.LeakyReLU(slope=math.nan), ValueError, "slope must be finite, got nan"),
            (lambda: fc.activations.LeakyReLU(slope=1e200), ValueError, "slope must have a finite square, got 1e"),
            (lambda: fc.activations.HardTanh(clip=0.0), ValueError, "clip must be > 0, got 0.0"),
            (
                lambda: fc.activations.HardTanh(clip=cast("float", "1")),
                TypeError,
                "clip must be a real number, got '1'",
            ),
            (lambda: fc.activations.ReLU().second_moment(-1.0), ValueError, "variance must be >= 0, got -1.0"),
        ],
    )
    def test_bad_input(self, call: Callable[[], object], error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            call()


class TestMeanField:
    def test_hard_tanh_table(self) -> None:
        field = HARD_TANH.mean_field()
        slopes = [0.9344003079, 0.9285068722, 0.9242416342, 0.9212409922, 0.9191705299]
        assert field.chi / 1.1 == pytest.approx(slopes, abs=TABLE)
        assert field.preactivation_variance[0] == pytest.approx(1.1 * 0.25 + 0.02, rel=1e-15)
        # Printed to 16 digits.
        assert field.activation_variance[:2] == pytest.approx([0.2616760663505652, 0.2700864885078864], rel=1e-14)

    def test_recursion(self) -> None:
        field = HARD_TANH.mean_field()
        assert field.preactivation_variance[1:] == pytest.approx(1.1 * field.activation_variance[:-1] + 0.02, rel=1e-15)

    @pytest.mark.parametrize(
        ("fixed_point", "weight_variance", "bias_variance"),
        [(0.46386396943, 1.16554468964, 0.05), (0.14396995893, 1.00847236440, 0.001)],
    )
    def test_critical_hard_tanh(self, fixed_point: float, weight_variance: float, bias_variance: float) -> None:
        net = fc.MLP(
            3,
            "hard_tanh",
            weight_variance=weight_variance,
            bias_variance=bias_variance,
            input_variance=(fixed_point - bias_variance) / weight_variance,
        )
        field = net.mean_field()
        assert field.chi == pytest.approx(1.0, abs=1e-9)
        assert field.preactivation_variance == pytest.approx(fixed_point, abs=1e-9)

    def test_relu(self) -> None:
        field = fc.MLP(3, "relu", weight_variance=[2.0, 4.0, 1.0], bias_variance=[0.0, 1.0, 0.0]).mean_field()
        assert field.preactivation_variance.tolist() == [2.0, 5.0, 2.5]
        assert field.activation_variance.tolist() == [1.0, 2.5, 1.25]
        assert field.chi.tolist() == [1.0, 2.0, 0.5]

    def test_arrays_are_read_only(self) -> None:
        field = RELU_GAUSSIAN.mean_field()
        for array in (field.preactivation_variance, field.activation_variance, field.chi):
            assert not array.flags.writeable

    def test_overflow_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"variance of layer \d+ exceeds the largest double"):
            fc.MLP(4, "linear", weight_variance=1e200).mean_field()


class TestJacobian:
    @pytest.mark.parametrize(
        ("net", "moments", "tolerance"),
        [
            (RELU_GAUSSIAN, [1.0, 7.0, 67.0, 741.0], ROUNDING),
            (RELU_ORTHOGONAL, [1.0, 4.0, 19.0, 98.0], ROUNDING),
            (LEAKY_GAUSSIAN, [1.0, 6.88236447, 64.89639865, 707.3406672], MOMENT_TABLE),
            (HARD_TANH, [1.09354434, 1.67728518, 2.65728430], MOMENT_TABLE),
        ],
        ids=["relu gaussian", "relu orthogonal", "leaky gaussian", "hard tanh orthogonal"],
    )
    def test_moments(self, net: fc.MLP, moments: list[float], tolerance: float) -> None:
        computed = [net.jacobian().moment(k) for k in range(1, len(moments) + 1)]
        assert computed == pytest.approx(moments, rel=tolerance, abs=tolerance)

    @pytest.mark.parametrize("depth", [1, 2, 5, 20, 100])
    @pytest.mark.parametrize(("weights", "per_layer"), [("gaussian", 2.0), ("orthogonal", 1.0)])
    def test_relu_variance_grows_linearly(self, depth: int, weights: str, per_layer: float) -> None:
        law = fc.MLP(depth, "relu", weights=weights, weight_variance=2.0).jacobian()
        assert law.mean() == pytest.approx(1.0, rel=1e-12)
        assert law.variance() == pytest.approx(per_layer * depth, rel=1e-12)

    def test_mean_is_the_product_of_chi(self) -> None:
        assert HARD_TANH.jacobian().mean() == pytest.approx(math.prod(HARD_TANH.mean_field().chi), rel=ROUNDING)

    @pytest.mark.parametrize("net", [RELU_GAUSSIAN, RELU_ORTHOGONAL], ids=["gaussian", "orthogonal"])
    def test_relu_atom(self, net: fc.MLP) -> None:
        atoms = net.jacobian().atoms()
        assert atoms.locations.tolist() == [0.0]
        assert atoms.weights.tolist() == [0.5]

    def test_relu_gaussian_edge_and_density(self) -> None:
        law = RELU_GAUSSIAN.jacobian()
        assert law.support()[-1, 1] == pytest.approx(16.457756896732835, rel=ROUNDING)
        density = [0.13112308, 0.07302371, 0.01556969, 0.00618416]
        assert law.density(np.array([0.5, 1.0, 5.0, 10.0])) == pytest.approx(density, abs=DENSITY_TABLE)

    def test_relu_gaussian_top_edges_at_depth(self) -> None:
        # x(m) = (1+m)(1+2m)^L/m, dx/dm = 0 at 2L m² + (2L−2) m − 1 = 0.
        for depth in (2, 5, 10, 30):
            m = (-(depth - 1.0) + math.sqrt((depth - 1.0) ** 2 + 2.0 * depth)) / (2.0 * depth)
            edge = (1.0 + m) * (1.0 + 2.0 * m) ** depth / m
            law = fc.MLP(depth, "relu", weight_variance=2.0).jacobian()
            assert law.support()[-1, 1] == pytest.approx(edge, rel=1e-12)

    def test_relu_orthogonal_edge_and_density(self) -> None:
        law = RELU_ORTHOGONAL.jacobian()
        assert law.support()[-1, 1] == pytest.approx(6.75, rel=ROUNDING)
        density = [0.12732395, 0.08500787, 0.04134559]
        assert law.density(np.array([0.5, 1.0, 5.0])) == pytest.approx(density, abs=DENSITY_TABLE)

    def test_hard_tanh_atoms_and_edge(self) -> None:
        law = HARD_TANH.jacobian()
        atoms = law.atoms()
        assert atoms.locations == pytest.approx([0.0, 1.1**5], rel=1e-14)
        assert atoms.weights == pytest.approx([0.0808294701, 0.6275603364], abs=TABLE)
        # The critical point m = −1.47422731328… of x(m) = (1+m)/m ∏ 1.1 (p_l + m)/(1 + m), by bisection.
        assert law.support()[-1, 1] == pytest.approx(1.0741890731302928, rel=ROUNDING)

    @pytest.mark.parametrize("depth", [1, 2, 3, 7])
    def test_linear_gaussian(self, depth: int) -> None:
        law = fc.MLP(depth, "linear").jacobian()
        assert law.atoms().weights.size == 0
        support = law.support()
        assert support.shape == (1, 2)
        assert support[0, 0] == 0.0
        assert support[0, 1] == pytest.approx((depth + 1) ** (depth + 1) / depth**depth, rel=ROUNDING)
        fuss_catalan = [math.comb((depth + 1) * k, k) / (depth * k + 1) for k in range(1, 7)]
        assert [law.moment(k) for k in range(1, 7)] == pytest.approx(fuss_catalan, rel=ROUNDING)

    def test_one_linear_gaussian_layer_is_marchenko_pastur(self) -> None:
        x = np.linspace(0.01, 3.99, 200)
        expected = np.sqrt((4.0 - x) / x) / (2.0 * math.pi)
        assert fc.MLP(1, "linear").jacobian().density(x) == pytest.approx(expected, rel=DENSITY)

    def test_two_relu_orthogonal_layers(self) -> None:
        # Bernoulli(1/2, 2)^{⊠2}: two free projections of trace 1/2, ½ δ₀ + ½ arcsine on [0, 4].
        law = fc.MLP(2, "relu", weights="orthogonal", weight_variance=2.0).jacobian()
        x = np.linspace(0.02, 3.98, 200)
        assert law.density(x) == pytest.approx(0.5 / (math.pi * np.sqrt(x * (4.0 - x))), rel=DENSITY)
        assert law.support() == pytest.approx(np.array([[0.0, 4.0]]), abs=1e-12)

    def test_linear_orthogonal_is_a_point(self) -> None:
        law = fc.MLP(4, "linear", weights="orthogonal", weight_variance=[1.0, 2.0, 3.0, 0.5]).jacobian()
        assert law.atoms().locations.tolist() == [3.0]
        assert law.support().shape == (0, 2)

    def test_sides_are_equal_for_square_layers(self) -> None:
        assert RELU_GAUSSIAN.jacobian("input") == RELU_GAUSSIAN.jacobian("output")

    def test_unknown_side(self) -> None:
        with pytest.raises(ValueError, match="side must be one of 'output', 'input', got 'left'"):
            RELU_GAUSSIAN.jacobian("left")


class TestMultiplicities:
    @pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
    def test_depth_costs_nothing(self, weights: str) -> None:
        programs = [
            lower(fc.MLP(depth, "relu", weights=weights, weight_variance=2.0).jacobian())
            for depth in (2, 3, 100, 10_000)
        ]
        assert len({len(program.nodes) for program in programs}) == 1

    def test_multiplicity_is_the_number_of_layers(self) -> None:
        law = fc.MLP(20, "relu", weight_variance=2.0).jacobian()
        factors = fc.Bernoulli(0.5), fc.MarchenkoPastur(1.0, 2.0)
        assert law == fc.boxtimes(*(fc.boxtimes_power(factor, 20) for factor in factors))

    def test_groups_of_layers(self) -> None:
        activation = ["relu"] * 3 + [fc.activations.LeakyReLU(0.5)] * 4
        net = fc.MLP(7, activation, weights="orthogonal", weight_variance=[2.0] * 3 + [1.6] * 4)
        expected = fc.boxtimes(
            fc.boxtimes_power(2.0 * fc.Bernoulli(0.5), 3),
            fc.boxtimes_power(1.6 * fc.Discrete((0.25, 1.0), (0.5, 0.5)), 4),
        )
        assert net.jacobian() == expected

    def test_order_of_layers_does_not_matter(self) -> None:
        alternating = fc.MLP(4, ["relu", "linear", "relu", "linear"], weight_variance=2.0).jacobian()
        grouped = fc.MLP(4, ["relu", "relu", "linear", "linear"], weight_variance=2.0).jacobian()
        assert alternating == grouped


class TestTangentKernel:
    def test_depth_one_is_the_input_variance(self) -> None:
        assert fc.MLP(1, "relu", input_variance=0.25).ntk() == fc.PointMass(0.25)

    def test_relu_orthogonal_depth_two(self) -> None:
        law = fc.MLP(2, "relu", weights="orthogonal", weight_variance=2.0).ntk()
        assert law.atoms().locations.tolist() == [1.0, 3.0]
        assert law.atoms().weights.tolist() == [0.5, 0.5]

    def test_relu_orthogonal_depth_three_is_an_arcsine(self) -> None:
        # ½ δ₁ + ½ arcsine on [3, 7]: the weights 1/2 + 1/2 meet 1 exactly, and the density blows up at both ends.
        law = fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0).ntk()
        assert [law.moment(k) for k in (1, 2, 3)] == pytest.approx([3.0, 14.0, 78.0], rel=ROUNDING)
        assert law.atoms().locations.tolist() == [1.0]
        assert law.atoms().weights.tolist() == [0.5]
        assert law.support() == pytest.approx(np.array([[3.0, 7.0]]), abs=1e-12)
        x = np.linspace(3.01, 6.99, 300)
        assert law.density(x) == pytest.approx(0.5 / (math.pi * np.sqrt((x - 3.0) * (7.0 - x))), rel=DENSITY)
        table = [0.09188815, 0.07957747, 0.08682614]
        assert law.density(np.array([4.0, 5.0, 5.8])) == pytest.approx(table, abs=DENSITY_TABLE)

    def test_relu_orthogonal_depth_four(self) -> None:
        law = fc.MLP(4, "relu", weights="orthogonal", weight_variance=2.0).ntk()
        assert [law.moment(k) for k in (1, 2, 3)] == pytest.approx([4.0, 30.0, 283.0], rel=ROUNDING)
        assert law.atoms().locations.tolist() == [1.0]
        assert law.atoms().weights.tolist() == [0.5]
        assert law.support() == pytest.approx(np.array([[3.0, 13.543557704910]]), abs=1e-11)
        density = [0.0652130596, 0.0449775107, 0.0400728605, 0.0360971040, 0.0332940210]
        assert law.density(np.array([4.0, 6.0, 8.0, 10.0, 12.0])) == pytest.approx(density, abs=TABLE)

    def test_hard_tanh_depth_three(self) -> None:
        law = NTK_HARD_TANH.ntk()
        atoms = law.atoms()
        assert atoms.locations == pytest.approx([0.2700864885, 0.8604301615], abs=TABLE)
        assert atoms.weights == pytest.approx([0.0714931278, 0.8629071801], abs=TABLE)
        # Printed to 8 decimals.
        assert law.support() == pytest.approx(np.array([[0.55797132, 0.63515535]]), abs=1e-8)
        # The closed form of the quadratic that m solves.
        assert law.density(0.5965633336) == pytest.approx(0.6025213471353593, rel=DENSITY)
        moments = [law.moment(k) for k in (1, 2, 3)]
        assert moments == pytest.approx([0.79979944, 0.66612011, 0.56390571], abs=MOMENT_TABLE)

    def test_hard_tanh_depth_eight(self) -> None:
        law = NTK_ISOMETRY.ntk()
        atoms = law.atoms()
        assert atoms.locations[-1] == pytest.approx(1.1615570707, abs=TABLE)
        assert atoms.weights[-1] == pytest.approx(0.9613637997, abs=TABLE)
        assert law.moment(1) == pytest.approx(1.1345832014, abs=TABLE)

    @pytest.mark.parametrize("net", [NTK_HARD_TANH, NTK_ISOMETRY], ids=["depth 3", "depth 8"])
    def test_moments_from_free_cumulants(self, net: fc.MLP) -> None:
        # Bernoulli(a) ⊠ μ is a corner of trace a: its free cumulants are a^{n−1} κ_n(μ), its moments a times theirs.
        field, scale = net.mean_field(), float(net.layers[0].weight_variance)
        m1, m2, m3 = (net.input_variance**k for k in (1, 2, 3))
        for chi, shift in zip(field.chi[:-1].tolist(), field.activation_variance[:-1].tolist(), strict=True):
            a = chi / scale
            c1, c2, c3 = m1, a * (m2 - m1**2), a**2 * (m3 - 3.0 * m1 * m2 + 2.0 * m1**3)
            y1, y2, y3 = chi * c1, chi * scale * (c2 + c1**2), chi * scale**2 * (c3 + 3.0 * c2 * c1 + c1**3)
            m1, m2, m3 = (
                shift + y1,
                shift**2 + 2.0 * shift * y1 + y2,
                shift**3 + 3.0 * shift**2 * y1 + 3.0 * shift * y2 + y3,
            )
        assert [net.ntk().moment(k) for k in (1, 2, 3)] == pytest.approx([m1, m2, m3], rel=ROUNDING)

    def test_top_atom_is_the_sum_of_the_gains(self) -> None:
        # λ_L = Σ_k q̂_k Π_{j>k} weight_variance, with weight 1 − Σ_l P(saturated).
        field = NTK_ISOMETRY.mean_field()
        moments = [0.1, *field.activation_variance[:-1].tolist()]
        top = sum(moment * 1.05 ** (7 - k) for k, moment in enumerate(moments))
        weight = 1.0 - float(np.sum(1.0 - field.chi[:-1] / 1.05))
        atoms = NTK_ISOMETRY.ntk().atoms()
        assert atoms.locations[-1] == pytest.approx(top, rel=1e-14)
        assert atoms.weights[-1] == pytest.approx(weight, abs=1e-13)

    @pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
    @pytest.mark.parametrize("depth", [2, 5, 30, 300])
    def test_mean_recursion(self, weights: str, depth: int) -> None:
        net = fc.MLP(depth, "hard_tanh", weights=weights, weight_variance=1.2, bias_variance=0.05)
        field = net.mean_field()
        mean = 1.0
        for chi, moment in zip(field.chi[:-1], field.activation_variance[:-1], strict=True):
            mean = moment + chi * mean
        assert net.ntk().mean() == pytest.approx(float(mean), rel=1e-12)

    def test_variances_per_layer(self) -> None:
        # Linear orthogonal layers: H_{l+1} = q̂_l + σ²_{l+1} H_l, a point.
        net = fc.MLP(3, "linear", weights="orthogonal", weight_variance=[2.0, 3.0, 5.0], bias_variance=[0.5, 0.0, 0.0])
        assert net.ntk().atoms().locations.tolist() == [7.5 + 5.0 * (2.5 + 3.0 * 1.0)]

    def test_last_activation_does_not_enter(self) -> None:
        last = [fc.MLP(3, ["relu", "relu", last], weight_variance=2.0).ntk() for last in ("relu", "hard_tanh")]
        assert last[0] == last[1]


class TestFiniteNetworks:
    """Moments of finite networks: five standard errors over networks, plus 2/width for the bias."""

    WIDTH, SAMPLES = 200, 40

    @pytest.mark.parametrize(
        "net",
        [
            RELU_GAUSSIAN,
            RELU_ORTHOGONAL,
            HARD_TANH,
            fc.MLP(
                3, ["relu", fc.activations.LeakyReLU(0.3), "linear"], weight_variance=[2.0, 1.5, 0.7], bias_variance=0.1
            ),
        ],
        ids=["relu gaussian", "relu orthogonal", "hard tanh", "mixed"],
    )
    @pytest.mark.parametrize("kind", ["jacobian", "ntk"])
    def test_moments(self, net: fc.MLP, kind: str) -> None:
        law = getattr(net, kind)()
        eigenvalues = getattr(net, f"simulate_{kind}")(self.WIDTH, samples=self.SAMPLES, rng=7)
        assert eigenvalues.shape == (self.SAMPLES, self.WIDTH)
        assert np.all(np.diff(eigenvalues, axis=1) >= 0.0)
        for k in (1, 2):
            per_network = np.mean(eigenvalues**k, axis=1)
            error = float(np.std(per_network, ddof=1)) / math.sqrt(self.SAMPLES)
            bias = 2.0 * k * k / self.WIDTH * law.moment(k)
            assert float(np.mean(per_network)) == pytest.approx(law.moment(k), abs=5.0 * error + bias)

    def test_seed_decides(self) -> None:
        first, second = (RELU_GAUSSIAN.simulate_jacobian(10, samples=2, rng=3) for _ in range(2))
        assert np.array_equal(first, second)
        assert not np.array_equal(first, RELU_GAUSSIAN.simulate_jacobian(10, samples=2, rng=4))

    @pytest.mark.parametrize(("width", "samples", "name"), [(0, 1, "width"), (10, 0, "samples"), (-3, 1, "width")])
    def test_bad_sizes(self, width: int, samples: int, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} must be an integer >= 1"):
            RELU_GAUSSIAN.simulate_ntk(width, samples)


class TestMLP:
    def test_defaults(self) -> None:
        net = fc.MLP(2)
        assert (net.activation, net.weights) == (fc.activations.ReLU(), "gaussian")
        assert (net.weight_variance, net.bias_variance, net.input_variance) == (1.0, 0.0, 1.0)

    def test_layers(self) -> None:
        net = fc.MLP(2, ["relu", "linear"], weight_variance=[2.0, 1.0], bias_variance=0.5)
        assert net.layers == ((fc.activations.ReLU(), 2.0, 0.5), (fc.activations.Linear(), 1.0, 0.5))

    def test_equal_lists_are_one_value(self) -> None:
        spelled = fc.MLP(3, ["relu"] * 3, weight_variance=np.full(3, 2.0), bias_variance=(0, 0, 0))
        assert spelled == RELU_GAUSSIAN
        assert hash(spelled) == hash(RELU_GAUSSIAN)

    def test_pickles(self) -> None:
        assert pickle.loads(pickle.dumps(HARD_TANH)) == HARD_TANH

    def test_is_immutable(self) -> None:
        with pytest.raises(AttributeError):
            HARD_TANH.depth = 3  # type: ignore[misc]  # the assignment must fail

    @pytest.mark.parametrize(
        ("arguments", "keywords", "error", "message"),
        [
            ((0,), {}, ValueError, "depth must be an integer >= 1, got 0"),
            ((-1,), {}, ValueError, "depth must be an integer >= 1, got -1"),
            ((2.0,), {}, TypeError, "depth must be an integer >= 1, got 2.0"),
            ((True,), {}, TypeError, "depth must be an integer >= 1, got True"),
            (
                (2, "softmax"),
                {},
                ValueError,
                "unknown activation 'softmax'; known are linear, relu, leaky_relu, hard_tanh",
            ),
            ((2, ["relu", "swish"]), {}, ValueError, "unknown activation 'swish'; known are linear, relu"),
            ((3, ["relu", "relu"]), {}, ValueError, r"activation must be one value or 3, one per layer .*got 2"),
            ((2, 1.0), {}, TypeError, "activation must be a name or an Activation, got 1.0"),
            ((2,), {"weights": "haar"}, ValueError, "weights must be one of 'gaussian', 'orthogonal', got 'haar'"),
            ((2,), {"weight_variance": 0.0}, ValueError, "weight_variance must be > 0, got 0.0"),
            ((2,), {"weight_variance": math.nan}, ValueError, "weight_variance must be finite, got nan"),
            ((2,), {"weight_variance": "2"}, TypeError, "weight_variance must be a real number, got '2'"),
            ((2,), {"weight_variance": 1j}, TypeError, "weight_variance must be a real number, got 1j"),
            ((2,), {"weight_variance": [1.0]}, ValueError, "weight_variance must be one value or 2, one per layer"),
            ((2,), {"weight_variance": []}, ValueError, "weight_variance must be one value or 2, one per layer"),
            ((2,), {"weight_variance": np.ones((2, 1))}, ValueError, r"got an array of shape \(2, 1\)"),
            ((2,), {"weight_variance": [1.0, -2.0]}, ValueError, r"weight_variance\[1\] must be > 0, got -2.0"),
            ((2,), {"bias_variance": -0.5}, ValueError, "bias_variance must be >= 0, got -0.5"),
            ((2,), {"bias_variance": [0.0, 0.0, 0.0]}, ValueError, "bias_variance must be one value or 2"),
            ((2,), {"input_variance": 0.0}, ValueError, "input_variance must be > 0, got 0.0"),
            ((2,), {"input_variance": math.inf}, ValueError, "input_variance must be finite, got inf"),
        ],
    )
    def test_bad_input(self, arguments: Any, keywords: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            fc.MLP(*arguments, **keywords)
