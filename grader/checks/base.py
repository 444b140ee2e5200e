"""What every check is given, and what it gives back.

A check is a `Check`: the kind's name, a strict criterion model (what a rubric may write), and a
pure function ``judge(criterion, case) -> Verdict``. It reads evidence only: it never runs code,
opens files or looks at a clock. The rule for all: *missing evidence is never a mark*.

- the student's fault, seen in evidence -> ``lost`` (or ``partial``)
- our fault or a limit of ours (worker, stand-in, resource) -> ``ungraded``
- evidence that does not settle it -> ``review`` with a suggested mark and the reason
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from grader.evidence.calibration import Calibration
from grader.evidence.model import Execution, Figure, Measurement, ModelSnapshot, Piece, PieceRun, Profile
from grader.record import Record
from grader.submission.model import Answer
from grader.text.beside import NOTHING, Beside


class State(StrEnum):
    EARNED = "earned"
    PARTIAL = "partial"
    LOST = "lost"
    UNGRADED = "ungraded"
    REVIEW = "review"


class Criterion(Record):
    """What every criterion of a rubric has. Each kind of check extends it with its own keys."""

    check: str
    marks: float = Field(gt=0)
    says: str = Field("", description="what is asked, in words for the report; a default is made if empty")
    hint: str = Field("", description="shown to a student who did not earn it; never the answer")
    hidden: bool = Field(False, description="not shown by, nor used in, a student's self-check")

    @property
    def compares(self) -> bool:
        """Whether it needs the reference to have been run on this worker."""
        return False

    def calibrates(self, profile: Profile) -> bool:
        """Whether it needs the reference's spread over seeds on this worker under this profile."""
        return False

    @property
    def tells_answer(self) -> bool:
        """Whether its keys hold the answer itself, so that a rubric for students withholds them."""
        return False

    def title(self) -> str:
        """One line for the report, in the words of the field."""
        return self.says or self.check.replace("_", " ")


C = TypeVar("C", bound=Criterion)


class Quote(Record):
    """Words of the submission that a verdict rests on."""

    text: str
    piece: int | None = None
    line: int | None = Field(None, description="within the piece, from 1")
    about: str = Field("", description="what it shows: 'earned', 'nearest', 'output', 'error', 'code'")


class Table(Record):
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: tuple[int, ...] = Field((), description="rows that differ from what was expected")


class Verdict(Record):
    """A check's outcome. ``mark`` is the suggested mark when ``state`` is ``review``."""

    state: State
    mark: float
    reason: str = Field(description="a sentence a student understands; names figures, never the answer key")
    hint: str = ""
    evidence: Mapping[str, Any] = Field(default_factory=dict, description="the figures themselves, JSON")
    quotes: tuple[Quote, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    private: str = Field("", description="reason for the marker's eyes only; not in a student's copy")


@dataclass(frozen=True)
class Case:
    """All that a check may look at for one question of one submission.

    Plain views over frozen records; ``reference`` is the same thing for the reference, where the
    question has one. ``labels`` are of held-out sets, by `Prediction.held_out`.
    """

    question: str
    prompt: str
    profile: Profile
    pieces: tuple[Piece, ...]
    """All pieces of the submission, in order."""
    answer: Answer
    execution: Execution | None
    reference: Case | None = None
    labels: Mapping[str, tuple[int, ...]] | None = None
    spread: Calibration | None = None
    """The reference's spread over seeds on this worker, where it has been calibrated."""
    beside: Beside = NOTHING
    """What is known of an answer in words beside its text."""

    # -- what the student wrote

    @cached_property
    def answered(self) -> tuple[Piece, ...]:
        return tuple(self.pieces[i] for i in self.answer.pieces)

    @cached_property
    def prose(self) -> tuple[Piece, ...]:
        return tuple(p for p in self.answered if p.kind == "markdown")

    @cached_property
    def code(self) -> tuple[Piece, ...]:
        return tuple(p for p in self.answered if p.kind == "code")

    # -- what happened when it ran (fresh runs only, never saved outputs)

    @cached_property
    def runs(self) -> tuple[PieceRun, ...]:
        """The first run of each of the answer's code pieces, in order; replays are left out."""
        if self.execution is None:
            return ()
        mine = set(self.answer.pieces)
        return tuple(r for r in self.execution.runs if r.piece in mine and not r.replayed)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(f for r in self.runs for f in r.figures)

    @cached_property
    def model(self) -> tuple[ModelSnapshot, Measurement | None] | None:
        """The answer's model: of those seen in its pieces, the one that was trained, else called,
        else built; the later one among equals. None when no model was seen."""
        if self.execution is None:
            return None
        mine = set(self.answer.pieces)
        seen = [s for s in self.execution.snapshots if s.piece in mine]
        if not seen:
            return None
        best = max(
            enumerate(seen), key=lambda p: (p[1].trained, p[1].called, bool(p[1].claimed_parameters), p[0])
        )[1]
        by_program = {m.program: m for m in self.execution.measurements}
        return best, by_program.get(best.program or "")

    @cached_property
    def stand_ins(self) -> tuple[str, ...]:
        """What the answer used that was not the real thing, in words."""
        if self.execution is None:
            return ()
        mine = set(self.answer.pieces)
        used = [f"{d.dataset} (generated)" for d in self.execution.datasets if d.piece in mine and d.stand_in]
        used += [s.given for s in self.execution.substitutions if s.piece in mine and s.stand_in]
        return tuple(dict.fromkeys(used))


@dataclass(frozen=True)
class Check(Generic[C]):
    """One kind of criterion: registered as an entry point whose object is an instance of this."""

    kind: str
    criterion: type[C]
    judge: Callable[[C, Case], Verdict]
    needs_run: bool = True
    """Whether it reads the execution; text checks work without a worker."""

    GROUP: ClassVar[str] = "grader.checks"


def earned(c: Criterion, reason: str, **more: Any) -> Verdict:
    return Verdict(state=State.EARNED, mark=c.marks, reason=reason, **more)


def lost(c: Criterion, reason: str, **more: Any) -> Verdict:
    return Verdict(state=State.LOST, mark=0.0, reason=reason, **more)


def partial(c: Criterion, share: float, reason: str, **more: Any) -> Verdict:
    """``share`` of the marks, from 0 to 1, rounded to quarters of a mark; ends become earned or lost."""
    mark = round(4 * c.marks * share) / 4
    if mark >= c.marks:
        return earned(c, reason, **more)
    if mark <= 0:
        return lost(c, reason, **more)
    return Verdict(state=State.PARTIAL, mark=mark, reason=reason, **more)


def review(c: Criterion, mark: float, reason: str, **more: Any) -> Verdict:
    """A person must look; ``mark`` is what is suggested to them."""
    return Verdict(state=State.REVIEW, mark=min(max(mark, 0.0), c.marks), reason=reason, **more)


def ungraded(c: Criterion, reason: str, **more: Any) -> Verdict:
    return Verdict(state=State.UNGRADED, mark=0.0, reason=reason, **more)


def registered(extra: Iterable[Check[Any]] = ()) -> dict[str, Check[Any]]:
    """All kinds of check that are installed, by name."""
    checks: dict[str, Check[Any]] = {c.kind: c for c in extra}
    for point in entry_points(group=Check.GROUP):
        check = point.load()
        checks.setdefault(check.kind, check)
    return checks
