"""A run through an answer's code without running it: which objects meet in which order.

Statements are followed from the notebook's start to the answer's end. Names stand for the expressions that
made them; functions of the notebook are entered where they are called, loops are gone through once, both sides
of a branch are taken and what they leave different is ``either``. What cannot be followed is unknown.
"""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from grader.checks.base import Case
from grader.checks.mistakes.conditions import decided
from grader.checks.mistakes.values import UNKNOWN, Event, Loop, Trace, Value
from grader.checks.source import statements
from grader.evidence.model import Piece

SAME = frozenset(
    "to cuda cpu float double half train eval requires_grad_ contiguous detach clone cache prefetch".split()  # noqa: SIM905
)
"""Methods that give the object itself back, or the same values again."""
WRAPPERS = frozenset({"DataParallel", "DistributedDataParallel", "tqdm", "trange", "tqdm_notebook"})
DEEPEST, MOST = 5, 20_000

_ARITHMETIC: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


_LEAVES = (ast.Return, ast.Continue, ast.Break, ast.Raise)


class _Stop(Exception):
    pass


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
    except (_Stop, RecursionError):
        whole = False
    return Trace(tuple(tracer.events), tracer.attributes, tuple(tracer.values), whole)


class _Tracer:
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
            raise _Stop
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

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.names(target.id)[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for i, inner in enumerate(target.elts):
                if isinstance(inner, ast.Starred):
                    self.bind(inner.value, self.make("unknown", inner))
                elif value.op == "sequence" and len(value.args) == len(target.elts):
                    self.bind(inner, value.args[i])
                else:
                    self.bind(inner, self.again("item", inner, str(i), value))
        elif isinstance(target, ast.Attribute):
            base = self.expression(target.value)
            self.attributes[id(base), target.attr] = value
            placed = self.make("set", target, target.attr, base=base, args=(value,))
            self.event(placed, base, target.attr)
        elif isinstance(target, ast.Subscript):
            base = self.expression(target.value)
            index = self.expression(target.slice)
            name = f"[{index.constant!r}]" if index.op == "constant" else "[…]"
            self.attributes[id(base), name] = value
            self.event(self.make("set", target, name, base=base, args=(value,)), base, name)

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

    def parameters(self) -> dict[str, Value]:
        """What this call gave the function it entered, as far as the function leaves it alone."""
        body = self.active[-1] if self.active else None
        if not isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return {}
        given = body.args
        names = {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        names -= {n.id for n in ast.walk(body) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return {n: v for n, v in self.frames[-1].items() if n in names}

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

    # ------------------------------------------------------------ expressions

    def expression(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Constant):
            return self.make("constant", node, constant=node.value)
        if isinstance(node, ast.Name):
            return self.look_up(node.id, node)
        if isinstance(node, ast.Attribute):
            return self.attribute(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.item(node)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return self.make("sequence", node, args=tuple(self.expression(e) for e in node.elts))
        if isinstance(node, ast.Dict):
            return self.dictionary(node)
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        if isinstance(node, ast.UnaryOp):
            inner = self.expression(node.operand)
            if isinstance(node.op, ast.USub) and isinstance(inner.constant, (int, float)):
                return self.make("constant", node, constant=-inner.constant)
            return self.make("operation", node, type(node.op).__name__, args=(inner,))
        if isinstance(node, ast.IfExp):
            self.expression(node.test)
            if (holds := decided(node.test, self.parameters())) is not None:
                return self.expression(node.body if holds else node.orelse)
            return self.make("either", node, args=(self.expression(node.body), self.expression(node.orelse)))
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
            return self.comprehension(node)
        if isinstance(node, ast.Starred):
            return self.make("starred", node, args=(self.expression(node.value),))
        if isinstance(node, ast.NamedExpr):
            value = self.expression(node.value)
            self.bind(node.target, value)
            return value
        if isinstance(node, ast.Lambda):
            return self.make("function", node, "<lambda>")
        inner_values = tuple(
            self.expression(c) for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)
        )
        return self.make("operation", node, type(node).__name__, args=inner_values)

    def attribute(self, node: ast.Attribute) -> Value:
        base = self.expression(node.value)
        if base.op == "name":
            known = self.attributes.get((id(base), node.attr))
            return known or self.make("name", node, f"{base.path}.{node.attr}")
        if node.attr == "data":
            return base
        known = self.attributes.get((id(base), node.attr))
        return known or self.again("attribute", node, node.attr, base)

    def item(self, node: ast.Subscript) -> Value:
        base = self.expression(node.value)
        index = self.expression(node.slice)
        if index.op == "constant":
            if isinstance(index.constant, int) and base.op == "sequence" and -len(base.args) <= index.constant < len(base.args):  # fmt: skip
                return base.args[index.constant]
            known = self.attributes.get((id(base), f"[{index.constant!r}]"))
            return known or self.again("item", node, str(index.constant), base)
        # A slice keeps its text: ``x[:100]`` twice is the same part.
        return self.make("item", node, ast.unparse(node.slice), base=base, args=(index,))

    def dictionary(self, node: ast.Dict) -> Value:
        keys = [self.expression(k) if k is not None else UNKNOWN for k in node.keys]
        made = self.make("dictionary", node, args=tuple(self.expression(v) for v in node.values))
        for key, value in zip(keys, made.args, strict=True):
            if key.op == "constant":
                self.attributes[id(made), f"[{key.constant!r}]"] = value
        return made

    def arithmetic(self, node: ast.BinOp) -> Value:
        left, right = self.expression(node.left), self.expression(node.right)
        a, b = left.constant, right.constant
        if type(node.op) in _ARITHMETIC and isinstance(a, (int, float)) and isinstance(b, (int, float)):
            with contextlib.suppress(ArithmeticError):
                return self.make("constant", node, constant=_ARITHMETIC[type(node.op)](a, b))
        return self.make("operation", node, type(node.op).__name__, args=(left, right))

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp) -> Value:
        entered = len(self.loops)
        for generator in node.generators:
            over = self.expression(generator.iter)
            self.loops.append(Loop(node, over))
            self.bind_element(generator.target, generator.iter, over)
            for test in generator.ifs:
                self.expression(test)
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        values = tuple(self.expression(e) for e in elements)
        del self.loops[entered:]
        return self.make("comprehension", node, args=values)

    # ------------------------------------------------------------ calls

    def call(self, node: ast.Call) -> Value:
        owner: Value | None = None
        if isinstance(node.func, ast.Attribute):
            callee = self.attribute(node.func)
            if callee.op == "attribute":
                owner = callee.base
            elif callee.op != "name" and node.func.attr == "data":
                callee = UNKNOWN
        else:
            callee = self.expression(node.func)
        args = tuple(self.expression(a) for a in node.args)
        named = {k.arg or "**": self.expression(k.value) for k in node.keywords}
        more: dict[str, Any] = {"args": args, "named": named}
        if callee.op == "function":
            return self.enter(callee, node, args, named)
        if callee.op == "class":
            made = self.make("call", node, callee.path, maker=callee, **more)
            self.event(made)
            self.method(made, "__init__", node, args, named)
            return made
        if owner is not None:
            found = self.method(owner, callee.path, node, args, named)
            if found is not None:
                return found
            value = self.make("call", node, f".{callee.path}", base=owner, **more)
            self.event(value)
            return owner if callee.path in SAME else value
        if callee.op == "name":
            value = self.make("call", node, callee.path, **more)
            self.event(value)
            if value.last in WRAPPERS or callee.path in ("torch.compile",):
                return args[0] if args else value
            if value.is_call("next") and args and args[0].is_call("iter") and args[0].args:
                return self.again("element", node, "", args[0].args[0])
            return value
        value = self.make("call", node, "()", base=callee, **more)
        self.event(value)
        return value

    def method(
        self, owner: Value, name: str, node: ast.Call, args: tuple[Value, ...], named: dict[str, Value]
    ) -> Value | None:
        """Enters a method of a class of the notebook's own; None where there is none such."""
        made = owner.maker
        if made is None or not isinstance(made.node, ast.ClassDef):
            return None
        body = next((f for f in made.node.body if isinstance(f, ast.FunctionDef) and f.name == name), None)
        if body is None:
            return None
        function = Value("function", name, node=body, piece=made.piece, line=body.lineno)
        return self.enter(function, node, (owner, *args), named)

    def enter(
        self, function: Value, node: ast.Call, args: tuple[Value, ...], named: dict[str, Value]
    ) -> Value:
        """The value that a function of the notebook returns; its body is gone through now."""
        body = function.node
        if (
            not isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            or body in self.active
            or len(self.active) >= DEEPEST
        ):
            return self.make("unknown", node)
        here, loops = self.piece, list(self.loops)
        frame = self.arguments(body.args, args, named)
        decorators = [] if isinstance(body, ast.Lambda) else body.decorator_list
        paths = [self.expression(d).path for d in decorators]
        self.active.append(body)
        self.frames.append(frame)
        self.returned.append([])
        self.declared.append(set())
        self.contexts += paths
        self.piece = function.piece or here
        try:
            if isinstance(body, ast.Lambda):
                self.returned[-1].append(self.expression(body.body))
            else:
                self.block(body.body)
        finally:
            found = self.returned.pop()
            self.frames.pop()
            self.declared.pop()
            self.active.pop()
            self.piece, self.loops = here, loops
            if paths:
                del self.contexts[-len(paths) :]
        if not found:
            return self.make("unknown", node)
        return found[0] if len(found) == 1 else self.make("either", node, args=tuple(found))

    def arguments(
        self, wanted: ast.arguments, args: tuple[Value, ...], named: dict[str, Value]
    ) -> dict[str, Value]:
        names = [a.arg for a in (*wanted.posonlyargs, *wanted.args)]
        every = [*names, *(a.arg for a in wanted.kwonlyargs)]
        frame = dict.fromkeys(every, UNKNOWN)
        # ``f(*args, **options)`` may give what has a default.
        unsure = "**" in named or any(a.op == "starred" for a in args)
        for name, default in zip(names[len(names) - len(wanted.defaults) :], wanted.defaults, strict=True):
            frame[name] = UNKNOWN if unsure else self.expression(default)
        for a, given in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True):
            if given is not None and not unsure:
                frame[a.arg] = self.expression(given)
        frame |= dict(zip(names, args, strict=False))
        frame |= {k: v for k, v in named.items() if k in frame}
        for extra in (wanted.vararg, wanted.kwarg):
            if extra is not None:
                frame[extra.arg] = UNKNOWN
        return frame


def _loaded(target: ast.expr) -> ast.expr:
    """The target of ``x += 1`` as it is read."""
    return ast.parse(ast.unparse(target), mode="eval").body
