"""The last word where the package and the NumPy fixed point disagree: the tree solved at 30 digits, with a proof."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.oracles import tree
from tests.oracles.common import Number, mp, mpc, mpf
from tests.oracles.specs import Law as Spec
from tests.stress import isometry, slopes
from tests.stress.expand import expanded

DIGITS = 30


def _given(spec: Spec) -> Spec:
    """The specification with the leaves that `tests.oracles.tree` does not know as functions."""
    (kind, data), *_ = spec.items()
    if kind in ("boxtimes", "boxplus"):
        return {kind: [{**factor, "law": _given(factor["law"])} for factor in data]}
    if kind in ("affine", "compress", "resize"):
        return {kind: {**data, "law": _given(data["law"])}}
    if kind == "SlopeLaw":
        name, variance = data["activation"], data["variance"]
        return _leaf(lambda z: slopes.cauchy_hp(name, variance, z), lambda: slopes.mean_hp(name, variance))
    if kind == "isometry_limit":
        return _leaf(lambda z: isometry.cauchy_hp(data["kind"], data["variance"], z), lambda: mpf(1))
    return spec


def _leaf(function: Callable[[Number], Number], mean: Callable[[], Number]) -> Spec:
    return {"Given": {"cauchy": function, "mean": mean}}


def cauchy(spec: Spec, z: complex) -> complex | None:
    """G at a point of the closed upper half-plane; None where no certified root was found."""
    return _cauchy(_given(expanded(spec)), z)


def _cauchy(spec: Spec, z: complex) -> complex | None:
    kind, data = next(iter(spec.items()))
    if kind in ("MLP", "layers"):
        return None
    if kind == "affine" and data["scale"] < 0.0:  # G of -X at z is -conj G of X at -conj z
        mirrored = {"affine": {**data, "scale": -data["scale"], "shift": 0.0 - data["shift"]}}
        value = _cauchy(mirrored, complex(-z.real, z.imag))
        return None if value is None else -value.conjugate()
    try:
        with mp.workdps(DIGITS + 20):
            stripped, target, _ = tree.strip(spec, mpc(z))
            is_leaf = next(iter(stripped)) not in ("boxtimes", "boxplus")
            points = [target] if is_leaf else tree.solve(spec, mpc(z), DIGITS)
            value = complex(tree.Climb(iter(points)).node(spec)[1])
            # At a real z a reflection inside the tree may have handed over the value from below.
            return value if z.imag > 0.0 else complex(value.real, -abs(value.imag))
    except (ArithmeticError, ValueError):  # the path was lost, or log 0 was met on it
        return None


def decided(
    spec: Spec, z: NDArray[np.complex128], doubtful: NDArray[np.bool_], second: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
    """Replace the doubtful values of a second opinion by the judge's; tell at which points there is an answer."""
    settled = second.copy()
    known = np.ones(z.shape, dtype=np.bool_)
    for i in np.flatnonzero(doubtful):
        value = cauchy(spec, complex(z[i]))
        known[i] = value is not None
        settled[i] = second[i] if value is None else value
    return settled, known
