"""The law of squared slopes by itself, in closed form up to the roots of g(h) = x."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation
from freeconv.contours.bracketed import solve
from freeconv.contours.masses import mass_from
from freeconv.contours.pushforward import Anchor, MonotonePiece, Pushforward, pushforward

__all__ = ["ClosedForm", "closed_form"]

Real = NDArray[np.float64]

_CELLS = 96
_SMALLEST = 1e-320
_NOISE = 8e-16  # of a distribution function, relative


@lru_cache(maxsize=512)
def closed_form(activation: Activation, variance: float) -> ClosedForm:
    """Return the density and the distribution function of φ'(√q Z)²."""
    return ClosedForm(pushforward(activation, variance))


class Branch:
    """The inverse of g on a piece, by its offset from the value at one of the ends.

    A level is √|g − x_s| beside a turning value, |g − x_s| beside a kink and its logarithm in a tail: almost a straight
    line in h each time.  A table of levels brackets the roots and says where to start.
    """

    def __init__(self, law: Pushforward, piece: MonotonePiece, anchor: Anchor) -> None:
        self.law, self.anchor = law, anchor
        self.is_tail = not math.isfinite(anchor.point)
        inner, outer = (piece.stop, piece.start) if anchor is piece.low else (piece.start, piece.stop)
        if self.is_tail:
            nodes = np.linspace(inner, outer, _CELLS + 1)
            beyond = outer * 1.2 ** np.arange(1, 60) if anchor.kind == "tail" and outer != 0.0 else np.zeros(0)
            nodes = np.concatenate([nodes, beyond])
        else:
            nodes = np.linspace(0.0, inner - anchor.point, _CELLS + 1)
        levels = self._level(law.offset(anchor, nodes))
        # Outwards in a tail levels fall until they are rounding; there the last bracket ends.
        order = -levels if self.is_tail else levels
        kept = np.concatenate([[True], order[1:] > np.maximum.accumulate(order)[:-1]])
        self.nodes, self._order = nodes[kept], order[kept]

    def find(self, x: Real) -> Real:
        """Return h (in a tail) or h − h_s where g is x."""
        wanted = self._level(np.abs(x - self.anchor.value))
        order = -wanted if self.is_tail else wanted
        cell = np.clip(np.searchsorted(self._order, order, side="right") - 1, 0, self.nodes.size - 2)
        first, second = self.nodes[cell], self.nodes[cell + 1]
        with np.errstate(invalid="ignore"):
            part = (order - self._order[cell]) / (self._order[cell + 1] - self._order[cell])
        start = first + np.where(part > 0.0, np.minimum(part, 1.0), 0.0) * (second - first)
        low, high = np.minimum(first, second), np.maximum(first, second)
        # Away from the anchor |g − x_s| grows.
        rises = bool(self.nodes[-1] > self.nodes[0]) is not self.is_tail

        def gap(d: Real, index: NDArray[np.intp]) -> tuple[Real, Real]:
            offset = self.law.offset(self.anchor, d)
            level = self._level(np.abs(offset))
            slope = self.law.offset_slope(self.anchor, d) * np.sign(offset)
            if self.is_tail:
                slope = slope / np.abs(offset)
            elif self.anchor.kind == "turning":
                slope = 0.5 * slope / level
            return level - wanted[index], slope

        return solve(gap, low, high, start, rises=rises)

    def slopes(self, delta: Real) -> Real:
        """Return g' there."""
        return np.asarray(self.law.offset_slope(self.anchor, delta))

    def position(self, delta: Real) -> Real:
        """Return h there."""
        return delta if self.is_tail else self.anchor.point + delta

    def _level(self, offset: Any) -> Real:
        size = np.abs(offset)
        if self.is_tail:
            return np.asarray(np.log(np.maximum(size, _SMALLEST)))
        return np.asarray(np.sqrt(size) if self.anchor.kind == "turning" else size)


class _Inverse(NamedTuple):
    """Points of a piece, F there, and the slopes of its inverse."""

    nodes: Real
    levels: Real
    slopes: Real

    def bracket(self, p: Real) -> tuple[Real, Real, Real]:
        """Points between which F is p, and one that is near: by cubics, by straight lines where those turn back."""
        cell = np.clip(np.searchsorted(self.levels, p, side="right") - 1, 0, self.nodes.size - 2)
        a, b = self.nodes[cell], self.nodes[cell + 1]
        rise = self.levels[cell + 1] - self.levels[cell]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            s = np.clip((p - self.levels[cell]) / rise, 0.0, 1.0)
            first, second = rise * self.slopes[cell], rise * self.slopes[cell + 1]
            turned = 1.0 - s
            cubic = a + (b - a) * s * s * (3.0 - 2.0 * s) + s * turned * (first * turned - second * s)
        straight = a + np.where(s > 0.0, s, 0.0) * (b - a)
        steep = (first <= 3.0 * (b - a)) & (second <= 3.0 * (b - a))  # monotone (Fritsch and Carlson)
        return a, b, np.where(steep & (cubic > a) & (cubic < b), cubic, straight)


