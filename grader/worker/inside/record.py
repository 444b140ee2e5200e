"""Append-only notes from inside the kernel to the worker: one JSON object a line.

``emit("substitution", asked=..., given=..., stand_in=...)`` and ``emit("dataset", ...)`` carry the
fields of the evidence record of that name, less ``piece``, which is added here.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

PIECE = "GRADE_PIECE"
"""By this variable a program that a cell starts knows its piece, though it outlives it."""
_state: dict[str, Any] = {"folder": None, "piece": None}
_said: set[str] = set()
_last: dict[str, dict[str, Any]] = {}


def open_folder(folder: str) -> None:
    """Names the folder that the worker reads; nothing is written before."""
    _state["folder"] = folder


def set_piece(piece: int) -> None:
    """Later notes belong to this piece."""
    _state["piece"] = piece
    os.environ[PIECE] = str(piece)
    _said.clear()


_asked_by = threading.local()


@contextlib.contextmanager
def asked_by(piece: str) -> Iterator[None]:
    """In this thread notes belong to the piece that is named, if it is one."""
    _asked_by.piece = int(piece) if piece.isdecimal() else None
    try:
        yield
    finally:
        _asked_by.piece = None


def piece() -> int | None:
    asked: int | None = getattr(_asked_by, "piece", None)
    current: int | None = _state["piece"]
    return current if asked is None else asked


def folder() -> str:
    return str(_state["folder"])


def last(kind: str) -> dict[str, Any]:
    """The fields of the note of this kind that was written last; empty where there is none."""
    return dict(_last.get(kind, {}))


def emit(kind: str, **fields: Any) -> None:
    """Writes one note, once for each piece; a note that cannot be written is dropped, never raised to the student."""
    if _state["folder"] is None:
        return
    _last[kind] = fields
    try:
        line = json.dumps({"kind": kind, "piece": piece(), **fields}, default=str)
        if line in _said or len(line) > 200_000:
            return
        _said.add(line)
        with open(os.path.join(_state["folder"], "notes.jsonl"), "a", encoding="utf-8") as f:
            f.write(line + "\n")
    except (OSError, ValueError, TypeError):
        return
