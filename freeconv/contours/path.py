"""Where the contour runs: off the real h axis to the side where g = φ'² has a negative imaginary part.

For z in the closed upper half-plane no pole of 1/(z − g(h)) is crossed on the way there, so that one path serves all z.
From an anchor the path leaves at 45 degrees (z on either side of a turning value has its poles on the two axes there),
up to a height at which the Gaussian factor e^{y²/2q} is still moderate and which is half of what keeps Im g < 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv.contours.masses import mass_from, whole_mass
from freeconv.contours.pushforward import Anchor, MonotonePiece, Pushforward

__all__ = ["Segment", "segments"]

_HIGHEST = 1.25  # deviations
_WIDEST = 4.0  # feature widths: above them Im g < 0 holds nowhere, and what is tried has to reach down
_LONGEST = 5.0  # heights
_GRID = 241
_HEIGHTS = 2.5 * 2.0 ** -np.arange(7.75, -0.25, -0.25)


Height = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Segment(NamedTuple):
    """A straight line from `first` to `last`, both relative to the anchor; `sign` is −1 where it is run backwards.

    `base` is added to the mass from the anchor to a point of it, so that it is that from the piece's end on the same
    side of the split.
    """

    anchor: Anchor
    first: complex
    last: complex
    sign: float
    base: float = 0.0


class Split(NamedTuple):
    """A point of a piece's path off the axis, relative to an anchor, and the mass of the piece."""

    anchor: Anchor
    point: complex
    mass: float


def segments(law: Pushforward) -> tuple[list[Segment], list[Split]]:
    """Return the whole path, and a point of it in each piece."""
    lines, splits = [], []
    for piece in law.pieces:
        own, split = _divided(law, piece, _of_piece(law, piece))
        lines += own
        splits.append(split)
    return lines, splits


def _divided(law: Pushforward, piece: MonotonePiece, lines: list[Segment]) -> tuple[list[Segment], Split]:
    """The path with the masses' bases: split where the lines of both ends meet.  A cut-off tail has none that count;
    then it is split where much mass is on both sides and the path is far from the axis.
    """
    mass = whole_mass(law, piece)
    inner = [line for line in lines if line.anchor.kind != "cut"] or lines
    anchor = inner[0].anchor
    if any(line.anchor is not anchor for line in inner):
        # That of the lower end comes first, and this is its last point.
        end = max((end for line in inner if line.anchor is anchor for end in line[1:3]), key=lambda end: end.real)
    else:
        if len(inner) == 1:
            (line,) = inner
            middle = 0.5 * (line.first + line.last)
            lines = [other for other in lines if other is not line]
            lines += [line._replace(last=middle), line._replace(first=middle)]
            inner = lines[-2:]
        ends = sorted({end for line in inner for end in line[1:3]}, key=lambda end: end.real)[1:-1]
        part = np.abs(mass_from(law, anchor, np.array(ends).real))
        heights = np.abs(law.offset(anchor, np.array(ends)).imag)
        end = ends[int(np.argmax(np.minimum(part, mass - part) * heights))]
    place = _place(anchor, end)
    based = []
    for line in lines:
        below = _place(line.anchor, 0.5 * (line.first + line.last)) < place
        own = piece.low if below else piece.high
        base = 0.0 if line.anchor is own else (mass if below else -mass)
        based.append(line._replace(base=base))
    return based, Split(anchor, end, mass)


def _place(anchor: Anchor, delta: complex) -> float:
    return delta.real + (anchor.point if math.isfinite(anchor.point) else 0.0)


