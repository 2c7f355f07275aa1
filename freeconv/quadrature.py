"""Integrals against a law: Gauss rules in a variable that takes the edges away, and the atoms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

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
# Relative distance from an edge elsewhere than 0 within which a diverging density is known to few digits.
_BLUR = 1e-11
_STEEPEST = 60.0
_MOST_HALVINGS = 400
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
        lumps = piece.lumps()
        for lump in lumps:
            if lump.mass > 0.0:
                near, far = _beside(function, part.outer(np.array([lump.x, lump.next]))).tolist()
                total += part.factor * lump.mass * near
                error += part.factor * lump.mass * abs(far - near)

        def integrand(theta: NDArray[np.float64], piece: _Piece = piece) -> NDArray[np.float64]:
            x, weight = piece.weighted(np.ascontiguousarray(theta[:, 0]))
            values = np.zeros_like(weight)
            values[weight > 0.0] = _beside(function, part.outer(x[weight > 0.0])) * weight[weight > 0.0]
            return np.stack([values, np.abs(values), weight], axis=-1)

        ends = [lump.theta for lump in lumps]
        found = cubature(integrand, ends[:1], ends[1:], rtol=0.1 * rtol, atol=1e-15, max_subdivisions=_MOST_HALVINGS)
        value, size, mass = found.estimate.tolist()
        total += part.factor * value
        # What the masses tell of the rule, as if it were so of f.
        missed = abs(mass + sum(lump.mass for lump in lumps) - piece.mass)
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


def _beside(function: Callable[[NDArray[np.float64]], Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The function; an ulp beside a node that happens to be a pole of it."""
    values = _applied(function, x)
    poles = np.isinf(values)
    if poles.any():
        values[poles] = _applied(function, np.nextafter(x[poles], np.inf))
    return values


def _applied(function: Callable[[NDArray[np.float64]], Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        values = np.asarray(function(x))
    if values.dtype.kind not in "fiu":
        raise TypeError(f"function must return real numbers, got {values.dtype}")
    if values.shape not in ((), x.shape):
        raise TypeError(f"function must return a number or an array of shape {x.shape}, got shape {values.shape}")
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
    low_diverges: bool
    high_diverges: bool

    def points(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X and dx/dθ, both ends with their relative distances."""
        from scipy.special import betainc, betaln, xlog1py, xlogy

        width = self.high - self.low
        left = width * betainc(self.p, self.q, theta)
        right = width * betainc(self.q, self.p, 1.0 - theta)
        with np.errstate(divide="ignore", under="ignore"):
            log_rate = xlogy(self.p - 1.0, theta) + xlog1py(self.q - 1.0, -theta) - betaln(self.p, self.q)
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
        """A composite Gauss–Legendre rule in θ, and the lumps.

        A panel is halved until its weights sum to its mass, which the distribution function tells.
        """
        first, last = self.lumps()
        nodes, weights = np.polynomial.legendre.leggauss(_PANEL)
        ends = first.theta + (last.theta - first.theta) * np.arange(panels + 1) / panels
        low, high = ends[:-1], ends[1:]
        found = [(np.array([lump.x]), np.array([lump.mass])) for lump in (first, last)]
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

    def lumps(self) -> tuple[_Lump, _Lump]:
        """What lies nearer to the ends than doubles can tell, where the density diverges."""
        from scipy.special import betaincinv

        width = self.high - self.low
        # At 0 distances have all their digits, elsewhere those of the edge.
        near = _BLUR * abs(self.low) if self.low_diverges else 0.0
        far = _BLUR * abs(self.high) if self.high_diverges else 0.0
        if self.low == 0.0 and self.p >= 10.0:
            near = _TINY
        first, last = _Lump(self.low, self.low, 0.0, 0.0), _Lump(self.high, self.high, 0.0, 1.0)
        if 0.0 < near < 0.1 * width:
            mass = max(0.0, float(self.law.cdf(self.low + near)) - self.below)
            step = np.sqrt(near) if self.low == 0.0 else 2.0 * near
            first = _Lump(self.low + near, self.low + step, mass, float(betaincinv(self.p, self.q, near / width)))
        if 0.0 < far < 0.1 * width:
            mass = max(0.0, self.below + self.mass - float(self.law.cdf(self.high - far)))
            theta = 1.0 - float(betaincinv(self.q, self.p, far / width))
            last = _Lump(self.high - far, self.high - 2.0 * far, mass, theta)
        return first, last


class _Lump(NamedTuple):
    """A mass taken to be at x; a point further in, to see what f makes of the difference; and the θ of x."""

    x: float
    next: float
    mass: float
    theta: float


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
        _Piece(
            frame.core,
            low,
            high,
            above - below,
            below,
            _power(left.exponent),
            _power(right.exponent),
            left.exponent < 0.0,
            right.exponent < 0.0,
        )
        for (low, high, below, above), left, right in zip(rows, found[::2], found[1::2], strict=True)
    ]
    return _ContinuousPart(pieces, frame, 1.0 if image is None else -1.0, factor)


def _power(exponent: float) -> float:
    """θ^p of the distance: 2 for a square root, 1/(1 + exponent) for what diverges, 3 for a cusp."""
    if exponent < 0.0:
        return 1.0 / max(1.0 + exponent, 1.0 / _STEEPEST)  # −1 is that of 1/(x log² x)
    return {0.0: 1.0, 1.0 / 3.0: 3.0}.get(exponent, 2.0)
