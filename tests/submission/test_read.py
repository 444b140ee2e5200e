from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SubmissionError
from grader.submission import Submission, read


def write(path: Path, content: Any) -> Path:
    data = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content))
    )
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def book(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}


def md(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, **more}


def code(source: Any, outputs: Any = (), **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), **more}


def sources(submission: Submission) -> list[tuple[str, str]]:
    return [(p.kind, p.source) for p in submission.pieces]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.ipynb"


# ---------------------------------------------------------------- unreadable, with the reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b'{"cells": [', "broken JSON at line 1"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"[1, 2]", "not a notebook"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 9, "cells": []}', "format 9"),
        (b'{"nbformat": 4, "cells": []}', "no cell with anything in it"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"[" * 200_000, "nested too deeply"),
        (b"\xff\xfe{\xd8", "UTF-16"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(file: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SubmissionError, match=reason) as caught:
        read(write(file, content))
    assert caught.value.where == str(file)
    assert caught.value.todo


def test_a_folder_a_pipe_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, reason in (("folder", "folder"), ("pipe", "not an ordinary file"), ("missing", "No such file")):
        with pytest.raises(SubmissionError, match=reason):
            read(tmp_path / f"{name}.ipynb")


def test_a_file_of_200_mb_is_refused_unread(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file.open("wb") as f:
        f.truncate(200 * 2**20)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(SubmissionError, match="200 MiB are too much"):
        read(file)


def test_cells_full_of_data_are_refused(file: Path) -> None:
    with pytest.raises(SubmissionError, match="million characters"):
        read(write(file, book(code("data = '" + "x" * 6_000_000 + "'"))))


def test_another_kind_of_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"\.docx"):
        read(write(tmp_path / "essay.docx", "text"))


# ---------------------------------------------------------------- readable, with repairs noted


def test_a_notebook_without_kernel_ids_or_metadata_is_read(file: Path) -> None:
    bare = {
        "cells": [{"cell_type": "code", "source": ["x = 1\n", "x"]}, {"cell_type": "raw", "source": "a note"}]
    }
    submission = read(write(file, bare))
    assert sources(submission) == [("code", "x = 1\nx"), ("markdown", "a note")]
    assert submission.language == "python"
    assert any("no kernel" in n for n in submission.notes)


def test_format_3_is_upgraded(file: Path) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Question 6"]},
                    {
                        "cell_type": "code",
                        "input": ["print(1)\n", "print(2)"],
                        "language": "python",
                        "outputs": [],
                    },
                    {"cell_type": "code", "input": "y = 2"},
                ]
            }
        ],
    }
    submission = read(write(file, old))
    assert sources(submission) == [
        ("markdown", "## Question 6"),
        ("code", "print(1)\nprint(2)"),
        ("code", "y = 2"),
    ]
    assert any("old format 3" in n for n in submission.notes)


def test_widgets_without_state_are_no_reason_to_refuse(file: Path) -> None:
    widgets = {"application/vnd.jupyter.widget-state+json": {"abc": {"model_name": "x"}}}
    submission = read(write(file, book(code("x = 1"), metadata={"widgets": widgets})))
    assert len(submission.pieces) == 1
    assert any("widgets have no state" in n for n in submission.notes)


@pytest.mark.parametrize(
    "picture",
    [
        "![plot](data:image/png;base64,iVBORw0KGgo/+AAA==)",
        "![plot](data:image/png;base64,iVBORw0K\nGgo/+AAA==)",
        '<img src="data:image/jpeg;base64,/9j/4AAQ==" width="300">',
        "![image.png](attachment:image.png)",
        "<img src='attachment:a.png'/>",
    ],
)
def test_a_picture_inside_the_text_becomes_a_token(file: Path, picture: str) -> None:
    cell = md(f"Look: {picture} and the words after it.", attachments={"image.png": {"image/png": "iVBOR"}})
    submission = read(write(file, book(cell)))
    assert re.fullmatch(r"Look: \[image \w{12}\] and the words after it\.", submission.pieces[0].source)
    assert any("1 picture " in n for n in submission.notes)


