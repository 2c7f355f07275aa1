"""Integrals against a law: Gauss rules in a variable that takes the edges away, and the atoms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from freeconv import boundary, engine
from freeconv._validate import choice, integer, positive
from freeconv.atoms import atoms
from freeconv.distribution import quantile
from freeconv.edges import edges
from freeconv.errors import ConvergenceError
from freeconv.laws import Discrete, Law, PointMass

__all__ = ["Estimate", "discretise", "expectation"]

# Below, x is as good as 0: what mass is left there counts as an atom. (Of 100 square layers 1e-3 is below 1e-290.)
_TINY = 1e-290
_MASS_TOLERANCE = 1e-12
_PANEL = 24
_MOST_PANELS = 4096


class Estimate(float):
    """A number with an estimate of its error.

    Attributes
    ----------
    error : float
        Absolute.
    """

    error: float

    def __new__(cls, value: float, error: float) -> Estimate:
        """Make the number."""
        number = super().__new__(cls, value)
        number.error = float(error)
        return number

    def __repr__(self) -> str:
        return f"Estimate({float(self)!r}, error={self.error!r})"

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, float]]:
        return Estimate, (float(self), self.error)


def expectation(law: Law, function: Callable[[NDArray[np.float64]], Any], *, rtol: float = 1e-10) -> Estimate:
    """Return ∫ f dμ; see `Law.expectation`."""
    from scipy.integrate import cubature  # slow to import

    if not callable(function):
        raise TypeError(f"function must be callable, got {function!r}")
    rtol = positive("rtol", rtol)
    known = atoms(law)
    total = float(known.weights @ _applied(function, known.locations)) if len(known) else 0.0
    error = 0.0
    part = _continuous(law)
    for piece in part.pieces:
        rest, start = piece.rest()
        if rest > 0.0:
            total += part.factor * rest * float(_applied(function, part.outer(np.array([_TINY])))[0])

        def integrand(theta: NDArray[np.float64], piece: _Piece = piece) -> NDArray[np.float64]:
            x, weight = piece.weighted(np.ascontiguousarray(theta[:, 0]))
            values = np.zeros_like(weight)
            values[weight > 0.0] = _applied(function, part.outer(x[weight > 0.0])) * weight[weight > 0.0]
            return np.stack([values, np.abs(values), weight], axis=-1)

        found = cubature(integrand, [start], [1.0], rtol=0.1 * rtol, atol=1e-15, max_subdivisions=2000)
        value, size, mass = found.estimate.tolist()
        total += part.factor * value
        # What the masses tell of the rule, as if it were so of f.
        missed = abs(mass + rest - piece.mass)
        error += part.factor * (float(found.error[0]) + missed * (size / mass if mass > 0.0 else 0.0))
    return Estimate(total, error + 4.0 * np.finfo(float).eps * abs(total))


def discretise(law: Law, n: int, *, method: str = "quantile") -> Law:
    """Return a law of n atoms near this one; see `Law.discretise`."""
    n = integer("n", n)
    choice("method", method, ("quantile", "gauss"))
    if method == "quantile":
        locations, counts = np.unique(quantile(law, (np.arange(n) + 0.5) / n), return_counts=True)
        return _discrete(locations, counts / n)
    known = atoms(law)
    part = _continuous(law)
    if not part.pieces and len(known) <= n:
        return law
    rules = [piece.rule(max(4, n // 8)) for piece in part.pieces]
    nodes = np.concatenate([known.locations, *(part.outer(x) for x, _ in rules)])
    weights = np.concatenate([known.weights, *(part.factor * w for _, w in rules)])
    return _discrete(*_gauss(nodes, weights, n))


def _discrete(locations: NDArray[np.float64], weights: NDArray[np.float64]) -> Law:
    if len(locations) == 1:
        return PointMass(float(locations[0]))
    return Discrete(locations.tolist(), (weights / weights.sum()).tolist())


def _gauss(
    x: NDArray[np.float64], weights: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The n-node Gauss rule of a finer one: Lanczos with full reorthogonalisation, then Golub and Welsch (1969)."""
    from scipy.linalg import eigh_tridiagonal

    center, scale = np.average(x, weights=weights), np.ptp(x)
    points = (x - center) / scale
    basis = [np.sqrt(weights / weights.sum())]
    diagonal, beside = [], []
    for _ in range(min(n, len(weights))):
        v = points * basis[-1]
        diagonal.append(float(basis[-1] @ v))
        done = np.array(basis)
        for _ in range(2):
            v = v - done.T @ (done @ v)
        size = float(np.linalg.norm(v))
        if size < 1e-14:
            break
        beside.append(size)
        basis.append(v / size)
    nodes, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: len(diagonal) - 1]))
    return center + scale * nodes, vectors[0] ** 2


