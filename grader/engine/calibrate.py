"""The reference's spread: each coding question's reference, run with several seeds on this worker.

What is found is kept in the store under a hash of the reference, the profile, the machine, the libraries
and the code inside the kernel; so it is made once, and again when any of these changes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.checks.base import Case
from grader.checks.clock import clock_of
from grader.checks.curves import shown_curves
from grader.checks.models import distance
from grader.checks.parts import held_out
from grader.engine.labels import labels_for
from grader.engine.local import Job, executions
from grader.engine.options import Options, assignments
from grader.engine.progress import Watcher, unwatched
from grader.engine.reference import submission_of
from grader.evidence.calibration import Band, Calibration, Spread, key_of
from grader.evidence.model import Execution, Piece
from grader.evidence.store import Store
from grader.resources import bundle
from grader.rubric.model import Assignment, Question
from grader.scoring import case_for
from grader.submission import Answer, Submission
from grader.worker import environment

SEEDS = 3

_SEED = re.compile(
    r"((?:\bmanual_seed(?:_all)?|\bset_seed|\bset_random_seed|\brandom\.seed|\bdefault_rng)\s*\(\s*"
    r"|\b(?:seed|random_state)\s*=\s*)(\d+)"
)
"""Where a program fixes its own seed: another run of the same reference needs another."""


@dataclass(frozen=True)
class _Wanted:
    """One question's reference, as pieces of its own, and the key of its calibration."""

    assignment: Assignment
    question: Question
    submission: Submission
    key: str


def calibrate(
    options: Options,
    watch: Watcher = unwatched,
    *,
    seeds: int = SEEDS,
    known: Sequence[Assignment] | None = None,
) -> tuple[Calibration, ...]:
    """Runs the references of all coding questions, or of the assignments in ``known``, and keeps their spread.

    Those that the store has already, of as many seeds or more, are not run again unless ``options.fresh``.
    Raises as `grade` does.
    """
    chosen = known if known is not None else assignments(options)
    wanted = [w for a in chosen for w in _wanted(a, options) if not w.question.prose]
    return tuple(_made(wanted, options, seeds, watch))


def spreads(
    assignments_: Sequence[Assignment], options: Options, watch: Watcher = unwatched
) -> dict[str, dict[str, Calibration]]:
    """What is known of the references' spread, by assignment and question.

    For questions with a criterion that cannot do without, it is made if it is not there.
    """
    store = Store(options.store)
    found: dict[str, dict[str, Calibration]] = {}
    for assignment in assignments_:
        wanted = _wanted(assignment, options)
        needed = [w for w in wanted if any(c.calibrates(options.profile) for c in w.question.criteria)]
        # ``fresh`` is about submissions: a worker's calibration is not made anew for each class.
        kept = _made(needed, replace(options, fresh=False), SEEDS, watch) if needed else []
        others = [c for w in wanted if w not in needed and (c := store.calibration(w.key)) is not None]
        found[assignment.id] = {c.question: c for c in (*kept, *others)}
    return found


def _wanted(assignment: Assignment, options: Options) -> list[_Wanted]:
    """Each question that has a reference with code in it, as a submission of its own."""
    whole, alignment = submission_of(assignment)
    given = bundle(options.profile, assignment.resources).digest
    found = []
    for question, answer in zip(assignment.questions, alignment.answers, strict=True):
        pieces = [
            whole.pieces[i].model_copy(update={"index": n, "cell": n}) for n, i in enumerate(answer.pieces)
        ]
        if not any(p.kind == "code" for p in pieces):
            continue
        key = key_of(
            assignment.id,
            question.id,
            options.profile.value,
            environment.fingerprint(),
            json.dumps(environment.packages(), sort_keys=True),
            environment.inside_digest(),
            given,
            *(p.source for p in pieces if p.kind == "code"),
        )
        name = assignment.reference_folder / (question.reference or "")
        found.append(
            _Wanted(assignment, question, Submission(file=name, digest=key, pieces=tuple(pieces)), key)
        )
    return found


