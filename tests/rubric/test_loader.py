from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from grader.checks.parameters import Parameters
from grader.errors import RubricError
from grader.rubric.loader import load, load_all, read

GOOD = """\
id: small
title: A small rubric
questions:
  - id: q1
    title: LeNet-5
    marks: 5
    prompt: Implement LeNet-5.
    reference: q01.py
    criteria:
      - {check: runs, marks: 2, hint: run it}
      - check: parameters
        marks: 3
        any_of: [61706, 44426]
"""


def write(tmp_path: Path, text: str = GOOD, reference: bool = True) -> Path:
    rubrics = tmp_path / "rubrics"
    rubrics.mkdir(exist_ok=True)
    path = rubrics / "small.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    if reference:
        folder = tmp_path / "reference" / "small"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "q01.py").write_text("x = 1\n")
    return path


def said(tmp_path: Path, old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(RubricError) as error:
        load(write(tmp_path, GOOD.replace(old, new)))
    return str(error.value)


def test_a_good_rubric_is_loaded_with_the_models_of_its_checks(tmp_path: Path) -> None:
    path = write(tmp_path)
    a = load(path)
    assert (a.id, a.marks, a.path) == ("small", 5, path)
    criterion = a.questions[0].criteria[1]
    assert isinstance(criterion, Parameters) and criterion.any_of == (61706, 44426)
    assert (a.reference_folder / "q01.py").is_file()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("any_of:", "any_off:", 13, "any_off: unknown key; did you mean any_of?"),
        ("check: parameters", "check: parameter", 11, "no such check: 'parameter'; did you mean parameters?"),
        ("marks: 3", "marks: three", 12, "marks: input should be a valid number, got 'three'"),
        ("marks: 3", "marks: '3'", 12, "marks: input should be a valid number, got '3'"),
        ("marks: 3", "marks: 0", 12, "marks: input should be greater than 0"),
        ("marks: 5", "marks: 6", 6, "the question has 6 marks, its criteria add up to 5"),
        ("[61706, 44426]", "[61706, many]", 13, "any_of[1]: input should be a valid integer, got 'many'"),
        ("title: LeNet-5", "titel: LeNet-5", 5, "titel: unknown key; did you mean title?"),
        ("id: small\n", "", 1, "id: this key is missing"),
        ("prompt: Implement", "marks: 5\n    prompt: Implement", 7, "this key already stands in line 6"),
        ("        any_of: [61706, 44426]\n", "", 11, "any_of or plus_per_class is needed"),
        ("q01.py", "q02.py", 8, "q02.py is not in"),
        ("questions:", "path: x\nquestions:", 3, "path: unknown key"),
    ],
)
def test_an_error_names_file_line_key_and_what_was_expected(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    message = said(tmp_path, old, new)
    assert f"small.yaml:{line}: " in message
    assert words in message


def test_all_errors_are_shown_together(tmp_path: Path) -> None:
    wrong = (
        GOOD.replace("any_of:", "any_off:").replace("check: runs", "check: run").replace("prompt:", "promt:")
    )
    _, problems = read(write(tmp_path, wrong))
    assert [p.line for p in problems] == [7, 10, 13]


def test_a_number_in_a_list_of_words_is_told_to_be_quoted(tmp_path: Path) -> None:
    message = said(tmp_path, "    prompt:", "    signs: [LeNet, 1998]\n    prompt:")
    assert "signs[1]: input should be a valid string, got 1998; put it in quotes" in message


def test_yaml_is_loaded_safely_and_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    assert "not valid YAML" in said(
        tmp_path, "title: A small rubric", "title: !!python/object/apply:os.getcwd []"
    )
    assert "small.yaml:4: not valid YAML" in said(tmp_path, "title: A small rubric", "title: [")


def test_a_missing_reference_is_no_matter_for_a_self_check(tmp_path: Path) -> None:
    path = write(tmp_path, reference=False)
    with pytest.raises(RubricError):
        load(path)
    assert load(path, check_references=False).id == "small"


def test_references_may_lie_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, reference=False)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "small").mkdir(parents=True)
    (elsewhere / "small" / "q01.py").write_text("x = 1\n")
    assert load(path, references=elsewhere).reference_folder == elsewhere / "small"


def test_a_folder_of_rubrics(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert [a.id for a in load_all(path.parent)] == ["small"]
    (path.parent / "twin.yaml").write_text(GOOD)
    with pytest.raises(RubricError, match="is also that of"):
        load_all(path.parent)
    with pytest.raises(RubricError, match="no rubric"):
        load_all(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "- 1", "id: 3", "questions: 3", "questions: [3]", "a: &a [*a]"])
def test_nonsense_is_an_error_and_not_a_crash(tmp_path: Path, text: str) -> None:
    with pytest.raises(RubricError):
        load(write(tmp_path, text))


def test_the_projects_own_rubrics_load() -> None:
    folder = Path(__file__).parents[2] / "rubrics"
    assert [a.marks for a in load_all(folder)] == [200, 100, 200]


def test_two_criteria_marked_in_words_need_names_of_their_own(tmp_path: Path) -> None:
    """A person's marks are kept under the name: those for one became those for both."""
    points = "{check: key_points, marks: MARKS, points: [{marks: MARKS, says: a filter is learned}]}"
    text = GOOD.replace("{check: runs, marks: 2, hint: run it}", points.replace("MARKS", "2"))
    text = text.replace("check: parameters\n        marks: 3\n        any_of: [61706, 44426]", "X")
    with pytest.raises(RubricError, match="give each its own says"):
        load(write(tmp_path, text.replace("- X", "- " + points.replace("MARKS", "3"))))
