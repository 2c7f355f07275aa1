"""The command line: reports, JSON, CSV, network files, and one line for every error of the user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import freeconv as fc
from freeconv.activations import KNOWN, from_name, parameters_of
from freeconv.cli import main as cli
from freeconv.cli.main import NETWORK_OPTIONS, main
from freeconv.cli.network_file import build, load
from freeconv.errors import ConvergenceError

EXAMPLES = Path(__file__).parent.parent / "examples"

ISOMETRY = [
    *("--depth", "3", "--activation", "hard_tanh", "--weights", "orthogonal"),
    *("--weight-variance", "1.1", "--bias-variance", "0.02", "--input-variance", "0.25"),
]
RELU = ["--depth", "3", "--activation", "relu", "--weight-variance", "2"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, expect success in silence on standard error, and return what it printed."""
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


class TestReport:
    def test_jacobian(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(capsys, "jacobian", *RELU, "--weights", "orthogonal") == (
            "Limit spectrum of J Jᵀ, J the input-output Jacobian\n"
            "3 layers, orthogonal weights, input variance 1\n"
            "\n"
            "layer   activation   weight variance   bias variance\n"
            "1-3     relu         2                 0\n"
            "\n"
            "atoms                 location   weight\n"
            "                      0          0.5\n"
            "support               from       to\n"
            "                      0          6.75\n"
            "mean                  1\n"
            "variance              3\n"
            "largest eigenvalue    6.75\n"
            "smallest eigenvalue   0\n"
            "condition number      inf\n"
        )

    def test_ntk(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(capsys, "ntk", *ISOMETRY) == (
            "Limit spectrum of the tangent kernel H of one sample\n"
            "3 layers, orthogonal weights, input variance 0.25\n"
            "\n"
            "layer   activation          weight variance   bias variance\n"
            "1-3     hard_tanh(clip=1)   1.1               0.02\n"
            "\n"
            "atoms                          location      weight\n"
            "                               0.27008649    0.071493128\n"
            "                               0.86043016    0.86290718\n"
            "support                        from          to\n"
            "                               0.55797132    0.63515535\n"
            "mean                           0.79979944\n"
            "variance                       0.026440963\n"
            "largest eigenvalue             0.86043016\n"
            "smallest eigenvalue            0.27008649\n"
            "condition number               3.1857579\n"
            "largest stable learning rate   2.3244187     = 2/λ_max\n"
        )

    def test_groups_of_layers(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "jacobian", "--depth", "3", "--activation", "relu,relu,linear", "--weight-variance", "2,2,1")
        assert "1-2     relu         2                 0\n3       linear       1                 0\n" in text

    def test_no_atoms(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "jacobian", "--depth", "1", "--activation", "linear")
        assert "atoms                 none\n" in text

    def test_no_continuous_part(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "ntk", "--depth", "1", "--input-variance", "0.5")
        assert "support                        none\n" in text
        assert "largest stable learning rate   4          = 2/λ_max\n" in text

    def test_output_encoding_may_lack_letters(self) -> None:
        command = [sys.executable, "-m", "freeconv", "ntk", "--depth", "1"]
        ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
        done = subprocess.run(command, capture_output=True, env=ascii_only, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"= 2/?_max" in done.stdout

    def test_widths(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "jacobian", "--widths", "800,1200,600,600", "--weight-variance", "2")
        assert text.splitlines()[1:7] == [
            "3 layers, gaussian weights, input width 800, input variance 1",
            "",
            "layer   width   activation   weight variance   bias variance",
            "1       1200    relu         2                 0",
            "2-3     600     relu         2                 0",
            "",
        ]
        assert run(capsys, "ntk", "--widths", "5,5,5") == run(capsys, "ntk", "--depth", "2")


class TestCompare:
    def test_limit(self, capsys: pytest.CaptureFixture[str]) -> None:
        net = fc.MLP(3, "relu", weight_variance=2.0)
        text = run(capsys, "compare", "jacobian", *RELU, "--width", "60", "--samples", "3", "--seed", "7")
        assert text == (
            "Limit spectrum of J Jᵀ, J the input-output Jacobian,\nand 3 networks of width 60\n"
            "3 layers, gaussian weights, input variance 1\n\n"
            f"{fc.compare(net.jacobian(), net.simulate_jacobian(60, 3, 7))}\n"
        )

    def test_defaults(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "compare", "ntk", *ISOMETRY, "--width", "40")
        assert str(fc.compare(load_isometry().ntk(), load_isometry().simulate_ntk(40, 4, 0))) in text

    @pytest.mark.parametrize("spectrum", ["jacobian", "ntk"])
    def test_measured(self, capsys: pytest.CaptureFixture[str], spectrum: str) -> None:
        drawn = load_isometry().draw(40, 2)
        law, eigenvalues = getattr(drawn, f"{spectrum}_law")(), getattr(drawn, f"{spectrum}_eigenvalues")()
        text = run(capsys, "compare", spectrum, *ISOMETRY, "--width", "40", "--seed", "2", "--measured")
        assert text.startswith("Predicted spectrum of ")
        assert "and 1 network of width 40\n" in text
        assert text.endswith(f"\n\n{fc.compare(law, eigenvalues)}\n")

    def test_picture(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        path = tmp_path / "compare.svg"
        run(capsys, "compare", "jacobian", "--widths", "3,2,4", "--width", "40", "--plot", str(path))
        assert "and the eigenvalues of 4 networks of width 40" in path.read_text(encoding="utf-8")

    def test_network_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        file = str(EXAMPLES / "relu_orthogonal.toml")
        options = ["--width", "20", "--samples", "1"]
        text = run(capsys, "compare", "jacobian", file, *options)
        assert text == run(capsys, "compare", "jacobian", *RELU, "--weights", "orthogonal", *options)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "freeconv compare: error: the following arguments are required: spectrum"),
            (["ntk"], "freeconv compare: error: a network is needed: a FILE.toml, or --depth"),
            (["mixer", *RELU], "freeconv compare: error: argument spectrum: invalid choice: 'mixer'"),
            (["ntk", *RELU, "--width", "0"], "freeconv compare: error: width must be an integer >= 1, got 0"),
            (["ntk", *RELU, "--width", "x"], "freeconv compare: error: argument --width: "),
            (["ntk", *RELU, "--samples", "0"], "freeconv compare: error: samples must be an integer >= 1, got 0"),
            (["ntk", *RELU, "--seed", "-1"], "freeconv compare: error: seed must be an integer >= 0, got -1"),
            (
                ["ntk", *RELU, "--samples", "2", "--measured"],
                "freeconv compare: error: samples must be 1 with --measured, got 2",
            ),
            (["ntk", *RELU, "--plot", "x.xyz"], "freeconv compare: error: the ending of a figure must be one of"),
            (["ntk", *RELU, "--json"], "freeconv: error: unrecognized arguments: --json"),
        ],
    )
    def test_errors(self, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
        assert main(["compare", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(message)
        assert captured.err.count("\n") == 1
        assert captured.out == ""

    def test_progress_without_tqdm(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        assert main(["compare", "ntk", *RELU, "--width", "9", "--progress"]) == 2
        assert capsys.readouterr().err == (
            'freeconv compare: error: a progress bar needs tqdm: pip install "freeconv[progress]"\n'
        )


class TestJson:
    def test_widths(self, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run(capsys, "jacobian", "--widths", "3,2.5,4", "--json"))
        assert document["network"]["widths"] == [3, 2.5, 4]
        assert [layer["repeat"] for layer in document["network"]["layers"]] == [2]

    def test_jacobian(self, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run(capsys, "jacobian", *RELU, "--json"))
        law = fc.MLP(3, "relu", weight_variance=2.0).jacobian()
        support = law.support()
        assert document == {
            "freeconv": fc.__version__,
            "spectrum": "jacobian",
            "network": {
                "depth": 3,
                "weights": "gaussian",
                "input_variance": 1.0,
                "layers": [{"repeat": 3, "activation": "relu", "weight_variance": 2.0, "bias_variance": 0.0}],
            },
            "atoms": [{"location": 0.0, "weight": 0.5}],
            "support": support.tolist(),
            "mean": law.mean(),
            "variance": law.variance(),
            "largest_eigenvalue": support.max(),
            "smallest_eigenvalue": 0.0,
            "condition": None,
        }

    def test_ntk(self, capsys: pytest.CaptureFixture[str]) -> None:
        document = json.loads(run(capsys, "ntk", *ISOMETRY, "--json"))
        # The atoms are the ends: 10 decimals of each are known, and ratios of them to 9 digits.
        assert document["largest_eigenvalue"] == pytest.approx(0.8604301615, abs=1e-10)
        assert document["smallest_eigenvalue"] == pytest.approx(0.2700864885, abs=1e-10)
        assert document["condition"] == pytest.approx(0.8604301615 / 0.2700864885, rel=1e-9)
        assert document["largest_stable_learning_rate"] == pytest.approx(2.0 / 0.8604301615, rel=1e-9)
        assert (
            document["variance"]
            == fc.MLP(
                3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25
            )
            .ntk()
            .variance()
        )

    def test_parameters_of_activations(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["--depth", "2", "--activation", "leaky_relu,hard_tanh", "--slope", "0.2", "--clip", "3"]
        layers = json.loads(run(capsys, "jacobian", *arguments, "--json"))["network"]["layers"]
        assert [layer["activation"] for layer in layers] == ["leaky_relu", "hard_tanh"]
        assert (layers[0]["slope"], layers[1]["clip"]) == (0.2, 3.0)


class TestCsv:
    def test_density_and_atoms(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "law.csv"
        run(capsys, "ntk", *ISOMETRY, "--csv", str(path), "--points", "50")
        law = load_isometry().ntk()
        lines = path.read_text(encoding="ascii").splitlines()
        assert lines[0] == "x,density"
        atoms = law.atoms()
        assert lines[1:3] == [
            f"# atom,{location!r},{weight!r}"
            for location, weight in zip(atoms.locations.tolist(), atoms.weights.tolist(), strict=True)
        ]
        table = np.genfromtxt(path, delimiter=",", names=True)
        assert table.dtype.names == ("x", "density")
        assert table.size == 50
        assert table["x"][[0, -1]].tolist() == law.support().ravel().tolist()
        assert np.array_equal(table["density"], law.density(table["x"]))

    def test_unwritable(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "missing" / "law.csv"
        assert main(["jacobian", *RELU, "--csv", str(path)]) == 2
        captured = capsys.readouterr()
        assert captured.err == f"freeconv jacobian: error: {path}: No such file or directory\n"
        assert captured.out == ""


class TestPlot:
    def test_without_matplotlib(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert main(["jacobian", *RELU, "--plot", "law.png"]) == 2
        assert capsys.readouterr().err == (
            'freeconv jacobian: error: plotting needs matplotlib: pip install "freeconv[plot]"\n'
        )


class TestNetworkFile:
    @pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
    @pytest.mark.parametrize("command", ["jacobian", "ntk"])
    def test_examples_run(self, capsys: pytest.CaptureFixture[str], path: Path, command: str) -> None:
        document = json.loads(run(capsys, command, str(path), "--json"))
        assert document["smallest_eigenvalue"] <= document["mean"] <= document["largest_eigenvalue"]

    def test_there_are_examples(self) -> None:
        assert len(list(EXAMPLES.glob("*.toml"))) >= 5

    def test_file_equals_options(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "jacobian", str(EXAMPLES / "relu_orthogonal.toml"))
        assert text == run(capsys, "jacobian", *RELU, "--weights", "orthogonal")

    def test_mixed_layers(self) -> None:
        hard, leaky = fc.activations.HardTanh(clip=2.0), fc.activations.LeakyReLU(slope=0.25)
        assert load(EXAMPLES / "mixed_layers.toml") == fc.MLP(
            8,
            [hard] * 4 + [leaky] * 3 + [fc.activations.Linear()],
            weights="orthogonal",
            weight_variance=[1.05] * 4 + [2.0 / 1.0625] * 3 + [1.05],
            bias_variance=[0.01] * 7 + [0.0],
            input_variance=0.5,
        )

    def test_per_layer_lists(self, tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        path.write_text('depth = 2\nactivation = ["relu", "leaky_relu"]\nslope = 0.3\nweight_variance = [2, 1.5]\n')
        expected = fc.MLP(2, ["relu", fc.activations.LeakyReLU(0.3)], weight_variance=[2.0, 1.5])
        assert load(path) == expected

    def test_every_activation_has_its_options(self, tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        for name in KNOWN:
            given = {parameter: 0.5 for parameter in parameters_of(name)}
            assert given.keys() <= set(NETWORK_OPTIONS)
            lines = [f'activation = "{name}"', *(f"{key} = {value}" for key, value in given.items())]
            path.write_text("depth = 2\n" + "\n".join(lines))
            assert load(path) == fc.MLP(2, from_name(name, given))
            path.write_text("[[layers]]\nrepeat = 2\n" + "\n".join(lines))
            assert load(path) == fc.MLP(2, from_name(name, given))

    def test_widths(self, tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        expected = fc.MLP(2, ["relu", "linear"], widths=[784, 100, 10])
        path.write_text('widths = [784, 100, 10]\nactivation = ["relu", "linear"]\n')
        assert load(path) == expected
        path.write_text('widths = [784, 100, 10]\n[[layers]]\n[[layers]]\nactivation = "linear"\n')
        assert load(path) == expected

    def test_top_parameter_goes_where_it_fits(self, tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        path.write_text('slope = 0.3\n[[layers]]\nactivation = "leaky_relu"\n[[layers]]\nactivation = "relu"\n')
        assert load(path) == fc.MLP(2, [fc.activations.LeakyReLU(0.3), "relu"])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("depth = ", "Invalid value"),
            ("", "a network needs depth, widths or [[layers]], got none of them"),
            ("depth = 0", "depth must be an integer >= 1, got 0"),
            ("depth = 2.5", "depth must be an integer >= 1, got 2.5"),
            ("depth = 2\nwieghts = 'gaussian'", "unknown key 'wieghts'; known are depth, activation, slope, clip"),
            ("depth = 2\nactivation = 'swish'", "unknown activation 'swish'; known are linear, relu"),
            ("depth = 2\nactivation = 1", f"activation must be a name ({', '.join(KNOWN)}), got 1"),
            ("depth = 2\nslope = 0.1", "slope is a parameter of leaky_relu, got it with relu"),
            ("depth = 2\nweight_variance = [1, 2, 3]", "weight_variance must be one value or 2, one per layer"),
            ("depth = 2\nweight_variance = '2'", "weight_variance must be a real number, got '2'"),
            ("depth = 2\nbias_variance = -1", "bias_variance must be >= 0, got -1"),
            ("depth = 2\nlayers = [{}]", "unknown key 'depth'; known are activation"),
            ("layers = []", "layers must be one or more [[layers]] tables, got []"),
            ("layers = 3", "layers must be one or more [[layers]] tables, got 3"),
            ("weight_variance = [1, 2]\n[[layers]]", "weight_variance must be one value where there are [[layers]]"),
            ("widths = 3", "widths must be a sequence of numbers > 0, one more than layers, got 3"),
            ("widths = [3, 2]\n[[layers]]\nrepeat = 2", "widths must be 3 numbers, N_0 to N_2 (depth = 2), got 2"),
            ("[[layers]]\nrepeat = 0", "[[layers]] number 1: repeat must be an integer >= 1, got 0"),
            (
                "[[layers]]\n[[layers]]\nclip = 1",
                "[[layers]] number 2: clip is a parameter of hard_tanh, got it with relu",
            ),
            ("[[layers]]\nactivation = {}", "[[layers]] number 1: activation must be a name"),
            ("[[layers]]\nweight_variance = [1]", "[[layers]] number 1: weight_variance must be one value, got [1]"),
            ("[[layers]]\nweights = 'gaussian'", "[[layers]] number 1: unknown key 'weights'; known are repeat"),
        ],
    )
    def test_bad_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "net.toml"
        path.write_text(text)
        assert main(["jacobian", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"freeconv jacobian: error: {path}: {message}")
        assert error.count("\n") == 1

    def test_not_text(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        path.write_bytes(b"\xff\xfe\x00")
        assert main(["ntk", str(path)]) == 2
        assert capsys.readouterr().err.startswith(f"freeconv ntk: error: {path}: ")

    def test_missing_file(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = tmp_path / "net.toml"
        assert main(["ntk", str(path)]) == 2
        assert capsys.readouterr().err == f"freeconv ntk: error: {path}: No such file or directory\n"

    def test_build_shares_parameters(self) -> None:
        net = build({"depth": 3, "activation": ["relu", "leaky_relu", "leaky_relu"], "slope": 0.5})
        assert net.activation == (fc.activations.ReLU(), *[fc.activations.LeakyReLU(0.5)] * 2)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "freeconv: error: the following arguments are required: COMMAND"),
            (["spectrum"], "freeconv: error: argument COMMAND: invalid choice: 'spectrum'"),
            (["ntk"], "freeconv ntk: error: a network is needed: a FILE.toml, or --depth"),
            (["ntk", "--depth", "0"], "freeconv ntk: error: depth must be an integer >= 1, got 0"),
            (["ntk", "--depth", "2.5"], "freeconv ntk: error: argument --depth: must be an integer, got '2.5'"),
            (
                ["ntk", "--depth", "2", "--activation", "swish"],
                "freeconv ntk: error: unknown activation 'swish'; known are",
            ),
            (["ntk", "--depth", "2", "--activation", "relu,"], "freeconv ntk: error: unknown activation ''; known are"),
            (
                ["ntk", "--depth", "3", "--activation", "relu,relu"],
                "freeconv ntk: error: activation must be one value or 3",
            ),
            (["ntk", "--depth", "2", "--weights", "haar"], "freeconv ntk: error: weights must be one of 'gaussian'"),
            (
                ["ntk", "--depth", "2", "--weight-variance", "0"],
                "freeconv ntk: error: weight_variance must be > 0, got 0",
            ),
            (
                ["ntk", "--depth", "2", "--weight-variance", "1,2,3"],
                "freeconv ntk: error: weight_variance must be one value",
            ),
            (
                ["ntk", "--depth", "2", "--weight-variance", "1,x"],
                "freeconv ntk: error: argument --weight-variance: must be",
            ),
            (
                ["ntk", "--depth", "2", "--weight-variance", "nan"],
                "freeconv ntk: error: weight_variance must be finite",
            ),
            (
                ["ntk", "--depth", "2", "--bias-variance", "-1"],
                "freeconv ntk: error: bias_variance must be >= 0, got -1.0",
            ),
            (
                ["ntk", "--depth", "2", "--input-variance", "big"],
                "freeconv ntk: error: argument --input-variance: must be",
            ),
            (["ntk", "--depth", "2", "--slope", "0.1"], "freeconv ntk: error: slope is a parameter of leaky_relu"),
            (
                ["ntk", "--depth", "2", "--points", "2"],
                "freeconv ntk: error: argument --points: must be an integer >= 3",
            ),
            (["ntk", "--depth", "2", "--width", "9"], "freeconv: error: unrecognized arguments: --width"),
            (
                ["ntk", "net.toml", "--depth", "2"],
                "freeconv ntk: error: --depth cannot be given together with a network",
            ),
        ],
    )
    def test_one_line_and_exit_code_2(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
    ) -> None:
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(message)
        assert captured.err.count("\n") == 1
        assert captured.out == ""

    def test_law_beyond_the_range_of_doubles(self, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["--depth", "400", "--activation", "hard_tanh", "--weight-variance", "1e4"]
        assert main(["jacobian", *arguments]) == 2
        error = capsys.readouterr().err
        assert error.startswith("freeconv jacobian: error: the law's mean and standard deviation must be doubles > 0")
        assert error.count("\n") == 1

    def test_what_is_not_certified_is_exit_code_1(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ConvergenceError("2 of 500 points could not be certified")

        monkeypatch.setattr(cli, "summarize", fail)
        assert main(["ntk", *RELU]) == 1
        assert capsys.readouterr().err == "freeconv ntk: error: 2 of 500 points could not be certified\n"

    def test_defects_keep_their_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise ValueError("a defect")

        monkeypatch.setattr(cli, "as_text", fail)
        with pytest.raises(ValueError, match="a defect"):
            main(["ntk", "--depth", "2"])


class TestProcess:
    def test_version(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "freeconv", "--version"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"freeconv {fc.__version__}\n", "")

    @pytest.mark.parametrize("arguments", [["--help"], ["jacobian", "--help"], ["ntk", "--help"]])
    def test_help(self, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
        text = run(capsys, *arguments)
        assert text.startswith("usage: freeconv")
        if len(arguments) > 1:
            for word in ("[[layers]]", "largest_eigenvalue", "x,density", "--weight-variance", "leaky_relu"):
                assert word in text

    def test_help_of_compare(self, capsys: pytest.CaptureFixture[str]) -> None:
        text = run(capsys, "compare", "--help")
        for word in ("{jacobian,ntk}", "[[layers]]", "--measured", "--seed", "--widths", "--plot"):
            assert word in text

    def test_error_has_no_traceback(self) -> None:
        command = [sys.executable, "-m", "freeconv", "ntk", "--depth", "-1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr == "freeconv ntk: error: depth must be an integer >= 1, got -1\n"

    def test_import_is_light(self) -> None:
        code = "import sys, freeconv; print({'argparse', 'matplotlib', 'tomllib', 'freeconv.cli'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout == "set()\n"


def load_isometry() -> fc.MLP:
    return fc.MLP(3, "hard_tanh", weights="orthogonal", weight_variance=1.1, bias_variance=0.02, input_variance=0.25)
