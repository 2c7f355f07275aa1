"""Write what was measured: Markdown to read, JSON to compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.case import Group, Row, Target
from bench.timing import Outcome

__all__ = ["markdown", "replace_table", "targets", "write_json"]

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def targets(outcomes: Sequence[Outcome]) -> list[tuple[Group, Target, float]]:
    """What was asked and measured; targets whose rows were skipped are left out."""
    found = []
    for outcome in outcomes:
        for target in outcome.group.targets:
            try:
                found.append((outcome.group, target, target.measure(outcome.rows)))
            except KeyError:
                continue
    return found


def write_json(path: Path, machine: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Write all numbers with the machine they are from."""
    groups = [
        {
            "group": outcome.group.key,
            "title": outcome.group.title,
            "rows": [vars(row) for row in outcome.rows.values()],
            "skipped": outcome.skipped,
        }
        for outcome in outcomes
    ]
    asked = [
        {
            "group": group.key,
            "what": target.what,
            "measured": value,
            "asked": target.asked,
            "at_least": target.at_least,
            "unit": target.unit,
            "met": target.met(value),
        }
        for group, target, value in targets(outcomes)
    ]
    data = {"machine": machine, "groups": groups, "targets": asked}
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def markdown(machine: dict[str, Any], outcomes: Sequence[Outcome]) -> str:
    """Return the tables: the machine, what is asked, and all rows."""
    described = "; ".join(f"{key} {_words(value)}" for key, value in machine.items())
    parts = [f"Measured with: {described}.", ""]
    asked = targets(outcomes)
    if asked:
        parts += ["### What is asked", "", "| what | asked | measured | |", "|---|---:|---:|---|"]
        parts += [_target_row(target, value) for _, target, value in asked]
        parts += [""]
    parts += ["### All rows", "", "| group | by | points | per point | against the first | error |"]
    parts += ["|---|---|---:|---:|---:|---:|"]
    for outcome in outcomes:
        rows = list(outcome.rows.values())
        parts += [_row(outcome.group.title if row is rows[0] else "", row, rows[0]) for row in rows]
    skipped = [
        f"{outcome.group.key}: {name} ({reason})" for outcome in outcomes for name, reason in outcome.skipped.items()
    ]
    if skipped:
        parts += ["", f"Skipped: {'; '.join(skipped)}."]
    return "\n".join(parts) + "\n"


def replace_table(path: Path, table: str) -> None:
    """Write the tables between the marks of a page that has them, or as a page of their own."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        table = f"{before}{BEGIN}\n\n{table}\n{END}{rest.partition(END)[2]}"
    path.write_text(table, encoding="utf-8")


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _target_row(target: Target, value: float) -> str:
    sign = "≥" if target.at_least else "≤"
    verdict = "yes" if target.met(value) else "**no**"
    return f"| {target.what} | {sign} {target.asked:g} {target.unit} | {significant(value)} {target.unit} | {verdict} |"


def _row(title: str, row: Row, first: Row) -> str:
    value = _time(row.value) if row.unit == "s" else f"{significant(row.value)} {row.unit}"
    ratio = "1" if row is first else f"{significant(row.value / first.value)} ×" if first.value > 0.0 else ""
    error = "" if row.error is None else f"{row.error:.0e}"
    return f"| {title} | {row.name} | {significant(row.points, 8)} | {value} | {ratio} | {error} |"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1.0:
            return f"{significant(seconds * scale)} {unit}"
    return f"{significant(seconds * 1e9)} ns"


def significant(value: float, digits: int = 3) -> str:
    """A number with few digits, no exponent, and thin spaces between thousands.

    >>> significant(0.012345), significant(12345.6)
    ('0.0123', '12\u2009300')
    """
    text = f"{value:.{digits}g}"
    return f"{float(text):,.0f}".replace(",", "\u2009") if abs(float(text)) >= 10 ** (digits - 1) else text
