"""Law specifications: the little JSON language in which every table names its laws.

A specification is a dictionary with one key.

==============  =====================================================================
key             value
==============  =====================================================================
PointMass       ``{"location": a}``
Discrete        ``{"locations": [...], "weights": [...]}``
Bernoulli       ``{"p": p, "value": a}``: mass p at a, exactly 1 - p at 0
MarchenkoPastur ``{"ratio": c, "scale": s}``
FreePoisson     ``{"rate": r, "jump": a}``
Semicircle      ``{"mean": a, "variance": v}``
Arcsine         ``{"low": a, "high": b}``
Uniform         ``{"low": a, "high": b}``
SlopeLaw        ``{"activation": name, "variance": q}``: the law of φ'(√q Z)²
boxtimes        ``[{"law": law, "power": t}, ...]``
boxplus         ``[{"law": law, "power": t}, ...]``
affine          ``{"law": law, "scale": a, "shift": b}``
compress        ``{"law": law, "t": t}``
resize          ``{"law": law, "ratio": r}``
==============  =====================================================================

Every number is a double and means exactly that double.  The weights of a ``Discrete`` whose doubles do not
add up to exactly 1 are divided by their exact sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Law = dict[str, Any]
Factor = Law | tuple[Law, float]


def discrete(locations: Sequence[float], weights: Sequence[float]) -> Law:
    """Atoms ``weights`` at ``locations``."""
    return {"Discrete": {"locations": [float(a) for a in locations], "weights": [float(w) for w in weights]}}


def bernoulli(p: float, value: float = 1.0) -> Law:
    """Mass p at ``value`` and 1 - p at 0."""
    return {"Bernoulli": {"p": float(p), "value": float(value)}}


def marchenko_pastur(ratio: float = 1.0, scale: float = 1.0) -> Law:
    """W Wᵀ of mean ``scale`` and aspect ratio ``ratio``."""
    return {"MarchenkoPastur": {"ratio": float(ratio), "scale": float(scale)}}


def free_poisson(rate: float, jump: float = 1.0) -> Law:
    """Free compound Poisson law with one jump size."""
    return {"FreePoisson": {"rate": float(rate), "jump": float(jump)}}


def semicircle(mean: float = 0.0, variance: float = 1.0) -> Law:
    """Semicircle law."""
    return {"Semicircle": {"mean": float(mean), "variance": float(variance)}}


def arcsine(low: float, high: float) -> Law:
    """Arcsine law on [low, high]."""
    return {"Arcsine": {"low": float(low), "high": float(high)}}


def uniform(low: float, high: float) -> Law:
    """Uniform law on [low, high]."""
    return {"Uniform": {"low": float(low), "high": float(high)}}


def slope_law(activation: str, variance: float) -> Law:
    """The law of φ'(√q Z)²."""
    return {"SlopeLaw": {"activation": activation, "variance": float(variance)}}


def _factors(factors: Sequence[Factor]) -> list[dict[str, Any]]:
    pairs = [f if isinstance(f, tuple) else (f, 1.0) for f in factors]
    return [{"law": law, "power": float(power)} for law, power in pairs]


def boxtimes(*factors: Factor) -> Law:
    """Free product; a factor is a law or (law, power)."""
    return {"boxtimes": _factors(factors)}


def boxplus(*factors: Factor) -> Law:
    """Free sum; a term is a law or (law, power)."""
    return {"boxplus": _factors(factors)}


def affine(law: Law, scale: float, shift: float) -> Law:
    """Law of scale * X + shift."""
    return {"affine": {"law": law, "scale": float(scale), "shift": float(shift)}}


def compress(law: Law, t: float) -> Law:
    """Corner of normalised trace t."""
    return {"compress": {"law": law, "t": float(t)}}


def resize(law: Law, ratio: float) -> Law:
    """From A Aᵀ of size n to Aᵀ A of size ratio * n."""
    return {"resize": {"law": law, "ratio": float(ratio)}}
