"""Reads what the code inside a kernel has noted: the word of an untrusted peer.

Each line is JSON checked against its evidence record; pictures are decoded and encoded again;
exported models are taken as bytes for the clean process to read. Anything else is dropped.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import ValidationError

from grader.evidence.model import DatasetUse, Figure, ModelSnapshot, Sha256, Substitution

MOST_LINES, MOST_BYTES = 5_000, 32 << 20
MOST_PROGRAM, MOST_PICTURE, MOST_PIXELS = 200 << 20, 8 << 20, 16_000_000


@dataclass
class Notes:
    figures: list[Figure] = field(default_factory=list)
    snapshots: list[ModelSnapshot] = field(default_factory=list)
    datasets: list[DatasetUse] = field(default_factory=list)
    substitutions: list[Substitution] = field(default_factory=list)
    programs: dict[Sha256, Path] = field(default_factory=dict)


def read(folder: Path, keep: Callable[[bytes], Sha256]) -> Notes:
    """Takes the notes out of the folder; a second call sees only what came since."""
    found = Notes()
    source = folder / "notes.jsonl"
    lines = _bytes(source, MOST_BYTES)
    if lines is None:
        return found
    _remove(source)
    for line in lines.splitlines()[:MOST_LINES]:
        try:
            note = json.loads(line, parse_constant=lambda c: None)
            _take(note, folder, keep, found)
        except (ValueError, TypeError, KeyError, ValidationError, RecursionError):
            continue
    return found


def _take(note: dict[str, Any], folder: Path, keep: Callable[[bytes], Sha256], found: Notes) -> None:
    kind, note_piece = note.pop("kind"), note.pop("piece", None)
    if kind == "substitution":
        found.substitutions.append(Substitution(piece=note_piece, **note))
    elif kind == "dataset":
        found.datasets.append(DatasetUse(piece=note_piece or 0, **note))
    elif kind == "figure":
        file = note.pop("file", None)
        png = _picture(folder, file) if file else None
        found.figures.append(Figure(piece=note_piece or 0, png=keep(png) if png else None, **note))
    elif kind == "model":
        at, file = note.pop("at"), note.pop("file", "")
        program = _program(folder, file, keep, found) if file else None
        if span := note.get("input_range"):
            note["input_range"] = span if all(math.isfinite(v) for v in span) else None
        found.snapshots.append(ModelSnapshot(piece=at, program=program, **note))


def _bytes(path: Path, most: int) -> bytes | None:
    """An ordinary file's bytes; None for a link, a pipe, a device, or one that is too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as f:
        status = os.fstat(f.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            return None
        return f.read(most)


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return


def _inside(folder: Path, name: str) -> Path:
    if os.path.basename(name) != name or name.startswith("."):
        raise ValueError("a note names a file elsewhere")
    return folder / name


def _picture(folder: Path, name: str) -> bytes | None:
    """A PNG that we encoded ourselves from the pixels of theirs."""
    raw = _bytes(_inside(folder, name), MOST_PICTURE)
    _remove(folder / name)
    if raw is None:
        return None
    try:
        with Image.open(io.BytesIO(raw), formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            pixels = image.convert("RGB")
        pixels.thumbnail((1200, 1200))
        out = io.BytesIO()
        pixels.save(out, "PNG", optimize=True)
        return out.getvalue()
    except (OSError, ValueError, SyntaxError):
        return None


def _program(folder: Path, name: str, keep: Callable[[bytes], Sha256], found: Notes) -> Sha256 | None:
    path = _inside(folder, name)
    for known, where in found.programs.items():
        if where == path:
            return known
    raw = _bytes(path, MOST_PROGRAM)
    if raw is None:
        return None
    digest = keep(raw)
    found.programs[digest] = path
    return digest
