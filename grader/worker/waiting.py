"""How long a process stood ready to run while other work had the processor: the system's own account.

Read outside the sandbox, from ``/proc``. A clock less this is the time that the same work would have taken
on a processor of its own, so that runs of a busy and of an idle hour can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

Account: TypeAlias = Mapping[tuple[int, int], tuple[int, int]]
"""By process and thread: nanoseconds that it ran, and that it waited for a processor."""

PROC = Path("/proc")


def account(root: int) -> Account:
    """All threads of the process ``root`` and of those that it started; empty where the system keeps none."""
    found = {}
    for process in _tree(root):
        try:
            for thread in (PROC / str(process) / "task").iterdir():
                ran, waited, _ = (thread / "schedstat").read_text().split()
                found[process, int(thread.name)] = int(ran), int(waited)
        except (OSError, ValueError):  # it has ended, or there is no such account here
            continue
    return found


def seconds(before: Account, after: Account) -> float | None:
    """Seconds that the thread which ran most in between waited; None where that is not known.

    The others wait for it as a rule: what they wait for is not what the work took.
    """
    spent = []
    for thread, (ran, waited) in after.items():
        earlier = before.get(thread, (0, 0))
        spent.append((ran - earlier[0], waited - earlier[1]))
    return max(spent)[1] / 1e9 if spent else None


def _tree(root: int) -> list[int]:
    """The process and its descendants, by the parents that each names."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except (OSError, IndexError):
                continue
            children.setdefault(int(parent), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        process = todo.pop()
        found.append(process)
        todo += children.get(process, [])
    return found
