"""The limit laws of ever deeper networks at dynamical isometry, as leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from freeconv._validate import choice, positive
from freeconv.laws.base import Law
from freeconv.laws.leaves import Leaf

__all__ = ["KINDS", "IsometryLimit", "isometry_limit"]

KINDS = ("bernoulli", "smooth")


@dataclass(frozen=True, init=False, repr=False)
class IsometryLimit(Leaf):
    """A limit law of ever deeper networks; `isometry_limit` makes it.

    Parameters
    ----------
    kind : {"bernoulli", "smooth"}
    variance : float
        > 0; kept as `dispersion`, since `variance` is a method of every law.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxtimes(fc.isometry_limit("smooth", 0.25), fc.isometry_limit("smooth", 0.5))
    isometry_limit(kind='smooth', variance=0.75)
    """

    kind: str
    dispersion: float

    def __init__(self, kind: str = "bernoulli", variance: float = 1.0) -> None:
        choice("kind", kind, KINDS)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "dispersion", positive("variance", variance))

    def ends(self) -> tuple[float, float]:
        """The least interval that holds the law, 0 and the atom included.

        Returns
        -------
        low, high : float
        """
        s = self.dispersion
        if self.kind == "bernoulli":
            return 0.0, math.exp(max(s, 1.0 + math.log(s))) if s < 1.0 else math.e * s
        root = math.sqrt(1.0 + 4.0 / s)
        upper = 2.0 / (s * (1.0 + root))  # (−1 + root)/2 without its cancellation
        lower = -0.5 * (1.0 + root)
        # (1 + m)/m at the roots of s m (1 + m) = 1 is s (1 + m)²
        return s * (1.0 + lower) ** 2 * math.exp(s * lower), s * (1.0 + upper) ** 2 * math.exp(s * upper)

    def __repr__(self) -> str:
        return f"isometry_limit(kind={self.kind!r}, variance={self.dispersion!r})"


def isometry_limit(kind: str = "bernoulli", variance: float = 1.0) -> Law:
    """The limit law of J Jᵀ of ever deeper orthogonal networks whose layers come ever closer to isometries.

    Parameters
    ----------
    kind : {"bernoulli", "smooth"}
        "bernoulli" for activations that are piecewise linear (hard tanh), "smooth" for smooth ones (erf, tanh).
    variance : float
        σ₀² > 0; the mean is 1.

    Returns
    -------
    Law

    Raises
    ------
    TypeError, ValueError
        If the arguments are not such.

    Notes
    -----
    With σ₀² = lim L (E φ'⁴/(E φ'²)² − 1) on the critical line, the L-fold ⊠ of the slope laws tends to the law of

        K = 1/S = exp(σ₀² m/(1 + m))    (bernoulli),        K = exp(σ₀² m)    (smooth)

    by (1 + (p − 1)/(p + m))^L → exp [1]_.  The first has the support (0, e σ₀²], on which
    G = σ₀²/(x (σ₀² + W₀(−σ₀²/x))) with Lambert's W, and for σ₀² < 1 an atom of weight 1 − σ₀² at e^{σ₀²}; the second
    has its edges at ((1 + m)/m) e^{σ₀² m}, m = (−1 ± √(1 + 4/σ₀²))/2, and no atom.

    References
    ----------
    .. [1] J. Pennington, S. S. Schoenholz and S. Ganguli, "The emergence of spectral universality in deep networks",
       AISTATS 2018, arXiv:1802.09979.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.isometry_limit("smooth", 1.0).support().round(9).tolist()
    [[0.075739335, 4.857178136]]
    """
    return IsometryLimit(kind, variance)
