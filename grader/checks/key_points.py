"""``key_points``: free text marked point by point, with the sentence that earned each, or a person asked."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from pydantic import Field, model_validator

from grader.checks.base import Case, Check, Criterion, Quote, State, Verdict, earned, lost, review
from grader.submission.model import UNSURE
from grader.text.assess import POINT_TOLERANCE, Assessment, assess
from grader.text.beside import Beside, Opinion
from grader.text.calibration import Calibration, shipped
from grader.text.guards import count, picture
from grader.text.points import Point
from grader.text.reader import Reading
from grader.text.sentences import Sentence, read
from grader.text.words import stems


class KeyPoints(Criterion):
    """``points``: see `grader.text.points.Point`. ``best``: only the best so many of them count.

    ``in_words``: code is no answer, as where the result of a program is to be discussed; of code only comments
    and longer strings are read.
    """

    points: tuple[Point, ...] = Field(min_length=1)
    best: int | None = Field(None, ge=1)
    in_words: bool = False

    @model_validator(mode="after")
    def _adds_up(self) -> KeyPoints:
        marks = sorted((p.marks for p in self.points), reverse=True)
        total = sum(marks[: self.best] if self.best else marks)
        if abs(total - self.marks) > 1e-6:
            which = f"its best {self.best} points" if self.best else "its points"
            raise ValueError(f"marks is {self.marks:g}, but {which} add up to {total:g}")
        return self

    @property
    def tells_answer(self) -> bool:
        return True

    def title(self) -> str:
        return self.says or "key points of the answer"


LABEL = 6
"""Words that a label may have which is no heading: Q2. LeNet-5."""


def label_alone(written: Sequence[Sentence], prompt: str) -> bool:
    """Whether nothing stands there but the question's label: headings that hardly say more than the question
    does, or up to `LABEL` words all of which it has and that are no sentence."""
    words = [(s, {stem for stem in stems(s.text) if not stem.isdigit()}) for s in written]
    new = {stem for _, own in words for stem in own} - set(stems(prompt))
    if all(s.heading for s in written):
        return len(new) <= 3
    ended = any(own and s.text.rstrip().endswith((".", "!", "?")) for s, own in words)
    return count(written) <= LABEL and not new and not ended


def judge(c: KeyPoints, case: Case) -> Verdict:
    beside = case.beside
    record = beside.record or shipped()
    written = read(case.answered, c.in_words)
    reference = read(case.reference.answered, c.in_words) if case.reference is not None else ()
    source = "\n\n".join(p.source for p in case.answered)
    a = assess(
        c.points,
        case.prompt,
        written,
        source=source,
        best=c.best,
        reference=reference,
        calibration=record,
    )
    given = beside.marked.get(c.title())
    if given is None and (a.blank or (a.mark <= 0 and not a.guards and label_alone(written, case.prompt))):
        return _blank(c, case, a, record)
    full = sum(r.mark >= r.point.marks for r in a.counted)
    some = sum(0 < r.mark < r.point.marks for r in a.counted)
    reason = f"{full} of {len(a.counted)} points made in full" + (f", {some} in part" if some else "")
    more: dict[str, Any] = {
        "evidence": _evidence(a, record),
        "quotes": tuple(q for r in a.readings if (q := _quote(r))),
        "hint": c.hint,
    }
    if given is not None:
        return _by_person(c, given.share, more)
    mark = min(a.mark, c.marks)
    found, private = _doubts(c, case, a, mark)
    if carried := _carried(c, beside):
        suggested, why = carried
        private.append(why)
        if a.guards:
            pass  # something is odd about this answer, whatever the others got
        elif suggested is None:
            found.append("a person's marks on answers like it differ")
        elif abs(suggested - mark) > record.tolerance * c.marks:
            found.insert(0, "what a person gave answers like it is suggested")
            mark = suggested
    more["private"] = "; ".join(private)
    if found:
        return review(c, mark, f"{reason}; {found[0]}", **more)
    if beside.record is None or not a.decided:
        more["evidence"]["unconfirmed"] = True
        return review(c, mark, f"{reason}; {UNCONFIRMED}", **more)
    if mark >= c.marks:
        return earned(c, reason, **more)
    if mark <= 0:
        return lost(c, "none of the points was found in the answer", **more)
    return Verdict(state=State.PARTIAL, mark=mark, reason=reason, **more)


UNCONFIRMED = "a suggestion, until marks of the teacher's own confirm it"


def _doubts(c: KeyPoints, case: Case, a: Assessment, mark: float) -> tuple[list[str], list[str]]:
    """Why a person must look, the strongest reason first, and what is for that person alone."""
    beside = case.beside
    found = [g.reason for g in a.guards]
    private = [g.private for g in a.guards if g.private]
    if beside.twins:
        found.append("the wording is checked by a person")
        others = "answers" if len(beside.twins) > 1 else "the answer"
        private.append(f"nearly the same words as {others} in {_few(beside.twins)}")
    if case.answer.confidence < UNSURE and mark < c.marks:
        found.append("which part of the notebook answers this question is uncertain")
    differing, said = _second_reading(a, beside.opinions.get(c.title(), ()))
    found += differing
    private += said
    if not a.decided and not a.guards and not _waits(a, beside.record):
        found.append("the wording leaves room for doubt")
    return found, private


def _waits(a: Assessment, record: Calibration | None) -> bool:
    """Whether a suggestion would stand, had the teacher marked enough answers of its kind, good or bad."""
    limit = 0.0 if record is None else record.accept if a.share >= 0.5 else record.reject
    return limit > 1 and shipped().decided(a.share, a.confidence)


def _second_reading(a: Assessment, opinions: Sequence[Opinion]) -> tuple[list[str], list[str]]:
    """A judge's opinions held against the suggestion: it may send an answer to a person, and nothing else."""
    if not opinions:
        return [], []
    pairs = [(r, o) for r, o in zip(a.readings, opinions, strict=True) if any(r is x for x in a.counted)]
    differing = [(r, o) for r, o in pairs if not o.bears_out(r.share)]
    if not differing:
        return [], ["the judge bears out every point"]
    if len({o.reason for _, o in differing}) == 1 and all(o.verdict is None for _, o in pairs):
        return ["a second reading was not to be had"], [f"the judge: {differing[0][1].reason}"]
    said = [f"the judge on {r.point.says!r}: {o.verdict or o.reason}" for r, o in differing]
    return ["a second reading does not bear the suggestion out"], said


