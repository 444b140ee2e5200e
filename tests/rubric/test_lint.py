from __future__ import annotations

from pathlib import Path

from test_loader import GOOD, write

from grader.rubric.lint import lint


def remarks(tmp_path: Path, text: str) -> list[str]:
    return [f"{f.severity} {f.line} {f.message}" for f in lint([write(tmp_path, text)])]


def test_a_criterion_without_a_hint_is_warned_of(tmp_path: Path) -> None:
    found = remarks(tmp_path, GOOD)
    assert found == [
        "warning 4 number of parameters of the model: no hint for a student who loses these marks"
    ]


def test_errors_come_with_their_lines(tmp_path: Path) -> None:
    assert "error 13 any_off: unknown key; did you mean any_of?" in remarks(
        tmp_path, GOOD.replace("any_of", "any_off")
    )


TWINS = """\
id: small
title: A small rubric
questions:
  - id: q1
    title: Padding
    marks: 2
    prompt: Explain padding and stride in a convolutional neural network.
    signs: [padding]
    criteria:
      - check: key_points
        marks: 2
        hint: what is added?
        points:
          - marks: 2
            says: padding adds pixels at the border
            also: [zeros are put around the image]
            not: [Padding adds pixels at the border]
  - id: q2
    title: Stride
    marks: 2
    prompt: Explain stride and padding in a convolutional neural network.
    signs: [Padding]
    criteria:
      - check: key_points
        marks: 2
        hint: how far does it move?
        points:
          - {marks: 2, says: stride in a convolutional neural network}
"""


def test_questions_that_will_be_taken_for_one_another_and_points_that_contradict_themselves(
    tmp_path: Path,
) -> None:
    found = " / ".join(remarks(tmp_path, TWINS))
    assert "its prompt is almost that of q1" in found
    assert "signs that q1 has, too, tell nothing: padding" in found
    assert "a must-not-say is also a statement of its point: 'Padding adds pixels at the border'" in found
    assert "the question copied back would earn this point" in found
    assert "no reference" in found


def test_the_projects_own_rubrics_have_no_errors() -> None:
    folder = Path(__file__).parents[2] / "rubrics"
    assert [str(f) for f in lint(sorted(folder.glob("*.yaml"))) if f.severity == "error"] == []
