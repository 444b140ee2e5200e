"""Reads what the code inside a kernel has noted: the word of an untrusted peer.

Each line is JSON checked against its evidence record; pictures are decoded and encoded again;
exported models are taken as bytes for the clean process to read. Anything else is dropped.
"""

from __future__ import annotations

import contextlib
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

from grader.evidence.model import DatasetUse, Figure, ModelSnapshot, Sha256, Substitution

MOST_LINES, MOST_BYTES = 5_000, 32 << 20
MOST_PROGRAM, MOST_PICTURE, MOST_PIXELS = 200 << 20, 8 << 20, 16_000_000
MOST_PROGRAMS, MOST_PICTURES = 24, 60
"""Files taken in one reading, after one piece; the code inside writes at most half as many."""


@dataclass
class Notes:
    figures: list[Figure] = field(default_factory=list)
    snapshots: list[ModelSnapshot] = field(default_factory=list)
    datasets: list[DatasetUse] = field(default_factory=list)
    substitutions: list[Substitution] = field(default_factory=list)
    programs: dict[Sha256, Path] = field(default_factory=dict)
    """Copies of ours: the kernel could change its own files after they were read."""
    pictures: int = 0


def read(
    folder: Path, keep: Callable[[bytes], Sha256], copies: Path, taken: dict[str, Sha256 | None] | None = None
) -> Notes:
    """Takes the notes out of the folder; a second call sees only what came since.

    Exported models are kept, and copied to ``copies``, where the kernel cannot reach them. ``taken``
    holds the files of this folder that were read before: later notes may name them again, and what
    the kernel does to them meanwhile changes nothing.
    """
    found = Notes()
    # moved first: a line that a command in the background writes meanwhile comes with the next reading
    source = folder / "notes.taken"
    with contextlib.suppress(OSError):
        os.replace(folder / "notes.jsonl", source)
    lines = _bytes(source, MOST_BYTES)
    _remove(source)
    taken = {} if taken is None else taken
    for line in (lines or b"").split(b"\n", MOST_LINES)[:MOST_LINES]:
        try:
            note = json.loads(line, parse_constant=lambda c: None)
            if isinstance(note, dict) and _sound(note):
                _take(note, folder, keep, copies, taken, found)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue
    return found


def _sound(value: Any, depth: int = 0) -> bool:
    """Whether it can be written as JSON again: half characters and deep nests cannot."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, list):
        return depth < 20 and all(_sound(v, depth + 1) for v in value)
    if isinstance(value, dict):
        return depth < 20 and all(_sound(k) and _sound(v, depth + 1) for k, v in value.items())
    return not isinstance(value, float) or math.isfinite(value)


def _take(
    note: dict[str, Any],
    folder: Path,
    keep: Callable[[bytes], Sha256],
    copies: Path,
    taken: dict[str, Sha256 | None],
    found: Notes,
) -> None:
    kind, note_piece = note.pop("kind"), note.pop("piece", None)
    if kind == "substitution":
        found.substitutions.append(Substitution(piece=note_piece, **note))
    elif kind == "dataset":
        found.datasets.append(DatasetUse(piece=note_piece or 0, **note))
    elif kind == "figure":
        file = note.pop("file", None)
        found.pictures += 1
        png = _picture(folder, file) if file and found.pictures <= MOST_PICTURES else None
        found.figures.append(Figure(piece=note_piece or 0, png=keep(png) if png else None, **note))
    elif kind == "model":
        at, file = note.pop("at"), note.pop("file", "")
        if file not in taken:
            taken[file] = _program(folder, file, keep, copies, found) if file else None
        program = taken[file]
        if span := note.get("input_range"):
            note["input_range"] = span if all(math.isfinite(v) for v in span) else None
        found.snapshots.append(ModelSnapshot(piece=at, program=program, **note))


def _bytes(path: Path, most: int) -> bytes | None:
    """An ordinary file's bytes; None for a link, a pipe, a device, or one that is too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_size > most:
        os.close(fd)
        return None
    with os.fdopen(fd, "rb") as f:
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


def _program(
    folder: Path, name: str, keep: Callable[[bytes], Sha256], copies: Path, found: Notes
) -> Sha256 | None:
    path = _inside(folder, name)
    raw = _bytes(path, MOST_PROGRAM) if len(found.programs) < MOST_PROGRAMS else None
    if raw is None:
        return None
    digest = keep(raw)
    copy = copies / (digest + (".keras" if path.suffix == ".keras" else ".pt2"))
    copy.write_bytes(raw)
    found.programs[digest] = copy
    return digest
