"""The clock outside the kernel around the cells that train, less what other work on the machine took of it."""

from __future__ import annotations

import re

from grader.checks.base import Case
from grader.checks.models import snapshots
from grader.evidence.model import PieceRun, RunState
from grader.record import Record

FLOOR = 1.0
"""Seconds: shorter times are counted as this, since start-up then dominates."""

_EPOCH = re.compile(r"\bepoch\b\s*[\[:#]?\s*(\d+)", re.IGNORECASE)


class Clock(Record):
    """``seconds`` of the cells that train by the clock; ``alone`` is without what they waited for a processor.

    ``alone`` is what they would have taken on a processor of their own, so that runs of a busy and of an
    idle hour can be compared; None where the system keeps no account of it.
    """

    seconds: float
    alone: float | None = None
    cut: bool = False
    """Our limit ended one of them."""
    samples: int | None = None
    """Training inputs, counted again in each epoch: the kernel's own word, see `doubt`."""

    def per_sample(self) -> float | None:
        return self.alone / self.samples if self.alone is not None and self.samples else None


def _training(case: Case) -> list[PieceRun]:
    pieces = {s.piece for s in snapshots(case) if s.trained}
    return [r for r in case.runs if r.piece in pieces]


def clock_of(case: Case) -> Clock | None:
    """The answer's training on the clock; None where no model was trained."""
    runs = _training(case)
    if not runs:
        return None
    seconds = sum(r.seconds for r in runs)
    waited = [r.waited for r in runs if r.waited is not None]
    return Clock(
        seconds=seconds,
        alone=max(seconds - sum(waited), FLOOR) if len(waited) == len(runs) else None,
        cut=any(r.state is RunState.LIMIT for r in runs),
        samples=_samples(case),
    )


def _samples(case: Case) -> int | None:
    pieces = {r.piece for r in case.runs}
    counts = [s.samples for s in snapshots(case) if s.trained and s.piece in pieces]
    return sum(counts) if counts and all(counts) else None


def doubt(case: Case, samples: int) -> str:
    """Why the kernel's count of training images is not borne out by epochs printed and data sets opened.

    The count must lie between a fifth of the smallest training set and all images that were opened, for
    each epoch. Empty where it does; where either is not known, that it could not be checked.
    """
    epochs = sum(len(_epochs(r)) for r in _training(case))
    used = [d for d in case.execution.datasets if d.size] if case.execution is not None else []
    training = [d.size for d in used if d.split != "test"]
    if not epochs or not training:
        return (
            f"That {samples:,} images were trained on is the notebook's own count, and could not be checked."
        )
    every = sum({(d.dataset, d.split, d.path): d.size for d in used}.values())
    if min(training) / 5 <= samples / epochs <= every * 1.05:
        return ""
    return (
        f"The notebook's own count of {samples:,} training images does not fit {epochs} printed "
        f"{'epoch' if epochs == 1 else 'epochs'} of {min(training):,} to {every:,} images."
    )


def _epochs(run: PieceRun) -> set[int]:
    """Numbers of the epochs that a cell's log names, progress bars included."""
    return {int(n) for t in run.texts for n in _EPOCH.findall(t.text)}
