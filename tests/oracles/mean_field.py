"""Mean-field recursion of hard tanh, in multiprecision: φ(h) = clip(h, -1, 1), φ'² is Bernoulli(erf(1/√(2q)))."""

from __future__ import annotations

from tests.oracles.common import Number, mp, mpf


def hard_tanh(
    layers: int, weight_variance: str, bias_variance: str, input_variance: str
) -> tuple[list[Number], list[Number]]:
    """(q̂_0 .. q̂_layers, p_1 .. p_layers) with q_{l+1} = σ_w² q̂_l + σ_b² and p_l = P(|√q_l Z| < 1)."""
    powers, active = [mpf(input_variance)], []
    for _ in range(layers):
        q = mpf(weight_variance) * powers[-1] + mpf(bias_variance)
        e = mp.erf(1 / mp.sqrt(2 * q))
        active.append(e)
        powers.append(q * e - mp.sqrt(2 * q / mp.pi) * mp.exp(-1 / (2 * q)) + 1 - e)
    return powers, active
