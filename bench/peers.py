"""Other packages on the same points, where they are installed: pip install '.[bench]'.

Neither of them certifies a branch; where an answer cannot be asserted, the row says what is timed instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

import freeconv as fc
from bench.case import Array, Job, Skip
from bench.common import few, inside

__all__ = ["compiled", "freealg_relu", "rmtool_relu"]


def package(name: str) -> Any:
    """Return a package that may be missing; what it warns of is its own affair."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError:
        raise Skip(f"{name} is not installed") from None


def rmtool_relu(law: Callable[[], fc.Law], quick: bool) -> Job:
    """All four roots of the polynomial at each point, by `rmtool.Lmz2pdf`.

    Its choice among them (`best_density`) is wrong at all points for this law, so what is asserted is that one root has
    the density.
    """
    rmtool = package("rmtool")
    built = law()
    x = inside(built, few(quick, 2000, 200), 1e-3)
    m, z = rmtool.m, rmtool.z
    # (1 + m)(1 + 2m)³ = z m in the transform of rmtool, −G: m = −1 − z M.
    curve = rmtool.numden(m * (1 + 2 * z * m) ** 3 + z * m + 1)

    def call() -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(rmtool.Lmz2pdf(curve, x).density)

    truth = np.asarray(built.density(x))
    error = np.min(np.abs(call() / truth[:, None] - 1.0), axis=1).max()
    assert error < 1e-8
    return Job(call, points=x.size, error=float(error))


def freealg_relu(law: Callable[[], fc.Law], quick: bool) -> Job:
    """`freealg.AlgebraicForm.density` of the curve it fits to the law's own Stieltjes transform.

    It evaluates at an imaginary part of 1e-5.  It may take wrong branches; asserted is that it takes the right one at
    half of the points, and the error told is the median.
    """
    freealg = package("freealg")
    built = law()
    x = inside(built, few(quick, 2000, 200), 1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form = freealg.AlgebraicForm(lambda z: stieltjes(built, z), support=[tuple(built.support()[0])])
        form.fit(deg_m=4, deg_z=3)

    def call() -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(form.density(x))

    error = float(np.median(np.abs(call() / np.asarray(built.density(x)) - 1.0)))
    assert error < 1e-2
    return Job(call, points=x.size, error=error)


def stieltjes(law: fc.Law, z: Any) -> Any:
    """∫ dμ(t)/(t − z) in both half-planes."""
    z = np.asarray(z, dtype=np.complex128)
    upper = np.where(z.imag < 0.0, z.conj(), z)
    values = -np.asarray(law.cauchy(upper))
    return np.where(z.imag < 0.0, values.conj(), values)


def compiled(law: fc.Law) -> Any:
    """A table of the law, if laws have tables."""
    make = getattr(law, "compile", None)
    if make is None:
        raise Skip("Law.compile does not exist")
    return make(tol=1e-12)
