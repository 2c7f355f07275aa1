"""Gaussian moments of activations, E φ², E φ'² and E φ'⁴, and their turning points, by quadrature in multiprecision.

The definitions of φ and φ' are written here once more, and no closed form is used but to check the quadrature to 25
digits (erf, sine, cosine, GELU, ELU), and for sine and cosine at variances above 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracles.common import Number, agree, mp, mpf, save_table

VARIANCES = (1e-12, 1e-6, 0.01, 0.57, 2.0, 30.0, 1e3, 1e6)
DIGITS = 32
CHECK = 1e-25


@dataclass(frozen=True)
class Definition:
    """φ, φ', where they are not analytic, and starts near the zeros of φ' and of φ''."""

    function: Callable[[Number], Number]
    derivative: Callable[[Number], Number]
    kinks: Sequence[float] = ()
    turning: Sequence[tuple[int, float]] = ()  # which derivative vanishes, near where


def logistic(h: Number) -> Number:
    """1/(1 + e^{−h})."""
    return 1 / (1 + mp.exp(-h))


def elu(gain: str, alpha: str) -> Definition:
    """Gain times ELU."""
    g, a = mpf(gain), mpf(alpha)
    return Definition(
        lambda h: g * (h if h > 0 else a * mp.expm1(h)), lambda h: g * (1 if h > 0 else a * mp.exp(h)), (0.0,)
    )


def definitions() -> dict[str, Definition]:
    """Constructors of freeconv, as text, and what they must be."""
    half = mp.pi / 2
    return {
        "Erf()": Definition(mp.erf, lambda h: 2 / mp.sqrt(mp.pi) * mp.exp(-h * h), turning=[(2, 0.0)]),
        "Erf(scale=0.5)": Definition(
            lambda h: mp.erf(h / 2), lambda h: mp.exp(-h * h / 4) / mp.sqrt(mp.pi), turning=[(2, 0.0)]
        ),
        "Tanh()": Definition(mp.tanh, lambda h: mp.sech(h) ** 2, turning=[(2, 0.0)]),
        "Sigmoid()": Definition(logistic, lambda h: logistic(h) * logistic(-h), turning=[(2, 0.0)]),
        "SiLU()": Definition(
            lambda h: h * logistic(h),
            lambda h: logistic(h) * (1 + h * logistic(-h)),
            turning=[(2, -2.4), (1, -1.28), (2, 2.4)],
        ),
        "GELU()": Definition(
            lambda h: h * mp.ncdf(h), lambda h: mp.ncdf(h) + h * mp.npdf(h), turning=[(2, -1.4), (1, -0.75), (2, 1.4)]
        ),
        "ELU()": elu("1", "1"),
        "ELU(alpha=0.5)": elu("1", "0.5"),
        "SELU()": elu("1.0507009873554805", "1.6732632423543772"),
        "Softplus()": Definition(lambda h: mp.log1p(mp.exp(-abs(h))) + max(h, 0), logistic),
        "Softplus(beta=3.0)": Definition(
            lambda h: mp.log1p(mp.exp(-3 * abs(h))) / 3 + max(h, 0), lambda h: logistic(3 * h), turning=[]
        ),
        "Sin()": Definition(mp.sin, mp.cos, turning=[(2, -half * 2), (1, -half), (2, 0.0), (1, half), (2, half * 2)]),
        "Cos()": Definition(
            mp.cos, lambda h: -mp.sin(h), turning=[(1, -half * 2), (2, -half), (1, 0.0), (2, half), (1, half * 2)]
        ),
        "HardTanh(clip=2.0)": Definition(
            lambda h: max(min(h, mpf(2)), mpf(-2)), lambda h: mpf(1) if abs(h) < 2 else mpf(0), (-2.0, 2.0)
        ),
        "LeakyReLU(slope=0.1)": Definition(
            lambda h: h if h > 0 else h * mpf(0.1), lambda h: mpf(1) if h > 0 else mpf(0.1), (0.0,)
        ),
    }


def expectation(f: Callable[[Number], Number], variance: float, kinks: Sequence[float]) -> Number:
    """E f(√q Z), by Gauss–Legendre between points that are dense where f or the Gaussian bends.

    The integral is scaled to the order of 1: mpmath stops at an absolute error.
    """
    deviation = mp.sqrt(mpf(variance))
    reach = mpf(16)
    marks = {mpf(0), *(kink / deviation for kink in kinks if abs(kink) < reach * deviation)}
    points = set(marks) | {-reach, reach}
    for mark in marks:
        step = min(1 / deviation, mpf(1))
        distance = step
        while distance < 2 * reach:
            points |= {p for p in (mark - distance, mark + distance) if abs(p) < reach}
            step = min(2 * step, mpf(1))
            distance += step
    scale = max(abs(f(deviation)), abs(f(-deviation))) or 1
    integral, error = mp.quad(
        lambda z: f(deviation * z) / scale * mp.npdf(z),
        sorted(points),
        method="gauss-legendre",
        error=True,
        maxdegree=9,
    )
    if not error < abs(integral) * CHECK:
        raise ArithmeticError(f"quadrature at variance {variance!r} is good to {mp.nstr(error, 3)} only")
    return integral * scale


def moments(definition: Definition, variance: float) -> list[Number]:
    """E φ², E φ'², E φ'⁴."""
    return [
        expectation(lambda h: definition.function(h) ** 2, variance, definition.kinks),
        expectation(lambda h: definition.derivative(h) ** 2, variance, definition.kinks),
        expectation(lambda h: definition.derivative(h) ** 4, variance, definition.kinks),
    ]


def closed(name: str, variance: float) -> list[Number]:
    """What is known of the moments in closed form."""
    q = mpf(variance)
    if name == "Erf()":
        return [2 / mp.pi * mp.asin(2 * q / (1 + 2 * q)), 4 / mp.pi / mp.sqrt(1 + 4 * q)]
    if name == "Sin()":
        return [-mp.expm1(-2 * q) / 2, (1 + mp.exp(-2 * q)) / 2, (3 + 4 * mp.exp(-2 * q) + mp.exp(-8 * q)) / 8]
    if name == "Cos()":
        return [(1 + mp.exp(-2 * q)) / 2, -mp.expm1(-2 * q) / 2, (3 - 4 * mp.exp(-2 * q) + mp.exp(-8 * q)) / 8]
    if name == "GELU()":
        root, arc = mp.sqrt(1 + 2 * q), mp.asin(q / (1 + q)) / (2 * mp.pi)
        density = q / (mp.pi * (1 + q) * root)
        return [q / 4 + q * arc + q * density, mpf(1) / 4 + arc + density + q / (2 * mp.pi) / root**3]
    if name == "ELU()" and q < 100:
        s = mp.sqrt(q)
        return [q / 2 + mp.exp(2 * q) * mp.ncdf(-2 * s) - 2 * mp.exp(q / 2) * mp.ncdf(-s) + mpf(1) / 2]
    return []


def turning_point(definition: Definition, order: int, start: float) -> Number:
    """The zero of φ' or φ'' near a start."""
    if order == 1:
        return mp.findroot(definition.derivative, start)
    return mp.findroot(lambda h: mp.diff(definition.derivative, h), start)


def main() -> None:
    """Compute, check and write the table."""
    entries: list[dict[str, Any]] = []
    with mp.workdps(DIGITS):
        for name, definition in definitions().items():
            rows = []
            for variance in VARIANCES:
                with mp.workdps(2 * DIGITS):  # the closed form of ELU cancels
                    known = closed(name, variance)
                periodic = name in ("Sin()", "Cos()") and variance > 100  # too many periods: e^{−2q} is 0
                values = known if periodic else moments(definition, variance)
                for value, exact in zip(values, known, strict=False):
                    agree(value, exact, f"{name} q={variance!r}", CHECK)
                rows.append([float(value) for value in values])
            points = [float(turning_point(definition, order, start)) for order, start in definition.turning]
            entries.append({"name": name, "variances": list(VARIANCES), "moments": rows, "turning_points": points})
            print(name, flush=True)
    check = "quadrature at 32 digits; closed forms of erf, sine, cosine, GELU and ELU to 25"
    save_table("activations/moments", check, entries)


if __name__ == "__main__":
    main()