@pytest.mark.parametrize("name", ["my plot(1).png", "my%20plot%281%29.png", "other.png"])
def test_two_pictures_of_one_name_are_told_apart(file: Path, name: str) -> None:
    cells = [
        md(f"![](attachment:{name})", attachments={"my plot(1).png": {"image/png": data}})
        for data in ("iVBOR", "iVBOS", "iVBOR")
    ]
    first, other, again = (p.source for p in read(write(file, book(*cells))).pieces)
    assert first == again != other


def test_a_bare_data_url_does_not_swallow_the_answer_after_it(file: Path) -> None:
    submission = read(write(file, book(md("data:image/png;base64,AAAA==\n\nThe answer is here"))))
    assert re.fullmatch(r"\[image \w{12}\]\n\nThe answer is here", submission.pieces[0].source)


def test_other_encodings_are_read_and_said_so(file: Path) -> None:
    raw = json.dumps(book(md("caf\u00e9 5\u00d75")), ensure_ascii=False)
    for encoding, noted in (("utf-8", False), ("utf-8-sig", False), ("latin-1", True), ("utf-16", True)):
        submission = read(write(file, raw.encode(encoding)))
        assert submission.pieces[0].source == "café 5×5"
        assert any("UTF-8" in n for n in submission.notes) is noted


def test_a_notebook_for_another_language_is_noted(file: Path) -> None:
    spec = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    submission = read(write(file, book(code("x <- 1"), metadata=spec)))
    assert submission.language == "r"
    assert any("not Python" in n for n in submission.notes)


def test_saved_output_is_what_was_on_the_screen_and_capped(file: Path) -> None:
    outputs = [
        {
            "output_type": "stream",
            "name": "stdout",
            "text": ["  0%|\r 50%|\r100%|\n", "\x1b[31macc\x1b[0m 0.98\n"],
        },
        {"output_type": "execute_result", "data": {"text/plain": "(10, 2)", "text/html": "<b>no</b>"}},
        {"output_type": "error", "ename": "ValueError", "evalue": "bad shape", "traceback": ["long"]},
    ]
    long = [{"output_type": "stream", "text": "start" + "x" * 100_000 + "end"}]
    submission = read(write(file, book(code("a", outputs), code("b", long), code("c", "nonsense"))))
    first, second, third = (p.saved_output for p in submission.pieces)
    assert first == "100%|\nacc 0.98\n(10, 2)\nValueError: bad shape\n"
    assert second.startswith("start")
    assert second.endswith("end")
    assert len(second) < 21_000
    assert third == ""


def test_the_digest_is_of_the_bytes(file: Path) -> None:
    first = read(write(file, book(md("one")))).digest
    assert read(write(file, book(md("two")))).digest != first
    assert read(write(file, book(md("one")))).digest == first


# ---------------------------------------------------------------- scripts and Markdown files


def test_percent_cells_become_cells(tmp_path: Path) -> None:
    text = (
        "# ---\n# jupyter:\n#   jupytext: {}\n# ---\n\n# %% [markdown]\n# **Q6** Train it\n#\n# in words\n\n"
        '# %%\nx = 1\n\n# %% [markdown]\n"""\nprose in quotes\n"""\n# %% Question 7\ny = 2\n'
    )
    assert sources(read(write(tmp_path / "a.py", text))) == [
        ("markdown", "**Q6** Train it\n\nin words"),
        ("code", "x = 1"),
        ("markdown", "prose in quotes"),
        ("code", "# Question 7\ny = 2"),
    ]


def test_a_plain_script_is_one_code_cell(tmp_path: Path) -> None:
    submission = read(write(tmp_path / "a.py", "import os\n\nx = 1\n"))
    assert [(p.kind, p.cell) for p in submission.pieces] == [("code", 0)]


def test_fenced_python_in_markdown_is_code_and_other_fences_are_not(tmp_path: Path) -> None:
    text = "Intro\n\n```python\nx = 1\n```\n\nBetween\n\n```\nnot = code\n```\n\n~~~py\ny = 2\n"
    assert sources(read(write(tmp_path / "a.md", text))) == [
        ("markdown", "Intro"),
        ("code", "x = 1"),
        ("markdown", "Between\n\n```\nnot = code\n```"),
        ("code", "y = 2"),
    ]
