"""The optional judge on a whole batch: it may send answers to a person, and nothing else."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import prose
import pytest
from judges import Handler, points, served
from prose import FILTER, PADDING, STRIDE, criterion

from grader import report
from grader.checks.base import State
from grader.engine import Trust, confirm, grade
from grader.errors import UsageError
from grader.evidence.store import Store
from grader.results import Results
from grader.text.judge import Endpoint, endpoint

FULL = f"{FILTER} {STRIDE} {PADDING}"
HALF = f"{FILTER} Nothing else about these layers is known to me at the moment."
MADE = {1: "small matrix of learnable weights", 2: "number of pixels", 3: "zeros around the border"}


def agreeing(h: Handler, n: int) -> None:
    """Finds in an answer what is there."""
    said = h.body["messages"][0]["content"].split("===")[-3]
    rows = [
        {"point": k, "verdict": "made", "quote": v}
        if v in said
        else {"point": k, "verdict": "not made", "quote": ""}
        for k, v in MADE.items()
    ]
    h.reply(points(rows))


def mild(h: Handler, n: int) -> None:
    """Takes every point for made, and quotes words that stand in every answer of this class."""
    h.reply(points([{"point": k, "verdict": "made", "quote": MADE[1]} for k in MADE]))


@pytest.fixture
def serve() -> Iterator[Any]:
    with served() as start:
        yield start


@pytest.fixture
def home(tmp_path: Path, ran: Path) -> Path:
    shutil.copytree(ran, tmp_path / "store")
    prose.assignment(tmp_path)
    prose.hand_in(tmp_path, {"full": FULL, "half": HALF, "blank": ""})
    return tmp_path


def graded(home: Path, judge: Endpoint | None, trust: Trust = Trust.SHIPPED) -> Results:
    return grade([home / "submissions"], replace(prose.options(home, trust=trust), judge=judge))


def marks(results: Results) -> list[float]:
    return [s.mark for s in results.submissions]


def test_a_judge_that_agrees_changes_nothing_and_a_second_run_asks_nothing_again(
    home: Path, serve: Any
) -> None:
    alone = graded(home, None)
    at, server = serve(agreeing)
    results = graded(home, at)
    assert server.asked == 4, "two answers, twice each; the blank one is not asked about"
    for name in ("full", "half"):
        assert criterion(results, name).state is criterion(alone, name).state
        assert "the judge bears out every point" in criterion(results, name).private
    assert marks(results) == marks(alone)
    assert graded(home, at) == results
    assert server.asked == 4
    with sqlite3.connect(home / "store" / "evidence.sqlite") as db:
        kept = [json.loads(r) for (r,) in db.execute("select record from notes where kind = 'judge'")]
    exchanges = [e for k in kept for e in k["exchanges"]]
    assert len(exchanges) == 4 and all(e["prompt"] and e["reply"] for e in exchanges)
    assert sum(PADDING in e["prompt"] for e in exchanges) == 2


def test_a_judge_that_disagrees_sends_the_answer_to_a_person_and_raises_no_mark(
    home: Path, serve: Any
) -> None:
    alone = graded(home, None)
    at, _ = serve(mild)
    results = graded(home, at)
    half = criterion(results, "half")
    assert criterion(alone, "half").state is State.PARTIAL
    assert half.state is State.REVIEW and half.mark == criterion(alone, "half").mark
    assert "second reading" in half.reason and "made" in half.private
    assert criterion(results, "full").state is State.EARNED
    assert marks(results) == marks(alone)


def test_a_judges_agreement_makes_no_open_mark_final(home: Path, serve: Any) -> None:
    at, _ = serve(agreeing)
    full = criterion(graded(home, at, Trust.OWN), "full")
    assert full.state is State.REVIEW and full.unconfirmed


def test_no_students_copy_holds_what_the_judge_said(home: Path, serve: Any) -> None:
    at, _ = serve(mild)
    written = report.write(
        graded(home, at), home / "handout", Store(home / "store").blob, report.Audience.STUDENT
    )
    assert all("judge" not in page.read_text() for page in (*written.pages, written.json))


def test_a_judge_that_is_not_there_sends_all_to_a_person_and_is_asked_again_next_time(
    home: Path, serve: Any
) -> None:
    prose.hand_in(home, {f"more-{i}": f"{HALF} Note {i}" for i in range(12)})
    at, server = serve(lambda h, n: h.reply(b"busy", 503))
    results = graded(home, at)
    assert all(
        criterion(results, name).state is State.REVIEW for name in ("full", "half", "more-0", "more-11")
    )
    assert "a second reading was not to be had" in criterion(results, "full").reason
    assert criterion(results, "blank").state is State.LOST
    assert server.asked < 12, "after a few tries it is left alone"
    server.behave = agreeing
    assert criterion(graded(home, at), "full").state is State.EARNED


def test_the_judge_is_not_asked_about_an_answer_that_a_person_marked(home: Path, serve: Any) -> None:
    file = home / "marks.csv"
    file.write_text(f'question,answer,mark,out_of\nq1,"{prose.HEADING}\n\n{HALF}",5,10\n')
    confirm(file, prose.options(home))
    at, server = serve(mild)
    half = criterion(graded(home, at), "half")
    assert (half.state, half.mark, server.asked) == (State.PARTIAL, 5, 2)


def test_an_address_that_cannot_be_asked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="http"):
        endpoint("file:///etc/passwd", "m")
    with pytest.raises(UsageError, match="--judge-model"):
        endpoint("http://127.0.0.1:1/v1", "")
    monkeypatch.setenv("GRADE_JUDGE_KEY", "hush")
    found = endpoint("http://127.0.0.1:1/v1", "m")
    assert found.key == "hush" and "hush" not in repr(found)
