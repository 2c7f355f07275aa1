"""Panels of the path, with Gauss–Legendre nodes, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from freeconv.contours.masses import mass_from
from freeconv.contours.path import Segment
from freeconv.contours.pushforward import Anchor, Pushforward

__all__ = ["LEAST", "MOST", "Panels", "by_anchor", "gauss_legendre"]

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

LEAST, MOST = 4, 24
"""Nodes of a panel."""

_SPLIT = 1.0 / 8.0  # where a panel that begins at an anchor is divided


@cache
def gauss_legendre(n: int) -> tuple[Real, Real, Real]:
    """Return nodes, weights, and the matrix that takes values at the nodes to Legendre coefficients, on [−1, 1].

    NumPy's weights miss ∫ P_k by 1e-15, times k + 1/2 in coefficients: wide flat panels would never seem smooth.
    """
    nodes = np.polynomial.legendre.leggauss(n)[0]
    inverse = np.linalg.inv(np.polynomial.legendre.legvander(nodes, n - 1))
    return nodes, 2.0 * inverse[0], np.ascontiguousarray(inverse.T)


_NONE = np.zeros(0, dtype=np.complex128)


@dataclass(eq=False)
class Panels:
    """Straight lines from `first` to `last` relative to one anchor, run backwards where `sign` is −1.

    `open` marks those that a rule for smaller distances has to look at again, `order` the numbers of nodes, `base` is
    that of the segment, or NaN where no elements are wanted; node j, with offset v[j], weight w[j] and element y[j],
    belongs to panel owner[j].
    """

    anchor: Anchor
    first: Complex
    last: Complex
    sign: Real
    base: Real
    order: NDArray[np.int64]
    open: NDArray[np.bool_]
    v: Complex
    w: Complex
    y: Complex
    owner: NDArray[np.int64]

    @classmethod
    def make(cls, anchor: Anchor, first: Complex, last: Complex, sign: Real, base: Real) -> Panels:
        """Panels without nodes, all of them open."""
        order, opened, none = np.zeros(first.size, np.int64), np.ones(first.size, bool), np.zeros(0, dtype=np.int64)
        return cls(anchor, first, last, sign, base, order, opened, _NONE, _NONE, _NONE, none)

    @property
    def size(self) -> int:
        """The number of panels."""
        return int(self.first.size)

    @property
    def shift(self) -> float:
        """What h is relative to."""
        return self.anchor.point if np.isfinite(self.anchor.point) else 0.0

    def part(self, chosen: NDArray[np.bool_]) -> Panels:
        """The chosen panels with their nodes."""
        kept = chosen[self.owner]
        position = np.cumsum(chosen) - 1
        return Panels(
            self.anchor,
            self.first[chosen],
            self.last[chosen],
            self.sign[chosen],
            self.base[chosen],
            self.order[chosen],
            self.open[chosen],
            self.v[kept],
            self.w[kept],
            self.y[kept],
            position[self.owner[kept]],
        )

    def flat(self) -> Panels:
        """The projections on the real axis, without elements."""
        real = (self.first.real.astype(np.complex128), self.last.real.astype(np.complex128))
        return Panels.make(self.anchor, *real, self.sign, np.full(self.size, np.nan))

    def halves(self) -> Panels:
        """Two panels for each one; next to an anchor the first is the smaller."""
        cut = self.first + np.where(self.first == 0.0, _SPLIT, 0.5) * (self.last - self.first)
        first, last = np.concatenate([self.first, cut]), np.concatenate([cut, self.last])
        return Panels.make(self.anchor, first, last, np.tile(self.sign, 2), np.tile(self.base, 2))

    def fill(self, law: Pushforward) -> None:
        """Evaluate offsets, weights and elements at the nodes."""
        half = 0.5 * (self.last - self.first)
        points, jacobians, owners = [_NONE], [_NONE], [self.owner[:0]]
        for n in np.unique(self.order):
            chosen = np.flatnonzero(self.order == n)
            nodes, weights, _ = gauss_legendre(int(n))
            points.append(((self.first + half)[chosen, None] + half[chosen, None] * nodes).ravel())
            jacobians.append(((self.sign * half)[chosen, None] * weights).ravel())
            owners.append(np.repeat(chosen, n))
        delta = np.concatenate(points)
        self.v = law.offset(self.anchor, delta)
        steps = np.concatenate(jacobians)
        self.w = law.factor * law.density(self.shift + delta) * steps
        self.owner = np.concatenate(owners)
        if np.isnan(self.base).all():
            self.y = np.zeros_like(self.w)
            return
        masses = mass_from(law, self.anchor, delta) + self.base[self.owner]
        self.y = masses * law.offset_slope(self.anchor, delta) * steps

    @staticmethod
    def union(parts: Sequence[Panels]) -> Panels:
        """One after the other."""
        starts = np.cumsum([0, *(p.size for p in parts)])
        return Panels(
            parts[0].anchor,
            np.concatenate([p.first for p in parts]),
            np.concatenate([p.last for p in parts]),
            np.concatenate([p.sign for p in parts]),
            np.concatenate([p.base for p in parts]),
            np.concatenate([p.order for p in parts]),
            np.concatenate([p.open for p in parts]),
            np.concatenate([p.v for p in parts]),
            np.concatenate([p.w for p in parts]),
            np.concatenate([p.y for p in parts]),
            np.concatenate([p.owner + start for p, start in zip(parts, starts, strict=False)]),
        )


def by_anchor(lines: Sequence[Segment]) -> list[Panels]:
    """Return the segments of a path, those of one anchor together."""
    found = []
    for anchor in dict.fromkeys(line.anchor for line in lines):
        own = [line for line in lines if line.anchor is anchor]
        first = np.array([line.first for line in own], dtype=np.complex128)
        last = np.array([line.last for line in own], dtype=np.complex128)
        sign, base = np.array([line.sign for line in own]), np.array([line.base for line in own])
        found.append(Panels.make(anchor, first, last, sign, base))
    return found
