from __future__ import annotations

import ast
from itertools import groupby
from textwrap import dedent

import pytest

from grader.evidence.model import Piece
from grader.python import parse
from grader.submission.cells import Cell
from grader.submission.labels import label_of
from grader.submission.split import pieces


def split(*cells: tuple[str, str]) -> tuple[Piece, ...]:
    kinds = {"md": "markdown", "code": "code"}
    made = [Cell(i, kinds[k], s) for i, (k, s) in enumerate(cells)]  # type: ignore[arg-type]
    found, _ = pieces(made)
    for index, parts in groupby(found, key=lambda p: p.cell):  # whatever is cut: nothing is lost
        taken = list(parts)
        assert "".join(p.source for p in taken) == made[index].source
        lines = made[index].source.split("\n")
        for p in taken:
            assert lines[p.first_line - 1] == p.source.split("\n")[0]
    assert [p.index for p in found] == list(range(len(found)))
    return found


def starts(*cells: tuple[str, str]) -> list[str]:
    return [p.source.strip().split("\n")[0] for p in split(*cells)]


@pytest.mark.parametrize(
    "line",
    [
        "Question 6: Train it",
        "QUESTION 6",
        "Question No. 6 - train",
        "Question six: train",
        "Question VI",
        "Q6.",
        "Q6",
        "q 6)",
        "**Q6**",
        "### **Question-6**",
        "<h2>Question 6</h2>",
        '<b style="color:red">Q6.</b>',
        "Que 6",
        "Q.6)",
        "Ques-6",
        "Task 6",
        "Exercise 6:",
        "> Q6: train",
        "\N{LARGE ORANGE DIAMOND} Question 6",
        "Q6a) first part",
        "Ans 6:",
    ],
)
def test_a_strong_label_is_seen_however_it_is_written(line: str) -> None:
    label = label_of(line)
    assert label is not None
    assert (label.number, label.strong) == (6, True)


@pytest.mark.parametrize(
    "line", ["6.", "6. What is", "## 6) Train", "**6.** Train", "**6. Train**", "(6) train", "10. If"]
)
def test_a_bare_number_is_a_weak_label(line: str) -> None:
    label = label_of(line)
    assert label is not None
    assert not label.strong
    assert label.number in (6, 10)


@pytest.mark.parametrize(
    "line",
    [
        "6.5 percent",
        "60 million",
        "3D kernels",
        "1998 was",
        "questionable 6",
        "Q 28x28",
        "- 5 units",
        "Ex vivo is",
        "Sol i",
    ],
)
def test_a_number_in_a_sentence_is_no_label(line: str) -> None:
    assert label_of(line) is None


def test_six_questions_in_one_markdown_cell_are_six_pieces() -> None:
    text = "\n\n".join(f"**Question {i}:** What is {i}?\n\nIt is so." for i in range(1, 7))
    found = split(("md", text))
    assert [p.part for p in found] == list(range(6))
    assert [p.section for p in found] == [1, 2, 3, 4, 5, 6]


def test_prompts_with_bare_numbers_are_cut_apart_and_a_tight_list_of_points_is_not() -> None:
    text = dedent("""\
        1. What is a stride?
        It is a step.
        1. small
        2. large
        3. none
        2. Explain how padding keeps the size of a map.
        It adds zeros.""")
    assert starts(("md", text)) == ["1. What is a stride?", "2. Explain how padding keeps the size of a map."]


def test_prompts_without_any_label_are_cut_apart() -> None:
    text = "What is a receptive field here?\n\nAll of it.\n\nHow does a stride change the map?\n\nIt shrinks."
    assert starts(("md", text)) == [
        "What is a receptive field here?",
        "How does a stride change the map?",
    ]


def test_a_heading_stays_with_the_prompt_below_it() -> None:
    assert len(split(("md", "## Question 6\n\nImplement LeNet-5 and train it on digits.\n\nDone."))) == 1


def test_labels_inside_a_fence_or_a_table_do_not_cut() -> None:
    assert len(split(("md", "Code:\n\n```\n# Question 1\nQ2.\n```\n\n| a |\n| - |\n| Q3 |"))) == 1


def test_one_cell_that_holds_everything_is_cut_at_labelled_comments_and_strings() -> None:
    source = dedent('''\
        import torch
        # ==========
        # Question 6: LeNet
        # ==========
        def train(model):
            # Q7 is not here
        # Q7 nor at the margin
            """Q8 neither"""
            return model
        x = """
        # Q9
        """
        """Q7. VGG16"""
        y = 2
        print("Question 8")
        z = 3
        ''')
    assert starts(("code", source)) == [
        "import torch",
        "# ==========",
        '"""Q7. VGG16"""',
        'print("Question 8")',
    ]
    assert [p.section for p in split(("code", source))] == [0, 1, 2, 3]


