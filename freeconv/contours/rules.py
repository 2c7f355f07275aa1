"""Quadrature on the contour: fixed complex nodes and weights, few for points far from singular values, more near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from freeconv.contours.panels import LEAST, MOST, Panels, by_anchor, gauss_legendre
from freeconv.contours.path import segments
from freeconv.contours.pushforward import Anchor, Pushforward

__all__ = ["Rule", "RuleSet", "build"]

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]
Splits = tuple[tuple[int, complex, float], ...]

# Distances from the nearest singular value, in units of the law's width, from which on a rule serves; the last serves
# all.  Beyond 0.6 of the width only points off the law's interval are left: the domain of a Gauss rule.
DISTANCES = (0.6, 0.15, 0.03, 3e-3, 1e-4, 1e-7, 1e-12)
_LAST_AT_ZERO = 1e-30
_LAST = 1e-17
_LAST_OF_WIDTH = 1e-14  # of a law narrower than 1e-3 of its values, where double-doubles count
_TOLERANCE = 1e-16
_GAUSS = 30
_ALLOWED = 1e-13
_APART = 1e-13  # 4e-14 between sums of a thousand logarithms of 1e-14; more above variances of 1e7
_MOST_LEVELS = 80
_PLACES = 17  # about one for each height of the longest panels
_MOST_PANELS = 2000
_NO_WEIGHT = 1e-30


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes x_s + v with weights w, grouped by singular values x_s; for z with |z − x_s| ≥ distance for all s.

    Attributes
    ----------
    distance : float
    offsets, weights : tuple of complex arrays, one a singular value
    elements : tuple of complex arrays, or None
        The y of ∫ log(z − t) dμ(t) = Σ mass·log(z − split) + Σ y/(z − x_s − v), which is the integral by parts: y is a
        step of g times the mass up to there.  None for the Gauss rule.
    """

    distance: float
    offsets: tuple[Complex, ...]
    weights: tuple[Complex, ...]
    elements: tuple[Complex, ...] | None

    @property
    def size(self) -> int:
        """The number of nodes."""
        return sum(part.size for part in self.offsets)


@dataclass(frozen=True, eq=False)
class RuleSet:
    """A law with density as fixed discrete measures with complex nodes.

    Attributes
    ----------
    singular : array
        The singular values x_s: where the contour touches the axis, or ends.
    rules : tuple of Rule
        By falling distance, the last one 0.
    atoms : tuple of (float, float)
        Location and weight; not part of the rules.
    mass : float
        Of the rules' weights: that of the continuous part.
    splits : tuple of (int, complex, float)
        Of each piece of the contour a point, as the number of a singular value and the offset from it, and the mass.
        Empty where potentials by parts would not be good to 1e-13: the weights' are.
    error : float
        Of any rule, as the differences from finer ones tell: |ΔG| over |G| or over 1/(width + |z|), the larger one.
    """

    singular: Real
    rules: tuple[Rule, ...]
    atoms: tuple[tuple[float, float], ...]
    mass: float
    splits: Splits
    error: float

    def variance(self) -> float:
        """The variance of the law, atoms included."""
        return _variance(self)


def _variance(rules: RuleSet) -> float:
    """Σ w (ζ − mean)², from offsets: of a narrow law ζ − mean has all of its digits only there."""
    last = rules.rules[-1]
    base = float(rules.singular[np.argmax([np.abs(w).sum() for w in last.weights])])
    nodes = np.concatenate([(x - base) + v for x, v in zip(rules.singular, last.offsets, strict=True)])
    weights = np.concatenate(last.weights)
    nodes = np.concatenate([nodes, [location - base + 0j for location, _ in rules.atoms]])
    weights = np.concatenate([weights, [weight + 0j for _, weight in rules.atoms]])
    center = float((nodes * weights).sum().real)
    return float((weights * (nodes - center) ** 2).sum().real)


def build(law: Pushforward) -> RuleSet:
    """Return the rules of a law.

    Raises
    ------
    ValueError
        If no rule could be made: φ' may not be analytic between its kinks.
    """
    mass = 1.0 - math.fsum(weight for _, weight in law.atoms)
    builder = _Builder(law, mass)
    gauss = builder.gauss_rule(DISTANCES[0] * builder.width)
    contour = [builder.rule(part * builder.width) for part in DISTANCES[1:]]
    last = builder.rule(0.0)
    rules = (gauss, *contour, last)
    # Each against the next: the sum bounds the difference from the last.
    error = math.fsum(builder.difference(rule, finer, rule.distance) for rule, finer in pairwise(rules))
    # The last one against its panels halved: what it shares with the others is wrong in all of them.
    error += builder.difference(last, builder.halved(), DISTANCES[3] * builder.width, 60)
    allowed = max(_ALLOWED, 10.0 * law.noise)
    if not error <= allowed:
        raise ValueError(_refusal(law, f"rules must agree to {allowed!r}, got {error!r}"))
    splits = builder.splits()
    if not max(builder.by_parts(rule, splits) for rule in rules[1:]) <= _APART:
        splits = ()
    return RuleSet(builder.singular, rules, law.atoms, mass, splits, error)


