"""Names of parametrised tests."""

from __future__ import annotations


def name_of(value: object) -> str:
    """Its repr; a function's would be an address, and processes that share the tests would not know them by it."""
    return "function" if callable(value) and hasattr(value, "__code__") else repr(value)
