"""How far an answer says what a statement says."""

from __future__ import annotations

import pytest

from grader.text.match import Features, Prepared, Question
from grader.text.sentences import read_text

STATEMENTS = [["the kernel is adjusted gradually"], ["a model that was taught before"]]
ANSWERS = ["The filter is learned.", "Learning the filter.", "It learns filters.", "## Learner\n\nA filter."]


def features(question: Question, text: str) -> list[Features]:
    return question.read(Prepared(read_text(text)))


@pytest.mark.parametrize("text", ANSWERS)
def test_what_an_answer_earns_does_not_depend_on_the_answers_read_before_it(text: str) -> None:
    """The first word of a stem that was ever read stood for all others of it: 'learns' for 'learning'."""
    fresh = features(Question(STATEMENTS), text)
    used = Question(STATEMENTS)
    for other in ANSWERS:
        features(used, other)
    assert features(used, text) == fresh
