"""Cauchy transforms of trees, above the real line and on it, by a joint averaged fixed point in NumPy.

Nothing is shared with the package, and its parametrisation is another one: the unknowns are the subordination points of
all factors.  With K = z − 1/G, sums have K = Σ t_i K_i and products K = ∏ K_i^t_i, so that the points move to

    ⊞ :  z_i = z − (Σ t_j K_j − K_i)          ⊠ :  log z_i = log z − (Σ t_j log K_j − log K_i)

(sections 2.1 and 2.2 of Belinschi and Bercovici, 2007, for two factors).  Half a step at a time from far away, then
Newton with difference quotients.
What is returned is proved: residuals vanish and every point lies in the open half-plane,
where the solution is unique; at a real z as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.oracles.specs import Law as Spec
from tests.stress import isometry, slopes
from tests.stress.expand import expanded

Points = NDArray[np.complex128]

AVERAGED = 400
NEWTON = 8
CONVERGED = 1e-11
SETTLED = 1e-12
"""Relative moves in the averaged iteration after which nothing is left to be gained."""


def _root(z: Points, low: float, high: float) -> Points:
    """√(z − low) √(z − high), cut along [low, high] only."""
    return np.asarray(np.sqrt(z - low) * np.sqrt(z - high), dtype=np.complex128)


def _poisson(z: Points, rate: float, jump: float) -> Points:
    """K = rate · jump · F/(F − jump), with the root of F² + (rate·jump − jump − z) F + z jump = 0 that grows like z."""
    b = z + jump - rate * jump
    r = _root(z, jump * (1.0 - np.sqrt(rate)) ** 2, jump * (1.0 + np.sqrt(rate)) ** 2)
    plus, minus = b + r, b - r
    f = np.where(np.abs(plus) >= np.abs(minus), plus / 2.0, 2.0 * z * jump / minus)
    return np.asarray(rate * jump * f / (f - jump), dtype=np.complex128)


def _atoms(z: Points, places: NDArray[np.float64], weights: NDArray[np.float64]) -> Points:
    """Σ a w/(z − a) over Σ w/(z − a) for many atoms."""
    terms = weights / (z[..., None] - places)
    return np.asarray((terms @ places) / terms.sum(axis=-1))


def leaf(spec: Spec, z: Points) -> Points:
    """K of a leaf, in the upper half-plane or its mirror image."""
    (kind, data), *_ = spec.items()
    match kind:
        case "PointMass":
            return np.full(z.shape, data["location"], dtype=np.complex128)
        case "Bernoulli" | "Discrete":
            places = [0.0, data["value"]] if kind == "Bernoulli" else data["locations"]
            weights = [1.0 - data["p"], data["p"]] if kind == "Bernoulli" else data["weights"]
            if len(places) > 8:
                return _atoms(z, np.array(places), np.array(weights))
            terms = [(w / (z - a), a) for a, w in zip(places, weights, strict=True)]
            return np.asarray(sum(term * a for term, a in terms) / sum(term for term, _ in terms))
        case "Semicircle":
            y, s = z - data["mean"], np.sqrt(data["variance"])
            return np.asarray(data["mean"] + 2.0 * data["variance"] / (y + _root(y, -2.0 * s, 2.0 * s)))
        case "MarchenkoPastur":
            return _poisson(z, 1.0 / data["ratio"], data["ratio"] * data["scale"])
        case "FreePoisson":
            sign = np.sign(data["jump"])
            return np.asarray(sign * _poisson(z if sign > 0.0 else -z, data["rate"], sign * data["jump"]))
        case "Arcsine":
            a, b = data["low"], data["high"]
            return np.asarray(((a + b) * z - a * b) / (z + _root(z, a, b)))
        case "Uniform":
            a, b = data["low"], data["high"]
            return np.asarray(z - (b - a) / (np.log(z - a) - np.log(z - b)))
        case "SlopeLaw":
            return slopes.k_of(data["activation"], data["variance"], z)
        case "isometry_limit":
            return isometry.k_of(data["kind"], data["variance"], z)
    raise NotImplementedError(kind)


@dataclass
class Pass:
    """One evaluation of the tree: where the points are, where they should move, the room to the domain's boundary."""

    points: list[Points]
    targets: list[Points] = field(default_factory=list)
    room: NDArray[np.float64] | float = np.inf

    def keep(self, value: NDArray[np.float64]) -> None:
        self.room = np.minimum(self.room, value)

    def node(self, spec: Spec, z: Points, side: float) -> Points:
        """K of a node at z, which is on this side of the real line."""
        (kind, data), *_ = spec.items()
        if kind == "affine":
            turned = side * np.sign(data["scale"])
            moved = (z - data["shift"]) / abs(data["scale"])  # a negation keeps the sign of an imaginary part 0
            inner = self.node(data["law"], moved if data["scale"] > 0.0 else -moved, turned)
            return np.asarray(data["scale"] * inner + data["shift"])
        if kind == "compress":
            power = {"boxplus": [{"law": data["law"], "power": 1.0 / data["t"]}]}
            return self.node({"affine": {"law": power, "scale": data["t"], "shift": 0.0}}, z, side)
        if kind == "resize":
            k = self.node(data["law"], z, side)
            return np.asarray(z * k / (data["ratio"] * (z - k) + k))
        if kind not in ("boxtimes", "boxplus"):
            return leaf(spec, z)
        if len(data) == 1 and data[0]["power"] == 1.0:
            return self.node(data[0]["law"], z, side)
        return self._convolution(kind, data, z, side)

    def _convolution(self, kind: str, factors: list[dict[str, Any]], z: Points, side: float) -> Points:
        if any(factor["power"] < 1.0 for factor in factors):
            raise NotImplementedError("the map of a power below 1 may leave the half-plane")
        first = len(self.targets)
        count = len(factors)
        self.targets += [z] * count
        slots = range(first, first + count)
        places = [np.broadcast_to(self.points[i], z.shape) for i in slots]
        below = []
        for place, factor in zip(places, factors, strict=True):
            self.keep(side * place.imag / np.abs(place))
            below.append(self.node(factor["law"], place, side))
        if kind == "boxplus":
            total = np.asarray(sum(f["power"] * k for f, k in zip(factors, below, strict=True)))
            for i, k in zip(slots, below, strict=True):
                self.targets[i] = z - (total - k)
            return total
        logs = [np.log(k) for k in below]
        total = np.asarray(sum(f["power"] * k for f, k in zip(factors, logs, strict=True)))
        self.keep(np.pi + side * total.imag)
        for i, k in zip(slots, logs, strict=True):
            move = np.log(z) - (total - k)
            self.keep(np.pi - side * move.imag)
            self.keep(side * move.imag)
            angle = side * np.clip(side * move.imag, 1e-9, np.pi - 1e-9)
            self.targets[i] = np.exp(move.real + 1j * angle)
        return np.asarray(np.exp(total))


