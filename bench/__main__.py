"""Run the benchmarks and write one table: python -m bench [--quick] [--only GROUP] [--markdown FILE] [--json FILE]."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import freeconv as fc
from bench.groups import GROUPS
from bench.report import markdown, replace_table, write_json
from bench.timing import Outcome, run_group

__all__ = ["machine", "main"]


def machine() -> dict[str, Any]:
    """What the numbers depend on: processor, compiler, instruction set, versions, and how busy the machine is."""
    found: dict[str, Any] = {"processor": _processor(), **(fc.show_config(mode="dicts") or {})}
    if hasattr(os, "getloadavg"):
        found["load"] = f"{os.getloadavg()[0]:.1f}"
    return found


def _processor() -> str:
    """The name that Linux has for it, or what is known elsewhere."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine if hasattr(os, "uname") else "unknown"


def main(arguments: list[str] | None = None) -> None:
    """Run the groups that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Assert all answers, then time them.")
    parser.add_argument("--quick", action="store_true", help="fewer points, two rounds")
    parser.add_argument(
        "--only", action="append", metavar="GROUP", choices=[group.key for group in GROUPS], help="may be repeated"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="a page: tables go between its marks")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    outcomes: list[Outcome] = []
    for group in GROUPS:
        if options.only is None or group.key in options.only:
            print(f"{group.key} …", file=sys.stderr, flush=True)
            outcomes.append(run_group(group, quick=options.quick))
            # After each group: a run that is interrupted leaves what it has.
            if options.json is not None:
                write_json(options.json, machine(), outcomes)
            if options.markdown is not None:
                replace_table(options.markdown, markdown(machine(), outcomes))
    print(markdown(machine(), outcomes))


if __name__ == "__main__":
    main()
