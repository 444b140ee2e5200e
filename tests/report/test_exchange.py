from __future__ import annotations

from xml.etree import ElementTree as ET

from grader.checks.base import State
from grader.report import gradescope, junit
from grader.results import CriterionResult, SubmissionResult

from .conftest import question, results, submission


def test_junit_fails_exactly_the_criteria_that_were_not_earned(rich: SubmissionResult) -> None:
    root = ET.fromstring(junit(results(rich)))
    failed = {c.get("name") for c in root.iter("testcase") if c.find("failure") is not None}
    passed = {c.get("name") for c in root.iter("testcase")} - failed
    assert passed == {
        "1. The code runs (runs)",
        "1. Both curves over epochs, with labels and a legend (figure)",
    }
    assert root.get("tests") == "9" and root.get("failures") == "7" and root.get("errors") == "0"
    one = next(c for c in root.iter("testcase") if c.get("name", "").startswith("2. Two"))
    assert one.get("classname") == "image-classification-cnn.q6"
    assert "3×3" in (one.find("failure").get("message") or "")  # type: ignore[union-attr]


def test_junit_survives_characters_that_xml_cannot_hold() -> None:
    c = CriterionResult(
        check="runs",
        title="\x00<]]>\x1b",
        mark=0,
        out_of=1,
        state=State.LOST,
        reason="\x0b&\ufffe",
        evidence={"a": "\x01"},
    )
    unread = SubmissionResult(file="b\x02.ipynb", state="unreadable", reason="\x03")
    root = ET.fromstring(junit(results(submission("a.ipynb", (question("q1", "One", 1, c),)), unread)))
    assert root.get("failures") == "1" and root.get("errors") == "1"


def test_gradescope_gets_every_criterion_and_no_score_for_an_open_one(rich: SubmissionResult) -> None:
    made = gradescope(rich)
    tests = {t["number"]: t for t in made["tests"]}
    assert made["score"] == 28.5 and len(tests) == 9
    assert tests["q6.1"] == {
        "name": "LeNet-5 on MNIST: The code runs",
        "number": "q6.1",
        "max_score": 4,
        "output": "All three cells ran without an error in 14 s.",
        "output_format": "text",
        "visibility": "visible",
        "score": 4,
        "status": "passed",
    }
    assert "score" not in tests["q6.3"] and "score" not in tests["q6.4"]
    assert tests["q6.4"]["visibility"] == "hidden"
    assert tests["q6.5"]["status"] == "failed"
    assert "7 marks are still open" in made["output"]
    assert "similarity of 0.41" not in str(made)
