"""A rubric that can be handed to students: what they are asked for, and not what is accepted as an answer."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from grader.checks.base import Criterion, registered
from grader.errors import OutputError, UsageError
from grader.rubric.loader import load
from grader.rubric.model import Question
from grader.rubric.validation import LOADER

HEADING = """\
# For students, made by `grade publish`: criteria that are not public are left out, and so is what is accepted
# as an answer in words or numbers. Made anew, not edited, when the teacher's rubric changes.
"""


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def public(rubric: Path, withhold: Collection[str] = ()) -> str:
    """The text of a rubric for students. ``withhold`` names kinds of check to withhold besides those that
    would give their answer away by themselves.

    Raises RubricError for a rubric that is wrong, UsageError for an unknown kind.
    """
    kinds = registered()
    for kind in withhold:
        if kind not in kinds:
            raise UsageError(f"no such check: {kind!r}", todo=f"known are {', '.join(sorted(kinds))}")
    assignment = load(rubric, check_references=False)
    data = yaml.load(rubric.read_text(encoding="utf-8"), Loader=LOADER)
    data["questions"] = [
        _question(raw, q, withhold) for raw, q in zip(data["questions"], assignment.questions, strict=True)
    ]
    text = yaml.dump(data, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return HEADING + text


def publish(rubric: Path, out: Path, withhold: Collection[str] = ()) -> None:
    """Writes `public` to a file. Raises as it does, and OutputError where the file cannot be written."""
    text = public(rubric, withhold)
    if out.exists() and out.samefile(rubric):
        raise UsageError("this would replace the teacher's rubric", where=str(out), todo="name another file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as e:
        raise OutputError(
            f"cannot be written: {e.strerror}", where=str(out), todo="name another file with -o"
        ) from e


def _question(raw: dict[str, Any], q: Question, withhold: Collection[str]) -> dict[str, Any]:
    """One question without its reference and its hidden criteria; marks are those of what is left.

    Where something is withheld, only such signs stay as the question's own wording has: others are words
    of its answers.
    """
    secret = [c.tells_answer or c.check in withhold for c in q.criteria]
    criteria = [
        _withheld(c) if hide else data
        for data, c, hide in zip(raw["criteria"], q.criteria, secret, strict=True)
        if not c.hidden
    ]
    if not criteria:  # its answer must still be found, so that it is taken for no other's
        criteria = [{"check": "withheld", "marks": q.marks, "says": "Marked by your teacher"}]
    made = {k: v for k, v in raw.items() if k != "reference"}
    if any(secret) or all(c.hidden for c in q.criteria):
        asked = f"{q.title} {q.prompt}".casefold()
        made["signs"] = [s for s in q.signs if s.casefold() in asked]
    return made | {"marks": sum(c["marks"] for c in criteria), "criteria": criteria}


def _withheld(c: Criterion) -> dict[str, Any]:
    kept = {"check": "withheld", "of": c.check, "marks": c.marks, "says": c.title(), "hint": c.hint}
    return {k: v for k, v in kept.items() if v}
