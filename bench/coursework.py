"""The statement model, fitted on marked answers through the points of the rubrics.

What is known of an answer is the markers' mark for each *point* of the marking guide; a point is made of
parts, which nobody marked, and one of the guide's points may be several of the rubric's. So the coefficients
of "how far is a statement made" are those under which the weighted parts add up to the points' marks best
(least squares, drawn towards a start that was set by hand).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sources import Coursework

from grader.checks.key_points import KeyPoints
from grader.rubric.loader import load
from grader.text import assess, model
from grader.text.calibration import Marked
from grader.text.points import Point
from grader.text.reader import CONTRADICTED, Points, Reading
from grader.text.sentences import Sentence, read_text
from grader.text.statement import answered

Array = npt.NDArray[np.float64]
START = np.array([-7.0, 6.0, 3.0, 2.0, 1.0, 0.0, 1.0, 0.5, 0.3, 0.0])
"""In the order of `model.NAMES`; set by hand before any fit."""
PULL = 0.02
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Question:
    points: tuple[Point, ...]
    prompt: str
    best: int | None


@lru_cache(maxsize=4)
def questions(assignment: str) -> dict[str, Question]:
    """The questions of a rubric that are marked by key points."""
    out = {}
    for q in load(ROOT / "rubrics" / f"{assignment}.yaml", check_references=False).questions:
        for c in q.criteria:
            if isinstance(c, KeyPoints) and q.prose:
                out[q.id] = Question(c.points, q.prompt, c.best)
    return out


@dataclass(frozen=True)
class Set:
    """Marked answers to one assignment, read; ``weight`` is the set's in a fit."""

    rows: tuple[Coursework, ...]
    questions: dict[str, Question]
    weight: float = 1.0

    def without(self, group: Callable[[Coursework], str], left_out: str) -> Set:
        return Set(tuple(r for r in self.rows if group(r) != left_out), self.questions, self.weight)


@dataclass(frozen=True)
class Item:
    """One of the rubric's points in one answer, and which of the guide's points it belongs to."""

    answer: str
    reading: Reading
    guide: int
    gold: float
    out_of: float


def sentences(row: Coursework, q: Question) -> tuple[Sentence, ...]:
    """What of an answer is read."""
    return answered(read_text(row.answer), q.prompt)


def guide_of(row: Coursework, q: Question) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """For each of the rubric's points the guide's that it belongs to, and what the guide's are out of.

    The rubric's follow the guide's order, cut finer or alike.
    """
    out_of = row.out_of or tuple(p.marks for p in q.points)
    found: list[int] = []
    guide, filled = 0, 0.0
    for point in q.points:
        found.append(guide)
        filled += point.marks
        if filled >= out_of[guide] - 1e-9:
            guide, filled = guide + 1, 0.0
    return tuple(found), out_of


def items(given: Set) -> list[Item]:
    """Every point of every answer."""
    out = []
    readers = {k: Points(q.points, q.prompt) for k, q in given.questions.items()}
    for row in given.rows:
        q = given.questions[row.question]
        guide, out_of = guide_of(row, q)
        for n, reading in zip(guide, readers[row.question].read(sentences(row, q)), strict=True):
            out.append(Item(row.id, reading, n, row.points[n], out_of[n]))
    return out


