"""How far a point is made, and what contradicts it."""

from __future__ import annotations

import pytest

from grader.text.assess import assess
from grader.text.points import Point
from grader.text.sentences import read_text

DENSE_HAS_MORE = Point.model_validate(
    {
        "marks": 2,
        "says": "max pooling has no parameters",
        "not": ["max pooling has more parameters than a convolution", "max pooling has many parameters"],
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "A convolution has more parameters than max pooling, which has no parameters.",
        "Max pooling has no parameters, whereas a convolution has many parameters.",
        "Max pooling has no parameters and a convolution has many parameters.",
    ],
)
def test_a_right_comparison_is_not_taken_for_the_wrong_one(text: str) -> None:
    """The words were all there, in another order or on the other side of a whereas."""
    (reading,) = assess((DENSE_HAS_MORE,), "", read_text(text)).readings
    assert reading.contradicted is None and reading.mark == 2


@pytest.mark.parametrize(
    "text", ["Max pooling has more parameters than a convolution.", "Max pooling has many parameters."]
)
def test_the_wrong_comparison_is(text: str) -> None:
    (reading,) = assess((DENSE_HAS_MORE,), "", read_text(text)).readings
    assert reading.contradicted is not None


VGG_IS_LARGER = Point.model_validate(
    {
        "marks": 2,
        "says": "VGG-16 has about 138 million parameters",
        "facts": [{"count": 138e6, "near": ["VGG"]}],
        "not": {
            "words": "fewer parameters than AlexNet | less parameters than AlexNet",
            "near": ["VGG", "it"],
        },
    }
)


def test_a_mistake_that_is_put_in_many_ways_may_be_a_typed_fact() -> None:
    """The figures of two networks were swapped, and earned full marks where both stood beside both names."""
    text = "As its filters are so small, VGG gets by with less parameters than AlexNet: 60 million to 138 million."
    (reading,) = assess((VGG_IS_LARGER,), "", read_text(text)).readings
    assert reading.contradicted is not None and reading.mark <= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "VGG has 138 million parameters, AlexNet 60 million.",
        "VGG has 138 million parameters, and not fewer parameters than AlexNet, as one might think.",
    ],
)
def test_the_right_figures_are_not_taken_for_that_mistake(text: str) -> None:
    (reading,) = assess((VGG_IS_LARGER,), "", read_text(text)).readings
    assert reading.contradicted is None and reading.mark >= 1


DIRECT_PATH = Point.model_validate(
    {
        "marks": 4,
        "says": "the gradient has a direct path back through the skip connection",
        "also": ["skip connections let it jump straight over layers"],
        "near": ["gradient | derivative | error", "direct | straight | path | over"],
    }
)


def mark_of(text: str) -> float:
    return assess((DIRECT_PATH,), "", read_text(text)).readings[0].mark


@pytest.mark.parametrize(
    "text",
    [
        "The skip connections let it jump straight over layers that are not needed.",
        "The gradient vanishes in deep networks.\n\nSkip connections let it jump straight over layers, to save work.",
        "- Gradient: gets too large.\n- Skip connections let it jump straight over layers.",
    ],
)
def test_a_sentence_in_the_right_words_about_something_else_earns_nothing(text: str) -> None:
    """'Skip connections remove extra layers' was taken for what becomes of the gradient."""
    assert mark_of(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Through the skip connection the gradient has a direct path back.",
        "What happens to the gradient? The gradient shrinks. Skip connections let it jump straight over layers.",
        "## Gradients\n\nSkip connections let it jump straight over layers.",
        "- Gradients: skip connections let them jump straight over layers.",
    ],
)
def test_what_it_is_about_may_stand_in_the_heading_or_the_sentence_before(text: str) -> None:
    assert mark_of(text) >= 3


def test_a_denial_may_stand_behind_what_it_denies() -> None:
    """'Pooling learns nothing' was taken for the opposite of 'nothing is learned in pooling'."""
    point = Point.model_validate(
        {"marks": 2, "says": "there is nothing to learn in pooling", "also": ["pooling has no weights"]}
    )
    assert assess((point,), "", read_text("Pooling learns nothing.")).readings[0].mark >= 1.5


def test_no_weights_may_be_written_as_a_digit() -> None:
    point = Point.model_validate({"marks": 2, "says": "pooling has zero weights"})
    assert assess((point,), "", read_text("Max pooling: 0 weights")).readings[0].mark == 2


WHOLE = Point.model_validate(
    {
        "marks": 10,
        "says": "what pooling does",
        "also": ["max pooling reduces the size of the feature maps and so the computation"],
        "parts": ["translation invariance", "keeps the strongest activation in each window"],
    }
)


def test_a_statement_that_makes_the_whole_point_is_quoted_and_read_for_its_sense() -> None:
    """Another sentence was quoted, and 'does not' was not seen."""
    said = "Max pooling reduces the size of the feature maps and so the computation."
    (reading,) = assess((WHOLE,), "", read_text(f"The translation is fine. {said}")).readings
    assert reading.mark >= 9 and reading.sentence is not None and reading.sentence.text == said
    (reading,) = assess((WHOLE,), "", read_text(said.replace("reduces", "does not reduce"))).readings
    assert reading.mark <= 2


def test_a_term_that_is_missing_leaves_doubt() -> None:
    point = Point.model_validate({"marks": 10, "says": "pooling makes the maps smaller", "needs": ["stride"]})
    a = assess(
        (point,), "", read_text("Pooling makes the maps smaller, as every step of the window skips some.")
    )
    assert 0 < a.mark < 10 and a.confidence < 0.6


def test_a_part_may_be_enough_alone_and_quarters_of_a_mark_are_given() -> None:
    point = Point.model_validate(
        {
            "marks": 0.25,
            "says": "sizes",
            "enough": 1,
            "parts": [{"says": "maps get smaller", "marks": 1.5}, "so less memory"],
        }
    )
    assert assess((point,), "", read_text("The maps get smaller.")).mark == 0.25


def test_the_best_points_are_out_of_what_the_largest_are_worth() -> None:
    points = tuple(
        Point(marks=m, says=s) for m, s in ((6, "dropout of units"), (2, "weight decay"), (2, "more images"))
    )
    a = assess(points, "", read_text("Weight decay helps. More images help."), best=2)
    assert (a.mark, a.out_of) == (4, 8)


@pytest.mark.parametrize("line_end", [" ", "\n"])
def test_what_stands_beside_a_sentence_is_in_its_paragraph_not_in_its_line(line_end: str) -> None:
    """In a text with wrapped lines, up to 4 of 20 marks were lost."""
    point = Point(marks=2, says="the filters are used again", near=("transfer",))
    said = f"That is what transfer is about.{line_end}The filters are used again."
    assert assess((point,), "", read_text(said)).mark == 2
    apart = said.replace(line_end + "The", "\n- The")
    assert assess((point,), "", read_text(apart)).mark == 0, "another item of a list is another matter"
