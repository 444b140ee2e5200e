"""An instructor's marks on answers in words: kept, and what they make of the suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.engine.answers import KIND, key_points_of, refit
from grader.engine.options import Options, assignments
from grader.errors import UsageError
from grader.evidence.marks import MarkedAnswer, PersonMark
from grader.evidence.store import Store
from grader.rubric.model import Assignment
from grader.text import marks
from grader.text.calibration import Report
from grader.text.written import digest


@dataclass(frozen=True)
class Confirmed:
    """One assignment: how many marks were in the file, how many of them were taken back, how many are kept
    by now, and what they make; no report where they are too few to calibrate with."""

    assignment: str
    given: int
    withdrawn: int
    kept: int
    report: Report | None


def confirm(file: Path, options: Options, *, allowed: float = 0.03) -> tuple[Confirmed, ...]:
    """Keeps the marks of a CSV and refits from all that are kept, assignment by assignment.

    Later runs of `grade` with the same store use both. ``allowed`` is the share of answers that may be final
    and off by more than a tenth of their marks. Raises UsageError that names the line and what is wrong with
    it; then nothing is kept.
    """
    known = assignments(options, references=False)
    rows = marks.read(file)
    if not rows:
        todo = "fill in the column mark, from 20 to 50 answers"
        raise UsageError("no line has a mark", where=str(file), todo=todo)
    found = [_key(row, known, file) for row in rows]
    given = [
        PersonMark(**key.model_dump(), answer=row.answer, mark=row.mark, out_of=row.out_of)
        for key, row in zip(found, rows, strict=True)
        if row.mark is not None
    ]
    withdrawn = [key for key, row in zip(found, rows, strict=True) if row.mark is None]
    store = Store(options.store)
    store.keep_marks(given, withdrawn)
    confirmed = []
    for assignment in known:
        mine, back = (sum(m.assignment == assignment.id for m in which) for which in (given, withdrawn))
        if mine or back:
            kept = store.marks(assignment.id)
            record = refit(assignment, kept, allowed)
            store.keep_note(KIND, assignment.id, record.model_dump_json())
            confirmed.append(Confirmed(assignment.id, mine, back, len(kept), record.report))
    return tuple(confirmed)


def _key(row: marks.Given, known: Sequence[Assignment], file: Path) -> MarkedAnswer:
    where = f"{file}:{row.line}"
    names = ", ".join(a.id for a in known)
    if row.assignment:
        assignment = next((a for a in known if a.id == row.assignment), None)
        if assignment is None:
            raise UsageError(f"no rubric has the id {row.assignment!r}", where=where, todo=f"known: {names}")
    elif len(known) == 1:
        assignment = known[0]
    else:
        todo = f"add a column assignment, or name it with --rubric; known: {names}"
        raise UsageError("it is not said to which assignment the answer belongs", where=where, todo=todo)
    asked = {q.id: q for q in assignment.questions if key_points_of(q)}
    if row.question not in asked:
        todo = f"one of {', '.join(asked)}"
        raise UsageError(f"no question {row.question!r} is answered in words", where=where, todo=todo)
    titles = [c.title() for c in key_points_of(asked[row.question])]
    if row.criterion not in titles and (row.criterion or len(titles) > 1):
        todo = f"one of {'; '.join(titles)}"
        raise UsageError(f"{row.question} has no criterion {row.criterion!r}", where=where, todo=todo)
    return MarkedAnswer(
        assignment=assignment.id,
        question=row.question,
        criterion=row.criterion or titles[0],
        digest=digest(row.answer),
        submission=row.submission,
    )
