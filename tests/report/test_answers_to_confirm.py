"""Answers in words that only wait for marks of the marker's own, beside those that are unsure."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.base import State
from grader.evidence.model import Profile
from grader.report import Audience, line, shown, write
from grader.report.html import class_page, submission_page
from grader.results import CellRef, CriterionResult, SubmissionResult

from .conftest import Blobs, question, results, submission
from .pages import Page, faults


def words(
    id: str, mark: float, *, unconfirmed: bool, says: str = "What a shortcut computes"
) -> CriterionResult:
    return CriterionResult(
        check="key_points",
        title=says,
        mark=mark,
        out_of=20,
        state=State.REVIEW,
        reason=f"{id} is a suggestion",
        evidence={"confidence": 0.9} | ({"unconfirmed": True} if unconfirmed else {}),
        private="nearly the same words as the answer in ben.ipynb",
    )


def answered(text: str) -> tuple[CellRef, ...]:
    return (CellRef(piece=0, cell=1, part=1, kind="markdown", first_line=1, source=text),)


@pytest.fixture
def waiting() -> SubmissionResult:
    return submission(
        "anna.ipynb",
        (
            question(
                "q1",
                "Sure",
                20,
                words("q1", 18, unconfirmed=True),
                cells=answered("=SUM(A1) first\nline two"),
            ),
            question("q2", "Unsure", 20, words("q2", 9, unconfirmed=False), cells=answered("second")),
            question("q3", "Sure, too", 20, words("q3", 4.5, unconfirmed=True), cells=answered("third")),
        ),
    )


def test_what_is_unsure_is_listed_first_and_the_rest_as_one(waiting: SubmissionResult, blobs: Blobs) -> None:
    html = submission_page(waiting, Profile.SMOKE, blobs, Audience.MARKER)
    assert faults(html) == []
    said = Page(html).words
    todo = said[said.index("To look at") : said.index("answer found in")]
    assert todo.index("Q2: What a shortcut computes") < todo.index("To be confirmed: Q1, Q3")
    assert "Q1: What a shortcut computes" not in todo
    assert "22.5 of 40 suggested" in todo
    assert "Unconfirmed" not in said, "the figures of a verdict are not its book-keeping"


def test_a_student_sees_one_kind_of_open_mark(waiting: SubmissionResult, blobs: Blobs) -> None:
    seen = shown(results(waiting), Audience.STUDENT).submissions[0]
    html = submission_page(seen, Profile.SMOKE, blobs, Audience.STUDENT)
    assert "To be confirmed" not in html and "ben.ipynb" not in html
    assert "Q1: What a shortcut computes" in Page(html).words


def test_the_class_page_and_the_terminal_count_the_two_kinds_apart(
    waiting: SubmissionResult, blobs: Blobs
) -> None:
    html = class_page(results(waiting), ["pages/anna.html"], Audience.MARKER, "answers.csv")
    assert faults(html) == []
    said = Page(html).words
    assert "Of these to confirm40" in said and "(20 unsure)" in said
    assert line(waiting).plain.endswith("to be looked at, 60 marks open, 40 of them only to be confirmed")


def test_answers_csv_holds_each_answer_once_and_no_formula(
    waiting: SubmissionResult, tmp_path: Path, blobs: Blobs
) -> None:
    written = write(results(waiting), tmp_path, blobs)
    assert written.answers is not None
    text = written.answers.read_text("utf-8-sig")
    assert text.splitlines()[0] == (
        "assignment,question,submission,answer,suggested,out_of,mark,state,confidence,criterion"
    )
    assert 'image-classification-cnn,q1,anna.ipynb,"\'=SUM(A1) first\nline two",18,20,,confirm,0.90,' in text
    assert "q2,anna.ipynb,second,9,20,,review,0.90," in text
    assert write(results(waiting), tmp_path / "other", blobs, answers=False).answers is None
