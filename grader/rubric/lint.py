"""What is wrong with a rubric, or likely to be: errors of the loader, and warnings of a careful reader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from rapidfuzz import fuzz

from grader.checks.base import Criterion
from grader.record import Record
from grader.rubric.loader import read
from grader.rubric.model import Assignment, Question


class Finding(Record):
    """One remark on a rubric. ``line`` is 0 where a remark concerns no single line."""

    path: Path
    line: int
    severity: Literal["error", "warning"]
    message: str
    question: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{where}: {self.severity}: {self.question + ': ' if self.question else ''}{self.message}"


def lint(paths: Iterable[Path], *, references: Path | None = None) -> list[Finding]:
    """All findings of all files: errors as the loader has them, warnings where a file loads."""
    found: list[Finding] = []
    ids: dict[str, Path] = {}
    for path in paths:
        assignment, problems = read(path, references=references)
        for p in problems:
            message = f"{p.key}: {p.what}" if p.key else p.what
            found.append(Finding(path=p.file or path, line=p.line, severity="error", message=message))
        if assignment is None:
            continue
        if assignment.id in ids:
            message = f"the id {assignment.id!r} is also that of {ids[assignment.id]}"
            found.append(Finding(path=path, line=0, severity="error", message=message))
        ids.setdefault(assignment.id, path)
        lines = path.read_text(encoding="utf-8").splitlines()
        for question, message in _warnings(assignment):
            line = _line(lines, question)
            found.append(
                Finding(path=path, line=line, severity="warning", message=message, question=question)
            )
    return found


def _line(lines: list[str], question: str) -> int:
    start = re.compile(rf"\s*-?\s*\{{?\s*id:\s*['\"]?{re.escape(question)}\b")
    return next((i for i, line in enumerate(lines, 1) if question and start.match(line)), 0)


def _warnings(assignment: Assignment) -> Iterator[tuple[str, str]]:
    for q in assignment.questions:
        if not q.prompt:
            yield q.id, "no prompt: its answers are found by label and order alone"
        if not q.reference:
            yield q.id, "no reference: nothing proves that full marks can be earned"
        for c in q.criteria:
            yield from ((q.id, message) for message in _of_criterion(q, c))
        if len({c.title() for c in q.criteria}) < len(q.criteria):
            yield q.id, "two criteria have the same title; give them different words with says"
        if all(c.hidden for c in q.criteria):
            yield q.id, "every criterion is hidden: a self-check shows nothing for it"
    for a, b in combinations(assignment.questions, 2):
        if a.prompt and b.prompt and fuzz.token_set_ratio(a.prompt.lower(), b.prompt.lower()) >= 92:
            yield b.id, f"its prompt is almost that of {a.id}: their answers will be taken for one another"
        if common := {s.lower() for s in a.signs} & {s.lower() for s in b.signs}:
            yield b.id, f"signs that {a.id} has, too, tell nothing: {', '.join(sorted(common))}"


def _of_criterion(q: Question, c: Criterion) -> Iterator[str]:
    name = c.title()
    if not c.hint and not c.hidden:
        yield f"{name}: no hint for a student who loses these marks"
    points: tuple[Any, ...] = getattr(c, "points", ())
    said: dict[str, str] = {}
    for point in points:
        statements = [point.says, *getattr(point, "also", ())]
        for text in (n for n in getattr(point, "not_", ()) if isinstance(n, str)):
            if any(_plain(text) == _plain(s) for s in statements):
                yield f"{name}: a must-not-say is also a statement of its point: {text!r}"
        for text in statements:
            if (other := said.get(_plain(text))) is not None and other != point.says:
                yield f"{name}: two points have the same statement: {text!r}"
            said[_plain(text)] = point.says
        if q.prompt and fuzz.token_set_ratio(_plain(point.says), _plain(q.prompt)) == 100:
            yield f"{name}: the question copied back would earn this point: {point.says!r}"


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