def _applied(function: Callable[[NDArray[np.float64]], Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        values = np.asarray(function(x))
    if values.dtype.kind not in "fiu":
        raise TypeError(f"function must return real numbers, got {values.dtype}")
    return np.broadcast_to(values, x.shape).astype(np.float64)


@dataclass(frozen=True)
class _Piece:
    """x = low + width·I(θ; p, q), I the incomplete beta function: x − low ~ θ^p and high − x ~ (1 − θ)^q make the
    density of exponents 1/p − 1 and 1/q − 1 (or √, for which p = 2) a smooth function of θ.
    """

    law: Law
    low: float
    high: float
    mass: float
    below: float
    p: float
    q: float

    def points(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X and dx/dθ, both ends with their relative distances."""
        from scipy.special import betainc, betaln

        width = self.high - self.low
        left = width * betainc(self.p, self.q, theta)
        right = width * betainc(self.q, self.p, 1.0 - theta)
        with np.errstate(divide="ignore", under="ignore"):
            log_rate = (self.p - 1.0) * np.log(theta) + (self.q - 1.0) * np.log1p(-theta) - betaln(self.p, self.q)
            return np.where(left < right, self.low + left, self.high - right), width * np.exp(log_rate)

    def weighted(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X and density·dx/dθ; 0 where x is rounded to an end."""
        x, rate = self.points(theta)
        inside = (x > self.low) & (x < self.high) & (rate > 0.0)
        weight = np.zeros_like(x)
        weight[inside] = np.asarray(self.law.density(x[inside])) * rate[inside]
        weight[~np.isfinite(weight)] = 0.0
        return x, weight

    def rule(self, panels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A composite Gauss–Legendre rule in θ, what mass is too near to 0 put at its end.

        A panel is halved until its weights sum to its mass, which the distribution function tells.
        """
        rest, start = self.rest()
        nodes, weights = np.polynomial.legendre.leggauss(_PANEL)
        ends = start + (1.0 - start) * np.arange(panels + 1) / panels
        low, high = ends[:-1], ends[1:]
        found = [(np.array([self.low + _TINY]), np.array([rest]))] if rest > 0.0 else []
        solved = 0
        while low.size:
            half = 0.5 * (high - low)
            x, weight = self.weighted((low[:, None] + half[:, None] * (1.0 + nodes)).ravel())
            weight = weight.reshape(low.size, _PANEL) * half[:, None] * weights
            masses = self.mass_to(high) - self.mass_to(low)
            good = np.abs(weight.sum(axis=1) - masses) <= _MASS_TOLERANCE
            found += [(x.reshape(weight.shape)[good].ravel(), weight[good].ravel())]
            solved += low.size
            if solved > _MOST_PANELS:
                raise ConvergenceError(f"no rule of {_MOST_PANELS} panels holds the mass of {self.law!r:.200}")
            middle = low[~good] + half[~good]
            low, high = np.concatenate([low[~good], middle]), np.concatenate([middle, high[~good]])
        x, weight = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return x[weight > 0.0], weight[weight > 0.0]

    def mass_to(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mass of the piece to the left of x(θ)."""
        x, _ = self.points(theta)
        masses = np.asarray(self.law.cdf(x)) - self.below
        return np.where(theta >= 1.0, self.mass, np.where(theta <= 0.0, 0.0, masses))

    def rest(self) -> tuple[float, float]:
        """The mass of (low, low + 1e-290), and the θ where it ends."""
        if self.low != 0.0 or self.p < 10.0:
            return 0.0, 0.0
        from scipy.special import betaincinv

        start = float(betaincinv(self.p, self.q, _TINY / self.high))
        return max(0.0, float(self.law.cdf(_TINY)) - self.below), start


@dataclass(frozen=True)
class _ContinuousPart:
    """The continuous part of a law as that of its core: shifts would round the distances from a hard edge at 0."""

    pieces: list[_Piece]
    frame: engine.Frame
    sign: float
    factor: float

    def outer(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The law's points for the core's."""
        return self.sign * engine.outer_points(self.frame, x)


def _continuous(law: Law) -> _ContinuousPart:
    image = boundary.mirrored(law)
    frame = engine.frame(law if image is None else image)
    factor = 1.0 / math.prod(ratio for *_, ratio in frame.steps)
    found = edges(frame.core)
    rows = boundary.pieces(frame.core).tolist()
    pieces = [
        _Piece(frame.core, low, high, above - below, below, _power(left.exponent), _power(right.exponent))
        for (low, high, below, above), left, right in zip(rows, found[::2], found[1::2], strict=True)
    ]
    return _ContinuousPart(pieces, frame, 1.0 if image is None else -1.0, factor)


def _power(exponent: float) -> float:
    """θ^p of the distance: 2 for a square root, 1/(1 + exponent) for what diverges, 3 for a cusp."""
    if exponent < 0.0:
        return 1.0 / (1.0 + exponent)
    return {0.0: 1.0, 1.0 / 3.0: 3.0}.get(exponent, 2.0)
