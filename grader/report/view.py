"""From a `SubmissionResult` to what its page shows: numbered, linked, capped. No HTML in here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.checks.base import Quote, State, Table
from grader.report import text
from grader.report.audience import OPEN, Audience, points_of
from grader.report.cells import Places, cell_ranges, cell_view
from grader.report.curves import charts
from grader.report.images import Gallery
from grader.report.shown import Bar, CriterionView, FeedbackView, PointView, QuestionView
from grader.report.todo import ToDo, to_look_at
from grader.results import CriterionResult, QuestionResult, SubmissionResult
from grader.submission.model import UNSURE

_NUMBER = re.compile(r"[-+−]?[\d,. ]*\d ?%?|–")
QUOTES, ROWS, COLUMNS, CELL = 30, 200, 16, 300


@dataclass(frozen=True)
class PageView:
    result: SubmissionResult
    questions: list[QuestionView]
    bar: Bar
    settled: float
    least: float
    most: float
    suggested: float
    todo: list[ToDo]
    states: Mapping[str, int]
    substituted: list[tuple[Any, str]]
    stand_ins: list[str]
    repaired: list[str] = field(default_factory=list)


def page_view(result: SubmissionResult, gallery: Gallery, audience: Audience) -> PageView:
    """Everything that a submission's page shows."""
    places = Places(result)
    anchors = _anchors([q.id for q in result.questions])
    questions = [_question(q, a, places, gallery) for q, a in zip(result.questions, anchors, strict=True)]
    criteria = [c for q in result.questions for c in q.criteria]
    settled = sum(c.mark for c in criteria if c.state not in OPEN)
    waiting = sum(c.out_of for c in criteria if c.state in OPEN)
    counts = {s.value: sum(c.state is s for c in criteria) for s in State}
    return PageView(
        result=result,
        questions=questions,
        bar=Bar.of(criteria, result.out_of),
        settled=settled,
        least=settled,
        most=min(settled + waiting, result.out_of or settled + waiting),
        suggested=sum(c.mark for c in criteria if c.state is State.REVIEW),
        todo=to_look_at(result, questions, audience),
        states=counts,
        substituted=[(s, places.cell_of(s.piece)) for s in result.substituted[:ROWS]],
        stand_ins=list(dict.fromkeys(s.given for s in result.substituted if s.stand_in)),
        repaired=list(result.notes),
    )


def _question(q: QuestionResult, anchor: str, places: Places, gallery: Gallery) -> QuestionView:
    criteria = [_criterion(c, f"{anchor}-{i}", places, gallery) for i, c in enumerate(q.criteria, 1)]
    cells = [cell_view(ref, anchor, places) for ref in q.cells]
    return QuestionView(
        result=q,
        name=text.question(q.id),
        anchor=anchor,
        bar=Bar.of(list(q.criteria), q.out_of),
        criteria=criteria,
        feedback=[FeedbackView(m, [places.quote(x) for x in m.quotes[:QUOTES]]) for m in q.feedback],
        cells=cells,
        where=cell_ranges([ref.cell for ref in q.cells]),
        unsure=q.confidence < UNSURE,
        charts=charts(q.curves),
        claims=(claims := _tables(q.claims)),
        claims_numeric=[_numeric(t) for t in claims],
    )


def _tables(tables: Sequence[Table]) -> list[Table]:
    """Tables as large as a page can bear."""
    return [
        t.model_copy(
            update={
                "header": tuple(text.short(h, CELL) for h in t.header[:COLUMNS]),
                "rows": tuple(tuple(text.short(v, CELL) for v in r[:COLUMNS]) for r in t.rows[:ROWS]),
            }
        )
        for t in tables[:10]
    ]


def _tells(check: str, key: str, value: object) -> bool:
    """Whether a figure of the evidence tells a person something; results.json has them all."""
    if check == "figure":
        return key == "figures"
    return key not in ("share", "unconfirmed", "marked_by", "blank") and value not in ([], (), {}, "")


def _criterion(c: CriterionResult, anchor: str, places: Places, gallery: Gallery) -> CriterionView:
    tables = _tables(c.tables)
    points = [_point(p, c, places) for p in points_of(c.evidence)[:QUOTES]]
    said = {p.quote.text for p in points if p.quote}
    quotes = [q for quote in c.quotes[:QUOTES] if (q := places.quote(quote)).text not in said]
    figures = {
        k: v for k, v in c.evidence.items() if _tells(c.check, k, v) and not (points and k == "points")
    }
    return CriterionView(
        result=c,
        anchor=anchor,
        figures=[gallery.place(f) for f in c.figures[:12]],
        points=points,
        quotes=quotes,
        more_quotes=max(len(c.quotes) - QUOTES, 0),
        evidence=[(text.words(k), text.named_figure(k, v)) for k, v in list(figures.items())[:40]],
        tables=tables,
        numeric=[_numeric(t) for t in tables],
        notes=[
            f"{len(t.rows) - ROWS} more rows of “{t.title}” are left out"
            for t in c.tables
            if len(t.rows) > ROWS
        ],
    )


def _point(point: Mapping[str, Any], c: CriterionResult, places: Places) -> PointView:
    words = str(point.get("quote") or "")
    mark, out_of = _number(point.get("mark")), _number(point.get("out_of"))
    quote = next((q for q in c.quotes if q.text == words), Quote(text=words)) if words else None
    if quote is not None and quote.about == "earned" and not mark:
        # another point was earned by the same sentence
        quote = quote.model_copy(update={"about": "nearest"})
    return PointView(
        state=str(point["state"]),
        says=str(point["says"]),
        mark=mark,
        out_of=out_of,
        quote=places.quote(quote) if quote else None,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _numeric(table: Table) -> set[int]:
    columns = range(len(table.header))
    values = {i: [row[i] for row in table.rows if i < len(row) and row[i]] for i in columns}
    return {i for i in columns if values[i] and all(_NUMBER.fullmatch(v) for v in values[i])}


def _anchors(ids: list[str]) -> list[str]:
    """An anchor for each question: by its id where that is fit for one, else by its position."""
    fit = [
        id if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", id) and ids.count(id) == 1 else "" for id in ids
    ]
    return [f"question-{id or n}" for n, id in enumerate(fit, 1)]


def profile_words(profile: str) -> str:
    """What a profile means for a reader."""
    return {
        "smoke": "smoke: small subsets of the data, so accuracy is only a first look",
        "full": "full: all of the data",
    }.get(profile, profile)


def isolation_words(level: str) -> str:
    """What a level of isolation means for a reader."""
    return {
        "namespaces": "its own namespaces: no network, nothing of the grader's in sight",
        "landlock": "files restricted by the kernel; network and processes were not",
        "process": "a separate process with limits only",
        "none": "nothing was run",
    }.get(level, level)
