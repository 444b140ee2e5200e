"""What is known at a point of an answer's code that is followed: names, calls entered, values and events so far."""

from __future__ import annotations

import ast
from typing import Any

from grader.checks.mistakes.values import Event, Loop, Value
from grader.evidence.model import Piece

MOST = 20_000
"""Values, after which the rest is not followed."""


class Stop(Exception):
    """So many values were made that the rest is not followed."""


class Scope:
    """Grows as code is followed; see `grader.checks.mistakes.trace`."""

    def __init__(self) -> None:
        self.globals: dict[str, Value] = {}
        self.frames: list[dict[str, Value]] = []
        self.returned: list[list[Value]] = []
        self.declared: list[set[str]] = []
        self.events: list[Event] = []
        self.attributes: dict[tuple[int, str], Value] = {}
        self.values: list[Value] = []
        self.memory: dict[tuple[int, str, str], Value] = {}
        self.loops: list[Loop] = []
        self.contexts: list[str] = []
        self.branches = 0
        self.active: list[ast.AST] = []
        self.piece: Piece
        self.at = 0

    # ------------------------------------------------------------ making values and events

    def make(self, op: str, node: ast.AST, path: str = "", **more: Any) -> Value:
        value = Value(op, path, node=node, piece=self.piece, line=getattr(node, "lineno", 0), **more)
        self.values.append(value)
        if len(self.values) > MOST:
            raise Stop
        return value

    def again(self, op: str, node: ast.AST, path: str, base: Value) -> Value:
        """An attribute or item of one object is one value, however often it is read."""
        key = (id(base), op, path)
        if key not in self.memory:
            self.memory[key] = self.make(op, node, path, base=base)
        return self.memory[key]

    def event(self, value: Value, target: Value | None = None, attribute: str = "") -> None:
        self.events.append(
            Event(
                value,
                self.piece,
                value.line,
                self.at,
                tuple(self.loops),
                tuple(self.contexts),
                self.branches,
                target,
                attribute,
            )
        )

    # ------------------------------------------------------------ names

    def look_up(self, name: str, node: ast.AST) -> Value:
        for names in (*self.frames[-1:], self.globals):
            if name in names:
                return names[name]
        return self.make("name", node, name)

    def names(self, name: str) -> dict[str, Value]:
        return self.frames[-1] if self.frames and name not in self.declared[-1] else self.globals

    def parameters(self) -> dict[str, Value]:
        """What this call gave the function it entered, as far as the function leaves it alone."""
        body = self.active[-1] if self.active else None
        if not isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return {}
        given = body.args
        names = {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        names -= {n.id for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return {n: v for n, v in self.frames[-1].items() if n in names}