def reseeded(pieces: Sequence[Piece], by: int) -> tuple[Piece, ...]:
    """The pieces with each seed that their code fixes raised ``by`` so much."""

    def raised(m: re.Match[str]) -> str:
        return f"{m[1]}{int(m[2]) + by}"

    return tuple(
        p.model_copy(update={"source": _SEED.sub(raised, p.source)}) if p.kind == "code" else p
        for p in pieces
    )


def _made(wanted: Sequence[_Wanted], options: Options, seeds: int, watch: Watcher) -> list[Calibration]:
    store = Store(options.store)
    kept = {w.key: None if options.fresh else store.calibration(w.key) for w in wanted}
    todo = [w for w in wanted if (c := kept[w.key]) is None or len(c.seeds) < seeds]
    jobs = [
        Job(
            f"reference of {w.assignment.id} {w.question.id}, seed {seed}",
            reseeded(w.submission.pieces, seed),
            w.assignment,
            seed,
        )
        for w in todo
        for seed in range(seeds)
    ]
    ran = executions(jobs, options, store, watch) if jobs else []
    made: dict[str, Calibration] = {}
    for n, w in enumerate(todo):
        mine = [e for e, _ in ran[n * seeds : (n + 1) * seeds] if e.state == "complete"]
        if mine:
            made[w.key] = _summary(w, mine, options)
            store.keep_calibration(made[w.key])
    found = (made.get(w.key) or kept[w.key] for w in wanted)
    return [c for c in found if c is not None]


def _summary(w: _Wanted, ran: Sequence[Execution], options: Options) -> Calibration:
    keys = labels_for(ran)
    cases = [_case(w, e, options, keys) for e in ran]
    accuracies: dict[str, list[float]] = {}
    for case in cases:
        rows = held_out(case)
        for data in {r.prediction.dataset for r in rows}:
            best = max(r.value for r in rows if r.prediction.dataset == data)
            accuracies.setdefault(data, []).append(best)
    clocks = [k for c in cases if (k := clock_of(c)) is not None and not k.cut]
    distances = [d for c in cases if (d := distance(c)) is not None]
    return Calibration(
        key=w.key,
        assignment=w.assignment.id,
        question=w.question.id,
        profile=options.profile,
        worker=environment.worker(),
        fingerprint=environment.fingerprint(),
        seeds=tuple(range(len(ran))),
        accuracy={data: Spread(values=tuple(v)) for data, v in accuracies.items()},
        seconds=_spread(k.seconds for k in clocks),
        per_sample=_spread(k.seconds / k.samples for k in clocks if k.samples),
        alone=_spread(k.alone for k in clocks),
        alone_per_sample=_spread(k.per_sample() for k in clocks),
        distance=_spread(distances),
        bands=_bands(cases),
        made=time.time(),
    )


def _spread(values: Iterable[float | None]) -> Spread | None:
    known = tuple(v for v in values if v)
    return Spread(values=known) if known else None


def _case(w: _Wanted, execution: Execution, options: Options, keys: Mapping[str, tuple[int, ...]]) -> Case:
    pieces = tuple(range(len(w.submission.pieces)))
    answer = Answer(question=w.question.id, pieces=pieces, why="it is this question's reference")
    return case_for(w.question, w.submission, answer, execution, profile=options.profile, labels=keys)


def _bands(cases: Sequence[Case]) -> dict[str, Band]:
    """Least and largest value of each learning curve by epoch, as far as all seeds go."""
    found: dict[str, Band] = {}
    curves = [shown_curves(c).named() for c in cases]
    for name in curves[0] if curves else ():
        rows = [c[name] for c in curves if c.get(name)]
        if len(rows) >= 2:
            by_epoch = list(zip(*rows, strict=False))
            found[name] = Band(low=tuple(min(v) for v in by_epoch), high=tuple(max(v) for v in by_epoch))
    return found
