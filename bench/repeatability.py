"""The same good LeNet-5, graded again and again with other seeds while other cores are busy: one mark.

    uv run python bench/repeatability.py [--times 20] [--busy 1] [--profile smoke]

The program is the reference of question 6 of image-classification-cnn, with the seeds that it fixes raised
by one each time; it is marked by that question's criteria as any submission is. ``--busy`` processes
compute besides, all the while. The exit status is 1 unless every mark is the same and none is open. See
docs/benchmarks.md for results.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from grader.checks.clock import Clock, clock_of
from grader.console import Bars
from grader.engine import Options
from grader.engine.calibrate import reseeded, spreads
from grader.engine.labels import labels_for
from grader.engine.local import Job, executions
from grader.engine.options import assignments
from grader.engine.reference import submission_of
from grader.evidence.model import Execution, Profile
from grader.evidence.store import Store
from grader.results import QuestionResult
from grader.rubric.model import Assignment
from grader.scoring import case_for, mark
from grader.submission import Answer, Submission


def _spin() -> None:
    n = 1
    while True:
        n = (n * 1_103_515_245 + 12_345) % 2**31


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keeps so many cores computing meanwhile."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(processes)]
    for each in spinning:
        each.start()
    try:
        yield
    finally:
        for each in spinning:
            each.terminate()
            each.join()


def graded(lenet: Assignment, times: int, options: Options) -> list[tuple[QuestionResult, Clock | None]]:
    """The question's result and its training on the clock, for each seed."""
    submission, alignment = submission_of(lenet)
    runs = [
        submission.model_copy(update={"pieces": reseeded(submission.pieces, seed)}) for seed in range(times)
    ]
    jobs = [Job(f"seed {seed}", s.pieces, lenet, seed) for seed, s in enumerate(runs)]
    with Bars(Console(stderr=True)) as bars:
        known = spreads([lenet], options, bars)
        ran = executions(jobs, options, Store(options.store), bars)
    keys = labels_for([e for e, _ in ran])
    found = []
    for each, (execution, _) in zip(runs, ran, strict=True):
        result = mark(
            each, lenet, alignment, execution, profile=options.profile, labels=keys, spreads=known[lenet.id]
        )
        found.append((result.questions[0], _clock(lenet, each, alignment.answers[0], execution)))
    return found


def _clock(lenet: Assignment, submission: Submission, answer: Answer, execution: Execution) -> Clock | None:
    case = case_for(lenet.questions[0], submission, answer, execution, profile=execution.profile)
    return clock_of(case)


def main() -> int:
    """Prints a row for each seed, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--busy", type=int, default=1, help="processes that compute meanwhile")
    parser.add_argument("--profile", type=Profile, default=Profile.SMOKE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grade-bench-") as store, busy(given.busy):
        options = Options(given.profile, rubric="image-classification-cnn", store=Path(store), jobs=1)
        (whole,) = assignments(options)
        lenet = whole.model_copy(update={"questions": (whole.question("q6"),), "resources": ("mnist",)})
        rows = graded(lenet, given.times, options)
    print("| seed | accuracy on held-out digits | training, s | without waiting, s | mark | state |")
    print("|---|---|---|---|---|---|")
    for seed, (q, clock) in enumerate(rows):
        accuracy = next(c.evidence.get("accuracy", 0.0) for c in q.criteria if c.check == "accuracy")
        seconds = f"{clock.seconds:.1f} | {clock.alone or 0:.1f}" if clock else "|"
        print(f"| {seed} | {accuracy:.1%} | {seconds} | {q.mark:g} of {q.out_of:g} | {q.state.value} |")
    for q, _ in rows:
        for c in q.criteria:
            if c.state.value != "earned":
                print(f"{c.check}: {c.state.value}: {c.reason}", file=sys.stderr)
    marks = {(q.mark, q.state) for q, _ in rows}
    print(f"\n{len(rows)} times, {len(marks)} different {'mark' if len(marks) == 1 else 'marks'}.")
    return 0 if len(marks) == 1 and rows[0][0].state.value == "earned" else 1


if __name__ == "__main__":
    sys.exit(main())
