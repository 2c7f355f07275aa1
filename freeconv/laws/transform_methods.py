"""The transforms that every law offers; `freeconv.transforms` computes them."""

from __future__ import annotations

from numpy.typing import ArrayLike

from freeconv.laws.delegate import ScalarOrArray, module

__all__ = ["TransformMethods"]


class TransformMethods:
    """Cauchy, R- and S-transform, and subordination points."""

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
        return module("transforms").cauchy(self, z)

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
        return module("transforms").subordination(self, z)

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
        return module("transforms").s_transform(self, m)

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
        return module("transforms").r_transform(self, g)
