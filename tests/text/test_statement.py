"""What was asked is no answer, in whatever words and layout a notebook keeps it."""

from __future__ import annotations

import pytest

from grader.text.assess import assess
from grader.text.points import Point
from grader.text.sentences import read_text
from grader.text.statement import answered

PROMPT = "Propose a way to sort X-ray images with few labels, justify it, and outline how to deploy it."
TASK = (
    "You work with a clinic. Your team is tasked with a system that sorts X-ray images into normal and\n"
    "pneumonia. Due to few labels, what would you suggest among the networks discussed (e.g., transfer learning\n"
    "with ResNet)? Justify your approach and outline a deployment strategy for production use."
)
SAID = "I would fine-tune a ResNet. It has seen ImageNet."
POINTS = (Point(marks=5, says="transfer learning with a named network, since there are few labels"),)


def left(text: str) -> list[str]:
    return [s.text for s in answered(read_text(text), PROMPT)]


@pytest.mark.parametrize(
    "layout",
    [
        "**Question 10:** {}\n\n{}",
        "Q10. {}\n\n{}",
        "10. {}\n- {}",
        "## Question 10\n\n{}\n\n{}",
        "### Q10\n{}\n\n**Answer:** {}",
        "{}\n\n{}",
    ],
)
def test_a_question_kept_above_its_answer_is_not_a_part_of_it(layout: str) -> None:
    task = TASK.replace("You work", "You are working")
    rest = left(layout.format(task, SAID))
    assert "It has seen ImageNet." in rest and "fine-tune a ResNet" in rest[0]
    assert not any("labels" in s or "outline" in s for s in rest)


def test_a_question_in_one_long_heading_is_no_answer_either() -> None:
    task = TASK.replace("\n", " ").replace("You work", "You are working")
    assert left(f"## Question 10: {task}\n{SAID}") == ["I would fine-tune a ResNet.", "It has seen ImageNet."]


def test_the_question_alone_earned_five_marks_and_is_now_blank() -> None:
    a = assess(POINTS, PROMPT, read_text(f"**Question 10:** {TASK.replace('You work', 'You are working')}"))
    assert a.blank and a.decided and a.mark == 0
    b = assess(
        POINTS,
        PROMPT,
        read_text("With few labels I would use transfer learning with a named network, ResNet."),
    )
    assert not b.blank and b.mark > 2


def test_sentences_of_an_answer_stay_even_where_they_tell_somebody_to_do_something() -> None:
    text = (
        "Use smaller batches. Train with 16-bit floats. Show the network smaller images. Name no layer twice."
    )
    assert left(text) == [
        "Use smaller batches.",
        "Train with 16-bit floats.",
        "Show the network smaller images.",
        "Name no layer twice.",
    ]
    assert left("Transfer learning reuses a network. Why does it help? It has seen edges before.") == [
        "Transfer learning reuses a network.",
        "It has seen edges before.",
    ]


def test_an_answer_that_starts_in_the_paragraph_of_its_question_is_kept() -> None:
    text = "Q4. Describe what a named network and few labels have in common. A ResNet has seen edges. It needs few labels."
    assert left(text) == ["A ResNet has seen edges.", "It needs few labels."]


def test_a_label_alone_is_not_cut_off_together_with_the_answer() -> None:
    assert left("**Answer 3:** The field grows with depth. It matters.") == [
        "Answer 3: The field grows with depth.",
        "It matters.",
    ]
    assert left("### Q3\n\nThe field grows with depth.") == ["The field grows with depth."]


def test_a_short_answer_in_the_questions_own_words_is_an_answer() -> None:
    """ "I would use ResNet with transfer learning." was taken for a part of the question."""
    asked = "What is a network for images, and which labels does transfer learning with ResNet need?"
    for text in ("ResNet is a network for images.", "I would use ResNet with transfer learning."):
        assert [s.text for s in answered(read_text(f"Q1. {text}"), asked)] == [text]


def test_an_answer_that_begins_with_when_is_not_taken_for_the_question() -> None:
    """The first of five things to try was thrown away with the words 'When the GPU runs out of memory'."""
    prompt = "If your GPU runs out of memory while training a CNN, what are five things you could try?"
    text = (
        "When the GPU runs out of memory, the first thing to do is to decrease the batch size, from 64 to 16."
    )
    assert answered(read_text(text), prompt) == read_text(text)
    for text in ("Train on two GPUs", "Use more than one GPU"):
        assert answered(read_text(text), prompt) == read_text(text)
    asked = "What could you try if your GPU runs out of memory while training a CNN"
    assert not answered(read_text(asked), prompt)


@pytest.mark.parametrize(
    "text",
    [
        "Use transfer learning with ResNet on the few labelled X-ray images and deploy it behind an API.",
        "Because there are few labels, transfer learning with a named network like ResNet is best, right?",
        "X-ray images with few labels are sorted in a way that is justified and deployed.",
    ],
)
def test_an_answer_that_reads_like_a_task_is_not_blank_but_for_a_person(text: str) -> None:
    """Each was a final 0: no answer in words was found."""
    a = assess(POINTS, PROMPT, read_text(text))
    assert not a.blank and not a.decided
    assert {g.kind for g in a.guards} & {"task", "question"}


@pytest.mark.parametrize(
    "text", ["残差连接将输入直接加到输出上。", "Остаточные связи складывают вход", "Связи"]
)
def test_an_answer_in_another_script_is_not_blank(text: str) -> None:
    a = assess(POINTS, PROMPT, read_text(text))
    assert not a.blank and [g.kind for g in a.guards] == ["language"]


@pytest.mark.parametrize("text", ["", "\u200b", "**Question 10:**", "How would you deploy it?", "..."])
def test_nothing_but_the_question_is(text: str) -> None:
    a = assess(POINTS, PROMPT, read_text(text))
    assert a.blank and a.decided


TOLD = (
    "**Question 10:** Use transfer learning (e.g., a ResNet) on a few labelled X-ray images. Replace the top layers. "
    "Include your code and result discussion."
)


def test_a_labelled_task_that_asks_for_your_code_is_no_answer_in_doubt() -> None:
    a = assess(POINTS, PROMPT, read_text(TOLD))
    assert a.mark == 0 and "task" not in {g.kind for g in a.guards}
