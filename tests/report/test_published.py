from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import jsonschema
import pytest

from grader.checks.base import State
from grader.report.published import grades_csv, results_json, safe_cell, schema
from grader.results import CriterionResult, Results, SubmissionResult

from .conftest import question, results, submission

ROOT = Path(__file__).parents[2]


def test_the_schema_in_the_docs_is_that_of_the_model() -> None:
    written = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
    assert written == schema(), "python -m grader.report > docs/results.schema.json"
    jsonschema.Draft202012Validator.check_schema(written)


def test_results_json_fits_its_schema_and_reads_back(rich: SubmissionResult) -> None:
    unread = SubmissionResult(file="broken.ipynb", state="unreadable", reason="not JSON")
    text = results_json(results(rich, unread))
    document = json.loads(text)
    jsonschema.validate(document, schema())
    back = Results.model_validate(document)
    assert [s.mark for s in back.submissions] == [28.5, 0.0]
    assert document["schema"] == "grader/results/1"
    q6 = document["submissions"][0]["questions"][1]
    assert q6["criteria"][1]["evidence"]["parameters"] == 43746
    assert q6["cells"][0]["cell"] == 7
    assert "source" not in q6["cells"][0] and "Test accuracy: 98.5" not in json.dumps(q6["cells"])


def test_a_results_file_that_lacks_a_key_does_not_fit_the_schema(rich: SubmissionResult) -> None:
    document = json.loads(results_json(results(rich)))
    del document["submissions"][0]["questions"][0]["confidence"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())


def test_figures_that_json_cannot_hold_do_not_break_the_file(rich: SubmissionResult) -> None:
    np = pytest.importorskip("numpy")
    odd = {"loss": math.nan, "rate": math.inf, "where": Path("a/b"), "n": np.int64(3), "lone": "\ud83d"}
    c = CriterionResult(
        check="runs", title="x", mark=1, out_of=1, state=State.EARNED, reason="r", evidence=odd
    )
    text = results_json(results(submission("a.ipynb", (question("q1", "One", 1, c),))))
    text.encode("utf-8")
    evidence = json.loads(text)["submissions"][0]["questions"][0]["criteria"][0]["evidence"]
    assert evidence == {"loss": None, "rate": None, "where": "a/b", "n": 3, "lone": "?"}


def test_grades_have_one_row_a_submission_and_a_column_a_question(rich: SubmissionResult) -> None:
    unread = SubmissionResult(file="broken.ipynb", state="unreadable", reason="not JSON")
    rows = list(csv.DictReader(io.StringIO(grades_csv(results(rich, unread)))))
    assert list(rows[0]) == [
        "file",
        "assignment",
        "mark",
        "out_of",
        "state",
        "open_marks",
        "q5",
        "q6",
        "q9",
        "q10",
    ]
    assert (rows[0]["mark"], rows[0]["out_of"], rows[0]["open_marks"], rows[0]["q6"]) == (
        "28.5",
        "80",
        "7",
        "8.5",
    )
    assert rows[1]["state"] == "unreadable" and rows[1]["q5"] == ""


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"]
)
def test_a_file_name_is_never_a_formula(name: str) -> None:
    rows = list(csv.reader(io.StringIO(grades_csv(results(SubmissionResult(file=name, state="unreadable"))))))
    assert len(rows) == 2
    assert rows[1][0].startswith("'") or rows[1][0][0] in "␉␍"


def test_an_ordinary_name_stays_as_it_is() -> None:
    assert safe_cell("hw3 (1) - final.ipynb") == "hw3 (1) - final.ipynb"
