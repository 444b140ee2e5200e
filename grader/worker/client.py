"""nbclient with our limits: how long a cell may last, and how much of what it prints is kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from nbclient import NotebookClient

GRACE = 10.0
"""Seconds that an interrupted cell has to end before its kernel is killed."""
MOST_DROPPED = 256 << 20
"""Characters of output that are thrown away before the cell is stopped."""
OVERHEAD = 64
"""Characters that an output counts for besides its own, so that empty ones have an end as well."""
MOST_BY_CLOCK = 4.0
"""How many times its limit a cell may last by the clock, however long it waits for a processor."""


class Client(NotebookClient):  # type: ignore[misc]
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
