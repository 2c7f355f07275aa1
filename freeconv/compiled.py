"""A law as tables, for those who evaluate it a hundred million times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import distribution, engine, spectrum, tables
from freeconv._grids import real_grid, shaped
from freeconv._validate import integer, positive, worker_count
from freeconv.atoms import Atoms, atoms
from freeconv.laws import Law
from freeconv.moments import mean, moment, variance

__all__ = ["CompiledLaw", "compile_law"]

_SMALLEST_TOL = 1e-13
_LARGEST_TOL = 1e-3


class _Table(Protocol):
    """A table of the core."""

    @property
    def nbytes(self) -> int: ...

    def evaluate(self, x: NDArray[np.float64], workers: int = 1) -> tuple[NDArray[np.float64], int]: ...


@dataclass(frozen=True)
class CompiledLaw:
    """A law as tables: density, distribution function and quantile at some nanoseconds a point.

    Made by `Law.compile`; immutable, equal to another one of an equal law and tolerance, and picklable with its tables.

    Attributes
    ----------
    law : Law
        The law itself.
    tol : float
        The tolerance asked for.
    error : float
        The largest error found between the nodes of the tables, ≤ `tol`: of the density relative to the larger of
        itself and the least of the maximum and 100 times itself (100 times itself where it diverges), of the quantile
        relative to the distance from the edge.
    nbytes : int
        Memory of the tables.

    Notes
    -----
    On each interval of the support the distance s from the nearer end is the variable.  Its exponent and mantissa
    lead to a cell, short in relation to s, in which the density, whatever its exponent at the edge, is a polynomial of
    degree 7.  The integral of these is the distribution function: a sum of positive terms from the end on, so that the
    mass between x and the edge has relative accuracy on both sides.  The quantile is tabulated likewise over that mass.
    Points off the tables (at an edge, or so near that doubles do not tell the distance well) are evaluated by the law.

    Examples
    --------
    >>> import freeconv as fc
    >>> law = fc.MarchenkoPastur().compile()
    >>> round(law.density(1.0), 9), round(law.cdf(1.0), 9)
    (0.275664448, 0.608997781)
    """

    law: Law
    tol: float
    _tables: tables.Tables = field(repr=False, compare=False)
    _density: _Table = field(init=False, repr=False, compare=False)
    _cdf: _Table = field(init=False, repr=False, compare=False)
    _quantile: _Table = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("density", "cdf", "quantile"):
            object.__setattr__(self, f"_{name}", engine.table(*getattr(self._tables, name)))

    def __reduce__(self) -> tuple[type[CompiledLaw], tuple[Law, float, tables.Tables]]:
        return CompiledLaw, (self.law, self.tol, self._tables)

    def __repr__(self) -> str:
        return f"{self.law!r}.compile(tol={self.tol!r})"

    @property
    def error(self) -> float:
        """The largest error found."""
        return self._tables.error

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return self._density.nbytes + self._cdf.nbytes + self._quantile.nbytes

    def density(self, x: ArrayLike, *, workers: int = 1) -> Any:
        """Return the density of the continuous part, as `Law.density` does."""
        flat, shape = real_grid("x", x)
        values, missed = self._density.evaluate(flat, worker_count(workers))
        if missed:
            left = np.isnan(values) & ~np.isnan(flat)
            values[left] = spectrum.density(self.law, flat[left], workers=workers)
        return shaped(values, shape)

    def cdf(self, x: ArrayLike, *, workers: int = 1) -> Any:
        """Return the distribution function, as `Law.cdf` does."""
        flat, shape = real_grid("x", x)
        values, missed = self._cdf.evaluate(flat, worker_count(workers))
        if missed:
            left = np.isnan(values) & ~np.isnan(flat)
            values[left] = spectrum.cdf(self.law, flat[left], workers=workers)
        return shaped(values, shape)

    def quantile(self, p: ArrayLike, *, workers: int = 1) -> Any:
        """Return the quantiles, as `Law.quantile` does."""
        flat, shape = real_grid("p", p)
        count = worker_count(workers)
        distribution.check_levels(flat)
        values, missed = self._quantile.evaluate(flat, count)
        if missed:
            left = np.isnan(values) & ~np.isnan(flat)
            values[left] = distribution.quantile(self.law, flat[left], workers=workers)
        return shaped(values, shape)

    def sample(self, size: int | tuple[int, ...] | None = None, rng: Any = None, *, workers: int = 1) -> Any:
        """Return independent samples, as `Law.sample` does: the same ones for the same seed, up to the error."""
        return self.quantile(distribution.uniform(size, rng), workers=workers)

    def support(self) -> NDArray[np.float64]:
        """Return the intervals of the continuous part, shape (k, 2)."""
        return spectrum.support(self.law)

    def atoms(self) -> Atoms:
        """Return all atoms and their weights."""
        return atoms(self.law)

    def mean(self) -> float:
        """Return the mean."""
        return mean(self.law)

    def variance(self) -> float:
        """Return the variance."""
        return variance(self.law)

    def moment(self, k: int) -> float:
        """Return the k-th moment."""
        return moment(self.law, integer("k", k, minimum=0))


def compile_law(law: Law, tol: float = 1e-12) -> CompiledLaw:
    """Tabulate a law; see `Law.compile`."""
    tol = positive("tol", tol)
    if not _SMALLEST_TOL <= tol <= _LARGEST_TOL:
        raise ValueError(f"tol must be in [{_SMALLEST_TOL}, {_LARGEST_TOL}], got {tol!r}")
    return CompiledLaw(law, tol, tables.build(law, tol))
