"""G of laws of squared slopes in the closed upper half-plane: far away, beside, on the axis, near singular values.

An entry has ``activation``, ``variance``, points ``z`` (pairs of doubles) and ``g`` (pairs of doubles, 25 digits
before rounding), and ``moments`` E φ'^{2k} from k = 1 on.
"""

from __future__ import annotations

from typing import Any

from tests.oracles import slope_rule
from tests.oracles.common import Number, agree, mp, mpc, mpf, save_table

CASES = [
    *(("tanh", 0.5703125), ("tanh", 0.03125), ("tanh", 2.0), ("erf", 0.5), ("sigmoid", 1.0)),
    *(("gelu", 0.5), ("silu", 1.0), ("softplus", 1.0), ("elu", 0.75)),
]
HEIGHTS = (1.0, 1e-1, 1e-3, 1e-6, 1e-9, 1e-12, 0.0)
DISTANCES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)


def singular_values(name: str) -> list[Number]:
    """Squared critical values, and limits where they are singular."""
    found = [slope_rule.derivative(name)(h).real ** 2 for h in slope_rule.corners(name)]
    return sorted({mpf(0), *found, *([mpf(1)] if name in ("gelu", "silu", "softplus") else [])})


def points(name: str) -> list[tuple[float, float]]:
    """The z of an entry."""
    values = singular_values(name)
    width = values[-1]
    found = [(100.0, 0.0), (-3.0, 2.0), (1e6, 1e6), (float(-width / 2), 0.0), (float(width * 1.75), 0.0)]
    found += [(float(width * x), float(y)) for x in (0.125, 0.4375, 0.875) for y in HEIGHTS]
    found += [(float(s + way * width * d), 0.0) for s in values for d in DISTANCES for way in (1, -1)]
    found += [(float(s), float(width * d)) for s in values for d in DISTANCES]
    return found


def entry(name: str, variance: float) -> dict[str, Any]:
    """One law; its weights sum to 1, and its moments by the rule and by quadrature on the real axis agree."""
    slope_rule.check(name, variance)
    with mp.workdps(30):
        values, weights = slope_rule.rule(name, variance)
        moments = [slope_rule.moment(name, variance, k) for k in range(1, 9)]
        for k, moment in enumerate(moments, 1):
            rest = mpf(1) / 2 if name == "elu" else 0
            total = mp.fsum(w * g**k for g, w in zip(values, weights, strict=True)).real + rest
            agree(total, moment, f"moment {k} of {name}", 1e-20)
        z = points(name)
        g = [slope_rule.cauchy(name, variance, mpc(*point)) for point in z]
    return {
        "activation": name,
        "variance": variance,
        "z": z,
        "g": [(float(value.real), float(value.imag)) for value in g],
        "moments": [float(moment) for moment in moments],
    }


def main() -> None:
    """Regenerate the table."""
    check = "the rule against adaptive quadrature on the real axis; sums of weights; moments by two ways"
    save_table("slope_cauchy", check, [entry(*case) for case in CASES])


if __name__ == "__main__":
    main()
