from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, lenet
from pydantic import Field

from grader.checks.base import Case, Check, Criterion, State, Verdict, earned, lost, partial, registered
from grader.errors import GraderError
from grader.evidence.model import Profile, RunState
from grader.results import SubmissionResult
from grader.rubric.model import Assignment, Question
from grader.scoring import mark
from grader.submission.model import Alignment, Answer


class Fixed(Criterion):
    gives: float = 1.0
    fails: bool = Field(False)


def _judge(c: Fixed, case: Case) -> Verdict:
    if c.fails:
        raise GraderError("a bug")
    return partial(c, c.gives, "as told")


FIXED: dict[str, Check[Any]] = {"fixed": Check("fixed", Fixed, _judge)}


def fixed(marks: float, gives: float = 1.0, **more: Any) -> Fixed:
    return Fixed(check="fixed", marks=marks, gives=gives, **more)


def grade(
    *criteria: Criterion, confidence: float = 1.0, nb: Notebook | None = None, **more: Any
) -> SubmissionResult:
    nb = nb or Notebook().code("x = 1", "1\n")
    question = Question(id="q1", title="One", marks=sum(c.marks for c in criteria), criteria=criteria)
    assignment = Assignment(id="a", title="A", questions=(question,))
    answer = Answer(question="q1", pieces=tuple(range(len(nb.pieces))), confidence=confidence)
    alignment = Alignment(assignment="a", answers=(answer,), fit=1.0)
    more.setdefault("checks", FIXED)
    execution = more.pop("execution", nb.execution())
    return mark(nb.submission(), assignment, alignment, execution, profile=Profile.SMOKE, **more)


def test_marks_add_up() -> None:
    r = grade(fixed(4), fixed(4, 0.5), fixed(2, 0))
    assert (r.mark, r.out_of, r.state, r.open_marks) == (6, 10, "graded", 0)
    assert r.questions[0].state is State.PARTIAL
    assert [c.state for c in r.questions[0].criteria] == [State.EARNED, State.PARTIAL, State.LOST]


def test_what_is_lost_in_an_unsure_match_is_for_a_person() -> None:
    r = grade(fixed(4), fixed(4, 0), confidence=0.4)
    assert [c.state for c in r.questions[0].criteria] == [State.EARNED, State.REVIEW]
    assert (r.mark, r.state, r.open_marks) == (4, "review", 4)
    assert "unsure (40%)" in r.questions[0].criteria[1].reason


def test_a_check_that_fails_is_ungraded_and_its_message_is_private() -> None:
    r = grade(fixed(4), fixed(4, fails=True))
    broken = r.questions[0].criteria[1]
    assert (broken.state, broken.mark, broken.private) == (State.UNGRADED, 0, "GraderError: a bug")
    assert "a bug" not in broken.reason
    assert (r.state, r.mark, r.open_marks) == ("ungraded", 4, 4)


def test_a_check_that_is_not_installed_is_ungraded() -> None:
    assert grade(fixed(4), checks={}).state == "ungraded"


def test_a_self_check_leaves_hidden_criteria_out_of_both_sides() -> None:
    r = grade(fixed(4), fixed(6, 0, hidden=True), public_only=True)
    assert (r.mark, r.out_of) == (4, 4)
    assert [c.hidden for c in r.questions[0].criteria] == [False]
    r = grade(fixed(4), fixed(6, 0, hidden=True))
    assert (r.mark, r.out_of) == (4, 10)


def test_a_check_cannot_give_more_than_its_marks() -> None:
    def generous(c: Criterion, case: Case) -> Verdict:
        return earned(c, "all of it").model_copy(update={"mark": 99.0})

    assert grade(fixed(4), checks={"fixed": Check("fixed", Fixed, generous)}).mark == 4


def test_the_hint_of_the_rubric_reaches_the_report() -> None:
    def stern(c: Criterion, case: Case) -> Verdict:
        return lost(c, "no")

    checks = {"fixed": Check("fixed", Fixed, stern)}
    assert grade(fixed(4, hint="look again"), checks=checks).questions[0].criteria[0].hint == "look again"


def test_cells_are_counted_from_one_with_fresh_output_and_error() -> None:
    nb = (
        Notebook()
        .text("Answer")
        .code("print(1)", "1\n")
        .code("1 / 0", error=("ZeroDivisionError", "division by zero"))
    )
    cells = grade(fixed(1), nb=nb).questions[0].cells
    assert [(c.cell, c.kind, c.state) for c in cells] == [
        (1, "markdown", ""),
        (2, "code", "ok"),
        (3, "code", "failed"),
    ]
    assert cells[1].output == "1\n"
    assert cells[2].error == "ZeroDivisionError: division by zero"


def test_long_output_is_cut_in_the_middle() -> None:
    nb = Notebook().code("spam()", "a" * 50_000 + "END")
    shown = grade(fixed(1), nb=nb).questions[0].cells[0].output
    assert len(shown) < 7_000 and shown.endswith("END") and "left out" in shown


def test_a_failed_worker_leaves_everything_open_and_says_so() -> None:
    nb = Notebook().code("x = 1", run=False)
    criterion = registered()["runs"].criterion(check="runs", marks=4)
    r = grade(
        criterion,
        nb=nb,
        checks=registered(),
        execution=nb.execution(state="worker_failed", reason="no memory"),
    )
    assert (r.state, r.mark, r.open_marks) == ("ungraded", 0, 4)
    assert "no memory" in r.reason


def test_a_question_that_was_not_aligned_is_for_a_person() -> None:
    nb = Notebook().code("x = 1")
    question = Question(id="q1", title="One", marks=1, criteria=(fixed(1, 0),))
    alignment = Alignment(assignment="a", answers=(), fit=1.0)
    assignment = Assignment(id="a", title="A", questions=(question,))
    r = mark(nb.submission(), assignment, alignment, nb.execution(), profile=Profile.SMOKE, checks=FIXED)
    assert r.state == "review"


@pytest.mark.parametrize("state", list(RunState))
def test_scoring_is_a_pure_function(state: RunState) -> None:
    nb = Notebook().code("net = LeNet()\nnet.fit()", state=state).model(parameters=44426, layers=lenet())
    kinds = registered()
    criteria = (
        kinds["runs"].criterion(check="runs", marks=2),
        kinds["parameters"].criterion(check="parameters", marks=2, any_of=(44426,)),
    )
    first, second = (grade(*criteria, nb=nb, checks=kinds) for _ in range(2))
    assert first == second
    assert SubmissionResult.model_validate_json(first.model_dump_json()) == first
