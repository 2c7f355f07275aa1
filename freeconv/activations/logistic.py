"""The logistic function for real and complex arguments, without overflow."""

from __future__ import annotations

import numpy as np

from freeconv.activations.base import Slopes

__all__ = ["logistic", "logistic_slope", "mirrored"]


def mirrored(x: Slopes) -> Slopes:
    """Return x or −x, whichever lies in the right half-plane: e^{−mirrored(x)} does not overflow."""
    return np.where(x.real < 0.0, -x, x)


def logistic(x: Slopes) -> Slopes:
    """σ(x) = 1/(1 + e^{−x}); left of 0 as e^x/(1 + e^x), which does not overflow."""
    e = np.exp(-mirrored(x))
    return np.where(x.real < 0.0, e, 1.0) / (1.0 + e)


def logistic_slope(x: Slopes) -> Slopes:
    """σ'(x) = σ(x) σ(−x) = e^{−x}/(1 + e^{−x})², an even function: σ (1 − σ) would lose the digits of 1 − σ."""
    e = np.exp(-mirrored(x))
    return e / ((1.0 + e) * (1.0 + e))
