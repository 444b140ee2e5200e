"""``reports``: a figure is stated, computed by the fresh run, and (``agrees``) true."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from grader.checks.accuracy import stand_ins
from grader.checks.base import Case, Check, Criterion, Quote, Verdict, earned, lost, review, ungraded
from grader.checks.claims import claim_table, images_tested
from grader.checks.models import measured, snapshots
from grader.checks.parts import Parts, held_out, parts
from grader.checks.ran import absent, nothing_ran, obstacles
from grader.checks.stated import WHAT, Stated, best, literals, stated, typed
from grader.checks.statistics import differ
from grader.evidence.model import RunState

What = Literal[
    "accuracy",
    "test accuracy",
    "training accuracy",
    "validation accuracy",
    "loss",
    "test loss",
    "training loss",
    "validation loss",
    "training time",
    "parameters",
]


class Reports(Criterion):
    """``what`` is stated; with ``agrees`` it must agree with what was measured outside the kernel."""

    what: What
    agrees: bool = Field(False, description="the stated figure must be true")

    def title(self) -> str:
        return self.says or f"{self.what} is reported" + (" and true" if self.agrees else "")


def judge(c: Reports, case: Case) -> Verdict:
    """What the fresh run printed counts; a figure of the text alone, or a typed one, goes to a person."""
    if nothing_ran(case):
        return absent(c, case, f"{c.what} printed")
    found = stated(case, c.what)
    figure = best(found)
    if figure is None:
        return absent(c, case, f"stated {c.what}")
    quote = Quote(text=figure.line, piece=figure.piece, about="output" if figure.fresh else "earned")
    more: dict[str, Any] = {"evidence": {"stated": figure.value, "fresh": figure.fresh}, "quotes": (quote,)}
    said = f"{c.what.capitalize()} is stated as {_words(figure, c.what)}"
    if not figure.fresh:
        if obstacles(case):
            stop = absent(c, case, f"{c.what} printed by the code")
            return stop.model_copy(update={"quotes": (quote, *stop.quotes)})
        return review(c, c.marks / 2, f"{said} in the text; the code that ran did not print it.", **more)
    held = literals(case)
    if typed(figure, held):
        computed = [f for f in found if f.fresh and not typed(f, held)]
        if not computed:
            private = f"{figure.digits} stands as a literal in the code of the answer: typed, not computed."
            return review(c, 0.0, f"{said}; a person looks at how it was obtained.", private=private, **more)
        figure = computed[-1]
        said = f"{c.what.capitalize()} is stated as {_words(figure, c.what)}"
        quote = Quote(text=figure.line, piece=figure.piece, about="output")
        more = {"evidence": {"stated": figure.value, "fresh": True}, "quotes": (quote,)}
    if figure.vague:
        return review(c, c.marks / 2, f"{said}, perhaps: of which data it is, is not said.", **more)
    if not c.agrees:
        return earned(c, f"{said}.", **more)
    if table := claim_table(case):
        more["tables"] = (table,)
    if WHAT[c.what][0] == "time":
        return agree_time(c, case, figure, said, more)
    if WHAT[c.what][0] == "parameters":
        return _agree_parameters(c, case, figure, said, more)
    if c.what in ("accuracy", "test accuracy", "validation accuracy"):
        return _agree_accuracy(c, case, figure, said, more)
    return review(c, c.marks, f"{said}; nothing outside the kernel measures it.", **more)


def _words(figure: Stated, what: str) -> str:
    if WHAT[what][0] == "accuracy":
        return f"{figure.value:.2%}"
    if WHAT[what][0] == "time":
        return f"{figure.value:,.1f} s"
    return f"{figure.value:,.4g}" if WHAT[what][0] == "loss" else f"{figure.value:,.0f}"


def _agree_accuracy(c: Reports, case: Case, figure: Stated, said: str, more: dict[str, Any]) -> Verdict:
    """Within three standard errors of the accuracy on held-out data, counting both samples."""
    assert case.execution is not None
    if not measured(case):
        words = f"{said}; no model could be measured to hold it against."
        if not any(s.trained for s in snapshots(case)):
            return review(c, 0.0, f"{words} None was seen to be trained, either.", **more)
        return review(c, c.marks / 2, words, **more)
    rows = held_out(case)
    if not rows:
        fake = [s for d in {d.dataset for d in case.execution.datasets} for s in stand_ins(case, d)]
        if fake:
            words = f"{said}; it cannot be checked on a stand-in: {'; '.join(dict.fromkeys(fake))}."
            return ungraded(c, words, **more)
        return review(c, c.marks / 2, f"{said}; there is no measured accuracy to hold it against.", **more)
    near = min(rows, key=lambda r: abs(r.value - figure.value))
    n = images_tested(case, near.prediction.dataset, near.of)
    more["evidence"] |= {"measured": round(near.value, 4), "of": near.of, "stated_on": n}
    if not differ(figure.value, n, near.value, near.of):
        return earned(c, f"{said}, and measured on held-out data as {near.value:.1%}.", **more)
    words = f"{said}, while on held-out data it was measured as {near.value:.1%}; a person looks at why."
    return review(c, 0.0, f"{words} {_why_apart(parts(case, near), figure)}".strip(), **more)


def _why_apart(around: Parts, figure: Stated) -> str:
    """What the other parts of the data say of a stated accuracy that the held-out one does not bear out."""
    if around.knows_tests:
        return around.leak_words()
    train, test = around.train, around.test
    fits = [m is not None and not differ(figure.value, m.of, m.value, m.of) for m in (train, test)]
    if fits == [True, False] and train is not None:
        return f"On training images it is {train.value:.1%}: perhaps that is what was evaluated."
    return ""


def _agree_parameters(c: Reports, case: Case, figure: Stated, said: str, more: dict[str, Any]) -> Verdict:
    counts = {m.parameters for _, m in measured(case)} | {m.trainable for _, m in measured(case)}
    if not counts:
        return review(c, c.marks / 2, f"{said}; no model could be measured to hold it against.", **more)
    if round(figure.value) in counts:
        return earned(c, f"{said}, as measured.", **more)
    return lost(c, f"{said}, while {max(counts):,} were measured.", **more)


TOO_SMALL = 0.02
"""A stated time below this share of the outside clock is not the training's."""


def agree_time(c: Criterion, case: Case, figure: Stated, said: str, more: dict[str, Any]) -> Verdict:
    """Not longer than the clock outside the kernel around the answer's cells, nor a tiny part of it."""
    clock = sum(r.seconds for r in case.runs)
    more["evidence"] |= {"clock": round(clock, 2)}
    if clock <= 0:
        return ungraded(c, f"{said}; the cells were not clocked.", **more)
    if figure.value > clock * 1.05 + 0.5:
        words = f"{said}, longer than the {clock:.1f} s that all cells of the answer took."
        return review(c, 0.0, words, **more)
    if figure.value < TOO_SMALL * clock - 0.05 and not any(r.state is RunState.LIMIT for r in case.runs):
        words = f"{said}, a small part of the {clock:.1f} s that the cells took."
        return review(c, c.marks / 2, words, **more)
    return earned(c, f"{said}; the cells took {clock:.1f} s by the clock outside.", **more)


CHECK = Check(kind="reports", criterion=Reports, judge=judge)
