"""``code``: what the answer's code does, by its syntax tree. Comments and strings never count."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import Field, JsonValue, model_validator

from grader.checks.base import Case, Check, Criterion, Quote, Table, Verdict, lost, partial, review
from grader.checks.ran import place
from grader.checks.source import Statement, code_of, line_of, problems
from grader.evidence.model import Piece, Record


class Sign(Record):
    """Something that code does; it holds if any one of its alternatives is found."""

    says: str = ""
    calls: tuple[str, ...] = Field((), description="names of what is called, by dotted suffix")
    keyword: dict[str, JsonValue] = Field(default_factory=dict, description="keywords those calls must have")
    arguments: tuple[JsonValue, ...] = Field((), description="first positional values those calls must have")
    some: tuple[str, ...] = Field((), description="keywords of which those calls set some, in one call")
    at_least: int = Field(1, gt=0, description="how many of `some`")
    without: tuple[str, ...] = Field((), description="keywords that those calls do not set")
    assigns: dict[str, JsonValue] = Field(default_factory=dict, description="attribute or name: value")
    imports: tuple[str, ...] = ()
    names: tuple[str, ...] = Field((), description="dotted paths that are read, subscripts included")
    inherits: tuple[str, ...] = Field((), description="base classes of a class")
    any: tuple[Sign, ...] = ()

    @model_validator(mode="after")
    def _looks_for_something(self) -> Sign:
        if not (self.calls or self.assigns or self.imports or self.names or self.inherits or self.any):
            raise ValueError("a sign needs one of calls, assigns, imports, names, inherits, any")
        if (self.keyword or self.arguments or self.some or self.without) and not self.calls:
            raise ValueError("keyword, arguments, some and without belong to calls")
        if self.some and self.at_least > len(self.some):
            raise ValueError(f"at_least is {self.at_least}, but some has {len(self.some)} keywords")
        return self

    def words(self) -> str:
        """What it looks for, for people: ``says``, or its first alternative."""
        if self.says:
            return self.says
        if self.calls:
            return f"a call of {' or '.join(self.calls)}"
        if self.assigns:
            return "setting " + ", ".join(f"{k} = {v}" for k, v in self.assigns.items())
        named = self.imports or self.names or self.inherits
        return f"use of {' or '.join(named)}" if named else self.any[0].words()


class Code(Criterion):
    """Signs that the code must show; each weighs the same."""

    all: tuple[Sign, ...] = Field(min_length=1)

    def title(self) -> str:
        return self.says or "the code " + "; ".join(s.words() for s in self.all)


# ---------------------------------------------------------------- what the code does


@dataclass(frozen=True)
class Place:
    piece: Piece
    line: int


@dataclass
class Facts:
    """Everything that signs may look for, each with where it stands."""

    calls: list[tuple[str, ast.Call, Place]] = field(default_factory=list)
    assigns: list[tuple[str, ast.expr, Place]] = field(default_factory=list)
    imports: list[tuple[str, Place]] = field(default_factory=list)
    names: list[tuple[str, Place]] = field(default_factory=list)
    bases: list[tuple[str, Place]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    def path(self, node: ast.AST) -> str:
        """A dotted path with import aliases resolved: ``torchvision.models.vgg16().features[0]``."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.path(node.value)}.{node.attr}"
        if isinstance(node, ast.Call):
            return f"{self.path(node.func)}()"
        if isinstance(node, ast.Subscript):
            index = self.value(node.slice)
            return f"{self.path(node.value)}[{index if isinstance(index, (int, str)) else '…'}]"
        return "…"

    def value(self, node: ast.AST) -> Any:
        """A constant, followed through names and simple arithmetic; else a dotted path, or '…'."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            return [self.value(e) for e in node.elts]
        if isinstance(node, ast.Name) and node.id in self.constants:
            return self.constants[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.value(node.operand)
            return -inner if isinstance(inner, (int, float)) else "…"
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            left, right = self.value(node.left), self.value(node.right)
            if isinstance(left, (int, float)) and isinstance(right, (int, float)):
                try:
                    return _ARITHMETIC[type(node.op)](left, right)
                except ZeroDivisionError:
                    return "…"
            return "…"
        return self.path(node)


_ARITHMETIC: Mapping[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def facts_of(code: Iterable[Statement]) -> Facts:
    """Read the statements once, in order: names first, so that a use before an import resolves too."""
    code = tuple(code)
    facts = Facts()
    for s in code:
        here = s.piece
        for node in ast.walk(s.node):
            if isinstance(node, ast.Import):
                for a in node.names:
                    facts.aliases[a.asname or a.name.split(".")[0]] = (
                        a.name if a.asname else a.name.split(".")[0]
                    )
                    facts.imports.append((a.name, Place(here, node.lineno)))
            elif isinstance(node, ast.ImportFrom):
                for a in node.names:
                    path = f"{node.module or ''}.{a.name}".lstrip(".")
                    if a.name != "*":
                        facts.aliases[a.asname or a.name] = path
                    facts.imports.append((path, Place(here, node.lineno)))
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                _constant(facts, node.targets[0], node.value)
    for s in code:
        for node in ast.walk(s.node):
            if not hasattr(node, "lineno"):
                continue
            where = Place(s.piece, node.lineno)
            if isinstance(node, ast.Call):
                facts.calls.append((facts.path(node.func), node, where))
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if node.value is not None and not isinstance(target, (ast.Tuple, ast.List)):
                        facts.assigns.append((facts.path(target), node.value, where))
            elif isinstance(node, ast.ClassDef):
                facts.bases += [(facts.path(b), where) for b in node.bases]
            if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Load):
                facts.names.append((facts.path(node), where))
    return facts


def _constant(facts: Facts, target: ast.expr, value: ast.expr) -> None:
    if not isinstance(target, ast.Name):
        return
    found = facts.value(value)
    if isinstance(found, str) and not isinstance(value, ast.Constant):
        # A plain alias: ``Net = models.vgg16``.
        if isinstance(value, ast.Attribute) and found.count("…") == 0:
            facts.aliases.setdefault(target.id, found)
        return
    facts.constants[target.id] = found


# ---------------------------------------------------------------- matching


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _parts(path: str) -> list[str]:
    return [p.removesuffix("()") for p in path.split(".")]


def matches_suffix(path: str, pattern: str) -> bool:
    """``models.vgg16`` matches ``torchvision.models.vgg16``; parts may hold wildcards."""
    have, want = _parts(path), _parts(pattern.strip("."))
    return len(want) <= len(have) and all(
        _pattern(w).fullmatch(h) for h, w in zip(have[-len(want) :], want, strict=True)
    )


def matches_inside(path: str, pattern: str) -> bool:
    """``features[0]`` matches ``alexnet.features[0].weight``: a run of whole parts anywhere."""
    have, want = _parts(path), _parts(pattern.strip("."))
    return any(
        all(_pattern(w).fullmatch(h) for h, w in zip(have[i : i + len(want)], want, strict=True))
        for i in range(len(have) - len(want) + 1)
    )


def same_value(expected: Any, found: Any) -> bool:
    """Whether a rubric's value fits the code's: ``"*"`` is any but None and False, a list any of these."""
    if expected == "*":
        return found is not None and found is not False
    if isinstance(expected, list):
        return expected == found or any(same_value(e, found) for e in expected)
    if isinstance(expected, bool) or expected is None:
        as_number = isinstance(expected, bool) and type(found) is int and found == int(expected)
        return found is expected or bool(as_number)
    if isinstance(expected, (int, float)):
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return False
        return bool(abs(expected - found) <= 1e-9 * max(1.0, abs(expected)))
    if isinstance(expected, str) and isinstance(found, str):
        return _pattern(expected).fullmatch(found) is not None or matches_suffix(found, expected)
    return False


def _call_fits(sign: Sign, call: ast.Call, facts: Facts) -> bool:
    given = {k.arg: k.value for k in call.keywords if k.arg}
    for name, expected in sign.keyword.items():
        if name not in given or not same_value(expected, facts.value(given[name])):
            return False
    used = {k for k, v in given.items() if facts.value(v) not in (None, False, 0)}
    if (sign.some and len(used & set(sign.some)) < sign.at_least) or used & set(sign.without):
        return False
    values = [facts.value(a) for a in call.args]
    return len(values) >= len(sign.arguments) and all(
        same_value(e, v) for e, v in zip(sign.arguments, values, strict=False)
    )


def find(sign: Sign, facts: Facts) -> Place | None:
    """Where the first of a sign's alternatives is found."""
    for pattern in sign.calls:
        for path, call, where in facts.calls:
            if matches_suffix(path, pattern) and _call_fits(sign, call, facts):
                return where
    for name, expected in sign.assigns.items():
        for path, value, where in facts.assigns:
            if matches_suffix(path, name) and same_value(expected, facts.value(value)):
                return where
    for pattern in sign.imports:
        for path, where in facts.imports:
            if matches_inside(path, pattern):
                return where
    for pattern in sign.names:
        for path, where in facts.names:
            if matches_inside(path, pattern):
                return where
    for pattern in sign.inherits:
        for path, where in facts.bases:
            if matches_suffix(path, pattern):
                return where
    return next((found for inner in sign.any if (found := find(inner, facts))), None)


