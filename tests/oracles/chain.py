"""Chains of layers in one complex unknown.

μ_1 = δ_{q_0}, μ_{l+1} = (q_l + s² ·)_*(ν_l ⊠ [MP(1, 1) ⊠] μ_l), with ν_l = Bernoulli(a_l).
Everything is an explicit function of the innermost point u: with m = X G - 1, a ⊠ step multiplies X by the partner's
z m/(1 + m), and an affine step follows.  So z = T(u), found by Newton from a continuation started at +i∞; edges are
T'(u) = 0 on the real line.  The root is certified layer by layer: every point in the open upper half-plane and
log X' = log X + Σ log z_partner + (#partners) log(m/(1 + m)) with principal logarithms (see `tests.oracles.tree`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracles.common import Number, mp, mpc, mpf, newton
from tests.oracles.specs import Law, affine, bernoulli, boxtimes, marchenko_pastur


@dataclass(frozen=True)
class Chain:
    """q_0..q_{L-1}, a_1..a_{L-1} (doubles), the weight variance s² and the kind of weights."""

    shifts: Sequence[float]
    active: Sequence[float]
    scale: float
    gaussian: bool

    def law(self) -> Law:
        """Specification; the first steps are written as the two-atom or affine law they are."""
        q, s = self.shifts, self.scale
        if self.gaussian:
            law = affine(boxtimes(bernoulli(self.active[0], q[0]), marchenko_pastur(1.0, 1.0)), s, q[1])
        else:
            law = affine(bernoulli(self.active[0], q[0]), s, q[1])
        for shift, p in zip(q[2:], self.active[1:], strict=True):
            factors = [bernoulli(p), law]
            if self.gaussian:
                factors.insert(1, marchenko_pastur(1.0, 1.0))
            law = affine(boxtimes(*factors), s, shift)
        return law

    def climb(self, u: Number) -> tuple[Number, Number, Number]:
        """(z, G, margin) as functions of the innermost point; margin > 0 is the certificate for a non-real z."""
        x, g, margin = u, 1 / (u - mpf(self.shifts[0])), u.imag
        for shift, p in zip(self.shifts[1:], self.active, strict=True):
            m = x * g - 1
            ratio = m / (1 + m)
            partners = [(mpf(p) + m) / m]
            if self.gaussian:
                partners.append((1 + m) ** 2 / m)
            angle = mp.arg(x) + mp.fsum(mp.arg(z) for z in partners) + len(partners) * mp.arg(ratio)
            for z in partners:
                x = x * z * ratio
            margin = min([margin, x.imag, mpf(1) - abs(angle - mp.arg(x)), *(z.imag for z in partners)])
            g = (1 + m) / x / mpf(self.scale)
            x = mpf(shift) + mpf(self.scale) * x
        return x, g, margin

    def solve(self, x: float | Number, floor: float = 1e-14) -> Number:
        """The innermost point for a real x inside the support, certified; gives up below Im z = floor."""
        height = 1000 * (1 + abs(mpf(x)))
        mean = mp.fprod(mpf(p) * self.scale for p in self.active)
        u = newton(lambda u: self.climb(u)[0] - mpc(x, height), mpc(x, height) / mean)
        factor = mpf(1) / 2
        while height > floor and factor < 0.99:
            trial = self.trial(mpc(x, height * factor), u, 12)
            if trial is None or self.climb(trial)[2] <= 0:
                factor = mp.sqrt(factor)
                continue
            u, height, factor = trial, height * factor, max(factor**2, mpf(1) / 4)
            if height < 1:
                found = self.trial(mpf(x), u, 10)
                if found is not None and self.certified(found):
                    return found
        raise ArithmeticError(f"no certified root at x = {mp.nstr(mpf(x), 17)}")

    def trial(self, target: Number, start: Number, steps: int) -> Number | None:
        """Newton for z(u) = target, None if it fails."""
        try:
            return newton(lambda u: self.climb(u)[0] - target, start, steps)
        except (ArithmeticError, ZeroDivisionError):
            return None

    def certified(self, u: Number) -> bool:
        """Certificate at real z: the last product is real, everything else lies in the open half-plane."""
        eps = mpf(10) ** (-mp.dps // 2)
        if u.imag <= eps * abs(u):
            return False
        inner = Chain(self.shifts[:-1], self.active[:-1], self.scale, self.gaussian)
        x, g, margin = inner.climb(u)
        m = x * g - 1
        ratio = m / (1 + m)
        partners = [(mpf(self.active[-1]) + m) / m, *([(1 + m) ** 2 / m] if self.gaussian else [])]
        angle = mp.arg(x) + mp.fsum(mp.arg(z) for z in partners) + len(partners) * mp.arg(ratio)
        return bool(margin > 0 and abs(angle) < eps and all(z.imag > 0 for z in partners) and ratio.imag < 0)

    def density(self, x: float | Number) -> Number:
        """Density inside the support."""
        with mp.workdps(mp.dps + 15):
            return -self.climb(self.solve(x))[1].imag / mp.pi

    def both(self, x: float | Number) -> tuple[Number, Number]:
        """(F, density) inside the support, F by the potential (see `tests.oracles.potential`)."""
        with mp.workdps(mp.dps + 15):
            u = self.solve(x)
            return 1 - self.potential(u).imag / mp.pi, -self.climb(u)[1].imag / mp.pi

    def potential(self, u: Number) -> Number:
        """U of the last law: a product of n factors adds U_1 + ... + U_n + (n - 1) log m, an affine map log s."""
        x, g, out = u, 1 / (u - mpf(self.shifts[0])), mp.log(u - mpf(self.shifts[0]))
        for depth, p in enumerate(self.active, 1):
            m, bernoulli_point = x * g - 1, (mpf(p) + x * g - 1) / (x * g - 1)
            out += (1 - mpf(p)) * mp.log(bernoulli_point) + mpf(p) * mp.log(bernoulli_point - 1) + mp.log(m)
            out += m if self.gaussian else 0  # MP(1, 1): m - log m, and one more log m
            out += mp.log(self.scale)
            x, g, _ = Chain(self.shifts[: depth + 1], self.active[:depth], self.scale, self.gaussian).climb(u)
        return out

    def edge(self, inside: Number, closer: Number) -> Number:
        """Edge from two points inside, the second close to it: T'(u) = 0 near its u; its shape is checked."""
        with mp.workdps(90):
            second = self.solve(closer)
            h = mpf(10) ** -30

            def slope(u: Number) -> Number:
                step = h * abs(u)
                return (self.climb(u + step)[0] - self.climb(u - step)[0]) / (2 * step)

            u = newton(slope, mpc(second.real), 80, 40)
            value = self.climb(mpc(u.real))[0].real
        if abs(u.imag) > mpf(10) ** -20:
            raise ArithmeticError(f"no real critical point near {mp.nstr(mpf(closer), 12)}")
        step = (mpf(inside) - value) * mpf("1e-5")
        with mp.workdps(40):  # a square-root edge: density² is proportional to the distance
            ratio = (self.density(value + 4 * step) / self.density(value + step)) ** 2
        if abs(ratio - 4) > 0.05:
            raise ArithmeticError(f"{mp.nstr(value, 12)} is not a square-root edge: ratio {mp.nstr(ratio, 5)}")
        return value


def find_edge(chain: Chain, inside: float, outside: float) -> Number:
    """Edge between a point inside and one outside, by bisection on solvability and then `Chain.edge`."""
    good, bad = mpf(inside), mpf(outside)
    with mp.workdps(25):
        for _ in range(10):
            middle = (good + bad) / 2
            try:
                chain.solve(middle, 1e-10)
                good = middle
            except ArithmeticError:
                bad = middle
    width = abs(bad - good)
    sign = 1 if outside > inside else -1
    return chain.edge(good - sign * 2 * width, good - sign * width / 2)
