"""The law of √λ: singular values of a matrix whose squared ones follow a law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import distribution, quadrature, spectrum
from freeconv._grids import real_grid, shaped
from freeconv._segments import in_segments
from freeconv._validate import choice, integer
from freeconv.atoms import Atoms, atoms
from freeconv.compiled import CompiledLaw, compile_law
from freeconv.edges import edges
from freeconv.evaluation import Evaluation, Status
from freeconv.hull import lowest
from freeconv.laws import Law
from freeconv.quadrature import Estimate

__all__ = ["CompiledSingularValues", "SingularValues"]

_TINY = 1e-280


@dataclass(frozen=True)
class SingularValues:
    """The law of √X for a law on [0, ∞).

    Parameters
    ----------
    law : Law
        Of the squares.

    Raises
    ------
    TypeError, ValueError
        If `law` is not a law on [0, ∞).

    Notes
    -----
    Density 2 s f(s²), distribution function F(s²).  It is no factor of a free convolution: that is the law of the
    squares.

    Examples
    --------
    >>> import freeconv as fc
    >>> quarter_circle = fc.MarchenkoPastur().singular_values()
    >>> quarter_circle.support().round(9).tolist()
    [[0.0, 2.0]]
    >>> round(quarter_circle.density(1.0), 9)
    0.551328895
    """

    law: Law

    def __post_init__(self) -> None:
        if not isinstance(self.law, Law):
            raise TypeError(f"singular_values needs a law, got {self.law!r}")
        if lowest(self.law) < 0.0:
            raise ValueError(f"singular_values needs a law on [0, inf), got {self.law!r:.200}")

    def evaluate(self, x: ArrayLike, *, on_failure: spectrum.OnFailure = "nan", workers: int = 1) -> Evaluation:
        """Return density, distribution function and the record of each point, as `Law.evaluate` does."""
        flat, shape = real_grid("x", x)
        squares = _squares(flat)
        found = spectrum.evaluate(self.law, squares, on_failure=on_failure, workers=workers)
        density = _density(self.law, flat, squares, np.asarray(found.density))
        record = (density, found.cdf, found.status, found.residual, found.iterations, found.accuracy)
        return Evaluation(*(shaped(np.asarray(values), shape) for values in record))

    def density(self, x: ArrayLike, *, on_failure: spectrum.OnFailure = "raise", workers: int = 1) -> Any:
        """Return the density of the continuous part, as `Law.density` does."""
        return self._values("density", x, on_failure, workers)

    def cdf(self, x: ArrayLike, *, on_failure: spectrum.OnFailure = "raise", workers: int = 1) -> Any:
        """Return the distribution function, as `Law.cdf` does."""
        return self._values("cdf", x, on_failure, workers)

    def quantile(self, p: ArrayLike, *, workers: int = 1) -> Any:
        """Return the quantiles, as `Law.quantile` does."""
        flat, shape = real_grid("p", p)
        x = np.asarray(distribution.quantile(self.law, flat, workers=workers))
        return shaped(np.sqrt(x, out=x), shape)

    def sample(self, size: int | tuple[int, ...] | None = None, rng: Any = None) -> Any:
        """Return independent samples, as `Law.sample` does."""
        x = np.sqrt(distribution.sample(self.law, size, rng))
        return x if np.ndim(x) else float(x)

    def support(self) -> NDArray[np.float64]:
        """Return the intervals of the continuous part, shape (k, 2)."""
        return np.asarray(np.sqrt(spectrum.support(self.law)), dtype=np.float64)

    def atoms(self) -> Atoms:
        """Return all atoms and their weights."""
        known = atoms(self.law)
        return Atoms(np.sqrt(known.locations), known.weights)

    def expectation(self, function: Callable[[NDArray[np.float64]], Any], *, rtol: float = 1e-10) -> Estimate:
        """Return the mean of a function of √X, as `Law.expectation` does."""
        return quadrature.expectation(self.law, lambda x: function(np.sqrt(x)), rtol=rtol)

    def mean(self) -> float:
        """Return the mean of √X."""
        return self.moment(1)

    def variance(self) -> float:
        """Return E X − (E √X)²."""
        center = self.mean()
        return float(self.expectation(lambda s: np.square(s - center)))

    def moment(self, k: int) -> float:
        """Return E X^(k/2): exact for even k, by quadrature for odd k."""
        k = integer("k", k, minimum=0)
        return self.law.moment(k // 2) if k % 2 == 0 else float(self.expectation(lambda s: s**k))

    def compile(self, tol: float = 1e-12) -> CompiledSingularValues:
        """Return the law as tables, for many millions of points: those of `Law.compile` of the squares' law."""
        return CompiledSingularValues(compile_law(self.law, tol))

    def _values(self, which: str, x: ArrayLike, on_failure: spectrum.OnFailure, workers: int) -> Any:
        """An attribute of the evaluation, without keeping the others."""
        flat, shape = real_grid("x", x)
        choice("on_failure", on_failure, spectrum.ON_FAILURE)

        def part(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
            found = self.evaluate(points, on_failure="nan", workers=workers)
            return None if (found.status == Status.UNCERTIFIED).any() else getattr(found, which)

        values = in_segments(part, flat)
        if values is None:
            values = getattr(self.evaluate(flat, on_failure=on_failure, workers=workers), which)
        return shaped(np.asarray(values), shape)


@dataclass(frozen=True)
class CompiledSingularValues:
    """Singular values by the tables of their squares' law; made by `SingularValues.compile`, picklable.

    Parameters
    ----------
    law : CompiledLaw
        Of the squares.

    Examples
    --------
    >>> import freeconv as fc
    >>> quarter_circle = fc.MarchenkoPastur().singular_values().compile()
    >>> round(quarter_circle.density(1.0), 9), round(quarter_circle.quantile(1.0), 9)
    (0.551328895, 2.0)
    """

    law: CompiledLaw

    def density(self, x: ArrayLike, *, workers: int = 1) -> Any:
        """Return the density of the continuous part, as `Law.density` does."""

        def part(s: NDArray[np.float64]) -> NDArray[np.float64]:
            squares = _squares(s)
            return _density(self.law.law, s, squares, np.asarray(self.law.density(squares, workers=workers)))

        flat, shape = real_grid("x", x)
        return shaped(np.asarray(in_segments(part, flat)), shape)

    def cdf(self, x: ArrayLike, *, workers: int = 1) -> Any:
        """Return the distribution function, as `Law.cdf` does."""
        flat, shape = real_grid("x", x)
        values = in_segments(lambda s: np.asarray(self.law.cdf(_squares(s), workers=workers)), flat)
        return shaped(np.asarray(values), shape)

    def quantile(self, p: ArrayLike, *, workers: int = 1) -> Any:
        """Return the quantiles, as `Law.quantile` does."""
        flat, shape = real_grid("p", p)
        x = np.asarray(self.law.quantile(flat, workers=workers))
        return shaped(np.sqrt(x), shape)

    def sample(self, size: int | tuple[int, ...] | None = None, rng: Any = None, *, workers: int = 1) -> Any:
        """Return independent samples, as `Law.sample` does: the same ones for the same seed, up to the error."""
        return self.quantile(distribution.uniform(size, rng), workers=workers)

    def support(self) -> NDArray[np.float64]:
        """Return the intervals of the continuous part, shape (k, 2)."""
        return SingularValues(self.law.law).support()

    def atoms(self) -> Atoms:
        """Return all atoms and their weights."""
        return SingularValues(self.law.law).atoms()

    @property
    def error(self) -> float:
        """The largest error found, of the squares' law."""
        return self.law.error

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return self.law.nbytes


def _squares(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the squares' law is asked: at −1 for s < 0, and at 0 where s² is, or is about to be, rounded to it."""
    with np.errstate(over="ignore", under="ignore"):
        squares = np.where(s < 0.0, -1.0, s * s)
    return np.where((s >= 0.0) & (squares < _TINY), 0.0, squares)


def _density(
    law: Law, s: NDArray[np.float64], squares: NDArray[np.float64], density: NDArray[np.float64]
) -> NDArray[np.float64]:
    """2 s f(s²) from f at the squares."""
    with np.errstate(invalid="ignore"):  # 0·∞
        values = np.where(s > 0.0, 2.0 * s * density, np.where(np.isnan(s), np.nan, 0.0))
    values = np.where(np.isinf(s), 0.0, values)
    tiny = (s >= 0.0) & (squares == 0.0)
    return np.where(tiny, _near_zero(law, np.where(tiny, s, 0.0)), values) if tiny.any() else values


def _near_zero(law: Law, s: NDArray[np.float64]) -> NDArray[np.float64]:
    """2 s f(s²) = 2 c s^(2β + 1) for f ~ c x^β."""
    for edge in edges(law):
        if edge.location == 0.0 and edge.side > 0:
            with np.errstate(divide="ignore"):
                return np.asarray(2.0 * edge.coefficient * s ** (2.0 * edge.exponent + 1.0), dtype=np.float64)
    return np.asarray(2.0 * s * spectrum.density(law, 0.0), dtype=np.float64)
