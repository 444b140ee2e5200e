"""What a child process writes to a cell's own output is shown before the cell is over.

``os.system("python train.py")`` writes past Python, into a pipe that ipykernel reads in a thread of its own. If that
thread comes too late, the text goes out after the cell's reply, and nobody listens to it any more.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Any

END = "\0"
"""Written behind all else, and taken out again; one byte, which no reading of the pipe can cut in two."""
PATIENCE = 1.0


def install(shell: Any) -> None:
    """Waits, at the end of every cell, until the pipes behind its output are read."""
    ends = [_Pipe(s) for s in (sys.stdout, sys.stderr) if getattr(s, "watch_fd_thread", None) is not None]

    def read_to_the_end(*_: Any) -> None:
        with contextlib.suppress(OSError):  # a cell may have closed it
            for end in ends:
                end.ask()
            for end in ends:
                end.wait()

    shell.events.register("post_run_cell", read_to_the_end)


class _Pipe:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._asked = self._seen = 0
        self._news = threading.Condition()
        self._write = stream.write
        stream.write = self._watched

    def _watched(self, text: str) -> Any:
        waiting = self._asked - self._seen
        if not waiting or END not in text or threading.current_thread() is not self._stream.watch_fd_thread:
            return self._write(text)
        parts = text.rsplit(END, waiting)
        said = self._write("".join(parts))
        with self._news:
            self._seen += len(parts) - 1
            self._news.notify_all()
        return said

    def ask(self) -> None:
        if self._stream.watch_fd_thread.is_alive():
            with self._news:
                self._asked += 1
            os.write(self._stream._original_stdstream_fd, END.encode())

    def wait(self) -> None:
        with self._news:
            self._news.wait_for(lambda: self._seen >= self._asked, PATIENCE)
