"""The data cache: where real data lies, filled outside the sandbox.

``GRADE_DATA`` names its folder, else it is ``data`` in the user's cache folder. Each resource has a
folder of its id, with its official files or any shape that its ``shape`` describes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path

import platformdirs

from grader.errors import ResourceError
from grader.record import Record
from grader.resources import formats, registry
from grader.resources.base import Kind, Presence, Resource, Say, Source

SUMS = "SHA256SUMS"
"""Beside added or pulled files: their checksums then, in the format of sha256sum."""
TIMEOUT = 60.0


class Status(Record):
    """What is there of one resource. ``stand-in``: nothing real; a notebook gets generated content."""

    id: str
    title: str
    kind: Kind
    presence: Presence
    path: Path | None = None
    bytes: int = 0
    urls: tuple[str, ...] = ()
    licence: str = ""
    shape: str = ""


class Checked(Record):
    """Outcome for one file of `verify`."""

    id: str
    file: Path
    ok: bool
    says: str


def folder() -> Path:
    """The data cache's folder; it need not exist."""
    named = os.environ.get("GRADE_DATA")
    return (
        Path(named).expanduser()
        if named
        else platformdirs.user_cache_path("grader", appauthor=False) / "data"
    )


def find(resource: Resource) -> Path | None:
    """The folder of the cache that holds the resource in a readable shape."""
    for name in (resource.id, *resource.also):
        path = folder() / name
        try:
            if path.is_dir() and resource.recognise(path):
                return path
        except OSError as e:
            raise ResourceError(
                f"cannot be read: {e.strerror}", where=str(path), todo="check its permissions"
            ) from e
    return None


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file() and p.name != SUMS)


def fingerprint(path: Path) -> str:
    """Changes when a file of the folder changes: names, sizes and times, not contents."""
    return "\n".join(
        f"{p.relative_to(path).as_posix()} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in _files(path)
    )


def list_all() -> tuple[Status, ...]:
    """Every resource and what is there of it: `grade data list`."""
    found = []
    for r in registry.RESOURCES.values():
        path = find(r)
        found.append(
            Status(
                id=r.id,
                title=r.title,
                kind=r.kind,
                presence="cached" if path else "shipped subset" if r.shipped else "stand-in",
                path=path,
                bytes=sum(p.stat().st_size for p in _files(path)) if path else 0,
                urls=tuple(s.url for s in r.sources),
                licence=r.licence,
                shape=r.shape,
            )
        )
    return tuple(found)


# ---------------------------------------------------------------- filling it


def _matches(path: Path, source: Source) -> bool:
    if source.md5:
        return formats.md5(path) == source.md5
    return not source.sha256 or formats.sha256(path).startswith(source.sha256)