def _of_piece(law: Pushforward, piece: MonotonePiece) -> list[Segment]:
    side = -1.0 if piece.rises else 1.0
    length = piece.stop - piece.start
    t = np.linspace(0.0, length, _GRID)[1:-1]
    highest = _highest(law, piece, piece.start + t, side)
    open_low, open_high = (not np.isfinite(anchor.point) for anchor in (piece.low, piece.high))

    def height(x: NDArray[np.float64]) -> NDArray[np.float64]:
        y = np.interp(x, t, highest)
        y = y if open_low else np.minimum(y, x)
        return y if open_high else np.minimum(y, length - x)

    middle = _middle(law, piece, t, length)
    left = _knots(height, middle, length) if not open_low else None
    right = _knots(lambda x: height(length - x), length - middle, length) if not open_high else None
    found = []
    for knots, anchor, sign in ((left, piece.low, 1.0), (right, piece.high, -1.0)):
        if knots is not None:
            x = knots if sign > 0.0 else length - knots
            points = sign * knots + 1j * side * height(x)
            found += _lines(anchor, points, sign)
            continue
        # A tail, from the middle outwards; its offsets are h itself.
        x = _knots_from(height, middle, length) if sign < 0.0 else _knots_from(height, middle, 0.0)
        found += _lines(anchor, piece.start + x + 1j * side * height(x), -sign)
    return found


def _lines(anchor: Anchor, points: NDArray[np.complex128], sign: float) -> list[Segment]:
    return [Segment(anchor, complex(a), complex(b), sign) for a, b in itertools.pairwise(points)]


def _highest(law: Pushforward, piece: MonotonePiece, h: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    """Half the height up to which Im g < 0, at most `_HIGHEST`."""
    y = min(law.deviation, _WIDEST * law.activation.feature_width) * _HEIGHTS
    with np.errstate(all="ignore"):
        g = law.square(h[:, None] + 1j * side * y)
        wrong = ~(g.imag < 0.0) | ~np.isfinite(g)
    count = np.where(wrong.any(axis=1), wrong.argmax(axis=1), y.size)
    allowed = np.where(count > 0, y[np.maximum(count - 1, 0)], 0.0)
    for anchor, order in ((piece.high, 1), (piece.low, -1)):
        if anchor.kind == "tail":
            # Where rounding hides the sign: the phase of what g differs by from its limit turns at most like h².
            lost = (np.abs(g[:, 0].real - anchor.value) <= 1e-13 * anchor.value) | (np.abs(g[:, 0]) < 1e-290)
            if lost.any() and not lost.all():
                last = np.flatnonzero(~lost)[-1 if order > 0 else 0]
                with np.errstate(divide="ignore"):
                    allowed = np.where(lost, allowed[last] * np.abs(h[last] / h), allowed)
    return np.minimum(0.5 * allowed, min(_HIGHEST * law.deviation, law.height))


def _middle(law: Pushforward, piece: MonotonePiece, t: NDArray[np.float64], length: float) -> float:
    """Where the values of g are as far from the one end's as from the other's; a cut-off tail is not worth one."""
    if piece.high.kind == "cut":
        return length
    if piece.low.kind == "cut":
        return 0.0
    g = law.square(piece.start + t)
    near_low = np.abs(g - piece.low.value) < np.abs(g - piece.high.value)
    return float(t[np.clip(np.count_nonzero(near_low), 1, t.size - 1)])


def _knots(height: Height, stop: float, length: float) -> NDArray[np.float64]:
    """0, the end of the ray that leaves the anchor, and on in steps of the height."""
    if stop <= 0.0:
        return np.zeros(0)
    x = np.linspace(0.0, stop, _GRID)[1:]
    bent = np.flatnonzero(height(x) < x * (1.0 - 1e-12))
    first = float(x[bent[0]]) if bent.size else stop
    return np.concatenate([[0.0], _knots_from(height, first, stop)])


def _knots_from(height: Height, start: float, stop: float) -> NDArray[np.float64]:
    if start == stop:
        return np.array([start])
    direction = 1.0 if stop > start else -1.0
    knots = [start]
    least = abs(stop - start) / 400.0
    while True:
        step = _LONGEST * max(float(height(np.array(knots[-1]))), least)
        end = min(max(knots[-1] + direction * step, min(start, stop)), max(start, stop))
        step = min(step, _LONGEST * max(float(height(np.array(end))), least))
        if abs(stop - knots[-1]) <= 1.25 * step:
            return np.array([*knots, stop])
        knots.append(knots[-1] + direction * step)
