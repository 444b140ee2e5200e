"""What a page shows of a question, before it is put into words and order: plain records over the results."""

from __future__ import annotations

from dataclasses import dataclass

from grader.checks.base import State, Table
from grader.checks.mistakes.base import Mistake
from grader.report.audience import OPEN
from grader.report.cells import CellView, QuoteView
from grader.report.curves import Chart
from grader.results import CriterionResult, QuestionResult


def unjudged(q: QuestionResult) -> bool:
    """Whether nothing of a question could be judged: then it has no mark, not even 0."""
    return bool(q.criteria) and all(c.state is State.UNGRADED for c in q.criteria)


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
class FeedbackView:
    """A common mistake, beside the marks."""

    mistake: Mistake
    quotes: list[QuoteView]


@dataclass(frozen=True)
class QuestionView:
    result: QuestionResult
    name: str
    anchor: str
    bar: Bar
    criteria: list[CriterionView]
    feedback: list[FeedbackView]
    cells: list[CellView]
    where: str
    unsure: bool
    charts: list[Chart]
    claims: list[Table]
    claims_numeric: list[set[int]]

    @property
    def mark_state(self) -> str:
        """How its mark is shown: as none where nothing of it could be judged."""
        return State.UNGRADED.value if unjudged(self.result) else ""
