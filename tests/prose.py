"""An assignment of one question in words, and a class of answers to it, with no code to run."""

from __future__ import annotations

from pathlib import Path

import tiny

from grader.engine import Options
from grader.results import CriterionResult, Results

RUBRIC = """\
id: tiny-words
title: Convolutions in words
questions:
  - id: q1
    title: Filters and strides
    marks: 10
    prose: true
    reference: q01_filters.md
    prompt: Explain what a filter is and what stride and padding do in a convolutional network.
    signs: [filter, stride, padding]
    criteria:
      - check: key_points
        marks: 10
        says: Filter, stride and padding
        points:
          - {marks: 4, says: a filter is a small matrix of learnable weights that slides over the input}
          - {marks: 3, says: the stride is the number of pixels by which the filter moves at each step}
          - {marks: 3, says: padding adds zeros around the border so that the output keeps its size}
"""
FILTER = "A filter is a small matrix of learnable weights which slides over the whole input image."
STRIDE = "The stride is the number of pixels that the filter moves by at each step of the way."
PADDING = "Padding adds zeros around the border of the image, so that the output keeps its size."
REFERENCE = f"A kernel, or filter: a little grid of weights that learns. {STRIDE} {PADDING}\n"
HEADING = "## Question 1: filters and strides"
THINGS = ("anchors", "balloons", "candles", "doors", "eagles", "forks", "gardens", "hats", "islands", "jars")


def many() -> dict[str, str]:
    """Ten answers that make all points and ten that make none, no two in nearly the same words."""
    texts = {}
    for i, thing in enumerate(THINGS):
        b, c, d = (THINGS[(i + step) % len(THINGS)] for step in (1, 3, 7))
        end = (
            f"My {thing} like the {b} more than any {c} do. The {thing} and our {d} went to see {b} with {c}."
        )
        texts[f"all-{i}"] = f"{FILTER} {STRIDE} {PADDING} {end}"
        texts[f"none-{i}"] = f"Pooling has nothing to do with {thing}. {end}"
    return texts


def assignment(home: Path, rubric: str = RUBRIC) -> Path:
    """Writes the rubric and its reference below ``home``; returns the folder of rubrics."""
    rubrics = home / "rubrics"
    rubrics.mkdir(parents=True, exist_ok=True)
    (rubrics / "tiny-words.yaml").write_text(rubric, encoding="utf-8")
    folder = home / "reference" / "tiny-words"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "q01_filters.md").write_text(REFERENCE, encoding="utf-8")
    return rubrics


def hand_in(home: Path, answers: dict[str, str]) -> list[Path]:
    """A notebook for each name, with its answer under the question's heading; empty: nothing below it."""
    return [
        tiny.notebook(home / "submissions" / f"{name}.ipynb", [HEADING, *([text] if text else [])])
        for name, text in answers.items()
    ]


def options(home: Path, **more: object) -> Options:
    return Options(rubrics=home / "rubrics", rubric="tiny-words", store=home / "store", **more)  # type: ignore[arg-type]


def criterion(results: Results, name: str) -> CriterionResult:
    (result,) = [s for s in results.submissions if Path(s.file).stem == name]
    return result.questions[0].criteria[0]
