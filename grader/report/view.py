"""From a `SubmissionResult` to what its page shows: numbered, linked, capped. No HTML in here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.checks.base import Quote, State, Table
from grader.report import text
from grader.report.audience import OPEN, Audience, points_of
from grader.report.images import Gallery
from grader.results import CellRef, CriterionResult, QuestionResult, SubmissionResult
from grader.submission.model import UNSURE

SOURCE = (40_000, 800)
OUTPUT = (12_000, 200)
"""Most characters and lines of one piece's source and output that a page shows."""
_NUMBER = re.compile(r"[-+−]?[\d,. ]*\d ?%?|–")
QUOTES, ROWS, COLUMNS, CELL = 30, 200, 16, 300


@dataclass(frozen=True)
class Bar:
    """Shares of a mark, in percent of what could be had: settled, and still open."""

    settled: float
    open: float

    @classmethod
    def of(cls, criteria: list[CriterionResult], out_of: float) -> Bar:
        if out_of <= 0:
            return cls(0, 0)
        settled = sum(c.mark for c in criteria if c.state not in OPEN)
        waiting = sum(c.out_of for c in criteria if c.state in OPEN)
        got = round(min(100 * settled / out_of, 100), 2)
        return cls(got, round(min(100 * waiting / out_of, 100 - got), 2))


@dataclass(frozen=True)
class QuoteView:
    text: str
    left_out: str
    about: str
    where: str
    """As people say it: "cell 7, line 3"; empty when it is not known where the words are."""
    href: str


@dataclass(frozen=True)
class PointView:
    """One key point of an answer in words; ``says`` is empty where it would give the answer away."""

    state: str
    says: str
    mark: float
    out_of: float
    quote: QuoteView | None


@dataclass(frozen=True)
class CriterionView:
    result: CriterionResult
    anchor: str
    figures: list[dict[str, object]]
    points: list[PointView]
    quotes: list[QuoteView]
    more_quotes: int
    evidence: list[tuple[str, str]]
    tables: list[Table]
    numeric: list[set[int]]
    """For each table, the columns that hold numbers only."""
    notes: list[str]

    @property
    def has_evidence(self) -> bool:
        return bool(self.figures or self.points or self.quotes or self.evidence or self.tables)


@dataclass(frozen=True)
class SourceLine:
    number: int
    text: str
    anchor: str
    """Set where a verdict quotes this line."""


@dataclass(frozen=True)
class CellView:
    ref: CellRef
    anchor: str
    part: int
    """Its place within the cell, from 1; 0 where the cell was not split."""
    lines: list[SourceLine]
    source_left: str
    output: str
    output_left: str
    error: str
    shown_at: str
    """Anchor of the same piece under an earlier question, which shows it; else empty."""


@dataclass(frozen=True)
class QuestionView:
    result: QuestionResult
    name: str
    anchor: str
    bar: Bar
    criteria: list[CriterionView]
    cells: list[CellView]
    where: str
    unsure: bool


@dataclass(frozen=True)
class ToDo:
    """Something that needs a person: shown first on the page."""

    href: str
    what: str
    why: str
    marks: str = ""


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
    places = _Places(result)
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
        todo=_to_look_at(result, questions, audience),
        states=counts,
        substituted=[(s, places.cell_of(s.piece)) for s in result.substituted[:ROWS]],
        stand_ins=list(dict.fromkeys(s.given for s in result.substituted if s.stand_in)),
        repaired=list(result.notes),
    )


class _Places:
    """Where each piece is on the page, and which of its lines are quoted."""

    def __init__(self, result: SubmissionResult) -> None:
        self.refs: dict[int, CellRef] = {}
        self.home: dict[int, str] = {}
        for q in result.questions:
            for ref in q.cells:
                self.refs.setdefault(ref.piece, ref)
                self.home.setdefault(ref.piece, f"piece-{ref.piece}")
        self.parts = Counter(ref.cell for ref in self.refs.values())
        quotes = [quote for q in result.questions for c in q.criteria for quote in c.quotes]
        self.lines = {(q.piece, q.line) for q in quotes if q.piece is not None and q.line and _in_source(q)}

    def split(self, ref: CellRef) -> bool:
        """Whether other pieces of the same cell are known."""
        return ref.part > 1 or ref.first_line > 1 or self.parts[ref.cell] > 1

    def cell_of(self, piece: int | None) -> str:
        if piece is None or piece not in self.refs:
            return ""
        return f"cell {self.refs[piece].cell}"

    def quote(self, quote: Quote) -> QuoteView:
        words, left = text.capped(quote.text.strip("\n"), 1_500, 30)
        where = href = ""
        ref = self.refs.get(quote.piece) if quote.piece is not None else None
        if ref is not None:
            where, href = f"cell {ref.cell}", f"#{self.home[ref.piece]}"
            if not _in_source(quote):
                where, href = f"output of cell {ref.cell}", f"{href}-output"
            elif quote.line:
                where = f"cell {ref.cell}, line {ref.first_line + quote.line - 1}"
                if quote.line <= min(SOURCE[1], ref.source.count("\n") + 1):
                    href = f"{href}-line-{quote.line}"
        elif quote.piece is not None and quote.line:
            where = f"line {quote.line}"
        return QuoteView(words, left, quote.about, where, href)


def _in_source(quote: Quote) -> bool:
    return quote.about not in ("output", "error")