def _refusal(law: Pushforward, reason: str) -> str:
    """What went wrong, and what may be done."""
    advice = (
        "check that `derivative` is the function's own, is computed to the last digit and analytic between the kinks "
        "that are named, or describe the function by fewer, wider features"
        if law.activation.complex_slope is False
        else "a variance that is rounded to a few digits may serve, or one that is not so extreme"
    )
    return f"squared slopes of {law.activation!r} at variance {law.variance!r} are refused: {reason}; {advice}"


def _ends(panels: Sequence[Panels]) -> list[tuple[Anchor, complex]]:
    """The outer ends of the tails."""
    tails = [p for p in panels if p.anchor.kind in ("tail", "cut")]
    return [(p.anchor, complex(p.last[np.argmax(np.abs(p.last.real))])) for p in tails]


class _Builder:
    def __init__(self, law: Pushforward, mass: float) -> None:
        self.law = law
        self.mass = mass
        values = sorted({anchor.value for anchor in law.anchors})
        self.singular = np.array(values)
        self.width = values[-1] - values[0]
        self.groups = {anchor: values.index(anchor.value) for anchor in law.anchors}
        lines, self.path_splits = segments(law)
        self.panels = by_anchor(lines)
        self.remainders = [self._remainder(*end) for end in _ends(self.panels)]

    def rule(self, distance: float) -> Rule:
        """The rule for points at least so far from all singular values; distance 0 for the last one.

        Each begins with the panels of the one before.
        """
        self.panels = [self._adapted(panels, self._distances(distance)) for panels in self.panels]
        found = [(self.groups[panels.anchor], panels.v, panels.w, panels.y) for panels in self.panels]
        return self._joined(distance, found + self.remainders)

    def splits(self) -> Splits:
        """A point of each piece with its mass; what the masses lack is rounding, and goes to the largest."""
        found = []
        for anchor, point, mass in self.path_splits:
            found.append((self.groups[anchor], complex(self.law.offset(anchor, np.array([point]))[0]), mass))
        lacking = self.mass - math.fsum(mass for *_, mass in found)
        if not abs(lacking) < 1e-11:
            raise ValueError(_refusal(self.law, f"masses must sum to {self.mass!r}, got {self.mass - lacking!r}"))
        largest = max(range(len(found)), key=lambda k: found[k][2])
        group, v, mass = found[largest]
        found[largest] = (group, v, mass + lacking)
        return tuple(found)

    def gauss_rule(self, distance: float) -> Rule:
        """Nodes on the real axis, for points off the law's interval [1].

        [1] Lanczos; W. Gautschi, "Orthogonal Polynomials" (2004), 2.2.3.
        """
        flat = [panels.flat() for panels in self.panels]
        adapted = [self._adapted(panels, self._distances(distance)) for panels in flat]
        found = [(self.groups[panels.anchor], panels.v, panels.w) for panels in adapted]
        found += [self._remainder(*end)[:3] for end in _ends(flat)]
        center = 0.5 * (self.singular[0] + self.singular[-1])
        x = np.concatenate([(self.singular[group] - center) + v.real for group, v, _ in found])
        w = np.maximum(np.concatenate([w.real for *_, w in found]), 0.0)
        nodes, weights = _gauss(x, w * (self.mass / w.sum()), min(_GAUSS, x.size))
        empty = [np.zeros(0, complex)] * (self.singular.size - 1)
        offsets = (nodes + (center - self.singular[0])).astype(complex)
        return Rule(distance, (offsets, *empty), (weights.astype(complex), *empty), None)

    def _remainder(self, anchor: Anchor, end: complex) -> tuple[int, Complex, Complex, Complex]:
        """What lies beyond the cut of a tail, in one node; its mass is in the masses already."""
        from scipy.special import erfc

        point = np.array([end])
        with np.errstate(under="ignore"):
            weight = 0.5 * erfc(np.copysign(1.0, end.real) * point / (math.sqrt(2.0) * self.law.deviation))
            return self.groups[anchor], self.law.offset(anchor, point), self.law.factor * weight, np.zeros(1, complex)

    def _joined(self, distance: float, found: Sequence[tuple[int, Complex, Complex, Complex]]) -> Rule:
        offsets, weights, elements = [], [], []
        for group in range(self.singular.size):
            parts = [part for index, *part in found if index == group]
            v, w, y = (np.concatenate([np.zeros(0, complex), *(part[k] for part in parts)]) for k in range(3))
            kept = np.abs(w) > _NO_WEIGHT
            offsets.append(v[kept])
            weights.append(w[kept])
            elements.append(y[kept])
        # What the weights' sum lacks is rounding, and goes where it is smallest.
        everything = np.concatenate(weights)
        lacking = self.mass - complex(math.fsum(everything.real.tolist()), math.fsum(everything.imag.tolist()))
        if not abs(lacking) < 1e-11:
            raise ValueError(_refusal(self.law, f"weights must sum to {self.mass!r}, got {self.mass - lacking!r}"))
        group = int(np.argmax([np.abs(w).max(initial=0.0) for w in weights]))
        weights[group][np.argmax(np.abs(weights[group]))] += lacking
        return Rule(distance, tuple(offsets), tuple(weights), tuple(elements))

    def _distances(self, distance: float) -> Real:
        """The distances from the singular values that a rule has to serve."""
        if distance > 0.0:
            return np.full(self.singular.size, distance)
        nearest = np.minimum(_LAST * np.abs(self.singular), _LAST_OF_WIDTH * self.width)
        return np.where(self.singular == 0.0, _LAST_AT_ZERO * self.width, nearest)

    def _adapted(self, panels: Panels, distances: Real) -> Panels:
        """Divide panels until Legendre coefficients of ρ/(z − g) foretell a small error for all critical z."""
        law = self.law
        done, rest = [panels.part(~panels.open)], panels.part(panels.open)
        for _ in range(_MOST_LEVELS):
            if rest.size == 0:
                return Panels.union(done)
            half = 0.5 * (rest.last - rest.first)
            delta = (rest.first + half)[:, None] + half[:, None] * gauss_legendre(MOST)[0]
            v = law.offset(rest.anchor, delta)
            rho = law.factor * law.density(rest.shift + delta) * half[:, None]
            z, inside, rest.open = self._critical(rest.anchor, rest.first, rest.last, distances)
            rest.order = np.zeros(rest.size, np.int64)
            # Away from singular values the z come thrice.
            for rows, count in ((rest.open, z.shape[1]), (~rest.open, z.shape[1] // 3)):
                if rows.any():
                    critical = z[rows, :count], inside[rows, :count]
                    rest.order[rows] = self._needed(v[rows], rho[rows], *critical)
            good = rest.part(rest.order <= MOST)
            good.fill(law)
            done.append(good)
            rest = rest.part(rest.order > MOST).halves()
            if rest.size > _MOST_PANELS:
                break
        raise ValueError(_refusal(law, f"no rule of up to {_MOST_PANELS} panels is good to {_TOLERANCE!r}"))

    def _critical(
        self, anchor: Anchor, first: Complex, last: Complex, distances: Real
    ) -> tuple[Complex, NDArray[np.bool_], NDArray[np.bool_]]:
        """The z whose poles are nearest to a panel, relative to the anchor's value; which are in the rule's domain, and
        whether a smaller distance would let in more.
        """
        start, stop = first.real, last.real
        t = 0.5 * (start + stop)[:, None] + 0.5 * (stop - start)[:, None] * np.linspace(-1.3, 1.3, _PLACES)
        if math.isfinite(anchor.point):
            outwards = np.where(stop > start, 1.0, -1.0)[:, None]
            t = np.where(t * outwards > 0.0, t, 0.0)
        v = self.law.offset(anchor, t).real
        gaps = self.singular - anchor.value
        z = np.concatenate([v, -v], axis=1).astype(complex)
        nearest = np.argmin(np.abs(z[..., None] - gaps), axis=-1)
        gap, d = gaps[nearest], distances[nearest]
        from_it = z - gap
        near = np.abs(from_it) < d
        # Beside the singular value, and straight up to where all of them are far enough.
        steps = (distances - np.abs(z[..., None] - gaps)) * (distances + np.abs(z[..., None] - gaps))
        raised = z + 1j * np.sqrt(np.maximum(steps.max(axis=-1), 0.0))
        z = np.concatenate([np.where(near, gap + d, z), np.where(near, gap - d, z), raised], axis=1)
        away = np.abs(z[..., None] - gaps)
        return z, np.all(away >= distances * (1.0 - 1e-9), axis=-1), near.any(axis=1)

    def _needed(self, v: Complex, rho: Complex, z: Complex, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many nodes each panel needs; more than `MOST` if it is to be divided."""
        apart = z[:, :, None] - v[:, None, :]
        f = np.where(inside[:, :, None], rho[:, None, :] / apart, 0.0)
        size = np.maximum(1.0 / self.width, 2.0 * np.abs(f).mean(axis=-1))
        spectrum = (np.abs(f @ gauss_legendre(MOST)[2]) / size[..., None]).max(axis=1)
        rounding = 4e-16 * (np.abs(v)[:, None, :] * np.abs(f) / np.abs(apart)).max(axis=-1)
        noise = (rounding / size).max(axis=1) + 1e-16 + self.law.noise
        envelope = np.maximum.accumulate(spectrum[:, ::-1], axis=1)[:, ::-1] + 1e-300
        low, high = 6, MOST - 4
        rate = np.minimum(np.log(envelope[:, high] / envelope[:, low]) / (high - low), 0.0)
        need = np.full(len(v), MOST + 1)
        for n in range(MOST, LEAST - 1, -1):
            # The error of n nodes is of the size of coefficient 2n.
            k = 2 * n
            error = envelope[:, k] if k <= high else envelope[:, high] * np.exp(rate * (k - high))
            need = np.where(error < _TOLERANCE, n, need)
        return np.where((need > MOST) & (envelope[:, high] < 10.0 * noise), MOST, need)

    def halved(self) -> Rule:
        """The rule of the last panels halved, for comparison."""
        found = []
        for panels in self.panels:
            halves = panels.halves()
            halves.base[:] = np.nan
            halves.order[:] = MOST
            halves.fill(self.law)
            found.append((self.groups[panels.anchor], halves.v, halves.w, halves.y))
        return self._joined(0.0, found + self.remainders)

    def difference(self, rule: Rule, finer: Rule, d: float, count: int = 24) -> float:
        """The largest difference on the boundary of what is d away from singular values, which bounds it inside: it is
        analytic there.
        """
        steps = np.geomspace(d, 4.0 * self.width, count)
        arc = d * np.exp(1j * np.linspace(0.0, math.pi, 9))
        worst = 0.0
        for x in self.singular:
            relative = np.concatenate([steps, -steps, arc])
            away = np.abs(relative[:, None] - (self.singular - x))
            relative = relative[np.all(away >= d * (1.0 - 1e-12), axis=1)]
            ours, theirs = self._cauchy(rule, x, relative), self._cauchy(finer, x, relative)
            size = np.maximum(np.abs(theirs), 1.0 / (self.width + np.abs(relative)))
            worst = max(worst, float(np.max(np.abs(ours - theirs) / size, initial=0.0)))
        return worst

    def by_parts(self, rule: Rule, splits: Splits) -> float:
        """The largest difference of ∫ log(z − t) dμ(t) by parts from that by weights, at the boundary of the domain."""
        assert rule.elements is not None
        least = np.maximum(self._distances(rule.distance), 4.0 * np.spacing(np.abs(self.singular).max()))
        arc = np.exp(1j * np.linspace(0.0, math.pi, 5))
        worst = 0.0
        for x, d in zip(self.singular, least, strict=True):
            relative = np.concatenate([d * arc, np.geomspace(d, 4.0 * self.width, 12) * 1j, self.width * (arc - 0.5)])
            away = np.abs(relative[:, None] - (self.singular - x))
            relative = relative[np.all(away >= least * (1.0 - 1e-12), axis=1)]
            total = np.zeros(relative.shape, complex)
            for group, point, mass in splits:
                total += mass * np.log((relative + (x - self.singular[group])) - point)
            for value, v, w, y in zip(self.singular, rule.offsets, rule.weights, rule.elements, strict=True):
                apart = (relative + (x - value))[:, None] - v
                total += (y / apart - w * np.log(apart)).sum(axis=1)
            worst = max(worst, float(np.max(np.abs(total), initial=0.0)))
        return worst

    def _cauchy(self, rule: Rule, x: float, relative: Complex) -> Complex:
        total = np.zeros(relative.shape, complex)
        for value, v, w in zip(self.singular, rule.offsets, rule.weights, strict=True):
            total += (w / ((relative + (x - value))[:, None] - v)).sum(axis=1)
        return total


def _gauss(x: Real, w: Real, n: int) -> tuple[Real, Real]:
    """The n-point Gauss rule of a discrete measure (Lanczos with reorthogonalisation)."""
    basis = np.zeros((n, x.size))
    basis[0] = np.sqrt(w / w.sum())
    diagonal, off = np.zeros(n), np.zeros(n - 1)
    for k in range(n):
        step = x * basis[k]
        diagonal[k] = basis[k] @ step
        for _ in range(2):
            step -= basis[: k + 1].T @ (basis[: k + 1] @ step)
        if k + 1 < n:
            off[k] = np.linalg.norm(step)
            if off[k] <= 1e-15 * np.abs(x).max():
                n = k + 1
                break
            basis[k + 1] = step / off[k]
    diagonal, off = diagonal[:n], off[: n - 1]
    nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return nodes, w.sum() * vectors[0] ** 2
