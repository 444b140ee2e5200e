"""An answer read against the points of a rubric: what each point is worth, where it is said, how sure.

A point is made up of parts; how far each is made is estimated by a small model over the features of
`grader.text.match` (see `grader.text.model`), or decided by its typed facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.text import model
from grader.text.facts import doubtful, fact_in, terms
from grader.text.match import Features, Prepared, Question, has_term
from grader.text.points import Fact, Part, Point
from grader.text.polarity import Sense, covers, says
from grader.text.polarity import agrees as agrees_with
from grader.text.sentences import Sentence
from grader.text.subject import clause, said_of

CLOSE = 0.8
"""Share of a statement's words from which a second sentence is held against it."""


WITHOUT = 0.1
"""What is left of a part whose needed terms are missing; of a point, `POINT_WITHOUT`."""
POINT_WITHOUT = 0.4
SAME_MATTER = 0.6
"""Share of a statement's words from which a sentence can be its opposite."""
DOUBTED = 0.3
"""How far a part must be made for its sentence's sense to be looked at."""
FOUND, ABSENT = 0.92, 0.06
"""How often a marker takes a part for made whose typed facts were all found, or were not."""
CONTRARY = 0.15
CONTRADICTED = 0.2
"""What is left of a part, or a point, of which the answer says the opposite."""


@dataclass(frozen=True)
class PartReading:
    """``made`` 0 to 1, from the probability ``chance``. Without ``features`` typed facts alone decided."""

    part: Part
    made: float
    chance: float
    sentence: Sentence | None
    features: Features | None = None
    fact: float | None = None
    contrary: Sentence | None = None
    """A sentence that uses the statement's words and seems to say the opposite."""
    held: float = 1.0
    """What was left of the model's probability, where something is lacking or speaks against it."""


@dataclass(frozen=True)
class Reading:
    """One point's outcome: ``share`` of its marks, 0 to 1, and what it is made up of, each with its
    weight in the point and the probability that it is made."""

    point: Point
    share: float
    chances: tuple[tuple[float, float], ...]
    sentence: Sentence | None
    parts: tuple[PartReading, ...] = ()
    missing: tuple[str, ...] = ()
    contradicted: Sentence | None = None

    @property
    def mark(self) -> float:
        """In halves of a mark, as markers give them; all of it where all is there."""
        if self.share >= 1 - 1e-9:
            return self.point.marks
        return min(round(2 * self.share * self.point.marks) / 2, self.point.marks)


