"""The main job: files -> results. Also a student's self-check, which is the same with less shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.checks.base import Case, registered
from grader.engine.answers import Written, known, shipped_only
from grader.engine.calibrate import spreads
from grader.engine.labels import labels_for
from grader.engine.local import Job, executions
from grader.engine.options import Options, assignments
from grader.engine.progress import Event, Stage, Watcher, unwatched
from grader.engine.reference import cases, submission_of
from grader.errors import SubmissionError
from grader.evidence.model import Execution, IsolationLevel, Profile
from grader.evidence.store import Store
from grader.results import Results, SubmissionResult
from grader.rubric.model import Assignment
from grader.scoring import mark
from grader.submission import Alignment, Submission, align, find, read, recognise

Labels = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class _Item:
    """One file on its way: read and recognised, or the reason why not."""

    file: Path
    submission: Submission | None = None
    assignment: Assignment | None = None
    alignment: Alignment | None = None
    state: str = ""
    reason: str = ""


def grade(paths: Sequence[Path], options: Options, watch: Watcher = unwatched) -> Results:
    """Grades files and folders of notebooks.

    Files that cannot be read or recognised are results too. Raises `UsageError` for what cannot be
    done as asked, `RubricError`, `OutputError` for the store; never for what a submission does.
    """
    return _grade(paths, options, watch, public_only=False)


def check(path: Path, options: Options, watch: Watcher = unwatched) -> Results:
    """A student's self-check of one file: public criteria only; no reference is needed or shown."""
    return _grade([path], options, watch, public_only=True)


def _grade(paths: Sequence[Path], options: Options, watch: Watcher, *, public_only: bool) -> Results:
    rubrics = assignments(options, references=not public_only)
    found = find(paths)
    store = Store(options.store)
    items = [_prepare(file, rubrics, options.rubric is not None, watch) for file in found.files]
    ready = [i for i in items if i.submission is not None and i.assignment is not None]
    references = {} if public_only else _references(ready, options)
    known_spreads = {} if public_only else spreads([a for a, _ in references.values()], options, watch)
    jobs = [_job(i) for i in ready] + [
        Job(f"reference of {a.id}", s.pieces, a) for a, s in references.values() if _compares(a)
    ]
    ran = executions(jobs, options, store, watch) if jobs else []
    yardsticks = _yardsticks(
        references, jobs[len(ready) :], [e for e, _ in ran[len(ready) :]], options.profile
    )
    keys = labels_for([e for e, _ in ran])
    batch = [_written(i) for i in ready]
    beside = [shipped_only(w.assignment) for w in batch] if public_only else known(batch, options, store)
    results: list[SubmissionResult] = []
    outcomes = zip(ran, beside, strict=False)  # the references ran after the submissions
    for item in items:
        if item.submission is None or item.assignment is None or item.alignment is None:
            results.append(_not_graded(item))
            continue
        (execution, now), words = next(outcomes)
        result = mark(
            item.submission,
            item.assignment,
            item.alignment,
            execution,
            profile=options.profile,
            reference=yardsticks.get(item.assignment.id),
            labels=keys,
            spreads=known_spreads.get(item.assignment.id),
            beside=words,
            public_only=public_only,
            checks=registered(),
        )
        results.append(result.model_copy(update={"file": str(item.file), "executed": now}))
    results += [_skipped(path, why) for path, why in found.skipped]
    return results_of(results, options.profile)


def results_of(results: Sequence[SubmissionResult], profile: Profile) -> Results:
    """Results with the weakest isolation that any of them had."""
    order = list(IsolationLevel)
    levels = [r.isolation.level for r in results if r.isolation is not None]
    weakest = max(levels, key=order.index).value if levels else "none"
    return Results(schema="grader/results/1", profile=profile, isolation=weakest, submissions=tuple(results))


def _prepare(file: Path, known: Sequence[Assignment], named: bool, watch: Watcher) -> _Item:
    try:
        submission = read(file)
    except SubmissionError as e:
        watch(Event(str(file), Stage.UNREADABLE))
        return _Item(file, state="unreadable", reason=e.what)
    if named:
        return _Item(file, submission, known[0], align(submission, known[0]))
    fit = recognise(submission, known)
    if fit is None:
        watch(Event(str(file), Stage.UNRECOGNISED))
        names = ", ".join(a.id for a in known)
        reason = (
            f"It fits none of the assignments ({names}). Name its rubric with --rubric if it is one of them."
        )
        return _Item(file, submission, state="unrecognised", reason=reason)
    return _Item(file, submission, *fit)


def _job(item: _Item) -> Job:
    assert item.submission is not None and item.assignment is not None
    return Job(str(item.file), item.submission.pieces, item.assignment)


def _written(item: _Item) -> Written:
    assert item.submission is not None and item.assignment is not None and item.alignment is not None
    return Written(str(item.file), item.assignment, item.submission, item.alignment)


def _compares(assignment: Assignment) -> bool:
    """Whether a criterion needs the reference to have been run on this worker."""
    return any(c.compares for q in assignment.questions for c in q.criteria)


def _references(items: Sequence[_Item], options: Options) -> dict[str, tuple[Assignment, Submission]]:
    wanted = {i.assignment.id: i.assignment for i in items if i.assignment is not None}
    return {id: (a, submission_of(a)[0]) for id, a in wanted.items()}


def _yardsticks(
    references: Mapping[str, tuple[Assignment, Submission]],
    jobs: Sequence[Job],
    ran: Sequence[Execution],
    profile: Profile,
) -> dict[str, dict[str, Case]]:
    by_assignment = {job.assignment.id: execution for job, execution in zip(jobs, ran, strict=True)}
    return {id: cases(a, by_assignment.get(id), profile) for id, (a, _) in references.items()}


def _not_graded(item: _Item) -> SubmissionResult:
    state = "unreadable" if item.state == "unreadable" else "unrecognised"
    return SubmissionResult(
        file=str(item.file),
        state="unreadable" if state == "unreadable" else "unrecognised",
        reason=item.reason,
    )


def _skipped(path: Path, why: str) -> SubmissionResult:
    return SubmissionResult(file=str(path), state="unreadable", reason=f"Skipped: {why}")
