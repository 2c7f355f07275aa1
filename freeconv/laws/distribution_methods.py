"""What every law offers as a distribution; the modules of these names compute it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv.laws.delegate import ScalarOrArray, module

if TYPE_CHECKING:
    from freeconv.compiled import CompiledLaw
    from freeconv.evaluation import Evaluation
    from freeconv.laws.base import Law
    from freeconv.quadrature import Estimate
    from freeconv.singular_values import SingularValues
    from freeconv.spectrum import OnFailure

__all__ = ["DistributionMethods"]


class DistributionMethods:
    """Density, distribution function, quantiles and integrals."""

    def density(self, x: ArrayLike, *, on_failure: OnFailure = "raise", workers: int = 1) -> ScalarOrArray:
        """Return the density of the absolutely continuous part.

        Parameters
        ----------
        x : array_like, real
            Where to evaluate, any shape.
        on_failure : {"raise", "nan", "return"}
            What to do with points that could not be certified: raise, give NaN, or give the last iterate, which may be
            wrong.
        workers : int
            Threads to use, −1 for as many as there are processors; no bit of the result depends on it.

        Returns
        -------
        float or ndarray
            The density; 0 outside the support, its limit at an edge (inf where it diverges).  Atoms are not part of it,
            see `atoms`.

        Raises
        ------
        TypeError
            If `x` is complex or not numeric.
        ConvergenceError
            If a point could not be certified; its `evaluation` has the others.

        Notes
        -----
        −Im G(x + i0)/π, the boundary value itself: nothing is smoothed by a finite imaginary part.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur().density(1.0), 6)
        0.275664
        """
        return module("spectrum").density(self, x, on_failure=on_failure, workers=workers)

    def cdf(self, x: ArrayLike, *, on_failure: OnFailure = "raise", workers: int = 1) -> ScalarOrArray:
        """Return the distribution function F(x) = μ((−∞, x]), atoms included.

        Parameters
        ----------
        x : array_like, real
            Where to evaluate, any shape.
        on_failure : {"raise", "nan", "return"}
            What to do with points that could not be certified, see `density`.
        workers : int
            Threads to use, −1 for as many as there are processors; no bit of the result depends on it.

        Returns
        -------
        float or ndarray
            In [0, 1], continuous from the right.

        Raises
        ------
        TypeError
            If `x` is complex or not numeric.
        ConvergenceError
            If a point could not be certified; its `evaluation` has the others.

        Notes
        -----
        F(x) = 1 − Im U(x + i0)/π with the logarithmic potential U(z) = ∫ log(z − t) dμ(t), which adds over the tree:
        one logarithm a node, no quadrature.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur(ratio=2.0).cdf(0.0), 9)
        0.5
        """
        return module("spectrum").cdf(self, x, on_failure=on_failure, workers=workers)

    def quantile(self, p: ArrayLike, *, workers: int = 1) -> ScalarOrArray:
        """Return the quantiles inf{x : F(x) ≥ p}, the lower end of the support for p = 0.

        Parameters
        ----------
        p : array_like, real
            In [0, 1], any shape.
        workers : int
            Threads to use, −1 for as many as there are processors; no bit of the result depends on it.

        Returns
        -------
        float or ndarray
            At a p that F takes in a gap, the gap's lower end; at one that F jumps over, the atom.

        Raises
        ------
        TypeError
            If `p` is complex or not numeric.
        ValueError
            If a `p` is outside [0, 1].
        ConvergenceError
            If a quantile could not be found.

        Notes
        -----
        Newton's method on F and the density, in variables in which F is almost a straight line at either end.  The
        relative error is that of F, about 1e-16, times 1/(x f(x)).

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.boxtimes(fc.Bernoulli(0.5), fc.Bernoulli(0.75, 2.0)).quantile([0.25, 1.0]).round(9).tolist()
        [0.0, 2.0]
        """
        return module("distribution").quantile(self, p, workers=workers)

    def sample(self, size: int | tuple[int, ...] | None = None, rng: Any = None) -> ScalarOrArray:
        """Return independent samples: quantiles of uniform numbers, so that atoms come with their weights.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result; a float without.
        rng : numpy.random.Generator or int, optional
            The generator, or the seed of one.

        Returns
        -------
        float or ndarray

        Raises
        ------
        TypeError, ValueError
            If `size` or `rng` is something else.
        ConvergenceError
            If a quantile could not be found.

        Notes
        -----
        These are independent points, which eigenvalues of a random matrix are not: those repel each other.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MarchenkoPastur(ratio=2.0).sample((2, 3), rng=1).shape
        (2, 3)
        """
        return module("distribution").sample(self, size, rng)

    def evaluate(self, x: ArrayLike, *, on_failure: OnFailure = "nan", workers: int = 1) -> Evaluation:
        """Return density and distribution function together with how they were found.

        Parameters
        ----------
        x : array_like, real
            Where to evaluate, any shape.
        on_failure : {"nan", "raise", "return"}
            What to do with points that could not be certified, see `density`; their status says so in any case.
        workers : int
            Threads to use, −1 for as many as there are processors; no bit of the result depends on it.

        Returns
        -------
        Evaluation
            Arrays `density`, `cdf`, `status`, `residual`, `iterations` and `accuracy` of the shape of `x`.

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
        evaluation: Evaluation = module("spectrum").evaluate(self, x, on_failure=on_failure, workers=workers)
        return evaluation

    def log_potential(self, z: ArrayLike) -> ScalarOrArray:
        """Return the logarithmic potential ∫ log|z − t| dμ(t).

        Parameters
        ----------
        z : array_like, real or complex
            Any shape.

        Returns
        -------
        float or ndarray
            −inf at atoms.

        Raises
        ------
        TypeError
            If `z` is not numeric.
        ConvergenceError
            If a point could not be certified.

        Notes
        -----
        Re U(z), see `cdf`.  For a random matrix A of size n, log|det(z − A)|/n tends to it.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.Semicircle().log_potential(0.0), 9)
        -0.5
        """
        return module("spectrum").log_potential(self, z)

    def log_determinant(self, *, pseudo: bool = False) -> float:
        """Return ∫ log|t| dμ(t), the limit of log|det A|/n.

        Parameters
        ----------
        pseudo : bool
            Leave an atom at 0 out, as a pseudo-determinant does.

        Returns
        -------
        float
            −inf for a law with an atom at 0, unless `pseudo`.

        Raises
        ------
        ConvergenceError
            If it could not be certified.

        Notes
        -----
        Determinants multiply under ⊠ (Fuglede and Kadison 1952); the rule with atoms at 0 is in
        `freeconv.determinant`.

        Examples
        --------
        >>> import freeconv as fc
        >>> fc.MarchenkoPastur().log_determinant()
        -1.0
        """
        value: float = module("determinant").log_determinant(self, pseudo=pseudo)
        return value

    def expectation(self, function: Callable[[NDArray[np.float64]], Any], *, rtol: float = 1e-10) -> Estimate:
        """Return ∫ f dμ, with an estimate of its error.

        Parameters
        ----------
        function : callable
            Takes an array of shape (n,) to one of the same shape, or to a number.
        rtol : float
            Relative error aimed at, > 0.

        Returns
        -------
        Estimate
            A float with the attribute `error`.

        Raises
        ------
        TypeError
            If `function` is not callable or gives something else than real numbers.

        Notes
        -----
        The atoms exactly, and on every interval adaptive Gauss–Kronrod rules in a variable in which the density times
        the Jacobian is smooth at the edges, whatever their kind.

        Examples
        --------
        >>> import numpy as np
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur().expectation(np.sqrt), 9)
        0.848826363
        """
        estimate: Estimate = module("quadrature").expectation(self, function, rtol=rtol)
        return estimate

    def singular_values(self) -> SingularValues:
        """Return the law of √X.

        Returns
        -------
        SingularValues
            With `density`, `cdf`, `quantile`, `sample`, `support`, `atoms`, `evaluate`, `expectation` and moments.

        Raises
        ------
        ValueError
            If the law is not on [0, ∞).

        Examples
        --------
        >>> import freeconv as fc
        >>> round(fc.MarchenkoPastur().singular_values().quantile(1.0), 9)
        2.0
        """
        law: SingularValues = module("singular_values").SingularValues(self)
        return law

    def compile(self, tol: float = 1e-12) -> CompiledLaw:
        """Return the law as tables, for many millions of points.

        Parameters
        ----------
        tol : float
            Error of the density relative to its maximum, in [1e-13, 1e-3]; relative to the density itself, 100 times
            as much.

        Returns
        -------
        CompiledLaw
            With `density`, `cdf`, `quantile`, `sample` and `error`, the largest error found.

        Raises
        ------
        TypeError, ValueError
            If `tol` is something else.
        ConvergenceError
            If the tolerance cannot be met.

        Notes
        -----
        Polynomials on cells graded towards the edges, see `CompiledLaw`.  It takes as long as some ten thousand
        densities.

        Examples
        --------
        >>> import freeconv as fc
        >>> law = fc.MLP(3, "relu", weight_variance=2.0).jacobian().compile()
        >>> round(law.density(1.0), 10)
        0.0730237041
        """
        law: CompiledLaw = module("compiled").compile_law(self, tol)
        return law

    def to_scipy(self) -> Any:
        """Return the continuous part, normalised, as a SciPy distribution.

        Returns
        -------
        scipy.stats distribution
            Of `scipy.stats.make_distribution`, its pdf, cdf and icdf those of the law.

        Raises
        ------
        ValueError
            If the law has atoms only.

        Examples
        --------
        >>> import freeconv as fc
        >>> round(float(fc.Semicircle().to_scipy().cdf(0.0)), 9)
        0.5
        """
        return module("distribution").to_scipy(self)

    def discretise(self, n: int, *, method: Literal["quantile", "gauss"] = "quantile") -> Law:
        """Return a law of at most n atoms near this one.

        Parameters
        ----------
        n : int
            ≥ 1.
        method : {"quantile", "gauss"}
            Quantiles at (i + ½)/n with equal weights, equal ones merged; or the Gauss rule of n nodes, whose first
            2n − 1 moments are the law's.

        Returns
        -------
        Law
            A `Discrete` law, a `PointMass` for one atom.

        Raises
        ------
        TypeError, ValueError
            If `n` is not an integer ≥ 1 or `method` not one of these.
        ConvergenceError
            If the law could not be integrated.

        Examples
        --------
        >>> import freeconv as fc
        >>> [round(fc.Semicircle().discretise(3, method="gauss").moment(k), 9) for k in (2, 4)]
        [1.0, 2.0]
        """
        law: Law = module("quadrature").discretise(self, n, method=method)
        return law
