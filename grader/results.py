"""Marks as they are published: `results.json` is this module's `Results`, nothing else.

A JSON Schema of it is in docs/results.schema.json; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from grader.checks.base import Quote, State, Table
from grader.checks.mistakes.base import Mistake
from grader.evidence.model import Figure, Isolation, Profile, Substitution
from grader.record import Record

SCHEMA = "grader/results/1"


class CriterionResult(Record):
    check: str
    title: str
    mark: float = Field(description="the suggested mark when state is review")
    out_of: float
    state: State
    reason: str
    hint: str = ""
    evidence: Mapping[str, Any] = Field(default_factory=dict)
    quotes: tuple[Quote, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    private: str = ""
    hidden: bool = False

    @property
    def wants_data(self) -> bool:
        """Whether it was not judged for the one reason that its data is a stand-in on this machine."""
        return self.state is State.UNGRADED and "stand_ins" in self.evidence

    @property
    def unconfirmed(self) -> bool:
        """Whether it is open for the one reason that no mark of the instructor's confirms such suggestions."""
        return self.state is State.REVIEW and self.evidence.get("unconfirmed") is True

    @property
    def by_person(self) -> bool:
        """Whether its mark is a person's own, on this very answer."""
        return self.evidence.get("marked_by") == "person"


class CellRef(Record):
    """A piece that was taken as part of an answer; numbers as a person counts them, from 1."""

    piece: int
    cell: int
    part: int
    kind: Literal["markdown", "code"]
    first_line: int
    state: str = Field("", description="how it ran: ok, failed, limit, died, skipped; empty for markdown")
    seconds: float = 0.0
    source: str = Field("", description="its text, for the report")
    output: str = Field("", description="text output of the fresh run, truncated for the report")
    error: str = ""


class Curve(Record):
    """A learning curve of the fresh run by epoch, and the band of the reference over its seeds, if known."""

    name: str = Field(description="training or validation, accuracy (0 to 1) or loss")
    values: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    source: str = Field("", description="figure, or log: where the fresh run gave it")


class QuestionResult(Record):
    id: str
    title: str
    mark: float
    out_of: float
    state: State
    confidence: float
    why: str = ""
    cells: tuple[CellRef, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()
    curves: tuple[Curve, ...] = ()
    claims: tuple[Table, ...] = Field(
        (), description="figures that the answer states, beside what was measured"
    )
    feedback: tuple[Mistake, ...] = Field(
        (), description="common mistakes that were seen; no marks by themselves"
    )


class SubmissionResult(Record):
    """``state``: graded (every criterion decided), review (a person must look at some),
    ungraded (some could not be judged for a reason of ours), unreadable, unrecognised."""

    file: str
    assignment: str | None = None
    title: str = ""
    mark: float = 0.0
    out_of: float = 0.0
    state: Literal["graded", "review", "ungraded", "unreadable", "unrecognised"]
    reason: str = ""
    open_marks: float = Field(0.0, description="marks of criteria in review or ungraded")
    questions: tuple[QuestionResult, ...] = ()
    substituted: tuple[Substitution, ...] = ()
    isolation: Isolation | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    executed: bool = Field(False, description="False when all its evidence came from the store")

    @property
    def unconfirmed_marks(self) -> float:
        """Of the open marks, those that only wait for marks of the instructor's own."""
        return sum(c.out_of for q in self.questions for c in q.criteria if c.unconfirmed)

    @property
    def unsure_marks(self) -> float:
        """Of the open marks, those that a person must look at whatever has been confirmed."""
        return round(self.open_marks - self.unconfirmed_marks, 4)


class Results(Record):
    schema_: str = Field(SCHEMA, alias="schema")
    profile: Profile
    isolation: str = Field(description="the weakest isolation of any submission, in a word")
    submissions: tuple[SubmissionResult, ...] = ()
