"""A teacher's marks on answers, read from the CSV that a report lays ready or from one of their own."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from pydantic import Field

from grader.errors import UsageError
from grader.record import Record
from grader.text.written import unescaped

NEEDED = ("question", "answer", "mark", "out_of")
WITHDRAWN = ("-", "–", "—")
"""Instead of a mark: one that was given before is taken back."""


class Given(Record):
    """One line with a mark; None takes back an earlier one. ``assignment`` and ``criterion`` may be left out
    where there is only one."""

    line: int
    question: str
    answer: str
    mark: float | None = Field(ge=0)
    out_of: float = Field(gt=0)
    submission: str = ""
    assignment: str = ""
    criterion: str = ""
    suggested: str = ""


def read(path: Path) -> tuple[Given, ...]:
    """The lines of a file that have a mark, or a dash for one that is taken back; columns question, answer, mark, out_of and, optionally,
    submission, assignment and criterion. Semicolons between columns and decimal commas are read too.

    Raises UsageError that names the file, the line and what is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(
            "the marks cannot be read", where=str(path), todo="give a CSV file, saved as UTF-8"
        ) from e
    heading = text.split("\n", 1)[0]
    between = ";" if heading.count(";") > heading.count(",") else ","
    csv.field_size_limit(10_000_000)
    try:
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=between)
        rows = [(table.line_num, row) for row in table]
        columns = list(table.fieldnames or ())
    except csv.Error as e:
        raise UsageError(f"this is no CSV file: {e}", where=str(path), todo="save it as CSV") from e
    missing = [c for c in NEEDED if c not in columns]
    if missing:
        what = f"the column {missing[0]!r} is missing"
        raise UsageError(what, where=str(path), todo=f"columns: {', '.join(NEEDED)}, submission")
    return tuple(_given(row, path, line) for line, row in rows if (row["mark"] or "").strip())


def _given(row: dict[str, str], path: Path, line: int) -> Given:
    where = f"{path}:{line}"
    try:
        mark = None if row["mark"].strip() in WITHDRAWN else _number(row["mark"])
        out_of = _number(row["out_of"])
    except ValueError as e:
        todo = "mend the line; a dash as mark takes an earlier one back"
        raise UsageError("mark and out_of must be numbers", where=where, todo=todo) from e
    if out_of <= 0 or (mark is not None and not 0 <= mark <= out_of):
        given = "no mark" if mark is None else f"a mark of {mark:g}"
        raise UsageError(f"{given} out of {out_of:g}", where=where, todo="mend the line")
    more = {
        c: unescaped((row.get(c) or "").strip())
        for c in ("submission", "assignment", "criterion", "suggested")
    }
    answer = unescaped(row["answer"] or "")
    return Given(
        line=line, question=(row["question"] or "").strip(), answer=answer, mark=mark, out_of=out_of, **more
    )


def _number(cell: str | None) -> float:
    return float((cell or "").strip().replace(",", "."))
