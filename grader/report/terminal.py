"""Results in the terminal: one line a submission for ``grade``, a table for ``grade check``.

Text from a student is shown as `rich.text.Text`, never as markup, and with its control characters
made visible: it can neither colour the terminal nor move its cursor.
"""

from __future__ import annotations

from pathlib import PurePath

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.checks.base import State
from grader.report.audience import OPEN, Audience, shown_submission
from grader.report.cells import cell_ranges
from grader.report.html import STATE_WORDS
from grader.report.shown import unjudged
from grader.report.text import capital, mark, question, seconds, sentence, short, visible
from grader.results import CriterionResult, QuestionResult, SubmissionResult

SIGNS: dict[str, tuple[str, str]] = {
    "earned": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "lost": ("✗", "red"),
    "review": ("?", "magenta"),
    "ungraded": ("–", "bright_black"),
    "graded": ("✓", "green"),
    "unreadable": ("✗", "red"),
    "unrecognised": ("–", "bright_black"),
}


def line(result: SubmissionResult, width: int = 36) -> Text:
    """One line: sign, file, mark, state; what is open; why there is no mark, where there is none."""
    sign, colour = SIGNS[result.state]
    name = short(visible(PurePath(result.file).name), width)
    said = Text.assemble((sign, colour), " ", name.ljust(width), "  ")
    if result.questions:
        said.append(f"{mark(result.mark):>6} / {mark(result.out_of):<5}", style="bold")
    else:
        said.append(" " * 14)
    state = "not fully judged" if result.state == "ungraded" else STATE_WORDS[result.state].lower()
    if result.unconfirmed_marks and not result.unsure_marks:
        state = "to be confirmed"
    said.append("  " + state, style=colour)
    if result.open_marks:
        said.append(f", {mark(result.open_marks)} marks open", style="bright_black")
    if result.unconfirmed_marks and result.unsure_marks:
        said.append(f", {mark(result.unconfirmed_marks)} of them only to be confirmed", style="bright_black")
    if result.reason and not result.questions:
        said.append("  " + short(" ".join(visible(result.reason).split()), 160), style="bright_black")
    return said


def table(result: SubmissionResult, audience: Audience = Audience.STUDENT) -> RenderableType:
    """Every question with its criteria: state (sign and word), mark, reason, and the hint to go on with.

    Under the table: the total, what is open, stand-ins, and a warning where isolation was weak.
    """
    result = shown_submission(result, audience)
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bright_black")
    made.add_column("Question and what is asked", ratio=4, overflow="fold")
    made.add_column("Mark", justify="right", no_wrap=True)
    made.add_column("State", no_wrap=True)
    made.add_column("Why", ratio=6, overflow="fold")
    for q in result.questions:
        _question(made, q)
    below = [*_warnings(result)]
    if not result.questions:
        return Group(line(result), *below)
    total = Text.assemble(
        (f"{mark(result.mark)} of {mark(result.out_of)} marks", "bold"),
        f" in {seconds(result.seconds)}",
        (f"; {mark(result.open_marks)} are still open" if result.open_marks else "", "magenta"),
    )
    return Group(made, total, *below)


def _question(made: Table, q: QuestionResult) -> None:
    where = cell_ranges([ref.cell for ref in q.cells])
    cells = Text(where or "no answer was found", style="bright_black")
    title = Text(visible(f"{question(q.id)} {q.title}"), style="bold")
    made.add_row(
        title,
        Text(_out_of(q.mark, q.out_of) if not unjudged(q) else f"– / {mark(q.out_of)}", style="bold"),
        "",
        cells,
    )
    for c in q.criteria:
        sign, colour = SIGNS[c.state]
        got = "– / " + mark(c.out_of) if c.state is State.UNGRADED else _out_of(c.mark, c.out_of)
        state = Text(f"{sign} {STATE_WORDS[c.state].lower()}", style=colour)
        made.add_row(Text("  " + visible(capital(c.title))), got, state, _why(c))
    made.add_section()


def _why(c: CriterionResult) -> Text:
    why = Text(short(visible(sentence(c.reason)), 600))
    if c.hint and c.state is not State.EARNED:
        why.append("\nHint: " + short(visible(sentence(c.hint)), 400), style="cyan")
    if c.state in OPEN:
        why.append("\nNothing is lost here yet.", style="bright_black")
    return why


def _out_of(got: float, all: float) -> str:
    return f"{mark(got)} / {mark(all)}"


def _warnings(result: SubmissionResult) -> list[Text]:
    said = []
    if result.isolation is not None and result.isolation.weak:
        missing = "; ".join(result.isolation.missing) or f"only {result.isolation.level} here"
        words = f"Isolation is weak on this system: {missing}. Run only code that you trust."
        said.append(Text(words, "yellow"))
    stand_ins = list(dict.fromkeys(s.given for s in result.substituted if s.stand_in))
    if stand_ins:
        words = short(visible("; ".join(stand_ins)), 300)
        said.append(Text(f"Stand-ins were used, no accuracy is judged on them: {words}.", "yellow"))
    said += [Text(visible(sentence(note)), "bright_black") for note in result.notes]
    return said
