"""``key_points``: free text marked point by point, with the sentence that earned each, or a person asked."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from grader.checks.base import Case, Check, Criterion, Quote, State, Verdict, earned, lost, review
from grader.submission.model import UNSURE
from grader.text.assess import POINT_TOLERANCE, Assessment, assess
from grader.text.calibration import shipped
from grader.text.points import Point
from grader.text.reader import Reading
from grader.text.sentences import Sentence, read_code, read_text


class KeyPoints(Criterion):
    """``points``: see `grader.text.points.Point`. ``best``: only the best so many of them count."""

    points: tuple[Point, ...] = Field(min_length=1)
    best: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _adds_up(self) -> KeyPoints:
        marks = sorted((p.marks for p in self.points), reverse=True)
        total = sum(marks[: self.best] if self.best else marks)
        if abs(total - self.marks) > 1e-6:
            which = f"its best {self.best} points" if self.best else "its points"
            raise ValueError(f"marks is {self.marks:g}, but {which} add up to {total:g}")
        return self

    def title(self) -> str:
        return self.says or "key points of the answer"


def sentences(case: Case) -> list[Sentence]:
    """The answer's prose, and its code as far as it says anything (names, comments, strings)."""
    out: list[Sentence] = []
    for p in case.answered:
        out += read_text(p.source, p.index) if p.kind == "markdown" else read_code(p.source, p.index)
    return out


def judge(c: KeyPoints, case: Case) -> Verdict:
    reference = sentences(case.reference) if case.reference is not None else []
    source = "\n\n".join(p.source for p in case.answered)
    a = assess(c.points, case.prompt, sentences(case), source=source, best=c.best, reference=reference)
    if a.blank:
        return _blank(c, case, a)
    full = sum(r.mark >= r.point.marks for r in a.counted)
    some = sum(0 < r.mark < r.point.marks for r in a.counted)
    reason = f"{full} of {len(a.counted)} points made in full" + (f", {some} in part" if some else "")
    more: dict[str, Any] = {
        "evidence": _evidence(a),
        "quotes": tuple(q for r in a.readings if (q := _quote(r))),
        "hint": c.hint,
        "private": "; ".join(g.private for g in a.guards if g.private),
    }
    mark = min(a.mark, c.marks)
    if a.guards:
        return review(c, mark, f"{reason}; {a.guards[0].reason}", **more)
    if case.answer.confidence < UNSURE and mark < c.marks:
        return review(
            c, mark, f"{reason}; which part of the notebook answers this question is uncertain", **more
        )
    if not a.decided:
        return review(c, mark, f"{reason}; the wording leaves room for doubt", **more)
    if mark >= c.marks:
        return earned(c, reason, **more)
    if mark <= 0:
        return lost(c, "none of the points was found in the answer", **more)
    return Verdict(state=State.PARTIAL, mark=mark, reason=reason, **more)


def _state(r: Reading, a: Assessment) -> State:
    if a.blank:
        return State.LOST
    if r.contradicted or any(p.contrary for p in r.parts):
        return State.REVIEW
    if not shipped().decided(r.share, _confidence(r)):
        return State.REVIEW
    if r.mark >= r.point.marks:
        return State.EARNED
    return State.PARTIAL if r.mark > 0 else State.LOST


def _confidence(r: Reading) -> float:
    return shipped().confidence(r.mark / r.point.marks, ((1.0, r.chances),), POINT_TOLERANCE)


def _evidence(a: Assessment) -> dict[str, Any]:
    return {
        "confidence": round(a.confidence, 3),
        "guards": [g.kind for g in a.guards],
        "points": [
            {
                "says": r.point.says,
                "mark": r.mark,
                "out_of": r.point.marks,
                "state": _state(r, a).value,
                "confidence": round(1.0 if a.blank else _confidence(r), 3),
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


def _blank(c: KeyPoints, case: Case, a: Assessment) -> Verdict:
    more: dict[str, Any] = {"evidence": _evidence(a), "hint": c.hint}
    if case.answer.confidence < UNSURE:
        why = "no text was found for this question; which part of the notebook answers it is uncertain"
        return review(c, 0, why, **more)
    return lost(c, "no answer in words was found for this question", **more)


CHECK = Check("key_points", KeyPoints, judge, needs_run=False)
