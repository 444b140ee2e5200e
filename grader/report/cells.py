"""The cells of a submission on its page, and the links that lead from a quotation to its line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from grader.checks.base import Quote
from grader.report import text
from grader.results import CellRef, SubmissionResult

SOURCE = (40_000, 800)
OUTPUT = (12_000, 200)
"""Most characters and lines of one piece's source and output that a page shows."""


@dataclass(frozen=True)
class QuoteView:
    text: str
    left_out: str
    about: str
    where: str
    """As people say it: "cell 7, line 3"; empty when it is not known where the words are."""
    href: str


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


class Places:
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
        quotes += [quote for q in result.questions for m in q.feedback for quote in m.quotes]
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


def cell_view(ref: CellRef, question: str, places: Places) -> CellView:
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
