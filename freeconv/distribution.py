"""The law as a distribution: quantiles, samples, and its continuous part for SciPy."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from freeconv import boundary, closed, engine
from freeconv._grids import real_grid, shaped
from freeconv._segments import in_segments
from freeconv._validate import integer, worker_count
from freeconv.atoms import atoms
from freeconv.errors import ConvergenceError
from freeconv.laws import Law

__all__ = ["check_levels", "quantile", "sample", "to_scipy", "uniform"]


def quantile(law: Law, p: ArrayLike, *, workers: int = 1) -> Any:
    """Return inf{x : F(x) ≥ p}; see `Law.quantile`."""
    flat, shape = real_grid("p", p)
    check_levels(flat)
    count = worker_count(workers)
    x = in_segments(lambda levels: _quantile(law, levels, count), flat)
    return shaped(_certain(law, np.asarray(x), flat), shape)


def check_levels(p: NDArray[np.float64]) -> None:
    """Raise unless all are in [0, 1] or NaN."""
    if p.size and not (np.fmin.reduce(p) < 0.0 or np.fmax.reduce(p) > 1.0):  # NaN for NaN only
        return
    wrong = (p < 0.0) | (p > 1.0)
    if wrong.any():
        raise ValueError(f"p must be in [0, 1], got {p[wrong.argmax()].item()!r}")


def sample(law: Law, size: int | tuple[int, ...] | None = None, rng: Any = None) -> Any:
    """Return independent samples; see `Law.sample`."""
    return quantile(law, uniform(size, rng))


def uniform(size: int | tuple[int, ...] | None, rng: Any) -> Any:
    """Return independent numbers, uniform on [0, 1), of a generator or a seed."""
    sizes = (size,) if not isinstance(size, tuple) else size
    for length in () if size is None else sizes:
        integer("size", length, minimum=0)
    try:
        generator = np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(f"rng must be a Generator, a seed or None, got {rng!r}") from None
    return generator.random(size)


def to_scipy(law: Law) -> Any:
    """Return the continuous part, normalised, as a SciPy distribution; see `Law.to_scipy`."""
    from scipy import stats  # slow to import

    part = _ContinuousPart(law)
    distribution: Any = stats.make_distribution(part)
    return distribution()


def _quantile(law: Law, p: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    pieces = boundary.pieces(law)
    least, most = (p.min(), p.max()) if p.size else (np.nan, np.nan)
    jumps = _jumps_inside(law)
    for low, high, below, above in pieces.tolist():
        if below < least and most < above and not jumps:  # all in one piece, and no NaN
            return np.clip(_inside(law, p, workers), low, high)
    known = atoms(law)
    # Where F is not continuous and increasing: atoms, and the ends of the pieces. (Lower ones for levels that rounding
    # has put above the jump before a piece, but not above F where it begins.)
    at_atoms = np.asarray(boundary.record(law, known.locations, cdf=True).cdf)
    breaks = np.concatenate([pieces[:, 0], pieces[:, 1], known.locations])
    order = np.argsort(breaks, kind="stable")
    levels = np.maximum.accumulate(np.concatenate([pieces[:, 2], pieces[:, 3], at_atoms])[order])
    levels[-1] = 1.0
    index = np.searchsorted(levels, np.where(np.isnan(p), 1.0, p), side="left")
    x = np.where(np.isnan(p), np.nan, breaks[order][np.minimum(index, len(levels) - 1)])
    x[p == 0.0] = np.concatenate([pieces[:, 0], known.locations]).min()
    for low, high, below, above in pieces.tolist():
        inside = (p > below) & (p < above)
        # The search would see the two doubles beside a jump only.
        for location, bottom, top in jumps:
            jump = inside & (p > bottom) & (p <= top)
            x[jump] = location
            inside &= ~jump
        if inside.any():
            x[inside] = np.clip(_inside(law, np.ascontiguousarray(p[inside]), workers), low, high)
    return x


@lru_cache(maxsize=128)
def _jumps_inside(law: Law) -> tuple[tuple[float, float, float], ...]:
    """Atoms inside a piece of the support, with F before and at each."""
    known = atoms(law)
    pieces = boundary.pieces(law).tolist()
    inside = [i for i, a in enumerate(known.locations) if any(low < a < high for low, high, _, _ in pieces)]
    if not inside:
        return ()
    locations = [known.locations[i] for i in inside]
    tops = np.asarray(boundary.record(law, np.array(locations), cdf=True).cdf).tolist()
    return tuple((a, top - known.weights[i], top) for i, a, top in zip(inside, locations, tops, strict=True))


def _inside(law: Law, p: NDArray[np.float64], workers: int = 1, *, upper: bool = False) -> NDArray[np.float64]:
    """Points of the open pieces of the support where F, or 1 − F if `upper`, is p."""
    image = boundary.mirrored(law)
    if image is not None:
        return -_inside(image, p, workers, upper=not upper)
    frame = engine.frame(law)
    if not closed.is_closed(frame.core):
        return engine.solver(law).invert(p, upper, workers)
    p = 1.0 - p if upper else p
    # F as the core has it: on each piece they are linear functions of one another.
    levels = np.array(p)
    for (_, _, below, above), inner in zip(boundary.pieces(law).tolist(), closed.pieces(frame.core), strict=True):
        inside = (p > below) & (p < above)
        levels[inside] = inner[2] + (p[inside] - below) * ((inner[3] - inner[2]) / (above - below))
    return engine.outer_points(frame, closed.quantile(frame.core, levels))


def _certain(law: Law, x: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    if x.size == 0 or not np.isnan(x.max()):
        return x
    missing = np.isnan(x) & ~np.isnan(p)
    if missing.any():
        raise ConvergenceError(
            f"{np.count_nonzero(missing)} of {p.size} quantiles of {law!r:.200} could not be found, the first at "
            f"p = {p[missing.argmax()].item()!r}"
        )
    return x


class _ContinuousPart:
    """What `scipy.stats.make_distribution` asks of a distribution without parameters."""

    __make_distribution_version__ = "1.16.0"
    parameters = ()

    def __init__(self, law: Law) -> None:
        self._law = law
        self._pieces = boundary.pieces(law)
        if len(self._pieces) == 0:
            raise ValueError(f"to_scipy needs a law with a continuous part, got {law!r:.200}")
        self._known = atoms(law)
        masses = self._pieces[:, 3] - self._pieces[:, 2]
        self._before = np.concatenate([[0.0], np.cumsum(masses)])

    @property
    def support(self) -> tuple[float, float]:
        return float(self._pieces[0, 0]), float(self._pieces[-1, 1])

    def pdf(self, x: ArrayLike) -> Any:
        return np.asarray(self._law.density(x)) / self._before[-1]

    def moment(self, order: int, kind: str = "raw") -> float:
        """SciPy integrates on a grid of its own, which gaps and hard edges defeat."""
        order = int(order)
        weight = float(self._before[-1])
        raw = [
            (self._law.moment(k) - float(self._known.weights @ self._known.locations**k)) / weight
            for k in range(order + 1)
        ]
        if kind == "raw":
            return raw[order]
        if order == 2 and len(self._known) == 0:
            central = self._law.variance()  # without cancellation
        else:
            mean = raw[1] if order > 0 else 0.0
            central = math.fsum(math.comb(order, k) * raw[k] * (-mean) ** (order - k) for k in range(order + 1))
        return central if kind == "central" else central / self.moment(2, "central") ** (0.5 * order)

    def cdf(self, x: ArrayLike) -> Any:
        jumps = np.concatenate([[0.0], np.cumsum(self._known.weights)])
        below = jumps[np.searchsorted(self._known.locations, x, side="right")]
        return np.clip((np.asarray(self._law.cdf(x)) - below) / self._before[-1], 0.0, 1.0)

    def icdf(self, p: ArrayLike) -> Any:
        flat, shape = real_grid("p", p)
        mass = flat * self._before[-1]
        x = np.full(flat.shape, np.nan)
        for (low, high, below, above), before, after in zip(
            self._pieces.tolist(), self._before[:-1], self._before[1:], strict=True
        ):
            x[(mass >= before) & (flat >= 0.0) & np.isnan(x) & (mass <= before)] = low
            inside = (mass > before) & (mass < after)
            if inside.any():
                level = np.clip(below + (mass[inside] - before), np.nextafter(below, 1.0), np.nextafter(above, 0.0))
                x[inside] = np.clip(_certain(self._law, _inside(self._law, level), level), low, high)
            x[np.isnan(x) & (mass == after)] = high
        return x.reshape(shape)
