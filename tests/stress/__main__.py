"""Run the stress: `python -m tests.stress --pairs 10000 --seed 1`; exit code 1 if anything is wrong."""

from __future__ import annotations

import argparse
import sys

from tests.stress.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000, help="(tree, point) pairs to try")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first tree")
    parser.add_argument("--points", type=int, default=100, help="points drawn for each tree")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after this time")
    parser.add_argument("--limit", type=float, default=20.0, help="seconds a tree may take")
    given = parser.parse_args()
    report = run(given.seed, pairs=given.pairs, points=given.points, minutes=given.minutes, limit=given.limit)
    print(report)
    return 1 if report.wrong else 0


sys.exit(main())
