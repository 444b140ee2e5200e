from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from grader.errors import OutputError
from grader.report import folder as folder_module
from grader.report import page_names, ready, write
from grader.results import SubmissionResult

from .conftest import Blobs, results


def named(file: str, reason: str = "one") -> SubmissionResult:
    return SubmissionResult(file=file, state="unreadable", reason=reason)


def contents(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_text("utf-8") for p in files}


def test_a_new_report_replaces_the_old_one_and_nothing_else(tmp_path: Path, blobs: Blobs) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "pages" / "mine.html").write_text("mine")
    write(results(named("a.ipynb"), named("b.ipynb")), tmp_path, blobs)
    assert (tmp_path / "pages" / "b.html").is_file()
    written = write(results(named("a.ipynb", "two")), tmp_path, blobs)
    ours = {".grade-report.json", "grades.csv", "index.html", "pages/a.html", "results.json"}
    assert set(contents(tmp_path)) == ours | {"notes.txt", "pages/mine.html"}
    assert "two" in written.pages[0].read_text("utf-8").casefold()
    assert (tmp_path / "notes.txt").read_text() == (tmp_path / "pages" / "mine.html").read_text() == "mine"


def test_a_stale_page_that_somebody_edited_is_kept(tmp_path: Path, blobs: Blobs) -> None:
    write(results(named("a.ipynb"), named("b.ipynb")), tmp_path, blobs)
    (tmp_path / "pages" / "b.html").write_text("my remarks")
    write(results(named("a.ipynb")), tmp_path, blobs)
    assert (tmp_path / "pages" / "b.html").read_text() == "my remarks"


def test_a_file_that_is_not_ours_is_never_replaced(tmp_path: Path, blobs: Blobs) -> None:
    (tmp_path / "index.html").write_text("my home page")
    with pytest.raises(OutputError, match=r"index\.html is already there"):
        write(results(named("a.ipynb")), tmp_path, blobs)
    assert contents(tmp_path) == {"index.html": "my home page"}


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_an_error_while_publishing_leaves_the_old_report_whole(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    write(results(named("a.ipynb")), tmp_path, blobs)
    before = contents(tmp_path)
    calls = 0
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(folder_module.os, "replace", replace)
    with pytest.raises(OutputError, match="no space left for the report"):
        write(results(named("a.ipynb", "two"), named("c.ipynb")), tmp_path, blobs)
    assert contents(tmp_path) == before


def test_a_full_disk_while_writing_leaves_the_old_report_whole(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(results(named("a.ipynb")), tmp_path, blobs)
    before = contents(tmp_path)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_module.os, "fsync", full)
    with pytest.raises(OutputError, match="free some space"):
        write(results(named("a.ipynb", "two")), tmp_path, blobs)
    assert contents(tmp_path) == before


def test_a_run_killed_while_writing_leaves_the_old_report_and_the_next_run_clears_up(
    tmp_path: Path, blobs: Blobs
) -> None:
    write(results(named("a.ipynb")), tmp_path, blobs)
    before = contents(tmp_path)
    killed = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from grader.report import folder
        with folder.staged(Path(sys.argv[1])) as stage:
            stage.put("index.html", "half")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", killed, str(tmp_path)], timeout=60)
    assert done.returncode == -signal.SIGKILL
    after = contents(tmp_path)
    assert {k: v for k, v in after.items() if not k.startswith(".grade-report-new-")} == before
    write(results(named("a.ipynb")), tmp_path, blobs)
    assert sorted(contents(tmp_path)) == sorted(before)


def test_a_report_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path, blobs: Blobs) -> None:
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", tmp_path / "file" / "reports"):
        for attempt in (lambda bad=bad: ready(bad), lambda bad=bad: write(results(), bad, blobs)):
            with pytest.raises(OutputError) as caught:
                attempt()
            assert "\n" not in str(caught.value) and "-o" in str(caught.value)
    ready(tmp_path / "deep" / "reports")
    assert list((tmp_path / "deep" / "reports").iterdir()) == []


def test_two_runs_into_one_folder_do_not_mix(tmp_path: Path, blobs: Blobs) -> None:
    with folder_module.staged(tmp_path) as stage:
        stage.put("index.html", "first")
        with pytest.raises(OutputError, match="another run"):
            write(results(named("a.ipynb")), tmp_path, blobs)
    assert (tmp_path / "index.html").read_text() == "first"


def test_a_broken_or_forged_manifest_cannot_remove_other_files(tmp_path: Path, blobs: Blobs) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("keep")
    folder = tmp_path / "reports"
    folder.mkdir()
    digest = "6ca7ea2feefc88ecb5ed6356ed963f47dc9137f82526fdd25d618ea626d0803f"
    manifest = folder / ".grade-report.json"
    manifest.write_text(json.dumps({"files": {"../outside.txt": digest, str(outside): digest}}))
    write(results(named("a.ipynb")), folder, blobs)
    manifest.write_text("{")
    with pytest.raises(OutputError):
        write(results(named("a.ipynb")), folder, blobs)
    assert outside.read_text() == "keep"


def test_pages_of_equal_names_are_told_apart_and_keep_their_names(tmp_path: Path, blobs: Blobs) -> None:
    files = ["x/hw.ipynb", "y/hw.ipynb", "HW.py", "../..//=evil name?.ipynb", "\u202e.ipynb", "y/hw.ipynb"]
    names = page_names(files)
    assert len({n.casefold() for n in names}) == 6
    assert names[:2] == page_names(files[:2])
    assert names[3:5] == ["evil-name.html", "submission.html"]
    written = write(results(*map(named, files)), tmp_path, blobs)
    assert [p.name for p in written.pages] == names and all(p.is_file() for p in written.pages)
