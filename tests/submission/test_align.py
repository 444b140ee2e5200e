"""Alignment, on notebooks written in the ways students write."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.submission import UNSURE, Alignment, Submission, align, read

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"

CellList = list[tuple[str, str]]
Cells = Callable[..., CellList]
Write = Callable[..., Submission]
Answers = tuple[tuple[tuple[str, str], ...], ...]


def expected(answers: Answers, order: Sequence[int] = range(1, 11), heads: int = 1) -> list[int]:
    """Which question each cell answers."""
    return [i for i in order for _ in range(heads + len(answers[i - 1]))]


def found(submission: Submission, alignment: Alignment) -> dict[int, int]:
    """Which question each cell was given to; 0 for none."""
    given = {p.cell: 0 for p in submission.pieces}
    for number, answer in enumerate(alignment.answers, start=1):
        for index in answer.pieces:
            given[submission.pieces[index].cell] = number
    return given


def confidence(alignment: Alignment) -> dict[int, float]:
    return {i: a.confidence for i, a in enumerate(alignment.answers, start=1)}


@pytest.mark.parametrize(
    "style",
    [
        "**Question {}:** ",
        "Q{}. ",
        "**Q{}**\n\n",
        "{}. ",
        "Que {} ",
        "Q.{}) ",
        "## {}) ",
        "Task {}: ",
        "Exercise {}: ",
        "Ques-{}: ",
    ],
)
@pytest.mark.parametrize("prompts", [True, False])
def test_every_kind_of_label_leads_to_the_ten_answers(
    style: str, prompts: bool, cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    submission = written(*cells(style.format, prompts=prompts))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers)
    assert min(confidence(alignment).values()) > 0.95
    assert "labelled" in alignment.answers[5].why


def test_prompts_without_labels_are_enough(
    cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    submission = written(*cells(lambda i: ""))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers)
    assert min(confidence(alignment).values()) > 0.95
    assert "wording" in alignment.answers[0].why


def test_answers_alone_in_order_are_enough(
    cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    submission = written(*cells(lambda i: "", prompts=False))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers, heads=0)
    assert min(confidence(alignment).values()) > 0.8


def test_code_alone_is_told_apart_by_what_it_does(
    answers: Answers, written: Write, classification: Any
) -> None:
    code = [(kind, s) for i in (6, 7, 8, 9) for kind, s in answers[i - 1] if kind == "code"]
    submission = written(*code)
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == [6, 6, 7, 8, 9, 9]
    assert "names" in alignment.answers[7].why


@pytest.mark.parametrize("prompts", [True, False])
def test_answers_in_another_order_follow_their_labels_and_words(
    prompts: bool, cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    order = [10, 3, 1, 6, 9, 2, 8, 4, 7, 5]
    submission = written(*cells(prompts=prompts, order=order))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers, order)
    assert min(confidence(alignment).values()) > 0.9
    assert "out of order" in alignment.answers[0].why


@pytest.mark.parametrize(
    "number",
    [
        lambda i: i + 1,  # began at 2
        lambda i: i if i <= 6 else i - 1,  # two 6
        lambda i: i if i <= 2 else i + 1,  # no 3
        lambda i: (i - 1) % 5 + 1,  # programs begin at 1 again
    ],
)
@pytest.mark.parametrize("style", ["Q{}. ", "{}. "])
def test_slipped_and_restarted_numbers_are_a_vote_and_not_the_law(
    number: Callable[[int], int],
    style: str,
    cells: Cells,
    answers: Answers,
    written: Write,
    classification: Any,
) -> None:
    submission = written(*cells(lambda i: style.format(number(i))))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers)
    assert min(confidence(alignment).values()) > 0.9


def test_numbers_that_begin_again_go_on_where_words_do_not_help(written: Write, classification: Any) -> None:
    theory = [("md", f"Q{i}. It is so, as said in class.") for i in range(1, 6)]
    programs = [cell for i in range(1, 6) for cell in (("md", f"Q{i}. See below."), ("code", "x = 1\nx"))]
    submission = written(*theory, *programs)
    given = list(found(submission, align(submission, classification)).values())
    assert given == [1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10]


@pytest.mark.parametrize("left_out", [1, 3, 7, 9, 10])
@pytest.mark.parametrize("label", ["**Question {}:** ", ""])
def test_a_question_left_out_is_surely_absent(
    left_out: int, label: str, cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    order = [i for i in range(1, 11) if i != left_out]
    submission = written(*cells(label.format, order=order))
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == expected(answers, order)
    assert alignment.answers[left_out - 1].pieces == ()
    assert confidence(alignment)[left_out] > 0.9


def test_an_answer_lost_among_others_is_not_surely_absent(
    cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    # no label, no prompt, out of order: wherever it went, nobody may lose marks for its absence
    order = [10, 3, 1, 6, 9, 2, 8, 4, 7, 5]
    alignment = align(written(*cells(lambda i: "", prompts=False, order=order)), classification)
    absent = [a for a in alignment.answers if not a.pieces]
    assert absent
    assert all(a.confidence < UNSURE for a in absent)
    assert all("might be" in a.why for a in absent)


def test_several_questions_in_one_cell_are_told_apart(
    answers: Answers, prompts: tuple[str, ...], written: Write, classification: Any
) -> None:
    theory = "\n\n".join(f"{i}. {prompts[i - 1]}\n\n{answers[i - 1][0][1]}" for i in range(1, 6))
    submission = written(("md", theory + f"\n\n6. {prompts[5]}"), *answers[5])
    alignment = align(submission, classification)
    assert [len(a.pieces) for a in alignment.answers[:6]] == [1, 1, 1, 1, 1, 3]
    assert min(list(confidence(alignment).values())[:6]) > 0.95


def test_one_code_cell_that_holds_everything_is_told_apart(
    answers: Answers, written: Write, classification: Any
) -> None:
    source = "\n".join(
        f"# Q{i}\n" + "\n".join(s for k, s in answers[i - 1] if k == "code") for i in (6, 7, 8, 9)
    )
    submission = written(("code", "import torch\n" + source))
    alignment = align(submission, classification)
    owners = {i: q for q, a in enumerate(alignment.answers, start=1) for i in a.pieces}
    assert [owners.get(p.index) for p in submission.pieces if p.source.startswith("# Q")] == [6, 7, 8, 9]


def test_numbered_points_inside_an_answer_stay_in_it(
    answers: Answers, prompts: tuple[str, ...], written: Write, classification: Any
) -> None:
    points = "\n\n".join(
        f"{i}. {p}"
        for i, p in enumerate(
            (
                "Fewer weights",
                "Local views",
                "Shared kernels",
                "Less overfitting",
                "Depth",
                "Pooling",
                "Speed",
                "Proven",
            ),
            1,
        )
    )
    cells = [("md", f"1. {prompts[0]}\n\n{points}"), ("md", f"2. {prompts[1]}"), *answers[1]]
    submission = written(*cells, ("md", f"3. {prompts[2]}"), *answers[2])
    alignment = align(submission, classification)
    assert list(found(submission, alignment).values()) == [1, 2, 2, 3, 3]
    assert len(alignment.answers[0].pieces) > 5
    assert min(list(confidence(alignment).values())[:3]) > 0.9


def test_title_and_set_up_belong_to_no_question_or_to_the_first(
    cells: Cells, answers: Answers, written: Write, classification: Any
) -> None:
    extra = [("md", "# My assignment\nName: A. Student"), ("code", "import torch\nimport numpy as np")]
    submission = written(*extra, *cells())
    alignment = align(submission, classification)
    given = list(found(submission, alignment).values())
    assert given[2:] == expected(answers)
    assert given[0] in (0, 1)
    assert given[1] in (0, 1)
    assert confidence(alignment)[2] > 0.95


def test_a_prompt_without_an_answer_is_still_that_question(
    cells: Cells, prompts: tuple[str, ...], written: Write, classification: Any
) -> None:
    submission = written(*cells(order=[6]), ("md", f"**Question 7:** {prompts[6]}"), *cells(order=[8]))
    alignment = align(submission, classification)
    assert len(alignment.answers[6].pieces) == 1
    assert confidence(alignment)[7] > 0.95


def test_an_empty_looking_submission_has_no_answers(written: Write, classification: Any) -> None:
    alignment = align(written(("md", "# My work")), classification)
    assert all(a.pieces == () for a in alignment.answers)
    assert min(confidence(alignment).values()) > UNSURE
    assert alignment.fit < 0.2


def corrupted(rng: random.Random, prompts: tuple[str, ...], answers: Answers) -> tuple[CellList, list[int]]:
    """A submission with labels, prompts, lines and words lost at random, and which question each cell is."""
    order = list(range(1, 11))
    match rng.choice(["order", "order", "shuffle", "drop", "drop"]):
        case "shuffle":
            rng.shuffle(order)
        case "drop":
            order = [i for i in order if rng.random() > 0.3] or [6]
    labelled, prompted = rng.choice([0, 0.3, 0.6, 1]), rng.choice([0, 0.3, 0.6, 1])
    slip, style = rng.choice([0, 0, 1, -1]), rng.choice(["**Question {}:** ", "{}. ", "Q{}) "])
    cells: CellList = []
    truth: list[int] = []
    for i in order:
        head = style.format(max(1, i + slip)) if rng.random() < labelled else ""
        head += prompts[i - 1] if rng.random() < prompted else ""
        for kind, text in (("md", head), *answers[i - 1]):
            if rng.random() < 0.4:
                between = " " if kind == "md" else "\n"
                text = between.join(
                    w for n, w in enumerate(text.split(between)) if n < 2 or rng.random() > 0.45
                )
            if text.strip():
                cells.append((kind, text))
                truth.append(i)
    return cells, truth


def test_confidence_means_what_it_says(
    prompts: tuple[str, ...], answers: Answers, written: Write, classification: Any
) -> None:
    """Over corrupted notebooks: the sure are nearly always right, the wrong are mostly unsure."""
    sure: list[float] = []
    unsure: list[float] = []
    said: list[float] = []
    for seed in range(60):
        cells, truth = corrupted(random.Random(seed), prompts, answers)
        submission = written(*cells)
        for number, answer in enumerate(align(submission, classification).answers, start=1):
            mine = {submission.pieces[i].cell for i in answer.pieces}
            right = {i for i, q in enumerate(truth) if q == number}
            overlap = len(mine & right) / len(mine | right) if mine | right else 1.0
            said.append(answer.confidence - overlap)
            (sure if answer.confidence >= 0.95 else unsure if answer.confidence < UNSURE else []).append(
                overlap
            )
    assert len(sure) > 300
    assert sum(sure) / len(sure) > 0.985
    assert len(unsure) > 20
    assert sum(unsure) / len(unsure) < 0.65
    assert abs(sum(said) / len(said)) < 0.05


@pytest.mark.skipif(not SAMPLES.exists(), reason="the shared samples are not here")
@pytest.mark.parametrize("name", ["image-classification-cnn-pytorch", "homl-14-keras"])
def test_all_ten_questions_are_found_in_the_real_samples(
    name: str, classification: Any, textbook: Any
) -> None:
    assignment = textbook if name.startswith("homl") else classification
    submission = read(SAMPLES / f"{name}.ipynb")
    alignment = align(submission, assignment)
    assert all(a.pieces for a in alignment.answers)
    assert min(confidence(alignment).values()) > 0.9
    if name.startswith("homl"):
        opens = [submission.pieces[a.pieces[0]].source.strip()[:2] for a in alignment.answers]
        assert opens == ["Wh", "2.", "4.", "5.", "6.", "6.", "7.", "8.", "9.", "10"]
        cells = [sorted({submission.pieces[i].cell for i in a.pieces}) for a in alignment.answers]
        assert cells[8:] == [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12, 13, 14, 15]]


def test_this_room_does_not_import_torch() -> None:
    probe = "import sys, grader.submission; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
