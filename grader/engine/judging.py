"""A second opinion on a batch's answers in words, from the judge that the instructor named.

Every prompt and reply is kept in the store; what has been answered once is not asked again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from pydantic import ValidationError

from grader.evidence.store import Store
from grader.record import Record
from grader.text import judge
from grader.text.beside import Opinion
from grader.text.judge import Endpoint, Exchange
from grader.text.points import Point

KIND = "judge"
"""Under which the store keeps what was said."""
TOGETHER = 4
"""Answers that are asked about at a time."""
GONE = 3
"""After so many answers in a row without any reply the judge is not asked again in this run."""


@dataclass(frozen=True)
class Asked:
    """One answer, and the points that it is held against."""

    points: tuple[Point, ...]
    question: str
    answer: str

    def key(self, endpoint: Endpoint) -> str:
        said = [endpoint.url, endpoint.model, judge.prompt(self.points, self.question, self.answer, "")]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Heard(Record):
    """What was said of one answer, word by word, and what follows from it for each point."""

    exchanges: tuple[Exchange, ...]
    opinions: tuple[Opinion, ...]

    @property
    def silent(self) -> bool:
        """Whether a reply is missing, so that it is worth asking again another time."""
        return not self.exchanges or any(not e.reply for e in self.exchanges)


def opinions(asked: Sequence[Asked], endpoint: Endpoint, store: Store) -> list[tuple[Opinion, ...]]:
    """For each answer an opinion on every point. Faults of the judge are opinions too: a person looks."""
    keys = [a.key(endpoint) for a in asked]
    found = {key: heard for key in set(keys) if (heard := _kept(store, key)) is not None}
    todo = {key: a for key, a in zip(keys, asked, strict=True) if key not in found}
    lock, missed = Lock(), 0

    def one(a: Asked) -> Heard:
        nonlocal missed
        if missed >= GONE:
            nothing = Opinion(verdict=None, reason="the judge has stopped replying")
            return Heard(exchanges=(), opinions=(nothing,) * len(a.points))
        said: list[Exchange] = []
        given = judge.ask(a.points, a.question, a.answer, endpoint, keep=said.append)
        heard = Heard(exchanges=tuple(said), opinions=given)
        with lock:
            missed = missed + 1 if heard.silent else 0
        return heard

    with ThreadPoolExecutor(TOGETHER) as pool:
        for key, heard in zip(todo, pool.map(one, todo.values()), strict=True):
            found[key] = heard
            if heard.exchanges:
                store.keep_note(KIND, key, heard.model_dump_json())
    return [found[key].opinions for key in keys]


def _kept(store: Store, key: str) -> Heard | None:
    kept = store.note(KIND, key)
    if kept is None:
        return None
    try:
        heard = Heard.model_validate_json(kept)
    except ValidationError:  # of an older form
        return None
    return None if heard.silent else heard
