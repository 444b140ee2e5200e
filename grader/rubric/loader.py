"""YAML -> `Assignment`: safe, strict, and with the line of every error.

The file is read twice: composed into nodes, which know their lines, and constructed into plain data, which
strict pydantic models validate. All errors of a file are shown together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from grader.checks.base import Check, Criterion, registered
from grader.errors import RubricError
from grader.evidence.model import Record
from grader.rubric.model import Assignment, Question

Key = tuple[str | int, ...]


class Problem(Record):
    """One thing wrong with a rubric: where (a line from 1), at which key, and what was expected."""

    line: int
    key: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key + ': ' if self.key else ''}{self.what}"


class _Lines:
    """Lines of keys, by path from the root."""

    def __init__(self, root: yaml.Node | None) -> None:
        self.known: dict[Key, int] = {(): 1}
        self.problems: list[Problem] = []
        if root is not None:
            self._walk(root, (), frozenset())

    def _walk(self, node: yaml.Node, path: Key, above: frozenset[int]) -> None:
        self.known.setdefault(path, node.start_mark.line + 1)
        if id(node) in above:  # an alias within its own anchor
            what = "an alias (*name) within what it stands for"
            self.problems.append(Problem(line=node.start_mark.line + 1, key="", what=what))
            return
        above |= {id(node)}
        if isinstance(node, yaml.MappingNode):
            seen: dict[Any, int] = {}
            for key, value in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else str(key.value)
                line = key.start_mark.line + 1
                if name in seen:
                    what = f"this key already stands in line {seen[name]}; keep one of them"
                    self.problems.append(Problem(line=line, key=name, what=what))
                seen[name] = line
                self.known[(*path, name)] = line
                self._walk(value, (*path, name), above)
        elif isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                self._walk(item, (*path, i), above)

    def of(self, path: Key) -> int:
        """The line of a path, or of its nearest known part."""
        while path not in self.known:
            path = path[:-1]
        return self.known[path]


# ---------------------------------------------------------------- validation


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those of its fields, for the names that a key may have meant."""
    todo, seen = [model], set[type[BaseModel]]()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        yield here
        for field in here.model_fields.values():
            types = [field.annotation]
            while types:
                t = types.pop()
                if isinstance(t, type) and issubclass(t, BaseModel):
                    todo.append(t)
                types += get_args(t)


def _meant(name: str, choices: Iterable[str]) -> str:
    close = get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _validate(
    model: type[BaseModel], data: Any, path: Key, lines: _Lines, problems: list[Problem]
) -> BaseModel | None:
    """Validate strictly; JSON is pydantic's strict mode that still takes a list for a tuple.

    Below a model with a validator of its own even that refuses lists; such errors are spurious, and the
    rest of that part is validated leniently.
    """
    text = json.dumps(data, default=str)
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        errors = [e for e in error.errors(include_url=False) if not _spurious(e)]
    if not errors:
        try:
            return model.model_validate_json(text)
        except ValidationError as error:
            errors = list(error.errors(include_url=False))
    _explain(model, errors, path, lines, problems)
    return None


def _spurious(e: Any) -> bool:
    if e["type"] in ("tuple_type", "list_type", "frozen_set_type"):
        return isinstance(e["input"], (list, tuple))
    return e["type"] == "too_short" and bool(e["input"])


def _explain(
    model: type[BaseModel], errors: list[Any], path: Key, lines: _Lines, problems: list[Problem]
) -> None:
    """Pydantic's errors in words, each with its line and key."""
    seen = set()
    for e in errors:
        at = path
        for part in e["loc"]:
            # Parts that name a member of a union are no keys of the file.
            at = (*at, part) if (*at, part) in lines.known else at
        name = str(e["loc"][-1]) if e["loc"] else ""
        if e["type"] == "extra_forbidden":
            names = sorted({f for m in _models(model) for f in m.model_fields} | {"check"})
            top = sorted(set(model.model_fields))
            expected = f"; expected one of {', '.join(top)}" if len(e["loc"]) == 1 else ""
            what = f"unknown key{_meant(name, names) or expected}"
        elif e["type"] == "missing":
            what = "this key is missing"
        elif e["type"] == "value_error":
            what, name = str(e["ctx"]["error"]), str(at[-1]) if at and isinstance(at[-1], str) else ""
        else:
            given = "" if isinstance(e["input"], (dict, list, tuple)) else f", got {e['input']!r}"
            if e["type"] == "string_type" and given:
                given += "; put it in quotes"
            what = f"{e['msg'][:1].lower()}{e['msg'][1:]}{given}"
            name = _dotted(at[len(path) :]) or name
        if (at, what) not in seen:
            seen.add((at, what))
            problems.append(Problem(line=lines.of(at), key=name, what=what))


def _dotted(path: Key) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


class _Placeholder(Criterion):
    """Stands for criteria that were wrong, so that the rest of their question is validated all the same."""


def _criterion(
    data: Any, path: Key, lines: _Lines, kinds: Mapping[str, Check[Any]], problems: list[Problem]
) -> Criterion | None:
    if not isinstance(data, dict):
        problems.append(
            Problem(line=lines.of(path), key="", what="a criterion is a mapping with check and marks")
        )
        return None
    kind = data.get("check")
    if not isinstance(kind, str) or kind not in kinds:
        what = "this key is missing" if kind is None else f"no such check: {kind!r}{_meant(str(kind), kinds)}"
        known = f"; known are {', '.join(sorted(kinds))}"
        where = (*path, "check") if kind is not None else path
        problems.append(Problem(line=lines.of(where), key="check", what=what + known))
        return None
    found = _validate(kinds[kind].criterion, data, path, lines, problems)
    return found if isinstance(found, Criterion) else None


def _question(
    data: Any, path: Key, lines: _Lines, kinds: Mapping[str, Check[Any]], problems: list[Problem]
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
    plain = _validate(Question, data | {"criteria": stub}, path, lines, problems)
    if not isinstance(plain, Question) or not raw or None in criteria:
        return None
    whole = tuple(c for c in criteria if c is not None)
    total = sum(c.marks for c in whole)
    if abs(total - plain.marks) > 1e-6:
        what = f"the question has {plain.marks:g} marks, its criteria add up to {total:g}"
        problems.append(Problem(line=lines.of((*path, "marks")), key="marks", what=what))
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
        lines = _Lines(yaml.compose(text, Loader=yaml.SafeLoader))
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = f"not valid YAML: {getattr(error, 'problem', None) or error}"
        return None, [Problem(line=mark.line + 1 if mark else 1, key="", what=what)]
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
    questions = [_question(q, ("questions", i), lines, kinds, problems) for i, q in enumerate(raw)]
    for hidden in ("path", "reference_folder", "extra"):
        if hidden in data:
            problems.append(Problem(line=lines.of((hidden,)), key=hidden, what="unknown key"))
    stub = [{"id": "-", "title": "-", "marks": 1.0, "criteria": [{"check": "placeholder", "marks": 1.0}]}]
    plain = _validate(Assignment, data | {"questions": stub}, (), lines, problems)
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
        listed = "\n".join(f"  {path}:{p.line}: {p.key + ': ' if p.key else ''}{p.what}" for p in problems)
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
