"""One kernel under nbclient: cells go in, outcomes come out, limits and deaths included."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import zmq
from nbclient.exceptions import DeadKernelError

from grader.errors import WorkerError
from grader.evidence.model import Failure, RunState, Text
from grader.worker.client import GRACE, MOST_BY_CLOCK, MOST_DROPPED, Client
from grader.worker.outputs import read
from grader.worker.provisioner import Launch, SandboxKernelManager, show_sockets

MOST_MESSAGE = 128 << 20
"""Bytes of one message from a kernel; a longer one is dropped before it is in memory."""
FLOOD_NOTE = "stopped, since it printed without end: a limit of the grader's, not of the task"
BROKEN = "it stopped speaking Jupyter's protocol, and was ended"


def _never() -> float:
    return 0.0


def _limit_note(limit: float) -> str:
    return f"stopped after {limit:.0f} s: a limit of the grader's, not of the task"


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Raises `TimeoutError` after so many seconds, and never loses a cancellation.

    nbclient's own tasks may swallow one that comes at the moment of a reply (as may `asyncio.wait_for`
    before Python 3.12): then Ctrl-C would let the notebook run on to its end.
    """
    async with asyncio.timeout(seconds) as end:
        try:
            yield end
        finally:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError


@dataclass
class Outcome:
    """What one request to the kernel came to; ``seconds`` by the clock on this side."""

    state: RunState
    seconds: float
    texts: list[Text] = field(default_factory=list)
    failure: Failure | None = None
    note: str = ""