def _carried(c: KeyPoints, beside: Beside) -> tuple[float | None, str] | None:
    """What a person's marks on answers of the same cluster suggest, in half marks, and a word on it.

    None where there are no such marks; no suggestion where these marks differ among themselves.
    """
    alike = beside.alike.get(c.title(), ())
    if not alike:
        return None
    shares = sorted(m.share for m in alike)
    files = _few([m.submission for m in alike if m.submission]) or "your marks"
    said = _few([f"{m.mark:g} of {m.out_of:g}" for m in alike])
    if shares[-1] - shares[0] > shipped().tolerance:
        return None, f"answers much like it were marked {said}, which differ ({files})"
    return round(2 * c.marks * median(shares)) / 2, f"an answer much like it was marked {said} ({files})"


def _few(names: Sequence[str]) -> str:
    """Names in a line, each once; of many only the first."""
    each = list(dict.fromkeys(names))
    return ", ".join(each[:5]) + (f" and {len(each) - 5} more" if len(each) > 5 else "")


def _by_person(c: KeyPoints, share: float, more: dict[str, Any]) -> Verdict:
    """A person's own mark on this very answer stands."""
    mark = round(share * c.marks, 2)
    more["evidence"]["marked_by"] = "person"
    reason = f"marked by a person: {mark:g} of {c.marks:g}"
    if share >= 1:
        return earned(c, reason, **more)
    if mark <= 0:
        return lost(c, reason, **more)
    return Verdict(state=State.PARTIAL, mark=mark, reason=reason, **more)


def _state(r: Reading, a: Assessment, record: Calibration) -> State:
    if a.blank:
        return State.LOST
    if r.contradicted or any(p.contrary for p in r.parts):
        return State.REVIEW
    if not record.decided(r.share, _confidence(r, record)):
        return State.REVIEW
    if r.mark >= r.point.marks:
        return State.EARNED
    return State.PARTIAL if r.mark > 0 else State.LOST


def _confidence(r: Reading, record: Calibration) -> float:
    return record.likely(r.mark / r.point.marks, ((1.0, r.chances),), POINT_TOLERANCE)


def _evidence(a: Assessment, record: Calibration) -> dict[str, Any]:
    return {
        "confidence": round(a.confidence, 3),
        "guards": [g.kind for g in a.guards],
        "points": [
            {
                "says": r.point.says,
                "mark": r.mark,
                "out_of": r.point.marks,
                "state": _state(r, a, record).value,
                "confidence": round(1.0 if a.blank else _confidence(r, record), 3),
                "quote": r.sentence.text[:400] if r.sentence else "",
                "missing": list(r.missing),
            }
            for r in a.readings
        ],
    }


def _quote(r: Reading) -> Quote | None:
    if r.sentence is None:
        return None
    about = "earned" if r.share >= 0.5 else "nearest"
    return Quote(text=r.sentence.text[:400], piece=r.sentence.piece, line=r.sentence.line, about=about)


def _blank(c: KeyPoints, case: Case, a: Assessment, record: Calibration) -> Verdict:
    more: dict[str, Any] = {"evidence": _evidence(a, record), "hint": c.hint}
    if picture("\n\n".join(p.source for p in case.prose)):
        return review(c, 0, "the answer is a picture, which is not read", **more)
    if case.answer.confidence < UNSURE:
        why = "no text was found for this question; which part of the notebook answers it is uncertain"
        return review(c, 0, why, **more)
    more["evidence"]["blank"] = True
    return lost(c, "no answer in words was found for this question", **more)


CHECK = Check("key_points", KeyPoints, judge, needs_run=False)
