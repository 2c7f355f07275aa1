"""The only importer of the compiled core: laws become solvers, cached by the law's value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freeconv import _core
from freeconv.atoms import atoms, would_be_atoms
from freeconv.hull import hull
from freeconv.laws import Affine, Boxtimes, Discrete, Law, MarchenkoPastur, MarchenkoPasturPower, Resize
from freeconv.lowering import lower
from freeconv.moments import mean, variance

__all__ = [
    "Frame",
    "evaluate_laws",
    "flat_rows",
    "frame",
    "outer_points",
    "outer_potential",
    "r_parts",
    "solver",
    "table",
]

# In the order of csrc/bindings/bind_rows.cpp. No class derives from them.
_FLAT_TYPES = (Boxtimes, MarchenkoPastur, MarchenkoPasturPower, Discrete, Affine, Resize)


@dataclass(frozen=True)
class Frame:
    """A law as scale·core + shift with all of its size changes: what its results are made of.

    Parameters
    ----------
    core : Law
        Without shifts, scales and size changes around it.
    steps : tuple of (float, float, float)
        Outermost first: scale, shift and ratio of each step that was taken off.
    """

    core: Law
    steps: tuple[tuple[float, float, float], ...]


def frame(law: Law) -> Frame:
    """Take shifts, scales and size changes off a law."""
    steps = []
    while isinstance(law, (Affine, Resize)):
        steps.append((law.scale, law.shift, 1.0) if isinstance(law, Affine) else (1.0, 0.0, law.ratio))
        law = law.law
    return Frame(law, tuple(steps))


def outer_points(frame: Frame, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry points of the core out to the law, rounded as the locations of its atoms are."""
    for scale, shift, _ in reversed(frame.steps):
        points = scale * points + shift
    return np.array(points, dtype=np.float64)


def outer_potential(frame: Frame, points: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry ∫ log|z − t| at points of the core out: + log a for a scale a, U/r + (1 − 1/r) log|z| for a size change."""
    for scale, shift, ratio in reversed(frame.steps):
        if ratio != 1.0:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = values / ratio + (1.0 - 1.0 / ratio) * np.log(np.abs(points))
        values = values + math.log(scale)
        points = scale * points + shift
    return values


@lru_cache(maxsize=128)
def solver(law: Law) -> _core.Spectrum:
    """Return the compiled solver of a law; shared by all equal laws.

    Raises
    ------
    ValueError
        If the law's mean or its spread is beyond the range of doubles.
    """
    core = frame(law).core
    center = mean(core)
    deviation = math.sqrt(variance(core))
    if not math.isfinite(deviation) and math.isfinite(center) and center != 0.0:
        deviation = math.sqrt(variance(core / center)) * abs(center)
    if not (math.isfinite(center) and math.isfinite(deviation) and deviation > 0.0):
        raise ValueError(
            f"the law's mean and standard deviation must be doubles > 0, got {center!r} and {deviation!r}; "
            "rescale the law"
        )
    known = atoms(core)
    singular = np.array(would_be_atoms(core), dtype=np.float64).reshape(-1, 2)
    return _core.Spectrum(
        lower(law).arrays(),
        center,
        deviation,
        *hull(core),
        np.array(known.locations, dtype=np.float64),
        np.array(known.weights, dtype=np.float64),
        outer_points(frame(law), known.locations),
        singular[:, 0].copy(),
        singular[:, 1].copy(),
    )


def flat_rows(
    laws: list[Law],
) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]], list[int]]:
    """Sort out products of Marchenko–Pastur and Bernoulli laws, shifted, scaled and resized or not.

    Parameters
    ----------
    laws : list of Law

    Returns
    -------
    groups : list of (places, parameters, multiplicities)
        Laws of one structure: where they stand, and for each a row of the numbers of its program, as `lower` writes
        them.
    others : list of int
        The places of all other laws.
    """
    return _core.flat_rows(laws, _FLAT_TYPES)


def evaluate_laws(
    first: Law,
    parameters: NDArray[np.float64],
    multiplicities: NDArray[np.float64],
    points: NDArray[np.float64],
    rows: NDArray[np.int64],
    values: NDArray[np.float64],
    *,
    cdf: bool,
    workers: int,
) -> NDArray[np.bool_]:
    """Write densities or distribution functions of laws of one structure, and return which have points left.

    Parameters
    ----------
    first : Law
        The first of the laws; the others have its program, with numbers of their own.
    parameters, multiplicities : ndarray, shape (laws, …)
        Of each law, in the order of the program's arrays.
    points : ndarray, shape (1, m) or (n, m)
    rows : ndarray
        The row of each law in `values`, and in `points` if there are as many.
    values : ndarray, shape (n, m)
        NaN where a point is left to `solver`, and where it is NaN.
    """
    return _core.evaluate_laws(
        lower(first).arrays(),
        parameters,
        multiplicities,
        points,
        len(points) == 1,
        rows,
        values,
        cdf,
        workers,
    )


def r_parts(law: Law, *, at_m: bool, values: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return K = z − 1/G where m(z) (or else G(z)) takes the given values; NaN where it could not be followed."""
    return _core.r_parts(lower(law).arrays(), at_m, values)


def table(*arrays: NDArray[Any]) -> _core.GradedTable:
    """Return the table of these cuts, regions, octave offsets, octaves and rows, see `freeconv.tables`."""
    return _core.GradedTable(*arrays)
