"""What an answer states beside what was measured: agrees, differs, or cannot be checked."""

from __future__ import annotations

from grader.checks.base import Case, Table
from grader.checks.models import measured
from grader.checks.parts import held_out
from grader.checks.ran import nothing_ran, place
from grader.checks.stated import Stated, stated
from grader.checks.statistics import differ
from grader.evidence.model import Record

AGREES, DIFFERS, OPEN = "agrees", "differs", "cannot be checked"
_KINDS = ("test accuracy", "training time", "parameters")
MOST = 12
"""Rows of the table: a log of a hundred epochs is not shown line by line."""


class Claim(Record):
    """One stated figure. ``measured`` is in words, empty where nothing was."""

    what: str
    figure: Stated
    measured: str
    outcome: str


def images_tested(case: Case, dataset: str, otherwise: int) -> int:
    """How many images a stated accuracy was computed on: the smallest test or validation set opened."""
    uses = case.execution.datasets if case.execution is not None else ()
    sizes = [d.size for d in uses if d.dataset == dataset and d.split in ("test", "validation") and d.size]
    return min(sizes, default=otherwise)


def _accuracy(case: Case, figure: Stated) -> tuple[str, str]:
    rows = held_out(case)
    if not rows or figure.vague:
        return "", OPEN
    near = min(rows, key=lambda r: abs(r.value - figure.value))
    n = images_tested(case, near.prediction.dataset, near.of)
    apart = differ(figure.value, n, near.value, near.of)
    return f"{near.value:.1%} of {near.of:,} held-out images", DIFFERS if apart else AGREES


def _time(case: Case, figure: Stated) -> tuple[str, str]:
    clock = sum(r.seconds for r in case.runs)
    if nothing_ran(case) or not clock or not figure.fresh:
        return (f"{clock:.1f} s for the cells, in this run" if clock else ""), OPEN
    return f"{clock:.1f} s for the cells", DIFFERS if figure.value > clock * 1.05 + 0.5 else AGREES


def _parameters(case: Case, figure: Stated) -> tuple[str, str]:
    counts = sorted({m.parameters for _, m in measured(case)} | {m.trainable for _, m in measured(case)})
    if not counts:
        return "", OPEN
    near = min(counts, key=lambda n: abs(n - figure.value))
    return f"{near:,}", AGREES if near == round(figure.value) else DIFFERS


def claims(case: Case) -> list[Claim]:
    """Every accuracy, time and parameter count that the answer's text or fresh output states, in order.

    A written accuracy or time of the author's own, longer run cannot be checked by a short one.
    """
    readers = {"test accuracy": _accuracy, "training time": _time, "parameters": _parameters}
    found = []
    for what in _KINDS:
        for figure in stated(case, what):
            words, outcome = readers[what](case, figure)
            if outcome is DIFFERS and not figure.fresh and what != "parameters":
                outcome = OPEN
            found.append(Claim(what=what, figure=figure, measured=words, outcome=outcome))
    return found


def claim_table(case: Case) -> Table | None:
    """The claims for the report; None where nothing is stated."""
    rows = claims(case)
    if not rows:
        return None
    shown = rows[-MOST:]
    return Table(
        title="Stated and measured",
        header=("figure", "where", "as stated", "measured", "outcome"),
        rows=tuple(
            (
                c.what,
                f"{place(case, c.figure.piece)}, {'output' if c.figure.fresh else 'text'}",
                c.figure.digits + (" %" if c.figure.percent else " s" if c.what == "training time" else ""),
                c.measured or "not measured",
                c.outcome,
            )
            for c in shown
        ),
        marked=tuple(i for i, c in enumerate(shown) if c.outcome == DIFFERS),
    )
