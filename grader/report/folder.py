"""Writing a report into a folder that may hold other things, whole or not at all.

Everything is first written into a folder of its own beside the old report; then each file takes
its place by one rename, index.html last. An error on the way puts every old file back. A manifest
of what we wrote lets the next run remove pages that are no longer part of the report, and keeps us
from ever replacing a file that is not ours.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import OutputError

MANIFEST = ".grade-report.json"
_STAGE = ".grade-report-new-"
_OURS = re.compile(r"(?:pages/)?[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def ready(folder: Path) -> None:
    """Make ``folder`` and see that files can be made in it; so that it fails before the grading.

    Raises:
        OutputError: it is no folder, cannot be made, or cannot be written.
    """
    with _clear_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_STAGE, dir=folder):
            pass


class Stage:
    """A report being written. ``put`` files, then leave the ``staged`` block to publish them all."""

    def __init__(self, folder: Path, new: Path) -> None:
        self.folder, self._new = folder, new
        self.files: dict[str, str] = {}

    def put(self, name: str, text: str) -> Path:
        """Write one file of the report; ``name`` is relative to the folder. Returns its final path."""
        if not _OURS.match(name) or name in self.files:
            raise ValueError(f"not a name for a file of a report, or used twice: {name!r}")
        data = text.encode("utf-8", "replace")
        path = self._new / name
        path.parent.mkdir(exist_ok=True)
        with open(path, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.files[name] = hashlib.sha256(data).hexdigest()
        return self.folder / name


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Write a report into ``folder``: published when the block ends, unchanged when it raises.

    Raises:
        OutputError: the folder cannot be written, holds a file of that name that is not ours, or
            another run is writing into it.
    """
    with _clear_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with _clear_errors(folder):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutputError(
                    "another run is writing its report here",
                    where=str(folder),
                    todo="wait for it, or name another folder with -o",
                ) from None
            for left in folder.glob(_STAGE + "*"):  # of a run that was killed: we hold the lock
                shutil.rmtree(left, ignore_errors=True)
            new = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
            try:
                stage = Stage(folder, new)
                yield stage
                _publish(stage, new)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    finally:
        os.close(lock)


def _publish(stage: Stage, new: Path) -> None:
    folder, old = stage.folder, _manifest(stage.folder)
    for name in stage.files:
        if name not in old and os.path.lexists(folder / name):
            raise OutputError(
                f"{name} is already there and was not written by grade",
                where=str(folder),
                todo="name another folder with -o, or move that file away",
            )
    for parent in {Path(n).parent for n in stage.files}:
        (folder / parent).mkdir(exist_ok=True)
    backup = new / ".old"
    backup.mkdir()
    moved: list[tuple[Path, Path | None]] = []
    # the union first: a run killed half-way leaves a manifest that still knows all that is ours
    _replace_manifest(folder, new, {**stage.files, **old})
    try:
        for number, name in enumerate(sorted(stage.files, key=lambda n: n == "index.html")):
            target, kept = folder / name, None
            if target.exists():
                kept = backup / str(number)
                _keep(target, kept)
            os.replace(new / name, target)
            moved.append((target, kept))
    except BaseException:
        for target, kept in reversed(moved):
            if kept is None:
                target.unlink(missing_ok=True)
            else:
                os.replace(kept, target)
        _replace_manifest(folder, new, old)
        raise
    for name, digest in old.items():
        if name not in stage.files:
            _remove_stale(folder / name, digest)
    _replace_manifest(folder, new, stage.files)


def _keep(path: Path, copy: Path) -> None:
    try:
        os.link(path, copy)
    except OSError:  # no hard links on this file system
        shutil.copy2(path, copy)


def _remove_stale(path: Path, digest: str) -> None:
    """Remove a page of an earlier report, unless somebody has changed it since."""
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
    except OSError:
        pass


def _manifest(folder: Path) -> dict[str, str]:
    try:
        files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
        return {str(k): str(v) for k, v in files.items() if _OURS.match(str(k))}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}


def _replace_manifest(folder: Path, new: Path, files: dict[str, str]) -> None:
    path = new / "manifest"
    path.write_text(json.dumps({"written_by": "grade", "files": files}, indent=1), "utf-8")
    os.replace(path, folder / MANIFEST)


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = (
            "no space left for the report"
            if full
            else f"the report cannot be written: {error.strerror or error}"
        )
        todo = "free some space, or" if full else "check the path and its permissions, or"
        raise OutputError(what, where=str(folder), todo=f"{todo} name another folder with -o") from error
