"""Who reads a report, and what they are shown.

A marker sees everything. A student sees their marks, the reasons, the hints and their own work:
neither hidden criteria, nor the marker's notes, nor what was expected. Everything that is written
for a student (pages, results.json, grades.csv, the terminal) goes through `shown` first, so no
template has to remember to leave something out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from grader.checks.base import State, Table
from grader.results import CriterionResult, QuestionResult, Results, SubmissionResult
from grader.scoring import question_state


class Audience(StrEnum):
    MARKER = "marker"
    STUDENT = "student"


OPEN = (State.REVIEW, State.UNGRADED)
"""States of criteria whose marks a person, or another run, still has to settle."""

OWN_FIGURES = frozenset(
    """
    model name statements cells parameters all_parameters trainable trained moved frozen
    input_shape output_shape shape shapes layers classes data profile preprocessing
    accuracy interval on_test on_training unchanged not_run images right correct seconds clock epochs stated stated_on fresh saved says
    measured found of as value unit share shown
    figures panels lines titles labels legend error state pieces ran failed
    """.split()  # noqa: SIM905
)
"""Keys of `evidence` that speak of the student's own work. Others (what was expected, what is
accepted, the reference's figures) are a marker's; an unknown key counts as one of those."""

ANSWER_COLUMNS = (
    "expected",
    "reference",
    "wanted",
    "accepted",
    "model answer",
    "point",
    "key",
    "for the marker",
)
"""Table columns that give the answer away; told by the first words of their heading."""


def shown(results: Results, audience: Audience) -> Results:
    """``results`` as this audience may see them."""
    if audience is Audience.MARKER:
        return results
    return results.model_copy(
        update={"submissions": tuple(shown_submission(s, audience) for s in results.submissions)}
    )


def shown_submission(result: SubmissionResult, audience: Audience) -> SubmissionResult:
    """One submission as this audience may see it.

    Where hidden criteria are left out for a student, marks are summed again over what is left and
    a note says how many marks are decided elsewhere: a total that still held them would tell, by
    subtraction, how they went.
    """
    if audience is Audience.MARKER:
        return result
    hidden = sum(c.out_of for q in result.questions for c in q.criteria if c.hidden)
    questions = tuple(_question(q) for q in result.questions)
    update: dict[str, Any] = {"questions": questions}
    if hidden:
        criteria = [c for q in questions for c in q.criteria]
        update["mark"] = sum(q.mark for q in questions)
        update["out_of"] = sum(q.out_of for q in questions)
        update["reason"] = ""  # it counts open criteria, hidden ones too
        update["open_marks"] = sum(c.out_of for c in criteria if c.state in OPEN)
        update["notes"] = (
            *result.notes,
            f"{hidden:g} more marks are decided by criteria that are not shown here; they are left out "
            "of every total on this page.",
        )
        if result.state in ("graded", "review", "ungraded"):
            states = {c.state for c in criteria}
            update["state"] = (
                "ungraded" if State.UNGRADED in states else "review" if State.REVIEW in states else "graded"
            )
    return result.model_copy(update=update)


def _question(q: QuestionResult) -> QuestionResult:
    criteria = tuple(_criterion(c) for c in q.criteria if not c.hidden)
    update: dict[str, Any] = {"criteria": criteria, "claims": _shown_tables(q.claims)}
    if len(criteria) < len(q.criteria):
        update["mark"] = sum(c.mark for c in criteria if c.state is not State.UNGRADED)
        update["out_of"] = sum(c.out_of for c in criteria)
        update["state"] = question_state(list(criteria))
    return q.model_copy(update=update)


def _criterion(c: CriterionResult) -> CriterionResult:
    return c.model_copy(
        update={
            "private": "",
            "evidence": _own(c.evidence),
            "tables": _shown_tables(c.tables),
        }
    )


def _shown_tables(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    return tuple(t for t in map(_without_answers, tables) if t.header)


def _own(evidence: Mapping[str, Any]) -> dict[str, Any]:
    own = {k: v for k, v in evidence.items() if k in OWN_FIGURES}
    if points := points_of(evidence):
        own["points"] = [p if p["state"] == State.EARNED else p | {"says": ""} for p in points]
    return own


def points_of(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The key points of a verdict on prose, as ``evidence["points"]`` holds them; else none.

    Each gets the state that its mark gives it: how sure one point is matters only to the criterion,
    whose own state says whether a person must look. What a missing point says is the answer itself:
    a student's copy has it empty.
    """
    points = evidence.get("points")
    if not isinstance(points, list | tuple):
        return []
    return [p | {"state": _point_state(p)} for p in points if isinstance(p, dict) and "says" in p]


def _point_state(point: Mapping[str, Any]) -> str:
    try:
        got, out_of = float(point.get("mark") or 0), float(point.get("out_of") or 0)
    except (TypeError, ValueError):
        return State.LOST.value
    return (State.LOST if got <= 0 else State.EARNED if got >= out_of else State.PARTIAL).value


def _without_answers(table: Table) -> Table:
    keep = [i for i, h in enumerate(table.header) if not h.strip().lower().startswith(ANSWER_COLUMNS)]
    if len(keep) == len(table.header):
        return table
    return table.model_copy(
        update={
            "header": tuple(table.header[i] for i in keep),
            "rows": tuple(tuple(row[i] for i in keep if i < len(row)) for row in table.rows),
        }
    )
