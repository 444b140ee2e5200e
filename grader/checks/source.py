"""The code of an answer as syntax: cells parsed, dead code dropped, names followed.

Nothing here is executed. A cell is parsed with IPython's magics masked; where it does not parse, the part
before the error is kept and the problem is told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from grader.checks.base import Case
from grader.evidence.model import Piece

PYTHON_CELL_MAGICS = {"time", "timeit", "capture", "writefile", "prun", "python", "python3", "py"}
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_MAGIC = re.compile(r"^(\s*)(?:[!?]|%{1,2}[A-Za-z]|(?:pip3?|conda) (?:install|uninstall)\b)")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w.,\s]+=\s*)[!%].*$")
_HELP = re.compile(r"^(\s*)[\w.]+\?{1,2}\s*$")


@dataclass(frozen=True)
class Parsed:
    """A cell's tree without its dead code; ``problem`` tells why it is not whole."""

    statements: tuple[ast.stmt, ...]
    problem: str = ""


def masked(source: str) -> str:
    """The source with magics, shell lines and help requests made harmless; lines keep their numbers."""
    lines = source.splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is not None and (magic := _CELL_MAGIC.match(lines[start])):
        if magic[1] not in PYTHON_CELL_MAGICS:
            return ""
        lines[start] = ""
    return "\n".join(lines)


def _without_magics(source: str) -> str:
    lines, more = [], False
    for line in source.splitlines():
        ends_open = line.rstrip().endswith("\\")
        if more:
            lines.append("")
            more = ends_open
        elif m := _MAGIC.match(line) or _HELP.match(line):
            lines.append(f"{m[1]}pass")
            more = ends_open
        else:
            lines.append(_ASSIGNED_MAGIC.sub(r"\1None", line))
    return "\n".join(lines)


@cache
def parse(source: str) -> Parsed:
    """Parse one cell; never raises."""
    text = masked(source)
    problem = ""
    for attempt in (text, _without_magics(text)):
        try:
            return Parsed(_live(ast.parse(attempt).body))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = f"line {getattr(error, 'lineno', '?')}: {getattr(error, 'msg', error)}"
            broken = getattr(error, "lineno", None)
    lines = _without_magics(text).splitlines()
    for end in range(min((broken or 1) - 1, len(lines)), 0, -1):
        try:
            return Parsed(_live(ast.parse("\n".join(lines[:end])).body), problem)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return Parsed((), problem)


# ---------------------------------------------------------------- dead code


def _constant_test(test: ast.expr) -> bool | None:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _constant_test(test.operand)
        return None if inner is None else not inner
    return None


def _live(body: Iterable[ast.stmt]) -> tuple[ast.stmt, ...]:
    kept: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If) and (test := _constant_test(node.test)) is not None:
            kept += _live(node.body if test else node.orelse)
            continue
        if isinstance(node, ast.While) and _constant_test(node.test) is False:
            kept += _live(node.orelse)
            continue
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                live = list(_live(inner))
                setattr(
                    node, field, live or ([ast.copy_location(ast.Pass(), node)] if field == "body" else [])
                )
        for handler in getattr(node, "handlers", []):
            handler.body = list(_live(handler.body)) or [ast.copy_location(ast.Pass(), handler)]
        kept.append(node)
        if isinstance(node, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            break
    return tuple(kept)


# ---------------------------------------------------------------- statements and their names

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Statement:
    """A top-level statement of one piece, with the names that it binds and reads."""

    node: ast.stmt
    piece: Piece
    binds: frozenset[str]
    reads: frozenset[str]
    changes: frozenset[str]
    """Names of objects that it alters in place: ``model.fc = …``, ``model.add(…)``, ``for p in model…``."""

    @property
    def defines(self) -> bool:
        """A function or class that runs only if something uses it."""
        return isinstance(self.node, _SCOPES) and not self.node.decorator_list


def _walk_outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_SCOPES, ast.Lambda)):
            yield child
        else:
            yield from _walk_outside_functions(child)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _binds(node: ast.stmt) -> frozenset[str]:
    names: set[str] = set()
    if isinstance(node, _SCOPES):
        return frozenset({node.name})
    for inner in _walk_outside_functions(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        elif isinstance(inner, _SCOPES):
            names.add(inner.name)
        elif isinstance(inner, (ast.Import, ast.ImportFrom)):
            names |= {a.asname or a.name.split(".")[0] for a in inner.names}
    return frozenset(names)


def _changes(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, _SCOPES):
        return frozenset()
    names: set[str] = set()
    stores = False
    for inner in _walk_outside_functions(node):
        if isinstance(inner, (ast.Attribute, ast.Subscript)) and isinstance(inner.ctx, ast.Store):
            stores = True
            if root := _root(inner):
                names.add(root)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr not in ("fit", "evaluate", "predict")
            and (root := _root(call.func))
        ):
            names.add(root)
    if isinstance(node, (ast.For, ast.AsyncFor)) and stores and (root := _root(node.iter)):
        names.add(root)
    return frozenset(names)


