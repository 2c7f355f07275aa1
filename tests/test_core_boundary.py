"""`freeconv._core` called directly: wrong arrays are errors and never a crash, and the stub, the versions, the kinds
and the statuses are those of the module.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import freeconv as fc
from freeconv import _core
from freeconv.lowering import KINDS, ProgramArrays, lower

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "csrc" / "include" / "freeconv"
NONE = np.empty(0)
LAW = fc.boxplus(fc.boxtimes(fc.MarchenkoPastur(0.5), fc.Discrete([1.0, 3.0], [0.5, 0.5])) * 2.0 + 1.0, fc.Semicircle())
NAMES = ProgramArrays._fields


def arrays() -> dict[str, NDArray[Any]]:
    return {name: array.copy() for name, array in lower(LAW).arrays()._asdict().items()}


def program_of(named: dict[str, NDArray[Any]]) -> Any:
    return tuple(named.values())


def spectrum(program: Any, **changes: Any) -> _core.Spectrum:
    arguments: dict[str, Any] = {
        "mean": LAW.mean(),
        "deviation": math.sqrt(LAW.variance()),
        "lowest": -math.inf,
        "highest": math.inf,
        "atom_locations": NONE,
        "atom_weights": NONE,
        "atom_points": NONE,
        "singular": NONE,
        "below_singular": NONE,
    }
    return _core.Spectrum(program, **(arguments | changes))


def both(program: Any) -> list[Callable[[], object]]:
    return [lambda: spectrum(program), lambda: _core.r_parts(program, False, np.array([0.1 + 0.0j]))]


GOOD = spectrum(program_of(arrays()))


def test_the_good_program_is_good() -> None:
    assert GOOD.complete
    assert GOOD.child_count == 2
    density, cdf, potential, status, residual, accuracy, iterations = GOOD.evaluate(np.array([LAW.mean(), math.nan]))
    assert cdf is None
    assert potential is None
    assert isinstance(residual, np.ndarray)
    assert isinstance(accuracy, np.ndarray)
    assert isinstance(iterations, np.ndarray)
    assert density.dtype == residual.dtype == accuracy.dtype == np.float64
    assert status.dtype == np.int8
    assert iterations.dtype == np.int32
    assert density[0] == LAW.density(LAW.mean())
    assert status.tolist() == [fc.Status.CERTIFIED, fc.Status.NOT_A_NUMBER]
    cauchy, omega, potential, status = GOOD.solve(np.array([1.0 + 1.0j, 2.0j, math.nan]))
    assert (cauchy.shape, omega.shape, potential.shape, status.shape) == ((3,), (2, 3), (3,), (3,))


@pytest.mark.parametrize("length", range(6))
def test_programs_have_six_arrays(length: int) -> None:
    for call in both(program_of(arrays())[:length]):
        with pytest.raises(ValueError, match=f"6 arrays, got {length}"):
            call()


@pytest.mark.parametrize("program", [None, 1, "program", [], {}, np.zeros(6)])
def test_a_program_is_a_tuple(program: object) -> None:
    for call in both(program):
        with pytest.raises(TypeError, match=r"incompatible (function|constructor) arguments"):
            call()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.uint64, np.int8, np.bool_, object, "U4", "M8[s]"])
def test_wrong_dtypes_of_a_program(name: str, dtype: Any) -> None:
    program = arrays()
    try:
        program[name] = np.zeros(program[name].shape, dtype="i8").astype(dtype)
    except TypeError:
        program[name] = np.zeros(program[name].shape, dtype=dtype)
    for call in both(program_of(program)):
        with pytest.raises((TypeError, ValueError)):
            call()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, 3, "text", [], [1, 2], object()])
def test_wrong_types_in_a_program(name: str, value: object) -> None:
    for call in both(tuple((arrays() | {name: value}).values())):
        with pytest.raises((TypeError, ValueError)):
            call()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (1, -1), (-1, 1)])
def test_wrong_dimensions_of_a_program(name: str, shape: tuple[int, ...]) -> None:
    program = arrays()
    program[name] = program[name][0].reshape(()) if shape == () else program[name].reshape(shape)
    for call in both(program_of(program)):
        with pytest.raises(ValueError, match="must have one dimension"):
            call()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [-1, 1])
def test_wrong_lengths_of_a_program(name: str, change: int) -> None:
    program = arrays()
    array = program[name]
    program[name] = array[:-1] if change < 0 else np.concatenate([array, array[-1:]])
    for call in both(program_of(program)):
        with pytest.raises(ValueError, match=r"must have length \d+, got \d+|offsets must"):
            call()


@pytest.mark.parametrize(
    ("name", "position", "value", "message"),
    [
        ("kinds", 0, -1, "unknown node kind"),
        ("kinds", 0, len(KINDS), "unknown node kind"),
        ("kinds", 0, 2**31 - 1, "unknown node kind"),
        ("kinds", 0, KINDS.index("boxplus"), "parameters do not fit"),
        ("parameter_offsets", 0, 1, "offsets must start at 0"),
        ("parameter_offsets", -1, 0, "offsets must start at 0"),
        ("parameter_offsets", 1, -1, "offsets must not decrease"),
        ("parameter_offsets", 1, 2**62, "offsets must not decrease"),
        ("parameter_offsets", 1, 0, "parameters do not fit"),
        ("child_offsets", 0, 1, "offsets must start at 0"),
        ("child_offsets", -1, -1, "offsets must start at 0"),
        ("child_offsets", 2, -(2**62), "offsets must not decrease"),
        ("child_offsets", 1, 1, "children do not fit"),
        ("children", 0, -1, "a child must stand before its parent"),
        ("children", 0, 2**62, "a child must stand before its parent"),
        ("children", 1, 0, "a node must have one parent"),
        ("multiplicities", 0, 0.0, "multiplicities must be positive"),
        ("multiplicities", 0, math.nan, "multiplicities must be positive"),
        ("multiplicities", 0, math.inf, "multiplicities must be positive"),
        ("parameters", 0, math.nan, "parameters must be finite"),
        ("parameters", -1, math.inf, "parameters must be finite"),
        ("parameters", 2, -1.0, "parameters do not fit"),
    ],
)
def test_inconsistent_programs(name: str, position: int, value: float, message: str) -> None:
    program = arrays()
    program[name][position] = value
    for call in both(program_of(program)):
        with pytest.raises(ValueError, match=message):
            call()


def test_an_empty_program() -> None:
    empty = (
        np.empty(0, np.int32),
        np.zeros(1, np.int64),
        np.empty(0),
        np.zeros(1, np.int64),
        np.empty(0, np.int64),
        np.empty(0),
    )
    for call in both(empty):
        with pytest.raises(ValueError, match="at least one node"):
            call()


def test_random_programs_never_crash() -> None:
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(3000):
        program = arrays()
        name = NAMES[rng.integers(len(NAMES))]
        array = program[name]
        values = [0, 1, -1, 2, 5, 7, 2**31 - 1] if array.dtype.kind == "i" else [0.0, -1.0, math.nan, math.inf, 1e308]
        array[rng.integers(array.size)] = values[rng.integers(len(values))]
        try:
            _core.r_parts(program_of(program), True, np.array([-0.1 + 0.0j]))
        except ValueError:
            refused += 1
    assert refused > 1000


@pytest.mark.parametrize("deviation", [0.0, -1.0, math.nan])
def test_deviation_is_positive(deviation: float) -> None:
    with pytest.raises(ValueError, match="deviation must be > 0"):
        spectrum(program_of(arrays()), deviation=deviation)


@pytest.mark.parametrize("name", ["mean", "deviation"])
@pytest.mark.parametrize("value", [None, "1", 1j, [1.0], np.zeros(2)])
def test_numbers_are_numbers(name: str, value: object) -> None:
    with pytest.raises(TypeError):
        spectrum(program_of(arrays()), **{name: value})


@pytest.mark.parametrize("name", ["atom_locations", "atom_weights", "atom_points", "singular", "below_singular"])
@pytest.mark.parametrize("value", [None, [], "text", np.empty(0, np.float32), np.empty(0, complex), np.empty(0, int)])
def test_facts_are_arrays_of_doubles(name: str, value: object) -> None:
    with pytest.raises(TypeError):
        spectrum(program_of(arrays()), **{name: value})


def test_atoms_have_weights() -> None:
    with pytest.raises(ValueError, match="atom_weights must have length 2, got 1"):
        spectrum(program_of(arrays()), atom_locations=np.zeros(2), atom_weights=np.ones(1))
    with pytest.raises(ValueError, match="singular must have one dimension"):
        spectrum(program_of(arrays()), singular=np.zeros((1, 1)))
    with pytest.raises(ValueError, match="atom_points must have length 1, got 0"):
        spectrum(program_of(arrays()), atom_locations=np.zeros(1), atom_weights=np.ones(1))
    with pytest.raises(ValueError, match="below_singular must have length 2, got 1"):
        spectrum(program_of(arrays()), singular=np.array([1.0, 2.0]), below_singular=np.ones(1))
    with pytest.raises(ValueError, match="singular points must be ascending"):
        spectrum(program_of(arrays()), singular=np.array([2.0, 1.0]), below_singular=np.ones(2))


@pytest.mark.parametrize(
    "x", [None, 1.0, [1.0], "x", np.zeros(2, np.float32), np.zeros(2, int), np.zeros(2, complex), np.zeros(2, object)]
)
def test_evaluate_takes_doubles_only(x: Any) -> None:
    with pytest.raises(TypeError):
        GOOD.evaluate(x)


@pytest.mark.parametrize("z", [None, 1j, [1j], np.zeros(2), np.zeros(2, np.complex64), np.zeros(2, object)])
def test_solve_takes_complex_doubles_only(z: Any) -> None:
    with pytest.raises(TypeError):
        GOOD.solve(z)
    with pytest.raises(TypeError):
        _core.r_parts(program_of(arrays()), False, z)


@pytest.mark.parametrize("shape", [(), (2, 2), (0, 3)])
def test_grids_have_one_dimension(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="x must have one dimension"):
        GOOD.evaluate(np.ones(shape))
    with pytest.raises(ValueError, match="z must have one dimension"):
        GOOD.solve(np.ones(shape, complex))


def test_empty_grids() -> None:
    assert [array.shape for array in GOOD.evaluate(np.empty(0), True, True) if array is not None] == [(0,)] * 7
    assert [array.shape for array in GOOD.solve(np.empty(0, complex))] == [(0,), (2, 0), (0,), (0,)]
    assert GOOD.invert(np.empty(0)).shape == (0,)
    assert _core.r_parts(program_of(arrays()), True, np.empty(0, complex)).shape == (0,)


def test_long_chains_of_size_changes_load() -> None:
    n = 10**6  # recursion overflowed the stack
    program = (
        np.array([2, *[9] * n, 6], dtype=np.int32),
        np.concatenate([[0], 4 + np.arange(n + 2)]).astype(np.int64),
        np.ones(n + 5),
        np.concatenate([[0], np.arange(n + 2)]).astype(np.int64),
        np.arange(n + 1, dtype=np.int64),
        np.ones(n + 1),
    )
    assert _core.r_parts(program, True, np.empty(0, complex)).shape == (0,)


# --- the stub, the versions, the lists that are written down twice ---------------------------------------------------


def stub_signatures() -> dict[str, list[str]]:
    """Parameter names by qualified name; properties have none."""
    tree = ast.parse((ROOT / "freeconv" / "_core.pyi").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}

    def add(prefix: str, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                add(f"{node.name}.", node.body)
            elif isinstance(node, ast.FunctionDef):
                found[prefix + node.name] = [argument.arg for argument in node.args.args if argument.arg != "self"]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[prefix + node.target.id] = []

    add("", tree.body)
    return found


def module_signatures() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}

    def parameters(function: object) -> list[str]:
        line = (inspect.getdoc(function) or "").splitlines()[0]
        inside = line[line.index("(") + 1 : line.rindex(") -> ")]
        return [name for name in re.findall(r"(\w+): ", inside) if name != "self"]

    for name, value in vars(_core).items():
        if isinstance(value, (str, tuple)) and (name == "__version__" or not name.startswith("_")):
            found[name] = []
        elif inspect.isclass(value):
            for member, attribute in vars(value).items():
                if isinstance(attribute, property):
                    found[f"{name}.{member}"] = []
                elif member == "__init__" or (callable(attribute) and not member.startswith("_")):
                    found[f"{name}.{member}"] = parameters(attribute)
        elif callable(value) and not name.startswith("_"):
            found[name] = parameters(value)
    return found


def test_the_stub_is_the_module() -> None:
    assert stub_signatures() == module_signatures()


def enumerators(header: str, name: str) -> list[tuple[str, int]]:
    text = (INCLUDE / header).read_text(encoding="utf-8")
    body = re.search(rf"enum class {name}\b[^{{]*{{(.*?)}};", text, re.DOTALL)
    assert body is not None
    entries = re.sub(r"//[^\n]*", "", body[1]).replace("\n", " ").split(",")
    found: list[tuple[str, int]] = []
    for entry in filter(None, map(str.strip, entries)):
        key, _, value = (part.strip() for part in entry.partition("="))
        found.append((key, int(value) if value else found[-1][1] + 1 if found else 0))
    return found


def test_kinds_are_those_of_the_core() -> None:
    assert enumerators("tree/program.hpp", "Kind") == [(kind, i) for i, kind in enumerate(KINDS)]
    count = re.search(r"kKindCount = (\d+);", (INCLUDE / "tree/program.hpp").read_text(encoding="utf-8"))
    assert count is not None
    assert int(count[1]) == len(KINDS)


def test_statuses_are_those_of_the_core() -> None:
    assert enumerators("solver/status.hpp", "Status") == [(one.name.lower(), one.value) for one in fc.Status]


def test_one_version() -> None:
    assert fc.__version__ == _core.__version__ == version("freeconv")


def laws_of(count: int = 2) -> dict[str, Any]:
    law = fc.MLP(2, weight_variance=2.0).jacobian()
    arrays = lower(law).arrays()
    return {
        "structure": arrays,
        "parameters": np.stack([arrays.parameters] * count),
        "multiplicities": np.stack([arrays.multiplicities] * count),
        "x": np.array([[0.5, 1.0, 2.0]]),
        "shared": True,
        "rows": np.arange(count),
        "values": np.full((count, 3), 7.0),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": np.ones((2, 3))}, r"parameters must have shape \(2, 7\)"),
        ({"parameters": np.ones(7)}, "parameters must have two dimensions"),
        ({"multiplicities": np.ones((2, 9))}, r"multiplicities must have shape \(2, 2\)"),
        ({"x": np.ones((3, 4)), "shared": False}, r"x must have shape \(2, 3\)"),
        ({"rows": np.arange(3)}, "rows must be one for each law"),
        ({"rows": np.array([0, 2])}, "rows must be rows of values"),
        ({"values": np.ones(3)}, "values must have two dimensions"),
        ({"x": np.ones(3)}, "x must have shape"),
    ],
)
def test_batches_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.evaluate_laws(**{**laws_of(), **change})


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 0.0, 1e300, 1e-300])
def test_a_batch_of_nonsense_is_left_uncertified_or_right(value: float) -> None:
    arguments = laws_of()
    arguments["parameters"][1, :] = value
    left = _core.evaluate_laws(**arguments)
    density = arguments["values"]
    assert not left[0]
    assert not np.isnan(density[0]).any()
    assert left[1] == np.isnan(density[1]).any()
