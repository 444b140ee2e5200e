"""YAML -> `Assignment`: safe, strict, and with the line of every error.

The file is read twice: composed into nodes, which know their lines, and constructed into plain data, which
strict pydantic models validate. All errors of a file are shown together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.checks.base import Check, Criterion, registered
from grader.errors import RubricError
from grader.rubric.model import Assignment, Question
from grader.rubric.phrases import add_phrases, phrases_of
from grader.rubric.validation import LOADER, NOT_YAML, Key, Lines, Problem, meant, not_yaml, validate


class _Placeholder(Criterion):
    """Stands for criteria that were wrong, so that the rest of their question is validated all the same."""


def _criterion(
    data: Any, path: Key, lines: Lines, kinds: Mapping[str, Check[Any]], problems: list[Problem]
) -> Criterion | None:
    if not isinstance(data, dict):
        problems.append(
            Problem(line=lines.of(path), key="", what="a criterion is a mapping with check and marks")
        )
        return None
    kind = data.get("check")
    if not isinstance(kind, str) or kind not in kinds:
        what = "this key is missing" if kind is None else f"no such check: {kind!r}{meant(str(kind), kinds)}"
        known = f"; known are {', '.join(sorted(kinds))}"
        where = (*path, "check") if kind is not None else path
        problems.append(Problem(line=lines.of(where), key="check", what=what + known))
        return None
    found = validate(kinds[kind].criterion, data, path, lines, problems)
    return found if isinstance(found, Criterion) else None


def _question(
    data: Any, path: Key, lines: Lines, kinds: Mapping[str, Check[Any]], problems: list[Problem]
) -> Question | None:
    if not isinstance(data, dict):
        problems.append(
            Problem(line=lines.of(path), key="", what="a question is a mapping with id, title, …")
        )
        return None
    raw = data.get("criteria")
    if not isinstance(raw, list) or not raw:
        problems.append(
            Problem(line=lines.of((*path, "criteria")), key="criteria", what="expected a list of criteria")
        )
        raw = []
    criteria = [_criterion(c, (*path, "criteria", i), lines, kinds, problems) for i, c in enumerate(raw)]
    stub = [{"check": "placeholder", "marks": 1.0}]
    plain = validate(Question, data | {"criteria": stub}, path, lines, problems)
    if not isinstance(plain, Question) or not raw or None in criteria:
        return None
    whole = tuple(c for c in criteria if c is not None)
    total = sum(c.marks for c in whole)
    if abs(total - plain.marks) > 1e-6:
        what = f"the question has {plain.marks:g} marks, its criteria add up to {total:g}"
        problems.append(Problem(line=lines.of((*path, "marks")), key="marks", what=what))
    titles: dict[str, int] = {}
    for i, c in enumerate(whole):
        if hasattr(c, "points") and c.title() in titles:  # a person's marks are kept under it
            at = lines.of((*path, "criteria", i))
            what = f"another criterion that is marked in words is called {c.title()!r}, too; give each its own says"
            problems.append(Problem(line=at, key="says", what=what))
        titles[c.title()] = i
    return plain.model_copy(update={"criteria": whole})


def read(
    path: Path,
    *,
    references: Path | None = None,
    check_references: bool = True,
    checks: Mapping[str, Check[Any]] | None = None,
) -> tuple[Assignment | None, list[Problem]]:
    """Read one rubric; what is wrong with it comes back as problems, never as an exception.

    ``references`` is the folder that holds a folder for each assignment; by default ``reference`` beside
    the rubric's own folder.
    """
    kinds = checks if checks is not None else registered()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(line=1, key="", what=f"cannot be read: {error}")]
    try:
        loader = LOADER(text)
        root = loader.get_single_node()
        lines = Lines(root)
        data = loader.construct_document(root) if root is not None else None
    except NOT_YAML as error:
        line, what = not_yaml(error)
        return None, [Problem(line=line, key="", what=what)]
    problems = list(lines.problems)
    if any("alias" in p.what for p in problems):
        return None, problems
    if not isinstance(data, dict):
        return None, [*problems, Problem(line=1, key="", what="expected keys id, title, questions")]
    raw = data.get("questions")
    if not isinstance(raw, list) or not raw:
        problems.append(
            Problem(line=lines.of(("questions",)), key="questions", what="expected a list of questions")
        )
        raw = []
    _with_phrases(raw, path, problems)
    questions = [_question(q, ("questions", i), lines, kinds, problems) for i, q in enumerate(raw)]
    for hidden in ("path", "reference_folder", "extra"):
        if hidden in data:
            problems.append(Problem(line=lines.of((hidden,)), key=hidden, what="unknown key"))
    stub = [{"id": "-", "title": "-", "marks": 1.0, "criteria": [{"check": "placeholder", "marks": 1.0}]}]
    plain = validate(Assignment, data | {"questions": stub}, (), lines, problems)
    ids: dict[str, int] = {}
    for i, q in enumerate(questions):
        if q is not None and q.id in ids:
            what = f"two questions are called {q.id!r}; the first stands in line {ids[q.id]}"
            problems.append(Problem(line=lines.of(("questions", i, "id")), key="id", what=what))
        elif q is not None:
            ids[q.id] = lines.of(("questions", i, "id"))
    whole = tuple(q for q in questions if q is not None)
    if not isinstance(plain, Assignment):
        return None, sorted(problems, key=lambda p: p.line)
    folder = (references or path.resolve().parent.parent / "reference") / plain.id
    if check_references:
        for i, q in enumerate(questions):
            if q is not None and q.reference and not (folder / q.reference).is_file():
                what = f"{q.reference} is not in {folder}; write it there, or name the right file"
                problems.append(
                    Problem(line=lines.of(("questions", i, "reference")), key="reference", what=what)
                )
    if problems or not whole:
        return None, sorted(problems, key=lambda p: p.line)
    return plain.model_copy(update={"questions": whole, "path": path, "reference_folder": folder}), []


def _with_phrases(questions: list[Any], rubric: Path, problems: list[Problem]) -> None:
    file = phrases_of(rubric)
    if not file.is_file():
        return

    def report(line: int, key: str, what: str) -> None:
        problems.append(Problem(line=line, key=key, what=what, file=file))

    try:
        add_phrases(questions, file.read_text(encoding="utf-8"), report)
    except (OSError, UnicodeDecodeError) as error:
        report(1, "", f"cannot be read: {error}")


def load(
    path: Path,
    *,
    references: Path | None = None,
    check_references: bool = True,
    checks: Mapping[str, Check[Any]] | None = None,
) -> Assignment:
    """Load one rubric.

    Raises `RubricError` with every problem of the file: its line, its key, and what was expected.
    ``check_references`` off is for a student's self-check, which has no references.
    """
    found, problems = read(path, references=references, check_references=check_references, checks=checks)
    if found is None:
        count = f"{len(problems)} errors" if len(problems) > 1 else "an error"
        listed = "\n".join(
            f"  {p.file or path}:{p.line}: {p.key + ': ' if p.key else ''}{p.what}" for p in problems
        )
        raise RubricError(
            f"{count} in the rubric\n{listed}\n", where=str(path), todo="mend these lines and run again"
        )
    return found


def load_all(
    folder: Path,
    *,
    references: Path | None = None,
    check_references: bool = True,
    checks: Mapping[str, Check[Any]] | None = None,
) -> tuple[Assignment, ...]:
    """All rubrics of a folder (``*.yaml``, ``*.yml``), by file name.

    Raises `RubricError` if there are none, two have one id, or one is wrong.
    """
    files = sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml"))
    if not files:
        raise RubricError(
            "no rubric (*.yaml) in this folder", where=str(folder), todo="name the folder that has them"
        )
    kinds = checks if checks is not None else registered()
    found: dict[str, Assignment] = {}
    for file in files:
        one = load(file, references=references, check_references=check_references, checks=kinds)
        if one.id in found:
            what = f"the id {one.id!r} is also that of {found[one.id].path}"
            raise RubricError(what, where=str(file), todo="give each rubric an id of its own")
        found[one.id] = one
    return tuple(found.values())
