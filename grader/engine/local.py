"""Runs submissions on this machine: several kernels side by side, forked from few servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.engine.options import Options
from grader.engine.progress import Event, Stage, Watcher
from grader.engine.servers import servers
from grader.evidence.model import Execution, Piece
from grader.evidence.store import Store
from grader.resources import Bundle, bundle, measured_on
from grader.rubric.model import Assignment
from grader.worker import gpu
from grader.worker.forkserver import ForkServer
from grader.worker.measure import Part as Seen
from grader.worker.provisioner import DATA
from grader.worker.run import Setup, run

HELD_OUT = ("mnist", "fashion-mnist", "cifar10")
"""Data sets with held-out images; others are not there, or are stand-ins."""


@dataclass(frozen=True)
class Job:
    """One submission's pieces, to be run with what its assignment promises."""

    name: str
    pieces: tuple[Piece, ...]
    assignment: Assignment
    seed: int = 0


def executions(
    jobs: Sequence[Job], options: Options, store: Store, watch: Watcher
) -> list[tuple[Execution, bool]]:
    """An execution for each job, in order, and whether it was run now; the rest comes from the store.

    A worker that fails yields executions of state ``worker_failed``, which are not kept.
    """
    given = servers([j.pieces for j in jobs], options.level)
    bundles = {
        a.id: bundle(options.profile, a.resources)
        for a in {j.assignment.id: j.assignment for j in jobs}.values()
    }
    inputs = _inputs(options)
    setups = [
        setup(server, bundles[j.assignment.id], options, store, inputs, j.seed)
        for j, server in zip(jobs, given, strict=True)
    ]
    found: list[tuple[Execution, bool] | None] = []
    for job, each in zip(jobs, setups, strict=True):
        kept = None if options.fresh else store.get(each.key(job.pieces))
        if kept is not None:
            watch(Event(job.name, Stage.STORED))
        else:
            watch(Event(job.name, Stage.WAITING, total=sum(p.kind == "code" for p in job.pieces)))
        found.append((kept, False) if kept is not None else None)
    todo = [i for i, f in enumerate(found) if f is None]
    if todo:
        threads = options.threads(len(todo))
        gpus, together = gpu.devices(), min(options.workers, len(todo))
        how = [
            replace(setups[i], threads=threads, gpu=gpu.share(n, together, gpus)) for n, i in enumerate(todo)
        ]
        with contextlib.ExitStack() as running:
            for server in {id(s.server): s.server for s in how}.values():
                running.enter_context(server)
            ran = asyncio.run(_run_all([jobs[i] for i in todo], how, options, store, watch))
        for i, execution in zip(todo, ran, strict=True):
            found[i] = (execution, True)
    return [f for f in found if f is not None]


@dataclass(frozen=True)
class _Inputs:
    """Images that models are asked on: held-out ones, and parts of what notebooks have."""

    held_out: dict[str, tuple[str, Path]]
    seen: dict[str, tuple[Seen, ...]]


def _inputs(options: Options) -> _Inputs:
    held_out: dict[str, tuple[str, Path]] = {}
    seen: dict[str, tuple[Seen, ...]] = {}
    for name in HELD_OUT:
        if found := measured_on(name, options.profile, "held-out"):
            held_out[name] = (found.id, found.inputs)
            parts: list[Seen] = []
            if test := measured_on(name, options.profile, "test"):
                parts.append(("test", test.id, test.inputs))
            if train := measured_on(name, options.profile, "train"):
                parts.append(("train", train.id, train.inputs))
            seen[name] = tuple(parts)
    return _Inputs(held_out, seen)


def setup(
    server: ForkServer, given: Bundle, options: Options, store: Store, inputs: _Inputs, seed: int = 0
) -> Setup:
    """How one submission is run under these options."""
    return Setup(
        server=server,
        profile=options.profile,
        limits=options.bounds,
        keep=store.keep,
        bundle=given.folder,
        bundle_digest=given.digest,
        links=tuple(
            {"path": link.path, "target": f"{DATA}/{link.target}"}
            for link in given.links
            if link.path.startswith("/")
        ),
        held_out=inputs.held_out,
        seen=inputs.seen,
        seed=seed,
    )


async def _run_all(
    jobs: Sequence[Job], setups: Sequence[Setup], options: Options, store: Store, watch: Watcher
) -> list[Execution]:
    places = asyncio.Semaphore(options.workers)

    async def one(job: Job, how: Setup) -> Execution:
        async with places:
            watch(Event(job.name, Stage.RUNNING))
            execution = await run(
                job.pieces, how, lambda done, total: watch(Event(job.name, Stage.RUNNING, done, total))
            )
            if execution.state == "complete":
                store.put(execution)
            watch(Event(job.name, Stage.DONE if execution.state == "complete" else Stage.FAILED))
            return execution

    return list(await asyncio.gather(*(one(j, s) for j, s in zip(jobs, setups, strict=True))))
