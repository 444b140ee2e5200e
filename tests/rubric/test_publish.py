"""A rubric for students: nothing of the answers in it, and a self-check that works with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import yaml

from grader.checks.base import State
from grader.engine import Options, check
from grader.errors import RubricError, UsageError
from grader.rubric.lint import lint
from grader.rubric.loader import load, load_all
from grader.rubric.publish import public, publish

ROOT = Path(__file__).parents[2]
RUBRICS = sorted((ROOT / "rubrics").glob("*.yaml"))


def strings(value: object) -> list[str]:
    """All texts within plain data."""
    if isinstance(value, dict):
        return [s for v in value.values() for s in strings(v)]
    if isinstance(value, list):
        return [s for v in value for s in strings(v)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("rubric", RUBRICS, ids=lambda p: p.stem)
def test_no_statement_number_or_hidden_criterion_of_a_real_rubric_is_published(
    rubric: Path, tmp_path: Path
) -> None:
    text = public(rubric)
    (out := tmp_path / rubric.name).write_text(text)
    full, shown = load(rubric), load(out, check_references=False)
    assert not [f for f in lint([out]) if f.severity == "error"]
    assert [(q.id, q.title, q.prompt) for q in shown.questions] == [
        (q.id, q.title, q.prompt) for q in full.questions
    ]
    raw = yaml.safe_load(rubric.read_text())
    said = set(strings(yaml.safe_load(text)))
    answers = {
        s
        for q in raw["questions"]
        for c in q["criteria"]
        if c["check"] == "key_points"
        for s in strings(c["points"])
        if len(s.split()) > 2
    }
    assert len(answers) > 50, "there are points to withhold"
    allowed = set(strings([[c.says, c.hint] for q in full.questions for c in q.criteria]))
    asked = " ".join(q.prompt for q in full.questions)
    assert not [s for s in (answers & said) - allowed if s not in asked]
    assert "reference:" not in text and "hidden" not in text and "expect:" not in text
    for q, other in zip(full.questions, shown.questions, strict=True):
        kept = [c for c in q.criteria if not c.hidden]
        assert [(c.title(), c.marks) for c in other.criteria] == [(c.title(), c.marks) for c in kept]
        assert other.marks == sum(c.marks for c in kept)


def test_more_kinds_can_be_withheld_and_unknown_ones_are_named() -> None:
    rubric = ROOT / "rubrics" / "image-classification-cnn.yaml"
    assert "44426" in public(rubric)
    text = public(rubric, ["parameters", "layers"])
    assert "44426" not in text and "61706" not in text and "of: layers" in text
    with pytest.raises(UsageError, match=r"no such check: 'layer'.*layers"):
        public(rubric, ["layer"])


def test_a_teachers_rubric_is_not_replaced_and_a_wrong_one_not_published(tmp_path: Path) -> None:
    rubrics = tiny.assignment(tmp_path, references=False)
    file = rubrics / "tiny-sums.yaml"
    with pytest.raises(UsageError, match="teacher's rubric"):
        publish(file, file)
    assert file.read_text() == tiny.RUBRIC
    file.write_text(tiny.RUBRIC.replace("expect: 55", "expcet: 55"))
    with pytest.raises(RubricError, match="expcet"):
        publish(file, tmp_path / "out" / "tiny.yaml")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_self_check_with_the_published_rubric_judges_code_and_leaves_the_rest_to_the_teacher(
    tmp_path: Path,
) -> None:
    rubrics = tiny.assignment(tmp_path, references=False)
    publish(rubrics / "tiny-sums.yaml", tmp_path / "public" / "tiny-sums.yaml")
    assert [a.id for a in load_all(tmp_path / "public", check_references=False)] == ["tiny-sums"]
    notebook = tiny.notebook(tmp_path / "bad.ipynb", tiny.BAD)
    results = check(notebook, Options(rubrics=tmp_path / "public", store=tmp_path / "store"))
    (bad,) = results.submissions
    found = {c.title: (c.state, c.reason) for q in bad.questions for c in q.criteria}
    assert found["The program runs"][0] is State.LOST
    state, reason = found["The number of edges"]
    assert state is State.UNGRADED and "Your teacher marks it" in reason
    assert bad.out_of == 9 and bad.open_marks == 7