class Points:
    """Points compiled against a question's prompt; reads any number of answers."""

    def __init__(self, points: Sequence[Point], prompt: str = "") -> None:
        self.points = tuple(points)
        self.prompt = prompt
        groups: list[tuple[str, ...]] = []

        def add(group: tuple[str, ...]) -> int:
            groups.append(group)
            return len(groups) - 1

        self._whole = [add(p.also if p.parts else ()) for p in self.points]
        self._parts = [[add(part.phrasings) for part in p.made_of()] for p in self.points]
        self._made_of = [p.made_of() for p in self.points]
        self._lesser = [[add(x.phrasings) for x in p.lesser] for p in self.points]
        self._rivals = _rivals(self.points)
        self.question = Question(groups, prompt)

    def read(self, sentences: Sequence[Sentence], theta: model.Array | None = None) -> tuple[Reading, ...]:
        """A `Reading` for every point, in order. ``theta`` replaces the shipped coefficients."""
        answer = Prepared(sentences)
        found = self.question.read(answer)
        tokens = frozenset(answer.tokens)
        return tuple(self._one(i, p, found, answer, tokens, theta) for i, p in enumerate(self.points))

    def _part(
        self, part: Part, point: Point, f: Features, answer: Prepared, theta: model.Array | None
    ) -> PartReading:
        about = part.about or point.about
        rivals = self._rivals.get(about, ())
        first = model.chance(f, theta) if part.phrasings else 0.0
        p = first
        if not all(any(terms(n).search(s.text) for s in answer.sentences) for n in part.needs):
            p *= WITHOUT
        at = answer.sentences[f.at] if f.at is not None else None
        if f.at is not None and not _beside(part.near, answer.sentences, f.at):
            if f.second is not None and _beside(part.near, answer.sentences, f.second):
                at = answer.sentences[f.second]
            else:
                p *= WITHOUT
        contrary = None
        if p >= DOUBTED and at is not None:
            statement = part.phrasings[f.phrasing]
            opposite = agrees_with(part.phrasings, statement, at.text) is not Sense.AGREES
            if not said_of(at, about, rivals, clause(statement, at.text)):
                other = answer.sentences[f.second] if f.second is not None else None
                if other is not None and said_of(other, about, rivals, clause(statement, other.text)):
                    at = other
                else:
                    contrary, p = at, p * CONTRARY
            elif opposite and covers(statement, at.text) >= SAME_MATTER:
                contrary, p = at, p * CONTRARY
            elif f.second is not None:
                other = answer.sentences[f.second]
                if (
                    covers(statement, other.text) >= CLOSE
                    and agrees_with(part.phrasings, statement, other.text) is not Sense.AGREES
                ):
                    contrary = other
        held = p / first if first else 1.0
        if not part.facts:
            return PartReading(part, model.made(p), p, at, f, None, contrary, held)
        where = [fact_in(x, answer.sentences, about, rivals, denials=part.denial) for x in part.facts]
        share = sum(s is not None for s in where) / len(where)
        share = float(share > 0) if part.either else share
        found = next((s for s in where if s is not None), None)
        if share >= p:
            chance = ABSENT + (FOUND - ABSENT) * share
            if found is not None and _denies(part, found.text):
                share, chance = share * CONTRARY, chance * CONTRARY
                contrary = found
            elif found is not None and not part.denial:
                stated = [(x, s) for x, s in zip(part.facts, where, strict=True) if s is not None]
                contrary = found if all(doubtful(x, s) for x, s in stated) else None
            else:
                contrary = None
            return PartReading(part, share, chance, found or at, None, share, contrary)
        return PartReading(part, model.made(p), p, at, f, share, contrary, held)

    def _one(
        self,
        i: int,
        p: Point,
        found: list[Features],
        answer: Prepared,
        tokens: frozenset[str],
        theta: model.Array | None,
    ) -> Reading:
        rows = [
            self._part(part, p, found[g], answer, theta)
            for part, g in zip(self._made_of[i], self._parts[i], strict=True)
        ]
        share, chances = combine(rows, p.enough)
        at_once = False
        if p.parts and p.also:
            stated = Part(says=p.also[0], also=p.also[1:], near=p.near, marks=p.marks)
            whole = self._part(stated, p, found[self._whole[i]], answer, theta)
            if at_once := whole.made > share:
                share, chances, rows = whole.made, ((1.0, whole.chance),), [*rows, whole]
        missing = tuple(n.split("|")[0].strip() for n in p.needs if not has_term(n, tokens))
        if missing:
            # the chances stay: whether the term is missing or said in another word is for a person to see
            share *= POINT_WITHOUT
        for lesser, g in zip(p.lesser, self._lesser[i], strict=True):
            weaker = self._part(lesser, p, found[g], answer, theta)
            if weaker.made * lesser.marks / p.marks > share:
                share, rows = weaker.made * lesser.marks / p.marks, [*rows, weaker]
                chances = ((lesser.marks / p.marks, weaker.chance),)
        best = max(rows, key=lambda r: (r.made * r.part.marks, r.features.sentence if r.features else 1))
        against = (self._against(x, p, answer) for x in p.not_)
        contradicted = next((s for s in against if s is not None), None)
        if contradicted is not None:
            share *= CONTRADICTED
            chances = tuple((w * CONTRADICTED, c) for w, c in chances)
        absent = (
            tuple(r.part.says for r in rows if r.made < 0.5) if (p.parts or p.facts) and not at_once else ()
        )
        return Reading(p, share, chances, best.sentence, tuple(rows), (*missing, *absent), contradicted)

    def _against(self, never: str | Fact, p: Point, answer: Prepared) -> Sentence | None:
        """The sentence that says what contradicts a point, if any does."""
        if isinstance(never, str):
            return next((s for s in answer.sentences if says(never, s.text)), None)
        return fact_in(never, answer.sentences, p.about, self._rivals.get(p.about, ()))


def _beside(groups: Sequence[str], sentences: Sequence[Sentence], at: int) -> bool:
    """Whether one of each group of terms stands in a sentence, in its headings, or beside it in its paragraph or item."""
    if not groups:
        return True
    own = sentences[at]
    near = [s for s in sentences[max(at - 1, 0) : at + 2] if (s.block, s.first) == (own.block, own.first)]
    text = " ".join((own.under, *(s.text for s in near)))
    return all(terms(g).search(text) for g in groups)


def combine(
    rows: Sequence[PartReading], enough: float | None
) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Share of a point made by its parts, and each part's weight in the point with its probability."""
    total = enough or sum(r.part.marks for r in rows)
    share = min(1.0, sum(r.made * r.part.marks for r in rows) / total)
    return share, tuple((r.part.marks / total, r.chance) for r in rows)


def _denies(part: Part, text: str) -> bool:
    """Whether a sentence that has a part's facts says the opposite of the part."""
    if covers(part.says, text) < SAME_MATTER:
        return False
    return agrees_with((part.says, *part.also), part.says, text) is not Sense.AGREES


def _rivals(points: Sequence[Point]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """For what each point or part is about, the names of all else that this question is about."""
    named = {a for p in points for a in (p.about, *(x.about for x in (*p.parts, *p.lesser))) if a}
    return {a: tuple(n for other in sorted(named) if other != a for n in other if n not in a) for a in named}


@dataclass
class _Cache:
    held: dict[tuple[int, str], tuple[tuple[Point, ...], Points]] = field(default_factory=dict)


_CACHE = _Cache()


def compiled(points: tuple[Point, ...], prompt: str) -> Points:
    """`Points` for these points and prompt, made once; the points are kept so that their id stays theirs."""
    key = (id(points), prompt)
    if key not in _CACHE.held:
        if len(_CACHE.held) > 500:
            _CACHE.held.clear()
        _CACHE.held[key] = (points, Points(points, prompt))
    return _CACHE.held[key][1]
