"""A squared slope as the push-forward of a Gaussian: X = g(h), g = φ'², on pieces where g is monotone.

Pieces end at anchors: kinks, turning points (g' = 0) and the tails h → ±∞.  Next to an anchor g is needed as its value
there plus an offset with all digits of its own, since G is singular at that value and z may come as near as doubles
allow.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from freeconv.activations import Activation
from freeconv.activations.base import gaussian_mass
from freeconv.activations.periodic import Periodic
from freeconv.contours.continuation import Continuation

__all__ = ["Anchor", "MonotonePiece", "Pushforward", "pushforward"]

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

# Gaussian weights e^{-h²/2q} below this part of their sum are left out.
_NEGLIGIBLE = 41.0  # −log
_REACH = 9.2
# Offsets from the limit in a tail below which doubles tell nothing: of a limit that is not 0, and of the law's size
# (well below 1e-40, down to which the support is searched).
_ROUNDED = 1e-17
_TINY = 1e-45
# Taylor series about a turning point: coefficients by the trapezoidal rule on a circle, used in a part of it.
_CIRCLE = 64
_TERMS = 22
_INSIDE = 0.15
_CONTINUED = 1e-10
_SHORT = 10  # nodes on a short way


@lru_cache(maxsize=1)
def _short_rule() -> tuple[Real, Real]:
    """Gauss's nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(_SHORT)
    return 0.5 * (1.0 + nodes), 0.5 * weights


@dataclass(frozen=True, eq=False)
class Anchor:
    """An end of a piece.

    Attributes
    ----------
    point : float
        h, ±inf for a tail.
    kind : str
        "turning", "kink", "tail" (g tends to a limit), or "cut" where the Gaussian has died away before g is near one.
    slope, value : float
        φ' and g there, limits in a tail.
    end : float
        Where the Gaussian is cut off, of a "cut".
    """

    point: float
    kind: Literal["turning", "kink", "tail", "cut"]
    slope: float
    value: float
    end: float = math.nan


@dataclass(frozen=True, eq=False)
class MonotonePiece:
    """An interval of h on which g is strictly monotone; `start` and `stop` are finite, cut off in tails."""

    low: Anchor
    high: Anchor
    start: float
    stop: float
    rises: bool


@lru_cache(maxsize=512)
def pushforward(activation: Activation, variance: float) -> Pushforward:
    """Return φ'(√q Z)² in pieces."""
    return Pushforward(activation, variance)


