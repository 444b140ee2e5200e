"""What a piece of code does, read from its syntax tree: calls, assignments, imports, names, base classes."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.checks.source import Statement
from grader.evidence.model import Piece


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
