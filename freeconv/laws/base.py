"""What every law offers.  The methods hand over to the modules that compute; nothing is computed here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real
from typing import ClassVar

import numpy as np

from freeconv._validate import finite
from freeconv.laws.distribution_methods import DistributionMethods
from freeconv.laws.shape_methods import ShapeMethods
from freeconv.laws.transform_methods import TransformMethods

__all__ = ["Law"]


class Law(DistributionMethods, ShapeMethods, TransformMethods, ABC):
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
