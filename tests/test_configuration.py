"""What the package says of itself, and the choice of an instruction set."""

from __future__ import annotations

import os
import platform
import shutil
import site
import subprocess
import sys

import pytest

import freeconv as fc
from freeconv import _core

LAWS = """
import numpy as np, freeconv as fc
laws = [
    fc.MLP(3, weight_variance=2.0).jacobian(),
    fc.MLP(40, weights="orthogonal", weight_variance=2.0).jacobian(),
    fc.MLP(6, "hard_tanh", weights="orthogonal", weight_variance=1.5, bias_variance=0.1).ntk(),
    fc.MLP(4, weight_variance=2.0).ntk(),
    fc.boxtimes(fc.MarchenkoPastur(0.3), fc.MarchenkoPastur(2.5), fc.Bernoulli(0.9, 3.0)),
    fc.boxplus(fc.Semicircle(), fc.Discrete([-1.0, 2.0], [0.5, 0.5])),
    fc.boxtimes(fc.MarchenkoPastur(0.3), fc.Discrete([0.0, 1.0, 3.0], [0.2, 0.3, 0.5])),
    fc.boxtimes_power(fc.boxtimes(fc.SlopeLaw("tanh", 0.57), fc.MarchenkoPastur()), 3.0),
]
for law in laws:
    low, high = law.support()[0, 0], law.support()[-1, 1]
    x = np.concatenate([np.linspace(low, high, 1003)[1:-1], low + (high - low) * np.geomspace(1e-12, 0.5, 301)])
    record = law.evaluate(x)
    print(record.density.tobytes().hex(), record.cdf.tobytes().hex(), record.accuracy.tobytes().hex())
    print(law.quantile(np.linspace(0.01, 0.99, 57)).tobytes().hex())
many = [fc.MLP(depth, "hard_tanh", weight_variance=2.0, bias_variance=0.1).jacobian() for depth in (1, 2, 3, 3, 3, 9)]
print(fc.densities(many, np.geomspace(1e-9, 20.0, 500)).tobytes().hex())
"""


def run(isa: str, program: str = LAWS) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FREECONV_ISA": isa}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


def test_configuration_names_what_is_in_use() -> None:
    found = fc.show_config(mode="dicts")
    assert found is not None
    assert found["version"] == fc.__version__
    assert found["isa"] == _core.isa
    assert found["available_isas"] == list(_core.available_isas)
    assert _core.available_isas[0] == "baseline"
    assert _core.isa in _core.available_isas


def test_configuration_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert fc.show_config() is None
    printed = capsys.readouterr().out
    assert f"isa: {_core.isa}" in printed
    assert f"version: {fc.__version__}" in printed


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode must be one of 'stdout', 'dicts', got 'json'"):
        fc.show_config(mode="json")  # type: ignore[arg-type]


def test_every_instruction_set_gives_the_same_bits() -> None:
    results = {}
    for isa in _core.available_isas:
        done = run(isa)
        assert done.returncode == 0, done.stderr
        results[isa] = done.stdout
    assert len(results["baseline"]) > 10_000
    for isa, result in results.items():
        assert result == results["baseline"], isa


def test_a_forced_instruction_set_is_in_use() -> None:
    for isa in _core.available_isas:
        assert run(isa, "from freeconv import _core; print(_core.isa)").stdout.strip() == isa


def test_an_unknown_instruction_set_is_refused() -> None:
    done = run("x86-64-v9", "import freeconv")
    assert done.returncode != 0
    assert "FREECONV_ISA must be one of baseline" in done.stderr
    assert "got 'x86-64-v9'" in done.stderr


OLDER = """
import numpy as np, freeconv as fc
from freeconv import _core
laws = [fc.MLP(3, weight_variance=2.0).jacobian(), fc.MLP(3, "hard_tanh", weights="orthogonal").ntk()]
for law in laws:
    low, high = law.support()[0, 0], law.support()[-1, 1]
    record = law.evaluate(np.linspace(low, high, 99)[1:-1])
    print(record.density.tobytes().hex(), record.cdf.tobytes().hex())
print(_core.isa)
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="needs qemu-user")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="of the instruction sets of x86-64")
@pytest.mark.parametrize(("processor", "isa"), [("Nehalem", "baseline"), ("Haswell", "x86-64-v3")])
def test_older_processors_choose_what_they_have(processor: str, isa: str) -> None:
    here = subprocess.run([sys.executable, "-c", OLDER], capture_output=True, text=True, check=True).stdout
    paths = "".join(f"site.addsitedir({path!r}); " for path in site.getsitepackages())
    there = subprocess.run(
        ["qemu-x86_64", "-cpu", processor, os.path.realpath(sys.executable), "-c", f"import site; {paths}\n{OLDER}"],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": processor},
        check=True,
    ).stdout
    assert there.splitlines()[-1] == isa
    assert there.splitlines()[:-1] == here.splitlines()[:-1]
