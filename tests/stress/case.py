"""One law under stress: its points, and what has been found wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import freeconv as fc
from freeconv import boundary
from freeconv.hull import hull
from tests.oracles.specs import Law as Spec
from tests.stress import trees
from tests.stress.leaves import Orchard

Array = NDArray[np.float64]

PROVED = (fc.Status.CERTIFIED, fc.Status.RECOVERED, fc.Status.OUTSIDE)


@dataclass(frozen=True)
class Violation:
    """A value returned as proved that cannot be true."""

    check: str
    x: float | complex
    returned: float | complex
    true: float | complex
    note: str = ""

    def __str__(self) -> str:
        return f"{self.check}: x = {self.x!r}: returned {self.returned!r}, true {self.true!r} {self.note}".rstrip()


@dataclass
class Case:
    """A law, its random generator, counts of points by check, and violations."""

    seed: int
    spec: Spec
    law: fc.Law
    points: int = 100
    tried: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    suspicious: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng([self.seed, 7])

    def wrong(self, check: str, where: Any, x: Any, returned: Any, true: Any, note: str = "") -> None:
        """Record the worst point of those `where` holds."""
        where, x, returned, true = np.broadcast_arrays(np.atleast_1d(where), x, returned, true)
        if not where.any():
            return
        with np.errstate(all="ignore"):
            size = np.where(where, np.nan_to_num(np.abs(returned - true), nan=np.inf), -1.0)
        i = int(np.argmax(size))
        more = f"({np.count_nonzero(where)} of {where.size} points) {note}".strip()
        self.violations.append(Violation(check, x[i].item(), returned[i].item(), true[i].item(), more))

    @cached_property
    def pieces(self) -> Array:
        """Open pieces of the support with F at their ends, shape (k, 4)."""
        return boundary.pieces(self.law)

    @cached_property
    def atoms(self) -> Any:
        return self.law.atoms()

    @cached_property
    def hull(self) -> tuple[float, float]:
        """The least and greatest point with mass about it."""
        ends = np.concatenate([self.pieces[:, :2].ravel(), self.atoms.locations])
        return float(ends.min()), float(ends.max())

    @property
    def width(self) -> float:
        low, high = self.hull
        return high - low

    @cached_property
    def special(self) -> Array:
        """Ends of pieces and atoms."""
        return np.unique(np.concatenate([self.pieces[:, :2].ravel(), self.atoms.locations]))

    @cached_property
    def reach(self) -> np.float64:
        """The largest modulus of a point with mass about it, however little."""
        low, high = hull(self.law)
        return np.float64(max(abs(low), abs(high)))

    @property
    def spread_out(self) -> bool:
        """Whether the law's width is seen in doubles: X + 1 with X of size 1e-100 is a point mass in all but name."""
        low, high = self.hull
        return high - low > 1e-12 * max(abs(low), abs(high))

    def distance(self, x: Array) -> Array:
        """Distance to the nearest end or atom."""
        distances: Array = np.min(np.abs(x[:, None] - self.special), axis=1)
        return distances

    def jumps(self, a: Any, b: Any) -> Array:
        """The atoms' mass in (a, b)."""
        a, b = np.broadcast_arrays(a, b)
        within = (a[..., None] < self.atoms.locations) & (self.atoms.locations < b[..., None])
        mass: Array = (within * self.atoms.weights).sum(axis=-1)
        return mass

    def inside(self, count: int, *, nearest: float = 13.0) -> Array:
        """Points in the pieces: half evenly, half on a logarithmic scale from the ends."""
        drawn = []
        for low, high, *_ in self.pieces.tolist():
            part = self.rng.random(count)
            logarithmic = self.rng.random(count) < 0.5
            part = np.where(logarithmic, 10.0 ** (-nearest * part), part)
            upper = self.rng.random(count) < 0.5
            x = np.where(upper, high - (high - low) * part, low + (high - low) * part)
            drawn.append(x[(x > low) & (x < high)])
        chosen: Array = self.rng.permutation(np.concatenate([[], *drawn]))[:count]
        return chosen

    def about(self, count: int) -> Array:
        """Points on both sides of ends and atoms, at all distances, and the special points themselves."""
        near = self.rng.choice(self.special, count)
        away = self.rng.choice([-1.0, 1.0], count) * 10.0 ** self.rng.uniform(-15.0, 0.5, count)
        size = np.where(self.rng.random(count) < 0.5, self.width, np.abs(near))
        return np.concatenate([near + size * away, self.special[:10], [0.0]])

    @cached_property
    def x(self) -> Array:
        """Points at which the law is asked, ascending."""
        mine = np.concatenate([self.inside(self.points - self.points // 3), self.about(self.points // 3)])
        return np.unique(mine[np.isfinite(mine)])

    @cached_property
    def values(self) -> Any:
        """The evaluation at `x`."""
        return self.law.evaluate(self.x)

    @cached_property
    def proved(self) -> NDArray[np.bool_]:
        """Which of `values` come with a proof."""
        return np.isin(self.values.status, PROVED)

    @cached_property
    def upper(self) -> NDArray[np.complex128]:
        """Points of the upper half-plane, from a hundredth of the width up."""
        low, high = self.hull
        real = self.rng.uniform(low - 0.2 * self.width, high + 0.2 * self.width, 6)
        return real + 1j * self.width * 10.0 ** self.rng.uniform(-2.0, 1.0, 6)


def plant(seed: int, points: int, garden: type[trees.Garden] = Orchard) -> Case:
    """The case of a seed in a garden."""
    return Case(seed, *trees.draw(seed, garden), points)