def test_a_decorated_function_after_a_label_stays_whole() -> None:
    source = "x = 1\n# Q6\n@cache\ndef f():\n    return 1\n# Q7\ny = 2"
    assert starts(("code", source)) == ["x = 1", "# Q6", "# Q7"]


def test_steps_in_comments_do_not_cut() -> None:
    assert len(split(("code", "# 1. Load the data\nx = 1\n# 2. Build the model\ny = 2"))) == 1


def test_a_numbered_prompt_in_a_comment_cuts() -> None:
    source = "x = 1\n# 7. Use a pre-trained network on a small custom dataset and fine-tune it\ny = 2"
    assert len(split(("code", source))) == 2


def test_magics_and_shell_lines_survive_the_cut() -> None:
    source = dedent("""\
        %matplotlib inline
        !pip install torch \\
            torchvision
        files = !ls
        # Q6
        if True:
            !nvidia-smi
            x = ("a %s"
                 % 3)
        # Q7
        model?
        """)
    assert starts(("code", source)) == ["%matplotlib inline", "# Q6", "# Q7"]
    tree, masked = parse(source)
    assert tree is not None
    assert "% 3)" in masked
    assert masked.count("\n") == source.count("\n") + 1


def test_a_cell_magic_takes_the_whole_cell() -> None:
    assert len(split(("code", "%%time\nx = 1\n# Q6\ny = 2"))) == 1
    assert len(split(("code", "%%writefile app.py\n# Q6\nimport x\n# Q7\ny = 2"))) == 1


def test_code_with_a_mistake_is_left_whole() -> None:
    assert len(split(("code", "# Q6\nx = (1\n# Q7\ny = 2"))) == 1


def test_many_shell_lines_are_no_burden() -> None:
    source = "\n".join(f"!echo {i}" for i in range(3000)) + "\n# Q6\nx = 1"
    assert len(split(("code", source))) == 2


@pytest.mark.parametrize(
    "source",
    [
        '"""The filter is a small kernel that slides over the image and takes the sum at each place."""',
        "# The filter is a small kernel that slides over the image,\n# and it takes the sum at each place.",
        "The filter is a small kernel that slides over the image, and it takes the sum at each place.",
    ],
)
def test_an_answer_in_words_in_a_code_cell_is_read_as_text(source: str) -> None:
    found, notes = pieces([Cell(0, "code", source)])
    assert [p.kind for p in found] == ["markdown"]
    assert any("cell 1" in n for n in notes)


@pytest.mark.parametrize(
    "source",
    [
        "# model = build(the, of, a)\n# model.fit(x, y)\n# model.evaluate(x_test, y_test)\n# print(model)",
        "x = 1  # the sum of the products that the filter takes at each place of the image",
        "for x in the_list of the things that are in the list and that have to be there print(x)",
    ],
)
def test_code_stays_code_be_it_commented_out_or_wrong(source: str) -> None:
    assert [p.kind for p in split(("code", source))] == ["code"]


def test_answer_labels_and_code_under_a_question_share_its_section() -> None:
    found = split(
        ("md", "Q1. What?"),
        ("md", "Ans 1: this"),
        ("code", "# Q1\nx = 1"),
        ("md", "Q2. Why?"),
        ("code", "y = 2"),
    )
    assert [p.section for p in found] == [1, 1, 1, 2, 2]


def test_without_labels_each_text_followed_by_code_is_a_section() -> None:
    found = split(
        ("code", "a = 1"),
        ("md", "Now LeNet"),
        ("code", "b = 1"),
        ("code", "c = 1"),
        ("md", "Next"),
        ("code", "d = 1"),
    )
    assert [p.section for p in found] == [0, 1, 1, 1, 2, 2]


def test_empty_cells_make_no_pieces_but_are_counted() -> None:
    assert [
        (p.cell, p.index) for p in split(("code", ""), ("md", "text"), ("md", "\n "), ("code", "x = 1"))
    ] == [
        (1, 0),
        (3, 1),
    ]


def test_odd_line_breaks_do_not_shift_the_cut() -> None:
    found = split(("code", "x = 'a\x0c'\ny = '\u2028'\n# Q6\nz = 1"))
    assert [p.first_line for p in found] == [1, 3]
    assert all(ast.parse(p.source) for p in found)
