"""The Gaussian's mass between an end of a piece and a point of the contour: its continuation off the axis."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freeconv.contours.pushforward import Anchor, MonotonePiece, Pushforward

__all__ = ["mass_from", "whole_mass"]

Real = NDArray[np.float64]

_SHORT = 10  # nodes on a way of up to a quarter of a deviation, where differences of error functions lose digits
_NEAR = 0.25
_REACH = 9.2


def mass_from(law: Pushforward, anchor: Anchor, delta: Any) -> Any:
    """Return ∫ of `law.factor` times the Gaussian density from an anchor to anchor + delta (in a tail, to delta).

    From −∞ to a point, and from +∞: negative then.
    """
    if law.period is None:
        return law.factor * _gaussian(law, anchor.point, delta)
    if law.waves:
        return law.factor * law.wave_mass(anchor.point, delta)
    most = math.ceil(_REACH * law.deviation / law.period) + 1
    shifts = law.period * np.arange(-most, most + 1)
    folded = np.sum([_gaussian(law, anchor.point + shift, delta) for shift in shifts], axis=0)
    return law.factor * folded


def whole_mass(law: Pushforward, piece: MonotonePiece) -> float:
    """Return the mass of a piece, beyond where it is cut off as well."""
    if law.period is not None:
        return 1.0
    middle = np.array([0.5 * (piece.start + piece.stop)], dtype=np.complex128)
    ends = [middle - anchor.point if math.isfinite(anchor.point) else middle for anchor in (piece.low, piece.high)]
    low, high = (mass_from(law, anchor, end) for anchor, end in zip((piece.low, piece.high), ends, strict=True))
    return float((low - high)[0].real)


def _gaussian(law: Pushforward, point: float, delta: Any) -> Any:
    from scipy.special import erfc

    width = math.sqrt(2.0) * law.deviation
    with np.errstate(under="ignore"):
        if not math.isfinite(point):
            side = math.copysign(1.0, point)
            return -side * 0.5 * erfc(side * delta / width)
        side = 1.0 if point > 0.0 else -1.0
        mass = np.asarray(-side * 0.5 * (erfc(side * (point + delta) / width) - erfc(side * point / width)))
        near = np.abs(delta) < _NEAR * law.deviation
        if near.any():
            nodes, weights = _short_rule()
            short = delta[near]
            h = point + short[:, None] * nodes
            density = np.exp(-h * h / (2.0 * law.variance)) / (law.deviation * math.sqrt(2.0 * math.pi))
            mass[near] = (density @ weights) * short
        return mass


@lru_cache(maxsize=1)
def _short_rule() -> tuple[Real, Real]:
    nodes, weights = np.polynomial.legendre.leggauss(_SHORT)
    return 0.5 * (1.0 + nodes), 0.5 * weights
