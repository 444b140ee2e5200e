"""Phrases beside a rubric count like its own, and what does not fit is told with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks.key_points import KeyPoints
from grader.errors import RubricError
from grader.rubric.lint import lint
from grader.rubric.loader import load

RUBRIC = """\
id: small
title: A small rubric
questions:
  - id: q1
    title: Filters
    marks: 4
    prompt: What is a filter?
    criteria:
      - check: key_points
        marks: 4
        hint: say it
        points:
          - marks: 2
            says: a small matrix of weights
            also: [a little kernel]
          - marks: 2
            says: what it does
            parts: [it slides over the input | it moves, {says: it is learned, also: found in training}]
"""


def put(folder: Path, phrases: str) -> Path:
    (folder / "phrases").mkdir()
    (folder / "phrases" / "small.yaml").write_text(phrases)
    (folder / "small.yaml").write_text(RUBRIC)
    return folder / "small.yaml"


def test_phrases_are_further_ways_to_say_a_point_or_a_part(tmp_path: Path) -> None:
    rubric = put(
        tmp_path,
        "q1:\n  a small matrix of weights: [a tiny grid of numbers]\n  it is learned:\n    - tuned from data\n  it slides over the input: [scans the picture]\n",
    )
    (criterion,) = load(rubric, check_references=False).questions[0].criteria
    assert isinstance(criterion, KeyPoints)
    first, second = criterion.points
    assert first.also == ("a little kernel", "a tiny grid of numbers")
    assert second.parts[0].also == ("it moves", "scans the picture")
    assert second.parts[1].also == ("found in training", "tuned from data")


@pytest.mark.parametrize(
    ("phrases", "line", "words"),
    [
        ("q1:\n  a small matrix of weight: [x y]\n", 2, "did you mean a small matrix of weights?"),
        ("q2:\n  a small matrix of weights: [x y]\n", 1, "no question of the rubric has this id"),
        ("q1:\n  it is learned: tuned from data\n", 2, "expected a list of phrases"),
        ("q1:\n  it is learned: [tuned\n", 3, "not valid YAML"),
        ("q1: [tuned]\n", 1, "expected statements"),
    ],
)
def test_what_does_not_fit_is_told_with_the_file_and_line(
    tmp_path: Path, phrases: str, line: int, words: str
) -> None:
    rubric = put(tmp_path, phrases)
    with pytest.raises(RubricError) as error:
        load(rubric, check_references=False)
    assert words in str(error.value) and f"phrases/small.yaml:{line}:" in str(error.value)
    assert any(f.path.parent.name == "phrases" and f.line == line for f in lint([rubric]))
