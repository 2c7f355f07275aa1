"""Turn the JSON of pytest-benchmark into docs/benchmarks.md.

Run: python -m pytest bench --benchmark-json=build/benchmarks.json && python -m bench.report build/benchmarks.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

DEFAULT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

HEADER = """# Benchmarks

{machine}; medians of one run, freeconv on one thread.  Compare the rows of a group with each other: times move with
the machine, ratios hardly.  Each benchmark asserts its answer before it is timed.

freeconv is evaluated on the axis and each of its points is certified.  The NumPy rows check no branch and, but for
companion matrices, stop at an imaginary part of 1e-9 of the scale; *error* is the largest relative difference they have
from freeconv at the points timed.  Their continuation takes as few heights and steps as keep the right root here.

To reproduce:

```
python -m pytest bench --benchmark-json=build/benchmarks.json
python -m bench.report build/benchmarks.json
```
"""


def main() -> None:
    """Write the report named on the command line."""
    parser = argparse.ArgumentParser(description="Turn the JSON of pytest-benchmark into a page of tables.")
    parser.add_argument("json", type=Path)
    parser.add_argument("--output", type=Path, default=DEFAULT)
    parser.add_argument("--machine", default="2 cores, shared x86-64")
    arguments = parser.parse_args()
    benchmarks = json.loads(arguments.json.read_text(encoding="utf-8"))["benchmarks"]
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(render(benchmarks, arguments.machine), encoding="utf-8")


def render(benchmarks: list[dict[str, Any]], machine: str) -> str:
    """Return the page: groups with points first, one table for all the others."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for benchmark in benchmarks:
        groups.setdefault(benchmark["group"], []).append(benchmark)
    per_point = {name: rows for name, rows in groups.items() if any(row["extra_info"]["points"] > 1 for row in rows)}
    calls = {name: rows for name, rows in groups.items() if name not in per_point}
    parts = [HEADER.format(machine=machine), "## Densities", ""]
    parts += ["| law | by | points | ns per point | points per second | against freeconv | error |"]
    parts += ["|---|---|---:|---:|---:|---:|---:|"]
    for name, rows in per_point.items():
        parts += [point_row(name, row, rows[0]) for row in rows]
    parts += ["", "## Calls", "", "| what | by | ms | against freeconv | error |", "|---|---|---:|---:|---:|"]
    for name, rows in calls.items():
        parts += [call_row(name, row, rows[0]) for row in rows]
    return "\n".join(parts) + "\n"


def seconds(row: dict[str, Any]) -> float:
    """Median of a round, per point."""
    return float(row["stats"]["median"]) / float(row["extra_info"]["points"])


def point_row(name: str, row: dict[str, Any], first: dict[str, Any]) -> str:
    """One line of the first table."""
    who, points, error = (row["extra_info"][key] for key in ("who", "points", "error"))
    return (
        f"| {name if row is first else ''} | {who} | {points} | {significant(1e9 * seconds(row))} | "
        f"{significant(1.0 / seconds(row))} | {ratio(row, first)} | {accuracy(error)} |"
    )


def call_row(name: str, row: dict[str, Any], first: dict[str, Any]) -> str:
    """One line of the second table."""
    label = name if row is first else ""
    who, error = row["extra_info"]["who"], row["extra_info"]["error"]
    return f"| {label} | {who} | {significant(1e3 * seconds(row))} | {ratio(row, first)} | {accuracy(error)} |"


def ratio(row: dict[str, Any], first: dict[str, Any]) -> str:
    """How many times the first row's time this one takes."""
    return "1" if row is first else f"{significant(seconds(row) / seconds(first), 2)} ×"


def significant(value: float, digits: int = 3) -> str:
    """A number with few digits, no exponent, and thin spaces between thousands."""
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}".replace(",", "\u2009") if abs(float(text)) >= 10 ** (digits - 1) else text


def accuracy(error: float | None) -> str:
    """The error of a baseline, as a power of ten with one digit."""
    return "" if error is None else f"{error:.0e}"


if __name__ == "__main__":
    main()