class ClosedForm:
    """Density Σ ρ(h)/|g'(h)| over the preimages h of x, distribution function by normal probabilities between them.

    Attributes
    ----------
    ends : array
        The singular values of the density, ascending: where pieces of the support begin and end.
    """

    def __init__(self, law: Pushforward) -> None:
        self.law = law
        # Beyond a cut the density is below 1e-18 of its size: it counts as 0 there, though the support goes on.
        ends = [(piece.low.value, piece.high.value) for piece in law.pieces]
        self._inner = [(min(pair), max(pair)) for pair in ends]
        self.spans = [law.limits(piece) for piece in law.pieces]
        self.ends = np.array(sorted({end for span in self.spans for end in span}))

    def density(self, x: Real) -> Real:
        """The density of the continuous part; inf at turning values."""
        return self.both(x, masses=False)[0]

    def cdf(self, x: Real) -> Real:
        """μ((−∞, x]), atoms included."""
        return self.both(x, densities=False)[1]

    def both(self, x: Real, *, densities: bool = True, masses: bool = True) -> tuple[Real, Real]:
        """Density and distribution function, of those that are wanted."""
        density, total = np.zeros(x.shape), np.zeros(x.shape)
        for location, weight in self.law.atoms if masses else ():
            total += weight * (x >= location)
        for piece, (low, high), branches in zip(self.law.pieces, self._inner, self._branches, strict=True):
            if masses:
                total += self._all(piece) * (x >= high)
            inside = (x > low) & (x < high)
            if not inside.any():
                continue
            h, slopes, below = self._preimages(piece, branches, x[inside], densities, masses)
            total[inside] += below
            if not densities:
                continue
            with np.errstate(divide="ignore", over="ignore", invalid="ignore", under="ignore"):
                heights = self.law.factor * self.law.density(h)
                values = heights / np.abs(slopes)
            density[inside] += np.where(heights == 0.0, 0.0, values)
        return density, np.minimum(total, 1.0)

    def pieces(self) -> Real:
        """Low, high, and F at these, seen from inside, of the open pieces of the support."""
        rows = []
        for low, high in zip(self.ends[:-1], self.ends[1:], strict=True):
            if any(first <= low and high <= last for first, last in self.spans):
                at = self.cdf(np.array([low, high]))
                jump = sum(weight for location, weight in self.law.atoms if location == high)
                rows.append((low, high, at[0], at[1] - jump))
        return np.array(rows).reshape(-1, 4)

    def quantile(self, p: Real) -> Real:
        """inf{x : F(x) ≥ p}."""
        x, left = np.full(p.shape, np.nan), ~np.isnan(p)
        for (low, high, below, above), table in zip(self._spans_of_mass, self._tables, strict=True):
            x[left & (p <= below)] = low  # the atom, or the gap, before it ends here
            left &= p > below
            inside = np.flatnonzero(left & (p < above))
            if inside.size:
                wanted = p[inside]
                a, b, start = table.bracket(wanted)
                known = self._inverse(low, high, wanted)
                start = np.where((known > a) & (known < b), known, start)

                def gap(y: Real, index: NDArray[np.intp], wanted: Real = wanted) -> tuple[Real, Real]:
                    density, total = self.both(y)
                    return total - wanted[index], density

                x[inside] = np.clip(solve(gap, a, b, start, rises=True, noise=_NOISE * wanted), low, high)
            x[left & (p == above)] = high
            left &= p > above
        x[left] = max([*self.ends.tolist(), *(location for location, _ in self.law.atoms)])
        for location, weight in self.law.atoms:
            before = float(self.cdf(np.array([np.nextafter(location, -math.inf)]))[0])
            x[(p > before) & (p <= before + weight)] = location
        return x

    def _inverse(self, low: float, high: float, p: Real) -> Real:
        """The quantiles where one piece alone has values between low and high, by those of the Gaussian; else NaN."""
        from scipy.special import ndtr, ndtri

        over = [
            piece
            for piece, (first, last) in zip(self.law.pieces, self._inner, strict=True)
            if last > low and first < high
        ]
        if len(over) != 1 or self.law.period is not None:
            return np.full(p.shape, np.nan)
        (piece,) = over
        law, (start, stop) = self.law, self._outer(piece)
        rest = math.fsum(weight for location, weight in law.atoms if location <= low)
        rest += math.fsum(
            self._all(other) for other, (_, last) in zip(law.pieces, self._inner, strict=True) if last <= low
        )
        part = (p - rest) / law.factor
        # From the end of the piece where its lowest value is, by the smaller tail.
        end, side = (start, 1.0) if piece.rises else (stop, -1.0)
        left, right = ndtr(end / law.deviation), ndtr(-end / law.deviation)
        with np.errstate(invalid="ignore"):
            h = law.deviation * np.where(
                left + side * part < 0.5, ndtri(left + side * part), -ndtri(right - side * part)
            )
            values = law.square(h)
        return np.asarray(values)

    @cached_property
    def _branches(self) -> list[dict[Anchor, Branch]]:
        return [
            {
                anchor: Branch(self.law, piece, anchor)
                for anchor in (piece.low, piece.high)
                if self._serves(piece, anchor)
            }
            for piece in self.law.pieces
        ]

    @cached_property
    def _spans_of_mass(self) -> list[list[float]]:
        return sorted(self.pieces().tolist())

    @cached_property
    def _tables(self) -> list[_Inverse]:
        """Points of each piece of the support with F there: the images of what brackets the preimages."""
        images = [
            branch.anchor.value + self.law.offset(branch.anchor, branch.nodes)
            for branches in self._branches
            for branch in branches.values()
        ]
        every = np.unique(np.concatenate(images))
        tables = []
        for low, high, below, above in self._spans_of_mass:
            near = np.geomspace(1e-12, 0.1, 34) * (high - low)
            inner = np.unique(np.concatenate([every, low + near, high - near]))
            inner = inner[(inner > low) & (inner < high)]
            nodes = np.concatenate([[low], inner, [high]])
            density, levels = self.both(nodes)
            levels = np.maximum.accumulate(np.clip(np.concatenate([[below], levels[1:-1], [above]]), below, above))
            with np.errstate(divide="ignore"):
                tables.append(_Inverse(nodes, levels, 1.0 / density))
        return tables

    def _outer(self, piece: MonotonePiece) -> tuple[float, float]:
        """The ends of the piece in h, infinite in tails."""
        return (
            piece.start if math.isfinite(piece.low.point) else -math.inf,
            piece.stop if math.isfinite(piece.high.point) or self.law.period is not None else math.inf,
        )

    def _all(self, piece: MonotonePiece) -> float:
        return self.law.mass(*self._outer(piece))

    def _preimages(
        self, piece: MonotonePiece, branches: dict[Anchor, Branch], x: Real, densities: bool, masses: bool
    ) -> tuple[Real, Real, Real]:
        """The h of the piece with g(h) = x, each found from the anchor whose value is nearer to x, g' there (of
        `densities`), and the mass of the piece where g is less (of `masses`).
        """
        h, slopes, below = np.empty(x.shape), np.zeros(x.shape), np.zeros(x.shape)
        by_low = np.abs(x - piece.low.value) < np.abs(x - piece.high.value)
        least = piece.low if piece.rises else piece.high
        for anchor, branch in branches.items():
            mine = np.ones(x.shape, dtype=bool) if len(branches) == 1 else by_low == (anchor is piece.low)
            if not mine.any():
                continue
            delta = branch.find(x[mine])
            h[mine] = branch.position(delta)
            if densities:
                slopes[mine] = branch.slopes(delta)
            if not masses:
                continue
            # From the end of least values itself where that can be, so that a small mass keeps its digits.
            if self.law.period is None and not math.isfinite(least.point):
                below[mine] = np.abs(mass_from(self.law, least, h[mine]))
            elif anchor is least:
                below[mine] = np.abs(mass_from(self.law, anchor, delta))
            else:
                below[mine] = np.maximum(self._all(piece) - np.abs(mass_from(self.law, anchor, delta)), 0.0)
        return h, slopes, below

    @staticmethod
    def _serves(piece: MonotonePiece, anchor: Anchor) -> bool:
        """The end of a tail that is cut off is none to measure from, if there is another."""
        other = piece.high if anchor is piece.low else piece.low
        return anchor.kind != "cut" or (other.kind == "cut" and anchor is piece.high)
