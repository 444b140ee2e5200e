"""Runs one submission's pieces in sandboxed kernels and gathers the evidence.

Pieces run in order in one kernel; a failing one does not stop the rest. When a kernel dies or hangs,
its piece is lost and the rest goes on in a fresh one, after the pieces that it depends on were run
again there. Student code never runs in this process, and what it yields is read as data only.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import WorkerError
from grader.evidence.model import (
    DatasetUse,
    Execution,
    Figure,
    Isolation,
    IsolationLevel,
    Limits,
    Measurement,
    ModelSnapshot,
    Piece,
    PieceRun,
    Profile,
    RunState,
    Sha256,
    Substitution,
)
from grader.worker import environment, measure, notes, replay, waiting
from grader.worker.forkserver import ForkServer
from grader.worker.gpu import Share
from grader.worker.provisioner import Launch, kernel_sandbox, kernel_task
from grader.worker.session import Outcome, Session

BEGINNING, OBSERVING = 20.0, 90.0
"""Seconds that the code inside may take before a piece, and to look at models and figures after it."""
MOST_DEATHS = 4
"""Kernels that one submission may lose before the rest of it is skipped."""


@dataclass(frozen=True)
class Setup:
    """What a run needs besides the pieces. ``held_out`` maps a data set's id to (id of the held-out
    set, file of its inputs), ``seen`` to parts of what notebooks have. ``keep`` stores a blob and
    returns its hash."""

    server: ForkServer
    profile: Profile
    limits: Limits
    keep: Callable[[bytes], Sha256]
    bundle: Path | None = None
    bundle_digest: str = ""
    links: tuple[dict[str, str], ...] = ()
    held_out: dict[str, tuple[str, Path]] = field(default_factory=dict)
    seen: dict[str, tuple[measure.Part, ...]] = field(default_factory=dict)
    threads: int = 1
    seed: int = 0
    gpu: Share | None = None

    def key(self, pieces: Sequence[Piece]) -> str:
        return environment.key(pieces, self.profile, self.limits, self.bundle_digest, self.seed)


@dataclass
class _Gathered:
    runs: list[PieceRun] = field(default_factory=list)
    snapshots: list[ModelSnapshot] = field(default_factory=list)
    datasets: list[DatasetUse] = field(default_factory=list)
    substitutions: list[Substitution] = field(default_factory=list)
    isolation: Isolation | None = None
    programs: dict[Sha256, Path] = field(default_factory=dict)


async def run(
    pieces: Sequence[Piece], setup: Setup, progress: Callable[[int, int], None] = lambda done, total: None
) -> Execution:
    """All evidence of one submission. ``progress(done, total)`` counts code pieces.

    A worker that cannot start kernels at all yields an `Execution` whose state is ``worker_failed``.
    """
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="grade-run-"))
    folder.chmod(0o711)  # where there are no namespaces, the student's user passes through to its work folder
    runner = _Runner(list(pieces), setup, folder, progress)
    state, reason = "complete", ""
    measurements: tuple[Measurement, ...] = ()
    try:
        await runner.all()
        measurements = await measure.all_of(
            runner.gathered.snapshots, runner.gathered.datasets, runner.gathered.programs, setup.server,
            setup.held_out, setup.threads, setup.seen,
        )  # fmt: skip
    except WorkerError as e:
        state, reason = "worker_failed", str(e)
    except Exception as e:  # a fault of ours, or a hostile notebook's doing: no other submission pays for it
        state, reason = "worker_failed", f"the grader failed on it: {type(e).__name__}: {str(e)[:300]}"
    finally:
        await runner.close()
        shutil.rmtree(folder, ignore_errors=True)
    found = runner.gathered
    return Execution(
        key=setup.key(pieces),
        profile=setup.profile,
        state="complete" if state == "complete" else "worker_failed",
        reason=reason,
        isolation=found.isolation
        or Isolation(level=IsolationLevel.PROCESS, missing=("no kernel was started",)),
        environment=environment.environment(setup.threads),
        limits=setup.limits,
        runs=tuple(found.runs),
        snapshots=tuple(found.snapshots),
        measurements=measurements,
        datasets=tuple(found.datasets),
        substitutions=tuple(found.substitutions),
        seconds=time.monotonic() - started,
    )


class _Runner:
    """The kernels of one submission, one after another."""

    def __init__(
        self, pieces: list[Piece], setup: Setup, folder: Path, progress: Callable[[int, int], None]
    ) -> None:
        self.pieces, self.setup, self.folder, self.progress = pieces, setup, folder, progress
        self.gathered = _Gathered()
        self.session: Session | None = None
        self.kernels = 0
        self.lost: set[int] = set()
        self.ran: set[int] = set()
        self.done: set[int] = set()
        self.spent: dict[int, float] = {}
        self.waited = 0.0
        self.last: int | None = None
        self.taken: dict[str, Sha256 | None] = {}
        for name in ("work", "programs"):
            (folder / name).mkdir()

    async def all(self) -> None:
        code = [i for i, p in enumerate(self.pieces) if p.kind == "code" and p.source.strip()]
        started = time.monotonic()
        for count, i in enumerate(code):
            self.progress(count, len(code))
            piece = self.pieces[i]
            if note := self._out_of_time(piece, started):
                self.gathered.runs.append(PieceRun(piece=piece.index, state=RunState.SKIPPED, note=note))
                continue
            await self._ready(i)
            if not await self._piece(i, started):  # the piece before it left the kernel unable to go on
                await self._ready(i)
                if not await self._piece(i, started):
                    note = "not run: no kernel would take it after the pieces that it depends on"
                    self.gathered.runs.append(PieceRun(piece=piece.index, state=RunState.SKIPPED, note=note))
        self.progress(len(code), len(code))
        if self.session is not None and self.session.alive:
            finish = "__import__('grade_inside.kernel', fromlist=['x']).finish()"
            await self.session.quiet(finish, OBSERVING, self._waiting())
            self._read_notes(None)

    @property
    def _alive(self) -> bool:
        return self.session is not None and self.session.alive

    def _used(self, started: float) -> float:
        """Seconds since ``started``, without those that cells waited for a processor."""
        return time.monotonic() - started - self.waited

    def _out_of_time(self, piece: Piece, started: float) -> str:
        limits = self.setup.limits
        if self.kernels > MOST_DEATHS:
            return f"not run: {MOST_DEATHS} kernels were lost before"
        if self._used(started) > limits.notebook:
            return f"not run: the notebook's limit of {limits.notebook:.0f} s, the grader's own, was used up"
        if self.spent.get(piece.section, 0.0) >= limits.question:
            return f"not run: the question's limit of {limits.question:.0f} s, the grader's own, was used up"
        return ""

    async def _ready(self, i: int) -> None:
        """A live kernel that has run what piece ``i`` depends on."""
        if not self._alive:
            await self.close()
            self.done, self.last = set(), None
            await self._start()
        if self.kernels > 1:  # each later piece as well: what it needs may have run before the death
            for j in replay.needed(self.pieces, i, self.lost, self.done):
                if await self._piece(j, time.monotonic(), replayed=True) and not self._alive:
                    self.lost.add(j)
                if not self._alive:
                    return await self._ready(i) if self.kernels <= MOST_DEATHS else None

    async def _start(self) -> None:
        self.notes = self.folder / f"notes-{self.kernels}"
        self.notes.mkdir()
        self.taken = {}
        setup = self.setup
        work = self.folder / "work"
        sandbox = kernel_sandbox(work, self.notes, setup.bundle)
        sandbox |= {
            "links": list(setup.links),
            "memory": setup.limits.memory,
            "processes": setup.limits.processes,
            "file_size": setup.limits.file_size,
            "log": str(self.folder / f"kernel-{self.kernels}.log"),
        }
        task = kernel_task(work, self.notes, setup.bundle) | {"seed": setup.seed, "threads": setup.threads}
        task |= setup.gpu.task if setup.gpu is not None else {}
        self.session = Session(Launch(setup.server, sandbox, task))
        await self.session.start()
        self.kernels += 1
        process = self.session.launch.process
        if process is not None and (self.gathered.isolation is None or process.isolation.weak):
            self.gathered.isolation = process.isolation

    async def _piece(self, i: int, started: float, replayed: bool = False) -> bool:
        """Runs a piece; False when the kernel no longer took it, which is no fault of this piece."""
        piece, limits, session = self.pieces[i], self.setup.limits, self.session
        if session is None or not session.alive:
            return False
        remaining = min(
            limits.cell,
            limits.question - self.spent.get(piece.section, 0.0),
            limits.notebook - self._used(started),
        )
        inside = "__import__('grade_inside.kernel', fromlist=['x'])"
        await session.quiet(f"{inside}.begin({piece.index})", BEGINNING, self._waiting())
        if not session.alive:
            if self.last is not None:
                self.lost.add(self.last)
            return False
        self.last = i
        self.ran.add(piece.index)
        before = self._account()
        outcome = await session.execute(
            piece.source, max(1.0, remaining), limits.output, self._waiting(before)
        )
        waited = waiting.seconds(before, self._account())
        waited = None if waited is None else min(max(waited, 0.0), outcome.seconds)
        self.spent[piece.section] = self.spent.get(piece.section, 0.0) + outcome.seconds - (waited or 0.0)
        self.waited += waited or 0.0
        if session.alive:
            await session.quiet(f"{inside}.observe({piece.index})", OBSERVING, self._waiting())
        if not session.alive:
            self.lost.add(i)
        self.done.add(i)
        figures = self._read_notes(piece.index, replayed)
        self.gathered.runs.append(self._record(piece, outcome, figures, replayed, waited))
        return True

    def _waiting(self, since: waiting.Account | None = None) -> Callable[[], float]:
        """Seconds that the kernel has waited for a processor since then, or from now on."""
        before = self._account() if since is None else since
        return lambda: waiting.seconds(before, self._account()) or 0.0

    def _account(self) -> waiting.Account:
        process = self.session.launch.process if self.session is not None else None
        return waiting.account(process.pid) if process is not None else {}

    def _record(
        self,
        piece: Piece,
        outcome: Outcome,
        figures: list[Figure],
        replayed: bool,
        waited: float | None,
    ) -> PieceRun:
        session = self.session
        died = session is not None and not session.alive
        state = RunState.DIED if died and outcome.state is not RunState.LIMIT else outcome.state
        return PieceRun(
            piece=piece.index,
            state=state,
            seconds=round(outcome.seconds, 3),
            waited=round(waited, 3) if waited is not None else None,
            texts=tuple(outcome.texts),
            failure=outcome.failure,
            figures=tuple(f for f in figures if f.piece == piece.index),
            kernel=self.kernels - 1,
            replayed=replayed,
            note=outcome.note or (session.ended if session is not None else ""),
        )

    def _read_notes(self, piece: int | None, replayed: bool = False) -> list[Figure]:
        """Takes in what the kernel has noted since; a replay's notes are not counted twice.

        Only what is said of the ``piece`` that has just run is taken (at the end, None, of any): a
        cell must not put a model under another question's name. What a command was answered is no
        evidence, and may come after the cell that started it.
        """
        found = notes.read(self.notes, self.setup.keep, self.folder / "programs", self.taken)
        if not replayed:
            gathered, of_piece = self.gathered, (piece,) if piece is not None else tuple(self.ran)
            gathered.datasets += [d for d in found.datasets if d.piece in of_piece]
            gathered.substitutions += [
                s for s in found.substitutions if s.piece is None or s.piece in self.ran
            ]
            gathered.snapshots += [s for s in found.snapshots if s.piece in of_piece]
        self.gathered.programs |= found.programs
        return found.figures

    async def close(self) -> None:
        if self.session is not None:
            await self.session.stop()
            self.session = None
