"""Nothing false is found in references and samples; the criterion; the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from handmade import Notebook, lenet
from teaching import KERAS, TORCH, changed

from grader.checks.base import Case, State
from grader.checks.mistake import CHECK, NoMistake, judge
from grader.checks.mistakes.registry import KINDS, MISTAKES, found, search
from grader.evidence.model import Piece, Profile
from grader.report.audience import Audience, shown
from grader.report.html import submission_page
from grader.report.published import results_json
from grader.results import Results
from grader.rubric.loader import load
from grader.rubric.model import Assignment, Question
from grader.scoring import mark
from grader.submission.align import align
from grader.submission.model import Alignment, Answer
from grader.submission.read import read

ROOT = Path(__file__).parents[3]
UNZEROED = changed(TORCH, ("        optimizer.zero_grad()\n", ""))
TRUE = {("wrong-architecture", "q7"): ["last_layer_misfit"]}
"""What the samples do wrong: that one sets ``out_features`` on a layer that exists."""


def static(pieces: tuple[Piece, ...], answer: Answer) -> Case:
    return Case(
        question=answer.question,
        prompt="",
        profile=Profile.SMOKE,
        pieces=pieces,
        answer=answer,
        execution=None,
    )


@pytest.mark.parametrize("file", sorted((ROOT / "reference").glob("*/*.py")), ids=lambda p: p.stem)
def test_references_make_no_mistakes(file: Path) -> None:
    pieces = read(file).pieces
    case = static(pieces, Answer(question=file.stem, pieces=tuple(range(len(pieces)))))
    assert [m for kind in MISTAKES for m in search(kind, case)] == []


@pytest.mark.parametrize("file", sorted((ROOT / "submissions").glob("*.ipynb")), ids=lambda p: p.stem)
def test_samples_make_only_the_mistakes_that_they_make(file: Path) -> None:
    submission = read(file)
    assignments = [load(p) for p in sorted((ROOT / "rubrics").glob("*.yaml"))]
    best = max((align(submission, a) for a in assignments), key=lambda a: a.fit)
    for answer in best.answers:
        case = static(submission.pieces, answer)
        names = [m.name for kind in MISTAKES for m in search(kind, case)] if case.code else []
        assert names == TRUE.get((file.stem, answer.question), [])


def test_every_mistake_has_its_words() -> None:
    assert len(MISTAKES) == len(KINDS) >= 20
    for kind in KINDS:
        assert kind.title and kind.hint.endswith((".", "?")) and kind.why.endswith(".")
        assert not any(sign in kind.hint for sign in ("(", "`", "=")), "a hint gives no code away"


# ---------------------------------------------------------------- the criterion

ZEROED = NoMistake(check="mistake", marks=2, none_of=("gradients_never_zeroed",))


def test_none_found_where_a_model_was_trained_earns() -> None:
    verdict = judge(ZEROED, Notebook().code(TORCH).model(layers=lenet()).case())
    assert (verdict.state, verdict.mark) == (State.EARNED, 2)


def test_one_found_loses_with_its_line() -> None:
    verdict = judge(ZEROED, Notebook().code(UNZEROED).model(layers=lenet()).case())
    assert (verdict.state, verdict.mark) == (State.LOST, 0)
    assert verdict.quotes[0].text == "loss.backward()"
    assert verdict.evidence["found"] == ["gradients_never_zeroed"]


def test_one_that_only_seems_to_be_there_is_for_a_person() -> None:
    c = NoMistake(check="mistake", marks=2, none_of=("diverging_learning_rate",))
    nb = Notebook().code(KERAS, "Epoch 1\nloss: nan\n").model(layers=lenet())
    assert judge(c, nb.case()).state is State.REVIEW


@pytest.mark.parametrize(
    ("notebook", "state"),
    [
        (Notebook(), State.LOST),
        (Notebook().text("I forgot."), State.LOST),
        (Notebook().code("print('nothing is trained here')"), State.LOST),
        (Notebook().code(TORCH, error=("ValueError", "no")), State.LOST),
        (
            Notebook().code(TORCH, error=("ModuleNotFoundError", "No module named 'lightning'")),
            State.UNGRADED,
        ),
        (Notebook().code("Trainer().fit(net)").model(layers=lenet()), State.REVIEW),
    ],
)
def test_missing_evidence_is_never_a_mark(notebook: Notebook, state: State) -> None:
    assert judge(ZEROED, notebook.case()).state is state
    assert judge(ZEROED, notebook.case(execution=None)).state in (State.UNGRADED, State.LOST)


@pytest.mark.parametrize("name", ["pixels_not_scaled", "normalisation_differs", "diverging_learning_rate"])
def test_what_the_run_did_not_show_is_no_mark(name: str) -> None:
    c = NoMistake(check="mistake", marks=2, none_of=(name,))
    nb = Notebook().code(TORCH).model(layers=lenet(), measured=False, problem="refused")
    assert judge(c, nb.case()).state is State.REVIEW


def test_a_name_that_is_not_known_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="gradients_never_zeroed"):
        NoMistake(check="mistake", marks=2, none_of=("gradient_never_zeroed",))


# ---------------------------------------------------------------- feedback


def graded(source: str) -> Results:
    nb = Notebook().code(source).model(layers=lenet())
    question = Question(id="q1", title="LeNet-5", marks=2, criteria=(ZEROED,))
    assignment = Assignment(id="a", title="A", questions=(question,))
    alignment = Alignment(assignment="a", fit=1.0, answers=(Answer(question="q1", pieces=(0,)),))
    result = mark(
        nb.submission(),
        assignment,
        alignment,
        nb.execution(),
        profile=Profile.SMOKE,
        checks={"mistake": CHECK},
    )
    return Results(
        schema="grader/results/1", profile=Profile.SMOKE, isolation="namespaces", submissions=(result,)
    )


@pytest.mark.parametrize("audience", list(Audience))
def test_a_report_says_what_is_worth_knowing(audience: Audience) -> None:
    results = shown(graded(UNZEROED), audience)
    page = submission_page(results.submissions[0], "smoke", lambda _: b"", audience)
    said = MISTAKES["gradients_never_zeroed"]
    for words in ("Worth knowing", said.title, said.why, said.hint):
        assert words in page
    assert '"name": "gradients_never_zeroed"' in results_json(results)


def test_a_good_answer_has_no_such_list() -> None:
    results = graded(TORCH)
    assert results.submissions[0].questions[0].feedback == ()
    assert "Worth knowing" not in submission_page(
        results.submissions[0], "smoke", lambda _: b"", Audience.MARKER
    )


def test_a_search_that_fails_does_not_stop_the_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    import grader.checks.mistakes.pytorch as pytorch

    def broken(case: Case) -> list[object]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(pytorch, "trainings", broken)
    assert found(Notebook().code(UNZEROED).case(execution=None)) == ()
    assert graded(UNZEROED).submissions[0].questions[0].criteria[0].state is State.UNGRADED
