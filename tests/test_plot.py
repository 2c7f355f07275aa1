"""Figures: what is drawn, on which axes, and what is said without matplotlib."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import freeconv as fc
from freeconv import plot
from freeconv.curves import sample
from freeconv.histogram import histogram

ISOMETRY = fc.MLP(3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25)


class TestDraw:
    def setup_method(self) -> None:
        figures = pytest.importorskip("matplotlib.figure")
        self.axes = figures.Figure().add_subplot()

    def test_density_is_the_curve(self) -> None:
        curve = sample(fc.Semicircle(), points=40)
        axes = plot.draw(fc.Semicircle(), self.axes, points=40, title="Semicircle", xlabel="x")
        assert axes is self.axes
        assert [line.get_xydata().tolist() for line in axes.lines] == [np.stack([curve.x, curve.density], 1).tolist()]
        assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("Semicircle", "x", "density $f(x)$")
        assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
        assert len(axes.figure.axes) == 1

    def test_a_sampled_curve_draws_the_same(self) -> None:
        other = self.axes.figure.add_subplot()
        plot.draw(fc.Semicircle(), self.axes, points=40)
        plot.draw(sample(fc.Semicircle(), points=40), other)
        assert np.array_equal(self.axes.lines[0].get_xydata(), other.lines[0].get_xydata())

    def test_one_line_per_interval(self) -> None:
        law = fc.boxtimes(fc.MarchenkoPastur(0.05), fc.Discrete((1.0, 3.0, 10.0), (0.4, 0.3, 0.3)))
        assert len(plot.draw(law, self.axes, points=30).lines) == 3

    def test_atoms_are_stems_with_their_weights(self) -> None:
        law = ISOMETRY.ntk()
        plot.draw(law, self.axes)
        (weights,) = (axes for axes in self.axes.figure.axes if axes is not self.axes)
        stems = [line for line in weights.lines if len(line.get_xdata()) == 2]
        atoms = law.atoms()
        assert [line.get_xdata()[0] for line in stems] == atoms.locations.tolist()
        assert [line.get_ydata().tolist() for line in stems] == [[0.0, weight] for weight in atoms.weights.tolist()]
        assert [text.get_text() for text in weights.texts] == ["0.07149 at 0.2701", "0.8629 at 0.8604"]
        assert weights.get_ylabel() == "weight of the atoms"

    def test_law_of_many_decades_gets_log_axes(self) -> None:
        plot.draw(fc.MLP(10, "relu", weight_variance=2.0).jacobian(), self.axes, points=60)
        assert (self.axes.get_xscale(), self.axes.get_yscale()) == ("log", "log")
        left, right = self.axes.get_xlim()
        assert 0.0 < left < self.axes.lines[0].get_xdata().min()
        # The atom at 0 has no place on the axis: it stands left of the density.
        (weights,) = (axes for axes in self.axes.figure.axes if axes is not self.axes)
        assert left < weights.lines[0].get_xdata()[0] < self.axes.lines[0].get_xdata().min() < right
        assert [text.get_text() for text in weights.texts] == ["0.5 at 0"]

    def test_hard_edge_alone_stays_linear(self) -> None:
        plot.draw(fc.MarchenkoPastur(1.0), self.axes)
        assert self.axes.get_xscale() == "linear"
        assert self.axes.get_ylim()[1] < 3.0

    def test_negative_support_stays_linear(self) -> None:
        plot.draw(fc.Uniform(-1e6, 1e6), self.axes)
        assert self.axes.get_xscale() == "linear"

    def test_eigenvalues_are_bars_and_circles(self) -> None:
        law, eigenvalues = ISOMETRY.ntk(), ISOMETRY.ntk().sample(400, 0)
        plot.draw(law, self.axes, eigenvalues=eigenvalues)
        counted = histogram(law.atoms(), eigenvalues)
        (bars,) = self.axes.patches
        assert np.array_equal(bars.get_data().values, counted.heights)
        assert np.array_equal(bars.get_data().edges, counted.edges)
        (weights,) = (axes for axes in self.axes.figure.axes if axes is not self.axes)
        circles = [line for line in weights.lines if line.get_fillstyle() == "none"]
        assert [line.get_xdata()[0] for line in circles] == law.atoms().locations.tolist()
        assert [line.get_ydata()[0] for line in circles] == counted.atom_weights.tolist()

    def test_a_narrow_peak_does_not_hide_the_bars(self) -> None:
        law = fc.boxplus(fc.Semicircle(variance=1e-8), fc.Discrete([0.0, 1.0], [0.5, 0.5]))
        plot.draw(law, self.axes, eigenvalues=np.linspace(0.0, 1.0, 400))
        assert self.axes.get_ylim()[1] == pytest.approx(2.5, rel=0.1)

    def test_bars_on_log_axes(self) -> None:
        net = fc.MLP(10, "relu", weight_variance=2.0)
        plot.draw(net.jacobian(), self.axes, points=60, eigenvalues=net.simulate_jacobian(100, 1, 0))
        (bars,) = self.axes.patches
        assert np.ptp(np.diff(np.log(bars.get_data().edges))) < 1e-9

    @pytest.mark.parametrize("law", [fc.PointMass(0.0), fc.PointMass(2.0), fc.Discrete((1e-4, 10.0), (0.5, 0.5))])
    def test_only_atoms(self, law: fc.Law) -> None:
        plot.draw(law, self.axes)
        left, right = self.axes.get_xlim()
        assert np.all((left < law.atoms().locations) & (law.atoms().locations < right))
        assert not self.axes.lines


class TestSave:
    @pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
    def test_writes_a_figure(self, tmp_path: Path, ending: str) -> None:
        pytest.importorskip("matplotlib")
        path = tmp_path / f"law.{ending}"
        plot.save(ISOMETRY.jacobian(), path, points=50, title="J Jᵀ")
        assert path.stat().st_size > 1000
        assert {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending] == path.read_bytes()[
            : 4 + (ending == "svg")
        ]

    def test_does_not_import_pyplot(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("matplotlib")
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        plot.save(fc.Semicircle(), tmp_path / "law.png", points=10)
        assert (tmp_path / "law.png").exists()

    @pytest.mark.parametrize("name", ["law.xyz", "law"])
    def test_unknown_format(self, name: str) -> None:
        pytest.importorskip("matplotlib")
        with pytest.raises(ValueError, match=rf"ending of a figure must be one of .*png.*, got '{name}'"):
            plot.check_format(name)


class TestWithoutMatplotlib:
    def test_message_names_the_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        for call in (
            lambda: plot.draw(fc.Semicircle()),
            lambda: plot.save(fc.Semicircle(), tmp_path / "law.png"),
            lambda: plot.check_format("law.png"),
        ):
            with pytest.raises(ImportError, match=r'plotting needs matplotlib: pip install "freeconv\[plot\]"'):
                call()
