"""What the tracer hands out: values as the expressions that made them, and the events of a run through the code."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.evidence.model import Piece


@dataclass(frozen=True, eq=False)
class Value:
    """A symbolic value; two are the same only if one expression made both (compared by identity).

    ``op``: ``call`` (``path`` is the callee's dotted name, ``.name`` for a method of ``base``, ``()`` where
    ``base`` itself is called), ``constant``, ``name`` (a global that is not ours), ``attribute`` and ``item``
    (of ``base``), ``element`` (of a loop over ``base``), ``sequence``, ``operation``, ``function``, ``class``,
    ``either`` (it depends on a branch), ``unknown``.
    """

    op: str
    path: str = ""
    base: Value | None = None
    args: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)
    constant: Any = None
    node: ast.AST | None = None
    piece: Piece | None = None
    line: int = 0
    maker: Value | None = None
    """Of an instance: the class of the notebook's own that made it."""

    @property
    def last(self) -> str:
        """The last part of its path: ``Linear`` of ``torch.nn.Linear``."""
        return self.path.rpartition(".")[2]

    @property
    def called(self) -> bool:
        return self.op == "call"

    def is_call(self, *names: str) -> bool:
        """A call whose last name is one of these."""
        return self.called and self.last in names

    def given(self, position: int | None, name: str) -> Value | None:
        """An argument by position or keyword."""
        if name in self.named:
            return self.named[name]
        return self.args[position] if position is not None and position < len(self.args) else None

    @property
    def parts(self) -> tuple[Value, ...]:
        """What it was made of."""
        return (*((self.base,) if self.base else ()), *self.args, *self.named.values())


UNKNOWN = Value("unknown")


def made_of(value: Value) -> list[Value]:
    """A value and all that it was made of, each once, itself first."""
    found: list[Value] = []
    todo, seen = [value], set()
    while todo:
        v = todo.pop()
        if id(v) not in seen:
            seen.add(id(v))
            found.append(v)
            todo += reversed(v.parts)
    return found


@dataclass(frozen=True, eq=False)
class Loop:
    """One entry into a ``for``, ``while`` or comprehension; ``over`` is what it iterates."""

    node: ast.AST
    over: Value | None


@dataclass(frozen=True, eq=False)
class Event:
    """A call, or an attribute that is set, in the order of the run."""

    value: Value
    """The call's value, or the value that is set."""
    piece: Piece
    line: int
    at: int
    """The piece whose top-level statement led here: a function's body runs where it is called."""
    loops: tuple[Loop, ...] = ()
    contexts: tuple[str, ...] = ()
    """Paths of the ``with`` blocks and decorators around it."""
    branches: int = 0
    """How many conditions it stands under."""
    target: Value | None = None
    attribute: str = ""
    """For an attribute that is set: of what, and which."""

    @property
    def sets(self) -> bool:
        return self.target is not None


@dataclass(frozen=True)
class Trace:
    """All events up to the end of an answer, in order; ``whole`` is False where tracing was given up."""

    events: tuple[Event, ...]
    attributes: Mapping[tuple[int, str], Value]
    values: tuple[Value, ...]
    """Keeps alive what ``attributes`` knows by identity."""
    whole: bool

    def attribute(self, of: Value, name: str) -> Value | None:
        """What ``of.name`` was last set to."""
        return self.attributes.get((id(of), name))

    def calls(self, *names: str) -> list[Event]:
        """Calls by the last part of their path; ``.fit`` and ``fit`` are told apart by `Value.base`."""
        return [e for e in self.events if not e.sets and e.value.is_call(*names)]
