from __future__ import annotations

from handmade import Notebook, predicted

from grader.checks.base import Check, Criterion, State, Verdict
from grader.checks.claims import claim_table, claims
from grader.evidence.model import Profile
from grader.report import Audience, shown_submission
from grader.report.html import submission_page
from grader.rubric.model import Assignment, Question
from grader.scoring import mark
from grader.submission import Alignment, Answer

QUESTION = Question(id="q1", title="Training", marks=1, criteria=(Criterion(check="any", marks=1),))


def test_stated_figures_stand_beside_the_measured_ones() -> None:
    prediction, labels = predicted(965, 1000)
    nb = Notebook().text(
        "The network has 44,426 parameters; test accuracy is **99.1%**, training took 3 minutes."
    )
    nb.code("train()", "Test accuracy: 96.2%\nTest accuracy: 80.0%\nTraining time: 999 s", seconds=20)
    nb.data("mnist", size=1000).model(parameters=61706, predictions=(prediction,))
    found = [(c.what, c.figure.digits, c.outcome) for c in claims(nb.case(labels=labels))]
    assert found == [
        ("test accuracy", "96.2", "agrees"),
        ("test accuracy", "80.0", "differs"),
        ("test accuracy", "99.1", "cannot be checked"),  # the author's own run was longer
        ("training time", "999", "differs"),
        ("training time", "3", "cannot be checked"),
        ("parameters", "44,426", "differs"),
    ]
    table = claim_table(nb.case(labels=labels))
    assert table is not None and table.marked == (1, 3, 5)
    assert table.rows[0] == (
        "test accuracy",
        "cell 2, output",
        "96.2 %",
        "96.5% of 1,000 held-out images",
        "agrees",
        "",
    )
    assert table.rows[2][-1] == "in no output, fresh or saved"  # 99.1 %


def test_without_evidence_nothing_agrees() -> None:
    nb = Notebook().text("Test accuracy 99.1%, 44,426 parameters").code("train()", run=False)
    assert {c.outcome for c in claims(nb.case(execution=None))} == {"cannot be checked"}
    assert claim_table(Notebook().text("nothing").case()) is None


def test_what_the_author_s_saved_output_says_is_a_claim_too() -> None:
    prediction, labels = predicted(965, 1000)
    nb = Notebook().text("In my run the test accuracy was 98.87%.")
    nb.code("train()", "Test accuracy: 96.2%", saved="Test accuracy: 91.0%\nTest accuracy: 98.87%\n")
    nb.data("mnist", size=1000).model(parameters=61706, predictions=(prediction,))
    found = claims(nb.case(labels=labels))
    assert [(c.figure.digits, c.figure.saved, c.outcome, c.remark) for c in found] == [
        ("96.2", False, "agrees", ""),
        ("98.87", False, "cannot be checked", ""),  # the text, borne out by the saved output
        ("98.87", True, "cannot be checked", ""),
    ]
    table = claim_table(nb.case(labels=labels))
    assert table is not None
    assert "for the marker" not in table.header
    assert table.rows[-1][1] == "cell 2, saved output"


def test_a_typed_figure_is_remarked_to_the_marker_alone() -> None:
    nb = Notebook().code('print("Test accuracy: 99.20%")', "Test accuracy: 99.20%")
    (claim,) = claims(nb.case())
    assert claim.remark == "stands as a literal in the code"
    table = claim_table(nb.case())
    assert table is not None and table.header[-1] == "for the marker"
    result = mark(
        nb.submission(),
        Assignment(id="a", title="A", questions=(QUESTION,)),
        Alignment(assignment="a", answers=(Answer(question="q1", pieces=(0,)),), fit=1),
        nb.execution(),
        profile=Profile.SMOKE,
        checks={
            "any": Check("any", Criterion, lambda c, _: Verdict(state=State.EARNED, mark=1, reason="Yes."))
        },
    )
    for audience, seen in ((Audience.MARKER, True), (Audience.STUDENT, False)):
        page = submission_page(shown_submission(result, audience), Profile.SMOKE, lambda _: b"", audience)
        assert "Stated and measured" in page and "99.20 %" in page
        assert ("stands as a literal" in page) is seen
