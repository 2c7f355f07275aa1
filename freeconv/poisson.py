"""Compound free Poisson laws: a free Poisson law ⊠ a law of jumps, closed under all ⊞ powers t > 0.

FreePoisson(rate, jump) ⊠ ν has the free cumulants rate·jump^n·m_n(ν): ⊞ powers multiply the rate, and two of one law of
jumps add their rates (A. Nica, R. Speicher, "Lectures on the Combinatorics of Free Probability", lecture 12).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from freeconv._numeric import total
from freeconv.laws import Affine, Boxtimes, FreePoisson, Law, MarchenkoPastur

__all__ = ["Poisson", "compound", "merged"]


@dataclass(frozen=True)
class Poisson:
    """A law taken apart as scale·(free Poisson ⊠ rest).

    Attributes
    ----------
    law : Law
        The whole.
    poisson : MarchenkoPastur or FreePoisson
        One power of the free Poisson factor.
    rest : tuple of (Law, float)
        The other factors with their multiplicities.
    scale : float
    """

    law: Law
    poisson: MarchenkoPastur | FreePoisson
    rest: tuple[tuple[Law, float], ...]
    scale: float

    @property
    def jump(self) -> float:
        """The jump of the free Poisson factor."""
        law = self.poisson
        return law.jump if isinstance(law, FreePoisson) else law.ratio * law.scale

    def same_jumps(self, other: Poisson) -> bool:
        """Whether the laws of jumps are equal, up to the rounding of the product ratio·scale."""
        close = abs(self.jump - other.jump) <= 2.0**-50 * abs(self.jump)
        return close and self.scale == other.scale and self.rest == other.rest


def compound(law: Law) -> Poisson | None:
    """Take a compound free Poisson law apart; None for other laws.

    Parameters
    ----------
    law : Law

    Returns
    -------
    Poisson or None
    """
    product, scale = (law.law, law.scale) if isinstance(law, Affine) and law.shift == 0.0 else (law, 1.0)
    if isinstance(product, (MarchenkoPastur, FreePoisson)):
        return Poisson(law, product, (), scale)
    if not isinstance(product, Boxtimes) or scale <= 0.0:
        return None
    for i, (factor, t) in enumerate(product.factors):
        if isinstance(factor, (MarchenkoPastur, FreePoisson)) and (t == 1.0 or t >= 2.0 or _divisible(factor)):
            left = ((factor, t - 1.0),) if t > 1.0 else ()
            return Poisson(law, factor, left + product.factors[:i] + product.factors[i + 1 :], scale)
    return None


def merged(terms: Sequence[tuple[Poisson, float]]) -> MarchenkoPastur | FreePoisson:
    """The free Poisson factor of ⊞ of (law, multiplicity), all of one law of jumps.

    Parameters
    ----------
    terms : sequence of (Poisson, float)

    Returns
    -------
    MarchenkoPastur or FreePoisson
        Of the type of the first.
    """
    first, t = terms[0][0].poisson, terms[0][1]
    if isinstance(first, FreePoisson):
        rates = [
            s * (one.poisson.rate if isinstance(one.poisson, FreePoisson) else 1.0 / one.poisson.ratio)
            for one, s in terms
        ]
        return FreePoisson(total(rates), first.jump)
    if len(terms) == 1:
        return MarchenkoPastur(first.ratio / t, t * first.scale)
    means = [
        s * (one.poisson.scale if isinstance(one.poisson, MarchenkoPastur) else one.poisson.rate * one.poisson.jump)
        for one, s in terms
    ]
    scale = total(means)
    return MarchenkoPastur(terms[0][0].jump / scale, scale)


def _divisible(law: MarchenkoPastur | FreePoisson) -> bool:
    """Whether all ⊠ powers t > 0 exist."""
    return law.ratio <= 1.0 if isinstance(law, MarchenkoPastur) else law.rate >= 1.0
