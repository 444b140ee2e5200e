"""Formulas in running text, compared by what they compute, not by how they are written.

``(W − K + 2P)/S + 1``, ``floor((n+2p-f)/s)+1`` and ``((Input − Filter + 2*Padding) / Stride) + 1`` are
one formula. Names are mapped to a rubric's variables by aliases; then both are evaluated at a few
points and must agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from grader.text.words import stems

TOKEN = re.compile(
    r"\s*(?:(?P<num>\d+(?:\.\d+)?)|(?P<name>[A-Za-zα-ω][A-Za-z]*(?:[_^]?\{?[A-Za-z]+\}?|_\d)?'?)"
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
            implied = not (last.kind == "name" and len(last.text) > 2) and (
                (t.kind == "name" and len(t.text) <= 2 and not isinstance(left, Name))
                or (t.kind == "op" and t.text in OPEN and (isinstance(left, Op) or self._short(left)))
            )
            if t.kind == "op" and sign in ("*", "/"):
                self.at += 1
            elif implied:
                sign = LOST
            else:
                break
            right = self.power()
            if right is None:
                self.at = mark
                break
            left, self.ops = Op(sign, left, right), self.ops + 1
        return left

    @staticmethod
    def _short(n: Node) -> bool:
        return isinstance(n, Num) or (isinstance(n, Name) and len(n.text) <= 2)

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


SIGNS = re.compile(r"[-+*/×·÷−–=²]")


@lru_cache(maxsize=4096)
def formulas(text: str, least: int = 2) -> tuple[Formula, ...]:
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
                return a + b
            case "-":
                return a - b
            case "*" | "?":
                return a * b
            case "/":
                return a / b
            case _:
                return float(a**b) if abs(b) <= 8 and abs(a) < 1e6 else None
    except (ZeroDivisionError, OverflowError):
        return None


def names(node: Node) -> frozenset[str]:
    if isinstance(node, Name):
        return frozenset({node.text})
    if isinstance(node, Op):
        return names(node.left) | names(node.right)
    return frozenset()


def signs(node: Node) -> str:
    """All operators of an expression."""
    return signs(node.left) + node.sign + signs(node.right) if isinstance(node, Op) else ""


@lru_cache(maxsize=64)
def wanted(text: str) -> Node:
    """A rubric's formula, parsed. Raises ValueError where it is none."""
    found = formulas(text, 1)
    if len(found) != 1:
        raise ValueError(f"{text!r} is not one formula")
    return found[0].node


def _variables(name: str, where: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The variables that a name may stand for: by exact alias, else by the alias with most of its words."""
    low = re.sub(r"[\s{}]", " ", name.lower().replace("^", "_")).strip()
    exact = tuple(v for v, aliases in where.items() if low in aliases or low.replace("_", "") in aliases)
    if exact:
        return exact
    have = set(stems(low.replace("_", " ")))
    best: tuple[str, ...] = ()
    most = 0
    for variable, aliases in where.items():
        for a in aliases:
            need = set(stems(a))
            if need and need <= have and len(need) > most:
                best, most = (variable,), len(need)
    return best


def _fraction(node: Node) -> Node:
    """The same with every product that no sign shows read as a fraction whose bar was lost in pasting."""
    if not isinstance(node, Op):
        return node
    sign = "/" if node.sign == LOST and isinstance(node.left, Op) else node.sign
    return Op(sign, _fraction(node.left), _fraction(node.right))


POINTS = (17.0, 5.0, 3.0, 2.0, 7.0, 11.0, 13.0), (31.0, 7.0, 2.0, 3.0, 5.0, 19.0, 23.0)


def states(text: str, formula: str, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the text states the formula, in any writing, with names that ``where`` maps."""
    target = wanted(formula)
    needed = names(target)
    variables = sorted(where)
    points = [dict(zip(variables, values, strict=False)) for values in POINTS]
    goal = [evaluate(target, p) for p in points]
    for f in formulas(text):
        written = sorted(names(f.node))
        may = [_variables(n, where) for n in written]
        if not all(may) or len(written) > 8:
            continue
        for choice in islice(product(*may), 256):
            if not needed <= set(choice):
                continue
            bound = [{n: p[v] for n, v in zip(written, choice, strict=True)} for p in points]
            for node in (f.node, _fraction(f.node)):
                if all(_same(evaluate(node, b), g) for b, g in zip(bound, goal, strict=True)):
                    return True
    return False


def _same(a: float | None, b: float | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= 1e-6 * max(1.0, abs(b))


def worked(text: str, operators: str) -> bool:
    """Whether a line of numbers with these operators is worked out in the text, with the right result."""
    for f in formulas(text):
        if f.value is None or names(f.node) or not all(o in signs(f.node) for o in operators):
            continue
        got = evaluate(f.node, {})
        if got is not None and (abs(got - f.value) <= 0.01 * max(1.0, abs(f.value)) or int(got) == f.value):
            return True
    return False


VALUE = r"(?:\s*(?:=|:|of|is|size|,|\))){0,3}\s*\(?(\d{1,4})"


def _values(text: str, aliases: tuple[str, ...]) -> set[float]:
    out: set[float] = set()
    for a in aliases:
        word = re.escape(a)
        out |= {float(m) for m in re.findall(rf"(?<![A-Za-z]){word}(?![A-Za-z]){VALUE}", text, re.I)}
        if len(a) > 2:
            found = re.findall(rf"(\d{{1,4}})(?:\s?[×x]\s?\d{{1,4}}){{0,2}}\s+(?:\w+\s+)?{word}", text, re.I)
            out |= {float(m) for m in found}
    return out


def example(text: str, formula: str, where: Mapping[str, tuple[str, ...]], result: tuple[str, ...]) -> bool:
    """Whether values stated for the variables give, by the formula, a stated result."""
    target = wanted(formula)
    values = {v: _values(text, where[v]) for v in names(target)}
    results = _values(text, result) | {float(m) for m in re.findall(r"(?:→|=>|=)\s*(\d{1,4})", text)}
    if not results:
        return False
    points: list[dict[str, float]] = [{}]
    for v, have in values.items():
        if not have:
            return False
        points = [{**p, v: x} for p in points for x in sorted(have)[:6]][:1500]
    for p in points:
        got = evaluate(target, p)
        if got is not None and float(int(got)) in results and len(p) > 1:
            return True
    return False
