"""Drives the real fork server, sandbox and kernels: a tiny notebook in, an `Execution` out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grader.evidence.model import Execution, Limits, Piece, PieceRun, Profile
from grader.worker.forkserver import ForkServer
from grader.worker.run import Setup, run

LIMITS = Limits(cell=20, question=60, notebook=100, memory=4 << 30)
LONG = LIMITS.model_copy(update={"cell": 120.0, "question": 120.0, "notebook": 400.0})


def code(*sources: str) -> list[Piece]:
    """Code pieces, each a question of its own."""
    return [Piece(index=i, cell=i, kind="code", source=s, section=i) for i, s in enumerate(sources)]


@dataclass
class Blobs:
    """Keeps what a run stores, in memory."""

    held: dict[str, bytes] = field(default_factory=dict)

    def keep(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.held[digest] = content
        return digest


@dataclass
class Ran:
    execution: Execution
    blobs: dict[str, bytes]

    def __getitem__(self, piece: int) -> PieceRun:
        """The first run of a piece, not a later replay."""
        return next(r for r in self.execution.runs if r.piece == piece and not r.replayed)

    @property
    def said(self) -> list[str]:
        """What each piece printed, in order, replays left out."""
        return [r.stdout.strip() for r in self.execution.runs if not r.replayed]

    @property
    def states(self) -> list[str]:
        return [r.state.value for r in self.execution.runs if not r.replayed]


Notebook = Callable[..., Ran]


def execute(server: ForkServer, *sources: str, limits: Limits = LIMITS, **setup: Any) -> Ran:
    """Runs the pieces as a notebook."""
    blobs = Blobs()
    how = Setup(server=server, profile=Profile.SMOKE, limits=limits, keep=blobs.keep, **setup)
    return Ran(asyncio.run(run(code(*sources), how)), blobs.held)
