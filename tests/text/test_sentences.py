"""Where a sentence ends, and what it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from grader.evidence.model import Piece
from grader.text.assess import assess
from grader.text.points import Fact, Point
from grader.text.sentences import Sentence, read, read_text
from grader.text.written import answer_text


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


HEADED = """## AlexNet

It has *eight* layers:

- five convolutions
- three dense ones

It won in 2012.

## VGG16

| layers | weights |
| --- | --- |
| 16 | 138 million |

```python
model = vgg16()  # far more weights than AlexNet
```

It came later."""


def cells(text: str) -> list[Piece]:
    """A text cell for each paragraph, a code cell for each fence."""
    out: list[Piece] = []
    for part in text.split("\n\n"):
        code = re.fullmatch(r"```python\n(.*)\n```", part, re.S)
        source, kind = (code[1], "code") if code else (part, "markdown")
        out.append(
            Piece.model_validate({"index": len(out), "cell": len(out), "kind": kind, "source": source})
        )
    return out


def seen(found: Iterable[Sentence]) -> list[tuple[object, ...]]:
    """All but the place where it stands; blocks in the order in which they come."""
    found = list(found)
    blocks = list(dict.fromkeys(s.block for s in found))
    return [(s.text, s.under, blocks.index(s.block), s.heading, s.code, s.row, s.spoken) for s in found]


@pytest.mark.parametrize("in_words", [False, True])
def test_it_makes_no_difference_into_how_many_cells_an_answer_is_cut(in_words: bool) -> None:
    """Under a heading in a cell of its own a figure was nobody's."""
    cut = read(cells(HEADED), in_words)
    assert seen(cut) == seen(read_text(HEADED, in_words))
    assert [s.under.split()[0] for s in cut if s.text.startswith("It ")] == ["AlexNet", "AlexNet", "VGG16"]
    assert answer_text(cells(HEADED)) == HEADED, "what a person marks is read as it was when it was marked"


def test_a_figure_in_the_cell_below_a_heading_belongs_to_it() -> None:
    text = "## AlexNet\n\nThere are about 138 million weights in all.\n\n## VGG16\n\n60 million weights."
    point = Point(
        says="AlexNet has about 60 million parameters", about="AlexNet", facts=(Fact(count=(60e6,)),), marks=2
    )
    whole, cut = (assess((point,), "", r, source=text) for r in (read_text(text), read(cells(text))))
    assert whole.mark == cut.mark < 2


@pytest.mark.parametrize(
    ("tag", "fence", "counts"),
    [
        ("", "The training loss keeps falling.\nThe validation loss does not.", True),
        ("", "overfitting", True),
        ("", "loss: 0.21\naccuracy: 0.93", True),
        ("text", "validation_loss > training_loss", True),
        ("python", "The validation loss rises, so it overfits.", True),
        ("python", "# The validation loss rises: it overfits.\nplt.plot(loss)", True),
        ("python", "history = model.fit(train, validation_data=validation)", False),
    ],
)
def test_words_in_a_fence_count_where_words_are_asked_for_and_a_program_does_not(
    tag: str, fence: str, counts: bool
) -> None:
    assert bool(read_text(f"```{tag}\n{fence}\n```", in_words=True)) is counts
    assert read_text(f"```{tag}\n{fence}\n```")


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ("The validation loss rises, so it overfits.", True),  # typed into a code cell
        ("history = model.fit(train", True),  # who can say
        ("%%time\nhistory = model.fit(train)", False),
        ("%%bash\npip install torch && ls", False),
        ("-" * 20_000 + "1", True),
    ],
)
def test_of_a_code_cell_what_is_no_program_counts_as_words(source: str, counts: bool) -> None:
    """Prose in a code cell was no answer in words, and that was final."""
    cell = Piece(index=0, cell=0, kind="code", source=source)
    assert bool(read([cell], in_words=True)) is counts
    if not source.startswith("%%"):
        assert bool(read_text(answer_text([cell]), in_words=True)) is counts, "in calibration too"


def test_a_comment_below_an_installation_is_read() -> None:
    lines = [
        "import os",
        "",
        "!pip install torch",
        "# The network overfits.",
        "print('Test accuracy of the model on held out pictures in percent:', 1)",
    ]
    cell = Piece(index=0, cell=0, kind="code", source="\n".join(lines))
    found = read([cell], in_words=True)
    assert next((s.text, s.line) for s in found) == ("The network overfits.", 4)
    assert found[-1].text.startswith("Test accuracy") and found[-1].line == 5


