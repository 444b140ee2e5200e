"""What the commands show in a terminal: progress while they work, a summary after."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from grader.engine.progress import Event, Stage
from grader.engine.verify import short_of_full
from grader.report import line
from grader.resources.cache import Checked, Status
from grader.results import Results
from grader.rubric.lint import Finding

ENDED = {Stage.DONE, Stage.STORED, Stage.UNREADABLE, Stage.UNRECOGNISED, Stage.FAILED}


class _Left(ProgressColumn):
    """Time left of the whole, from the share of cells that have run."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        return Text(f"about {left:.0f} s left" if left is not None else "", style="cyan")


class Bars:
    """A line for each submission at work and one for all, as a watcher of the engine's events.

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
        self._shares: dict[str, float] = {}
        self._whole: TaskID | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        name = PurePath(event.file).name
        if event.stage in (Stage.WAITING, Stage.RUNNING) or event.file in self._shares:
            self._share(event)
        if event.stage in ENDED:
            if event.file in self._tasks:
                self._progress.update(self._tasks[event.file], visible=False)
            if not self._console.is_terminal and event.stage is not Stage.STORED:
                self._console.print(f"{name}: {event.stage.value}", markup=False, highlight=False)
            return
        if event.file not in self._tasks:
            self._tasks[event.file] = self._progress.add_task(name[:44], total=max(1, event.total), stage="")
        self._progress.update(
            self._tasks[event.file],
            completed=event.done,
            total=max(1, event.total),
            stage=event.stage.value,
            visible=event.stage is Stage.RUNNING,
        )

    def _share(self, event: Event) -> None:
        """How much of everything is done, and from that how long the rest may take."""
        done = 1.0 if event.stage in ENDED else event.done / event.total if event.total else 0.0
        self._shares[event.file] = done
        if self._whole is None:
            self._whole = self._progress.add_task("all", total=1.0, stage="")
        share = sum(self._shares.values()) / len(self._shares)
        passed = time.monotonic() - self._started
        ended = sum(s >= 1 for s in self._shares.values())
        self._progress.update(
            self._whole,
            completed=share,
            stage=f"{ended} of {len(self._shares)}",
            left=passed * (1 - share) / share if share > 0.05 else None,
        )


def summary(results: Results, index: Path, console: Console) -> None:
    """A line for each submission, what was executed, and where the report is."""
    for result in results.submissions:
        console.print(line(result))
    run = sum(r.executed for r in results.submissions)
    graded = sum(bool(r.questions) for r in results.submissions)
    if graded and not run:
        console.print(f"Nothing was executed: the evidence of all {graded} came from the store.")
    elif run < graded:
        console.print(f"{run} executed, {graded - run} from the store.")
    warn_isolation(results, console)
    console.print(f"Report: {index}", soft_wrap=True, markup=False, highlight=False)


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
    """Each assignment's total, and every criterion that its reference did not earn."""
    for result in results.submissions:
        console.print(line(result))
    for assignment, question, criterion in short_of_full(results):
        text = (
            f"  {assignment} {question.id} {criterion.check} ({criterion.title}): {criterion.state.value}, "
            f"{criterion.mark:g} of {criterion.out_of:g}: {criterion.reason}"
        )
        console.print(text, style="red", markup=False, soft_wrap=True, highlight=False)


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
