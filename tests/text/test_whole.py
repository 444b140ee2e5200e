"""A short answer against one model answer, where a question has no points."""

from __future__ import annotations

from grader.text import whole

REFERENCE = "To simulate the behaviour of portions of the desired software product."
PROMPT = "What is the role of a prototype program in problem solving?"


def test_saying_the_same_is_worth_more_than_saying_something_else() -> None:
    same = whole.mark("It simulates how parts of the final software product behave.", REFERENCE, PROMPT)
    other = whole.mark("I like to eat apples in summer.", REFERENCE, PROMPT)
    assert same > other + 0.15
    assert 0 <= other <= same <= 1


def test_an_empty_answer_is_worth_nothing() -> None:
    assert whole.mark("  ", REFERENCE, PROMPT) == 0.0