def _download(url: str, target: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "grader"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response, target.open("wb") as out:
        shutil.copyfileobj(response, out)


def _note_sums(home: Path, new: Iterable[str]) -> None:
    """Notes the checksums of the ``new`` files, by their paths in the folder; others keep theirs."""
    noted = {n: s for n, s in _noted(home).items() if (home / n).is_file()}
    noted |= {n: formats.sha256(home / n) for n in new}
    lines = [f"{noted[n]}  {n}\n" for n in sorted(noted)]
    part = home / f".{SUMS}.{os.getpid()}"
    part.write_text("".join(lines), encoding="utf-8")
    part.replace(home / SUMS)


def pull(name: str, say: Say = lambda _: None) -> tuple[Path, ...]:
    """Fetches the official files of a resource, or of a group, into the cache: `grade data pull`.

    A file that is there with the right checksum is kept. Nothing half-written is left.

    :raises ResourceError: unknown, without an official address, unreachable, or the checksum differs.
    """
    got: list[Path] = []
    for resource in registry.find(name):
        if not resource.sources:
            raise ResourceError(
                f"{resource.title} has no official address",
                where=resource.id,
                todo=f"`grade data add {resource.id} PATH` takes {resource.shape}",
            )
        home = folder() / resource.id
        _writable(home)
        for source in resource.sources:
            target = home / source.name
            if target.is_file() and _matches(target, source):
                say(f"{resource.id}: {source.name} is there")
                got.append(target)
                continue
            say(f"{resource.id}: fetching {source.url}")
            with tempfile.TemporaryDirectory(dir=home) as temporary:
                part = Path(temporary) / source.name
                try:
                    _download(source.url, part)
                except (urllib.error.URLError, OSError, ValueError) as e:
                    raise ResourceError(
                        f"{source.url} cannot be fetched: {getattr(e, 'reason', None) or e}",
                        where=resource.id,
                        todo=f"check the connection, or fetch it and `grade data add {resource.id} PATH`",
                    ) from e
                if not _matches(part, source):
                    raise ResourceError(
                        f"what {source.url} gave has another checksum than its publisher states",
                        where=resource.id,
                        todo="try again later; nothing was kept",
                    )
                part.replace(target)
            got.append(target)
        if resource.kind is Kind.FOLDER:
            _unpack(home)
        new = got if resource.kind is not Kind.FOLDER else _files(home)
        _note_sums(home, [p.relative_to(home).as_posix() for p in new if p.is_relative_to(home)])
    return tuple(got)


def _unpack(home: Path) -> None:
    """An archive of photos is kept unpacked; a single folder at its top is taken away."""
    for archive in [p for p in home.iterdir() if p.suffix in {".zip", ".tgz"}]:
        with tempfile.TemporaryDirectory(dir=home) as temporary:
            shutil.unpack_archive(archive, temporary, filter=None if archive.suffix == ".zip" else "data")
            top = Path(temporary)
            while len(inner := [p for p in top.iterdir() if p.is_dir()]) == 1:
                top = inner[0]
            for part in inner:
                if not (home / part.name).exists():
                    part.replace(home / part.name)


def _writable(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ResourceError(
            f"cannot be made: {e.strerror}",
            where=str(home),
            todo="set GRADE_DATA to a folder that can be written",
        ) from e


def add(name: str, path: Path) -> Path:
    """Copies a local file or folder into the cache under a resource's id: `grade data add`.

    :returns: the resource's folder in the cache.
    :raises ResourceError: unknown, not there, or not in a shape that the resource reads.
    """
    resources: Sequence[Resource] = registry.find(name)
    if not path.exists():
        raise ResourceError("is not there", where=str(path), todo="name an existing file or folder")
    home = folder()
    _writable(home)
    with tempfile.TemporaryDirectory(dir=home) as temporary:
        part = Path(temporary) / "part"
        if path.is_dir():
            shutil.copytree(path, part, copy_function=shutil.copyfile)
        else:
            part.mkdir()
            shutil.copyfile(path, part / path.name)
        fitting = [r for r in resources if r.recognise(part)]
        if not fitting and path.is_file() and path.suffix in {".pth", ".pt"} and len(resources) == 1:
            # a checkpoint under a name of the user's own
            (part / path.name).rename(part / f"{resources[0].id}_local.pth")
            fitting = [r for r in resources if r.recognise(part)]
        if not fitting:
            shapes = " or ".join(dict.fromkeys(r.shape for r in resources))
            raise ResourceError(f"is not {shapes}", where=str(path), todo=f"see `grade data list` for {name}")
        target = home / fitting[0].id
        new = [p.relative_to(part).as_posix() for p in _files(part)]
        target.mkdir(exist_ok=True)
        for item in part.iterdir():
            if (target / item.name).is_dir():
                shutil.rmtree(target / item.name)
            item.replace(target / item.name)
        _note_sums(target, new)
    return target


def verify(name: str | None = None) -> tuple[Checked, ...]:
    """Compares cached files with official checksums, and with those noted when they were put there:
    `grade data verify`. Resources that are not in the cache yield nothing."""
    resources = registry.find(name) if name else tuple(registry.RESOURCES.values())
    seen: dict[Path, Checked] = {}
    for resource in resources:
        path = find(resource)
        if path is None:
            continue
        official = {s.name: s for s in resource.sources if s.md5 or s.sha256}
        noted = _noted(path)
        for file in _files(path):
            source = official.get(file.name)
            local = noted.pop(file.relative_to(path).as_posix(), "")
            if source is not None and _matches(file, source):
                ok, says = True, "official checksum"
            elif source is not None and not local:
                ok, says = False, "official checksum"
            elif local:
                ok, says = formats.sha256(file) == local, "checksum of when it was added"
            else:
                ok, says = True, "local file without a checksum"
            verdict = Checked(
                id=resource.id, file=file, ok=ok, says=says if ok else f"differs from the {says}"
            )
            if file not in seen or source is not None:
                seen[file] = verdict
        for lost in noted:
            seen[path / lost] = Checked(id=resource.id, file=path / lost, ok=False, says="is gone")
    return tuple(seen.values())


def _noted(path: Path) -> dict[str, str]:
    file = path / SUMS
    if not file.is_file():
        return {}
    lines = (line.split("  ", 1) for line in file.read_text(encoding="utf-8").splitlines())
    return {line[1]: line[0] for line in lines if len(line) == 2}