def _question(q: QuestionResult, anchor: str, places: _Places, gallery: Gallery) -> QuestionView:
    criteria = [_criterion(c, f"{anchor}-{i}", places, gallery) for i, c in enumerate(q.criteria, 1)]
    cells = [_cell(ref, anchor, places) for ref in q.cells]
    return QuestionView(
        result=q,
        name=text.question(q.id),
        anchor=anchor,
        bar=Bar.of(list(q.criteria), q.out_of),
        criteria=criteria,
        cells=cells,
        where=cell_ranges([ref.cell for ref in q.cells]),
        unsure=q.confidence < UNSURE,
    )


def _criterion(c: CriterionResult, anchor: str, places: _Places, gallery: Gallery) -> CriterionView:
    tables = [
        t.model_copy(
            update={
                "header": tuple(text.short(h, CELL) for h in t.header[:COLUMNS]),
                "rows": tuple(tuple(text.short(v, CELL) for v in r[:COLUMNS]) for r in t.rows[:ROWS]),
            }
        )
        for t in c.tables[:10]
    ]
    points = [_point(p, c, places) for p in points_of(c.evidence)[:QUOTES]]
    said = {p.quote.text for p in points if p.quote}
    quotes = [q for quote in c.quotes[:QUOTES] if (q := places.quote(quote)).text not in said]
    figures = {k: v for k, v in c.evidence.items() if not (points and k == "points")}
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


def _point(point: Mapping[str, Any], c: CriterionResult, places: _Places) -> PointView:
    words = str(point.get("quote") or "")
    quote = next((q for q in c.quotes if q.text == words), Quote(text=words)) if words else None
    state = str(point.get("state", ""))
    return PointView(
        state=state if state in {s.value for s in State} else "ungraded",
        says=str(point["says"]),
        mark=_number(point.get("mark")),
        out_of=_number(point.get("out_of")),
        quote=places.quote(quote) if quote else None,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _numeric(table: Table) -> set[int]:
    columns = range(len(table.header))
    values = {i: [row[i] for row in table.rows if i < len(row) and row[i]] for i in columns}
    return {i for i in columns if values[i] and all(_NUMBER.fullmatch(v) for v in values[i])}


def _cell(ref: CellRef, question: str, places: _Places) -> CellView:
    home = places.home[ref.piece]
    first = places.refs[ref.piece] is ref
    source, source_left = text.capped(text.without_data(ref.source.rstrip("\n")), *SOURCE)
    output, output_left = text.capped(text.without_data(text.console(ref.output)).rstrip("\n"), *OUTPUT)
    lines = [
        SourceLine(
            ref.first_line + n - 1,
            text.Block(line),
            f"{home}-line-{n}" if first and (ref.piece, n) in places.lines else "",
        )
        for n, line in enumerate(source.split("\n"), 1)
    ]
    return CellView(
        ref=ref,
        anchor=home if first else f"{question}-{home}",
        part=ref.part if places.split(ref) else 0,
        lines=lines,
        source_left=source_left,
        output=output,
        output_left=output_left,
        error=text.capped(text.console(ref.error).rstrip("\n"), *OUTPUT)[0],
        shown_at="" if first else home,
    )


def _to_look_at(result: SubmissionResult, questions: list[QuestionView], audience: Audience) -> list[ToDo]:
    found: list[ToDo] = []
    for q in questions:
        name = q.name
        if q.unsure and q.cells:
            found.append(
                ToDo(
                    f"#{q.anchor}",
                    f"{name}: is this the answer?",
                    _because(q.result.why, q.result.confidence),
                )
            )
        elif q.unsure:
            found.append(
                ToDo(f"#{q.anchor}", f"{name}: no answer was found for certain", _because(q.result.why, None))
            )
        for c in q.criteria:
            if c.result.state in OPEN:
                out_of = text.mark(c.result.out_of)
                suggested = (
                    f"{text.mark(c.result.mark)} of {out_of} suggested"
                    if c.result.state is State.REVIEW
                    else f"{out_of} not judged"
                )
                found.append(ToDo(f"#{c.anchor}", f"{name}: {c.result.title}", c.result.reason, suggested))
    if result.isolation is not None and result.isolation.weak and audience is Audience.MARKER:
        missing = "; ".join(result.isolation.missing) or "less than full isolation on this system"
        found.append(ToDo("#run", "Isolation was weak", missing))
    return found


def _because(why: str, confidence: float | None) -> str:
    sure = f"the match is {100 * confidence:.0f} % sure" if confidence is not None else ""
    return "; ".join(p for p in (sure, why) if p)


def _anchors(ids: list[str]) -> list[str]:
    """An anchor for each question: by its id where that is fit for one, else by its position."""
    fit = [
        id if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", id) and ids.count(id) == 1 else "" for id in ids
    ]
    return [f"question-{id or n}" for n, id in enumerate(fit, 1)]


def cell_ranges(cells: list[int]) -> str:
    """Cells as people list them: "cell 4", "cells 3–5, 9"; empty for none."""
    runs: list[list[int]] = []
    for cell in sorted(set(cells)):
        if runs and cell == runs[-1][-1] + 1:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    said = ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}–{r[-1]}" for r in runs)
    return said and f"cell{'s' * (len(set(cells)) > 1)} {said}"


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


def pretty(value: Any) -> str:
    """JSON for a marker who wants the figures as they are."""
    return text.short(json.dumps(value, indent=1, default=str, ensure_ascii=False), 4_000)
