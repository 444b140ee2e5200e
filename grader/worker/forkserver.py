"""The worker's side of the fork server: starts it, and asks it for sandboxed processes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import WorkerError
from grader.evidence.model import Isolation, IsolationLevel

INSIDE = Path(__file__).parent / "inside"
WARM = ("ipykernel.kernelapp", "torch", "torchvision", "matplotlib.pyplot", "numpy", "PIL.Image", "scipy.io")
PASSED = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "TMPDIR")
PASSED_KINDS = ("LC_", "CUDA_", "NVIDIA_")
"""The variables of ours that the fork server, and so every kernel, is given: none that may hold a secret."""
_slots = itertools.count()


@dataclass(frozen=True)
class Process:
    """A sandboxed process: its waiter's pid, by which the server knows it, and its isolation."""

    pid: int
    isolation: Isolation


class ForkServer:
    """One running fork server; a context manager. Methods may be called from any thread.

    ``warm`` are the modules imported once for every later fork, with ``variables`` in the environment; one
    that is not installed is noted in `problems`, not an error. Raises `WorkerError` when the server does not come up.
    """

    def __init__(
        self,
        warm: tuple[str, ...] = WARM,
        *,
        weakest: bool = True,
        level: str = "namespaces",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.warm, self.level, self.weakest = warm, level, weakest
        self.variables = dict(variables or {})
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self.problems: dict[str, str] = {}
        self.seconds = 0.0

    def __enter__(self) -> ForkServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the server and waits until its libraries are imported."""
        if self._server is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.TemporaryDirectory(prefix="grade-server-")
        self._log = Path(self._folder.name) / "log"
        # Not our own environment: a kernel reads what its server started with in /proc/self/environ.
        environment = {k: v for k, v in os.environ.items() if k in PASSED or k.startswith(PASSED_KINDS)}
        environment |= {
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "MPLCONFIGDIR": self._folder.name,
            "HOME": self._folder.name,
            **self.variables,
        }
        with open(self._log, "wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-I", str(INSIDE), str(theirs.fileno()), *self.warm],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        theirs.close()
        self._peer = ours
        ours.settimeout(300)
        ready = self._receive()
        self.problems, self.seconds = ready.get("problems", {}), ready.get("seconds", 0.0)
        ours.settimeout(60)

    def stop(self) -> None:
        """Ends the server and everything it forked."""
        if self._server is None:
            return
        with contextlib.suppress(OSError):
            self._peer.close()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def _receive(self) -> dict[str, Any]:
        try:
            raw = self._peer.recv(1 << 20)
        except OSError as e:
            raw, problem = b"", str(e)
        else:
            problem = "it ended"
        if not raw:
            log = self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
            raise WorkerError(
                f"the fork server does not answer: {problem}. {log}", todo="run again; see the log above"
            )
        answer: dict[str, Any] = json.loads(raw)
        if "error" in answer:
            raise WorkerError(f"the fork server refused: {answer['error']}")
        return answer

    def _ask(self, **message: Any) -> dict[str, Any]:
        self.start()
        with self._lock:
            self._peer.send(json.dumps(message).encode())
            return self._receive()

    def spawn(self, role: str, sandbox: dict[str, Any], task: dict[str, Any]) -> Process:
        """Forks a process in a sandbox: ``role`` is ``kernel`` or ``read``. Raises `WorkerError`."""
        sandbox = {"level": self.level, "host_uid": host_uid(), **sandbox}
        answer = self._ask(do="spawn", role=role, sandbox=sandbox, task=task, fallback=self.weakest)
        missing = [f"stronger isolation was refused: {m}" for m in answer["missing"]]
        if answer["level"] != "namespaces":
            missing += ["the network is not cut off", "other processes of this user can be seen"]
        if answer["level"] == "process":
            missing += ["files of this user can be read and written"]
        if answer.get("root"):
            missing += ["it ran as root, since no other user can read this Python"]
        isolation = Isolation(level=IsolationLevel(answer["level"]), missing=tuple(missing))
        return Process(answer["pid"], isolation)

    def poll(self, process: Process) -> int | None:
        """The exit status, or None while it runs."""
        status: int | None = self._ask(do="poll", pid=process.pid)["status"]
        return status

    def kill(self, process: Process) -> None:
        self._ask(do="kill", pid=process.pid)

    def interrupt(self, process: Process) -> None:
        self._ask(do="interrupt", pid=process.pid)


def host_uid() -> int:
    """When we are root: an unprivileged user of its own for each sandbox, so that limits on processes
    count for it alone and files of one are closed to another."""
    return 200_000 + next(_slots) % 50_000 if os.geteuid() == 0 else os.geteuid()
