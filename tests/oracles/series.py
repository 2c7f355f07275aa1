"""Moments of any tree, exactly, by truncated power series.

ψ(z) = Σ m_k z^k; χ is its inverse and S = χ(w)(1 + w)/w multiplies over ⊠.  G(1/z)/z^{-1} = 1 + ψ gives the free
cumulants by M(z) = C(z M(z)), and they add over ⊞ (Speicher).  Lists hold coefficients of z^0, z^1, ...
"""

from __future__ import annotations

from tests.oracles.common import Number, mp, mpf
from tests.oracles.specs import Law
from tests.oracles.tree import atoms_of, parts

Series = list[Number]


def times(a: Series, b: Series) -> Series:
    """Truncated product."""
    return [mp.fsum(a[i] * b[k - i] for i in range(k + 1)) for k in range(len(a))]


def to_power(a: Series, t: Number) -> Series:
    """a^t for a[0] > 0, by b' a = t a' b."""
    b = [a[0] ** t]
    for k in range(1, len(a)):
        b.append(mp.fsum((t * i - (k - i)) * a[i] * b[k - i] for i in range(1, k + 1)) / (k * a[0]))
    return b


def reversion(a: Series) -> Series:
    """Inverse of a series with a[0] = 0, by Lagrange: [w^n] = (1/n) [z^{n-1}] (z/a)^n."""
    shifted = [*a[1:], mpf(0)]
    return [mpf(0)] + [to_power(shifted, mpf(-n))[n - 1] / n for n in range(1, len(a))]


def s_series(moment: Series) -> Series:
    """S from 1, m_1, m_2, ...; one order less is valid, which the caller pads for."""
    chi = reversion([mpf(0), *moment[1:]])
    return times([*chi[1:], mpf(0)], [mpf(1), mpf(1)] + [mpf(0)] * (len(moment) - 2))


def from_s(s: Series) -> Series:
    """1, m_1, m_2, ... with m_n = (1/n) [w^{n-1}] ((1 + w)/S)^n."""
    base = times([mpf(1), mpf(1)] + [mpf(0)] * (len(s) - 2), to_power(s, mpf(-1)))
    return [mpf(1)] + [to_power(base, mpf(n))[n - 1] / n for n in range(1, len(s))]


def cumulants(moment: Series) -> Series:
    """Free cumulants k_1.. (index 0 unused) from moments: m_n = Σ_s k_s [z^{n-s}] M^s."""
    out = [mpf(0)]
    for n in range(1, len(moment)):
        known = mp.fsum(out[s] * to_power(moment, mpf(s))[n - s] for s in range(1, n))
        out.append(moment[n] - known)
    return out


def from_cumulants(k: Series) -> Series:
    """Moments from free cumulants."""
    moment = [mpf(1)] + [mpf(0)] * (len(k) - 1)
    for n in range(1, len(k)):
        moment[n] = mp.fsum(k[s] * to_power(moment, mpf(s))[n - s] for s in range(1, n + 1))
    return moment


def leaf_moments(law: Law, order: int) -> Series:
    """1, m_1, ..., m_order of a leaf."""
    (kind, data), *_ = law.items()
    listed = atoms_of(law)
    if listed is not None:
        return [mpf(1)] + [mp.fsum(w * a**k for a, w in listed) for k in range(1, order + 1)]
    if kind == "Uniform":
        a, b = mpf(data["low"]), mpf(data["high"])
        return [(b ** (k + 1) - a ** (k + 1)) / ((k + 1) * (b - a)) for k in range(order + 1)]
    if kind == "Arcsine":
        middle, radius = (mpf(data["low"]) + data["high"]) / 2, (mpf(data["high"]) - data["low"]) / 2
        even = [mp.binomial(k, k // 2) / mpf(2) ** k * radius**k if k % 2 == 0 else mpf(0) for k in range(order + 1)]
        return shifted(even, mpf(1), middle)
    if kind == "Semicircle":
        return from_cumulants([mpf(0), mpf(data["mean"]), mpf(data["variance"])] + [mpf(0)] * (order - 2))
    if kind == "MarchenkoPastur":
        rate, jump = 1 / mpf(data["ratio"]), mpf(data["ratio"]) * mpf(data["scale"])
    else:
        rate, jump = mpf(data["rate"]), mpf(data["jump"])
    return from_cumulants([mpf(0)] + [rate * jump**k for k in range(1, order + 1)])


def shifted(moment: Series, scale: Number, shift: Number) -> Series:
    """Moments of scale * X + shift."""
    return [
        mp.fsum(mp.binomial(n, k) * scale**k * moment[k] * shift ** (n - k) for k in range(n + 1))
        for n in range(len(moment))
    ]


def _moments(law: Law, order: int) -> Series:
    kind, data = parts(law)
    if kind == "affine":
        return shifted(_moments(data["law"], order), mpf(data["scale"]), mpf(data["shift"]))
    if kind == "resize":
        return [mpf(1)] + [m / mpf(data["ratio"]) for m in _moments(data["law"], order)[1:]]
    if kind == "boxplus":
        terms = [[mpf(f["power"]) * k for k in cumulants(_moments(f["law"], order))] for f in data]
        return from_cumulants([mp.fsum(column) for column in zip(*terms, strict=True)])
    if kind == "boxtimes":
        product = [mpf(1)] + [mpf(0)] * order
        for f in data:
            product = times(product, to_power(s_series(_moments(f["law"], order)), mpf(f["power"])))
        return from_s(product)
    return leaf_moments(law, order)


def moments(law: Law, order: int) -> Series:
    """m_1, ..., m_order of a tree, to 50 digits."""
    with mp.workdps(mp.dps + 30):
        return _moments(law, order + 2)[1 : order + 1]
