"""Free convolutions, their powers, and the other operations that make laws from laws."""

from __future__ import annotations

from freeconv import simplify
from freeconv._numeric import snapped
from freeconv._validate import finite, positive
from freeconv.hull import lowest
from freeconv.laws import Affine, Discrete, FreePoisson, Law, MarchenkoPastur, PointMass, Resize
from freeconv.simplify import shortened

__all__ = ["affine", "boxplus", "boxplus_power", "boxtimes", "boxtimes_power", "compress", "resize"]


def boxplus(*laws: Law) -> Law:
    """Return the free additive convolution ⊞: the law of a sum of free variables.

    Parameters
    ----------
    *laws : Law
        Any number; none give the point mass at 0.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If an argument is not a law.
    ValueError
        If reflected free products, as -boxtimes(a, b), stand beside free products that are not.

    Notes
    -----
    R-transforms add.  Sums in sums are flattened, equal laws become one with a multiplicity, semicircles one
    semicircle, free Poisson laws of one jump one free Poisson law, point masses a shift.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxplus(fc.Semicircle(), fc.PointMass(1.0), fc.Semicircle(variance=2.0))
    Semicircle(mean=1.0, variance=3.0)
    """
    for law in laws:
        _check_law("boxplus", law)
    return simplify.boxplus((law, 1.0) for law in laws)


def boxtimes(*laws: Law) -> Law:
    """Return the free multiplicative convolution ⊠: the law of √a b √a for free a, b ≥ 0.

    Parameters
    ----------
    *laws : Law
        Any number, all on [0, ∞); none give the point mass at 1.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If an argument is not a law.
    ValueError
        If a law has mass below 0.

    Notes
    -----
    S-transforms multiply.  Products in products are flattened, equal laws become one with a multiplicity, point masses
    and the scales of factors that are no leaves one scale around the product, unless it left [1e-100, 1e100].

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxtimes(fc.PointMass(2.0), fc.MarchenkoPastur(), fc.MarchenkoPastur())
    2.0 * boxtimes_power(MarchenkoPastur(ratio=1.0, scale=1.0), 2.0)
    """
    for law in laws:
        _check_positive_law("boxtimes", law)
    return simplify.boxtimes((law, 1.0) for law in laws)


def boxplus_power(law: Law, t: float) -> Law:
    """Return the free additive power law^{⊞t}, of R-transform t·R.

    Parameters
    ----------
    law : Law
    t : float
        ≥ 1; for laws known to be ⊞-infinitely divisible > 0.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If `law` is not a law or `t` not a real number.
    ValueError
        If `t` is out of range.

    Notes
    -----
    Known to be ⊞-infinitely divisible are point masses, semicircles, free Poisson and Marchenko–Pastur laws, ⊠ of
    Marchenko–Pastur laws of ratio 1 with any law (compound free Poisson), and sums and multiples of these.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxplus_power(fc.MarchenkoPastur(ratio=1.0), 0.5)
    MarchenkoPastur(ratio=2.0, scale=0.5)
    """
    _check_law("boxplus_power", law)
    return simplify.boxplus([(law, positive("t", t))])


def boxtimes_power(law: Law, t: float) -> Law:
    """Return the free multiplicative power law^{⊠t}, of S-transform S^t.

    Parameters
    ----------
    law : Law
        On [0, ∞).
    t : float
        ≥ 1; for laws known to be ⊠-infinitely divisible > 0.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If `law` is not a law or `t` not a real number.
    ValueError
        If `t` is out of range or the law has mass below 0.

    Notes
    -----
    Known to be ⊠-infinitely divisible are point masses, Marchenko–Pastur laws of ratio ≤ 1, free Poisson laws of rate
    ≥ 1, and products, powers and multiples of these.  (law^{⊠s})^{⊠t} is law^{⊠st}.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.boxtimes_power(fc.boxtimes_power(fc.Bernoulli(0.5), 3.0), 0.5)
    boxtimes_power(Discrete(locations=(0.0, 1.0), weights=(0.5, 0.5)), 1.5)
    """
    _check_positive_law("boxtimes_power", law)
    return simplify.boxtimes([(law, positive("t", t))])


def compress(law: Law, t: float) -> Law:
    """Return the free compression: the law of a corner of trace `t` of a matrix of this law in generic position.

    Parameters
    ----------
    law : Law
    t : float
        0 < t ≤ 1.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If `law` is not a law or `t` not a real number.
    ValueError
        If `t` is out of range.

    Notes
    -----
    The law of t·X for X of law law^{⊞1/t} [1]_.

    References
    ----------
    .. [1] A. Nica and R. Speicher, "On the multiplication of free N-tuples of noncommutative random variables", Amer.
       J. Math. 118 (1996).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.compress(fc.MarchenkoPastur(ratio=1.0), 0.5)
    MarchenkoPastur(ratio=0.5, scale=1.0)
    """
    _check_law("compress", law)
    t = positive("t", t)
    if t > 1.0:
        raise ValueError(f"t must be <= 1, got {t!r}")
    return affine(simplify.boxplus([(law, finite("1/t", 1.0 / t))]), t, 0.0)


