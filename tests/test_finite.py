"""Finite networks: shapes, exact zeros, blocks of Haar matrices, and agreement with limit and measured laws."""

from __future__ import annotations

import math
import sys
import tracemalloc
import types
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import freeconv as fc

LEAKY = fc.activations.LeakyReLU(0.3)
HOURGLASS = fc.MLP(activation="relu", weight_variance=2.0, widths=[800, 1200, 600, 1000])

NETWORKS = {
    "relu gaussian": fc.MLP(3, "relu", weight_variance=2.0),
    "relu orthogonal": fc.MLP(3, "relu", weights="orthogonal", weight_variance=2.0),
    "leaky gaussian": fc.MLP(3, LEAKY, weight_variance=2.0 / 1.09),
    "hard tanh orthogonal": fc.MLP(
        5, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25
    ),
    "hard tanh gaussian": fc.MLP(4, fc.activations.HardTanh(1.5), weight_variance=1.3, bias_variance=0.05),
    "hourglass": HOURGLASS,
    "bottleneck orthogonal": fc.MLP(
        activation=LEAKY, weights="orthogonal", weight_variance=2.0, widths=[1200, 800, 1600]
    ),
    "expanding orthogonal": fc.MLP(
        activation="hard_tanh", weights="orthogonal", weight_variance=2.0, widths=[400, 700, 1000]
    ),
    "linear": fc.MLP(activation="linear", widths=[10, 7, 9, 4, 10]),
}
CASES = [pytest.param(net, id=name) for name, net in NETWORKS.items()]
KINDS = ["jacobian", "ntk"]


class TestEigenvalues:
    @pytest.mark.parametrize("net", CASES)
    def test_shapes_and_order(self, net: fc.MLP) -> None:
        sizes = net.draw(50).sizes
        assert max(sizes) == 50
        assert net.simulate_jacobian(50, 2, 0).shape == (2, sizes[-1])
        assert net.simulate_jacobian(50, 2, 0, side="input").shape == (2, sizes[0])
        assert net.simulate_ntk(50, 2, 0).shape == (2, sizes[-1])
        for values in (net.simulate_jacobian(50, 2, 0), net.simulate_ntk(50, 2, 0)):
            assert np.all(np.diff(values, axis=1) >= 0.0)
            assert np.all(values >= 0.0)

    @pytest.mark.parametrize("net", CASES)
    def test_the_drawn_network_is_the_simulated_one(self, net: fc.MLP) -> None:
        drawn = net.draw(40, rng=3)
        assert np.array_equal(drawn.jacobian_eigenvalues(), net.simulate_jacobian(40, 1, 3)[0])
        assert np.array_equal(drawn.jacobian_eigenvalues("input"), net.simulate_jacobian(40, 1, 3, side="input")[0])
        assert np.array_equal(drawn.ntk_eigenvalues(), net.simulate_ntk(40, 1, 3)[0])

    @pytest.mark.parametrize("net", CASES)
    def test_against_the_matrices(self, net: fc.MLP) -> None:
        drawn = net.draw(30, rng=4)
        jacobian, kernel, slopes = np.eye(drawn.sizes[0]), np.zeros((drawn.sizes[0],) * 2), np.zeros(drawn.sizes[0])
        for layer in drawn.layers:
            kernel = (layer.weight * slopes) @ kernel @ (layer.weight * slopes).T
            kernel += layer.input_moment * np.eye(len(kernel))
            jacobian = np.diag(layer.slopes) @ layer.weight @ jacobian
            slopes = layer.slopes
        for found, matrix in (
            (drawn.jacobian_eigenvalues(), jacobian @ jacobian.T),
            (drawn.jacobian_eigenvalues("input"), jacobian.T @ jacobian),
            (drawn.ntk_eigenvalues(), kernel),
        ):
            assert found == pytest.approx(np.linalg.eigvalsh(matrix), abs=1e-13 * float(np.linalg.norm(matrix)))

    @pytest.mark.parametrize("side", ["output", "input"])
    def test_zeros_forced_by_the_rank_are_exact(self, side: str) -> None:
        drawn = HOURGLASS.draw(120, rng=1)
        rank = min(*drawn.sizes, *(int(np.count_nonzero(layer.slopes)) for layer in drawn.layers))
        eigenvalues = drawn.jacobian_eigenvalues(side)
        assert np.count_nonzero(eigenvalues == 0.0) == len(eigenvalues) - rank
        # The law from the measured slopes has this weight at 0, too.
        weights = drawn.jacobian_law(side).atoms().weights
        assert weights == pytest.approx([1.0 - rank / len(eigenvalues)], abs=1e-14)

    def test_a_dead_layer_leaves_zeros_only(self) -> None:
        net = fc.MLP(activation="relu", widths=[3, 1, 3])
        seeds = [seed for seed in range(20) if not net.draw(3, seed).layers[0].slopes.any()]
        assert seeds
        for seed in seeds:
            drawn = net.draw(3, seed)
            assert drawn.jacobian_eigenvalues().tolist() == [0.0, 0.0, 0.0]
            assert drawn.jacobian_law() == fc.PointMass(0.0)
            assert drawn.ntk_eigenvalues() == pytest.approx([drawn.layers[1].input_moment] * 3, abs=1e-15)

    def test_both_sides_have_one_spectrum(self) -> None:
        drawn = HOURGLASS.draw(60, rng=2)
        output, input_ = drawn.jacobian_eigenvalues("output"), drawn.jacobian_eigenvalues("input")
        assert output[output > 0.0].tolist() == input_[input_ > 0.0].tolist()

    def test_kernel_forced_by_the_rank_is_exact(self) -> None:
        drawn = HOURGLASS.draw(120, rng=1)
        rank = int(np.count_nonzero(drawn.layers[1].slopes))
        moment = drawn.layers[2].input_moment
        assert np.count_nonzero(drawn.ntk_eigenvalues() == moment) == drawn.sizes[-1] - rank
        atoms = drawn.ntk_law().atoms()
        assert atoms.locations.tolist() == [moment]
        assert atoms.weights == pytest.approx([1.0 - rank / drawn.sizes[-1]], abs=1e-14)


