"""Networks read from PyTorch modules: stand-ins by duck typing, and the real ones where torch is installed."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from freeconv.networks.torch_modules import NetworkReading


def module(name: str, **attributes: Any) -> Any:
    """An object of a class of this name."""
    return type(name, (), attributes)()


def linear(weight: Any, bias: Any = None) -> Any:
    return module("Linear", weight=np.asarray(weight, dtype=np.float64), bias=bias)


def gaussian(before: int, after: int, variance: float, rng: np.random.Generator) -> Any:
    return linear(rng.standard_normal((after, before)) * math.sqrt(variance / before))


class Sequential:
    def __init__(self, *modules: Any) -> None:
        self.modules = modules

    def __iter__(self) -> Any:
        return iter(self.modules)


class Tensor:
    """What has to be taken off a device, and off the graph, in this order."""

    def __init__(self, values: Any, state: str = "graph") -> None:
        self.values, self.state = np.asarray(values, dtype=np.float32), state

    def detach(self) -> Tensor:
        assert self.state == "graph"
        return Tensor(self.values, "device")

    def cpu(self) -> Tensor:
        assert self.state == "device"
        return Tensor(self.values, "memory")

    def double(self) -> Any:
        assert self.state == "memory"
        return self.values.astype(np.float64)


class TestReading:
    def test_widths_variances_and_activations(self) -> None:
        net = Sequential(
            linear([[1.0, -1.0], [1.0, 1.0], [-1.0, 3.0]], np.array([1.0, 2.0, 0.0])),
            module("LeakyReLU", negative_slope=0.25),
            linear([[1.0, 2.0, 2.0]]),
        )
        reading = fc.from_torch(net, input_variance=0.5)
        assert reading.widths == (2, 3, 1)
        assert reading.activations == (fc.activations.LeakyReLU(0.25), fc.activations.Linear())
        assert reading.weight_variances == pytest.approx((14 / 3, 9.0), rel=1e-15)
        assert reading.bias_variances == pytest.approx((5 / 3, 0.0), rel=1e-15)
        assert reading.input_variance == 0.5
        assert reading.squared_singular_values is None
        assert repr(reading) == "NetworkReading(widths=(2, 3, 1), activations=(leaky_relu, linear))"

    def test_mlp(self) -> None:
        net = [linear([[1.0, -1.0], [1.0, 1.0], [-1.0, 3.0]]), module("ReLU"), linear([[1.0, 2.0, 2.0]])]
        reading = fc.from_torch(net, input_variance=0.5)
        expected = fc.MLP(
            activation=["relu", "linear"], weight_variance=[14 / 3, 9.0], input_variance=0.5, widths=[2, 3, 1]
        )
        assert reading.mlp() == expected
        # Orthonormal columns times √v: entries of mean square v/3, so v = 3 · 14/6.
        assert reading.mlp(weights="orthogonal").layers[0].weight_variance == pytest.approx(7.0, rel=1e-15)
        assert reading.mlp(weights="orthogonal").mean_field().chi == pytest.approx(expected.mean_field().chi, rel=1e-15)

    def test_containers_are_opened_and_idle_modules_skipped(self) -> None:
        inner = Sequential(linear(np.eye(2)), module("Identity"), module("ReLU"))
        idle = [module("Dropout", p=0.5, training=False), module("Dropout", p=0.0, training=True), module("Flatten")]
        assert fc.from_torch(Sequential(inner, *idle, linear(np.ones((3, 2))))).widths == (2, 2, 3)

    @pytest.mark.parametrize(
        ("layer", "expected"),
        [
            (module("ReLU"), fc.activations.ReLU()),
            (module("LeakyReLU", negative_slope=0.1), fc.activations.LeakyReLU(0.1)),
            (module("Hardtanh", min_val=-2.0, max_val=2.0), fc.activations.HardTanh(2.0)),
        ],
    )
    def test_activations(self, layer: Any, expected: Any) -> None:
        assert fc.from_torch([linear(np.eye(2)), layer]).activations == (expected,)

    def test_tensors(self) -> None:
        weight, bias = Tensor([[1.0, 2.0], [0.0, 2.0]]), Tensor([1.0, 3.0])
        reading = fc.from_torch([module("Linear", weight=weight, bias=bias)])
        assert (reading.weight_variances, reading.bias_variances) == ((4.5,), (5.0,))

    @pytest.mark.parametrize(
        ("net", "error", "message"),
        [
            ([module("Conv2d")], TypeError, "cannot read the module Conv2d; known are Linear, ReLU, LeakyReLU, "),
            (
                [module("Dropout", p=0.5, training=True)],
                TypeError,
                "cannot read the module Dropout; known are .*in eval",
            ),
            ("relu", TypeError, "cannot read the module str"),
            (3, TypeError, "cannot read the module int"),
            ([], ValueError, r"a network needs at least one Linear, got none in \[\]"),
            ([module("ReLU"), linear(np.eye(2))], ValueError, "must follow a Linear, got ReLU before the first Linear"),
            (
                [linear(np.eye(2)), module("ReLU"), module("ReLU")],
                ValueError,
                "must follow a Linear, got ReLU behind another activation",
            ),
            (
                [linear(np.eye(2)), linear(np.eye(3))],
                ValueError,
                "Linear number 2 must take 2 numbers, those of the layer before it, got 3",
            ),
            ([linear(np.ones(3))], ValueError, r"weight of Linear number 1 must be a matrix, got shape \(3,\)"),
            ([linear([[math.nan]])], ValueError, "weight of Linear number 1 must be finite, got NaN or infinity"),
            (
                [linear(np.eye(2)), module("Hardtanh", min_val=0.0, max_val=6.0)],
                ValueError,
                "Hardtanh must have min_val = -max_val, got 0.0 and 6.0",
            ),
            (
                [linear(np.eye(2)), module("GELU", approximate="tanh")],
                ValueError,
                "GELU must have approximate = 'none', got 'tanh'",
            ),
        ],
    )
    def test_bad_modules(self, net: Any, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            fc.from_torch(net)

    def test_bad_options(self) -> None:
        with pytest.raises(ValueError, match=r"input_variance must be > 0, got 0\.0"):
            fc.from_torch([linear(np.eye(2))], input_variance=0.0)
        with pytest.raises(TypeError, match="measured_weights must be True or False, got 1"):
            fc.from_torch([linear(np.eye(2))], measured_weights=1)  # type: ignore[arg-type]  # what is tested
        with pytest.raises(ValueError, match=r"weight_variance must be > 0, got 0\.0"):
            fc.from_torch([linear(np.zeros((2, 2)))]).mlp()
        with pytest.raises(ValueError, match="weights must be one of 'gaussian', 'orthogonal', got 'haar'"):
            fc.from_torch([linear(np.eye(2))]).mlp(weights="haar")


class TestMeasuredWeights:
    def test_one_layer_is_its_own_spectrum(self) -> None:
        weight = np.array([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
        reading = fc.from_torch([linear(weight)], measured_weights=True)
        assert reading.squared_singular_values is not None
        assert reading.squared_singular_values[0].tolist() == [0.0, 9.0, 16.0]
        atoms = reading.jacobian().atoms()
        assert atoms.locations.tolist() == [0.0, 9.0, 16.0]
        assert atoms.weights == pytest.approx([1 / 3] * 3, rel=1e-15)
        assert reading.jacobian("input") == fc.Discrete([9.0, 16.0], [0.5, 0.5])
        assert fc.from_torch([linear(weight.T)], measured_weights=True).jacobian() == fc.Discrete([9, 16], [0.5, 0.5])

    def test_singular_values_must_have_been_read(self) -> None:
        with pytest.raises(ValueError, match="from_torch needs measured_weights=True"):
            fc.from_torch([linear(np.eye(2))]).jacobian()
        with pytest.raises(ValueError, match="side must be one of 'output', 'input', got 'left'"):
            fc.from_torch([linear(np.eye(2))], measured_weights=True).jacobian("left")

    def test_predicts_a_network_with_unusual_spectra(self) -> None:
        # Weights of two sizes of singular values: the Gaussian law misses their spectrum, that of the measured ones is
        # this network's, up to a few of its 90 eigenvalues.
        rng = np.random.default_rng(5)
        sizes = (120, 180, 90, 180)
        layers: list[Any] = []
        for before, after in pairwise(sizes):
            left, _, right = np.linalg.svd(rng.standard_normal((after, before)), full_matrices=False)
            layers.append(linear((left * np.where(np.arange(len(right)) % 2, 0.3, 2.0)) @ right))
            layers.append(module("LeakyReLU", negative_slope=0.2))
        reading = fc.from_torch(layers, measured_weights=True)
        eigenvalues = finite_jacobian(layers, rng)
        found = fc.compare(reading.jacobian(), eigenvalues)
        assert found.kolmogorov_distance < 5.0 / 90
        assert fc.compare(reading.mlp().jacobian(), eigenvalues).kolmogorov_distance > 0.1

    def test_random_weights_are_as_their_mlp(self) -> None:
        rng = np.random.default_rng(6)
        net = [gaussian(200, 400, 2.0, rng), module("ReLU"), gaussian(400, 100, 2.0, rng)]
        measured, limit = fc.from_torch(net, measured_weights=True).jacobian(), fc.from_torch(net).mlp().jacobian()
        assert measured.atoms().weights == pytest.approx(limit.atoms().weights, abs=1e-12)
        x = limit.quantile(np.linspace(0.05, 0.95, 10))
        assert measured.cdf(x) == pytest.approx(limit.cdf(x), abs=0.02)

    def test_torch_is_not_imported(self) -> None:
        program = (
            "import sys; sys.modules['torch'] = None\n"
            "import numpy as np, freeconv as fc\n"
            "class Linear: weight, bias = np.eye(3), None\n"
            "print(fc.from_torch([Linear()], measured_weights=True).jacobian())"
        )
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert run.stdout == "PointMass(location=1.0)\n"


def finite_jacobian(layers: list[Any], rng: np.random.Generator) -> NDArray[np.float64]:
    """Eigenvalues of J Jᵀ of stand-ins of Linear and LeakyReLU at a random input."""
    x = rng.standard_normal(layers[0].weight.shape[1])
    jacobian = np.eye(len(x))
    for one in layers:
        if hasattr(one, "weight"):
            x, jacobian = one.weight @ x, one.weight @ jacobian
        else:
            slopes = np.where(x > 0.0, 1.0, one.negative_slope)
            x, jacobian = slopes * x, slopes[:, np.newaxis] * jacobian
    eigenvalues = np.zeros(len(x))
    squares = np.square(np.linalg.svd(jacobian, compute_uv=False))
    rank = min(len(squares), *(min(one.weight.shape) for one in layers if hasattr(one, "weight")))
    eigenvalues[-rank:] = squares[:rank][::-1]
    return eigenvalues


class TestTorch:
    """The real thing; the package itself never imports it."""

    def setup_method(self) -> None:
        self.torch = pytest.importorskip("torch")
        self.torch.manual_seed(0)
        self.torch.set_num_threads(1)

    def network(self) -> Any:
        nn = self.torch.nn
        return nn.Sequential(
            nn.Linear(120, 240),
            nn.ReLU(),
            nn.Sequential(nn.Linear(240, 80), nn.LeakyReLU(0.2), nn.Dropout(0.1)),
            nn.Linear(80, 160),
        ).eval()

    def reading(self, net: Any) -> NetworkReading:
        return fc.from_torch(net, measured_weights=True)

    def eigenvalues(self, net: Any, samples: int) -> NDArray[np.float64]:
        """Of J Jᵀ at random inputs; the narrowest layer has 80 units, so that no more are different from 0."""
        found = []
        for _ in range(samples):
            jacobian = self.torch.func.jacrev(net)(self.torch.randn(120)).detach().double().numpy()
            singular = np.linalg.svd(jacobian, compute_uv=False)[:80]
            found.append(np.concatenate([np.zeros(80), np.square(singular[::-1])]))
        return np.array(found)

    def test_reads_what_torch_holds(self) -> None:
        reading = self.reading(self.network())
        assert reading.widths == (120, 240, 80, 160)
        assert [activation.name for activation in reading.activations] == ["relu", "leaky_relu", "linear"]
        # torch draws weights and biases uniformly from ±1/√fan_in: variance 1/(3 fan_in); 0.05 is 3 standard errors of
        # the biases, whose mean square has a relative one of √(4/5)/√n.
        assert reading.weight_variances == pytest.approx([1 / 3] * 3, rel=0.03)
        assert reading.bias_variances == pytest.approx([1 / 360, 1 / 720, 1 / 240], rel=0.3)

    def test_predicts_the_initial_network(self) -> None:
        net = self.network()
        # 10/narrowest width, as for the stand-ins.
        found = fc.compare(self.reading(net).jacobian(), self.eigenvalues(net, 3))
        assert found.kolmogorov_distance < 10.0 / 80 / 2

    def test_predicts_a_trained_network(self) -> None:
        net = self.network()
        optimizer = self.torch.optim.SGD(net.parameters(), lr=1.0)
        inputs = self.torch.randn(200, 120)
        targets = self.torch.sin(3.0 * inputs[:, :1]).expand(-1, 160)
        for _ in range(60):
            optimizer.zero_grad()
            self.torch.nn.functional.mse_loss(net(inputs), targets).backward()
            optimizer.step()
        before, after = self.reading(self.network()), self.reading(net)
        assert before.squared_singular_values is not None
        assert after.squared_singular_values is not None
        # One direction of the last layer grew with what it learned.
        assert after.squared_singular_values[-1][-1] > 1.5 * before.squared_singular_values[-1][-1]
        eigenvalues = self.eigenvalues(net, 3)
        distance = fc.compare(after.jacobian(), eigenvalues).kolmogorov_distance
        assert distance < 10.0 / 80 / 2
        # The learned directions are outliers that no random network has.
        assert distance < fc.compare(after.mlp().jacobian(), eigenvalues).kolmogorov_distance

    @pytest.mark.parametrize("name", ["Tanh", "Sigmoid", "SiLU", "GELU", "ELU", "SELU", "Softplus"])
    def test_activations_have_the_parameters_of_torch(self, name: str) -> None:
        nn = self.torch.nn
        net = nn.Sequential(nn.Linear(4, 4), getattr(nn, name)())
        if name.lower() in fc.activations.KNOWN:
            ours = fc.from_torch(net).activations[0]
            h = np.linspace(-3.0, 3.0, 25)
            assert ours.function(h) == pytest.approx(net[1](self.torch.tensor(h)).numpy(), abs=1e-12)
        else:
            with pytest.raises(ValueError, match=f"unknown activation '{name.lower()}'; known are linear"):
                fc.from_torch(net)
