"""Holds each assignment's reference to its rubric: every criterion must earn full marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.checks.base import State, registered
from grader.engine.answers import taken_at_its_word
from grader.engine.batch import results_of
from grader.engine.calibrate import spreads
from grader.engine.labels import labels_for
from grader.engine.local import Job, executions
from grader.engine.options import Options, assignments
from grader.engine.progress import Watcher, unwatched
from grader.engine.reference import cases, submission_of
from grader.evidence.store import Store
from grader.results import CriterionResult, QuestionResult, Results
from grader.rubric.model import Assignment
from grader.scoring import mark


def verify(
    options: Options,
    watch: Watcher = unwatched,
    *,
    known: Sequence[Assignment] | None = None,
    reference: Path | None = None,
) -> Results:
    """Grades the references as submissions; one result for each assignment.

    ``reference`` is another folder of reference files, for one assignment. Raises `RubricError` when a
    rubric or a reference file is wrong.
    """
    chosen = list(known if known is not None else assignments(options))
    built = [submission_of(a, reference) for a in chosen]
    store = Store(options.store)
    known_spreads = spreads(chosen, options, watch)
    jobs = [Job(f"reference of {a.id}", s.pieces, a) for a, (s, _) in zip(chosen, built, strict=True)]
    ran = executions(jobs, options, store, watch)
    keys = labels_for([e for e, _ in ran])
    results = []
    for assignment, (submission, alignment), (execution, now) in zip(chosen, built, ran, strict=True):
        # Its time is compared with itself; its words are not, or the guard against copies would strike.
        itself = cases(assignment, execution, options.profile, reference)
        timed = {
            q.id: itself[q.id]
            for q in assignment.questions
            if q.id in itself and any(c.compares for c in q.criteria)
        }
        result = mark(
            submission,
            assignment,
            alignment,
            execution,
            profile=options.profile,
            reference=timed,
            labels=keys,
            spreads=known_spreads.get(assignment.id),
            beside=taken_at_its_word(assignment),
            checks=registered(),
        )
        results.append(result.model_copy(update={"file": f"reference of {assignment.id}", "executed": now}))
    return results_of(results, options.profile)


def short_of_full(results: Results) -> list[tuple[str, QuestionResult, CriterionResult]]:
    """Every criterion that its reference did not earn: (assignment, question, criterion).

    One that cannot be judged because its data is a stand-in here is not among them: see `wanting_data`.
    """
    return [(s, q, c) for s, q, c in _criteria(results) if c.state is not State.EARNED and not c.wants_data]


def wanting_data(results: Results) -> list[tuple[str, QuestionResult, CriterionResult]]:
    """Every criterion that needs real data which the data cache of this machine does not hold."""
    return [(s, q, c) for s, q, c in _criteria(results) if c.wants_data]


def _criteria(results: Results) -> Iterator[tuple[str, QuestionResult, CriterionResult]]:
    for s in results.submissions:
        for q in s.questions:
            for c in q.criteria:
                yield s.assignment or s.file, q, c
