"""What an answer states beside what was measured: agrees, differs, or cannot be checked."""

from __future__ import annotations

import re

from grader.checks.base import Case, Table
from grader.checks.models import measured
from grader.checks.parts import held_out
from grader.checks.ran import nothing_ran, place
from grader.checks.stated import Literals, Stated, literals, stated, stated_in_saved, typed
from grader.checks.statistics import differ
from grader.evidence.model import Profile
from grader.record import Record

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
    remark: str = ""
    """For the marker: that no output has the figure, or that the code holds it as a literal."""


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
    """Every accuracy, time and parameter count that the answer's text or fresh output states, in order, and
    the last of each saved output.

    A written accuracy or time of the author's own, longer run cannot be checked by a short one.
    """
    held = literals(case)
    outputs = [r.stdout for r in case.runs] + [p.saved_output for p in case.code]
    printed = "\n".join(outputs).replace(",", "")
    readers = {"test accuracy": _accuracy, "training time": _time, "parameters": _parameters}
    found = []
    for what in _KINDS:
        for figure in (*stated(case, what), *stated_in_saved(case, what)):
            words, outcome = readers[what](case, figure)
            if outcome is DIFFERS and not figure.fresh and what != "parameters" and not _same_run(case):
                outcome = OPEN
            remark = _remark(case, figure, printed, held)
            found.append(Claim(what=what, figure=figure, measured=words, outcome=outcome, remark=remark))
    return found


def _same_run(case: Case) -> bool:
    """Whether this run had all the data that the author's own may have had."""
    return case.profile is Profile.FULL


def _remark(case: Case, figure: Stated, printed: str, held: Literals) -> str:
    if figure.fresh and typed(figure, held):
        return "stands as a literal in the code"
    if figure.fresh or figure.saved or nothing_ran(case) or len(figure.digits.replace(".", "")) < 3:
        return ""
    digits = figure.digits.replace(",", "")
    shown = re.search(rf"(?<!\d){re.escape(digits)}", printed)  # 98.5 may be the start of 98.51
    share = f"{figure.value:.6f}".rstrip("0") if figure.percent else digits
    return "" if shown or share in printed else "in no output, fresh or saved"


def _source(figure: Stated) -> str:
    return "output" if figure.fresh else "saved output" if figure.saved else "text"


def claim_table(case: Case) -> Table | None:
    """The claims for the report; None where nothing is stated."""
    rows = claims(case)
    if not rows:
        return None
    shown = rows[-MOST:]
    noted = any(c.remark for c in shown)
    return Table(
        title="Stated and measured",
        header=(
            "figure",
            "where",
            "as stated",
            "measured",
            "outcome",
            *(("for the marker",) if noted else ()),
        ),
        rows=tuple(
            (
                c.what,
                f"{place(case, c.figure.piece)}, {_source(c.figure)}",
                c.figure.digits + (" %" if c.figure.percent else " s" if c.what == "training time" else ""),
                c.measured or "not measured",
                c.outcome,
                *((c.remark,) if noted else ()),
            )
            for c in shown
        ),
        marked=tuple(i for i, c in enumerate(shown) if c.outcome == DIFFERS),
    )
