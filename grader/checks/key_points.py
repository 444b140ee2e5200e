"""``key_points``: free text marked point by point, with the sentence that earned each, or a person asked."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from grader.checks.base import Case, Check, Criterion, Quote, State, Verdict, earned, lost, review
from grader.submission.model import UNSURE
from grader.text.points import Point
from grader.text.reader import Reading, compiled
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


def _sentences(case: Case) -> list[Sentence]:
    out: list[Sentence] = []
    for p in case.answered:
        out += read_text(p.source, p.index) if p.kind == "markdown" else read_code(p.source, p.index)
    return out


def _state(r: Reading, decided: bool) -> State:
    if not decided:
        return State.REVIEW
    if r.mark >= r.point.marks:
        return State.EARNED
    return State.PARTIAL if r.mark > 0 else State.LOST


def _quote(r: Reading) -> Quote | None:
    if r.sentence is None:
        return None
    about = "earned" if r.share >= 0.5 else "nearest"
    return Quote(text=r.sentence.text[:400], piece=r.sentence.piece, line=r.sentence.line, about=about)


def judge(c: KeyPoints, case: Case) -> Verdict:
    sentences = _sentences(case)
    readings = compiled(c.points, case.prompt).read(sentences)
    if not any(r.sentence for r in readings):
        return _blank(c, case, readings)
    counted = sorted(readings, key=lambda r: -r.mark)[: c.best] if c.best else list(readings)
    mark = min(sum(r.mark for r in counted), c.marks)
    sure = min(1 - r.doubt for r in counted)
    points = [
        _evidence(r, State.REVIEW if r.contradicted else _state(r, r.confidence >= 0.6)) for r in readings
    ]
    got = [r for r in counted if r.mark >= r.point.marks]
    reason = f"{len(got)} of {len(counted)} points made in full"
    quotes = tuple(q for r in readings if (q := _quote(r)))
    more: dict[str, Any] = {
        "evidence": {"points": points, "confidence": round(sure, 3)},
        "quotes": quotes,
        "hint": c.hint,
    }
    if case.answer.confidence < UNSURE and mark < c.marks:
        return review(
            c, mark, f"{reason}; which part of the notebook answers this question is uncertain", **more
        )
    if any(r.contradicted for r in readings):
        return review(c, mark, f"{reason}; one sentence seems to contradict a point", **more)
    if mark >= c.marks:
        return earned(c, reason, **more)
    if sure < 0.6:
        return review(c, mark, f"{reason}; a person should look at the others", **more)
    if mark == 0:
        return lost(c, "none of the points was found in the answer", **more)
    return Verdict(state=State.PARTIAL, mark=mark, reason=reason, **more)


def _evidence(r: Reading, state: State) -> dict[str, Any]:
    return {
        "says": r.point.says,
        "mark": r.mark,
        "out_of": r.point.marks,
        "state": state.value,
        "confidence": round(r.confidence, 3),
        "quote": r.sentence.text[:400] if r.sentence else "",
    }


def _blank(c: KeyPoints, case: Case, readings: tuple[Reading, ...]) -> Verdict:
    points = [_evidence(r, State.LOST) for r in readings]
    more: dict[str, Any] = {"evidence": {"points": points, "confidence": 1.0}, "hint": c.hint}
    if case.answer.confidence < UNSURE:
        why = "no text was found for this question; which part of the notebook answers it is uncertain"
        return review(c, 0, why, **more)
    return lost(c, "no answer in words was found for this question", **more)


CHECK = Check("key_points", KeyPoints, judge, needs_run=False)
