"""One kernel under nbclient: cells go in, outcomes come out, limits and deaths included."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat
import zmq
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from grader.errors import WorkerError
from grader.evidence.model import Failure, RunState, Text
from grader.worker.provisioner import Launch, SandboxKernelManager, show_sockets

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
GRACE = 10.0
"""Seconds that an interrupted cell has to end before its kernel is killed."""
MOST_MESSAGE = 128 << 20
"""Bytes of one message from a kernel; a longer one is dropped before it is in memory."""
MOST_DROPPED = 256 << 20
"""Characters of output that are thrown away before the cell is stopped."""
FLOOD_NOTE = "stopped, since it printed without end: a limit of the grader's, not of the task"
OVERHEAD = 64
"""Characters that an output counts for besides its own, so that empty ones have an end as well."""
MOST_BY_CLOCK = 4.0
"""How many times its limit a cell may last by the clock, however long it waits for a processor."""
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


class _Client(NotebookClient):  # type: ignore[misc]
    """nbclient, with a bound on how much output is kept, so that a loop of prints cannot fill memory.

    At the limit the cell is interrupted and goes on being listened to by the same tasks: a second
    reader beside nbclient's own, even a cancelled one, can take a message that the first then waits
    for without end. nbclient's own limit is not used: it cannot be prolonged.
    """

    room = 0
    errors = 0
    dropped = 0
    flooded = False
    struck = False
    replied = ""

    def note_reply(self, execute_reply: Any, **_: Any) -> None:
        """The reply says whether the cell failed even where its error could not be sent, or was hidden."""
        self.replied = str(execute_reply["content"].get("status", ""))

    async def interrupt_after(self, limit: float, waited: Callable[[], float], end: asyncio.Timeout) -> None:
        """Interrupts the cell once it has had ``limit`` seconds besides those it ``waited`` for a processor."""
        started = time.monotonic()
        while (spent := time.monotonic() - started) < limit * MOST_BY_CLOCK:
            if (left := limit - max(spent - waited(), 0.0)) <= 0:
                break
            await asyncio.sleep(max(min(left, limit * MOST_BY_CLOCK - spent), 0.05))
        self.struck = True
        end.reschedule(asyncio.get_running_loop().time() + GRACE)
        await self.km.interrupt_kernel()

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: Any) -> Any:
        content = msg["content"]
        if msg["msg_type"] == "error":
            if self.errors:  # one a cell: IPython sends no second
                return None
            self.errors = 1
            kept = {"ename": "", "evalue": "", "traceback": []} | content
            content["ename"], content["evalue"] = str(kept["ename"])[:200], str(kept["evalue"])[:2000]
            content["traceback"] = ["\n".join(str(t)[-20_000:] for t in kept["traceback"][-20:])]
            return super().output(outs, msg, display_id, cell_index)
        size = (
            OVERHEAD
            + len(content.get("text", "") or "")
            + sum(len(str(v)) for v in (content.get("data") or {}).values())
        )
        if size > self.room:
            self.flooded = True
            before, self.dropped = self.dropped, self.dropped + size
            if before <= MOST_DROPPED < self.dropped:
                self._interrupting = asyncio.ensure_future(self.km.interrupt_kernel())
            if msg["msg_type"] != "stream" or self.room <= 0:
                self.room = 0
                return None
            content["text"] = content["text"][: self.room]
        self.room = max(0, self.room - size)
        return super().output(outs, msg, display_id, cell_index)

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: Any) -> None:
        """Widgets are not shown; nbclient would gather their state without bound."""


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
        self._client = _Client(self._nb, km=manager, timeout=None, allow_errors=True, iopub_timeout=10)
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
            texts, _ = _read(self._nb.cells[0].get("outputs", []), self._client.flooded)
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
        texts, failure = _read(cell.outputs, self._client.flooded)
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

    async def quiet(self, source: str, limit: float) -> bool:
        """Runs a request of ours without history or output; whether it ended in time and without error."""
        if not self.alive:
            return False
        try:
            async with _within(limit + GRACE):
                return await self._quiet(source, limit)
        except Exception:
            self.ended = "it did not answer the grader"
            await self.stop()
            return False

    async def _quiet(self, source: str, limit: float) -> bool:
        client = self._client.kc
        message = client.execute(source, silent=True, store_history=False, stop_on_error=False)
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
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


def _read(outputs: list[Any], flooded: bool) -> tuple[list[Text], Failure | None]:
    """An nbformat output list as records; the last error counts."""
    found: list[tuple[Literal["stdout", "stderr", "result"], list[str]]] = []
    failure = None
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            stream: Literal["stdout", "stderr"] = "stderr" if output.get("name") == "stderr" else "stdout"
            if not found or found[-1][0] != stream:
                found.append((stream, []))
            found[-1][1].append(_joined(output.get("text", "")))
        elif kind in ("execute_result", "display_data"):
            if plain := (output.get("data") or {}).get("text/plain"):
                found.append(("result", [_joined(plain)]))
        elif kind == "error":
            trace = _plain("\n".join(str(t) for t in output.get("traceback", [])))
            failure = Failure(
                name=_plain(output.get("ename", ""))[:200],
                message=_plain(output.get("evalue", ""))[:2000],
                traceback=trace[-4000:],
                line=_line(trace),
            )
    texts = [Text(stream=stream, text=_plain("".join(parts))) for stream, parts in found]
    if flooded and texts:
        texts[-1] = texts[-1].model_copy(update={"truncated": True})
    return texts, failure


def _joined(text: Any) -> str:
    return "".join(str(t) for t in text) if isinstance(text, list) else str(text)


def _plain(text: Any) -> str:
    """Without terminal colours, and with carriage returns played out, as a terminal shows it.

    Line by line: a search for what a return overwrites takes the square of a long line's length.
    """
    plain: str = ANSI.sub("", _joined(text)).encode("utf-8", "replace").decode()
    if "\r" not in plain:
        return plain
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))


def _line(trace: str) -> int | None:
    """The line of the piece itself in IPython's traceback: its last frame in the cell."""
    found = re.findall(r"(?:Cell In\[\d+\], line (\d+)|^-+> ?(\d+) )", trace, flags=re.M)
    cells = [a for a, _ in found if a]
    return int(cells[-1]) if cells else None
