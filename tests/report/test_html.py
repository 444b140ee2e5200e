from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image as Picture

from grader.checks.base import Quote, State, Table
from grader.evidence.model import Axes, Figure, Profile, Substitution
from grader.report import Audience, shown, write
from grader.report.html import class_page, submission_page
from grader.results import CellRef, CriterionResult, SubmissionResult

from .conftest import Blobs, plot, question, results, submission
from .pages import Page, faults

NASTY = (
    "</style></pre></title><script>alert(1)</script><img src=x onerror='alert(2)'>\"' onfocus=alert(3) x=\""
)
BIDI = "grade\u202e%001\u202c \x1b]0;owned\x07 \x00 \u2066 \U000e0041"


def page_of(result: SubmissionResult, blobs: Blobs, audience: Audience = Audience.MARKER) -> str:
    seen = shown(results(result), audience).submissions[0]
    return submission_page(seen, Profile.SMOKE, blobs, audience)


def hostile(text: str, blobs: Blobs) -> SubmissionResult:
    """A submission in which every field that can hold a student's words holds ``text``."""
    figure = Figure(
        piece=0, png=blobs.add(plot()), title=text, axes=(Axes(title=text, xlabel=text, legend=(text,)),)
    )
    criterion = CriterionResult(
        check="runs",
        title=text,
        mark=0,
        out_of=5,
        state=State.REVIEW,
        reason=text,
        hint=text,
        evidence={text: text, "list": [text], "map": {text: text}, "points": [{"says": text, "quote": text}]},
        quotes=(Quote(text=text, piece=0, line=1, about=text), Quote(text=text, piece=99, line=1)),
        figures=(figure,),
        tables=(Table(title=text, header=(text, "b"), rows=((text, text),), marked=(0,)),),
        private=text,
    )
    cell = CellRef(
        piece=0, cell=1, part=0, kind="code", first_line=1, state=text, source=text, output=text, error=text
    )
    return submission(
        f"dir/{text}.ipynb",
        (question(text, text, 5, criterion, cells=(cell,), why=text, confidence=0.3),),
        title=text,
        assignment=text,
        reason=text,
        substituted=(Substitution(piece=0, asked=text, given=text, stand_in=True),),
        notes=(text,),
    )


@pytest.mark.parametrize("audience", list(Audience))
def test_a_page_with_every_state_is_valid_safe_and_navigable(
    rich: SubmissionResult, blobs: Blobs, audience: Audience
) -> None:
    assert faults(page_of(rich, blobs, audience)) == []
    page = results(rich, SubmissionResult(file="broken.ipynb", state="unreadable", reason="not JSON"))
    assert faults(class_page(page, ["pages/x.html", "pages/y.html"], audience)) == []


MARKUP = {
    "tags": NASTY,
    "direction": BIDI,
    "template": "{{ 7*7 }} {% raw %}",
    "comment": "<!--",
    "cdata": "]]>",
    "entity": "&lt;b&gt;",
}


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_a_students_markup_is_shown_and_never_obeyed(text: str, blobs: Blobs) -> None:
    bad = hostile(text, blobs)
    for html in (
        page_of(bad, blobs),
        page_of(bad, blobs, Audience.STUDENT),
        class_page(results(bad), ["pages/x.html"], Audience.MARKER),
    ):
        assert faults(html) == []
        assert "49" not in Page(html).words or "7*7" in Page(html).words
    if text == NASTY:
        assert "<script>alert(1)</script>" in Page(page_of(bad, blobs)).words


def test_characters_that_hide_or_reverse_text_are_made_visible(blobs: Blobs) -> None:
    html = page_of(hostile(BIDI, blobs), blobs)
    assert not any(c in html for c in "\u202e\u202c\u2066\x1b\x07\x00\U000e0041")
    assert "[U+202E]" in html and "␛" in html


def test_five_megabytes_of_output_do_not_make_a_five_megabyte_page(blobs: Blobs) -> None:
    long = "<b>" * 1_700_000
    html = page_of(hostile(long, blobs), blobs)
    assert len(html) < 1_500_000
    assert "more characters left out of this page" in html
    assert faults(html) == []


def test_a_quotation_leads_to_its_line_in_the_cell(rich: SubmissionResult, blobs: Blobs) -> None:
    page = Page(page_of(rich, blobs))
    links = {a["href"] for a in page.all("a")}
    assert "#piece-6-line-9" in links and "#piece-7-output" in links
    line = next(a for t, a in page.tags if a.get("id") == "piece-3-line-2")
    assert line["data-n"] == "13", "lines are counted within the cell, where the piece begins at line 12"
    assert "cell 4, line 13" in page.words


def test_what_a_person_must_look_at_comes_first(rich: SubmissionResult, blobs: Blobs) -> None:
    words = Page(page_of(rich, blobs)).words
    first = words[words.index("To look at") : words.rindex("Q5 Residual connections")]
    assert "Q6: Accuracy on test data is reported" in first and "0 of 3 suggested" in first
    assert "Q6: Test accuracy" in first and "4 not judged" in first
    assert "Q9: is this the answer?" in first and "48 % sure" in first
    assert "no limit on memory" in first.lower()
    assert "between 28.5 and 35.5" in words


