"""Formulas in running text, compared by what they compute, not by how they are written.

``(W − K + 2P)/S + 1``, ``floor((n+2p-f)/s)+1`` and ``((Input − Filter + 2*Padding) / Stride) + 1`` are
one formula. Names are mapped to a rubric's variables by aliases; then both are evaluated at a few
points and must agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice, product

from grader.text.arithmetic import LOST, Node, Op, evaluate, expressions, names, signs
from grader.text.words import stems


@lru_cache(maxsize=64)
def wanted(text: str) -> Node:
    """A rubric's formula, parsed. Raises ValueError where it is none."""
    found = expressions(text, 1)
    if len(found) != 1:
        raise ValueError(f"{text!r} is not one formula")
    return found[0].node


def _variables(name: str, where: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The variables that a name may stand for: by exact alias, else by the alias with most of its words."""
    low = re.sub(r"[\s{}]", " ", name.lower().replace("^", "_")).strip()
    bare = re.sub(r"_?\d$", "", low)  # W1 and W_1 are the first W
    exact = tuple(
        v for v, aliases in where.items() if {low, low.replace("_", ""), bare} & {a.lower() for a in aliases}
    )
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
    for f in expressions(text):
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
    for f in expressions(text):
        if f.value is None or names(f.node) or not all(o in signs(f.node) for o in operators):
            continue
        got = evaluate(f.node, {})
        if got is not None and (abs(got - f.value) <= 0.01 * max(1.0, abs(f.value)) or int(got) == f.value):
            return True
    return False


VALUE = r"(?:\s*(?:=|:|of|is|size|,|\))){0,3}\s*\(?(\d{1,4})"


def _values(text: str, aliases: tuple[str, ...]) -> set[float]:
    out: set[float] = set()
    low = text.lower()
    for a in aliases:
        if a.lower() not in low:
            continue
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
