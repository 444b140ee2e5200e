"""What happens to each submission, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Stage(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STORED = "from the store"
    UNREADABLE = "unreadable"
    UNRECOGNISED = "not recognised"
    FAILED = "worker failed"


@dataclass(frozen=True)
class Event:
    """``done`` of ``total`` code pieces while running."""

    file: str
    stage: Stage
    done: int = 0
    total: int = 0


Watcher: TypeAlias = Callable[[Event], None]


def unwatched(_: Event) -> None:
    """For callers that do not want to know."""
