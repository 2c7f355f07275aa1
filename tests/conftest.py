"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run: a failure is a change of the code. Nothing is timed.
settings.register_profile("freeconv", derandomize=True, deadline=None)
settings.load_profile("freeconv")