class TestForwardPass:
    @pytest.mark.parametrize("widths", [[40, 30, 60], [60, 30, 30], [30, 60, 40]], ids=str)
    def test_blocks_of_haar_matrices_are_isometries(self, widths: list[float]) -> None:
        net = fc.MLP(activation="relu", weights="orthogonal", weight_variance=2.0, widths=widths)
        for layer, (before, after) in zip(net.draw(60, rng=0).layers, pairwise(widths), strict=True):
            assert layer.weight.shape == (after, before)
            gram = layer.weight @ layer.weight.T if after <= before else layer.weight.T @ layer.weight
            assert gram == pytest.approx(2.0 * np.eye(len(gram)), abs=1e-13)

    def test_blocks_of_haar_matrices_are_unbiased(self) -> None:
        # Of the sign fix: without it the diagonal of Q, say, has a mean far from 0. 400 draws, 4 standard errors.
        net = fc.MLP(activation="linear", weights="orthogonal", widths=[4, 6])
        rng = np.random.default_rng(8)
        weights = np.array([net.draw(6, rng).layers[0].weight for _ in range(400)])
        assert np.abs(weights.mean(axis=0)).max() < 4.0 / math.sqrt(6 * 400)
        assert (weights**2).mean(axis=0) == pytest.approx(1 / 6, abs=5.0 * math.sqrt(2.0) / 6 / math.sqrt(400))

    @pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
    def test_mean_field(self, weights: str) -> None:
        # The means over ten networks are within 5 standard errors; 2/width bounds the bias.
        net = fc.MLP(
            activation=LEAKY, weights=weights, weight_variance=1.5, bias_variance=0.1, widths=[300, 600, 900, 400, 800]
        )
        moments = np.array([[layer.input_moment for layer in net.draw(180, seed).layers] for seed in range(10)])
        errors = moments.std(axis=0, ddof=1) / math.sqrt(10)
        expected = np.array([1.0, *net.mean_field().activation_variance[:-1]])
        assert np.all(np.abs(moments.mean(axis=0) - expected) < 5.0 * errors + 2.0 / 60)

    def test_memory_does_not_grow_with_depth(self) -> None:
        # At most eight matrices, as `simulate_jacobian` says (LAPACK's own are not seen here).
        peaks = []
        for depth in (3, 12):
            tracemalloc.start()
            fc.MLP(depth, "relu", weights="orthogonal").simulate_jacobian(100, 1, 0)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.2 * peaks[0]
        assert max(peaks) < 8.0 * 8 * 100**2


