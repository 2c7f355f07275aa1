"""The second opinions on slopes, isometry limits and rectangular networks are right, and see what is wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

import freeconv as fc
from tests.oracles import slope_cauchy
from tests.oracles.load import TABLES
from tests.stress import checks, expand, isometry, judge, oracle, slopes, trees
from tests.stress.case import Case
from tests.stress.leaves import CURVED, ROUGH_SLOPES, SLOPES, Orchard

TABLE = json.loads((TABLES / "slope_cauchy.json").read_text(encoding="utf-8"))["entries"]
WIDE: dict[str, Any] = {
    "widths": [3.0, 2.0, 5.0, 4.0],
    "activation": "hard_tanh",
    "weights": "gaussian",
    "weight_variance": 1.5,
    "bias_variance": 0.05,
    "input_variance": 1.0,
    "law": "jacobian",
    "side": "output",
}


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: f"{entry['activation']} {entry['variance']}")
def test_transforms_of_slopes_against_28_digits(entry: dict[str, Any]) -> None:
    z = np.array([complex(*point) for point in entry["z"]])
    true = np.array([complex(*value) for value in entry["g"]])
    law = slopes.measure(entry["activation"], entry["variance"])
    found = (law.weights / (z[:, None] - law.nodes)).sum(axis=1)
    places = np.array([float(place) for place in slope_cauchy.singular_values(entry["activation"])])
    away = np.min(np.abs(z[:, None] - places), axis=1)
    # Nodes and z are doubles: beside a singular value a rounding of either is felt.
    assert (np.abs(found / true - 1.0) <= 1e-13 + 1e-15 / away).all()
    k = slopes.k_of(entry["activation"], entry["variance"], z[:3])
    np.testing.assert_allclose(1.0 / (z[:3] - k), true[:3], rtol=1e-9)  # far away z − K cancels


@pytest.mark.parametrize(("name", "variance"), [("cos", 0.5703125), ("selu", 2.0), ("gelu", 30.0)])
def test_transforms_of_slopes_against_quadrature_on_the_real_axis(name: str, variance: float) -> None:
    z = 0.3 + 0.1j
    place, weight = slopes.flat(name)

    def term(h: float) -> complex:
        value = slopes.squared(name, np.array([h]))[0]
        return complex(np.exp(-0.5 * h * h / variance) / np.sqrt(2.0 * np.pi * variance) / (z - value))

    reach = 9.5 * np.sqrt(variance)
    top = 0.0 if weight else reach
    total, _ = quad(term, -reach, top, complex_func=True, limit=400, epsabs=1e-12, epsrel=1e-12)
    expected = total + weight / (z - place)
    above, below = slopes.k_of(name, variance, np.array([z, z.conjugate()]))
    np.testing.assert_allclose(1.0 / (z - above), expected, rtol=1e-10)
    assert below == above.conjugate()


@pytest.mark.parametrize(("kind", "variance"), [("bernoulli", 0.5), ("smooth", 0.5), ("smooth", 4.0)])
def test_isometry_limits_solve_their_equation(kind: str, variance: float) -> None:
    z = np.array([0.3, 1.0 + 1e-3j, 2.5 + 1.0j, -1.0 + 0.01j, 1e3 + 1e3j])
    k = isometry.k_of(kind, variance, z)
    m = k / (z - k)  # m = K/F
    s_inverse = np.exp(variance * (m / (1.0 + m) if kind == "bernoulli" else m))
    np.testing.assert_allclose(k, s_inverse, rtol=1e-12)
    assert (m.imag <= 0.0).all()
    g = judge.cauchy({"isometry_limit": {"kind": kind, "variance": variance}}, complex(z[2]))
    assert g is not None
    assert abs(g * (z[2] - k[2]) - 1.0) < 1e-13


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"side": "input", "weights": "orthogonal"},
        {"law": "ntk"},
        {"law": "ntk", "weights": "orthogonal", "activation": "leaky_relu"},
        {"widths": [1.0, 1.0 + 1e-9, 1.0 - 1e-9], "activation": "relu"},
        {"widths": [1.0, 4.0], "activation": "tanh", "weights": "orthogonal"},
        {"widths": [2.0, 1.0, 3.0], "law": "ntk", "activation": ["tanh", "relu"]},
        {"widths": [1.0, 1.0, 1.0], "law": "ntk", "weights": "orthogonal", "activation": "linear"},
    ],
)
def test_networks_layer_by_layer(change: dict[str, Any]) -> None:
    """Cut at the narrowest place or layer by layer, the law is one."""
    data = {**WIDE, **change}
    law = trees.build({"Network": data})
    z = np.asarray(float(law.mean()) * np.array([0.4 + 0.2j, 1.0 + 0.5j, 2.0 + 0.1j]), dtype=np.complex128)
    g, _ = oracle.cauchy({"Network": data}, z, 4.0)
    np.testing.assert_allclose(law.cauchy(z), g, rtol=1e-9)


def test_samples_and_constant_slopes_are_atoms() -> None:
    expanded = expand.expanded({"boxtimes": [{"law": {"Empirical": {"samples": [1.0, 0.0, 1.0, 1.0]}}, "power": 2.0}]})
    assert expanded["boxtimes"][0]["law"] == {"Discrete": {"locations": [0.0, 1.0], "weights": [0.25, 0.75]}}
    for name in slopes.PIECEWISE_LINEAR:
        spec = {"SlopeLaw": {"activation": name, "variance": 0.5}}
        z = np.array([0.3 + 0.2j])
        np.testing.assert_allclose(
            1.0 / (z - oracle.Pass([]).node(expand.expanded(spec), z, 1.0)), trees.build(spec).cauchy(z), rtol=1e-14
        )


def test_the_judge_solves_trees_of_slopes() -> None:
    spec = {
        "boxtimes": [
            {"law": {"SlopeLaw": {"activation": "tanh", "variance": 0.03}}, "power": 1.0},
            {"law": {"Bernoulli": {"p": 0.75, "value": 1.0}}, "power": 1.0},
        ]
    }
    z = 0.6 + 0.3j
    g, _ = oracle.cauchy(spec, np.array([z]))
    value = judge.cauchy(spec, z)
    assert value is not None
    assert abs(value / g[0] - 1.0) < 1e-11


def test_every_new_leaf_grows() -> None:
    grown = json.dumps([trees.draw(seed, Orchard)[0] for seed in range(60)])
    for kind in ("SlopeLaw", "Empirical", "isometry_limit", "Network", "bernoulli", "smooth", "jacobian", "ntk"):
        assert f'"{kind}"' in grown
    assert {name for name, _ in SLOPES} == {name for name, _ in ROUGH_SLOPES} == set(CURVED)
    assert set(CURVED) | set(slopes.PIECEWISE_LINEAR) == set(fc.activations.KNOWN)


def test_a_wrong_slope_law_is_found() -> None:
    spec: dict[str, Any] = {
        "boxtimes": [
            {"law": {"SlopeLaw": {"activation": "elu", "variance": 2.0}}, "power": 1.0},
            {"law": {"MarchenkoPastur": {"ratio": 0.5, "scale": 1.0}}, "power": 1.0},
        ]
    }
    right, wrong = Case(1, spec, trees.build(spec)), Case(1, spec, 1.000001 * trees.build(spec))
    for case in (right, wrong):
        checks.domain(case)
    assert not right.violations
    assert {violation.check for violation in wrong.violations} == {"above"}