class Pushforward:
    """The law of g(√q Z) in pieces.

    Parameters
    ----------
    activation : Activation
        With `complex_slope`, and not linear between all of its kinks.
    variance : float
        q > 0.

    Attributes
    ----------
    pieces : tuple of MonotonePiece
        Ascending; one half of the line where g is even, half a period where it is periodic as well.
    factor : float
        What the weights are multiplied with for that: 2 or 1.
    atoms : tuple of (float, float)
        Squared slope and probability of the intervals where φ' is constant.
    """

    def __init__(self, activation: Activation, variance: float) -> None:
        self.activation = activation
        self.variance = variance
        self.deviation = math.sqrt(variance)
        self._continued = None if activation.complex_slope else Continuation(activation)
        # The height up to which φ' is known.
        self.height = math.inf if self._continued is None else self._continued.height
        # How far it may be off there, in parts of its size.
        self.noise = 0.0 if self._continued is None else _CONTINUED
        self.atoms = activation.slope_atoms(variance)
        self.period = math.pi if isinstance(activation, Periodic) else None
        self._even = self.period is not None or self._is_even()
        self._complement = self._slope(self._probe) + self._slope(-self._probe)
        self.factor = 2.0 if self._even else 1.0
        self._series: dict[float, Real] = {}
        # Of a law narrow beside its values differences of φ' are a Taylor series: those of values have no digits.
        self._narrow = 1.5 * _REACH * self.deviation < _INSIDE * self._radius(0.0) and 0.0 not in activation.kinks
        self._known: dict[tuple[float, int], Anchor] = {}
        self.pieces = tuple(self._pieces())

    @property
    def anchors(self) -> list[Anchor]:
        """All of them, without repetition."""
        return list(dict.fromkeys(anchor for piece in self.pieces for anchor in (piece.low, piece.high)))

    def density(self, h: Any) -> Any:
        """The Gaussian density, for complex h; folded onto a period where g is periodic."""
        q = self.variance
        if self.period is None:
            return np.exp(-h * h / (2.0 * q)) / (self.deviation * math.sqrt(2.0 * math.pi))
        if not self.waves:
            most = math.ceil((_REACH * self.deviation + 0.5 * self.period) / self.period)
            shifted = h[..., None] + self.period * np.arange(-most, most + 1)
            terms = np.exp(-shifted * shifted / (2.0 * q)) / (self.deviation * math.sqrt(2.0 * math.pi))
            return terms.sum(axis=-1)
        # Poisson summation: (1 + 2 Σ e^{−(2πk/p)² q/2} cos(2πk h/p))/p
        rates, weights = np.array(self.waves).T
        return (1.0 + 2.0 * (weights * np.cos(rates * np.asarray(h)[..., None])).sum(axis=-1)) / self.period

    @cached_property
    def waves(self) -> list[tuple[float, float]]:
        """Rates and weights in Poisson's sum for a wide Gaussian folded onto a period; else there are none."""
        if self.period is None or self.variance < 0.1 * self.period**2:
            return []
        rate = 2.0 * math.pi / self.period
        count = math.ceil(math.sqrt(2.0 * _NEGLIGIBLE / self.variance) / rate) + 2
        return [(rate * k, math.exp(-0.5 * (rate * k) ** 2 * self.variance)) for k in range(1, count + 1)]

    def square(self, h: Any) -> Any:
        """g(h)."""
        return np.square(self._slope(h))

    def offset(self, anchor: Anchor, delta: Any) -> Any:
        """g(h) − g(anchor) at h = anchor + delta (in a tail h = delta), to full relative accuracy near the anchor."""
        if anchor.kind in ("tail", "cut"):
            if anchor.value == 0.0:
                return self.square(delta)
            # φ'(h) + φ'(−h) = 1 for the integrals of even functions: 1 − φ' keeps its digits.
            mirrored = self._sums_to(2.0 * anchor.slope if self._even else anchor.slope)
            if anchor.kind == "cut" and self._narrow:
                change = self._from_zero(delta) - self._from_zero(np.array(anchor.end))
            else:
                change = -self._slope(-delta) if mirrored else self._slope(delta) - anchor.slope
            return change * (2.0 * anchor.slope + change)
        change = self._change(anchor, delta)
        return change * (2.0 * anchor.slope + change)

    def offset_slope(self, anchor: Anchor, delta: Any) -> Any:
        """g'(h), to full relative accuracy near the anchor."""
        h = anchor.point + delta if math.isfinite(anchor.point) else delta
        bent = self._curvature(h)
        if anchor.kind == "turning":
            near = np.abs(delta) < _INSIDE * self._radius(anchor.point)
            series = np.zeros_like(delta)
            terms = self._taylor(anchor)
            for k in range(terms.size, 0, -1):
                series = series * np.where(near, delta, 0.0) + k * terms[k - 1]
            bent = np.where(near, series, bent)
            return np.asarray(2.0 * bent * (anchor.slope + self._change(anchor, delta)))
        return np.asarray(2.0 * bent * self._slope(h))

    def span(self, piece: MonotonePiece) -> tuple[float, float]:
        """The values of g on a piece, cut off where the piece is."""
        first, last = (float(value) for value in self.square(np.array([piece.start, piece.stop])))
        first = piece.low.value if math.isfinite(piece.low.point) else first
        last = piece.high.value if math.isfinite(piece.high.point) else last
        return min(first, last), max(first, last)

    def limits(self, piece: MonotonePiece) -> tuple[float, float]:
        """The values of g on all of a piece, up to its limits in tails that are cut off."""
        ends = [self._limit(anchor) for anchor in (piece.low, piece.high)]
        return min(ends), max(ends)

    def _limit(self, anchor: Anchor) -> float:
        if anchor.kind != "cut":
            return anchor.value
        # The next turning point, kink or limit beyond the cut.
        side = math.copysign(1.0, anchor.point)
        reach = _REACH * self.deviation
        far = 1e3 * self.activation.feature_width
        inner = sorted(
            side * point
            for point in {*self.activation.kinks, *self.activation.turning_points(min(far, 10.0 + 2.0 * reach))}
            if side * point > reach
        )
        if inner:
            return float(self.square(np.array(side * inner[0])))
        values = self.square(side * far * np.array([1.0, 2.0]))
        bounded = abs(values[1] - values[0]) <= 1e-3 * max(values[0], anchor.value)
        return float(values[0]) if bounded else anchor.value

    def mass(self, low: float, high: float) -> float:
        """P(low < h < high), folded as the pieces are."""
        if self.period is None:
            return self.factor * gaussian_mass(low, high, self.variance)
        if self.waves:
            return self.factor * float(self.wave_mass(low, np.array(high - low)))
        most = math.ceil(_REACH * self.deviation / self.period) + 1
        shifts = [self.period * k for k in range(-most, most + 1)]
        return self.factor * math.fsum(gaussian_mass(low + s, high + s, self.variance) for s in shifts)

    def wave_mass(self, low: float, length: Any) -> Any:
        """The integral of Poisson's sum from a point on, differences of sines as products."""
        assert self.period is not None
        total = length
        for rate, weight in self.waves:
            half = 0.5 * rate * length
            total = total + 4.0 * weight / rate * np.cos(rate * low + half) * np.sin(half)
        return total / self.period

    def _slope(self, h: Any) -> Any:
        with np.errstate(under="ignore"):
            if self._continued is not None and np.iscomplexobj(h):
                return self._continued.derivative(h)
            return self.activation.derivative(h)

    def _curvature(self, h: Any) -> Any:
        with np.errstate(under="ignore"):
            if self._continued is not None:
                bent = self._continued.curvature(h)
                return bent if np.iscomplexobj(h) else bent.real
            return self.activation.curvature(h)

    def _change(self, anchor: Anchor, delta: Any) -> Any:
        """φ'(h) − φ'(anchor)."""
        radius = self._radius(anchor.point)
        near = np.abs(delta) < _INSIDE * radius
        far = self._slope(anchor.point + delta) - anchor.slope
        if not np.any(near):
            return far
        if anchor.kind == "kink":
            nodes, weights = _short_rule()
            points = anchor.point + np.where(near, delta, 0.0)[..., None] * nodes
            inside = self._curvature(points) @ weights * delta
        else:
            inside = np.zeros_like(delta)
            for coefficient in self._taylor(anchor)[::-1]:
                inside = (inside + coefficient) * np.where(near, delta, 0.0)
        return np.where(near, inside, far)

    def _circle(self, point: float) -> Complex:
        """φ' on a circle about a point."""
        turned = np.exp(2j * math.pi * np.arange(_CIRCLE) / _CIRCLE)
        return np.asarray(self._slope(point + self._radius(point) * turned), dtype=np.complex128)

    def _taylor(self, anchor: Anchor) -> Real:
        """Coefficients of δ, δ², … of φ' about a turning point."""
        # φ'' is 0, or else known better than from values on a circle: there φ' = 0, and it is all of φ'.
        return self._taylor_at(anchor.point, 0.0 if anchor.slope != 0.0 else None)

    def _taylor_at(self, point: float, bent: float | None) -> Real:
        if point not in self._series:
            radius = self._radius(point)
            modes = np.fft.fft(self._circle(point))[1:_TERMS].real / _CIRCLE
            modes[0] = radius * (float(self._curvature(np.array(point))) if bent is None else bent)
            self._series[point] = modes * radius ** -np.arange(1.0, _TERMS)
        return self._series[point]

    def _from_zero(self, h: Any) -> Any:
        """φ'(h) − φ'(0) near 0."""
        total = np.zeros_like(h)
        for coefficient in self._taylor_at(0.0, None)[::-1]:
            total = (total + coefficient) * h
        return total

    def _radius(self, point: float) -> float:
        distances = [abs(point - kink) for kink in self.activation.kinks if kink != point]
        return min([0.5 * self.activation.feature_width, self.height, *(0.9 * distance for distance in distances)])

    @property
    def _probe(self) -> Real:
        return np.array([0.1, 0.37, 0.73, 1.3, 2.9]) * self.activation.feature_width

    def _is_even(self) -> bool:
        kinks = self.activation.kinks
        symmetric = all(-kink in kinks for kink in kinks)
        left, right = self._slope(-self._probe), self._slope(self._probe)
        return symmetric and bool(np.all(np.abs(np.abs(left) - np.abs(right)) <= 4e-16 * np.abs(right)))

    def _sums_to(self, total: float) -> bool:
        return bool(np.all(np.abs(self._complement - total) <= 4e-16 * abs(total)))

    def _pieces(self) -> list[MonotonePiece]:
        if self.period is not None:
            return [self._half_period(0.5 * self.period)]
        right, stop = self._tail(1)
        left, start = (self._anchor(0.0, 1), 0.0) if self._even else self._tail(-1)
        activation = self.activation
        inner = {*activation.kinks, *activation.turning_points(max(abs(start), abs(stop)))}
        points = [start, *sorted(point for point in inner if start < point < stop), stop]
        found = []
        for low, high in itertools.pairwise(points):
            middle = 0.5 * (low + high)
            if any(piece.low <= middle <= piece.high for piece in activation.constant_pieces):
                continue
            first = left if low == start else self._anchor(low, 1)
            last = right if high == stop else self._anchor(high, -1)
            found.append(self._piece(first, last, low, high))
        return found

    def _half_period(self, stop: float) -> MonotonePiece:
        if _REACH * self.deviation >= stop:
            return self._piece(self._anchor(0.0, 1), self._anchor(stop, 1), 0.0, stop)
        stop = _REACH * self.deviation
        slope = float(self._slope(np.array(stop)))
        return self._piece(self._anchor(0.0, 1), Anchor(math.inf, "cut", slope, slope * slope, stop), 0.0, stop)

    def _piece(self, low: Anchor, high: Anchor, start: float, stop: float) -> MonotonePiece:
        first, last = self.square(np.array([start, stop]))
        first = low.value if math.isfinite(low.point) else first
        last = high.value if math.isfinite(high.point) else last
        return MonotonePiece(low, high, start, stop, bool(last > first))

    def _anchor(self, point: float, side: int) -> Anchor:
        """The anchor at a finite point, of the piece on this side."""
        key = (point, side if point in self.activation.kinks else 0)
        if key not in self._known:
            kink = point in self.activation.kinks
            slope = float(self._slope(np.array(np.nextafter(point, side * math.inf) if kink else point)))
            if not kink and abs(slope) <= 1e-14 * float(np.max(np.abs(self._slope(self._probe)))):
                slope = 0.0
            elif not kink and self._continued is None:
                # All nodes of the anchor move with it: the mean over a circle has an eighth of a value's rounding.
                slope = float(self._circle(point).mean().real)
            self._known[key] = Anchor(point, "kink" if kink else "turning", slope, slope * slope)
        return self._known[key]

    def _tail(self, side: int) -> tuple[Anchor, float]:
        """The anchor at ±∞ and where to cut off: beyond, weights are negligible or g is its limit to rounding."""
        limit = self._limit_slope(side)
        value = limit * limit
        flat = [abs(end) for piece in self.activation.constant_pieces for end in (piece.low, piece.high)]
        start = max([0.0, *(abs(p) for p in (*self.activation.kinks, *flat) if math.isfinite(p))])
        floor = _ROUNDED * value if value > 1e-300 else _TINY * self._largest()
        reach = _REACH * self.deviation
        for _ in range(60):
            t = np.linspace(0.0, reach, 500)
            distance = np.abs(self.square(side * t) - value)
            weight = -t * t / (2.0 * self.variance) - np.log(np.maximum(distance, 1e-3 * floor))
            if weight[-1] < weight.max() - _NEGLIGIBLE or (distance[-1] <= floor and t[-1] > start):
                break
            reach *= 1.3
        beyond = np.cumsum(np.exp(weight - weight.max())[::-1])[::-1]
        small = (beyond <= 1e-18 * beyond[0]) & (t >= _REACH * self.deviation)
        close = (distance <= floor) & (t > start)
        if (small | close).any():
            reach = float(t[(small | close).argmax()])
            # Of a wide Gaussian the steps are longer than what φ' takes to reach its limit.
            t = np.linspace(max(reach - t[1], start), reach, 201)
            close = (np.abs(self.square(side * t) - value) <= floor) & (t > start)
            reach = float(t[close.argmax()]) if close[-1] else reach
        cut = float(self.square(np.array(side * reach)))
        if abs(cut - value) > 1e-4 * self._largest():
            slope = float(self._slope(np.array(side * reach)))
            return Anchor(side * math.inf, "cut", slope, cut, side * reach), side * reach
        return Anchor(side * math.inf, "tail", limit, value), side * reach

    def _limit_slope(self, side: int) -> float:
        """φ'(±∞), 0 where it is that to rounding."""
        for far in (1e8, 1e3):
            try:
                limit = float(self._slope(np.array(side * far * self.activation.feature_width)))
            except ValueError:  # a user's function that is not finite so far out
                continue
            return limit if limit * limit > 1e-30 * self._largest() else 0.0
        raise ValueError(f"derivative of {self.activation!r} must be finite at {side * far!r}")

    def _largest(self) -> float:
        t = np.linspace(-_REACH * self.deviation, _REACH * self.deviation, 401)
        return float(np.max(self.square(t)))
