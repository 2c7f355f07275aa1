"""Newton's method in brackets, on functions that lead it astray."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from freeconv.contours.bracketed import solve

LEVELS = np.array([1e-12, 1e-3, 0.2, 0.5, 0.9, 1.0 - 1e-12])


@pytest.mark.parametrize(
    ("function", "slope", "inverse"),
    [
        (np.cbrt, lambda x: np.abs(x) ** (-2.0 / 3.0) / 3.0, lambda y: y**3),  # Newton alone doubles the distance
        (lambda x: 1.0 - np.sqrt(1.0 - x), lambda x: 0.5 / np.sqrt(1.0 - x), lambda y: 1.0 - (1.0 - y) ** 2),
        (lambda x: x**9, lambda x: 9.0 * x**8, lambda y: y ** (1.0 / 9.0)),
        (lambda x: np.where(x < 0.5, 0.0, 2.0 * x - 1.0), lambda x: 2.0 * (x >= 0.5), lambda y: 0.5 * (1.0 + y)),
        (lambda x: np.tanh(50.0 * x), lambda x: 50.0 / np.cosh(50.0 * x) ** 2, lambda y: np.arctanh(y) / 50.0),
    ],
    ids=["cube root", "square root at the end", "flat", "step", "saturated"],
)
@pytest.mark.parametrize("start", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_roots(function: Any, slope: Any, inverse: Any, start: float, sign: float) -> None:
    calls = 0

    def gap(x: Any, index: Any) -> Any:
        nonlocal calls
        calls += 1
        return sign * (function(x) - LEVELS[index]), sign * slope(x)

    zero = np.zeros(LEVELS.shape)
    found = solve(gap, zero, zero + 1.0, zero + start, rises=sign > 0.0, noise=zero)
    np.testing.assert_allclose(found, inverse(LEVELS), rtol=2e-4)
    above, below = np.nextafter(found, 2.0), np.nextafter(found, -1.0)
    inner = above < 1.0
    assert np.all(function(above[inner]) >= LEVELS[inner] * (1.0 - 1e-15))
    assert np.all(function(below) <= LEVELS * (1.0 + 1e-15))
    assert calls < 120


def test_noise_ends_the_search() -> None:
    calls = 0

    def gap(x: Any, index: Any) -> Any:
        nonlocal calls
        calls += 1
        return np.round((x - 0.3) * 1e10) / 1e10, np.ones(x.shape)

    one = np.ones(1)
    assert solve(gap, 0.0 * one, one, 0.9 * one, rises=True, noise=1e-10 * one)[0] == pytest.approx(0.3, abs=2e-10)
    assert calls < 5
