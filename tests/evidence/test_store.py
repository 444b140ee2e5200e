"""The evidence store: what is kept is found again, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.errors import OutputError
from grader.evidence.marks import PersonMark
from grader.evidence.model import (
    Environment,
    Execution,
    Figure,
    Isolation,
    IsolationLevel,
    Limits,
    PieceRun,
    Profile,
    RunState,
)
from grader.evidence.store import Store

REPOSITORY = Path(__file__).parents[2]


def execution(key: str = "k", png: str | None = None) -> Execution:
    figures = (Figure(piece=0, png=png),) if png else ()
    return Execution(
        key=key,
        profile=Profile.SMOKE,
        state="complete",
        isolation=Isolation(level=IsolationLevel.NAMESPACES),
        environment=Environment(python="3.11"),
        limits=Limits(),
        runs=(PieceRun(piece=0, state=RunState.OK, figures=figures),),
    )


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.keep(b"picture")
    kept = execution(png=digest)
    store.put(kept)
    store.put(kept)
    assert Store(tmp_path).get("k") == kept and len(store) == 1
    assert store.blob(digest) == b"picture" and store.keep(b"picture") == digest
    assert store.get("other") is None
    store.forget("k")
    assert store.get("k") is None and len(store) == 0


def test_a_record_of_an_older_form_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(execution())
    with sqlite3.connect(tmp_path / "evidence.sqlite") as db:
        (record,) = db.execute("select record from executions").fetchone()
        db.execute("update executions set record = ?", (json.dumps({**json.loads(record), "gone": 1}),))
    assert store.get("k") is None
    store.put(execution())
    assert store.get("k") == execution()


def test_a_run_whose_picture_is_gone_is_run_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.keep(b"picture")
    store.put(execution(png=digest))
    shutil.rmtree(tmp_path / "blobs")
    assert store.get("k") is None
    with pytest.raises(KeyError):
        store.blob(digest)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="evidence store cannot be written") as raised:
        Store(file / "below")
    assert raised.value.exit_code == 4 and "--store" in str(raised.value)
    broken = tmp_path / "broken"
    Store(broken)
    for each in broken.glob("evidence.sqlite*"):
        each.write_bytes(b"this is no database" * 100)
    with pytest.raises(OutputError):
        Store(broken).put(execution())


WRITE = """
import sys
import time
from pathlib import Path
sys.path[:0] = {paths!r}
from test_store import execution
from grader.evidence.store import Store
store = Store(Path({folder!r}))
for i in range(40):
    digest = store.keep(b"same %d" % i)
    store.put(execution(f"{name}-{{i}}", digest))
    (store.folder / f"{name}-{{i}}").touch()
    end = time.monotonic() + 20
    while time.monotonic() < end and not all((store.folder / f"{{n}}-{{i}}").exists() for n in "ab"):
        time.sleep(0.001)  # both write the same new key at the same moment
    store.put(execution(f"both-{{i}}", digest))
"""


def test_two_commands_may_write_at_once(tmp_path: Path) -> None:
    paths = [str(Path(__file__).parent), str(REPOSITORY)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE.format(paths=paths, folder=str(tmp_path / "s"), name=n)]
        )
        for n in "ab"
    ]
    assert [p.wait(300) for p in running] == [0, 0]
    store = Store(tmp_path / "s")
    assert len(store) == 120
    assert all(store.get(f"{n}-{i}") for n in ("a", "b", "both") for i in range(40))


RUBRIC = """
id: tiny
title: Tiny
resources: []
questions:
  - id: q1
    title: Prints
    marks: 1
    criteria:
      - {check: runs, marks: 1}
"""
GRADE = """
import sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from grader import engine
from grader.worker import environment
environment.inside_digest = lambda: "the same"  # though someone edits the code between the runs
options = engine.Options(rubric={rubric!r}, store=Path({store!r}), jobs=1)
if __name__ == "__main__":
    found = engine.grade([Path({folder!r})], options)
    print(sorted((Path(s.file).name, s.executed) for s in found.submissions))
"""


@pytest.mark.slow
def test_a_command_killed_midway_and_run_again_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    folder, store = tmp_path / "submissions", tmp_path / "store"
    folder.mkdir()
    for name, seconds in (("a", 0), ("b", 8), ("c", 0)):
        cell = f"# Q1\nimport time; time.sleep({seconds}); print('{name}')"
        cells = [
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        ]
        notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "tiny.yaml").write_text(RUBRIC)
    script = GRADE.format(
        repository=str(REPOSITORY), rubric=str(tmp_path / "tiny.yaml"), store=str(store), folder=str(folder)
    )
    command = [sys.executable, "-c", script]
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GRADE_DATA": str(tmp_path / "none"),
    }
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for _ in range(1200):
            if first.poll() is not None:
                assert first.stdout is not None
                pytest.fail(first.stdout.read().decode()[-2000:])
            if (store / "evidence.sqlite").exists() and len(Store(store)) == 1:
                break
            time.sleep(0.1)
        first.send_signal(signal.SIGKILL)
    finally:
        first.kill()
        first.wait(10)
    assert len(Store(store)) == 1
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr[-2000:]
    assert again.stdout.splitlines()[-1] == "[('a.ipynb', False), ('b.ipynb', True), ('c.ipynb', True)]"
    third = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert third.stdout.splitlines()[-1] == "[('a.ipynb', False), ('b.ipynb', False), ('c.ipynb', False)]"


def mark(answer: str, given: float, submission: str = "a.ipynb", assignment: str = "sums") -> PersonMark:
    return PersonMark(
        assignment=assignment,
        question="q1",
        criterion="What a sum is",
        digest=hashlib.sha256(answer.encode()).hexdigest(),
        answer=answer,
        mark=given,
        out_of=10,
        submission=submission,
    )


def test_a_persons_marks_are_kept_by_assignment_and_a_later_one_takes_the_place_of_an_earlier(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    store.keep_marks(
        [mark("one", 3), mark("two", 8), mark("one", 4, "b.ipynb"), mark("x", 1, assignment="y")]
    )
    store.keep_marks([mark("one", 5)])
    found = {(m.answer, m.submission): m.mark for m in Store(tmp_path).marks("sums")}
    assert found == {("one", "a.ipynb"): 5, ("two", "a.ipynb"): 8, ("one", "b.ipynb"): 4}
    assert Store(tmp_path).marks("unknown") == ()


def test_a_note_is_kept_under_its_kind_and_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep_note("judge", "k", '{"a": 1}')
    store.keep_note("judge", "k", '{"a": 2}')
    assert Store(tmp_path).note("judge", "k") == '{"a": 2}'
    assert store.note("answers", "k") is None and store.note("judge", "other") is None
