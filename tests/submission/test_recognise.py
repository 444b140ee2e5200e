from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.errors import UnknownRubric
from grader.submission import Submission, recognise

Cells = Callable[..., list[tuple[str, str]]]
Write = Callable[..., Submission]


@pytest.mark.parametrize("label", ["Q{}. ", ""])
@pytest.mark.parametrize("order", [range(1, 11), [6], [2, 7], [10]])
def test_a_submission_is_known_by_what_it_answers(
    label: str, order: list[int], cells: Cells, written: Write, assignments: list[Any]
) -> None:
    found = recognise(written(*cells(label.format, order=order)), assignments)
    assert found is not None
    assignment, alignment = found
    assert assignment.id == alignment.assignment == "image-classification-cnn"


def test_two_assignments_that_fit_equally_are_both_named(
    cells: Cells, written: Write, classification: Any
) -> None:
    twin = replace(classification, id="a-copy")
    with pytest.raises(UnknownRubric, match="--rubric") as caught:
        recognise(written(*cells()), [classification, twin])
    assert "a-copy" in str(caught.value)
    assert "image-classification-cnn" in str(caught.value)


def test_a_nearly_empty_submission_is_known_by_the_little_it_has(
    written: Write, assignments: list[Any]
) -> None:
    little = [
        ("md", "Name:\n\nCNN work"),
        (
            "md",
            "Q1. A CNN has convolution and pooling layers, a dense one has not.\n\nQ2. LeNet-5 by LeCun",
        ),
        ("code", "# Q6\nimport torch"),
    ]
    found = recognise(written(*little), assignments)
    assert found is not None
    assert found[0].id == "image-classification-cnn"


UNRELATED = {
    "table": [
        ("md", "# Iris\nQuestion 1: Load the table and describe its columns."),
        ("code", "import pandas as pd\ndf = pd.read_csv('iris.csv')\ndf.describe()"),
        ("md", "Question 2: Which species has the longest petals?"),
        ("code", "df.groupby('species').petal_length.max()"),
        ("md", "Virginica has the longest petals."),
    ],
    "python": [
        ("md", "Q1. What is a list, and how does it differ from a tuple?"),
        ("md", "A list is mutable, a tuple is not."),
        ("md", "Q2. Write a function that reverses a string."),
        ("code", "def reverse(s):\n    return s[::-1]\nprint(reverse('abc'))"),
        ("md", "Q3. Explain decorators with an example."),
        ("code", "def d(f):\n    return f"),
    ],
    "sentiment": [
        ("md", "Q1. Train a logistic regression on the movie reviews and report F1."),
        ("code", "from sklearn.linear_model import LogisticRegression\nclf = LogisticRegression().fit(X, y)"),
        ("md", "Q2. Discuss how the tokenizer affects the vocabulary."),
        ("md", "Subwords keep the vocabulary small."),
    ],
    "almost empty": [("md", "# Assignment"), ("code", "import torch")],
}


@pytest.mark.parametrize("name", UNRELATED)
def test_a_submission_about_something_else_is_not_recognised(
    name: str, written: Write, assignments: list[Any]
) -> None:
    assert recognise(written(*UNRELATED[name]), assignments) is None


def test_without_assignments_nothing_is_recognised(cells: Cells, written: Write) -> None:
    assert recognise(written(*cells()), []) is None