class TestLaws:
    """Finite networks beside the law of their measured slopes: eigenvalues are rigid given these."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("net", CASES)
    def test_measured(self, net: fc.MLP, kind: str) -> None:
        # Found over seeds 0 to 4: at most 0.0131 at this width.
        drawn = net.draw(250, rng=1)
        law, eigenvalues = getattr(drawn, f"{kind}_law")(), getattr(drawn, f"{kind}_eigenvalues")()
        assert fc.compare(law, eigenvalues).kolmogorov_distance < 0.02

    @pytest.mark.parametrize("side", ["output", "input"])
    def test_measured_on_both_sides(self, side: str) -> None:
        drawn = HOURGLASS.draw(250, rng=1)
        found = fc.compare(drawn.jacobian_law(side), drawn.jacobian_eigenvalues(side))
        assert found.kolmogorov_distance < 0.02

    @pytest.mark.slow
    @pytest.mark.parametrize("net", CASES)
    def test_limit_of_the_jacobian(self, net: fc.MLP) -> None:
        eigenvalues = net.simulate_jacobian(1000, 8, 0)
        assert fc.compare(net.jacobian(), eigenvalues).kolmogorov_distance < 0.02

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("net", CASES)
    def test_measured_at_width_1000(self, net: fc.MLP, kind: str) -> None:
        # The limit's distance is between 0.003 and 0.02 for one Jacobian; for one kernel it is large where much mass is
        # near q̂_{L−1}, since all of that moves with the measured value of q̂_{L−1}.
        drawn = net.draw(1000, rng=1)
        law, eigenvalues = getattr(drawn, f"{kind}_law")(), getattr(drawn, f"{kind}_eigenvalues")()
        distance = fc.compare(law, eigenvalues).kolmogorov_distance
        assert distance < 0.006
        limit = fc.compare(getattr(net, kind)(), eigenvalues).kolmogorov_distance
        # Where slopes are constant there is nothing to measure.
        assert distance < limit or (kind == "jacobian" and net is NETWORKS["linear"])


class TestOptions:
    def test_progress(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[tuple[int, dict[str, Any]]] = []

        def bar(rounds: Iterable[int], **options: Any) -> Iterable[int]:
            listed = list(rounds)
            shown.append((len(listed), options))
            return listed

        monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=bar))
        quiet = HOURGLASS.simulate_jacobian(20, 3, 0)
        assert shown == []
        assert np.array_equal(HOURGLASS.simulate_jacobian(20, 3, 0, progress=True), quiet)
        assert HOURGLASS.simulate_ntk(20, 2, 0, progress=True).shape == (2, 17)
        assert [count for count, _ in shown] == [3, 2]

    def test_progress_without_tqdm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        with pytest.raises(ImportError, match=r'a progress bar needs tqdm: pip install "freeconv\[progress\]"'):
            HOURGLASS.simulate_jacobian(20, 3, 0, progress=True)

    def test_no_layer_vanishes(self) -> None:
        assert fc.MLP(widths=[1000, 1, 1000]).draw(10).sizes == (10, 1, 10)

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match="width must be an integer >= 1, got 0"):
            HOURGLASS.draw(0)
        with pytest.raises(TypeError, match=r"width must be an integer >= 1, got 2\.5"):
            HOURGLASS.simulate_jacobian(2.5)  # type: ignore[arg-type]  # what is tested
        for call in (
            lambda: HOURGLASS.simulate_jacobian(10, side="left"),
            lambda: HOURGLASS.draw(10).jacobian_law("left"),
            lambda: HOURGLASS.draw(10).jacobian_eigenvalues("left"),
        ):
            with pytest.raises(ValueError, match="side must be one of 'output', 'input', got 'left'"):
                call()
