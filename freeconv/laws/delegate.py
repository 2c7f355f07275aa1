"""How the methods of a law reach what computes them: that imports the laws, and is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

__all__ = ["ScalarOrArray", "module"]

# A float for a scalar argument, an array for an array; as a union every caller would have to narrow it.
ScalarOrArray: TypeAlias = Any


def module(name: str) -> ModuleType:
    """Return the module `freeconv.name`."""
    return import_module(f"freeconv.{name}")
