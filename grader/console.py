"""What the commands show in a terminal: progress while they work, a summary after."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from grader.engine.confirm import Confirmed
from grader.engine.progress import Event, Stage
from grader.engine.verify import short_of_full, wanting_data
from grader.evidence.calibration import Calibration
from grader.report import Written, line
from grader.report.text import short, visible
from grader.resources.cache import Checked, Status
from grader.results import Results
from grader.rubric.lint import Finding
from grader.text.calibration import LEAST_MARKS

ENDED = {Stage.DONE, Stage.STORED, Stage.UNREADABLE, Stage.UNRECOGNISED, Stage.FAILED}


MOST_LINES = 12
"""Up to so many submissions each keeps a line; of more, only those at work are shown, and counts of the rest."""


class _Left(ProgressColumn):
    """Time left of the whole, from the share of cells that have run."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        if left is None:
            return Text("")
        return Text(
            f"about {left:.0f} s left" if left < 90 else f"about {left / 60:.0f} min left", style="cyan"
        )


class Bars:
    """A line for each submission and one for all, as a watcher of the engine's events.

    Where the output is no terminal, one plain line for each submission that ends.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[stage]}", markup=False),
            TimeElapsedColumn(),
            _Left(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._stages: dict[str, Stage] = {}
        self._shares: dict[str, float] = {}
        self._whole: TaskID | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def shown(self) -> RenderableType:
        """What the terminal shows now."""
        return self._progress.get_renderable()

    def __call__(self, event: Event) -> None:
        name = short(visible(PurePath(event.file).name), 44)
        before = self._stages.get(event.file)
        self._stages[event.file] = event.stage
        if event.stage in ENDED and not self._console.is_terminal and event.stage is not Stage.STORED:
            self._console.print(f"{name}: {event.stage.value}", markup=False, highlight=False, soft_wrap=True)
        if before is None and event.stage in ENDED:
            return  # unreadable, or from the store: nothing to wait for
        total = max(1, event.total)
        if self._whole is None:
            self._whole = self._progress.add_task("all", total=1.0, stage="")
        if event.file not in self._tasks:
            self._tasks[event.file] = self._progress.add_task(name, total=total, stage="")
        task = self._tasks[event.file]
        if event.stage is Stage.RUNNING and before is not Stage.RUNNING:
            self._progress.reset(task)  # its clock starts now; waiting is not counted
        if event.stage in ENDED:
            self._progress.update(task, completed=1, total=1, stage=event.stage.value)
            self._progress.stop_task(task)
        elif event.total:
            stage = (
                f"cell {min(event.done + 1, total)} of {total}"
                if event.stage is Stage.RUNNING
                else event.stage.value
            )
            self._progress.update(task, completed=event.done, total=total, stage=stage)
        for file, each in self._tasks.items():
            few = len(self._tasks) <= MOST_LINES
            self._progress.update(each, visible=few or self._stages[file] is Stage.RUNNING)
        self._all(self._whole, event)

    def _all(self, whole: TaskID, event: Event) -> None:
        """How much of everything is done, and from that how long the rest may take."""
        self._shares[event.file] = (
            1.0 if event.stage in ENDED else event.done / event.total if event.total else 0.0
        )
        share = sum(self._shares.values()) / len(self._shares)
        passed = time.monotonic() - self._started
        stages = [self._stages[file] for file in self._shares]
        waiting = stages.count(Stage.WAITING)
        done = f"{sum(s in ENDED for s in stages)} of {len(stages)} done"
        self._progress.update(
            whole,
            completed=share,
            stage=f"{done}, {waiting} waiting" if waiting else done,
            left=passed * (1 - share) / share if 0.05 < share < 1 else None,
        )


def summary(results: Results, written: Written, console: Console) -> None:
    """A line for each submission, what was executed, what waits for marks, and where the report is."""
    for result in results.submissions:
        console.print(line(result), soft_wrap=True)
    run = sum(r.executed for r in results.submissions)
    graded = sum(bool(r.questions) for r in results.submissions)
    if graded and not run:
        console.print(
            f"Nothing was executed: the evidence of all {graded} came from the store.", soft_wrap=True
        )
    elif run < graded:
        console.print(f"{run} executed, {graded - run} from the store.", soft_wrap=True)
    warn_isolation(results, console)
    waiting = sum(c.unconfirmed for r in results.submissions for q in r.questions for c in q.criteria)
    if waiting and written.answers is not None:
        console.print(
            f"{waiting} suggestions for answers in words look sure, but stay open until marks of your own confirm"
            f" them: fill in some in {written.answers}, then grade calibrate --answers {written.answers}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"Report: {written.index}", soft_wrap=True, markup=False, highlight=False)


def warn_isolation(results: Results, console: Console) -> None:
    """One warning where any submission ran with less than full isolation."""
    weak = sorted({m for r in results.submissions if r.isolation is not None for m in r.isolation.missing})
    if weak:
        console.print(
            f"Weak isolation ({results.isolation}): {'; '.join(weak)}.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def verified(results: Results, console: Console) -> None:
    """Each assignment's total, every criterion that its reference did not earn, and what wants real data."""
    for result in results.submissions:
        console.print(line(result), soft_wrap=True)
    for assignment, question, criterion in short_of_full(results):
        text = (
            f"  {assignment} {question.id} {criterion.check} ({criterion.title}): {criterion.state.value}, "
            f"{criterion.mark:g} of {criterion.out_of:g}: {criterion.reason}"
        )
        console.print(text, style="red", markup=False, soft_wrap=True, highlight=False)
    for assignment, question, criterion in wanting_data(results):
        text = f"  {assignment} {question.id} {criterion.check}: {criterion.out_of:g} marks not judged: {criterion.reason}"
        console.print(text, style="yellow", markup=False, soft_wrap=True, highlight=False)
    if wanting_data(results):
        console.print(
            "  `grade data add` or `grade data pull` brings the real data.", highlight=False, soft_wrap=True
        )