def _mentioned(sign: Sign, text: str) -> bool:
    """Whether a name that the sign looks for occurs as a word; for code that cannot be parsed."""
    wanted = [p for s in _flat(sign) for p in (*s.calls, *s.assigns, *s.imports, *s.names, *s.inherits)]
    words = {w for p in wanted if (w := re.sub(r"\W.*", "", p.split(".")[-1]))}
    return any(re.search(rf"\b{re.escape(w)}\b", text) for w in words)


def _flat(sign: Sign) -> Iterable[Sign]:
    yield sign
    for inner in sign.any:
        yield from _flat(inner)


def judge(c: Code, case: Case) -> Verdict:
    """The share of the signs that the answer's live code shows, each quoted with its line."""
    code = code_of(case)
    facts = facts_of(code)
    found = [(sign, find(sign, facts)) for sign in c.all]
    quotes = tuple(
        Quote(text=line_of(at.piece, at.line), piece=at.piece.index, line=at.line, about="code")
        for at in dict.fromkeys(at for _, at in found if at)
    )
    missing = [sign for sign, at in found if at is None]
    rows = tuple(
        (
            sign.words(),
            f"{place(case, at.piece.index)}, line {at.piece.first_line + at.line - 1}" if at else "not found",
        )
        for sign, at in found
    )
    table = Table(
        title="What the code does",
        header=("looked for", "found"),
        rows=rows,
        marked=tuple(i for i, (_, at) in enumerate(found) if at is None),
    )
    share = 1 - len(missing) / len(found)
    more: dict[str, Any] = {
        "evidence": {"found": len(found) - len(missing), "of": len(found)},
        "quotes": quotes,
        "tables": (table,) if len(found) > 1 else (),
    }
    words = "; ".join(sign.words() for sign in missing)
    if missing:
        unread = "\n".join(p.source for p, _ in problems(case)) + _fenced(case)
        if any(_mentioned(sign, unread) for sign in missing):
            return review(
                c, round(4 * c.marks * share) / 4, f"Not found in code that can be read: {words}.", **more
            )
    if not code:
        return lost(c, "No code was found for this question.", **more)
    if missing:
        return partial(c, share, f"Not found in the code: {words}.", **more)
    said = "; ".join(sign.words() for sign, _ in found)
    return partial(c, share, f"Found in the code: {said}.", **more)


def _fenced(case: Case) -> str:
    return "\n".join(m for p in case.prose for m in re.findall(r"```.*?```", p.source, re.DOTALL))


CHECK = Check(kind="code", criterion=Code, judge=judge, needs_run=False)
