"""Processes that have run no student code: forked, sandboxed, given files to read, asked for one file."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from grader.errors import WorkerError
from grader.worker import view
from grader.worker.forkserver import ForkServer, host_uid
from grader.worker.provisioner import give
from grader.worker.session import tail

INPUT, OUTPUT = "/grade/in", "/grade/out"
MOST_ANSWER = 32 << 20


async def answer(
    role: Literal["read", "probe"],
    inputs: Mapping[str, Path | str],
    wanted: str,
    server: ForkServer,
    threads: int,
    limit: float,
) -> bytes:
    """The file ``wanted`` that a clean process leaves within ``limit`` seconds.

    ``inputs`` are copied in by name: files, or texts. Raises `WorkerError` when it fails, overruns or
    leaves nothing.
    """
    folder = Path(tempfile.mkdtemp(prefix="grade-m-"))
    try:
        source, target = folder / "in", folder / "out"
        source.mkdir()
        target.mkdir()
        for name, given in inputs.items():
            if isinstance(given, str):
                (source / name).write_text(given)
            else:
                shutil.copyfile(given, source / name)
        user = host_uid()
        give(target, user)
        for each in (folder, source, *source.iterdir()):
            each.chmod(0o755 if each.is_dir() else 0o644)
        base = view.system(gpu=False)
        binds = [
            *base["binds"],
            {"source": str(source), "target": INPUT},
            {"source": str(target), "target": OUTPUT, "writable": True},
        ]
        sandbox = {
            **base,
            "binds": binds,
            "work": OUTPUT,
            "host_uid": user,
            "memory": 8 << 30,
            "processes": 64,
        }
        sandbox["log"] = str(folder / "log")
        plain = {"folder": str(source), "out": str(target), "work": str(target)}
        task = {"folder": INPUT, "out": OUTPUT, "threads": threads, "plain": plain}
        await asyncio.get_running_loop().run_in_executor(None, _wait, server, role, sandbox, task, limit)
        result = target / wanted
        if result.is_symlink() or not result.is_file() or result.stat().st_size > MOST_ANSWER:
            log = folder / "log"
            said = f"({tail(log, 600)})" if log.exists() else ""
            raise WorkerError(f"the measuring process left no result {said}")
        return result.read_bytes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: ForkServer, role: str, sandbox: dict[str, Any], task: dict[str, Any], limit: float) -> None:
    process = server.spawn(role, sandbox, task)
    deadline = time.monotonic() + limit
    while server.poll(process) is None:
        if time.monotonic() > deadline:
            server.kill(process)
            raise WorkerError(f"measuring took more than {limit:.0f} s")
        time.sleep(0.02)
