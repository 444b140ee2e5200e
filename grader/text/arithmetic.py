"""Arithmetic in running text: numbers, names and signs, parsed into expressions and worked out.

Where a text stops being a formula the parser stops; what no sign shows, as in ``2P``, is kept as such
(`LOST`), since it may be a product or a fraction whose bar was lost in pasting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(
    r"\s*(?:(?P<num>\d+(?:\.\d+)?)|(?P<name>(?<!\d)[HWDFKPSNCIO]\d(?![\d×x])|[A-Za-zα-ω][A-Za-z]*(?:[_^]?\{?[A-Za-z]+\}?|_\d)?'?)"
    r"|(?P<op>\*\*|//|[-+*/×·^÷=≈→−–()\[\]⌊⌋|]))"
)
OPS = {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "//": "/", "**": "^", "→": "=", "≈": "="}
LOST = "?"
"""A product that no sign shows: ``2P``, or a fraction whose bar was lost in pasting."""
OPEN, CLOSE = "([⌊", ")]⌋"
FLAT = frozenset("floor int ceil round trunc lfloor rfloor".split())  # noqa: SIM905


@dataclass(frozen=True)
class Num:
    value: float


@dataclass(frozen=True)
class Name:
    text: str


@dataclass(frozen=True)
class Op:
    sign: str
    left: Node
    right: Node


Node = Num | Name | Op


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Numbers, names (neighbouring words are one name), signs; anything else is a ``gap``."""
    out: list[Token] = []
    at = 0
    text = text.replace("²", "^2").replace("³", "^3")
    while at < len(text):
        m = TOKEN.match(text, at)
        if m is None or m.end() == at:
            if not text[at].isspace():
                out.append(Token("gap", text[at], at, at + 1))
            at += 1
            continue
        kind = m.lastgroup or "gap"
        word = m.group(kind)
        if kind == "op":
            word = OPS.get(word, word)
        if (
            kind == "name"
            and word.lower() in ("x", "by", "times")
            and out
            and (out[-1].kind in ("num", "name") or out[-1].text in CLOSE)
        ):
            kind, word = "op", "*"
        if kind == "name" and word.lower() in FLAT:
            at = m.end()
            continue
        if kind == "name" and out and out[-1].kind == "name":
            out[-1] = Token("name", f"{out[-1].text} {word}", out[-1].start, m.end())
        else:
            out.append(Token(kind, word, m.start(kind), m.end()))
        at = m.end()
    return out


class _Parser:
    """Precedence climbing; stops where the text stops being a formula."""

    def __init__(self, toks: list[Token], at: int) -> None:
        self.toks, self.at, self.ops, self.depth = toks, at, 0, 0

    def peek(self) -> Token | None:
        return self.toks[self.at] if self.at < len(self.toks) else None

    def sum(self) -> Node | None:
        left = self.product()
        while left is not None and (t := self.peek()) and t.kind == "op" and t.text in "+-":
            mark = self.at
            self.at += 1
            right = self.product()
            if right is None:
                self.at = mark
                break
            left, self.ops = Op(t.text, left, right), self.ops + 1
        return left

    def product(self) -> Node | None:
        left = self.power()
        while left is not None and (t := self.peek()):
            mark, sign = self.at, t.text
            last = self.toks[self.at - 1]
            implied = not (last.kind == "name" and not self._variable(last.text)) and (
                (t.kind == "name" and self._variable(t.text) and not isinstance(left, Name))
                or (t.kind == "op" and t.text in OPEN and (isinstance(left, Op) or self._short(left)))
            )
            if t.kind == "op" and sign in ("*", "/"):
                self.at += 1
            elif implied:
                sign = LOST
            else:
                break
            right = self.power()
            gloss = sign == LOST and isinstance(right, Name) and not self._variable(right.text)
            if right is None or gloss:  # "output_channels (biases)"
                self.at = mark
                break
            left, self.ops = Op(sign, left, right), self.ops + 1
        return left

    @staticmethod
    def _variable(name: str) -> bool:
        """Whether a name may stand beside another without a sign: ``kC_in``, not ``size(the…``."""
        return len(name) <= 2 or "_" in name

    def _short(self, n: Node) -> bool:
        return isinstance(n, Num) or (isinstance(n, Name) and self._variable(n.text))

    def power(self) -> Node | None:
        base = self.atom()
        if base is not None and (t := self.peek()) and t.kind == "op" and t.text == "^":
            mark = self.at
            self.at += 1
            up = self.atom()
            if up is None:
                self.at = mark
                return base
            self.ops += 1
            return Op("^", base, up)
        return base

    def atom(self) -> Node | None:
        t = self.peek()
        if t is None or self.depth > 30:
            return None
        if t.kind == "num":
            self.at += 1
            return Num(float(t.text))
        if t.kind == "name":
            self.at += 1
            return Name(t.text)
        if t.kind == "op" and t.text in OPEN:
            mark = self.at
            self.at += 1
            self.depth += 1
            inner = self.sum()
            self.depth -= 1
            end = self.peek()
            if inner is not None and end and end.kind == "op" and end.text in CLOSE:
                self.at += 1
                return inner
            self.at = mark
        return None