@cache
def _statements_of(piece: Piece) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            node,
            piece,
            _binds(node),
            frozenset(
                n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
            ),
            _changes(node),
        )
        for node in parse(piece.source).statements
    )


def statements(pieces: Iterable[Piece]) -> tuple[Statement, ...]:
    """Top-level statements of the code pieces among ``pieces``, in order."""
    return tuple(s for p in pieces if p.kind == "code" for s in _statements_of(p))


def weight(piece: Piece) -> int:
    """Number of statements of a code piece, inner ones included; 1 where it does not parse."""
    parsed = parse(piece.source)
    count = sum(isinstance(n, ast.stmt) for s in parsed.statements for n in ast.walk(s))
    return max(count, 1) if parsed.problem else count


def binding_piece(pieces: Iterable[Piece], name: str, before: int) -> Piece | None:
    """The latest code piece before ``before`` that binds ``name`` at top level."""
    found = None
    for s in statements(p for p in pieces if p.index < before):
        if name in s.binds:
            found = s.piece
    return found


# ---------------------------------------------------------------- what belongs to an answer


def reachable(everything: tuple[Statement, ...]) -> frozenset[int]:
    """Positions of the statements that take part: all but functions and classes that nothing uses."""
    live = {i for i, s in enumerate(everything) if not s.defines}
    names = {n for i in live for n in everything[i].reads}
    grew = True
    while grew:
        grew = False
        for i, s in enumerate(everything):
            if i not in live and s.binds & names:
                live.add(i)
                names |= s.reads
                grew = True
    return frozenset(live)


def code_of(case: Case) -> tuple[Statement, ...]:
    """The live statements of the answer, and those of earlier pieces that made what it uses."""
    everything = statements(case.pieces)
    live = reachable(everything)
    mine = set(case.answer.pieces)
    chosen = {i for i, s in enumerate(everything) if s.piece.index in mine and i in live}
    if not chosen:
        return ()
    end = max(chosen)
    todo = {(n, i if not everything[i].defines else end) for i in chosen for n in everything[i].reads}
    seen: set[tuple[str, int]] = set()
    while todo:
        name, user = todo.pop()
        if (name, user) in seen:
            continue
        seen.add((name, user))
        made = max((j for j in range(user) if name in everything[j].binds), default=None)
        if made is None:
            made = max((j for j in range(user, end + 1) if name in everything[j].binds), default=None)
        if made is None:
            continue
        wanted = {made}
        # A variable's later alterations belong to it, a function's do not exist.
        wanted |= {j for j in range(made + 1, user) if name in everything[j].changes}
        for j in wanted - chosen:
            chosen.add(j)
            todo |= {(n, j if not everything[j].defines else end) for n in everything[j].reads}
    return tuple(everything[i] for i in sorted(chosen))


def problems(case: Case) -> tuple[tuple[Piece, str], ...]:
    """Code pieces of the answer that do not parse, each with the reason."""
    return tuple((p, parse(p.source).problem) for p in case.code if parse(p.source).problem)


def line_of(piece: Piece, line: int) -> str:
    """Text of one line of a piece, from 1; empty where there is none."""
    lines = piece.source.splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