def calibrated(found: Sequence[Calibration], console: Console) -> None:
    """A row for each reference question: accuracy and training time, mean and deviation over the seeds."""
    if not found:
        console.print("No reference has code to calibrate.")
        return
    title = f"{found[0].worker}, profile {found[0].profile.value}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("assignment", "question", "seeds", "held-out accuracy", "training", "per 1,000 images"):
        table.add_column(name, justify="left" if name in ("assignment", "question") else "right")
    for c in found:
        accuracy = "; ".join(f"{d} {s.mean:.2%} ± {s.deviation:.2%}" for d, s in c.accuracy.items())
        seconds = f"{c.seconds.mean:.2f} ± {c.seconds.deviation:.2f} s" if c.seconds else ""
        each = f"{1e6 * c.per_sample.mean:.1f} ms" if c.per_sample else ""
        table.add_row(c.assignment, c.question, str(len(c.seeds)), accuracy, seconds, each)
    console.print(table)


def confirmed(found: Sequence[Confirmed], console: Console) -> None:
    """What each assignment's marks make of the suggestions, before and after, and what that means."""
    for c in found:
        back = f", {c.withdrawn} taken back" if c.withdrawn else ""
        console.print(f"{c.assignment}: {c.given} marks read{back}, {c.kept} kept by now.", highlight=False)
        if c.report is None:
            console.print(
                f"  Too few to calibrate with: at least {LEAST_MARKS}, better 20 to 50. They count for the"
                " answers that they were given to; others stay open.",
                highlight=False,
                soft_wrap=True,
            )
            continue
        table = Table(box=None, pad_edge=False)
        for name in ("  what decides", "final without a person", "of these wrong", "mean error"):
            table.add_column(name, justify="left" if name.startswith(" ") else "right")
        for name, f in (("the shipped record", c.report.before), ("your marks, unseen ones", c.report.after)):
            table.add_row(f"  {name}", f"{f.coverage:.0%}", f"{f.wrong:.1%}", f"{f.error:.1%} of the marks")
        console.print(table)
        r = c.report.calibration
        sides = [
            f"{name} from a confidence of {limit:.2f}" if limit <= 1 else f"{name}: never"
            for name, limit in (("half of the marks or more", r.accept), ("less", r.reject))
        ]
        console.print(
            f"  Final, {'; '.join(sides)}. Wrong: off by more than {r.tolerance:.0%} of the marks;"
            f" allowed: {r.allowed:.1%}. `grade` uses it from now on.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def findings(found: Sequence[Finding], files: Sequence[Path], console: Console) -> int:
    """Prints a linter's findings; the number of errors among them."""
    for finding in found:
        console.print(str(finding), markup=False, soft_wrap=True, highlight=False)
    errors = sum(f.severity == "error" for f in found)
    if not found:
        console.print(f"{len(files)} rubrics, nothing to mend.")
    return errors


def statuses(found: Iterable[Status], folder: Path, console: Console) -> None:
    """The data cache as a table."""
    table = Table(title=f"Data cache: {folder}", title_justify="left", box=None, pad_edge=False)
    for name in ("name", "what", "there", "size"):
        table.add_column(name, justify="right" if name == "size" else "left")
    for s in found:
        table.add_row(s.id, s.title, s.presence, f"{s.bytes / 1e6:.1f} MB" if s.bytes else "")
    console.print(table)


def checked(found: Sequence[Checked], console: Console) -> bool:
    """Prints the outcome for each file; whether all were right."""
    for each in found:
        console.print(
            f"{'ok  ' if each.ok else 'BAD '} {each.id}: {each.file}: {each.says}",
            markup=False,
            soft_wrap=True,
        )
    return all(c.ok for c in found)