@dataclass(frozen=True)
class Formula:
    """An expression found in a text; ``value`` is what the text says it equals, where that is a number."""

    node: Node
    operators: int
    value: float | None = None


MOST = 100
"""Operators of an expression: a longer one is none of anybody's, and too deep to walk through."""
SIGNS = re.compile(r"[-+*/×·÷−–=²]")


@lru_cache(maxsize=4096)
def expressions(text: str, least: int = 2) -> tuple[Formula, ...]:
    """Every expression with at least ``least`` operators, outermost first."""
    if SIGNS.search(text) is None:
        return ()
    toks = tokens(text)
    out: list[Formula] = []
    at = 0
    while at < len(toks):
        p = _Parser(toks, at)
        node = p.sum()
        if node is None or p.ops < least:
            at += 1
            continue
        if p.ops > MOST:
            at = p.at
            continue
        value = None
        end = p.at
        if end + 1 < len(toks) and toks[end].text == "=":
            q = _Parser(toks, end + 1)
            right = q.sum()
            value = evaluate(right, {}) if right is not None else None
            chain = q.at
            while value is None and chain + 1 < len(toks) and toks[chain].text == "=":
                q = _Parser(toks, chain + 1)
                right = q.sum()
                value = evaluate(right, {}) if right is not None else None
                chain = q.at
        out.append(Formula(node, p.ops, value))
        at = max(end, at + 1)
    return tuple(out)


def evaluate(node: Node, at: Mapping[str, float]) -> float | None:
    """The value with names bound by ``at``; None where a name is unknown or the arithmetic fails."""
    if isinstance(node, Num):
        return node.value
    if isinstance(node, Name):
        return at.get(node.text)
    a, b = evaluate(node.left, at), evaluate(node.right, at)
    if a is None or b is None:
        return None
    try:
        match node.sign:
            case "+":
                found = a + b
            case "-":
                found = a - b
            case "*" | "?":
                found = a * b
            case "/":
                found = a / b
            case _:
                found = a**b if abs(b) <= 8 and abs(a) < 1e6 else math.nan
    except (ZeroDivisionError, OverflowError):
        return None
    return found if isinstance(found, float) and math.isfinite(found) else None


def names(node: Node) -> frozenset[str]:
    if isinstance(node, Name):
        return frozenset({node.text})
    if isinstance(node, Op):
        return names(node.left) | names(node.right)
    return frozenset()


def signs(node: Node) -> str:
    """All operators of an expression."""
    return signs(node.left) + node.sign + signs(node.right) if isinstance(node, Op) else ""