def cauchy(spec: Spec, z: Points, size: float = 1.0) -> tuple[Points, NDArray[np.float64]]:
    """G at points of the closed upper half-plane and its estimated absolute error; NaN where nothing was proved.

    Raises
    ------
    NotImplementedError
        If the tree has powers below 1, or is a chain.
    """
    z = np.asarray(z, dtype=np.complex128)
    spec = expanded(spec)
    with np.errstate(all="ignore"):
        sides: list[float] = []
        _sides(spec, 1.0, sides)
        if not sides:
            g = 1.0 / (z - Pass([]).node(spec, z, 1.0))
            return g, 1e-13 * np.abs(g) + 1e-15 * np.abs(z) * np.abs(g) ** 2
        height = np.abs(z) + size
        points: list[Points] = [np.asarray(side * (z.real + 1j * height), dtype=np.complex128) for side in sides]
        for _ in range(AVERAGED):
            current = Pass(points)
            current.node(spec, z, 1.0)
            moved = [np.asarray((p + t) / 2.0) for p, t in zip(points, current.targets, strict=True)]
            far = max(float(np.max(np.abs(m / p - 1.0))) for m, p in zip(moved, points, strict=True))
            points = moved
            if far < SETTLED:
                break
        return _newton(spec, z, np.array(points))


def _sides(spec: Spec, side: float, found: list[float]) -> None:
    (kind, data), *_ = spec.items()
    if kind == "affine":
        _sides(data["law"], side * float(np.sign(data["scale"])), found)
    elif kind == "compress":
        found.append(side)
        _sides(data["law"], side, found)
    elif kind == "resize":
        _sides(data["law"], side, found)
    elif kind in ("boxtimes", "boxplus"):
        if not (len(data) == 1 and data[0]["power"] == 1.0):
            found += [side] * len(data)
        for factor in data:
            _sides(factor["law"], side, found)


def _newton(spec: Spec, z: Points, points: Points) -> tuple[Points, NDArray[np.float64]]:
    """Polish in the logarithms of the unknowns; the points that are proved, with the first-order effect of rounding."""
    count = len(points)
    step = 1e-7
    error = np.full(z.shape, np.inf)
    residual, room = np.full(z.shape, np.inf), np.zeros(z.shape)
    g = np.full(z.shape, complex(np.nan, np.nan))
    for turn in range(NEWTON):
        stack = np.repeat(points[:, None], count + 1, axis=1)  # unknown, variation, point
        for i in range(count):
            stack[i, i + 1] *= 1.0 + step
        current = Pass(list(stack))
        k = current.node(spec, np.broadcast_to(z, stack.shape[1:]), 1.0)
        values = np.array(current.targets) / stack - 1.0
        matrix = np.moveaxis((values[:, 1:] - values[:, :1]) / step, 2, 0)  # point, residual, unknown
        inner = values[:, 0].T
        good = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(inner).all(axis=1)
        matrix[~good], inner[~good] = np.eye(count), np.nan
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            break
        change = np.einsum("pij,pj->pi", inverse, inner).T
        residual = np.where(good, np.abs(change).max(axis=0), np.inf)
        room = np.broadcast_to(current.room, stack.shape[1:])[0]
        g = 1.0 / (z - k[0])
        slope = ((1.0 / (z - k[1:])) - g) / step
        spread = np.einsum("ip,pij->pj", np.abs(slope), np.abs(inverse)).sum(axis=1)
        error = (
            1e-14 * spread
            + 1e-14 * np.abs(g)
            + 1e-15 * np.abs(z) * np.abs(g) ** 2
            + residual * np.abs(slope).sum(axis=0)
        )
        if turn == NEWTON - 1:
            break
        points = np.where((residual < 0.3)[None] & np.isfinite(change), points * np.exp(-change), points)
    proved = (residual < CONVERGED) & (room > 1e-9)
    return np.where(proved, g, complex(np.nan, np.nan)), np.where(proved, error, np.inf)
