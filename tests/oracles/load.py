"""Read the reference tables, and build freeconv laws from their specifications.

Needs nothing but the standard library and NumPy until `build` is called, which imports freeconv.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Tables with tests of their own: many slow laws, or no laws.
APART = ("slope_cauchy", "slopes")
TABLES = Path(__file__).resolve().parent / "tables"


@dataclass(frozen=True)
class Reference:
    """One entry of a table; what is not known is None or empty.

    Attributes
    ----------
    table, name
        Where it comes from.
    spec
        The law (see `tests.oracles.specs`).
    x, density
        Points inside the support (or exact zeros) and the density at those doubles, correctly rounded.
    cdf
        The distribution function at `x`, right-continuous, atoms included.
    support
        (k, 2) intervals of the continuous part, or None.
    atoms
        (k, 2) pairs location, weight, or None.
    singular_points
        Where two atoms meet 1 exactly.
    moments
        From the first on.
    """

    table: str
    name: str
    spec: dict[str, Any]
    x: NDArray[np.float64]
    density: NDArray[np.float64]
    cdf: NDArray[np.float64]
    support: NDArray[np.float64] | None
    atoms: NDArray[np.float64] | None
    singular_points: NDArray[np.float64]
    moments: NDArray[np.float64]

    def __str__(self) -> str:
        return f"{self.table}: {self.name}"


def names() -> list[str]:
    """Names of all tables of laws that `tests.test_reference` goes through."""
    return sorted(path.stem for path in TABLES.glob("*.json") if path.stem not in APART)


def load(name: str) -> list[Reference]:
    """All entries of a table."""
    data = json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))
    return [
        Reference(
            table=name,
            name=entry["name"],
            spec=entry["law"],
            x=_array(entry.get("x", [])),
            density=_array(entry.get("density", [])),
            cdf=_array(entry.get("cdf", [])),
            support=_pairs(entry.get("support")),
            atoms=_pairs(entry.get("atoms")),
            singular_points=_array(entry.get("singular_points", [])),
            moments=_array(entry.get("moments", [])),
        )
        for entry in data["entries"]
    ]


def _array(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def _pairs(values: list[list[float]] | None) -> NDArray[np.float64] | None:
    return None if values is None else np.array(values, dtype=np.float64).reshape(-1, 2)


def build(spec: dict[str, Any], inner: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """The freeconv law of a specification; what is below its operation is built by `inner`."""
    import freeconv as fc

    package: Any = fc
    inner = inner or build
    (kind, data), *_ = spec.items()
    if kind == "affine":
        law = inner(data["law"])
        law = law if data["scale"] == 1.0 else data["scale"] * law
        return law if data["shift"] == 0.0 else law + data["shift"]
    if kind == "compress":
        return package.compress(inner(data["law"]), data["t"])
    if kind == "resize":
        return package.resize(inner(data["law"]), data["ratio"])
    if kind in ("boxtimes", "boxplus"):
        power = getattr(package, f"{kind}_power")
        factors = [(inner(factor["law"]), factor["power"]) for factor in data]
        return getattr(package, kind)(*[law if t == 1.0 else power(law, t) for law, t in factors])
    return getattr(package, kind)(**data)
