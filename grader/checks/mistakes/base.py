"""What a named mistake says, and how it quotes the code that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from grader.checks.base import Case, Quote
from grader.checks.mistakes.values import Event
from grader.checks.source import line_of
from grader.evidence.model import Piece
from grader.record import Record


class Mistake(Record):
    """One common mistake as it was seen in an answer: feedback, and never a mark by itself."""

    name: str = Field(description="its name in the registry, as a rubric writes it")
    title: str = Field(description="the mistake in a few words")
    seen: str = Field(description="what was seen, in one sentence; says 'seems' where it is not certain")
    why: str = Field(description="why it matters, in one sentence")
    hint: str = Field("", description="leads on without giving code away")
    sure: bool = Field(True, description="False where the evidence leaves another reading open")
    evidence: Mapping[str, Any] = Field(default_factory=dict, description="the figures themselves, JSON")
    quotes: tuple[Quote, ...] = ()


Needs = Literal["code", "model", "data", "log"]
"""What must be there before "not found" says anything: a training that the code shows, and besides a measured
model, data sets that the run saw opened, or a log."""


@dataclass(frozen=True)
class Kind:
    """One entry of the registry: a mistake's fixed words and the pure function that looks for it."""

    name: str
    title: str
    why: str
    hint: str
    find: Callable[[Case], list[Mistake]]
    needs: Needs = "code"


@dataclass(frozen=True)
class Words:
    """A mistake's fixed words; each file has one."""

    name: str
    title: str
    why: str
    hint: str
    needs: Needs = "code"

    def seen(
        self, seen: str, *quotes: Quote | None, sure: bool = True, hint: str = "", **figures: Any
    ) -> Mistake:
        """The mistake as it shows here."""
        return Mistake(
            name=self.name,
            title=self.title,
            seen=seen,
            why=self.why,
            hint=hint or self.hint,
            sure=sure,
            evidence=figures,
            quotes=tuple(dict.fromkeys(q for q in quotes if q is not None)),
        )

    def kind(self, find: Callable[[Case], list[Mistake]]) -> Kind:
        return Kind(self.name, self.title, self.why, self.hint, find, self.needs)


def at_line(piece: Piece, line: int) -> Quote:
    """One line of the submission's code."""
    return Quote(text=line_of(piece, line), piece=piece.index, line=line, about="code")


def quote(event: Event | None) -> Quote | None:
    """The line of an event."""
    return at_line(event.piece, event.line) if event is not None else None


def mine(case: Case, event: Event) -> bool:
    """Whether it happens in the answer's own cells."""
    return event.at in case.answer.pieces
