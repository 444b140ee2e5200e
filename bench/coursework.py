"""The statement model, fitted on real coursework answers through the points of assignment A's rubric.

What is known of an answer is the markers' mark for each *point*; a point is made of parts, which nobody
marked. So the coefficients of "how far is a statement made" are those under which the weighted parts add
up to the points' marks best (least squares, drawn towards a start that was set by hand).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from scipy.optimize import minimize
from sources import Coursework

from grader.checks.key_points import KeyPoints
from grader.text import assess, model
from grader.text.calibration import Marked
from grader.text.points import Point
from grader.text.reader import CONTRARY, Points, Reading
from grader.text.sentences import Sentence, read_text
from grader.text.statement import answered

Array = npt.NDArray[np.float64]
START = np.array([-7.0, 6.0, 3.0, 2.0, 1.0, 0.0, 1.0, 0.5, 0.3, 0.0])
"""In the order of `model.NAMES`; set by hand before any fit."""
PULL = 0.02


@dataclass(frozen=True)
class Question:
    points: tuple[Point, ...]
    prompt: str
    best: int | None


def questions(rubric: Path) -> dict[str, Question]:
    """The questions of a rubric that are marked by key points."""
    out = {}
    for q in yaml.safe_load(rubric.read_text("utf-8"))["questions"]:
        for c in q["criteria"]:
            if c["check"] == "key_points" and q.get("prose"):
                k = KeyPoints.model_validate(c)
                out[q["id"]] = Question(k.points, q["prompt"], k.best)
    return out


@dataclass(frozen=True)
class Item:
    """One point of one answer: its reading's fixed facts, its statements' features, and its gold share."""

    row: Coursework
    reading: Reading
    gold: float


def items(rows: Sequence[Coursework], rubric: dict[str, Question]) -> list[Item]:
    out = []
    readers = {k: Points(q.points, q.prompt) for k, q in rubric.items()}
    for row in rows:
        readings = readers[row.question].read(_sentences(row, rubric[row.question]))
        for reading, mark in zip(readings, row.points, strict=True):
            out.append(Item(row, reading, mark / reading.point.marks))
    return out


def _sentences(row: Coursework, q: Question) -> tuple[Sentence, ...]:
    return answered(read_text(row.answer), q.prompt)


class Design:
    """All parts of all items as arrays, so that shares are quick functions of the coefficients."""

    def __init__(self, rows: Sequence[Item]) -> None:
        x, item, weight, fact, scale, lesser = [], [], [], [], [], []
        for n, it in enumerate(rows):
            own = len(it.reading.point.made_of())
            total = it.reading.point.enough or sum(p.part.marks for p in it.reading.parts[:own])
            for k, p in enumerate(it.reading.parts):
                f = p.features if p.features is not None and p.part.phrasings else None
                x.append(model.vector(f) if f else np.zeros(len(model.NAMES)))
                item.append(n)
                weight.append(p.part.marks / (total if k < own else it.reading.point.marks))
                fact.append(p.fact or 0.0)
                scale.append(
                    0.0 if f is None else CONTRARY if p.contrary is p.sentence and p.contrary else 1.0
                )
                lesser.append(k >= own)
        self.x, self.item = np.array(x), np.array(item)
        self.weight, self.fact, self.scale = np.array(weight), np.array(fact), np.array(scale)
        self.lesser = np.array(lesser)
        self.n = len(rows)
        self.gold = np.array([it.gold for it in rows])
        self.marks = np.array([it.reading.point.marks for it in rows])

    def share(self, theta: Array) -> Array:
        z = np.clip(self.x @ theta, -30, 30)
        made = np.maximum(model.sharpened(self.scale / (1 + np.exp(-z))), self.fact)
        out = np.zeros(self.n)
        np.add.at(out, self.item[~self.lesser], (self.weight * made)[~self.lesser])
        out = np.minimum(out, 1.0)
        np.maximum.at(out, self.item[self.lesser], (self.weight * made)[self.lesser])
        return out


def fit(rows: Sequence[Item]) -> Array:
    """Coefficients for these items, by least squares over marks."""
    d = Design(rows)

    def loss(theta: Array) -> float:
        error = d.share(theta) - d.gold
        return float((d.marks * error**2).mean() + PULL * ((theta - START) ** 2).mean())

    return np.asarray(minimize(loss, START, method="L-BFGS-B", options={"maxiter": 200}).x)


@dataclass(frozen=True)
class Judged:
    """One answer as read by a model that was fitted without its group."""

    row: Coursework
    points: tuple[float, ...]
    mark: float
    marked: Marked


def held_out(
    rows: Sequence[Coursework], rubric: dict[str, Question], group: Callable[[Coursework], str]
) -> list[Judged]:
    """Every answer read by coefficients fitted on the other groups."""
    all_items = items(rows, rubric)
    readers = {k: Points(q.points, q.prompt) for k, q in rubric.items()}
    out = []
    for g in dict.fromkeys(group(r) for r in rows):
        theta = fit([it for it in all_items if group(it.row) != g])
        out += [judge(r, rubric[r.question], readers[r.question], theta) for r in rows if group(r) == g]
    return out


def judge(row: Coursework, q: Question, reader: Points, theta: Array | None) -> Judged:
    sentences = _sentences(row, q)
    readings = reader.read(sentences, theta)
    a = assess.conclude(readings, sentences, source=row.answer, prompt=q.prompt, best=q.best)
    marked = Marked(
        suggested=a.share,
        chances=a.chances,
        given=row.total / a.out_of,
        words=a.words,
        guarded=bool(a.guards),
    )
    return Judged(row, tuple(r.share * r.point.marks for r in readings), a.mark, marked)