def test_a_heading_does_not_stand_above_what_follows_another_questions_answer() -> None:
    first, _, last = cells("## AlexNet\n\nanother question's\n\n60 million weights")
    assert read([first, last])[-1].under == ""


def under(text: str, said: str) -> str:
    (found,) = (s.under for s in read_text(text) if s.text == said)
    return found


@pytest.mark.parametrize("indent", ["", "  "])
def test_an_item_that_ends_in_a_colon_heads_the_items_after_it_indented_or_not(indent: str) -> None:
    """Under "- AlexNet:" in a flat list a figure was nobody's."""
    text = f"- AlexNet:\n{indent}- 60 million weights\n{indent}- 2012\n- VGG16:\n{indent}- 138 million\n{indent}- 2014"
    assert under(text, "60 million weights") == under(text, "2012") == "AlexNet:"
    assert under(text, "138 million") == under(text, "2014") == "VGG16:"


def test_what_follows_a_list_under_a_colon_stands_beside_it() -> None:
    text = "- Advantages:\n  - fast\n- Disadvantages: slow\n- memory"
    assert under(text, "fast") == "Advantages:"
    assert under(text, "Disadvantages: slow") == under(text, "memory") == ""


@pytest.mark.parametrize(
    "text",
    [
        "$$\nO = \\left\\lfloor \\frac{n - k\n+ 2p}{s} \\right\\rfloor\n+ 1\n$$",
        "\\[O = \\lfloor\n\\frac{n\n- k + 2p}{s} \\rfloor + 1\\]",
        "O = (n - k\n+   \n2p) / s",
    ],
)
def test_a_formula_over_several_lines_is_one(text: str) -> None:
    """Its lines that begin with a sign were items of a list."""
    (found,) = read_text(f"{text}\n\nThis is the size.")[:-1]
    assert "n" in found.text and "s" in found.text


@pytest.mark.parametrize(
    ("text", "under_it"),
    [
        ("1. AlexNet:\n- 60 million\n2. The deeper one has more.", ""),
        ("1. AlexNet:\n2. The deeper one has more.", ""),
        ("- AlexNet:\n```\nx = 1\n```\n- The deeper one has more.", ""),
        ("1. AlexNet:\n- Depth:\n- The deeper one has more.", "AlexNet: Depth:"),
        ("- Depth:\n- AlexNet:\n- The deeper one has more.", "AlexNet:"),
    ],
)
def test_a_colon_heads_no_more_than_its_own_items(text: str, under_it: str) -> None:
    assert under(text, "The deeper one has more.") == under_it
    assert under(text.replace("60 million", "60 million weights"), "The deeper one has more.") == under_it


def test_a_formula_of_its_own_lines_stands_in_its_paragraph() -> None:
    found = read_text("We slide with a stride.\n$$\nO = (W - K) / S\n+ 1\n$$\nThe output gets smaller.")
    assert len({(s.block, s.first) for s in found}) == 1
    assert (found[-1].text, found[-1].line) == ("The output gets smaller.", 6) or "smaller" in found[-1].text


@pytest.mark.parametrize(
    "text",
    [
        "Output: $$O = W-K$\n60 million\n## VGG16\n- 138 million\n$$O = W$$",
        "$$ a = b\n\n## VGG16\n\n- 138 million $$",
        "$$ a = b\n~~~\nx = 1\n~~~\n## VGG16\n- 138 million $$",
        "```\np = r'\\['\n```\n## VGG16\n- 138 million\n\nr'\\]'",
    ],
)
def test_a_formula_that_is_not_closed_swallows_nothing(text: str) -> None:
    assert [s.under for s in read_text(text) if s.text.startswith("138")] == ["VGG16"]


def test_a_formula_in_a_quotation_is_without_its_signs() -> None:
    (found,) = read_text("> $$\n> O = (n - k) / s\n> $$")
    assert ">" not in found.text


def test_a_list_of_nothing_is_nothing() -> None:
    assert not read_text("- \n- \n* \na) \nb) ")


def test_lines_after_a_formula_keep_their_numbers() -> None:
    assert [s.line for s in read_text("$$\na\n+ b\n$$\nThis is it.\n\nAnd this.")][-1] == 7


def test_curly_quotes_are_quotes() -> None:
    """‘valid’ padding was no 'valid' padding, where a notebook had been through a word processor."""
    said = "The mode is ‘valid’, and ‚same‘ was “same” to me; it isn’t"
    straight = """The mode is 'valid', and 'same' was "same" to me; it isn't"""
    assert [s.text for s in read_text(said)] == [s.text for s in read_text(straight)]
