"""What every law offers.  The methods hand over to the modules that compute; nothing is computed here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv._validate import finite

if TYPE_CHECKING:
    from freeconv.atoms import Atoms
    from freeconv.spectrum import Evaluation

__all__ = ["Law"]

# A float for a scalar argument, an array for an array; as a union every caller would have to narrow it.
ScalarOrArray: TypeAlias = Any


class Law(ABC):
    """A probability measure on the real line, as an immutable expression tree.

    Laws are hashable and picklable, and equal when their trees are equal.  Leaves are made by their classes
    (`MarchenkoPastur`, `Discrete`, …), everything else by `boxplus`, `boxtimes`, `compress`, `resize` and by arithmetic
    with numbers: ``law + 1.0`` shifts, ``2.0 * law`` scales.

    Notes
    -----
    G(z) = ∫ dμ(t)/(z − t) is the Cauchy transform, m(z) = z G(z) − 1.  All functions of an argument take scalars or
    arrays of any shape and return the same shape; a NaN in gives a NaN out.
    """

    __array_ufunc__: ClassVar[None] = None  # so that np.float64(2) * law comes to Law.__rmul__

    @property
    @abstractmethod
    def children(self) -> tuple[Law, ...]:
        """The laws that this one is built from; empty for a leaf."""

    def density(self, x: ArrayLike) -> ScalarOrArray:
        """Return the density of the absolutely continuous part.

        Parameters
        ----------
        x : array_like, real
            Where to evaluate, any shape.

        Returns
        -------
        float or ndarray
            The density; 0 outside the support.  Atoms are not part of it, see `atoms`.

        Raises
        ------
        TypeError
            If `x` is complex or not numeric.
        ConvergenceError
            If a point could not be certified; `evaluate` returns the others.

        Notes
        -----
        −Im G(x + i0)/π, the boundary value itself: nothing is smoothed by a finite imaginary part.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur().density(1.0), 6)
        0.275664
        """
        return _spectrum().density(self, x)

    def cauchy(self, z: ArrayLike) -> ScalarOrArray:
        """Return the Cauchy transform G(z) = ∫ dμ(t)/(z − t).

        Parameters
        ----------
        z : array_like, complex
            Points off the support, in both half-planes and on the real line.

        Returns
        -------
        complex or ndarray

        Raises
        ------
        TypeError
            If `z` is not numeric.
        ConvergenceError
            If a point could not be certified.

        Notes
        -----
        G(z̄) is the conjugate of G(z), and z G(z) → 1 at infinity.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(abs(fc.Semicircle().cauchy(2.5) - 0.5), 9)
        0.0
        """
        return _spectrum().cauchy(self, z)

    def subordination(self, z: ArrayLike) -> ScalarOrArray:
        """Return the points ω_i(z) at which the Cauchy transforms of the factors are taken.

        Parameters
        ----------
        z : array_like, complex
            Points of the upper half-plane, or real points for the boundary values from there.

        Returns
        -------
        ndarray, shape (number of factors,) + shape of z

        Raises
        ------
        TypeError
            If `z` is not numeric.
        ConvergenceError
            If a point could not be certified.
        ValueError
            If the law is not a free convolution.

        Notes
        -----
        ⊞: G(z) = G_i(ω_i); ⊠: m(z) = m_i(ω_i) [1]_.

        References
        ----------
        .. [1] S. Belinschi and H. Bercovici, "A new approach to subordination results in free probability", J. Anal.
           Math. 101 (2007).

        Examples
        --------
        >>> import freeconv as fc
        >>> coin = fc.Discrete([-1.0, 1.0], [0.5, 0.5])
        >>> fc.boxplus(coin, fc.Semicircle()).subordination(2.0 + 1.0j).shape
        (2,)
        """
        return _spectrum().subordination(self, z)

    def s_transform(self, m: ArrayLike) -> ScalarOrArray:
        """Return Voiculescu's S-transform of a law on [0, ∞).

        Parameters
        ----------
        m : array_like, real or complex
            Points of the interval (μ{0} − 1, 0), or near it.

        Returns
        -------
        float, complex or ndarray

        Raises
        ------
        TypeError
            If `m` is not numeric.
        ConvergenceError
            If the transform could not be continued from 0 to a point.

        Notes
        -----
        S(m) = (1 + m)/(m z) at the z with z G(z) − 1 = m; S multiplies under ⊠ and S(0) = 1/mean.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur(ratio=1.0).s_transform(-0.5), 9)
        2.0
        """
        return _spectrum().s_transform(self, m)

    def r_transform(self, g: ArrayLike) -> ScalarOrArray:
        """Return Voiculescu's R-transform.

        Parameters
        ----------
        g : array_like, real or complex
            Values of G near 0.

        Returns
        -------
        float, complex or ndarray

        Raises
        ------
        TypeError
            If `g` is not numeric.
        ConvergenceError
            If the transform could not be continued from 0 to a point.

        Notes
        -----
        R(g) = z − 1/g at the z with G(z) = g; R adds under ⊞ and R(0) = mean.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.Semicircle(mean=1.0, variance=4.0).r_transform(0.25), 9)
        2.0
        """
        return _spectrum().r_transform(self, g)

    def evaluate(self, x: ArrayLike) -> Evaluation:
        """Return the density together with how it was found.

        Parameters
        ----------
        x : array_like, real
            Where to evaluate, any shape.

        Returns
        -------
        Evaluation
            Arrays `density`, `status`, `residual` and `iterations` of the shape of `x`.

        Raises
        ------
        TypeError
            If `x` is complex or not numeric.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MarchenkoPastur().evaluate([1.0, 2.0]).density.shape
        (2,)
        """
        evaluation: Evaluation = _spectrum().evaluate(self, x)
        return evaluation

    def support(self) -> NDArray[np.float64]:
        """Return the support of the continuous part.

        Returns
        -------
        ndarray, shape (k, 2)
            The ends of its k intervals, ascending; k = 0 for a law of atoms only.

        Raises
        ------
        ConvergenceError
            If not all of the mass could be located.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.Semicircle().support().round(9).tolist()
        [[-2.0, 2.0]]
        """
        intervals: NDArray[np.float64] = _spectrum().support(self)
        return intervals

    def atoms(self) -> Atoms:
        """Return all atoms and their weights.

        Returns
        -------
        Atoms
            `locations`, ascending, and `weights`.

        Notes
        -----
        Exact rules through the tree, see `freeconv.atoms.atoms`.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.boxtimes(fc.Bernoulli(0.75), fc.Bernoulli(0.75, 2.0)).atoms()
        Atoms(locations=[0.0, 2.0], weights=[0.25, 0.5])
        """
        from freeconv import atoms

        return atoms.atoms(self)

    def mean(self) -> float:
        """Return the mean.

        Returns
        -------
        float

        Notes
        -----
        Means add under ⊞ and multiply under ⊠.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.boxtimes(fc.MarchenkoPastur(scale=2.0), fc.Bernoulli(0.5)).mean()
        1.0
        """
        from freeconv import moments

        return moments.mean(self)

    def variance(self) -> float:
        """Return the variance, without the cancellation of E x² − (E x)².

        Returns
        -------
        float

        Notes
        -----
        Variances add under ⊞; under ⊠ variance/mean² adds.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.boxtimes(fc.MarchenkoPastur(), fc.MarchenkoPastur(ratio=2.0)).variance()
        3.0
        """
        from freeconv import moments

        return moments.variance(self)

    def moment(self, k: int) -> float:
        """Return the k-th moment ∫ t^k dμ(t).

        Parameters
        ----------
        k : int
            The order, ≥ 0.

        Returns
        -------
        float
            inf where it exceeds the largest double; never NaN.

        Raises
        ------
        TypeError, ValueError
            If `k` is not an integer ≥ 0.

        Notes
        -----
        Truncated power series through the tree, see `freeconv.moments.moment`.

        Examples
        --------
        >>> import freeconv as fc
        >>> [round(fc.Semicircle().moment(k), 9) for k in range(5)]
        [1.0, 0.0, 1.0, 0.0, 2.0]
        """
        from freeconv import moments

        return moments.moment(self, k)

    def __add__(self, other: float) -> Law:
        return _affine(self, 1.0, other) if _is_number(other, "+", "boxplus") else NotImplemented

    def __radd__(self, other: float) -> Law:
        return self + other

    def __sub__(self, other: float) -> Law:
        return _affine(self, 1.0, -finite("shift", other)) if _is_number(other, "-", "boxplus") else NotImplemented

    def __rsub__(self, other: float) -> Law:
        return _affine(self, -1.0, other) if _is_number(other, "-", "boxplus") else NotImplemented

    def __mul__(self, other: float) -> Law:
        return _affine(self, other, 0.0) if _is_number(other, "*", "boxtimes") else NotImplemented

    def __rmul__(self, other: float) -> Law:
        return self * other

    def __truediv__(self, other: float) -> Law:
        if not _is_number(other, "/", "boxtimes"):
            return NotImplemented
        if other == 0:
            raise ValueError(f"a law must be divided by a number != 0, got {other!r}")
        return _affine(self, 1.0 / finite("the divisor", other), 0.0)

    def __neg__(self) -> Law:
        return _affine(self, -1.0, 0.0)


def _is_number(value: object, symbol: str, named: str) -> bool:
    """Whether arithmetic with it is defined; that of two laws is not: it could mean the free or the classical one."""
    if isinstance(value, Law):
        raise TypeError(f"{symbol} between two laws is not defined; the free convolution is freeconv.{named}")
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _affine(law: Law, scale: float, shift: float) -> Law:
    from freeconv import algebra

    return algebra.affine(law, scale, shift)


def _spectrum() -> ModuleType:
    from freeconv import spectrum

    return spectrum
