"""Rules by activation and variance, remembered, and as the numbers that the core reads."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from freeconv.activations import Activation
from freeconv.contours.pushforward import Pushforward, pushforward
from freeconv.contours.rules import RuleSet, build

__all__ = ["core_parameters", "rule_set"]

_NOISE = 4.4e-16


@lru_cache(maxsize=512)
def rule_set(activation: Activation, variance: float) -> RuleSet:
    """Return the rules for φ'(√q Z)², built once."""
    return build(pushforward(activation, variance))


@lru_cache(maxsize=512)
def core_parameters(activation: Activation, variance: float) -> tuple[float, ...]:
    """Return the parameters of a `contour` node.

    Counts of singular values, intervals, atoms and rules, the mean, the rules' noise and the count of splits; singular
    values; low, high and mass of each interval; locations of the atoms, weights of the atoms; of each split the number
    of its singular value, the offset's parts and the mass; of each rule its distance and the numbers of its nodes at
    each singular value; of each rule and singular value real parts and imaginary parts of offsets, of weights and of
    elements (0 of the first rule, which has none).
    """
    law, rules = pushforward(activation, variance), rule_set(activation, variance)
    spans = _spans(law)
    mean = sum(_mean(rules, k) for k in range(len(rules.singular))) + sum(x * w for x, w in law.atoms)
    parts: list[float] = [len(rules.singular), len(spans), len(law.atoms), len(rules.rules), mean, _noise(rules)]
    parts.append(len(rules.splits))
    parts += rules.singular.tolist()
    parts += [number for span in spans for number in span]
    parts += [x for x, _ in law.atoms] + [w for _, w in law.atoms]
    for group, point, mass in rules.splits:
        parts += [float(group), point.real, point.imag, mass]
    for rule in rules.rules:
        parts += [rule.distance, *(float(v.size) for v in rule.offsets)]
    for rule in rules.rules:
        elements = rule.elements or tuple(np.zeros_like(w) for w in rule.weights)
        for v, w, y in zip(rule.offsets, rule.weights, elements, strict=True):
            parts += np.concatenate([v.real, v.imag, w.real, w.imag, y.real, y.imag]).tolist()
    return tuple(float(part) for part in parts)


def _noise(rules: RuleSet) -> float:
    """How far G may be off, in parts of |G|.

    Against closed forms in tails, where Im G shows it: 2 ulps at most (erf, tanh, sigmoid, SiLU, softplus, ELU, SELU),
    a fifteenth of the sum of the rules' differences.
    """
    return max(_NOISE, 0.1 * rules.error)


def _mean(rules: RuleSet, group: int) -> float:
    last = rules.rules[-1]
    v, w = last.offsets[group], last.weights[group]
    return float(((rules.singular[group] + v) * w).sum().real)


def _spans(law: Pushforward) -> list[tuple[float, float, float]]:
    """Low, high and mass of the intervals that hold all of the density but what is negligible in the tails."""
    pieces = sorted((*law.span(piece), law.mass(piece.start, piece.stop)) for piece in law.pieces)
    merged = [pieces[0]]
    for low, high, mass in pieces[1:]:
        last_low, last_high, last_mass = merged[-1]
        if low <= last_high:
            merged[-1] = (last_low, max(last_high, high), last_mass + mass)
        else:
            merged.append((low, high, mass))
    total = sum(mass for *_, mass in merged) or 1.0
    whole = 1.0 - sum(weight for _, weight in law.atoms)
    return [(low, high, mass * whole / total) for low, high, mass in merged]
