"""What a kernel says of itself is read as data: nothing in it crashes the worker, escapes, or is believed twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from kernels import Blobs, Notebook

from grader.worker import notes

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005"
    "0001ff56c72f0d0000000049454e44ae426082"
)
MODEL = {"kind": "model", "at": 0, "framework": "pytorch", "class_name": "Net"}


def read(folder: Path, *lines: Any) -> tuple[notes.Notes, Blobs]:
    """Writes the lines, JSON or text, as a kernel would, and reads them as the worker does."""
    folder.mkdir(exist_ok=True)
    copies = folder.parent / "copies"
    copies.mkdir(exist_ok=True)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "notes.jsonl").write_bytes(text.encode("utf-8", "surrogatepass"))
    blobs = Blobs()
    return notes.read(folder, blobs.keep, copies), blobs


@pytest.mark.parametrize(
    "line",
    [
        '"text"',
        "5",
        "null",
        "[]",
        "{}",
        "{",
        "\x00\xff",
        '{"kind": ["model"]}',
        '{"kind": "model"}',
        '{"kind": "model", "at": 0, "framework": "other", "class_name": "x"}',
        '{"kind": "model", "at": NaN, "framework": "pytorch", "class_name": "x"}',
        json.dumps({**MODEL, "marks": 100}),
        json.dumps({**MODEL, "program": "a" * 64}),
        json.dumps({**MODEL, "file": 5}),
        json.dumps({**MODEL, "file": "a\0b"}),
        json.dumps({**MODEL, "file": ["a"]}),
        json.dumps({**MODEL, "input_range": ["a", "b"]}),
        json.dumps(MODEL)[:-1] + ', "input_range": [1' + "0" * 400 + ", 2]}",
        json.dumps({**MODEL, "variable": "\ud800"}),
        '{"kind": "dataset", "dataset": "mnist", "preprocessing": {"steps": [{"name": "\\ud800"}]}}',
        '{"kind": "dataset", "dataset": "m", "preprocessing": {"steps": [{"a": '
        + "[" * 400
        + "]" * 400
        + "}]}}",
        "[" * 100_000,
    ],
)
def test_a_line_that_no_kernel_of_ours_writes_is_dropped_and_the_next_is_read(
    line: str, tmp_path: Path
) -> None:
    found, _ = read(tmp_path / "notes", line, MODEL)
    assert [s.class_name for s in found.snapshots] == ["Net"]
    assert not found.datasets and not found.figures
    assert not (tmp_path / "notes" / "notes.jsonl").exists()


def test_numbers_that_are_none_leave_an_ordinary_record(tmp_path: Path) -> None:
    figure = '{"kind": "figure", "axes": [{"lines": [{"x": [1e400], "y": [NaN]}]}]}'
    found, _ = read(tmp_path / "notes", figure, json.dumps({**MODEL, "input_range": [float("-inf"), 1.0]}))
    assert found.figures == []
    assert [s.input_range for s in found.snapshots] in ([], [None])


def test_a_flood_of_lines_is_cut(tmp_path: Path) -> None:
    found, _ = read(tmp_path / "notes", *[{**MODEL, "variable": str(i)} for i in range(100_000)])
    assert len(found.snapshots) == notes.MOST_LINES


def test_a_file_is_only_taken_if_it_is_an_ordinary_one_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(PNG)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "zero").symlink_to("/dev/zero")
    names = ["link", "pipe", "folder", "zero", "../secret", str(secret), "..", ".", "absent"]
    lines = [{"kind": "figure", "file": n} for n in names] + [{**MODEL, "file": n} for n in names]
    found, blobs = read(folder, *lines)
    assert blobs.held == {} and found.programs == {}
    assert all(f.png is None for f in found.figures) and all(s.program is None for s in found.snapshots)
    assert secret.read_bytes() == PNG


def test_notes_that_are_a_link_a_pipe_or_too_large_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(MODEL))
    for make in (
        lambda p: p.symlink_to(secret),
        lambda p: os.mkfifo(p),
        lambda p: os.truncate(os.open(p, os.O_CREAT | os.O_WRONLY), notes.MOST_BYTES + 1),
    ):
        folder = tmp_path / "notes"
        folder.mkdir(exist_ok=True)
        make(folder / "notes.jsonl")
        assert notes.read(folder, Blobs().keep, tmp_path).snapshots == []
        assert not (folder / "notes.jsonl").exists()
    assert read(tmp_path / "notes", MODEL)[0].snapshots  # and what comes later is


def test_a_picture_is_encoded_again(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.png").write_bytes(PNG + b"<script>alert(1)</script>")
    (folder / "b.png").write_bytes(b"<svg onload='alert(1)'/>")
    found, blobs = read(folder, {"kind": "figure", "file": "a.png"}, {"kind": "figure", "file": "b.png"})
    assert [f.png is not None for f in found.figures] == [True, False]
    (content,) = blobs.held.values()
    assert content.startswith(b"\x89PNG") and b"script" not in content


def test_a_model_that_is_changed_after_it_was_read_is_measured_as_it_was(tmp_path: Path) -> None:
    """The file was swapped for a link to somewhere else, which the measuring side then followed."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "program-1.pt2").write_bytes(b"first")
    found, blobs = read(folder, {**MODEL, "file": "program-1.pt2"})
    (folder / "program-1.pt2").unlink()
    (folder / "program-1.pt2").symlink_to("/etc/passwd")
    ((digest, path),) = found.programs.items()
    assert not path.is_symlink() and path.parent != folder
    assert path.read_bytes() == blobs.held[digest] == b"first"


def test_a_hostile_notebook_leaves_only_what_is_true_of_its_own_pieces(notebook: Notebook) -> None:
    """From inside a kernel: garbage, links, models under other questions' names."""
    ran = notebook(
        "import json, os\n"
        "def note(**f): open('/grade/notes/notes.jsonl', 'a').write(json.dumps(f) + '\\n')\n"
        "open('/grade/notes/notes.jsonl', 'a').write('5\\n\"x\"\\n{\\n')\n"
        "note(kind='model', at=1, framework='pytorch', class_name='Elsewhere')\n"
        "note(kind='model', at=0, framework='pytorch', class_name='Here', file='link')\n"
        "note(kind='dataset', piece=1, dataset='mnist')\n"
        "note(kind='figure', piece=1, axes=[])\n"
        "os.symlink('/etc/passwd', '/grade/notes/link')",
        "os.remove('/grade/notes/notes.jsonl') if os.path.exists('/grade/notes/notes.jsonl') else 0\n"
        "os.mkfifo('/grade/notes/notes.jsonl')",
        "os.mkdir('/grade/notes/notes.jsonl')",
        "print('done')",
    )
    assert ran.execution.state == "complete" and ran.states == ["ok"] * 4
    assert [(s.class_name, s.piece, s.program) for s in ran.execution.snapshots] == [("Here", 0, None)]
    assert ran.execution.datasets == () and not any(r.figures for r in ran.execution.runs)
