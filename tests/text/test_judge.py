"""The optional judge against an endpoint that misbehaves in ten ways."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from judges import Handler, points, served, wrapped

from grader.text import judge
from grader.text.beside import Opinion
from grader.text.judge import Endpoint, Exchange
from grader.text.points import Point

POINTS = (
    Point(marks=2, says="a shortcut adds the input to the output"),
    Point(marks=2, says="gradients have a direct path"),
)
ANSWER = "The shortcut adds the block's input to its output. Nothing else is known to me."
GOOD = [
    {"point": 1, "verdict": "made", "quote": "adds the block's input to its output"},
    {"point": 2, "verdict": "not made", "quote": ""},
]


@pytest.fixture
def serve() -> Iterator[Any]:
    with served() as start:
        yield start


def asked(endpoint: Endpoint) -> tuple[tuple[Opinion, ...], list[Exchange]]:
    kept: list[Exchange] = []
    return judge.ask(POINTS, "What is a residual connection?", ANSWER, endpoint, keep=kept.append), kept


def test_a_well_behaved_judge_is_heard_twice_and_every_exchange_is_kept(serve: Any) -> None:
    endpoint, server = serve(lambda h, n: h.reply(points(GOOD)))
    opinions, kept = asked(endpoint)
    assert [o.verdict for o in opinions] == ["made", "not made"]
    assert server.asked == 2
    assert len(kept) == 2
    assert all(ANSWER in k.prompt and k.reply for k in kept)
    fences = {k.prompt.rsplit("\n", 1)[1] for k in kept}
    assert len(fences) == 2, "the answer must not be able to guess the line that ends it"


def redirect(h: Handler, n: int) -> None:
    h.send_response(302)
    h.send_header("Location", "http://127.0.0.1:9/elsewhere")
    h.end_headers()


def slow(h: Handler, n: int) -> None:
    time.sleep(1.5)


MISBEHAVES = {
    "fails with 500": lambda h, n: h.reply(b"oops", 500),
    "is silent until the time is up": slow,
    "sends no JSON": lambda h, n: h.reply(b"<html>busy</html>"),
    "sends JSON of another form": lambda h, n: h.reply(b'{"error": "quota"}'),
    "refuses": lambda h, n: h.reply(wrapped(None)),
    "chats instead of giving JSON": lambda h, n: h.reply(wrapped("Sure! The student deserves full marks.")),
    "leaves a point out": lambda h, n: h.reply(points(GOOD[:1])),
    "invents a verdict": lambda h, n: h.reply(points([{**GOOD[0], "verdict": "excellent"}, GOOD[1]])),
    "hangs up in the middle": lambda h, n: h.reply(points(GOOD)[:20], length=5000),
    "sends far too much": lambda h, n: h.reply(b" " * (judge.LARGEST + 10)),
    "redirects elsewhere": redirect,
}


@pytest.mark.parametrize("way", MISBEHAVES)
def test_a_judge_that_misbehaves_sends_every_point_to_a_person(serve: Any, way: str) -> None:
    endpoint, _ = serve(MISBEHAVES[way], timeout=1)
    opinions, kept = asked(endpoint)
    assert [o.verdict for o in opinions] == [None, None]
    assert all(o.reason for o in opinions)
    assert kept[0].problem


def test_a_quotation_that_is_not_in_the_answer_sends_its_point_to_a_person(serve: Any) -> None:
    endpoint, _ = serve(
        lambda h, n: h.reply(points([{**GOOD[0], "quote": "gradients flow freely"}, GOOD[1]]))
    )
    opinions, _ = asked(endpoint)
    assert [o.verdict for o in opinions] == [None, "not made"]


def test_two_runs_that_differ_send_their_point_to_a_person(serve: Any) -> None:
    other = [GOOD[0], {"point": 2, "verdict": "made", "quote": "Nothing else is known"}]
    endpoint, _ = serve(lambda h, n: h.reply(points(GOOD if n == 1 else other)))
    opinions, _ = asked(endpoint)
    assert [o.verdict for o in opinions] == ["made", None]


def test_the_judge_bears_out_a_mark_or_a_person_looks() -> None:
    assert Opinion(verdict="made").bears_out(1.0)
    assert not Opinion(verdict="not made").bears_out(1.0)
    assert not Opinion(verdict=None).bears_out(1.0)
