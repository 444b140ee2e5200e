"""What an expression of an answer stands for, found without running it: the values of `trace`.

Functions of the notebook are entered where they are called; what cannot be followed is unknown.
"""

from __future__ import annotations

import ast
import contextlib
import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from grader.checks.mistakes.conditions import decided
from grader.checks.mistakes.scope import Scope
from grader.checks.mistakes.values import UNKNOWN, Loop, Value

SAME = frozenset(
    "to cuda cpu float double half train eval requires_grad_ contiguous detach clone cache prefetch".split()  # noqa: SIM905
)
"""Methods that give the object itself back, or the same values again."""
WRAPPERS = frozenset({"DataParallel", "DistributedDataParallel", "tqdm", "trange", "tqdm_notebook"})
DEEPEST = 5
"""Functions entered within one another."""

_ARITHMETIC: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


class Expressions(Scope, ABC):
    """Evaluates expressions and binds names. Following statements is the subclass's."""

    @abstractmethod
    def block(self, body: Sequence[ast.stmt]) -> None:
        """Follows the statements of a function that is entered."""

    @abstractmethod
    def bind_element(self, target: ast.expr, iter_node: ast.expr, over: Value) -> None:
        """Gives what a loop goes over to its target."""

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
