"""An answer read against the points of a rubric: what each point is worth, where it is said, how sure.

The share of a point is estimated by a small linear model over the features of `grader.text.match`
(see `grader.text.model`); how sure that is comes from a second one, of the error, not of the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from grader.text import model
from grader.text.match import Features, Prepared, Question, has_term
from grader.text.points import Fact, Point, alternatives
from grader.text.quantities import agrees, quantities
from grader.text.sentences import Sentence
from grader.text.words import stems


@dataclass(frozen=True)
class Reading:
    """One point's outcome. ``share`` of the point's marks, 0 to 1; ``error`` expected, in shares."""

    point: Point
    share: float
    confidence: float
    sentence: Sentence | None
    missing: tuple[str, ...] = ()
    contradicted: Sentence | None = None
    features: tuple[float, ...] = ()

    @property
    def mark(self) -> float:
        """In halves of a mark, as markers give them."""
        return min(round(2 * self.share * self.point.marks) / 2, self.point.marks)


class Points:
    """Points compiled against a question's prompt; reads any number of answers."""

    def __init__(self, points: Sequence[Point], prompt: str = "") -> None:
        self.points = tuple(points)
        self.prompt = prompt
        groups: list[tuple[str, ...]] = []
        self._main: list[int] = []
        self._parts: list[list[int]] = []
        self._not: list[list[int]] = []
        self._lesser: list[list[int]] = []

        def add(group: tuple[str, ...]) -> int:
            groups.append(group)
            return len(groups) - 1

        for p in self.points:
            self._main.append(add(p.phrasings))
            self._parts.append([add(alternatives(part)) for part in p.parts])
            self._not.append([add((n,)) for n in p.not_])
            self._lesser.append([add((x.says, *x.also)) for x in p.lesser])
        self.question = Question(groups, prompt)

    def read(self, sentences: Sequence[Sentence]) -> tuple[Reading, ...]:
        """A `Reading` for every point, in order."""
        answer = Prepared(sentences)
        found = self.question.read(answer)
        tokens = frozenset(answer.tokens)
        return tuple(self._one(i, p, found, answer, tokens) for i, p in enumerate(self.points))

    def _one(
        self, i: int, p: Point, found: list[Features], answer: Prepared, tokens: frozenset[str]
    ) -> Reading:
        main = found[self._main[i]]
        parts = [found[g] for g in self._parts[i]]
        facts = [fact_in(f, answer.sentences) for f in p.facts]
        missing = tuple(n.split("|")[0].strip() for n in p.needs if not has_term(n, tokens))
        x = model.vector(main, parts, p.enough, facts, len(p.needs), len(missing), answer.length)
        share = model.share(x)
        for lesser, g in zip(p.lesser, self._lesser[i], strict=True):
            other = found[g]
            y = model.vector(other, [], None, [], 0, 0, answer.length)
            share = max(share, model.share(y) * lesser.marks / p.marks)
        confidence = model.confidence(x, share)
        at = main.at
        if parts:
            best = max(parts, key=lambda f: f.sentence)
            at = best.at if best.sentence > main.sentence else at
        contradicted = None
        for g in self._not[i]:
            if found[g].sentence >= 0.8 and found[g].sentence > main.sentence and found[g].at is not None:
                contradicted = answer.sentences[found[g].at or 0]
        sentence = answer.sentences[at] if at is not None else None
        absent = tuple(f.text() for f, ok in zip(p.facts, facts, strict=True) if not ok)
        return Reading(p, share, confidence, sentence, (*missing, *absent), contradicted, tuple(x))


def fact_in(fact: Fact, sentences: Sequence[Sentence]) -> bool:
    """Whether a sentence states the fact beside one of its ``near`` words."""
    near = {s for w in fact.near for s in stems(w)}
    for s in sentences:
        if near and not near & set(stems(s.text + " " + s.under)):
            continue
        if fact.year is not None:
            if str(fact.year) in s.text:
                return True
        elif fact.count is not None:
            if any(
                agrees(q, fact.count, fact.unit, fact.tolerance)
                or (q.low or q.value) <= fact.count <= (q.high or -1)
                for q in quantities(s.text, names=True)
            ):
                return True
        else:
            low = " " + s.text.lower() + " "
            if any(a.lower() in low for a in alternatives(fact.name or fact.words or "")):
                return True
    return False


@lru_cache(maxsize=256)
def compiled(points: tuple[Point, ...], prompt: str) -> Points:
    """`Points` for these points and prompt, made once."""
    return Points(points, prompt)


def total(readings: Sequence[Reading]) -> float:
    return float(np.sum([r.mark for r in readings]))
