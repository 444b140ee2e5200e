"""How much each piece speaks for each question: wording, signs, what the code does, and labels.

Votes are logarithms of odds against a piece that has nothing to do with the assignment (state
"none", 0 by definition), so they add up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from grader.evidence.model import Piece
from grader.submission.labels import Label, asks, is_heading
from grader.submission.split import opening_label
from grader.submission.words import compact, compacts, stems

Array = NDArray[np.float64]


class QuestionLike(Protocol):
    """What alignment needs of a question; `grader.rubric.model.Question` has it."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    @property
    def signs(self) -> Sequence[str]: ...
    @property
    def prose(self) -> bool: ...


class AssignmentLike(Protocol):
    """What alignment needs of an assignment; `grader.rubric.model.Assignment` has it."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def questions(self) -> Sequence[QuestionLike]: ...


LONGEST = 50_000
"""Characters of a piece that vote; longer ones are pasted data or logs."""

HEAD = 60
"""Words at the start of a piece that are likely the question's own, copied."""

W_PROMPT, W_HEAD, W_BODY, W_CODE, W_SIGN = 16.0, 8.0, 6.0, 9.0, 1.1
"""Weights of the votes; chosen on the development notebooks of the tests, not learned."""

NOTHING = 0.09
"""Similarity that any text about the subject has with any question of it."""

EVIDENCE = 4.0
"""Weight of matching words (in units of a word that one question alone has, about 2) worth half trust."""


@dataclass(frozen=True)
class Look:
    """A piece as alignment sees it."""

    label: Label | None
    asking: bool
    heading: bool
    imports_only: bool
    head: tuple[str, ...]
    words: tuple[str, ...]
    compacts: frozenset[str]
    size: float
    alone: bool
    """The piece is nothing but its label."""

    @property
    def firm(self) -> bool:
        """Whether the label opens a question, rather than numbering a point or a step."""
        return self.label is not None and (self.label.strong or self.asking or self.alone)


def look(piece: Piece) -> Look:
    label = opening_label(piece.kind, piece.source)
    first = next((line for line in piece.source.split("\n") if line.strip()), "")
    body = piece.source.strip()
    if label:
        body = body.split("\n", 1)[1] if "\n" in body else ""
        body = label.rest + "\n" + body
    text = piece.source[:LONGEST]
    words = tuple(stems(text))
    lines = [line.strip() for line in piece.source.split("\n") if line.strip()]
    return Look(
        label=label,
        asking=piece.kind == "markdown" and asks(body.strip()),
        heading=piece.kind == "markdown" and is_heading(first),
        imports_only=piece.kind == "code"
        and all(
            line.startswith(("import ", "from ", "#", "!", "%", ")")) or line.endswith(",") for line in lines
        ),
        head=words[:HEAD],
        words=words,
        compacts=compacts(text),
        size=math.sqrt(max(len(words), 4)),
        alone=label is not None and not re.search(r"\w", body),
    )


