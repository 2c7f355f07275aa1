"""The machinery: minima, tables, targets, the gate on instructions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import instructions
from bench.case import Case, Group, Job, Reading, Skip, Target, per_point
from bench.report import markdown, replace_table, significant, targets, write_json
from bench.timing import Outcome, run_group


def absent(quick: bool) -> Job:
    raise Skip("not installed")


def outcome() -> Outcome:
    sums = Case("sum", lambda quick: Job(lambda: sum(range(20_000)), points=20_000, error=1e-12), rounds=2)
    group = Group(
        "key",
        "A title",
        (sums, Case("bytes", lambda quick: Reading(3.0, "bytes")), Case("peer", absent)),
        (
            Target("itself", per_point("sum", "sum"), 2.0),
            Target("more of itself", per_point("sum", "sum"), 2.0, at_least=True),
            Target("the peer", per_point("peer", "sum"), 2.0, at_least=True),
        ),
    )
    return run_group(group, quick=True)


def test_rows_are_per_point_and_skips_are_told() -> None:
    found = outcome()
    assert list(found.rows) == ["sum", "bytes"]
    assert 1e-10 < found.rows["sum"].value < 1e-5
    assert found.rows["bytes"].value == 3.0
    assert found.skipped == {"peer": "not installed"}


def test_targets_are_compared_with_what_was_asked() -> None:
    found = targets([outcome()])
    assert [(target.what, value, target.met(value)) for _, target, value in found] == [
        ("itself", 1.0, True),
        ("more of itself", 1.0, False),
    ]


def test_tables_go_between_the_marks(tmp_path: Path) -> None:
    table = markdown({"processor": "any", "isas": ["a", "b"]}, [outcome()])
    assert "Measured with: processor any; isas a, b." in table
    assert "| more of itself | ≥ 2 × | 1 × | **no** |" in table
    assert "Skipped: key: peer (not installed)." in table
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table: begin -->old<!-- table: end -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        replace_table(page, table)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("A title") == 1


def test_json_holds_all_numbers(tmp_path: Path) -> None:
    write_json(tmp_path / "table.json", {"processor": "any"}, [outcome()])
    data = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert data["groups"][0]["rows"][1] == {"name": "bytes", "value": 3.0, "unit": "bytes", "points": 1, "error": None}
    assert [target["met"] for target in data["targets"]] == [True, False]


def test_names_of_cases_differ() -> None:
    with pytest.raises(ValueError, match="must differ"):
        Group("key", "A title", (Case("a", absent), Case("a", absent)))


@pytest.mark.parametrize(("value", "text"), [(0.012345, "0.0123"), (12345.6, "12\u2009300"), (1.0, "1")])
def test_numbers_have_few_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_the_gate_fails_at_three_per_cent() -> None:
    table, grown = instructions.compare(
        {"a": 102.9, "b": 103.1, "c": 50.0, "d": 1.0}, {"a": 100.0, "b": 100.0, "c": 100.0}
    )
    assert grown == ["b", "d"]
    assert "fell: run with --update" in table
    assert "not in the baseline" in table


def test_the_baseline_has_all_workloads() -> None:
    for counts in json.loads(instructions.BASELINE.read_text(encoding="utf-8")).values():
        assert counts.keys() == instructions.WORKLOADS.keys()
        assert min(counts.values()) > 0.0
