"""A law beside a sample of eigenvalues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._grids import real_grid
from freeconv._validate import non_negative
from freeconv.atoms import Atoms
from freeconv.laws import Law

__all__ = ["Comparison", "at_atoms", "compare"]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
ROUNDING = 1e-12
MOMENTS = 4


@dataclass(frozen=True)
class Comparison:
    """What `compare` found; ``str`` of it is a report.

    Attributes
    ----------
    size : int
        The number of eigenvalues.
    kolmogorov_distance : float
        The largest difference of the distribution functions.
    kolmogorov_location : float
        An eigenvalue where it occurs, or just before which.
    levels : tuple of float
    law_quantiles, sample_quantiles : tuple of float
        The least x where the distribution function reaches each level.
    law_moments, sample_moments : tuple of float
        Of order 1 to 4.
    """

    size: int
    kolmogorov_distance: float
    kolmogorov_location: float
    levels: tuple[float, ...]
    law_quantiles: tuple[float, ...]
    sample_quantiles: tuple[float, ...]
    law_moments: tuple[float, ...]
    sample_moments: tuple[float, ...]

    @property
    def quantile_differences(self) -> tuple[float, ...]:
        """Those of the sample minus those of the law."""
        return tuple(b - a for a, b in zip(self.law_quantiles, self.sample_quantiles, strict=True))

    def __str__(self) -> str:
        quantiles = [
            (f"quantile {level:g}", law, sample)
            for level, law, sample in zip(self.levels, self.law_quantiles, self.sample_quantiles, strict=True)
        ]
        moments = [
            (f"moment {order}", law, sample)
            for order, (law, sample) in enumerate(zip(self.law_moments, self.sample_moments, strict=True), start=1)
        ]
        rows = [("", "law", "sample", "difference"), *map(_row, quantiles), *map(_row, moments)]
        title = (
            f"{self.size} eigenvalues, Kolmogorov distance {self.kolmogorov_distance:.5f} "
            f"at {self.kolmogorov_location:.6g}"
        )
        return "\n".join([title, *_aligned(rows)])


def compare(
    law: Law, eigenvalues: ArrayLike, *, levels: Sequence[float] = LEVELS, rounding: float | None = None
) -> Comparison:
    """Compare a law with eigenvalues, as of finite matrices.

    Parameters
    ----------
    law : Law
    eigenvalues : array_like, real
        Any shape, as `MLP.simulate_jacobian` returns them; all in one sample.
    levels : sequence of float
        The levels of the quantiles, in [0, 1].
    rounding : float, optional
        Eigenvalues this close to an atom of the law count as at it, relative to the largest |eigenvalue|.  By default
        1e-12; but if some eigenvalues are exactly 0, only these count as at an atom at 0.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        If the numbers are not such, not finite, or none.
    ConvergenceError
        If the law could not be certified at an eigenvalue.

    Notes
    -----
    sup |F_n(x) − F(x)|, over both sides of every eigenvalue: F_n is constant and F monotone between two of them, so
    that |F_n(x) − F(x)| and |F_n(x−) − F(x−)| at the eigenvalues have the supremum among them, atoms included.  A
    sample of n independent points would have about 0.87/√n; eigenvalues repel each other, and those of one matrix are
    much closer to their law, up to what all of them have in common.

    Examples
    --------
    >>> import numpy as np
    >>> import freeconv as fc
    >>> found = fc.compare(fc.Bernoulli(0.5), [0.0, 0.0, 1.0])
    >>> round(found.kolmogorov_distance, 6), found.quantile_differences
    (0.166667, (0.0, 0.0, 0.0, 0.0, 0.0))
    """
    if not isinstance(law, Law):
        raise TypeError(f"compare needs a law, got {law!r}")
    sample = np.sort(_finite("eigenvalues", eigenvalues))
    wanted = _finite("levels", np.asarray(levels, dtype=np.float64))
    if wanted.min() < 0.0 or wanted.max() > 1.0:
        raise ValueError(f"levels must be in [0, 1], got {wanted[(wanted < 0.0) | (wanted > 1.0)][0].item()!r}")
    known = law.atoms()
    nearest = at_atoms(known, sample, rounding)
    here = np.where(nearest >= 0, known.locations[nearest] if len(known) else 0.0, sample)
    here.sort()
    # Equal eigenvalues are one jump of F_n: the mass before it and with it.
    points, first, count = np.unique(here, return_index=True, return_counts=True)
    upper = np.asarray(law.cdf(points), dtype=np.float64)
    jump = np.zeros_like(points)
    for location, weight in zip(known.locations, known.weights, strict=True):
        jump[points == location] = weight
    gaps = np.stack([(first + count) / sample.size - upper, first / sample.size - (upper - jump)])
    worst = np.abs(gaps).max(axis=0)
    where = int(worst.argmax())
    index = np.maximum(np.ceil(wanted * sample.size - 1e-9).astype(np.intp) - 1, 0)
    return Comparison(
        size=sample.size,
        kolmogorov_distance=float(worst[where]),
        kolmogorov_location=float(points[where]),
        levels=tuple(wanted.tolist()),
        law_quantiles=tuple(np.asarray(law.quantile(wanted)).tolist()),
        sample_quantiles=tuple(here[index].tolist()),
        law_moments=tuple(law.moment(k) for k in range(1, MOMENTS + 1)),
        sample_moments=tuple(float(np.mean(sample**k)) for k in range(1, MOMENTS + 1)),
    )


def at_atoms(atoms: Atoms, eigenvalues: NDArray[np.float64], rounding: float | None = None) -> NDArray[np.intp]:
    """Return which atom each eigenvalue is at, −1 for none.

    Parameters
    ----------
    atoms : Atoms
    eigenvalues : ndarray
    rounding : float, optional
        As in `compare`.

    Returns
    -------
    ndarray of int, the shape of `eigenvalues`

    Raises
    ------
    TypeError, ValueError
        If `rounding` is not a number ≥ 0.

    Examples
    --------
    >>> import numpy as np
    >>> import freeconv as fc
    >>> from freeconv.comparison import at_atoms
    >>> at_atoms(fc.Bernoulli(0.5, 2.0).atoms(), np.array([0.0, 1e-14, 2.0 + 1e-14])).tolist()
    [0, -1, 1]
    """
    relative = ROUNDING if rounding is None else non_negative("rounding", rounding)
    tolerance = relative * float(np.max(np.abs(eigenvalues), initial=0.0))
    index = np.full(eigenvalues.shape, -1, dtype=np.intp)
    for number, location in enumerate(atoms.locations.tolist()):
        # Where zeros are exact, small eigenvalues are resolved: those of deep networks spread over many decades.
        exact = rounding is None and location == 0.0 and bool(np.any(eigenvalues == 0.0))
        index[np.abs(eigenvalues - location) <= (0.0 if exact else tolerance)] = number
    return index


def _finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values)
    flat, _ = real_grid(name, array if array.size else array.astype(np.float64))
    if not flat.size:
        raise ValueError(f"{name} must have at least one entry, got none")
    wrong = ~np.isfinite(flat)
    if wrong.any():
        raise ValueError(f"{name} must be finite, got {flat[wrong.argmax()].item()!r}")
    return flat


def _row(entry: tuple[str, float, float]) -> tuple[str, str, str, str]:
    name, law, sample = entry
    return name, f"{law:.6g}", f"{sample:.6g}", f"{sample - law:+.2g}"


def _aligned(rows: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
