from __future__ import annotations

import json
from pathlib import Path

from grader.checks.base import State
from grader.report import Audience, shown_submission, write
from grader.results import SubmissionResult

from .conftest import Blobs, results

SECRETS = (
    "61706 or 44426",  # what was expected
    "16 @ 5×5",  # a column of the layer table
    "identity is easy to learn",  # a key point that was not made
    "similarity of 0.41",  # the marker's note
    "fixed batch",  # the reason of a hidden criterion
)


def test_nothing_of_the_answer_key_is_in_any_file_of_a_students_copy(
    rich: SubmissionResult, blobs: Blobs, tmp_path: Path
) -> None:
    def everything(audience: Audience) -> str:
        written = write(results(rich), tmp_path / audience, blobs, audience)
        files = (written.index, *written.pages, written.json, written.csv)
        return "".join(p.read_text("utf-8") for p in files)

    marker, student = everything(Audience.MARKER), everything(Audience.STUDENT)
    for secret in SECRETS:
        assert secret.casefold() in marker.casefold()
        assert secret.casefold() not in student.casefold()
    assert "Compare each kernel size" in student, "hints stay"
    assert "43746" in student, "so do figures of the student's own model"
    assert "shortcut adds the block" in student, "and the points that the student made"


def test_totals_without_hidden_criteria_do_not_tell_how_these_went(rich: SubmissionResult) -> None:
    def with_hidden(state: State, mark: float) -> SubmissionResult:
        q6 = rich.questions[1]
        criteria = tuple(
            c.model_copy(update={"state": state, "mark": mark, "reason": "x"}) if c.hidden else c
            for c in q6.criteria
        )
        q6 = q6.model_copy(update={"criteria": criteria, "mark": sum(c.mark for c in criteria)})
        questions = (rich.questions[0], q6, *rich.questions[2:])
        total = sum(q.mark for q in questions)
        return rich.model_copy(update={"questions": questions, "mark": total, "reason": f"{state}: x"})

    earned = shown_submission(with_hidden(State.EARNED, 4), Audience.STUDENT)
    lost = shown_submission(with_hidden(State.LOST, 0), Audience.STUDENT)
    assert earned == lost
    assert (earned.mark, earned.out_of, earned.open_marks) == (28.5, 76, 3)
    assert any("4 more marks" in note for note in earned.notes)


def test_a_question_of_hidden_criteria_only_is_still_written(
    rich: SubmissionResult, blobs: Blobs, tmp_path: Path
) -> None:
    q = rich.questions[1]
    only = q.model_copy(update={"criteria": tuple(c for c in q.criteria if c.hidden)})
    one = rich.model_copy(update={"questions": (only,)})
    written = write(results(one), tmp_path, blobs, Audience.STUDENT)
    question = json.loads(written.json.read_text("utf-8"))["submissions"][0]["questions"][0]
    assert question["criteria"] == [] and question["out_of"] == 0
