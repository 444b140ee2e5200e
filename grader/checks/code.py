"""``code``: what the answer's code does, by its syntax tree. Comments and strings never count."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from grader.checks.base import Case, Check, Criterion, Quote, Table, Verdict, lost, partial, review
from grader.checks.code_facts import facts_of
from grader.checks.ran import place
from grader.checks.signs import Sign, find, mentioned
from grader.checks.source import code_of, line_of, problems


class Code(Criterion):
    """Signs that the code must show; each weighs the same."""

    all: tuple[Sign, ...] = Field(min_length=1)

    def title(self) -> str:
        return self.says or "the code " + "; ".join(s.words() for s in self.all)


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
        if any(mentioned(sign, unread) for sign in missing):
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
