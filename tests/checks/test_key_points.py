"""``key_points`` and ``quantity`` as a submission meets them."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks import key_points, quantity
from grader.checks.base import Case, State, Verdict
from grader.evidence.model import Piece, Profile
from grader.submission.model import Answer
from tests.text.suite import Asked, asked


def case(*sources: str, prompt: str = "", confidence: float = 1.0, kind: Any = "markdown") -> Case:
    pieces = tuple(Piece(index=n, cell=n, kind=kind, source=s) for n, s in enumerate(sources))
    answer = Answer(question="q", pieces=tuple(range(len(pieces))), confidence=confidence)
    return Case("q", prompt, Profile.SMOKE, pieces, answer, None)


def question(name: str) -> Asked:
    return next(q for q in asked() if q.name == name)


def judged(q: Asked, *sources: str, **more: Any) -> Verdict:
    marks = sum(sorted((p.marks for p in q.points), reverse=True)[: q.best or None])
    c = key_points.KeyPoints(check="key_points", marks=marks, points=q.points, best=q.best)
    return key_points.CHECK.judge(c, case(*sources, prompt=q.prompt, **more))


RESIDUAL = "image-classification-cnn/q5"


def test_each_point_quotes_the_sentence_that_earned_it_with_its_line() -> None:
    q = question(RESIDUAL)
    v = judged(q, "# Q5\n\n" + "\n\n".join(q.good))
    assert v.state in (State.EARNED, State.PARTIAL, State.REVIEW)
    points = v.evidence["points"]
    assert [set(p) >= {"says", "mark", "out_of", "state", "confidence", "quote"} for p in points] == [
        True
    ] * 4
    assert points[0]["mark"] == points[0]["out_of"]
    assert "F(x) + x" in points[0]["quote"]
    assert (v.quotes[0].piece, v.quotes[0].line) == (0, 3)


def test_a_point_that_is_not_made_quotes_the_nearest_sentence() -> None:
    q = question(RESIDUAL)
    v = judged(q, q.good[0])
    assert v.evidence["points"][3]["mark"] == 0
    assert any(x.about == "nearest" for x in v.quotes)


def test_a_question_left_out_is_lost_but_not_where_the_match_is_uncertain() -> None:
    q = question(RESIDUAL)
    assert judged(q).state is State.LOST
    assert judged(q, confidence=0.4).state is State.REVIEW


@pytest.mark.parametrize("label", ["## Question 5: residual connections", "Q5. Residual connections", "5)"])
def test_a_label_with_nothing_below_it_is_a_blank_answer(label: str) -> None:
    v = judged(question(RESIDUAL), label)
    assert (v.state, v.mark) == (State.LOST, 0)
    assert "no answer in words" in v.reason


@pytest.mark.parametrize(
    "said", ["I do not know.", "Q5. Gradients vanish.", "## Shortcuts carry the input on, unchanged"]
)
def test_a_few_words_of_ones_own_are_an_answer_for_a_person(said: str) -> None:
    assert judged(question(RESIDUAL), said).state is State.REVIEW


def test_an_answer_that_is_a_picture_alone_goes_to_a_person() -> None:
    v = judged(question(RESIDUAL), "![my answer](attachment:answer.png)", confidence=1.0)
    assert v.state is State.REVIEW and "picture" in v.reason


def test_marks_lost_while_the_match_is_uncertain_go_to_a_person() -> None:
    q = question(RESIDUAL)
    assert judged(q, q.good[0], confidence=0.4).state is State.REVIEW


def test_the_opposite_of_a_point_goes_to_a_person_with_little_suggested() -> None:
    q = question("homl-14-deep-vision/q4")
    v = judged(q, q.wrong)
    assert v.state is State.REVIEW
    assert v.mark < 0.25 * 10


def test_a_picture_in_an_unfinished_answer_goes_to_a_person() -> None:
    q = question("cnn-architecture/q2")
    v = judged(q, q.half + "\n\n![formula](attachment:formula.png)")
    assert v.state is State.REVIEW
    assert "picture" in v.reason


def test_the_best_five_of_eight_points_count() -> None:
    q = question("homl-14-deep-vision/q3")
    v = judged(q, q.paraphrase)
    assert v.mark == 10
    assert len(v.evidence["points"]) == 8


def test_points_that_do_not_add_up_are_an_error() -> None:
    with pytest.raises(ValueError, match="add up to 4"):
        key_points.KeyPoints(check="key_points", marks=5, points=[{"marks": 4, "says": "something"}])


PARAMETERS = quantity.QuantityCriterion(
    check="quantity",
    marks=4,
    expect=903400,
    tolerance=0.0002,
    near=("parameters", "weights"),
    accept=({"value": 902700, "share": 0.5, "because": "forgets the biases"},),
)
MEMORY = quantity.QuantityCriterion(
    check="quantity", marks=2, expect=12.6136, unit="MB", tolerance=0.01, near=("predict",)
)


@pytest.mark.parametrize("said", ["903,400", "903 400", "9,03,400", "**903400**", "$903{,}400$", "903.4K"])
def test_the_right_number_earns_in_any_writing(said: str) -> None:
    assert (
        quantity.CHECK.judge(PARAMETERS, case(f"The CNN has {said} parameters in total.")).state
        is State.EARNED
    )


def test_a_number_that_forgets_something_earns_its_part_with_the_reason() -> None:
    v = quantity.CHECK.judge(PARAMETERS, case("So there are 902,700 parameters."))
    assert (v.state, v.mark) == (State.PARTIAL, 2)
    assert "biases" in v.reason


def test_the_right_number_for_something_else_goes_to_a_person() -> None:
    v = quantity.CHECK.judge(PARAMETERS, case("The data set has 903,400 pictures of cats."))
    assert v.state is State.REVIEW


def test_a_wrong_number_is_lost_and_quoted() -> None:
    v = quantity.CHECK.judge(PARAMETERS, case("It has 1,000 parameters."))
    assert v.state is State.LOST
    assert "1,000" in v.quotes[0].text


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("To predict one image it needs 12.6 MB.", State.EARNED),
        ("To predict one image it needs 12.03 MiB.", State.EARNED),
        ("To predict one image it needs 12,613,600 bytes.", State.EARNED),
        ("To predict one image it needs 12.03 MB.", State.REVIEW),
        ("To predict one image it needs 30 MB.", State.LOST),
    ],
)
def test_megabytes_and_mebibytes_count_each_at_its_own_value(said: str, state: State) -> None:
    assert quantity.CHECK.judge(MEMORY, case(said)).state is state


def test_map_sizes_earn_by_the_share_that_is_right() -> None:
    c = quantity.QuantityCriterion(check="quantity", marks=3, shapes=((100, 150), (50, 75), (25, 38)))
    v = quantity.CHECK.judge(c, case("First 100×150, then (None, 50, 75, 200) and last 25 by 40."))
    assert (v.state, v.mark) == (State.PARTIAL, 2)


DISCUSSION = key_points.KeyPoints.model_validate(
    {
        "check": "key_points",
        "marks": 2,
        "in_words": True,
        "points": [
            {
                "marks": 2,
                "says": "the accuracy is explained",
                "facts": [{"words": "accuracy | learning rate"}],
            }
        ],
    }
)


def test_a_program_that_prints_its_accuracy_is_no_discussion_of_it() -> None:
    """It was suggested full marks for a discussion that was not there."""
    code = 'opt = Adam(model.parameters(), lr=1e-4)\nprint(f"Accuracy: {accuracy:.2f}")'
    v = key_points.CHECK.judge(DISCUSSION, case(code, kind="code"))
    assert (v.state, v.mark) == (State.LOST, 0)


@pytest.mark.parametrize(
    "code",
    [
        "# The accuracy is high since the features carry over.\nprint(1)",
        'print("The accuracy is high since the features of ImageNet carry over to flowers.")',
    ],
)
def test_a_discussion_in_comments_or_printed_is_one(code: str) -> None:
    assert key_points.CHECK.judge(DISCUSSION, case(code, kind="code")).mark >= 1