def resize(law: Law, ratio: float) -> Law:
    """Return the law of AᵀA of size n' = ratio·n, for A Aᵀ of this law and of size n.

    Parameters
    ----------
    law : Law
        On [0, ∞).
    ratio : float
        n'/n > 0, at least 1 − μ{0}: the other eigenvalues are kept.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If `law` is not a law or `ratio` not a real number.
    ValueError
        If the law has mass below 0, or `ratio` is too small; the message says how small it may be.

    Notes
    -----
    μ/r + (1 − 1/r) δ₀ with r = ratio: m(z) becomes m(z)/r, and the new S-transform is S(r m) r (1 + m)/(1 + r m).

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.resize(fc.MarchenkoPastur(ratio=0.5), 2.0)
    MarchenkoPastur(ratio=2.0, scale=0.5)
    """
    _check_positive_law("resize", law)
    ratio = positive("ratio", ratio)
    off_zero = _mass_off_zero(law)
    if off_zero > ratio and snapped(ratio, off_zero) != off_zero:
        raise ValueError(
            f"ratio must be >= {off_zero!r}, the mass off 0 of {shortened(law)}, got {ratio!r}: "
            "eigenvalues other than 0 cannot be dropped"
        )
    scale = 1.0
    if isinstance(law, Affine) and law.shift == 0.0:
        scale = law.scale
        law = law.law
    if isinstance(law, Resize):
        ratio *= law.ratio
        law = law.law
        off_zero = _mass_off_zero(law)
    return affine(_resized(law, snapped(ratio), off_zero), scale, 0.0)


def affine(law: Law, scale: float, shift: float) -> Law:
    """Return the law of scale·X + shift; ``scale * law + shift`` is the same.

    Parameters
    ----------
    law : Law
    scale, shift : float
        Finite.  A scale of 0 gives a point mass, a negative one reflects.

    Returns
    -------
    Law

    Raises
    ------
    TypeError
        If `law` is not a law or a number not a real number.
    ValueError
        If a number is not finite, or one of the law's own leaves the doubles.

    Notes
    -----
    Leaves take in the numbers where their family is closed under them.  A reflection goes down to the leaves; that of a
    free product or a size change, which have none, stays outermost.

    Examples
    --------
    >>> import freeconv as fc
    >>> fc.affine(fc.Uniform(0.0, 1.0), -2.0, 1.0)
    Uniform(low=-1.0, high=1.0)
    """
    _check_law("affine", law)
    return simplify.affine(law, finite("scale", scale), finite("shift", shift))


def _resized(law: Law, ratio: float, off_zero: float) -> Law:
    match law:
        case _ if ratio == 1.0 or off_zero == 0.0:
            return law
        case PointMass():
            return Discrete((0.0, law.location), (1.0 - 1.0 / ratio, 1.0 / ratio))
        case Discrete():
            elsewhere = {point: mass / ratio for point, mass in zip(law.locations, law.weights, strict=True)}
            atoms = elsewhere | {0.0: max(0.0, 1.0 - off_zero / ratio)}
            resized = Discrete(atoms.keys(), atoms.values())
            return PointMass(resized.locations[0]) if len(resized.locations) == 1 else resized
        case MarchenkoPastur() if snapped(law.ratio * ratio) == 1.0:
            return MarchenkoPastur(ratio, law.scale / ratio)
        case FreePoisson() if snapped(ratio, law.rate) == law.rate:
            return FreePoisson(1.0 / law.rate, law.jump * law.rate)
    return Resize(law, ratio)


def _mass_off_zero(law: Law) -> float:
    from freeconv import atoms  # a later layer; size changes alone need to know about atoms

    return atoms.mass_off_zero(law)


def _check_law(operation: str, law: object) -> None:
    if not isinstance(law, Law):
        raise TypeError(f"{operation} needs laws, got {law!r}")


def _check_positive_law(operation: str, law: object) -> None:
    if not isinstance(law, Law):
        raise TypeError(f"{operation} needs laws, got {law!r}")
    if isinstance(law, Affine) and law.scale < 0.0:
        raise ValueError(f"{operation} cannot take a reflected free product yet, got {shortened(law)}")
    low = lowest(law)
    if low < 0.0:
        raise ValueError(f"{operation} needs laws on [0, inf), got {shortened(law)} with support from {low:.6g}")