class Session:
    """A running kernel. `execute` never raises for what student code does; `alive` says if it goes on."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._folder = Path(tempfile.mkdtemp(prefix="grade-k-"))
        self.alive = False
        self.ended = ""

    @property
    def sockets(self) -> Path:
        return self._folder

    async def start(self) -> None:
        """Starts the kernel and waits until it answers. Raises `WorkerError`."""
        show_sockets(self.launch, self._folder)
        manager = SandboxKernelManager(self.launch, self._folder)
        self._nb = nbformat.v4.new_notebook()
        self._client = Client(self._nb, km=manager, timeout=None, allow_errors=True, iopub_timeout=10)
        self._client.record_timing = False
        self._client.on_cell_executed = self._client.note_reply
        try:
            manager.context.setsockopt(zmq.MAXMSGSIZE, MOST_MESSAGE)
            await manager.start_kernel()
            client = self._client.kc = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            client.allow_stdin = False
        except (RuntimeError, OSError, TimeoutError) as e:
            log = self.launch.sandbox.get("log")
            said = tail(Path(log), 1500) if log else ""
            await self.stop()
            raise WorkerError(f"a kernel did not start: {e} {said}".strip()) from e
        self.alive = True

    async def stop(self) -> None:
        """Ends the kernel and everything in its sandbox."""
        self.alive = False
        with contextlib.suppress(Exception):
            if self.launch.process is not None:
                self.launch.server.kill(self.launch.process)
        with contextlib.suppress(Exception):
            if self._client.kc is not None:
                self._client.kc.stop_channels()
            await self._client.km.cleanup_resources()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def execute(
        self, source: str, limit: float, room: int, waited: Callable[[], float] = _never
    ) -> Outcome:
        """Runs one piece under a limit in seconds, keeping at most ``room`` characters of output.

        ``waited``: seconds that it stood ready to run so far while other work had the processor. These
        do not count, so that a busy machine does not cut off what an idle one would have finished.
        """
        started = time.monotonic()
        self._client.struck = False
        watch: asyncio.Task[None] | None = None
        try:
            async with _within(limit * MOST_BY_CLOCK + GRACE) as end:
                watch = asyncio.create_task(self._client.interrupt_after(limit, waited, end))
                watch.add_done_callback(lambda t: t.cancelled() or t.exception())
                return await self._execute(source, limit, room)
        except TimeoutError:
            struck = self._client.struck
            self.ended = "it did not stop when interrupted, and its kernel was ended" if struck else BROKEN
            note = f"{_limit_note(limit)}; {self.ended}" if struck else self.ended
            texts, _ = read(self._nb.cells[0].get("outputs", []), self._client.flooded)
            await self.stop()
            state = RunState.LIMIT if struck else RunState.DIED
            return Outcome(state, time.monotonic() - started, texts, note=note)
        except Exception:  # messages that no kernel sends, on which the client stumbled
            self.ended = BROKEN
            await self.stop()
            return Outcome(RunState.DIED, time.monotonic() - started, note=BROKEN)
        finally:
            if watch is not None:
                watch.cancel()

    async def _execute(self, source: str, limit: float, room: int) -> Outcome:
        cell = nbformat.v4.new_code_cell(source)
        self._nb.cells = [cell]
        self._client.room, self._client.flooded = room, False
        self._client.errors = self._client.dropped = 0
        self._client.replied = ""
        started = time.monotonic()
        state, note = RunState.OK, ""
        try:
            await self._client.async_execute_cell(cell, 0, store_history=True)
            if self._client.struck:
                state, note = RunState.LIMIT, _limit_note(limit)
            elif self._client.dropped > MOST_DROPPED:
                state, note = RunState.LIMIT, FLOOD_NOTE
        except DeadKernelError:
            # nbclient says so as well when this task is cancelled: at the limit, or by Ctrl-C. Any other
            # error than the cancellation would be reported as one that nobody asked for.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from None
            if self._status() is None:
                raise TimeoutError from None
            state, note = RunState.DIED, self._death()
        seconds = time.monotonic() - started
        texts, failure = read(cell.outputs, self._client.flooded)
        if state is RunState.OK and (failure is not None or self._client.replied == "error"):
            state = RunState.FAILED
            failure = failure or Failure(
                name="Error", message="the cell failed, and what it raised was hidden"
            )
        if state is RunState.LIMIT:
            failure = None  # the KeyboardInterrupt is ours
        if state is RunState.DIED:
            self.alive = False
        return Outcome(state, seconds, texts, failure, note)

    def _status(self) -> int | None:
        try:
            process = self.launch.process
            return self.launch.server.poll(process) if process is not None else None
        except WorkerError:
            return None

    def _death(self) -> str:
        status = self._status()
        if status in (137, -9):
            return "the kernel was killed, most likely for want of memory"
        if status in (139, -11):
            return "the kernel crashed (segmentation fault)"
        return f"the kernel ended (exit status {status})"

    async def quiet(self, source: str, limit: float, waited: Callable[[], float] = _never) -> bool:
        """Runs a request of ours without history or output; whether it ended in time and without error.

        ``waited``: as of `execute`.
        """
        if not self.alive:
            return False
        try:
            async with _within(limit * MOST_BY_CLOCK + GRACE):
                return await self._quiet(source, limit, waited)
        except Exception:
            self.ended = "it did not answer the grader"
            await self.stop()
            return False

    async def _quiet(self, source: str, limit: float, waited: Callable[[], float]) -> bool:
        client = self._client.kc
        message = client.execute(source, silent=True, store_history=False, stop_on_error=False)
        started = time.monotonic()
        while (spent := time.monotonic() - started) < limit * MOST_BY_CLOCK and spent - waited() < limit:
            try:
                reply = await client.shell_channel.get_msg(timeout=1)
            except Exception:
                if not await self._client.km.is_alive():
                    self.alive = False
                    return False
                continue
            if reply["parent_header"].get("msg_id") == message:
                return bool(reply["content"].get("status") == "ok")
        await self.stop()
        self.ended = "it did not answer the grader"
        return False


def tail(file: Path, most: int) -> str:
    """The end of a log that a kernel can write to, however long it is."""
    try:
        with open(file, "rb") as f:
            f.seek(max(0, f.seek(0, os.SEEK_END) - most))
            return f.read(most).decode(errors="replace").strip()
    except OSError:
        return ""
