"""From sentences and points to suggested marks, how sure they are, and whether a person must look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.text import guards
from grader.text.calibration import Calibration, Marked, shipped
from grader.text.guards import Guard
from grader.text.points import Point
from grader.text.reader import Reading, compiled
from grader.text.sentences import Sentence, read_text
from grader.text.spread import Chances
from grader.text.statement import answered, taken_out
from grader.text.words import negated

POINT_TOLERANCE = 0.25
"""A point's mark is right when it is within this share of the point."""


@dataclass(frozen=True)
class Assessment:
    """What a text is worth. ``share`` of the marks; ``decided``: it may stand without a person."""

    readings: tuple[Reading, ...]
    counted: tuple[Reading, ...]
    mark: float
    out_of: float
    chances: Chances
    confidence: float
    decided: bool
    guards: tuple[Guard, ...]
    words: int

    @property
    def share(self) -> float:
        return self.mark / self.out_of

    blank: bool
    """Whether nothing stands there: no letter or number in any script, but for the question itself."""


def assess(
    points: tuple[Point, ...],
    prompt: str,
    sentences: Sequence[Sentence],
    *,
    source: str = "",
    best: int | None = None,
    reference: Sequence[Sentence] = (),
    calibration: Calibration | None = None,
) -> Assessment:
    """Read an answer. ``source`` is its raw text (hidden HTML may address the marker); ``best``: only so
    many of the points count; ``reference``: the model answer, where copying it matters."""
    left = answered(sentences, prompt)
    reader = compiled(points, prompt)
    readings = reader.read(left)
    asked = reader.read(read_text(prompt)) if (out := taken_out(sentences, left)) else ()
    doubted = out and (not left or _earns_more(reader.read(sentences), readings, asked, best))
    return conclude(
        readings,
        left,
        source=source,
        prompt=prompt,
        best=best,
        reference=reference,
        calibration=calibration,
        task=guards.task(out[0]) if doubted else None,
    )


TAKEN_OUT = 0.1
"""Share of the marks from which what was taken for the question's statement may be an answer."""


def _earns_more(
    whole: Sequence[Reading], left: Sequence[Reading], asked: Sequence[Reading], best: int | None
) -> bool:
    """Whether what was taken out would earn marks that neither the rest nor the question itself does."""
    rows = zip(whole, left, asked, strict=True)
    more = [max(w.share - max(x.share, q.share), 0.0) * w.point.marks for w, x, q in rows]
    return _of_best(more, best) >= TAKEN_OUT * _of_best([r.point.marks for r in left], best)


def _of_best(marks: Sequence[float], best: int | None) -> float:
    """The largest so many together; all of them where no number is given."""
    return sum(sorted(marks, reverse=True)[:best])


def conclude(
    readings: tuple[Reading, ...],
    sentences: Sequence[Sentence],
    *,
    source: str,
    prompt: str,
    best: int | None = None,
    reference: Sequence[Sentence] = (),
    calibration: Calibration | None = None,
    task: Guard | None = None,
) -> Assessment:
    """An `Assessment` from points that are read already, in sentences that `answered` has left.

    ``task``: the guard that objects to what was left out as the question's own statement.
    """
    c = calibration or shipped()
    counted = tuple(sorted(readings, key=lambda r: -r.mark)[:best]) if best else readings
    out_of = _of_best([r.point.marks for r in readings], best)
    words = guards.count(sentences)
    raw = min(sum(r.mark for r in counted), out_of)
    mark = _shift(raw, out_of, c)
    chances = tuple((r.point.marks / out_of, r.chances) for r in counted)
    blank = task is None and not any(ch.isalnum() for s in sentences for ch in s.text)
    confidence = 1.0 if blank else c.confidence(mark / out_of, chances)
    share, listed = mark / out_of, best is not None
    found = (
        ()
        if blank
        else _guards(sentences, source, prompt, reference, share, words, readings, c, listed=listed)
    )
    if task is not None:
        found = (task, *found)
    decided = blank or (not found and c.decided(share, confidence))
    return Assessment(readings, counted, mark, out_of, chances, confidence, decided, found, words, blank)


def _shift(mark: float, out_of: float, c: Calibration) -> float:
    """A teacher's mildness, in half marks; nothing stays nothing and all stays all."""
    if mark <= 0 or mark >= out_of or not c.shift:
        return mark
    return min(max(round(2 * (mark + c.shift * out_of)) / 2, 0.0), out_of)


def _guards(
    sentences: Sequence[Sentence],
    source: str,
    prompt: str,
    reference: Sequence[Sentence],
    share: float,
    words: int,
    readings: Sequence[Reading],
    c: Calibration,
    listed: bool,
) -> tuple[Guard, ...]:
    found = [
        guards.asked_back(sentences, prompt),
        guards.keyword_list(sentences, listed),
        guards.shuffled(sentences),
        guards.denial(sentences, any(negated(r.point.says) for r in readings)),
        guards.copied(sentences, reference) if reference else None,
        guards.instructions(source),
        guards.other_language(sentences),
        guards.picture(source) if share < 1 else None,
        guards.only_code(sentences),
        guards.odd_length(words, share, c.shortest, c.longest),
        _contrary(readings),
    ]
    return tuple(g for g in found if g is not None)


def _contrary(readings: Sequence[Reading]) -> Guard | None:
    for r in readings:
        if r.contradicted is not None:
            said = f"says {r.contradicted.text[:160]!r}"
            return Guard("contradiction", "one sentence seems to say the opposite of a point", said)
        for p in r.parts:
            if p.contrary is not None:
                said = f"{p.contrary.text[:160]!r} against {p.part.says!r}"
                return Guard("negation", "one sentence may say the opposite of what is asked", said)
    return None


def suggestion(
    points: tuple[Point, ...],
    prompt: str,
    best: int | None,
    answer: str,
    given: float,
    c: Calibration,
    *,
    in_words: bool = False,
) -> Marked:
    """What is suggested for an answer beside the share that a teacher gave it, to calibrate with.

    ``c`` is the record that the calibration starts from; its shift is left out, since that is refitted.
    ``in_words``: code, which stands in fences, is no answer (see `grader.text.sentences.read`).
    """
    plain = c.model_copy(update={"shift": 0.0})
    a = assess(points, prompt, read_text(answer, in_words), source=answer, best=best, calibration=plain)
    return Marked(
        suggested=a.share,
        chances=a.chances,
        given=given,
        words=a.words,
        guarded=bool(a.guards),
    )
