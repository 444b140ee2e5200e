"""A run through an answer's code without running it: which objects meet in which order.

Statements are followed from the notebook's start to the answer's end. Names stand for the expressions that
made them; functions of the notebook are entered where they are called, loops are gone through once, both sides
of a branch are taken and what they leave different is ``either``. What cannot be followed is unknown.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from grader.checks.base import Case
from grader.checks.mistakes.conditions import decided
from grader.checks.mistakes.expressions import Expressions
from grader.checks.mistakes.scope import Stop
from grader.checks.mistakes.values import UNKNOWN, Loop, Trace, Value
from grader.checks.source import statements
from grader.evidence.model import Piece

_LEAVES = (ast.Return, ast.Continue, ast.Break, ast.Raise)


def trace(case: Case) -> Trace:
    """The trace of the notebook up to the end of this answer."""
    end = max(case.answer.pieces, default=-1)
    return _trace(tuple(p for p in case.pieces if p.index <= end and p.kind == "code"))


@lru_cache(maxsize=16)
def _trace(pieces: tuple[Piece, ...]) -> Trace:
    tracer = _Tracer()
    whole = True
    try:
        for s in statements(pieces):
            tracer.piece, tracer.at = s.piece, s.piece.index
            tracer.statement(s.node)
    except (Stop, RecursionError):
        whole = False
    return Trace(tuple(tracer.events), tracer.attributes, tuple(tracer.values), whole)


class _Tracer(Expressions):
    # ------------------------------------------------------------ statements

    def block(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            self.statement(node)
            if isinstance(node, _LEAVES):
                return
            if isinstance(node, ast.If) and (holds := decided(node.test, self.parameters())) is not None:
                branch = node.body if holds else node.orelse
                if branch and isinstance(branch[-1], _LEAVES):
                    return

    def statement(self, node: ast.stmt) -> None:
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is not None:
            method(node)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)

    def _Import(self, node: ast.Import) -> None:
        for a in node.names:
            name = a.asname or a.name.split(".")[0]
            self.names(name)[name] = self.make("name", node, a.name if a.asname else name)

    def _ImportFrom(self, node: ast.ImportFrom) -> None:
        for a in node.names:
            name = a.asname or a.name
            self.names(name)[name] = self.make("name", node, f"{node.module or ''}.{a.name}".lstrip("."))

    def _Assign(self, node: ast.Assign) -> None:
        value = self.expression(node.value)
        for target in node.targets:
            self.bind(target, value)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.expression(node.value))

    def _AugAssign(self, node: ast.AugAssign) -> None:
        load = ast.copy_location(
            ast.BinOp(_loaded(node.target), node.op, node.value),
            node,
        )
        self.bind(node.target, self.expression(load))

    def _For(self, node: ast.For) -> None:
        over = self.expression(node.iter)
        with self.loop(node, over):
            self.bind_element(node.target, node.iter, over)
            self.block(node.body)
        self.block(node.orelse)

    _AsyncFor = _For

    def bind_element(self, target: ast.expr, iter_node: ast.expr, over: Value) -> None:
        if (
            over.is_call("enumerate")
            and over.args
            and isinstance(target, ast.Tuple)
            and len(target.elts) == 2
        ):
            self.bind(target.elts[0], self.make("unknown", target))
            self.bind(target.elts[1], self.again("element", iter_node, "", over.args[0]))
        elif over.is_call("zip") and isinstance(target, ast.Tuple) and len(target.elts) == len(over.args):
            for inner, each in zip(target.elts, over.args, strict=True):
                self.bind(inner, self.again("element", iter_node, "", each))
        else:
            self.bind(target, self.again("element", iter_node, "", over))

    def _While(self, node: ast.While) -> None:
        with self.loop(node, None):
            self.expression(node.test)
            self.block(node.body)

    @contextlib.contextmanager
    def loop(self, node: ast.AST, over: Value | None) -> Iterator[None]:
        self.loops.append(Loop(node, over))
        try:
            yield
        finally:
            self.loops.pop()

    def _If(self, node: ast.If) -> None:
        self.expression(node.test)
        if (holds := decided(node.test, self.parameters())) is not None:
            self.block(node.body if holds else node.orelse)
            return
        if "__main__" in ast.unparse(node.test):
            self.block(node.body)
            return
        names = self.frames[-1] if self.frames else self.globals
        before = dict(names)
        self.branches += 1
        self.block(node.body)
        after_body = dict(names)
        names.clear()
        names.update(before)
        self.block(node.orelse)
        self.branches -= 1
        for name in after_body.keys() | names.keys():
            one, other = after_body.get(name), names.get(name)
            if one is not None and other is not None and one is not other:
                names[name] = self.make("either", node, args=(one, other))
            elif one is not None:
                names[name] = one

    def _With(self, node: ast.With) -> None:
        entered = 0
        for item in node.items:
            value = self.expression(item.context_expr)
            self.contexts.append(value.path)
            entered += 1
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.block(node.body)
        del self.contexts[len(self.contexts) - entered :]

    _AsyncWith = _With

    def _Try(self, node: ast.Try) -> None:
        self.block(node.body)
        self.branches += 1
        for handler in node.handlers:
            self.block(handler.body)
        self.branches -= 1
        self.block(node.orelse)
        self.block(node.finalbody)

    def _FunctionDef(self, node: ast.FunctionDef) -> None:
        self.names(node.name)[node.name] = self.make("function", node, node.name)

    _AsyncFunctionDef = _FunctionDef

    def _ClassDef(self, node: ast.ClassDef) -> None:
        bases = tuple(self.expression(b) for b in node.bases)
        self.names(node.name)[node.name] = self.make("class", node, node.name, args=bases)

    def _Return(self, node: ast.Return) -> None:
        value = self.expression(node.value) if node.value else UNKNOWN
        if self.returned:
            self.returned[-1].append(value)

    def _Global(self, node: ast.Global) -> None:
        if self.declared:
            self.declared[-1] |= set(node.names)


def _loaded(target: ast.expr) -> ast.expr:
    """The target of ``x += 1`` as it is read."""
    return ast.parse(ast.unparse(target), mode="eval").body