class Design:
    """All parts of all items as arrays, so that marks are quick functions of the coefficients."""

    def __init__(self, rows: Sequence[Item]) -> None:
        x, item, weight, fact, scale, lesser = [], [], [], [], [], []
        keys: dict[tuple[str, int], int] = {}
        for n, it in enumerate(rows):
            own = len(it.reading.point.made_of())
            total = it.reading.point.enough or sum(p.part.marks for p in it.reading.parts[:own])
            for k, p in enumerate(it.reading.parts):
                f = p.features if p.features is not None and p.part.phrasings else None
                x.append(model.vector(f) if f else np.zeros(len(model.NAMES)))
                item.append(n)
                weight.append(p.part.marks / (total if k < own else it.reading.point.marks))
                fact.append(p.fact or 0.0)
                scale.append(0.0 if f is None else p.held)
                lesser.append(k >= own)
            keys.setdefault((it.answer, it.guide), len(keys))
        self.x, self.item = np.array(x), np.array(item)
        self.weight, self.fact, self.scale = np.array(weight), np.array(fact), np.array(scale)
        self.lesser = np.array(lesser)
        self.n = len(rows)
        self.marks = np.array(
            [it.reading.point.marks * (CONTRADICTED if it.reading.contradicted else 1.0) for it in rows]
        )
        self.guide = np.array([keys[it.answer, it.guide] for it in rows])
        first = {keys[it.answer, it.guide]: it for it in rows}
        self.gold = np.array([first[k].gold for k in range(len(keys))])
        self.out_of = np.array([first[k].out_of for k in range(len(keys))])

    def points(self, theta: Array) -> Array:
        """The mark for each of the guide's points."""
        z = np.clip(self.x @ theta, -30, 30)
        made = np.maximum(model.sharpened(self.scale / (1 + np.exp(-z))), self.fact)
        out = np.zeros(self.n)
        np.add.at(out, self.item[~self.lesser], (self.weight * made)[~self.lesser])
        out = np.minimum(out, 1.0)
        np.maximum.at(out, self.item[self.lesser], (self.weight * made)[self.lesser])
        total = np.zeros(len(self.gold))
        np.add.at(total, self.guide, out * self.marks)
        return total


Weighted = tuple[Design, float]
"""A set's design, and its weight in a fit."""


def designed(given: Set) -> Weighted:
    return Design(items(given)), given.weight


def fit(sets: Sequence[Set]) -> Array:
    """Coefficients for these sets together, by least squares over the points' marks."""
    return fitted([designed(s) for s in sets])


def fitted(designs: Sequence[Weighted]) -> Array:
    """The same for sets that are read already."""

    def loss(theta: Array) -> float:
        error = sum(w * (((d.points(theta) - d.gold) ** 2) / d.out_of).mean() for d, w in designs)
        return float(error) + PULL * float(((theta - START) ** 2).mean())

    return np.asarray(minimize(loss, START, method="L-BFGS-B", options={"maxiter": 200}).x)


@dataclass(frozen=True)
class Judged:
    """One answer as read by a model, with the marks for the guide's points."""

    row: Coursework
    points: tuple[float, ...]
    mark: float
    marked: Marked


def judged(given: Set, theta: Array | None = None) -> list[Judged]:
    """Every answer of a set as read by these coefficients, or the shipped ones."""
    readers = {k: Points(q.points, q.prompt) for k, q in given.questions.items()}
    return [_judge(r, given.questions[r.question], readers[r.question], theta) for r in given.rows]


def held_out(given: Set, group: Callable[[Coursework], str], others: Sequence[Set] = ()) -> list[Judged]:
    """Every answer read by coefficients fitted on the set's other groups, and on ``others``."""
    out: list[Judged] = []
    fixed = [designed(s) for s in others]
    for g in dict.fromkeys(group(r) for r in given.rows):
        theta = fitted([designed(given.without(group, g)), *fixed])
        mine = Set(tuple(r for r in given.rows if group(r) == g), given.questions)
        out += judged(mine, theta)
    return out


def _judge(row: Coursework, q: Question, reader: Points, theta: Array | None) -> Judged:
    left = sentences(row, q)
    readings = reader.read(left, theta)
    a = assess.conclude(readings, left, source=row.answer, prompt=q.prompt, best=q.best)
    marked = Marked(
        suggested=a.share,
        chances=a.chances,
        given=row.total / a.out_of,
        words=a.words,
        guarded=bool(a.guards),
    )
    guide, out_of = guide_of(row, q)
    points = [0.0] * len(out_of)
    for n, r in zip(guide, readings, strict=True):
        points[n] += r.share * r.point.marks
    return Judged(row, tuple(points), a.mark, marked)
