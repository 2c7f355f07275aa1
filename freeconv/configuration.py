"""What freeconv was built with and runs on: for reports of benchmarks and of bugs."""

from __future__ import annotations

import os
import platform
from typing import Literal

import numpy as np

from freeconv import _core
from freeconv._validate import choice

__all__ = ["show_config"]


def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, str | int | list[str]] | None:
    """Print what freeconv was built with and runs on, or return it.

    The core's kernels are compiled for several instruction sets; the best that the processor has is picked when the
    package is imported. The environment variable ``FREECONV_ISA`` forces one of them (``baseline`` runs everywhere);
    results are the same to the last bit.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Whether to print, or to return a dictionary, as in `numpy.show_config`.

    Returns
    -------
    dict or None
        Keys: version, compiler, isa (the one in use), available_isas, processors (that the process may use), python,
        numpy, scipy, platform.

    Raises
    ------
    ValueError
        If `mode` is neither of the two.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.show_config(mode="dicts")["version"] == fc.__version__
    True
    """
    from importlib.metadata import version  # a fifth of the package's import

    choice("mode", mode, ("stdout", "dicts"))
    affinity = getattr(os, "sched_getaffinity", None)
    found: dict[str, str | int | list[str]] = {
        "version": _core.__version__,
        "compiler": _core.compiler,
        "isa": _core.isa,
        "available_isas": list(_core.available_isas),
        "processors": len(affinity(0)) if affinity else os.cpu_count() or 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": version("scipy"),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    if mode == "dicts":
        return found
    for key, value in found.items():
        print(f"{key:>15}: {', '.join(value) if isinstance(value, list) else value}")
    return None
