"""The shape of the code: who may import whom, what an import loads, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "freeconv"
CORE = ROOT / "csrc"
LONGEST = 450

# A module may import, while it is itself imported, what stands on an earlier line.  (The methods of Law, and a few
# functions that need a later layer in one rare case, import inside the function.)
LAYERS = (
    ("_core", "errors", "evaluation", "_validate", "_grids", "_segments", "_numeric"),
    ("activations.quadrature",),
    ("activations.two_point",),
    ("activations.base",),
    ("activations.piecewise_linear", "activations.logistic", "activations.chebyshev"),
    ("activations.sigmoidal", "activations.gated", "activations.exponential", "activations.periodic"),
    ("activations.custom",),
    ("activations.names",),
    ("activations",),
    ("contours.continuation", "contours.bracketed"),
    ("contours.pushforward",),
    ("contours.masses",),
    ("contours.path", "contours.preimages"),
    ("contours.panels",),
    ("contours.rules",),
    ("contours.values", "contours.wire"),
    ("contours",),
    ("laws.delegate",),
    ("laws.distribution_methods", "laws.shape_methods", "laws.transform_methods"),
    ("laws.base",),
    ("laws.leaves",),
    ("laws.isometry", "laws.empirical"),
    ("laws.operations", "laws.slopes"),
    ("laws",),
    ("hull", "series"),
    ("poisson",),
    ("simplify",),
    ("algebra",),
    ("atoms", "moments"),
    ("lowering", "closed"),
    ("engine", "configuration"),
    ("boundary",),
    ("transforms",),
    ("edges", "determinant"),
    ("spectrum", "distribution"),
    ("batch",),
    ("approach",),
    ("graded",),
    ("assembly",),
    ("spans",),
    ("tables",),
    ("compiled",),
    ("quadrature",),
    ("singular_values",),
    (
        "networks.mean_field",
        "networks.slopes",
        "networks.critical",
        "networks.rectangular",
        "networks.widths",
    ),
    ("networks.correlation",),
    ("networks.simulation",),
    ("networks.finite",),
    ("networks.simulation_methods",),
    ("networks.mlp",),
    ("networks.torch_modules",),
    ("networks",),
    ("curves", "comparison"),
    ("histogram",),
    ("plot",),
    ("__init__",),
    ("cli.network_file", "cli.report"),
    ("cli.compare",),
    ("cli.main",),
    ("cli",),
    ("__main__",),
)
LAYER = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}

SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
HEADERS = sorted(path for suffix in ("*.hpp", "*.cpp") for path in CORE.rglob(suffix))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imported_at_load(path: Path) -> Iterator[str]:
    """Modules of the package that the file imports outside functions, apart from those for type checkers only."""
    stack: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "freeconv":
                    yield name.name.partition(".")[2] or "__init__"
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "freeconv":
                for name in node.names:
                    yield name.name if name.name in LAYER else "__init__"
            elif node.module is not None and node.module.startswith("freeconv."):
                inside = node.module.removeprefix("freeconv.")
                for name in node.names:
                    full = f"{inside}.{name.name}"
                    yield full if full in LAYER else inside
        stack.extend(ast.iter_child_nodes(node))


def test_every_module_has_a_layer() -> None:
    assert {module_of(path) for path in SOURCES} == LAYER.keys() - {"_core"}


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_follow_the_layers(path: Path) -> None:
    module = module_of(path)
    wrong = [name for name in imported_at_load(path) if LAYER[name] >= LAYER[module]]
    assert wrong == []


def test_the_engine_alone_computes_with_the_core() -> None:
    importers = {
        module_of(path) for path in SOURCES if re.search(r"import.*\b_core\b|\b_core\b.*import", path.read_text())
    }
    assert importers == {"engine", "configuration", "__init__"}


@pytest.mark.parametrize("path", HEADERS, ids=lambda path: str(path.relative_to(CORE)))
def test_python_stays_in_the_bindings(path: Path) -> None:
    included = re.findall(r'#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(encoding="utf-8"))
    foreign = [name for name in included if name == "Python.h" or name.startswith(("pybind11", "numpy"))]
    assert not foreign or path.is_relative_to(CORE / "bindings")


def test_core_headers_point_one_way() -> None:
    order = ("numeric", "law", "tree", "compiled", "chain", "solver", "spectrum")
    include = CORE / "include" / "freeconv"
    assert sorted(path.name for path in include.iterdir() if path.is_dir()) == sorted(order)
    for path in include.rglob("*.hpp"):
        own = order.index(path.parent.name)
        for folder in re.findall(r'#include "freeconv/(\w+)/', path.read_text(encoding="utf-8")):
            assert order.index(folder) <= own, f"{path.name} includes {folder}"


@pytest.mark.parametrize("path", [*SOURCES, *HEADERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_import_loads_what_it_needs_only() -> None:
    program = "import sys, freeconv; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "freeconv" in loaded
    assert loaded.isdisjoint({"matplotlib", "argparse", "tomllib", "scipy", "torch", "tqdm"})


def test_import_needs_no_submodule_by_name() -> None:
    program = "import freeconv as fc; print(*(name for name in fc.__all__ if not hasattr(fc, name)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
