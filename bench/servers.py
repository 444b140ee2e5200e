"""What a fork server costs with each framework: time until it is ready, memory of it and of its kernels, time of a kernel.

    uv run python bench/servers.py

Memory is read in /proc: resident (RSS) counts shared pages in full, proportional (PSS) divides them among those who
share them, so PSS added over the server and its kernels is what the machine really holds. A kernel's is read once it
is ready and once it has trained a small network for a step.
"""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from grader.engine.servers import server_of
from grader.evidence.model import Limits, Piece, Profile
from grader.worker.forkserver import ForkServer
from grader.worker.provisioner import Launch, kernel_sandbox, kernel_task
from grader.worker.run import Setup, run
from grader.worker.session import Session

TORCH_STEP = """
import torch
from torch import nn
model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 24 * 24, 10))
optimizer = torch.optim.Adam(model.parameters())
nn.functional.cross_entropy(model(torch.rand(64, 1, 28, 28)), torch.zeros(64, dtype=torch.long)).backward()
optimizer.step()
"""
KERAS_STEP = """
import keras, numpy
from keras import layers
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(6, 5, activation="relu"), layers.Flatten(),
                          layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(numpy.random.rand(64, 28, 28, 1), numpy.zeros(64), batch_size=64, verbose=0)
"""
TRIES = 5


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    rss: int
    pss: int


@dataclass(frozen=True)
class Cost:
    """Times in seconds, by the clock outside; the medians of several tries."""

    warm: float
    server: Memory
    peak: int
    ready: float
    notebook: float
    fresh: Memory
    trained: Memory


def of(pid: int) -> Memory:
    info = psutil.Process(pid).memory_full_info()
    return Memory(info.rss, info.pss)


def peak(pid: int) -> int:
    """The most that was ever resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def kernels(server: ForkServer, step: str) -> tuple[float, Memory, Memory]:
    """The time from a request to an answering kernel, and its memory before and after a step of training."""
    seconds: list[float] = []
    fresh = trained = Memory(0, 0)
    for attempt in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            work, notes = Path(folder) / "work", Path(folder) / "notes"
            work.mkdir()
            notes.mkdir()
            session = Session(Launch(server, kernel_sandbox(work, notes), kernel_task(work, notes)))
            started = time.monotonic()
            await session.start()
            seconds.append(time.monotonic() - started)
            if attempt == 0:
                fresh = of(kernel(server))
                outcome = await session.execute(step, 300, 10_000)
                assert outcome.state.value == "ok", outcome
                trained = of(kernel(server))
            await session.stop()
    return median(seconds), fresh, trained


def kernel(server: ForkServer) -> int:
    """The one kernel's pid: the largest of the server's descendants, its waiter and init being idle."""
    below = psutil.Process(server.pid).children(recursive=True)
    return max(below, key=lambda p: p.memory_full_info().uss).pid


def notebook(server: ForkServer) -> float:
    """Seconds for a notebook of one trivial cell, its kernel's start and end included."""
    piece = Piece(index=0, cell=0, kind="code", source="print(1 + 1)", section=0)
    limits = Limits(cell=60, question=60, notebook=60)
    seconds = []
    for _ in range(TRIES):
        setup = Setup(server=server, profile=Profile.SMOKE, limits=limits, keep=lambda content: "0" * 64)
        started = time.monotonic()
        execution = asyncio.run(run([piece], setup))
        seconds.append(time.monotonic() - started)
        assert execution.runs[0].stdout.strip() == "2", execution
    return median(seconds)


def cost(backend: str, step: str) -> Cost:
    with server_of(
        backend, "namespaces"
    ):  # so that the libraries' files are in the system's memory, as in daily use
        pass
    with server_of(backend, "namespaces") as server:
        assert not server.problems, server.problems
        idle = of(server.pid)
        ready, fresh, trained = asyncio.run(kernels(server, step))
        return Cost(server.seconds, idle, peak(server.pid), ready, notebook(server), fresh, trained)


def size(count: int) -> str:
    return f"{count / 1e6:,.0f}"


def main() -> None:
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    found = {
        "torch": cost("", TORCH_STEP),
        "torch, TensorFlow": cost("tensorflow", KERAS_STEP),
        "Keras on torch": cost("torch", KERAS_STEP),
    }
    table = Table(
        title=f"Fork servers: {platform.machine()}, {cores} cores, {memory:.0f} GiB; "
        f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after"
    )
    for name in ("", *found):
        table.add_column(name, justify="right" if name else "left")
    rows = {
        "imports, s": [f"{c.warm:.1f}" for c in found.values()],
        "server, RSS / PSS, MB": [f"{size(c.server.rss)} / {size(c.server.pss)}" for c in found.values()],
        "server, peak RSS, MB": [size(c.peak) for c in found.values()],
        "request to a ready kernel, s": [f"{c.ready:.2f}" for c in found.values()],
        "notebook of one trivial cell, s": [f"{c.notebook:.2f}" for c in found.values()],
        "ready kernel, RSS / PSS, MB": [f"{size(c.fresh.rss)} / {size(c.fresh.pss)}" for c in found.values()],
        "kernel after a step, RSS / PSS, MB": [
            f"{size(c.trained.rss)} / {size(c.trained.pss)}" for c in found.values()
        ],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
