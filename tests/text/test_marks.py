"""A teacher's marks as they come back from a spreadsheet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest

from grader.errors import UsageError
from grader.evidence.model import Piece
from grader.text.marks import read
from grader.text.written import answer_text, digest

HEAD = "question,answer,mark,out_of,submission\n"


def cell(source: str, kind: Literal["markdown", "code"] = "markdown") -> Piece:
    return Piece(index=0, cell=0, kind=kind, source=source)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "marks.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_only_lines_with_a_mark_are_read_and_answers_keep_their_lines(tmp_path: Path) -> None:
    text = HEAD + 'q1,"first line\nsecond, with a comma",7.5,20,anna.ipynb\nq2,untouched,,20,bob.ipynb\n'
    (row,) = read(written(tmp_path, text))
    assert (row.question, row.mark, row.out_of, row.submission) == ("q1", 7.5, 20, "anna.ipynb")
    assert row.answer == "first line\nsecond, with a comma"


def test_a_spreadsheet_with_semicolons_and_decimal_commas_is_read(tmp_path: Path) -> None:
    text = (HEAD + "q1,x,7.5,20,anna.ipynb\n").replace(",", ";").replace(".5", ",5").replace("\n", "\r\n")
    (row,) = read(written(tmp_path, text, "utf-8-sig"))
    assert (row.mark, row.out_of) == (7.5, 20)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("question,answer,mark\nq1,x,1\n", "column 'out_of' is missing"),
        ("", "column 'question' is missing"),
        (HEAD + "q1,x,25,20,\n", r"marks\.csv:2: a mark of 25 out of 20"),
        (HEAD + "q1,x,good,20,\n", r"marks\.csv:2: mark and out_of must be numbers"),
        (HEAD + "q1,x,-1,20,\n", r"marks\.csv:2: a mark of -1"),
        (HEAD + "q1,x,1,0,\n", r"marks\.csv:2: a mark of 1 out of 0"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(written(tmp_path, text))


def test_a_file_in_another_encoding_or_none_at_all_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        read(written(tmp_path, HEAD + "q1,größer,1,2,\n", "cp1252"))
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "nowhere.csv")


def test_an_answer_is_known_again_after_a_spreadsheet_has_had_it() -> None:
    text = answer_text([cell("- stride:  step size\n- padding: zeros\u200b"), cell("x = 1", "code")])
    assert digest("'" + text.replace("\n", "\r\n") + " ") == digest(text)
    assert digest(text.replace("step", "stop")) != digest(text)
    assert digest("(n + 2p)") != digest("(n - 2p)")


def test_the_data_of_a_picture_is_no_part_of_an_answer() -> None:
    text = answer_text([cell(f"![plot](data:image/png;base64,{'A' * 5000}) shows it.")])
    assert re.fullmatch(r"!\[plot\]\(\(picture [0-9a-f]{12}\)\) shows it\.", text)
