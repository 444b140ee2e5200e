"""A class's answers to one question, read together against one reference answer."""

from __future__ import annotations

import numpy as np

from grader.text import together, whole

PROMPT = "Darla plucked a string. How would the pitch change if Darla pulled the string tighter?"
REFERENCE = "When the string is tighter, the pitch will be higher."
GOOD = [
    "The pitch gets higher when the string is tighter.",
    "If it is tighter the pitch will be higher.",
    "It would make a higher pitch.",
    "The pitch would go higher.",
]
POOR = ["I do not know.", "The string will break.", "It vibrates a lot.", "Her hand would hurt."]


def test_answers_that_say_what_the_reference_says_are_likelier_to_be_correct() -> None:
    p = together.correct([*GOOD, *POOR], REFERENCE, PROMPT)
    assert min(p[: len(GOOD)]) > max(p[len(GOOD) :])
    assert np.mean(p[: len(GOOD)]) > 0.5 > np.mean(p[len(GOOD) :])


def test_the_order_in_which_answers_come_changes_nothing() -> None:
    answers = [*GOOD, *POOR]
    forward = together.correct(answers, REFERENCE, PROMPT)
    backward = together.correct(answers[::-1], REFERENCE, PROMPT)
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-9)


def test_the_class_counts() -> None:
    """The same answer among others that say it too, and among others that do not."""
    answer = GOOD[2]
    among_good = together.correct([answer, *GOOD[:2], GOOD[3]], REFERENCE, PROMPT)[0]
    among_poor = together.correct([answer, *POOR], REFERENCE, PROMPT)[0]
    assert abs(among_good - among_poor) > 0.02


def test_blank_answers_are_nothing_and_change_no_other() -> None:
    alone = together.correct([*GOOD, *POOR], REFERENCE, PROMPT)
    p = together.correct(["  ", *GOOD, "", *POOR], REFERENCE, PROMPT)
    assert p[0] == p[5] == 0.0
    assert p[1:5] + p[6:] == alone
    assert together.correct(["", " "], REFERENCE, PROMPT) == [0.0, 0.0]


def test_one_answer_alone_and_a_reference_without_words_fail_nothing() -> None:
    for answers, reference in (([GOOD[0]], REFERENCE), ([*GOOD, *POOR], "It is."), (["?", "!"], REFERENCE)):
        assert all(0 <= p <= 1 for p in together.correct(answers, reference, PROMPT))


def test_every_feature_has_a_name_and_a_weight() -> None:
    x = together.features([whole.read(a) for a in GOOD], whole.read(REFERENCE), whole.read(PROMPT))
    assert x.shape == (len(GOOD), len(together.NAMES))
    assert together.shipped().weights.shape == (len(together.NAMES),)
