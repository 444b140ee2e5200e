"""Guards stop what fools a matcher of words, and leave honest notes, lists and tables alone."""

from __future__ import annotations

import random

import pytest

from grader.text.assess import assess
from grader.text.points import Point
from grader.text.sentences import read_text

MEMORY = tuple(
    Point(marks=2, says=s)
    for s in ("smaller batches", "gradient checkpointing", "16-bit floats", "smaller images", "fewer layers")
)
PROSE = (
    "AlexNet has eight layers and it was trained on two graphics cards because one of them could not hold it. "
    "VGG is much deeper than that, and all of its filters are small, so that it needs a lot of memory when it is used."
)
NOTES = (
    "- VGG deeper than AlexNet, all filters of the network 3x3, needs lots of memory and time\n"
    "- AlexNet won ImageNet with ReLU and dropout, trained on two GPUs because of the memory"
)


def guards(text: str, points: tuple[Point, ...] = MEMORY, best: int | None = None) -> list[str]:
    return [g.kind for g in assess(points, "", read_text(text), source=text, best=best).guards]


@pytest.mark.parametrize("text", [PROSE, NOTES, NOTES.replace("- ", "")])
def test_prose_and_terse_notes_are_not_taken_for_shuffled_words(text: str) -> None:
    assert "shuffled" not in guards(text)


@pytest.mark.parametrize("seed", range(5))
def test_the_words_of_prose_in_random_order_are(seed: int) -> None:
    words = PROSE.split()
    random.Random(seed).shuffle(words)
    assert "shuffled" in guards(" ".join(words))


LISTED = "1. smaller batches\n2. gradient checkpointing\n3. mixed precision training\n4. smaller images\n5. fewer layers"


def test_a_bare_list_is_an_answer_to_a_question_that_asks_for_one() -> None:
    assert "keywords" not in guards(LISTED, best=4)
    assert "keywords" in guards(LISTED)


def test_a_heap_of_key_words_is_none_whatever_was_asked() -> None:
    heap = ", ".join(
        ["batches", "checkpointing", "gradient", "precision", "images", "layers", "memory", "float", "cache"]
        * 2
    )
    assert "keywords" in guards(heap, best=4)


def test_a_table_ruled_with_single_dashes_is_read_as_a_table() -> None:
    """ "Solution 1: smaller batches" instead of "smaller batches ;" pieces, which looked like key words."""
    rows = read_text("| # | Solution | Impact |\n| - | --- | --- |\n| 1 | smaller batches | less memory |")
    assert [s.text for s in rows if s.row] == ["Solution 1: smaller batches;", "Impact 1: less memory"]


@pytest.mark.parametrize("line", ["{}", "### {}", "**{}**", "```python\n# {}\n```"])
def test_words_without_sentences_are_caught_in_every_layout(line: str) -> None:
    """Under headings, in bold or in comments nobody looked."""
    heap = "batches checkpointing gradient precision images layers memory float cache GPU"
    text = "\n\n".join(line.format(x) for x in (heap, heap.upper(), " ".join(reversed(heap.split()))))
    assert "keywords" in guards(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is a common misconception that smaller batches take less memory.",
        "### It is not true that smaller batches take less memory",
        "The claim that smaller batches take less memory is wrong.",
        "Some people wrongly believe that smaller batches take less memory.",
    ],
)
def test_a_statement_that_is_named_to_be_denied_goes_to_a_person(text: str) -> None:
    assert "denial" in guards(text)
