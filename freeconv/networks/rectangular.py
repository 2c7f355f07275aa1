"""Spectra of products and sums of layers of any widths.

A matrix of size N and law μ, cut down to the size n in generic position, has the law `compress`(μ, n/N); A Aᵀ and AᵀA
differ in zeros only, by `resize`.  With these two every layer is brought to one size, where laws multiply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from freeconv.algebra import boxtimes, boxtimes_power, compress, resize
from freeconv.laws import Discrete, Law, MarchenkoPastur, PointMass

__all__ = ["gain", "jacobian_law", "ntk_law", "weight_law"]


def gain(fan_in: float, fan_out: float, *, orthogonal: bool) -> float:
    """Return |W x|²/fan_out over |x|²/fan_in, for weights of variance 1.

    Parameters
    ----------
    fan_in, fan_out : float
        The widths before and after the layer.
    orthogonal : bool
        Orthogonal weights instead of Gaussian ones.

    Returns
    -------
    float
        1, but fan_in/fan_out for an orthogonal layer that expands: an isometry keeps |x|², spread over more entries.

    Examples
    --------
    >>> from freeconv.networks.rectangular import gain
    >>> gain(100, 400, orthogonal=True), gain(400, 100, orthogonal=True), gain(100, 400, orthogonal=False)
    (0.25, 1.0, 1.0)
    """
    return fan_in / fan_out if orthogonal and fan_out > fan_in else 1.0


def weight_law(fan_in: float, fan_out: float, variance: float, *, orthogonal: bool) -> Law:
    """Return the law of W Wᵀ, W of shape (fan_out, fan_in).

    Parameters
    ----------
    fan_in, fan_out : float
        The widths before and after the layer.
    variance : float
        > 0.
    orthogonal : bool
        W is √variance times a block of a Haar orthogonal matrix with orthonormal rows or columns; otherwise it has
        independent entries of variance variance/fan_in.

    Returns
    -------
    Law

    Examples
    --------
    >>> from freeconv.networks.rectangular import weight_law
    >>> weight_law(100, 400, 2.0, orthogonal=True)
    Discrete(locations=(0.0, 2.0), weights=(0.75, 0.25))
    """
    if not orthogonal:
        return MarchenkoPastur(fan_out / fan_in, variance)
    if fan_out <= fan_in:
        return PointMass(variance)
    return Discrete((0.0, variance), ((fan_out - fan_in) / fan_out, fan_in / fan_out))


def jacobian_law(slopes: Sequence[Law], weights: Sequence[Law], widths: Sequence[float], side: str) -> Law:
    """Return the law of J Jᵀ or of JᵀJ, J = D_L W_L ⋯ D_1 W_1, for free layers.

    Parameters
    ----------
    slopes : sequence of Law, length depth
        The laws of D_l².
    weights : sequence of Law, length depth
        The laws of W_l W_lᵀ.
    widths : sequence of float, length depth + 1
        N_0, …, N_L; W_l is N_l × N_{l−1}.
    side : {"output", "input"}
        "output" for J Jᵀ of size N_L, "input" for JᵀJ of size N_0.

    Returns
    -------
    Law

    Notes
    -----
    Cut J = X Y at the narrowest place, of width n.  The spectrum of X Y (X Y)ᵀ is that of Y Yᵀ · XᵀX, of size n, and
    zeros.  S_{W A Wᵀ}(m) = S_{W Wᵀ}(m) S_A((N_l/N_{l−1}) m), and the like from the other end, turn the product of [1]_
    into one of factors S_{D_l²}((n/N_l) m) and S_{W_l W_lᵀ}((n/N_l) m), behind the cut S_{W_lᵀ W_l}((n/N_{l−1}) m):
    compressions of D_l² and W_l to the size n.  All commute; equal ones are one factor with a multiplicity, wherever
    they stand.  One size change from n leads to either side.

    References
    ----------
    .. [1] R. Chhaibi, T. Daouda, E. Kahn, "Free probability for predicting the performance of feed-forward fully
       connected neural networks", NeurIPS 2022, arXiv:2111.00841, theorem 3.1.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.networks.rectangular import jacobian_law
    >>> one = fc.PointMass(1.0)
    >>> jacobian_law([one, one], [one, fc.Discrete([0.0, 1.0], [0.75, 0.25])], [300, 100, 400], "output").atoms()
    Atoms(locations=[0.0, 1.0], weights=[0.75, 0.25])
    """
    narrowest = min(widths)
    law = _product(*_at_size(slopes, weights, widths, narrowest))
    return resize(law, (widths[-1] if side == "output" else widths[0]) / narrowest)


def ntk_law(
    slopes: Sequence[Law], weights: Sequence[Law], widths: Sequence[float], activation_variances: Sequence[float]
) -> Law:
    """Return the law of H_L, H_1 = q̂_0, H_{l+1} = q̂_l + W_{l+1} D_l H_l D_l W_{l+1}ᵀ, for free layers.

    Parameters
    ----------
    slopes : sequence of Law, length depth − 1
        The laws of D_l², l = 1 … depth − 1.
    weights : sequence of Law, length depth − 1
        The laws of W_l W_lᵀ, l = 2 … depth.
    widths : sequence of float, length depth
        N_1, …, N_L; H_l has the size N_l.
    activation_variances : sequence of float, length depth
        q̂_0, …, q̂_{L−1}.

    Returns
    -------
    Law

    Notes
    -----
    Where a layer contracts, D H D is compressed to the smaller size and multiplied by W Wᵀ there.  Where it expands, it
    is multiplied by WᵀW, and the product resized.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.networks.rectangular import ntk_law
    >>> ntk_law([fc.PointMass(1.0)], [fc.Discrete([0.0, 2.0], [0.75, 0.25])], [100, 400], [1.0, 0.5])
    Discrete(locations=(0.5, 2.5), weights=(0.75, 0.25))
    """
    law: Law = PointMass(activation_variances[0])
    layers = zip(slopes, weights, pairwise(widths), activation_variances[1:], strict=True)
    for slope, weight, (before, after), shift in layers:
        if after <= before:
            t = after / before
            law = _product([_compressed(slope, t)], [weight], [_compressed(law, t)])
        else:
            law = resize(_product([slope], [resize(weight, before / after)], [law]), after / before)
        law = law + shift
    return law


def _at_size(
    slopes: Sequence[Law], weights: Sequence[Law], widths: Sequence[float], size: float
) -> tuple[list[Law], list[Law]]:
    """The factors of D_l² and of W_l at the narrowest size: W Wᵀ before the cut, WᵀW behind it."""
    known: dict[tuple[Law, float, float], Law] = {}
    narrowest = list(widths).index(size)
    squares: list[Law] = []
    grams: list[Law] = []
    for layer, (slope, weight, (before, after)) in enumerate(zip(slopes, weights, pairwise(widths), strict=True)):
        squares.append(_remembered(known, slope, 1.0, size / after))
        if layer < narrowest:
            grams.append(_remembered(known, weight, 1.0, size / after))
        else:
            grams.append(_remembered(known, weight, before / after, size / before))
    return squares, grams


def _remembered(known: dict[tuple[Law, float, float], Law], law: Law, ratio: float, t: float) -> Law:
    """The law resized, then compressed; equal layers are worked out once."""
    key = law, ratio, t
    if key not in known:
        known[key] = _compressed(resize(law, ratio), t)
    return known[key]


def _compressed(law: Law, t: float) -> Law:
    """`compress`, but exactly nothing where it is the identity: (1/t)·t may miss 1 by a rounding."""
    return law if t == 1.0 or isinstance(law, PointMass) else compress(law, t)


def _product(squares: Sequence[Law], grams: Sequence[Law], others: Sequence[Law] = ()) -> Law:
    """⊠ of all; a point mass among the Gram laws, as of orthogonal weights, scales the slopes it stands beside."""
    scaled: list[Law] = []
    rest: list[Law] = []
    for square, gram in zip(squares, grams, strict=True):
        if isinstance(gram, PointMass):
            scaled.append(gram.location * square)
        else:
            scaled.append(square)
            rest.append(gram)
    return boxtimes(*_powers([*scaled, *rest]), *others)


def _powers(laws: Sequence[Law]) -> Iterator[Law]:
    """Each distinct law to the power of its number."""
    return (boxtimes_power(law, count) for law, count in Counter(laws).items())
