"""Newton's method in brackets, for arrays of equations at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["solve"]

Real = NDArray[np.float64]

_MOST = 200
# A step below this that is no longer halved is noise.
_FLOOR = 1e-13
_ULPS = 4.0
_DOWN = 2.0**-20  # from a bracket's end towards one at 0


def solve(
    function: Callable[[Real, NDArray[np.intp]], tuple[Real, Real]],
    low: Real,
    high: Real,
    start: Real,
    *,
    rises: bool,
    noise: Real | None = None,
) -> Real:
    """Return the roots of monotone functions.

    Parameters
    ----------
    function : callable
        Takes points x and the numbers i of their equations to values and derivatives.
    low, high : array
        Brackets, low ≤ high.
    start : array
        Within the brackets.
    rises : bool
        Whether the functions rise with x.
    noise : array, optional
        What a value may be off: after one as small a last step is taken.  Without it steps below 1e-13 of x that no
        longer shrink are the last.

    Returns
    -------
    array
        To the rounding of x, or of the functions where that is larger; NaN where 200 steps do not get there.

    Notes
    -----
    Where Newton's step leaves the bracket, or two of them have not halved it, the bracket is halved.  Where it is an
    ulp, 4, 32, 256, … are taken until the root is passed, so that the bracket closes from its other end.
    """
    x, low, high = start.copy(), low.copy(), high.copy()
    left = np.arange(x.size)
    last = np.full(x.size, np.inf)
    floor = _FLOOR if noise is None else 0.0
    before = high - low
    reach = np.full(x.size, _ULPS)
    for _ in range(_MOST):
        if left.size == 0:
            break
        at = x[left]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            value, slope = function(at, left)
            step = np.where(np.isfinite(slope), value / slope, np.inf)  # none from a singular end
        up = (value < 0.0) == rises  # the root lies above
        low[left] = np.where(up & (value != 0.0), at, low[left])
        high[left] = np.where(~up & (value != 0.0), at, high[left])
        a, b = low[left], high[left]
        newton = at - step
        size = np.abs(step)
        outside = ~((newton > a) & (newton < b))
        stuck = (size >= 0.5 * last[left]) | outside
        done = (np.nextafter(a, b) >= b) | (stuck & (size < floor * np.abs(at)))
        # (A value that is no noise may have a slope that hides it.)
        done |= (newton == at) & ((value == 0.0) | (noise is None))
        done |= np.abs(value) <= (0.0 if noise is None else noise[left])
        # Steps of an ulp leave the far end of the bracket where it is: a few more, and more each time, bring it near.
        ulp = np.spacing(np.abs(at))
        resting = size <= _ULPS * ulp
        probe = np.where(up, at + reach[left] * ulp, at - reach[left] * ulp)
        near = resting & (probe > a) & (probe < b)
        reach[left] *= np.where(near, 8.0, 1.0)
        halve = outside | ((b - a > 0.5 * before[left]) & (size > 0.5 * last[left])) | (resting & ~near)
        last[left] = np.where(halve, np.inf, size)
        before[left] = b - a
        following = np.where(near, probe, np.where(halve, _middle(a, b), newton))
        x[left] = np.where(done, np.where(outside, at, newton), following)
        left = left[~done]
    x[left] = np.nan
    return x


def _middle(a: Real, b: Real) -> Real:
    """The middle of a bracket, of its logarithm where it spans decades."""
    wide = (a > 0.0) & (b > 4.0 * a)
    with np.errstate(invalid="ignore"):
        middle = np.where(wide, np.sqrt(a) * np.sqrt(b), 0.5 * (a + b))
    down = np.where((a == 0.0) & (b > 0.0), _DOWN * b, middle)
    return np.where((down > a) & (down < b), down, 0.5 * (a + b))  # among the least doubles
