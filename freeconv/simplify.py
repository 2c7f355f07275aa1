"""Canonical trees: what `freeconv.algebra` returns once the arguments are checked.

A product holds no products, point masses or scaled laws, a sum no sums, point masses or shifted laws; equal factors
are one factor with a multiplicity.  Scales of a product and shifts of a sum stand in one `Affine` around it, and leaves
take in what their family allows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from freeconv._numeric import power, snapped, total
from freeconv._validate import finite
from freeconv.laws import (
    Affine,
    Arcsine,
    Boxplus,
    Boxtimes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Resize,
    Semicircle,
    Uniform,
)
from freeconv.laws.operations import fold
from freeconv.poisson import fractional, merged, same_jump, unit_rate

__all__ = ["affine", "boxplus", "boxtimes", "shortened"]

Terms = Iterable[tuple[Law, float]]

_LARGEST_LOG_SCALE = math.log(1e100)


def shortened(law: Law) -> str:
    """The representation, cut for messages."""
    text = repr(law)
    return text if len(text) <= 200 else f"{text[:197]}..."


def affine(law: Law, scale: float, shift: float) -> Law:
    """The canonical law of scale·X + shift."""
    if isinstance(law, Affine):
        scale, shift, law = scale * law.scale, scale * law.shift + shift, law.law
    scale, shift = finite("scale", scale), finite("shift", shift)
    if scale == 0.0:
        return PointMass(shift)
    if scale < 0.0:
        reflected = fold(law, "reflection", _reflection)
        if reflected is not None:
            return affine(reflected, -scale, shift)
    match law:
        case PointMass():
            return PointMass(scale * law.location + shift)
        case Discrete():
            return Discrete([scale * point + shift for point in law.locations], law.weights)
        case Semicircle():
            return Semicircle(scale * law.center + shift, scale * scale * law.dispersion)
        case Arcsine():
            return Arcsine(scale * law.low + shift, scale * law.high + shift)
        case Uniform():
            return Uniform(scale * law.low + shift, scale * law.high + shift)
        case MarchenkoPastur():
            law, scale = MarchenkoPastur(law.ratio, scale * law.scale), 1.0
        case FreePoisson():
            law, scale = FreePoisson(law.rate, scale * law.jump), 1.0
    return law if scale == 1.0 and shift == 0.0 else Affine(law, scale, shift)


def boxtimes(terms: Terms) -> Law:
    """The canonical ⊠ of (law, multiplicity), laws on [0, ∞)."""
    terms = list(terms)
    factors, scales = _product_terms(terms, pull_scales=True)
    logarithms = [t * math.log(scale) for scale, t in scales if scale > 0.0]
    if max(map(abs, [total(logarithms), *logarithms]), default=0.0) > _LARGEST_LOG_SCALE:
        factors, scales = _product_terms(terms, pull_scales=False)
    scale = _product_of_powers(scales)
    if scale == 0.0:
        return PointMass(0.0)
    canonical = [_product_factor(law, snapped(t)) for law, t in factors.items()]
    if not canonical:
        return PointMass(scale)
    single = len(canonical) == 1 and canonical[0][1] == 1.0
    return affine(canonical[0][0] if single else Boxtimes(tuple(canonical)), scale, 0.0)


def boxplus(terms: Terms) -> Law:
    """The canonical ⊞ of (law, multiplicity)."""
    factors, shifts = _sum_terms(terms)
    shift = total(shifts)
    if any(isinstance(law, Affine) and law.scale < 0.0 for law in factors):
        reflected = [(affine(law, -1.0, 0.0), t) for law, t in factors.items()]
        if any(isinstance(law, Affine) and law.scale < 0.0 for law, _ in reflected):
            raise ValueError(
                "a reflected free product cannot be added yet to one that is not reflected, got "
                + shortened(Boxplus(tuple(factors.items())))
            )
        return affine(boxplus(reflected), -1.0, shift)
    canonical = [_sum_factor(law, snapped(t)) for law, t in _merge_families(factors)]
    if not canonical:
        return PointMass(shift)
    single = len(canonical) == 1 and canonical[0][1] == 1.0
    return affine(canonical[0][0] if single else Boxplus(tuple(canonical)), 1.0, shift)


def _product_terms(terms: Terms, *, pull_scales: bool) -> tuple[dict[Law, float], list[tuple[float, float]]]:
    """Multiplicities of the distinct factors, in order of first appearance, and (scale, multiplicity)."""
    factors: dict[Law, float] = {}
    scales: list[tuple[float, float]] = []
    stack = list(terms)[::-1]
    while stack:
        law, t = stack.pop()
        match law:
            case PointMass():
                scales.append((law.location, t))
            case Boxtimes():
                stack.extend((factor, s * t) for factor, s in reversed(law.factors))
            case Discrete() if len(law.locations) == 1:
                scales.append((law.locations[0], t))
            case Affine() if pull_scales and law.shift == 0.0:
                scales.append((law.scale, t))
                stack.append((law.law, t))
            case IsometryLimit():
                unit = IsometryLimit(law.kind, 1.0)
                factors[unit] = factors.get(unit, 0.0) + law.dispersion * t
            case MarchenkoPasturPower():
                base = MarchenkoPastur(law.ratio, law.scale)
                factors[base] = factors.get(base, 0.0) + law.power * t
            case _:
                factors[law] = factors.get(law, 0.0) + t
    return factors, scales


def _product_of_powers(scales: Sequence[tuple[float, float]]) -> float:
    """∏ s^t by mantissas and exponents, so that no partial product overflows."""
    if any(scale == 0.0 for scale, _ in scales):
        return 0.0
    mantissa, exponent = 1.0, 0
    for scale, t in scales:
        value = power(scale, t)
        if not 0.0 < value < math.inf:
            raise ValueError(f"the power {t!r} of the scale {scale!r} must be a positive double")
        part, shift = math.frexp(mantissa * math.frexp(value)[0])
        mantissa, exponent = part, exponent + shift + math.frexp(value)[1]
    if not -1021 <= exponent <= 1024:
        raise ValueError(f"the product of the scales must be a positive double, got {mantissa!r} * 2^{exponent}")
    return math.ldexp(mantissa, exponent)


def _product_factor(law: Law, t: float) -> tuple[Law, float]:
    """The factor law^{⊠t}, with t ≥ 1 unless the law is known to be ⊠-infinitely divisible."""
    if isinstance(law, IsometryLimit):
        return IsometryLimit(law.kind, law.dispersion * t), 1.0
    if t >= 1.0:
        return law, t
    if isinstance(law, MarchenkoPastur) and law.ratio <= 1.0:
        return MarchenkoPasturPower(law.ratio, law.scale, t), 1.0
    if isinstance(law, FreePoisson) and law.rate >= 1.0 and law.jump > 0.0:
        return MarchenkoPasturPower(1.0 / law.rate, law.rate * law.jump, t), 1.0
    raise ValueError(
        f"t must be >= 1 for {shortened(law)}, got a power {t!r}; below 1 it may be for point masses, "
        "MarchenkoPastur of ratio <= 1, FreePoisson of rate >= 1, and their products, powers and multiples"
    )


def _sum_terms(terms: Terms) -> tuple[dict[Law, float], list[float]]:
    """Multiplicities of the distinct factors, in order of first appearance, and the shifts."""
    factors: dict[Law, float] = {}
    shifts: list[float] = []
    stack = list(terms)[::-1]
    while stack:
        law, t = stack.pop()
        inner, scale = (law.law, law.scale) if isinstance(law, Affine) else (law, 1.0)
        match law:
            case PointMass():
                shifts.append(t * law.location)
            case Boxplus():
                stack.extend((factor, s * t) for factor, s in reversed(law.factors))
            case Discrete() if len(law.locations) == 1:
                shifts.append(t * law.locations[0])
            case Affine() if law.shift != 0.0 or law.scale == 1.0:
                shifts.append(t * law.shift)
                stack.append((affine(inner, scale, 0.0), t))
            case Affine() if isinstance(inner, Boxplus) and snapped(t) < 1.0:  # each factor may be divisible
                stack.extend((affine(factor, scale, 0.0), s * t) for factor, s in reversed(inner.factors))
            case _ if (unit := unit_rate(inner)) is not None:
                base = affine(boxtimes(unit[0]), scale, 0.0)
                factors[base] = factors.get(base, 0.0) + unit[1] * t
            case _:
                factors[law] = factors.get(law, 0.0) + t
    return factors, shifts


def _merge_families(factors: dict[Law, float]) -> list[tuple[Law, float]]:
    """One semicircle for all, one free Poisson law for all of one jump; each where the first of them stood."""
    merged_terms: list[tuple[Law, float]] = []
    semicircles = [(law, t) for law, t in factors.items() if isinstance(law, Semicircle)]
    poissons = [(law, t) for law, t in factors.items() if isinstance(law, (MarchenkoPastur, FreePoisson))]
    for law, t in factors.items():
        match law:
            case Semicircle() if law is semicircles[0][0]:
                mean = total(s * one.center for one, s in semicircles)
                merged_terms.append((Semicircle(mean, total(s * one.dispersion for one, s in semicircles)), 1.0))
            case MarchenkoPastur() | FreePoisson():
                family = [(one, s) for one, s in poissons if same_jump(one, law)]
                if law is family[0][0]:
                    alone = len(family) == 1 and snapped(t) == 1.0
                    merged_terms.append((law if alone else merged(family), 1.0))
            case Semicircle():
                pass
            case _:
                merged_terms.append((law, t))
    return merged_terms


def _sum_factor(law: Law, t: float) -> tuple[Law, float]:
    """The factor law^{⊞t}, with t ≥ 1 unless it is compound free Poisson of rate 1; leaves were merged before."""
    if t >= 1.0:
        return law, t
    inner, scale = (law.law, law.scale) if isinstance(law, Affine) else (law, 1.0)
    found = fractional(inner, t)
    if found is not None:
        return affine(Resize(boxtimes(found[0]), found[1]), scale, 0.0), 1.0
    raise ValueError(
        f"t must be >= 1 for {shortened(law)}, got a power {t!r}; below 1 it may be for point masses, Semicircle, "
        "MarchenkoPastur, FreePoisson, boxtimes of MarchenkoPastur of ratio 1 with any law, their sums and multiples"
    )


def _reflection(law: Law, reflected: Sequence[Law | None]) -> Law | None:
    """The law of −X without a negative scale, or None where the tree has none: of products and size changes."""
    match law:
        case PointMass():
            return PointMass(-law.location)
        case Discrete():
            return Discrete([-point for point in law.locations], law.weights)
        case Semicircle():
            return Semicircle(-law.center, law.dispersion)
        case Arcsine():
            return Arcsine(-law.high, -law.low)
        case Uniform():
            return Uniform(-law.high, -law.low)
        case MarchenkoPastur():
            return FreePoisson(1.0 / law.ratio, -(law.ratio * law.scale))
        case FreePoisson():
            return FreePoisson(law.rate, -law.jump)
        case Affine():
            if law.scale < 0.0:
                return affine(law.law, -law.scale, -law.shift)
            return None if reflected[0] is None else affine(reflected[0], law.scale, -law.shift)
        case Boxplus():
            known = [one for one in reflected if one is not None]
            return Boxplus(tuple(zip(known, law.constants, strict=True))) if len(known) == len(reflected) else None
    return None
