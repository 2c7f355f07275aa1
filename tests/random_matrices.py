"""Eigenvalues of large random matrices, as a seeded second opinion on limit laws.

A limit law and an N x N matrix differ by O(1/N) in distribution for rotation-invariant models (rigidity), so the
tests bound the Kolmogorov distance by `kolmogorov_bound`, far above the fluctuation and far below the effect of a
wrong root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def orthogonal(size: int, rng: np.random.Generator) -> Array:
    """Haar orthogonal matrix (size, size): QR of a Gaussian, with the signs of R's diagonal taken out."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    signed: Array = q * np.sign(np.diag(r))
    return signed


def quantile_grid(quantile: Callable[[Array], Array], size: int) -> Array:
    """``size`` eigenvalues at the midpoints (k + 1/2)/size: the law with the least error a diagonal matrix can have."""
    return np.asarray(quantile((np.arange(size) + 0.5) / size), dtype=np.float64)


def discrete_grid(locations: Sequence[float], weights: Sequence[float], size: int) -> Array:
    """``size`` eigenvalues of a discrete law, counts rounded at the cumulated weights."""
    cumulated = np.cumsum(np.asarray(weights, dtype=np.float64))
    midpoints = (np.arange(size) + 0.5) / size
    return np.asarray(locations, dtype=np.float64)[np.searchsorted(cumulated[:-1], midpoints)]


def marchenko_pastur(ratio: float, scale: float, size: int, rng: np.random.Generator) -> Array:
    """Eigenvalues of W Wᵀ, W (size, size/ratio) with entries of variance scale/columns."""
    columns = round(size / ratio)
    w = rng.standard_normal((size, columns)) * np.sqrt(scale / columns)
    return np.asarray(np.linalg.eigvalsh(w @ w.T))


def rotated_sum(diagonals: Sequence[Array], rng: np.random.Generator) -> Array:
    """Eigenvalues of Σ Q_i D_i Q_iᵀ, the model of ⊞."""
    total: Array = np.diag(diagonals[0])
    for diagonal in diagonals[1:]:
        q = orthogonal(len(diagonal), rng)
        total = total + (q * diagonal) @ q.T
    return np.asarray(np.linalg.eigvalsh(total))


def rotated_product(diagonals: Sequence[Array], rng: np.random.Generator) -> Array:
    """Eigenvalues of A Aᵀ, A = √D_n Q_n ... √D_1, the model of ⊠ for D_i >= 0, as squared singular values."""
    factor: Array = np.diag(np.sqrt(diagonals[0]))
    for diagonal in diagonals[1:]:
        factor = np.sqrt(diagonal)[:, None] * (orthogonal(len(diagonal), rng) @ factor)
    return _squared_singular_values(factor)


def gaussian_layers(slopes: Sequence[Array], weight_variance: float, rng: np.random.Generator) -> Array:
    """Eigenvalues of J Jᵀ, J = D_L W_L ... D_1 W_1, D_l² = diag(slopes[l]), square Gaussian layers."""
    size = len(slopes[0])
    jacobian: Array = np.eye(size)
    for slope in slopes:
        w = rng.standard_normal((size, size)) * np.sqrt(weight_variance / size)
        jacobian = np.asarray(np.sqrt(slope)[:, None] * (w @ jacobian), dtype=np.float64)
    return _squared_singular_values(jacobian)


def _squared_singular_values(matrix: Array) -> Array:
    values = np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)
    squared: Array = values**2
    return np.sort(squared)


def kolmogorov_distance(eigenvalues: Array, cdf: Callable[[Array], Array], atoms: Array, smear: float = 1e-3) -> float:
    """Largest gap of the two distribution functions, both read off at quantiles of the eigenvalues.

    Eigenvalues scatter about an atom: points closer to an atom than ``smear`` times the width of the spectrum are left
    out.
    """
    values = np.sort(eigenvalues)
    points = np.unique(np.quantile(values, np.linspace(0.0, 1.0, 201)))
    width = values[-1] - values[0]
    for location in atoms:
        points = points[np.abs(points - location) > smear * width]
    empirical = np.searchsorted(values, points, side="right") / len(values)
    return float(np.max(np.abs(empirical - cdf(points)), initial=0.0))


def kolmogorov_bound(size: int, matrices: int = 1, factors: int = 2) -> float:
    """Distance that a correct law stays below: 6 · factors / size + 4 / (size √matrices).

    Eigenvalues are rigid, their distribution function fluctuates by O(log N / N); each diagonal grid adds at most 1/N,
    each Gaussian factor a few 1/N.  The constants leave a factor of four to six over seeds 0 to 3 at size 600.
    """
    return 6.0 * factors / size + 4.0 / (size * float(np.sqrt(matrices)))


def assert_same_law(
    eigenvalues: Array,
    cdf: Callable[[Array], Array],
    atoms: Array,
    *,
    bound: float,
    smear: float = 1e-3,
) -> None:
    """Raise unless the eigenvalues follow the law within ``bound`` in Kolmogorov distance."""
    distance = kolmogorov_distance(eigenvalues, cdf, atoms, smear)
    if not distance <= bound:
        raise AssertionError(f"Kolmogorov distance {distance:.4g} exceeds {bound:.4g}")