class Vocabulary:
    """The questions' words, each weighted by how few questions share it."""

    def __init__(self, questions: Sequence[QuestionLike]) -> None:
        self.questions = questions
        bags = [self._bag(q) for q in questions]
        df = Counter(w for bag in bags for w in bag)
        n = len(questions)
        self.idf = {w: math.log((n + 1) / (d + 0.5)) for w, d in df.items()}
        self.index = {w: i for i, w in enumerate(self.idf)}
        self.matrix = np.zeros((n, max(len(self.idf), 1)))
        for j, bag in enumerate(bags):
            for w, weight in bag.items():
                self.matrix[j, self.index[w]] = weight * self.idf[w]
        self.matrix /= np.maximum(np.linalg.norm(self.matrix, axis=1, keepdims=True), 1e-9)
        self.signs = [{compact(s): s for s in reversed(q.signs) if compact(s)} for q in questions]
        shared = Counter(s for own in self.signs for s in own)
        self.sign_weight = {s: 1.0 / c for s, c in shared.items()}

    @staticmethod
    def _bag(q: QuestionLike) -> dict[str, float]:
        bag: dict[str, float] = {}
        for text, weight in ((q.prompt, 1.0), (" ".join(q.signs), 1.0), (q.title, 1.4)):
            for w in stems(text):
                bag[w] = max(bag.get(w, 0.0), weight)
        return bag

    def similarity(self, words: Sequence[str]) -> Array:
        """Cosine with each question, shrunk towards `NOTHING` where there are few words to go by."""
        counts = Counter(w for w in words if w in self.index)
        if not counts:
            return np.full(len(self.questions), NOTHING)
        vector = np.zeros(self.matrix.shape[1])
        for w, c in counts.items():
            vector[self.index[w]] = self.idf[w] * (1 + math.log(c))
        mass = sum(self.idf[w] for w in counts)
        cosine: Array = self.matrix @ (vector / np.linalg.norm(vector))
        trust = mass / (mass + EVIDENCE)
        return trust * cosine + (1 - trust) * NOTHING

    def common(self, question: int, words: Sequence[str], most: int = 4) -> list[str]:
        """The words that spoke loudest for a question, as the assignment writes them, for the report."""
        row = self.matrix[question]
        found = {w for w in words if w in self.index and row[self.index[w]] > 0}
        loudest = sorted(found, key=lambda w: (-float(row[self.index[w]]) * self.idf[w], w))
        return [self._as_written(question, w) for w in loudest[:most]]

    def _as_written(self, question: int, stem: str) -> str:
        q = self.questions[question]
        words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", f"{q.prompt} {q.title} {' '.join(q.signs)}")
        runs = (" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1))
        return next((run.lower() for run in runs if stem in stems(run)), stem)

    def found_signs(self, question: int, runs: frozenset[str]) -> list[str]:
        return [s for s in self.signs[question] if s in runs]


def votes(pieces: Sequence[Piece], looks: Sequence[Look], vocabulary: Vocabulary) -> Array:
    """Log-odds of each piece (rows) for each question (columns) by all but its label and its place."""
    n = len(vocabulary.questions)
    table = np.zeros((len(pieces), n))
    prose = np.array([q.prose for q in vocabulary.questions])
    for t, (piece, seen) in enumerate(zip(pieces, looks, strict=True)):
        body = vocabulary.similarity(seen.words) - NOTHING
        signs = np.array(
            [
                sum(vocabulary.sign_weight[s] for s in vocabulary.found_signs(j, seen.compacts))
                for j in range(n)
            ]
        )
        if piece.kind == "code":
            table[t] = W_CODE * body + W_SIGN * np.minimum(signs, 4)
            table[t] -= np.where(prose, 0.6 if len(seen.words) < 30 else 1.2, 0.0)
            if seen.imports_only:
                table[t] *= 0.3
        else:
            head = vocabulary.similarity(seen.head) - NOTHING
            prompting = seen.asking or seen.label is not None
            table[t] = (W_PROMPT if prompting else W_HEAD) * head + W_BODY * body
            table[t] += 0.5 * W_SIGN * np.minimum(signs, 3)
            if len(seen.words) > 120:  # a long text rather answers in words
                table[t] -= np.where(prose, 0.0, 0.4)
    clipped: Array = np.clip(table, -4.0, 9.0)
    return clipped


def label_votes(looks: Sequence[Look], n: int) -> Array:
    """Log-odds by labels. A number is a vote, not the law: it may have slipped by one, or restarted.

    After a restart (theory 1 to 5, then programs 1 to 5) the number may also go on from the last.
    """
    table = np.zeros((len(looks), n))
    numbers = np.arange(1, n + 1)
    offset = highest = previous = 0
    for t, seen in enumerate(looks):
        label = seen.label
        if label is None or not seen.firm:
            if label is not None:
                table[t] = np.where(numbers == label.number, 0.3, 0.0)
            continue
        if label.number == 1 and previous >= 2:
            offset, highest = highest, highest
        previous = label.number
        highest = max(highest, label.number + offset if label.number + offset <= n else label.number)
        exact, near, far = (3.0, 0.0, -1.5) if label.strong else (1.6, 0.4, 0.0)
        table[t] = np.where(
            numbers == label.number, exact, np.where(abs(numbers - label.number) == 1, near, far)
        )
        if offset:
            again = np.where(numbers == label.number + offset, exact, far)
            table[t] = np.maximum(table[t], again)
    return table
