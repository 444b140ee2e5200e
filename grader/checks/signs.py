"""Signs that a rubric looks for in code, matched against what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import Field, JsonValue, model_validator

from grader.checks.code_facts import Facts, Place
from grader.record import Record


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


def mentioned(sign: Sign, text: str) -> bool:
    """Whether a name that the sign looks for occurs as a word; for code that cannot be parsed."""
    wanted = [p for s in _flat(sign) for p in (*s.calls, *s.assigns, *s.imports, *s.names, *s.inherits)]
    words = {w for p in wanted if (w := re.sub(r"\W.*", "", p.split(".")[-1]))}
    return any(re.search(rf"\b{re.escape(w)}\b", text) for w in words)


def _flat(sign: Sign) -> Iterable[Sign]:
    yield sign
    for inner in sign.any:
        yield from _flat(inner)
