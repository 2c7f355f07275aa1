"""Integrals of the density over small cells, by a rule of its own, against differences of the distribution function.

On every piece (low, high) of the support t = log((x − low)/(high − x)) is cut into cells, each with two Gauss–Legendre
rules; cells where these differ are halved.
Densities blow up or vanish like powers at the ends, which are exponentials in t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.stress.case import Case

Array = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)
REACH = 20.0
CELLS = 60
HALVINGS = 30
MOST = 500
AGREED = 1e-10
MOMENTS = 4


@dataclass(frozen=True)
class Cells:
    """Cells of one piece: ends, masses by quadrature and by F, both without atoms, the error, what was proved."""

    left: Array
    right: Array
    mass: Array
    difference: Array
    error: Array  # (MOMENTS + 1, cells)
    known: NDArray[np.bool_]
    moments: Array  # (MOMENTS + 1, cells)


def positions(piece: Array, t: Array) -> tuple[Array, Array]:
    """x(t) and dx/dt, measured from the nearer end."""
    low, high = piece[0], piece[1]
    part = 1.0 / (1.0 + np.exp(np.abs(t)))
    offset = (high - low) * part
    return np.where(t < 0.0, low + offset, high - offset), offset * (1.0 - part)


def _rule(case: Case, piece: Array, left: Array, right: Array) -> tuple[Array, NDArray[np.bool_]]:
    """∫ x^k f dx over cells in t for k = 0 to MOMENTS, and whether every density was proved."""
    t = (left + right)[:, None] / 2.0 + (right - left)[:, None] / 2.0 * NODES
    x, slope = positions(piece, t)
    evaluation = case.law.evaluate(x.ravel())
    status = evaluation.status.reshape(x.shape)
    density = np.where(np.isfinite(evaluation.density), evaluation.density, 0.0).reshape(x.shape)
    density = np.where(slope > 0.0, density, 0.0)
    terms = density * slope * WEIGHTS * (right - left)[:, None] / 2.0
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.array([(terms * x**k).sum(axis=1) for k in range(MOMENTS + 1)])
    case.tried["derivative"] += x.size
    case.flagged["derivative"] += int(np.count_nonzero(status == 4))
    return sums, (status <= 3).all(axis=1)


def cells(case: Case, piece: Array) -> Cells:
    """Integrate over one piece."""
    ends = np.linspace(-REACH, REACH, CELLS + 1)
    left, right = ends[:-1], ends[1:]
    root = np.arange(CELLS)
    at_ends = case.law.evaluate(positions(piece, ends)[0])
    f = np.asarray(at_ends.cdf)
    x = positions(piece, ends)[0]
    difference, certain = np.diff(f) - case.jumps(x[:-1], x[1:]), (at_ends.status[1:] <= 3) & (at_ends.status[:-1] <= 3)
    low, high = f[:-1], f[1:]
    coarse, known = _rule(case, piece, left, right)
    sums, error = np.zeros((MOMENTS + 1, CELLS)), np.zeros((MOMENTS + 1, CELLS))
    for level in range(HALVINGS + 1):
        middle = (left + right) / 2.0
        first, first_known = _rule(case, piece, left, middle)
        second, second_known = _rule(case, piece, middle, right)
        fine, known = first + second, known & first_known & second_known
        wobble = np.abs(fine - coarse)
        # A narrow peak that both rules miss shows in F.
        jumps = case.jumps(positions(piece, left)[0], positions(piece, right)[0])
        missed = np.abs(fine[0] - (high - low - jumps))
        last = (np.maximum(wobble[0], missed) <= AGREED * max(piece[3] - piece[2], 0.0)) | ~known
        last |= (level == HALVINGS) | (left.size > MOST)
        for total, doubt, part, change in zip(sums, error, fine, wobble, strict=True):
            np.add.at(total, root[last], part[last])
            np.add.at(doubt, root[last], change[last])
        np.logical_and.at(certain, root[last], known[last])
        go = ~last
        if not go.any():
            break
        split = np.asarray(case.law.evaluate(positions(piece, middle[go])[0]).cdf)
        left, right = np.concatenate([left[go], middle[go]]), np.concatenate([middle[go], right[go]])
        low, high = np.concatenate([low[go], split]), np.concatenate([split, high[go]])
        coarse = np.concatenate([first[:, go], second[:, go]], axis=1)
        known = np.concatenate([first_known[go], second_known[go]])
        root = np.concatenate([root[go], root[go]])
    return Cells(x[:-1], x[1:], sums[0], difference, error, certain, sums)
