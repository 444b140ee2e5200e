"""Where a sentence ends."""

from __future__ import annotations

import pytest

from grader.text.sentences import read_text


@pytest.mark.parametrize(
    "text",
    [
        "LeNet was proposed by Y. LeCun and L. Bottou in 1998.",
        "It has ca. 60,000 parameters.",
        "See Proc. of the IEEE, Nov. 1998, vol. 86.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    """What stood behind it was parted from the name that it is said of."""
    assert [s.text for s in read_text(text)] == [text]


def test_two_sentences_are_two() -> None:
    assert len(read_text("It has eight layers. It won in 2012.")) == 2
