"""Append-only notes from inside the kernel to the worker: one JSON object a line.

``emit("substitution", asked=..., given=..., stand_in=...)`` and ``emit("dataset", ...)`` carry the
fields of the evidence record of that name, less ``piece``, which is added here.
"""

from __future__ import annotations

import json
import os
from typing import Any

_state: dict[str, Any] = {"folder": None, "piece": None}
_said: set[str] = set()
_last: dict[str, dict[str, Any]] = {}


def open_folder(folder: str) -> None:
    """Names the folder that the worker reads; nothing is written before."""
    _state["folder"] = folder


def set_piece(piece: int) -> None:
    """Later notes belong to this piece."""
    _state["piece"] = piece
    _said.clear()


def piece() -> int | None:
    current: int | None = _state["piece"]
    return current


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
        line = json.dumps({"kind": kind, "piece": _state["piece"], **fields}, default=str)
        if line in _said or len(line) > 200_000:
            return
        _said.add(line)
        with open(os.path.join(_state["folder"], "notes.jsonl"), "a", encoding="utf-8") as f:
            f.write(line + "\n")
    except (OSError, ValueError, TypeError):
        return