def test_a_criterion_that_could_not_be_judged_never_looks_like_a_zero(
    rich: SubmissionResult, blobs: Blobs
) -> None:
    words = Page(page_of(rich, blobs)).words
    assert "Test accuracy –not judged / of 4" in words
    assert "Test accuracy 0" not in words


def test_a_question_of_which_nothing_was_judged_has_no_mark_anywhere(blobs: Blobs, tmp_path: Path) -> None:
    criteria = [
        CriterionResult(
            check="runs", title=f"c{i}", mark=0, out_of=5, state=State.UNGRADED, reason="The worker failed."
        )
        for i in range(4)
    ]
    one = submission("a.ipynb", (question("q1", "One", 20, *criteria),), state="ungraded")
    written = write(results(one), tmp_path, blobs)
    words = Page(written.pages[0].read_text("utf-8")).words
    assert "Q1: 4 criteria could not be judged" in words and "Q1: c0" not in words
    assert "Q1 One –not judged / of 20" in words and "Not fully judged" in words
    index = Page(written.index.read_text("utf-8")).words
    assert "Q1 One –not judged / of 20" in index.replace(" 1 still open", "").replace(
        "One1 still open", "One "
    )
    assert written.csv.read_text("utf-8").splitlines()[1].endswith(",ungraded,20,")


def test_state_is_said_in_words_beside_its_colour(rich: SubmissionResult, blobs: Blobs) -> None:
    words = Page(page_of(rich, blobs)).words
    for said in ("Earned.", "Partly earned.", "Not earned.", "To be looked at (0 suggested).", "Not judged."):
        assert said in words


def test_a_figure_cited_twice_is_embedded_once_with_its_text(rich: SubmissionResult, blobs: Blobs) -> None:
    page = Page(page_of(rich, blobs))
    images = page.all("img")
    assert len(images) == 2
    for image in images:
        data = base64.b64decode((image["src"] or "").removeprefix("data:image/png;base64,"), validate=True)
        Picture.open(io.BytesIO(data)).load()
    assert "accuracy against epoch" in (images[0]["alt"] or "")
    assert "16 images" in (images[1]["alt"] or "")
    assert "Figure 1, shown above" in page.words


def test_the_rows_that_differ_are_marked_in_words_too(rich: SubmissionResult, blobs: Blobs) -> None:
    assert "≠differsconvolution16 @ 5×5" in Page(page_of(rich, blobs)).words


def _between(text: str, start: str, end: str) -> str:
    return text.split(start)[1].split(end)[0]


def test_the_class_page_lists_each_submission_in_every_order(tmp_path: Path, blobs: Blobs) -> None:
    def marked(file: str, got: float) -> SubmissionResult:
        state = State.EARNED if got == 20 else State.PARTIAL
        c = CriterionResult(check="runs", title="runs", mark=got, out_of=20, state=state, reason="r")
        return submission(file, (question("q1", "First", 20, c),))

    three = results(marked("b.ipynb", 5), marked("a.ipynb", 10), marked("c.ipynb", 20))
    html = write(three, tmp_path, blobs).index.read_text("utf-8")
    assert faults(html) == []
    parts = {name: _between(html, f'"by-{name}"', "</tbody>") for name in ("file", "mark", "open")}
    bodies = {name: re.findall(r"<bdi>(.*?)</bdi>", part) for name, part in parts.items()}
    assert bodies["file"] == ["a.ipynb", "b.ipynb", "c.ipynb"]
    assert bodies["mark"] == ["c.ipynb", "a.ipynb", "b.ipynb"]
    assert "30 %: 1" in html and "90 to 100 %: 1" in html, "the distribution is said in words"
    assert "11.7" in Page(html).words, "the mean of 5, 10 and 20"
    for href in (a["href"] for a in Page(html).all("a") if (a["href"] or "").startswith("pages/")):
        assert (tmp_path / str(href)).is_file()


def test_names_between_backticks_are_shown_as_code_and_stay_escaped() -> None:
    from grader.report.html import _spans

    assert str(_spans("the model `Le<b>Net` has")) == "the model <code>Le&lt;b&gt;Net</code> has"
    assert str(_spans("a ` alone")) == "a ` alone"


def test_a_sentence_that_earned_one_point_is_not_shown_as_counted_for_a_point_without_marks(
    blobs: Blobs,
) -> None:
    said = "Filters extract features and pooling reduces the size."
    points = [
        {"says": "convolution and pooling", "mark": 4, "out_of": 4, "state": "earned", "quote": said},
        {"says": "keeps the spatial structure", "mark": 0, "out_of": 4, "state": "lost", "quote": said},
    ]
    criterion = CriterionResult(
        check="key_points",
        title="What a CNN is",
        mark=4,
        out_of=8,
        state=State.PARTIAL,
        reason="1 of 2 points made in full",
        evidence={"points": points},
        quotes=(
            Quote(text=said, piece=0, line=1, about="earned"),
            Quote(text=said, piece=0, line=1, about="nearest"),
        ),
    )
    cell = CellRef(piece=0, cell=1, part=0, kind="markdown", first_line=1, source=said)
    page = page_of(submission("a.ipynb", (question("q1", "CNN", 8, criterion, cells=(cell,)),)), blobs)
    assert re.findall(r"(counted|the nearest words found)</figcaption>", page) == [
        "counted",
        "the nearest words found",
    ]
