"""Every quantity against the tables of `tests.oracles`: 50-digit solutions, closed forms and exact parametrisations."""

from __future__ import annotations

import numpy as np
import pytest

from freeconv import Status
from tests.oracles.load import Reference, build, load, names
from tests.tolerances import ATOM, CDF, EDGE, MOMENT, density_tolerance

ENTRIES = [entry for name in names() for entry in load(name)]


def with_(field: str) -> list[Reference]:
    return [entry for entry in ENTRIES if getattr(entry, field) is not None and getattr(entry, field).size]


def test_tables_are_there() -> None:
    assert len(names()) >= 13
    assert sum(entry.x.size for entry in ENTRIES) >= 1700


@pytest.mark.parametrize("entry", with_("x"), ids=str)
def test_density(entry: Reference) -> None:
    law = build(entry.spec)
    evaluation = law.evaluate(entry.x)
    positive = entry.density > 0.0
    assert np.all(evaluation.density[~positive] == 0.0)
    assert set(np.unique(evaluation.status[positive])) <= {Status.CERTIFIED, Status.RECOVERED}
    error = np.abs(evaluation.density[positive] / entry.density[positive] - 1.0)
    assert np.all(error <= density_tolerance(entry.x[positive], law.support()))


@pytest.mark.parametrize("entry", with_("cdf"), ids=str)
def test_cdf(entry: Reference) -> None:
    error = np.abs(build(entry.spec).cdf(entry.x) - entry.cdf)
    assert np.all(error <= CDF)


@pytest.mark.parametrize("entry", with_("support"), ids=str)
def test_support(entry: Reference) -> None:
    assert entry.support is not None
    found = build(entry.spec).support()
    assert found.shape == entry.support.shape
    np.testing.assert_allclose(found, entry.support, rtol=EDGE, atol=0.0)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.atoms is not None], ids=str)
def test_atoms(entry: Reference) -> None:
    assert entry.atoms is not None
    found = build(entry.spec).atoms()
    assert found.locations.size == len(entry.atoms)
    np.testing.assert_allclose(found.locations, entry.atoms[:, 0], rtol=ATOM, atol=0.0)
    np.testing.assert_allclose(found.weights, entry.atoms[:, 1], rtol=0.0, atol=ATOM)


@pytest.mark.parametrize("entry", with_("moments"), ids=str)
def test_moments(entry: Reference) -> None:
    law = build(entry.spec)
    found = [law.moment(k + 1) for k in range(entry.moments.size)]
    np.testing.assert_allclose(found, entry.moments, rtol=MOMENT, atol=MOMENT)
