"""All groups, in the order of the table: what takes longest at the end, for a run may be interrupted."""

from __future__ import annotations

from bench.case import Group
from bench.groups import calls, growth, kernels, products, relu, slopes, tables

__all__ = ["GROUPS"]

LAST = ("workers", "memory", "laws", "peers", "atoms")

_ALL = (*relu.GROUPS, *kernels.GROUPS, *products.GROUPS, *slopes.GROUPS, *calls.GROUPS, *tables.GROUPS, *growth.GROUPS)

GROUPS: tuple[Group, ...] = tuple(sorted(_ALL, key=lambda group: LAST.index(group.key) if group.key in LAST else -1))
