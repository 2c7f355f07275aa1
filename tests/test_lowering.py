"""Programs: what the core is told."""

from __future__ import annotations

import time

import numpy as np
import pytest

from freeconv.algebra import boxplus, boxtimes, boxtimes_power, resize
from freeconv.laws import (
    Arcsine,
    Bernoulli,
    Discrete,
    FreePoisson,
    Law,
    MarchenkoPastur,
    PointMass,
    Semicircle,
    Uniform,
)
from freeconv.lowering import KINDS, lower


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (PointMass(2.0), "%0 = discrete(2; 1)\n%1 = boxtimes[1](%0)"),
        (PointMass(0.0), "%0 = discrete(0; 1)\n%1 = boxplus(%0)"),
        (Bernoulli(0.1, 3.0), "%0 = bernoulli(0.10000000000000001, 3)\n%1 = boxtimes[0.10000000000000001](%0)"),
        (Discrete([-1.0, 1.0], [0.5, 0.5]), "%0 = discrete(-1, 1; 0.5, 0.5)\n%1 = boxplus(%0)"),
        (Discrete([0.0, -1.0], [0.5, 0.5]), "%0 = discrete(-1, 0; 0.5, 0.5)\n%1 = boxplus(%0)"),
        (MarchenkoPastur(2.0, 3.0), "%0 = marchenko_pastur(3, 1, 2, 1)\n%1 = boxtimes[0.5](%0)"),
        (FreePoisson(0.25, 3.0), "%0 = marchenko_pastur(3, 0.25, 1, 1)\n%1 = boxtimes[0.25](%0)"),
        (FreePoisson(0.25, -3.0), "%0 = marchenko_pastur(-3, 0.25, 1, 1)\n%1 = boxplus(%0)"),
        (boxtimes_power(MarchenkoPastur(0.5), 0.5), "%0 = marchenko_pastur(1, 1, 0.5, 0.5)\n%1 = boxtimes[1](%0)"),
        (MarchenkoPastur() + 1.0, "%0 = marchenko_pastur(1, 1, 1, 1)\n%1 = boxtimes[1](%0)\n%2 = affine[1, 1](%1)"),
        (Semicircle(1.0, 2.0), "%0 = semicircle(1, 2)"),
        (Arcsine(0.0, 2.0), "%0 = arcsine(0, 2)"),
        (Uniform(0.0, 2.0), "%0 = uniform(0, 2)"),
        (
            boxplus(Bernoulli(0.5), Bernoulli(0.5), Uniform(0.0, 1.0)),
            "%0 = discrete(0, 1; 0.5, 0.5)\n%1 = uniform(0, 1)\n%2 = boxplus(%0^2, %1)",
        ),
        (
            2.0 * boxtimes_power(boxtimes(Bernoulli(0.5), MarchenkoPastur(2.0)), 3.0) + 1.0,
            "%0 = bernoulli(0.5, 1)\n%1 = marchenko_pastur(1, 1, 2, 1)\n%2 = boxtimes[0.5](%0^3, %1^3)\n"
            "%3 = affine[2, 1](%2)",
        ),
        (boxtimes_power(Bernoulli(0.5), 1.5), "%0 = bernoulli(0.5, 1)\n%1 = boxtimes[0.5](%0^1.5)"),
        (
            resize(boxtimes(Bernoulli(0.5), MarchenkoPastur()), 0.5),
            "%0 = bernoulli(0.5, 1)\n%1 = marchenko_pastur(1, 1, 1, 1)\n%2 = boxtimes[0.5](%0, %1)\n"
            "%3 = resize[0.5](%2)",
        ),
        (
            boxtimes(Bernoulli(0.5), resize(MarchenkoPastur(), 2.0)),
            "%0 = bernoulli(0.5, 1)\n%1 = marchenko_pastur(1, 1, 1, 1)\n%2 = resize[2](%1)\n%3 = boxtimes[0.5](%0, %2)",
        ),
    ],
)
def test_programs(law: Law, text: str) -> None:
    assert str(lower(law)) == text


def test_kernel_of_a_network() -> None:
    law: Law = PointMass(1.0)
    for _ in range(2):
        law = boxtimes(Bernoulli(0.5), MarchenkoPastur(1.0, 2.0), law) + 1.0
    assert str(lower(law)).splitlines() == [
        "%0 = bernoulli(0.5, 1)",
        "%1 = marchenko_pastur(2, 1, 1, 1)",
        "%2 = bernoulli(0.5, 1)",
        "%3 = marchenko_pastur(2, 1, 1, 1)",
        "%4 = boxtimes[0.5](%2, %3)",
        "%5 = affine[1, 1](%4)",
        "%6 = boxtimes[0.5](%0, %1, %5)",
        "%7 = affine[1, 1](%6)",
    ]


def test_arrays_hold_the_same() -> None:
    law = 2.0 * boxtimes(Discrete([1.0, 2.0, 3.0], [0.25, 0.5, 0.25]), MarchenkoPastur(), MarchenkoPastur()) + 1.0
    program = lower(law)
    arrays = program.arrays()
    assert [array.dtype for array in arrays] == [np.int32, np.int64, np.float64, np.int64, np.int64, np.float64]
    assert arrays.parameter_offsets[-1] == len(arrays.parameters)
    for i, node in enumerate(program.nodes):
        assert KINDS[arrays.kinds[i]] == node.kind
        a, b = arrays.parameter_offsets[i : i + 2]
        assert tuple(arrays.parameters[a:b]) == node.parameters
        a, b = arrays.child_offsets[i : i + 2]
        edges = zip(arrays.children[a:b].tolist(), arrays.multiplicities[a:b].tolist(), strict=True)
        assert tuple(edges) == node.children


def test_topological_order_one_parent_each_and_shared_subtrees_written_twice() -> None:
    inner = boxtimes(Bernoulli(0.5), MarchenkoPastur()) + 1.0
    program = lower(boxplus(inner, 2.0 * inner, boxtimes(inner, Uniform(1.0, 2.0))))
    used = [index for node in program.nodes for index, _ in node.children]
    assert sorted(used) == list(range(len(program.nodes) - 1))
    assert all(index < i for i, node in enumerate(program.nodes) for index, _ in node.children)
    assert sum(node.kind == "bernoulli" for node in program.nodes) == 3


def test_depth_and_width() -> None:
    law: Law = PointMass(1.0)
    wide = [MarchenkoPastur(1.0, 1.0 + i / 500) for i in range(500)]
    start = time.perf_counter()
    for _ in range(1000):
        law = boxtimes(Bernoulli(0.5), MarchenkoPastur(1.0, 2.0), law) + 1.0
    assert len(lower(law).arrays().kinds) == 4000
    assert len(lower(boxtimes(*wide)).nodes) == 501
    assert time.perf_counter() - start < 2.0


def test_refusals() -> None:
    with pytest.raises(TypeError, match="lower needs a law, got 1"):
        lower(1)  # type: ignore[arg-type]  # the error under test
    with pytest.raises(ValueError, match="reflected free product has no program"):
        lower(-boxtimes(Bernoulli(0.5), MarchenkoPastur()))
