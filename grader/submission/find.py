"""Which files were meant: paths as typed -> submissions, in a stable order."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from grader.errors import DuplicateFile, NoSubmissions
from grader.record import Record

CHECKPOINTS = ".ipynb_checkpoints"


class Found(Record):
    """``skipped`` holds what was passed over on purpose, each with the reason, for the report."""

    files: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...] = ()


def find(paths: Sequence[Path]) -> Found:
    """The submissions that ``paths`` mean, in the order named, a folder's own in the order of names.

    A folder stands for the notebooks in it and below it; a pattern that the shell left as it was is
    expanded. A file of another kind that is named outright is kept, so that `read` can say why it
    is unreadable: a student handed it in. Jupyter's autosaved twins are skipped.

    Raises NoSubmissions when a named path is not there or nothing is left, and DuplicateFile when
    one file is named twice, be it through a folder or a link.
    """
    files: list[Path] = []
    skipped: list[tuple[Path, str]] = []
    for path in paths:
        for file in _expand(path):
            why = _reason_to_skip(file)
            if why:
                skipped.append((file, why))
            else:
                files.append(file)
    if not files:
        raise NoSubmissions(_nothing(paths, skipped), todo="name notebooks (.ipynb) or a folder of them")
    _refuse_twice(files)
    return Found(files=tuple(files), skipped=tuple(skipped))


def _expand(path: Path) -> list[Path]:
    if path.is_dir() and path.suffix != ".ipynb":  # a folder called x.ipynb is a submission, unreadable
        inside = (p for p in path.rglob("*.ipynb") if p.is_file() or p.is_symlink())
        return sorted(inside, key=lambda p: p.as_posix())
    if path.exists() or path.is_symlink():
        return [path]
    if has_magic(str(path)):
        return sorted((Path(p) for p in glob(str(path), recursive=True)), key=lambda p: p.as_posix())
    raise NoSubmissions("no such file or folder", where=str(path), todo="check the spelling of the path")


def _reason_to_skip(path: Path) -> str:
    if CHECKPOINTS in path.parts:
        return f"Jupyter's autosaved copy ({CHECKPOINTS})"
    if path.name.startswith("._") or "__MACOSX" in path.parts:
        return "a file of macOS's archiver, not a notebook"
    return ""


def _nothing(paths: Sequence[Path], skipped: Sequence[tuple[Path, str]]) -> str:
    tried = ", ".join(str(p) for p in paths) or "nothing was named"
    also = "; ".join(f"{p} skipped: {why}" for p, why in skipped)
    return f"no submission found (tried: {tried})" + (f"; {also}" if also else "")


def _refuse_twice(files: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for file in files:
        real = file.resolve()
        if real in seen:
            other = "" if seen[real] == file else f", also as {seen[real]}"
            raise DuplicateFile(f"named twice{other}", where=str(file), todo="name each submission once")
        seen[real] = file
