from __future__ import annotations

import io

from rich.console import Console, RenderableType

from grader.report import Audience, line, table
from grader.results import SubmissionResult

from .conftest import Blobs
from .test_html import hostile


def printed(what: RenderableType, width: int = 140) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False, color_system=None).print(what)
    return out.getvalue()


def test_a_student_sees_state_reason_and_hint_but_no_hidden_criterion(rich: SubmissionResult) -> None:
    said = " ".join(printed(table(rich)).split())
    for part in (
        "Q6 LeNet-5 on MNIST",
        "◐ partly earned",
        "? to be looked at",
        "✗ not earned",
        "Hint: Print the time",
    ):
        assert part in said
    assert "Test accuracy" not in said and "28.5 of 76 marks" in said
    assert "Isolation is weak on this system: no limit on memory" in said
    assert "Stand-ins were used" in said


def test_a_marker_sees_hidden_criteria_and_an_unjudged_one_is_no_zero(rich: SubmissionResult) -> None:
    assert "– / 4   – not judged" in printed(table(rich, Audience.MARKER))


def test_a_line_for_each_submission(rich: SubmissionResult) -> None:
    assert line(rich).plain.split() == [
        "?", "anna-lindqvist_hw3.ipynb", "28.5", "/", "80", "to", "be", "looked", "at,", "7", "marks", "open",
    ]  # fmt: skip
    broken = SubmissionResult(file="x/broken.ipynb", state="unreadable", reason="not JSON:\nline 3")
    assert line(broken).plain.split(maxsplit=2) == ["✗", "broken.ipynb", "unreadable  not JSON: line 3"]


def test_a_students_text_can_neither_colour_the_terminal_nor_move_its_cursor(blobs: Blobs) -> None:
    bad = hostile("[red]x\x1b[2J\x1b]0;t\x07\u202e[link=a]", blobs)
    for said in (printed(table(bad, Audience.MARKER), 200), printed(line(bad), 200)):
        assert "\x1b" not in said and "\x07" not in said and "\u202e" not in said
    assert "[red]x␛[2J" in printed(line(bad), 200)
