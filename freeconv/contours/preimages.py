"""The law of squared slopes by itself, in closed form up to the roots of g(h) = x."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation
from freeconv.contours.pushforward import Anchor, MonotonePiece, Pushforward, pushforward

__all__ = ["ClosedForm", "closed_form"]

Real = NDArray[np.float64]


@lru_cache(maxsize=512)
def closed_form(activation: Activation, variance: float) -> ClosedForm:
    """Return the density and the distribution function of φ'(√q Z)²."""
    return ClosedForm(pushforward(activation, variance))


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
        total = np.zeros(x.shape)
        for piece, (low, high) in zip(self.law.pieces, self._inner, strict=True):
            inside = (x > low) & (x < high)
            if inside.any():
                anchor, delta = self._preimages(piece, x[inside])
                with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                    heights = self.law.factor * self.law.density(_position(anchor, delta))
                    values = heights / np.abs(self._slopes(anchor, delta))
                total[inside] += np.where(heights == 0.0, 0.0, values)
        return total

    def cdf(self, x: Real) -> Real:
        """μ((−∞, x]), atoms included."""
        total = np.zeros(x.shape)
        for location, weight in self.law.atoms:
            total += weight * (x >= location)
        for piece, (low, high) in zip(self.law.pieces, self._inner, strict=True):
            total += self._all(piece) * (x >= high)
            inside = (x > low) & (x < high)
            if inside.any():
                h = _position(*self._preimages(piece, x[inside]))
                start, stop = self._outer(piece)
                total[inside] += self._mass(start, h) if piece.rises else self._mass(h, stop)
        return np.minimum(total, 1.0)

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
        from scipy.optimize import elementwise

        x = np.full(p.shape, np.nan)
        ordered = sorted([(float(low), float(high), b, a) for low, high, b, a in self.pieces()])
        for low, high, below, above in ordered:
            x[np.isnan(x) & (p <= below)] = low  # the atom, or the gap, before it ends here
            inside = np.isnan(x) & (p > below) & (p < above)
            if inside.any():
                found = elementwise.find_root(
                    lambda y, level: self.cdf(np.ravel(y)).reshape(np.shape(y)) - level,
                    (np.full(inside.sum(), low), np.full(inside.sum(), high)),
                    args=(p[inside],),
                    tolerances={"xrtol": 2e-16, "xatol": 0.0, "fatol": 0.0, "frtol": 0.0},
                    maxiter=200,
                )
                x[inside] = found.x
            x[np.isnan(x) & (p == above)] = high
        for location, weight in self.law.atoms:
            before = float(self.cdf(np.array([np.nextafter(location, -math.inf)]))[0])
            x[(p > before) & (p <= before + weight)] = location
        x[np.isnan(x) & (p >= 0.0)] = max([*self.ends.tolist(), *(location for location, _ in self.law.atoms)])
        return x

    def _outer(self, piece: MonotonePiece) -> tuple[float, float]:
        """The ends of the piece in h, infinite in tails."""
        return (
            piece.start if math.isfinite(piece.low.point) else -math.inf,
            piece.stop if math.isfinite(piece.high.point) or self.law.period is not None else math.inf,
        )

    def _all(self, piece: MonotonePiece) -> float:
        return self.law.mass(*self._outer(piece))

    def _mass(self, low: Any, high: Any) -> Real:
        """P(low < h < high) in the folded measure, by the tails on one side of 0."""
        from scipy.special import erfc

        law = self.law
        shifts = [0.0]
        if law.period is not None:
            most = math.ceil(9.2 * law.deviation / law.period) + 1
            shifts = [law.period * k for k in range(-most, most + 1)]
        total = np.zeros(np.broadcast(low, high).shape)
        for shift in shifts:
            a, b = ((np.asarray(end) + shift) / (math.sqrt(2.0) * law.deviation) for end in (low, high))
            flip = b < 0.0
            a, b = np.where(flip, -b, a), np.where(flip, -a, b)
            total += 0.5 * (erfc(a) - erfc(b))
        return law.factor * total

    def _preimages(self, piece: MonotonePiece, x: Real) -> tuple[list[Anchor], Real]:
        """The h of the piece with g(h) = x, each as an offset from the anchor whose value is nearer to x."""
        from scipy.optimize import elementwise

        anchors = [self._nearer(piece, value) for value in x.tolist()]
        delta = np.empty(x.shape)
        scale: Callable[[Real], Real]
        for anchor in set(anchors):
            mine = np.array([other is anchor for other in anchors])
            target = np.abs(x[mine] - anchor.value)
            inner = piece.stop if anchor is piece.low else piece.start
            if math.isfinite(anchor.point):
                scale = _root if anchor.kind == "turning" else _itself
                bracket = np.zeros(mine.sum()), np.full(mine.sum(), inner - anchor.point)
            else:
                scale = _logarithm
                bracket = np.full(mine.sum(), inner), self._reach(piece, anchor, target)

            def gap(d: Real, level: Real, anchor: Anchor = anchor, scale: Any = scale) -> Real:
                return np.asarray(scale(np.abs(self.law.offset(anchor, d))) - level)

            found = elementwise.find_root(
                gap,
                bracket,
                args=(scale(target),),
                tolerances={"xrtol": 2e-16, "xatol": 0.0, "fatol": 0.0, "frtol": 0.0},
                maxiter=200,
            )
            delta[mine] = found.x
        return anchors, delta

    def _reach(self, piece: MonotonePiece, anchor: Anchor, target: Real) -> Real:
        """Far enough out in a tail that g is beyond the target."""
        reach = np.full(target.shape, piece.stop if anchor is piece.high else piece.start)
        for _ in range(200):
            short = np.abs(self.law.offset(anchor, reach)) > target
            if not short.any():
                break
            reach = np.where(short, 1.2 * reach, reach)
        return reach

    def _nearer(self, piece: MonotonePiece, x: float) -> Anchor:
        low, high = piece.low, piece.high
        if low.kind == "cut" or high.kind == "cut":
            return high if low.kind == "cut" else low
        return low if abs(x - low.value) < abs(x - high.value) else high

    def _slopes(self, anchors: list[Anchor], delta: Real) -> Real:
        values = np.empty(delta.shape)
        for anchor in set(anchors):
            mine = np.array([other is anchor for other in anchors])
            values[mine] = self.law.offset_slope(anchor, delta[mine])
        return values


def _position(anchors: list[Anchor], delta: Real) -> Real:
    return np.array([a.point if math.isfinite(a.point) else 0.0 for a in anchors]) + delta


def _root(v: Real) -> Real:
    return np.asarray(np.sqrt(v))


def _itself(v: Real) -> Real:
    return v


def _logarithm(v: Real) -> Real:
    return np.asarray(np.log(np.maximum(v, 1e-320)))
