"""Free Poisson laws and compound ones: the laws here that have all free additive powers t > 0.

MarchenkoPastur(1, s) ⊠ ν is compound free Poisson of rate 1: its free cumulants are the moments of s·ν.  At rate t
they are t times these, those of W N Wᵀ with N of law ν and W of t times as many columns as rows; the other way round,
√N WᵀW √N, this is MarchenkoPastur(t, s) ⊠ ν, resized by 1/t.  (For ratios other than 1 the product itself is no
compound free Poisson law.)  See A. Nica, R. Speicher, "Lectures on the Combinatorics of Free Probability" (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freeconv._numeric import snapped, total
from freeconv.laws import Boxtimes, FreePoisson, Law, MarchenkoPastur, Resize

__all__ = ["Factors", "fractional", "merged", "same_jump", "unit_rate"]

Factors = list[tuple[Law, float]]


def _jump(law: MarchenkoPastur | FreePoisson) -> float:
    return law.jump if isinstance(law, FreePoisson) else law.ratio * law.scale


def same_jump(a: MarchenkoPastur | FreePoisson, b: MarchenkoPastur | FreePoisson) -> bool:
    """Whether the jumps are equal, up to the rounding of the product ratio·scale."""
    return snapped(_jump(a), _jump(b)) == _jump(b)


def merged(terms: Sequence[tuple[MarchenkoPastur | FreePoisson, float]]) -> Law:
    """⊞ of free Poisson laws of one jump with multiplicities > 0; a law of the type of the first."""
    first, t = terms[0]
    if isinstance(first, FreePoisson):
        rates = (s * (law.rate if isinstance(law, FreePoisson) else 1.0 / law.ratio) for law, s in terms)
        return FreePoisson(total(rates), first.jump)
    if len(terms) == 1:
        return MarchenkoPastur(first.ratio / t, t * first.scale)
    mean = total(s * (law.scale if isinstance(law, MarchenkoPastur) else law.rate * law.jump) for law, s in terms)
    return MarchenkoPastur(_jump(first) / mean, mean)


def fractional(law: Law, t: float) -> tuple[Factors, float] | None:
    """law^{⊞t} as the factors of a product and the ratio of the size change around it; None if not of rate 1."""
    found = _replaced(law, lambda scale: MarchenkoPastur(t, scale), 1.0)
    return None if found is None else (found, 1.0 / t)


def unit_rate(law: Law) -> tuple[Factors, float] | None:
    """Undo `fractional`: the factors of a compound law of rate 1, and t; None for laws of other kinds."""
    if not isinstance(law, Resize) or law.ratio <= 1.0:
        return None
    found = _replaced(law.law, lambda scale: MarchenkoPastur(1.0, scale), 1.0 / law.ratio)
    return None if found is None else (found, 1.0 / law.ratio)


def _replaced(law: Law, replacement: Callable[[float], Law], ratio: float) -> Factors | None:
    """The factors of a product with one power of its first Marchenko–Pastur factor of this ratio replaced."""
    if not isinstance(law, Boxtimes):
        return None
    factors = list(law.factors)
    for i, (factor, multiplicity) in enumerate(factors):
        scale = _scale_at(factor, ratio)
        if scale is not None:
            left = [(factor, multiplicity - 1.0)] if multiplicity > 1.0 else []
            return [*factors[:i], (replacement(scale), 1.0), *left, *factors[i + 1 :]]
    return None


def _scale_at(law: Law, ratio: float) -> float | None:
    """The scale of a free Poisson law if it is a Marchenko–Pastur law of this ratio."""
    if isinstance(law, MarchenkoPastur) and snapped(law.ratio, ratio) == ratio:
        return law.scale
    if isinstance(law, FreePoisson) and law.jump > 0.0 and snapped(law.rate * ratio) == 1.0:
        return law.rate * law.jump
    return None
