"""From the expression tree to a program: a list of nodes as plain data, all that the numerical core sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from freeconv.atoms import mass_off_zero
from freeconv.contours import core_parameters
from freeconv.hull import lowest
from freeconv.laws import (
    Affine,
    Arcsine,
    Boxplus,
    Boxtimes,
    CurvedSlopes,
    Discrete,
    FreePoisson,
    IsometryLimit,
    Law,
    MarchenkoPastur,
    MarchenkoPasturPower,
    PointMass,
    Resize,
    Semicircle,
    Uniform,
)
from freeconv.moments import mean
from freeconv.simplify import shortened

__all__ = ["KINDS", "Node", "Program", "ProgramArrays", "lower"]

# A kind's position is its number on the wire; csrc/include/freeconv/tree/program.hpp has the same list.
KINDS = (
    "discrete",
    "bernoulli",
    "marchenko_pastur",
    "semicircle",
    "arcsine",
    "uniform",
    "boxtimes",
    "boxplus",
    "affine",
    "resize",
    "contour",
    "isometry",
)

FAINT = 1e-3
"""A product whose m is below this part of that of the product around it keeps m itself: of η = m + p₀ the digits of m
would be lost, nine of them in the innermost layer of a tangent kernel of ten sigmoid layers."""


@dataclass(frozen=True)
class Node:
    """One line of a program.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    parameters : tuple of float
        discrete: all locations, then all weights; bernoulli: p, value; marchenko_pastur: α, β, γ, t of
        K = (α (β + γ m))^t; semicircle: mean, variance; arcsine, uniform: low, high; boxtimes: p₀ of its η,
        1 − μ{0} or 0; boxplus: none; affine: scale > 0, shift; resize: ratio; contour: see
        `freeconv.contours.core_parameters`.
    children : tuple of (int, float)
        Positions of earlier nodes, and their multiplicities.
    """

    kind: str
    parameters: tuple[float, ...]
    children: tuple[tuple[int, float], ...] = ()

    def __str__(self) -> str:
        if not self.children:
            return f"{self.kind}({self._parameter_text()})"
        bracket = f"[{self._parameter_text()}]" if self.parameters else ""
        operands = (f"%{i}" if t == 1.0 else f"%{i}^{t:.17g}" for i, t in self.children)
        return f"{self.kind}{bracket}({', '.join(operands)})"

    def _parameter_text(self) -> str:
        if self.kind == "contour":  # thousands of numbers
            singular, _, atoms, rules, mean = self.parameters[:5]
            return f"mean {mean:.17g}; {singular:.0f} singular values, {atoms:.0f} atoms, {rules:.0f} rules"
        texts = [f"{parameter:.17g}" for parameter in self.parameters]
        if self.kind != "discrete":
            return ", ".join(texts)
        half = len(texts) // 2
        return f"{', '.join(texts[:half])}; {', '.join(texts[half:])}"


class ProgramArrays(NamedTuple):
    """A program as arrays: row i of a ragged array is values[offsets[i]:offsets[i + 1]]."""

    kinds: NDArray[np.int32]
    parameter_offsets: NDArray[np.int64]
    parameters: NDArray[np.float64]
    child_offsets: NDArray[np.int64]
    children: NDArray[np.int64]
    multiplicities: NDArray[np.float64]


@dataclass(frozen=True)
class Program:
    """Nodes in topological order: children before parents, the root last, every node but the root with one parent.

    Parameters
    ----------
    nodes : tuple of Node

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.lowering import lower
    >>> print(lower(fc.boxtimes(fc.Bernoulli(0.5), fc.MarchenkoPastur(), fc.MarchenkoPastur()) + 1.0))
    %0 = bernoulli(0.5, 1)
    %1 = marchenko_pastur(1, 1, 1, 1)
    %2 = boxtimes[0.5](%0, %1^2)
    %3 = affine[1, 1](%2)
    """

    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return "\n".join(f"%{i} = {node}" for i, node in enumerate(self.nodes))

    def arrays(self) -> ProgramArrays:
        """Return the program as arrays.

        Returns
        -------
        ProgramArrays

        Examples
        --------
        >>> import freeconv as fc
        >>> from freeconv.lowering import lower
        >>> lower(fc.Semicircle() + 1.0).arrays().parameters
        array([1., 1.])
        """
        edges = [edge for node in self.nodes for edge in node.children]
        return ProgramArrays(
            np.array([KINDS.index(node.kind) for node in self.nodes], dtype=np.int32),
            _offsets([len(node.parameters) for node in self.nodes]),
            np.array([parameter for node in self.nodes for parameter in node.parameters], dtype=np.float64),
            _offsets([len(node.children) for node in self.nodes]),
            np.array([index for index, _ in edges], dtype=np.int64),
            np.array([multiplicity for _, multiplicity in edges], dtype=np.float64),
        )


def lower(law: Law) -> Program:
    """Return the program of a law.

    Parameters
    ----------
    law : Law

    Returns
    -------
    Program

    Raises
    ------
    TypeError
        If `law` is not a law.
    ValueError
        If the law is a reflected free product: the core knows positive scales only.

    Notes
    -----
    A subtree that occurs twice is written twice, since its points differ.  A Marchenko–Pastur, free Poisson or discrete
    law that nothing but shifts, scales and size changes surround becomes the one factor of a product if it is on
    [0, ∞), else the one term of a sum.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.lowering import lower
    >>> print(lower(fc.MarchenkoPastur(ratio=2.0)))
    %0 = marchenko_pastur(1, 1, 2, 1)
    %1 = boxtimes[0.5](%0)
    """
    if not isinstance(law, Law):
        raise TypeError(f"lower needs a law, got {law!r}")
    if isinstance(law, Affine) and law.scale < 0.0:
        raise ValueError(f"a reflected free product has no program, only its reflection has, got {shortened(law)}")
    nodes: list[Node] = []
    done: list[int] = []  # positions of finished subtrees that wait for their parent
    stack: list[_Visit] = [_Visit(law, "root", 1.0, False)]
    while stack:
        visit = stack.pop()
        node, place = visit.law, visit.place
        children = node.children
        if children and not visit.expanded:
            stack.append(visit._replace(expanded=True))
            convolution = isinstance(node, (Boxtimes, Boxplus))
            below = "product" if isinstance(node, Boxtimes) else "other" if convolution or place != "root" else "root"
            strength = visit.strength * _share(node) if place == "product" else visit.strength
            stack.extend(_Visit(child, below, strength, False) for child in reversed(children))
            continue
        count = len(children)
        operands = done[len(done) - count :]
        del done[len(done) - count :]
        if children:
            kind, parameters = _operation(node, visit.strength)
            multiplicities = node.constants if isinstance(node, (Boxtimes, Boxplus)) else (1.0,)
            nodes.append(Node(kind, parameters, tuple(zip(operands, multiplicities, strict=True))))
        else:
            nodes.extend(_leaf(node, place, len(nodes)))
        done.append(len(nodes) - 1)
    return Program(tuple(nodes))


class _Visit(NamedTuple):
    """A law to be written, and its place: "product" directly below a ⊠, "root" below affine maps and resizes only, else
    "other"; strength is about |m| relative to that of the outermost product; expanded once its children are on the
    stack above it.
    """

    law: Law
    place: str
    strength: float
    expanded: bool


def _share(law: Law) -> float:
    """The m of Y over that of q + sY, where q > 0 is what makes it smaller: m − qG, with G = m/mean far from the law.

    m of Y is not near −p₀ then: where m of q + sY is −1, at 0, it is −E sY/(q + sY).
    """
    if not (isinstance(law, Affine) and law.scale > 0.0 and law.shift > 0.0):
        return 1.0
    center = mean(law)
    return min((center - law.shift) / center, 1.0) if law.shift < center < math.inf else 1.0


def _operation(law: Law, strength: float) -> tuple[str, tuple[float, ...]]:
    match law:
        case Boxtimes():
            return "boxtimes", (mass_off_zero(law) if strength >= FAINT else 0.0,)
        case Boxplus():
            return "boxplus", ()
        case Affine():
            return "affine", (law.scale, law.shift)
        case Resize():
            return "resize", (law.ratio,)
    raise TypeError(f"unknown operation {type(law).__name__}")


def _leaf(law: Law, place: str, position: int) -> list[Node]:
    """One node, or two where the leaf needs an operation around it."""
    write: Callable[[Law], Node] = _bernoulli_or_other if place == "product" else _plain_leaf
    if place != "root" or isinstance(law, (Semicircle, Arcsine, Uniform)):
        return [write(law)]
    if lowest(law) >= 0.0 and law != PointMass(0.0):
        return [_bernoulli_or_other(law), Node("boxtimes", (mass_off_zero(law),), ((position, 1.0),))]
    return [_plain_leaf(law), Node("boxplus", (), ((position, 1.0),))]


def _bernoulli_or_other(law: Law) -> Node:
    if isinstance(law, Discrete) and len(law.locations) == 2 and 0.0 in law.locations:
        nonzero = 1 - law.locations.index(0.0)
        if law.weights[nonzero] < 1.0:  # else the other weight is known, but not as 1 − p
            return Node("bernoulli", (law.weights[nonzero], law.locations[nonzero]))
    return _plain_leaf(law)


def _plain_leaf(law: Law) -> Node:
    match law:
        case PointMass():
            return Node("discrete", (law.location, 1.0))
        case Discrete():
            return Node("discrete", law.locations + law.weights)
        case MarchenkoPastur():
            return Node("marchenko_pastur", (law.scale, 1.0, law.ratio, 1.0))
        case FreePoisson():
            return Node("marchenko_pastur", (law.jump, law.rate, 1.0, 1.0))
        case MarchenkoPasturPower():
            return Node("marchenko_pastur", (law.scale, 1.0, law.ratio, law.power))
        case IsometryLimit():
            return Node("isometry", (float(law.kind == "smooth"), law.dispersion))
        case Semicircle():
            return Node("semicircle", (law.center, law.dispersion))
        case Arcsine():
            return Node("arcsine", (law.low, law.high))
        case CurvedSlopes():
            return Node("contour", core_parameters(law.activation, law.dispersion))
        case Uniform():
            return Node("uniform", (law.low, law.high))
    raise TypeError(f"unknown law {type(law).__name__}")


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.array(lengths, dtype=np.int64))])
