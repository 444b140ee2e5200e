"""What a terminal shows while submissions are graded, and after."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from grader.checks.base import State
from grader.console import Bars, summary, verified, warn_isolation
from grader.engine import Event, Stage
from grader.evidence.model import Isolation, IsolationLevel, Profile
from grader.report import Written
from grader.results import CriterionResult, QuestionResult, Results, SubmissionResult


def a_console(*, terminal: bool, width: int = 100) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=terminal, width=width, color_system=None, legacy_windows=False
    )


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def submission(file: str, **more: object) -> SubmissionResult:
    question = QuestionResult(id="q1", title="Sums", mark=3, out_of=6, state=State.PARTIAL, confidence=1.0)
    given = {
        "file": file,
        "mark": 3.0,
        "out_of": 6.0,
        "state": "graded",
        "questions": (question,),
        "executed": True,
    }
    return SubmissionResult.model_validate(given | more)


def results(*submissions: SubmissionResult) -> Results:
    return Results(
        schema="grader/results/1", profile=Profile.SMOKE, isolation="namespaces", submissions=submissions
    )


def test_without_a_terminal_each_submission_is_one_line_when_it_ends() -> None:
    console = a_console(terminal=False)
    with Bars(console) as bars:
        bars(Event("class/a.ipynb", Stage.WAITING, total=3))
        bars(Event("class/b.ipynb", Stage.UNREADABLE))
        bars(Event("class/c.ipynb", Stage.STORED))
        bars(Event("class/a.ipynb", Stage.RUNNING, 1, 3))
        bars(Event("class/a.ipynb", Stage.DONE))
    assert said(console).splitlines() == ["b.ipynb: unreadable", "a.ipynb: done"]


def test_a_terminal_shows_each_submissions_state_and_the_whole() -> None:
    with Bars(a_console(terminal=True)) as bars:
        for name in ("a.ipynb", "b.ipynb", "c.ipynb"):
            bars(Event(name, Stage.WAITING, total=4))
        bars(Event("a.ipynb", Stage.RUNNING, 3, 4))
        bars(Event("a.ipynb", Stage.DONE))
        bars(Event("b.ipynb", Stage.RUNNING))
        bars(Event("b.ipynb", Stage.RUNNING, 1, 4))
        whole, a, b, c = frame(bars).splitlines()
    assert "a.ipynb" in a and "done" in a
    assert "b.ipynb" in b and "cell 2 of 4" in b
    assert "c.ipynb" in c and "waiting" in c
    assert "1 of 3 done, 1 waiting" in whole and "left" in whole


def test_of_a_large_class_only_those_at_work_have_a_line() -> None:
    with Bars(a_console(terminal=True)) as bars:
        for n in range(100):
            bars(Event(f"{n}.ipynb", Stage.WAITING, total=4))
        for n in (7, 8):
            bars(Event(f"{n}.ipynb", Stage.RUNNING, 1, 4))
        bars(Event("7.ipynb", Stage.DONE))
        lines = frame(bars).splitlines()
    assert len(lines) == 2
    assert "1 of 100 done, 98 waiting" in lines[0] and "8.ipynb" in lines[1]


def test_what_comes_from_the_store_is_not_waited_for() -> None:
    with Bars(a_console(terminal=True)) as bars:
        bars(Event("a.ipynb", Stage.STORED))
        assert frame(bars).strip() == ""
        bars(Event("b.ipynb", Stage.WAITING, total=4))
        assert "0 of 1 done, 1 waiting" in frame(bars)


def test_a_name_with_markup_or_control_characters_is_only_text() -> None:
    with Bars(a_console(terminal=True)) as bars:
        bars(Event("[red]x\x1b[2J.ipynb", Stage.RUNNING, 1, 4))
        shown = frame(bars)
    assert "[red]x" in shown and "\x1b[2J" not in shown


def frame(bars: Bars) -> str:
    """What the terminal shows now."""
    console = a_console(terminal=False, width=140)
    console.print(bars.shown())
    return said(console)


REPORT = Written(Path("reports/index.html"), (), Path("reports/results.json"), Path("reports/grades.csv"))


def test_the_summary_tells_executed_from_stored() -> None:
    console = a_console(terminal=False)
    summary(results(submission("a.ipynb"), submission("b.ipynb", executed=False)), REPORT, console)
    assert "1 executed, 1 from the store." in said(console)
    console = a_console(terminal=False)
    summary(results(submission("b.ipynb", executed=False)), REPORT, console)
    assert "Nothing was executed: the evidence of all 1 came from the store." in said(console)


def test_a_line_of_the_summary_is_one_line_however_narrow_the_output() -> None:
    console = a_console(terminal=False, width=40)
    summary(results(submission("a.ipynb", state="review", open_marks=2.5)), REPORT, console)
    assert said(console).splitlines()[0].endswith("to be looked at, 2.5 marks open")


def test_weak_isolation_is_told_once_with_what_is_missing() -> None:
    weak = Isolation(level=IsolationLevel.LANDLOCK, missing=("the network is not cut off",))
    found = results(submission("a.ipynb", isolation=weak), submission("b.ipynb", isolation=weak))
    console = a_console(terminal=False)
    warn_isolation(found.model_copy(update={"isolation": "landlock"}), console)
    assert said(console) == "Weak isolation (landlock): the network is not cut off.\n"
    console = a_console(terminal=False)
    strong = Isolation(level=IsolationLevel.NAMESPACES)
    warn_isolation(results(submission("a.ipynb", isolation=strong), submission("b.ipynb")), console)
    assert said(console) == ""


def test_verify_names_what_its_reference_did_not_earn() -> None:
    lost = CriterionResult(
        check="runs", title="The code runs", mark=0, out_of=2, state=State.LOST, reason="NameError in cell 3"
    )
    kept = CriterionResult(
        check="code", title="It sums", mark=2, out_of=2, state=State.EARNED, reason="sum is called"
    )
    question = QuestionResult(
        id="q1", title="Sums", mark=2, out_of=4, state=State.PARTIAL, confidence=1.0, criteria=(lost, kept)
    )
    console = a_console(terminal=False, width=40)
    verified(results(submission("reference of x", assignment="x", questions=(question,))), console)
    assert said(console).splitlines()[1:] == [
        "  x q1 runs (The code runs): lost, 0 of 2: NameError in cell 3"
    ]
