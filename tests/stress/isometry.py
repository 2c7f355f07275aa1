"""K of the limit laws of dynamical isometry for the NumPy oracle and the judge.

Bernoulli class: K = exp(−W₀(−s/z)), Lambert's W, on which −s/z stays in one half-plane.  Smooth class: with
v = (1 + m)/m, log v = log z − s/(v − 1), and v lies between z and the negative axis (the law is infinitely divisible
for ⊠): an averaged fixed point, then Newton.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw

from tests.oracles.common import Number, mp, mpc, mpf

Points = NDArray[np.complex128]

AVERAGED = 60
NEWTON = 12


def k_of(kind: str, variance: float, z: Points) -> Points:
    """K on either side of the real line; NaN where the smooth class's equation was not solved."""
    below = np.signbit(z.imag)
    upper = np.where(below, z.conj(), z)
    k = np.exp(-lambertw(-variance / upper)) if kind == "bernoulli" else _smooth(variance, upper)
    return np.asarray(np.where(below, k.conj(), k), dtype=np.complex128)


def _smooth(s: float, z: Points) -> Points:
    with np.errstate(all="ignore"):
        target = np.log(z)
        y = np.log(np.abs(z) + 4.0 + s + 1j * (np.abs(z) + s))
        for _ in range(AVERAGED):
            moved = target - s / np.expm1(y)
            y = 0.5 * (y + moved.real + 1j * np.clip(moved.imag, 1e-9, np.pi - 1e-9))
        change = np.full(z.shape, np.inf, dtype=np.complex128)
        for _ in range(NEWTON):
            below = np.expm1(y)  # v − 1 = 1/m
            change = (y + s / below - target) / (1.0 - s * np.exp(y) / below**2)
            y = y - np.where(np.abs(change) < 0.5, change, 0.5 * change / np.abs(change))
        good = (np.abs(change) < 1e-12 * np.maximum(1.0, np.abs(y))) & (y.imag > 0.0) & (y.imag < np.pi)
        return np.where(good, np.exp(s / np.expm1(y)), complex(np.nan, np.nan))


def cauchy_hp(kind: str, variance: float, z: Number) -> Number:
    """G at a point of the closed upper half-plane to the precision of mpmath.

    Raises
    ------
    ArithmeticError
        If there is no start for the smooth class.
    """
    s = mpf(variance)
    if kind == "bernoulli":
        return 1 / (z - mp.exp(-mp.lambertw(-s / z)))
    rough = complex(k_of(kind, variance, np.array([complex(z)]))[0])
    if not np.isfinite(rough):
        raise ArithmeticError(f"no start for the smooth class at {mp.nstr(z, 17)}")
    y = mp.log(z) - mp.log(mpc(rough))
    for _ in range(8):
        below = mp.expm1(y)
        y -= (y + s / below - mp.log(z)) / (1 - s * mp.exp(y) / below**2)
    if not 0 < mp.im(y) < mp.pi:
        raise ArithmeticError(f"the smooth class has no proved value at {mp.nstr(z, 17)}")
    return 1 / (z - z * mp.exp(-y))
