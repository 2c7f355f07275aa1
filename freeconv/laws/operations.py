"""The inner nodes of a law's tree, and walks over trees of any depth without recursion.

`freeconv.algebra` makes the nodes and keeps them in canonical form; nothing is simplified or checked here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from freeconv.laws.base import Law

__all__ = ["Affine", "Boxplus", "Boxtimes", "Operation", "Resize", "fold"]

T = TypeVar("T")

_LONGEST_REPRESENTATION = 100_000  # pieces


class Operation(Law):
    """A law made from others: `children`, and numbers, its `constants`.

    The hash is computed once, from the hashes of the children; comparison, representation and pickling are loops, so
    that a tangent kernel of a thousand layers, a tree of that depth, does not meet the interpreter's recursion limit.
    """

    _hash: int
    _known: dict[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((type(self).__name__, self.constants, self.children)))
        object.__setattr__(self, "_known", {})

    @property
    @abstractmethod
    def constants(self) -> tuple[float, ...]:
        """The numbers of this node."""

    @classmethod
    @abstractmethod
    def assemble(cls, children: Sequence[Law], constants: Sequence[float]) -> Operation:
        """Make the node with these `children` and `constants`."""

    @abstractmethod
    def _pieces(self) -> list[str | Law]:
        """What the representation consists of, in order."""

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Operation):
            return NotImplemented
        pairs: list[tuple[Law, Law]] = [(self, other)]
        seen: set[tuple[int, int]] = set()
        while pairs:
            a, b = pairs.pop()
            if a is b or (id(a), id(b)) in seen:
                continue
            if not (isinstance(a, Operation) and isinstance(b, Operation)):
                if a != b:
                    return False
                continue
            if a._hash != b._hash or type(a) is not type(b) or a.constants != b.constants:
                return False
            seen.add((id(a), id(b)))
            pairs.extend(zip(a.children, b.children, strict=True))
        return True

    def __repr__(self) -> str:
        text: list[str] = []
        stack: list[str | Law] = [self]
        while stack and len(text) < _LONGEST_REPRESENTATION:  # shared subtrees may occur exponentially often
            piece = stack.pop()
            if isinstance(piece, Operation):
                stack.extend(reversed(piece._pieces()))
            else:
                text.append(piece if isinstance(piece, str) else repr(piece))
        return "".join([*text, "..."] if stack else text)

    def __reduce__(self) -> tuple[Callable[..., Law], tuple[Any, ...]]:
        """Leaves, and (type, positions of the children, constants) of inner nodes, children first; shared ones once."""
        position: dict[int, int] = {}
        flat: list[Law | tuple[type[Operation], tuple[int, ...], tuple[float, ...]]] = []
        stack: list[Law] = [self]
        while stack:
            law = stack[-1]
            missing = [child for child in law.children if id(child) not in position]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if id(law) in position:
                continue
            position[id(law)] = len(flat)
            if isinstance(law, Operation):
                flat.append((type(law), tuple(position[id(child)] for child in law.children), law.constants))
            else:
                flat.append(law)
        return _unflatten, (tuple(flat),)


@dataclass(frozen=True, eq=False, repr=False)
class _Convolution(Operation):
    """Several laws with real multiplicities."""

    factors: tuple[tuple[Law, float], ...]

    @property
    def children(self) -> tuple[Law, ...]:
        """The laws of the factors."""
        return tuple(law for law, _ in self.factors)

    @property
    def constants(self) -> tuple[float, ...]:
        """The multiplicities of the factors."""
        return tuple(multiplicity for _, multiplicity in self.factors)

    @classmethod
    def assemble(cls, children: Sequence[Law], constants: Sequence[float]) -> Operation:
        """Make the convolution of `children` with multiplicities `constants`."""
        return cls(tuple(zip(children, constants, strict=True)))

    def _pieces(self) -> list[str | Law]:
        name = type(self).__name__.lower()
        pieces: list[str | Law] = []
        for law, multiplicity in self.factors:
            power: list[str | Law] = [law] if multiplicity == 1.0 else [f"{name}_power(", law, f", {multiplicity!r})"]
            pieces += [", ", *power] if pieces else power
        return pieces if len(self.factors) == 1 else [f"{name}(", *pieces, ")"]


@dataclass(frozen=True, eq=False, repr=False)
class Boxplus(_Convolution):
    """The free additive convolution of its factors; `freeconv.boxplus` makes it."""


@dataclass(frozen=True, eq=False, repr=False)
class Boxtimes(_Convolution):
    """The free multiplicative convolution of its factors; `freeconv.boxtimes` makes it."""


@dataclass(frozen=True, eq=False, repr=False)
class Affine(Operation):
    """The law of scale·X + shift, X of law `law`; arithmetic with numbers makes it."""

    law: Law
    scale: float
    shift: float

    @property
    def children(self) -> tuple[Law, ...]:
        """The one law."""
        return (self.law,)

    @property
    def constants(self) -> tuple[float, ...]:
        """Scale and shift."""
        return (self.scale, self.shift)

    @classmethod
    def assemble(cls, children: Sequence[Law], constants: Sequence[float]) -> Operation:
        """Make the node of one child, a scale and a shift."""
        return cls(children[0], constants[0], constants[1])

    def _pieces(self) -> list[str | Law]:
        scaled: list[str | Law] = [self.law] if self.scale == 1.0 else [f"{self.scale!r} * ", self.law]
        return [*scaled, f" + {self.shift!r}"] if self.shift != 0.0 else scaled


@dataclass(frozen=True, eq=False, repr=False)
class Resize(Operation):
    """The law of AᵀA of size ratio·n from that of A Aᵀ of size n; `freeconv.resize` makes it."""

    law: Law
    ratio: float

    @property
    def children(self) -> tuple[Law, ...]:
        """The one law."""
        return (self.law,)

    @property
    def constants(self) -> tuple[float, ...]:
        """The ratio."""
        return (self.ratio,)

    @classmethod
    def assemble(cls, children: Sequence[Law], constants: Sequence[float]) -> Operation:
        """Make the node of one child and a ratio."""
        return cls(children[0], constants[0])

    def _pieces(self) -> list[str | Law]:
        return ["resize(", self.law, f", {self.ratio!r})"]


def fold(law: Law, name: str, rule: Callable[[Law, Sequence[T]], T]) -> T:
    """Return what `rule` makes of a law and of the values of its children, bottom up.

    Parameters
    ----------
    law : Law
    name : str
        Under which an inner node remembers its value; one name belongs to one rule.
    rule : callable
        From a law and the values of its children to its own value.

    Returns
    -------
    T
        The value at `law`.

    Notes
    -----
    A loop, whatever the depth; a subtree that was met before, here or in an earlier call, costs nothing.

    Examples
    --------
    >>> import freeconv as fc
    >>> from freeconv.laws.operations import fold
    >>> fold(2.0 * (fc.MarchenkoPastur() + 1.0), "depth", lambda law, children: 1 + max(children, default=0))
    2
    """
    leaves: dict[int, T] = {}

    def values_at(node: Law) -> dict[Any, Any]:
        return node._known if isinstance(node, Operation) else leaves

    def key(node: Law) -> Any:
        return name if isinstance(node, Operation) else id(node)

    stack = [law]
    while stack:
        node = stack[-1]
        if key(node) in values_at(node):
            stack.pop()
            continue
        children = node.children
        missing = [child for child in children if key(child) not in values_at(child)]
        if missing:
            stack.extend(missing)
            continue
        values_at(node)[key(node)] = rule(node, [values_at(child)[key(child)] for child in children])
        stack.pop()
    return cast("T", values_at(law)[key(law)])


def _unflatten(flat: Sequence[Law | tuple[type[Operation], tuple[int, ...], tuple[float, ...]]]) -> Law:
    """Undo `Operation.__reduce__`."""
    laws: list[Law] = []
    for entry in flat:
        if isinstance(entry, Law):
            laws.append(entry)
        else:
            kind, positions, constants = entry
            laws.append(kind.assemble([laws[i] for i in positions], constants))
    return laws[-1]
