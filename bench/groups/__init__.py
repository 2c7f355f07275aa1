"""All groups, in the order of the table."""

from __future__ import annotations

from bench.case import Group
from bench.groups import calls, growth, kernels, products, relu

__all__ = ["GROUPS"]

GROUPS: tuple[Group, ...] = (*relu.GROUPS, *growth.GROUPS, *kernels.GROUPS, *products.GROUPS, *calls.GROUPS)
