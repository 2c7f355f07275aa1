"""∫ log|t| dμ(t), the logarithm of the Fuglede–Kadison determinant, without a limit z → 0 wherever rules lead there."""

from __future__ import annotations

import math

import numpy as np

from freeconv import boundary, transforms
from freeconv._validate import flag
from freeconv.atoms import atoms, mass_off_zero
from freeconv.errors import ConvergenceError
from freeconv.hull import lowest
from freeconv.laws import (
    Affine,
    Boxtimes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Resize,
)
from freeconv.moments import mean, variance

__all__ = ["log_determinant"]

# Masses off 0 that differ by less are equal: r·p of a size change is rounded.
_EQUAL = 1e-15


def log_determinant(law: Law, *, pseudo: bool = False) -> float:
    """Return ∫ log|t| dμ(t); see `Law.log_determinant`.

    Notes
    -----
    For a law on [0, ∞) with p₀ = 1 − μ{0} the part off 0 is L(p₀), where

        L(p) = ∫₀^p log|z(−s)| ds,   z(m) = K(m)(1 + m)/m.

    Under ⊠ the K multiply, so that with H(p) = −p log p − (1 − p) log(1 − p) the L(p) − H(p) add; a size change by r
    turns L(p) into L(r p)/r.  (Integrate U = (1 + m) log z − ∫ log z dm by parts.)
    """
    pseudo = flag("pseudo", pseudo)
    image = boundary.mirrored(law)
    if image is not None:  # ∫ log|t| does not see the sign
        return log_determinant(image, pseudo=pseudo)
    weight = 1.0 - mass_off_zero(law)
    if weight > 0.0 and not pseudo:
        return -math.inf
    if weight == 1.0:
        return 0.0
    value = _on_half_line(law) if lowest(law) >= 0.0 else _on_line(law, weight)
    if math.isnan(value):
        raise ConvergenceError(f"the logarithm of the determinant of {law!r:.200} could not be certified")
    return value


def _on_line(law: Law, weight: float) -> float:
    if weight == 0.0:
        return float(boundary.potential(law, np.zeros(1))[0])
    # U − μ{0} log|z| is smooth at 0: the mean over ±h is good to h².
    h = 1e-8 * math.sqrt(variance(law))
    return float(boundary.potential(law, np.array([-h, h])).mean() - weight * math.log(h))


def _on_half_line(law: Law) -> float:
    total: list[float] = []
    stack = [(law, mass_off_zero(law), 1.0)]
    while stack:  # a loop, for trees of any depth
        node, p, factor = stack.pop()
        match node:
            case Boxtimes():
                total.append(factor * _entropy(p) * (1.0 - math.fsum(node.constants)))
                stack.extend((child, p, factor * t) for child, t in zip(node.children, node.constants, strict=True))
            case Affine() if node.shift == 0.0:
                total.append(factor * p * math.log(node.scale))
                stack.append((node.law, p, factor))
            case Resize():
                stack.append((node.law, min(node.ratio * p, 1.0), factor / node.ratio))
            case _:
                total.append(factor * _leaf(node, p))
    return math.fsum(total)


def _leaf(law: Law, p: float) -> float:
    """L(p) of what is not a product."""
    match law:
        case PointMass():
            return _entropy(p) + p * math.log(law.location)
        case MarchenkoPastur():
            return _entropy(p) + _poisson(p, law.scale, 1.0, law.ratio)
        case IsometryLimit():  # ∫₀^p log K(−s) ds; −∞ for p = 1 in the Bernoulli class
            if law.kind == "smooth":
                return _entropy(p) - 0.5 * law.dispersion * p * p
            rest = math.log1p(-p) if p < 1.0 else -math.inf
            return _entropy(p) + law.dispersion * (p + rest)
        case MarchenkoPasturPower():
            return _entropy(p) + law.power * _poisson(p, law.scale, 1.0, law.ratio)
        case FreePoisson():
            return _entropy(p) + _poisson(p, law.jump, law.rate, 1.0)
    p0 = mass_off_zero(law)
    if p < p0 * (1.0 - _EQUAL):
        return _legendre(law, -p)
    if isinstance(law, Discrete):
        known = atoms(law)
        return math.fsum(w * math.log(a) for a, w in zip(known.locations, known.weights, strict=True) if a != 0.0)
    if p0 == 1.0:
        return float(boundary.potential(law, np.zeros(1))[0])
    # An atom at 0 in a sum: a gap follows, and L at z = −h differs by h log h.
    h = 1e-18 * math.sqrt(variance(law))
    return float(boundary.potential(law, np.array([-h]))[0]) - (1.0 - p0) * math.log(h)


def _legendre(law: Law, m: float) -> float:
    """Re U(z) − (1 + m) log|z| at the z < 0 with z G(z) − 1 = m."""
    s = float(transforms.s_transform(law, m)) if m != 0.0 else 1.0 / mean(law)
    z = (1.0 + m) / (m * s)
    return float(boundary.potential(law, np.array([z]))[0]) - (1.0 + m) * math.log(-z)


def _poisson(p: float, alpha: float, beta: float, gamma: float) -> float:
    """∫₀^p log(α (β − γ s)) ds."""
    x = min(gamma * p / beta, 1.0)
    rest = (1.0 - x) * math.log1p(-x) if x < 1.0 - _EQUAL else 0.0
    return p * (math.log(alpha) + math.log(beta)) - beta / gamma * (rest + x)


def _entropy(p: float) -> float:
    return -p * math.log(p) - ((1.0 - p) * math.log1p(-p) if p < 1.0 else 0.0)
