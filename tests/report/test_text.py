from __future__ import annotations

import pytest

from grader.report.text import (
    capped,
    console,
    figure,
    mark,
    named_figure,
    seconds,
    sentence,
    visible,
    without_data,
)


@pytest.mark.parametrize(
    ("value", "said"),
    [(17, "17"), (15.5, "15.5"), (0.25, "0.25"), (0, "0"), (100, "100"), (-0.0, "0"), (1 / 3, "0.33")],
)
def test_marks_have_no_useless_zeros(value: float, said: str) -> None:
    assert mark(value) == said


def test_a_progress_bar_shows_only_how_it_ended() -> None:
    assert console("0%\r50%\r100% done\r\nnext\x1b[31m red\x1b[0m") == "100% done\nnext red"


def test_a_picture_pasted_into_text_does_not_fill_the_page() -> None:
    pasted = f"see ![x](data:image/png;base64,{'QUJD' * 5000}) here"
    assert (
        without_data(pasted) == "see ![x](data:image/png;base64,QUJDQUJDQUJDQUJD… (19,984 characters)) here"
    )
    assert without_data("data:image/png;base64,QUJD") == "data:image/png;base64,QUJD"


def test_what_was_cut_is_said() -> None:
    assert capped("abc", 10) == ("abc", "")
    assert capped("abcdef", 3) == ("abc", "3 more characters left out of this page")
    kept, left = capped("1\n2\n3\n4", 100, lines=2)
    assert kept == "1\n2" and left


def test_figures_read_as_people_write_them() -> None:
    assert figure(44426) == "44,426" and figure(0.98765) == "0.9877" and figure(True) == "yes"
    assert named_figure("output_shape", [None, 10]) == "batch × 10"
    assert named_figure("interval", (0.91, 0.95)) == "0.91 to 0.95"
    assert seconds(0.42) == "0.4 s" and seconds(125) == "2 min 05 s" and seconds(3725) == "1 h 02 min"


def test_ordinary_text_of_any_language_stays_as_it_is() -> None:
    for text in ("naïve 模型 नमस्ते 👩\u200d🔬 café\n\tx", "שלום"):
        assert visible(text) == text


def test_reasons_become_sentences_but_names_of_code_keep_their_case() -> None:
    assert sentence("2 of 4 points made in full") == "2 of 4 points made in full."
    assert sentence("no answer was found") == "No answer was found."
    assert sentence("nn.Conv2d has 3 channels") == "nn.Conv2d has 3 channels."
    assert sentence("conv1_x differs") == "conv1_x differs."
