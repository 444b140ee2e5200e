"""The bundle's manifest: which file answers a URL, which path means what, what is real."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import record

NO_NETWORK = "nothing: no network reaches a notebook here, and this address is not among the resources"
MOST_FILES = 400
"""A folder of more files is linked as a whole; a smaller one file by file, so that students can add to it."""


@dataclass(frozen=True)
class Offer:
    """A file that answers a URL."""

    path: str
    resource: str
    words: str
    stand_in: bool


_bundle = ""
_work = ""
_manifest: dict[str, Any] = {"resources": {}, "links": []}
_patterns: list[tuple[re.Pattern[str], Offer]] = []
_aliases: dict[str, str] = {}
_accepted: set[str] = set()


def load(bundle: str, work: str) -> None:
    """Reads the manifest; all else in this module is empty before."""
    global _bundle, _work, _manifest
    _bundle, _work = os.path.abspath(bundle), os.path.abspath(work)
    with open(os.path.join(bundle, "manifest.json"), encoding="utf-8") as f:
        _manifest = json.load(f)
    _patterns.clear()
    _aliases.clear()
    _accepted.clear()
    for id, made in _manifest["resources"].items():
        _accepted.update(made["md5"])
        for served in made["served"]:
            offer = Offer(os.path.join(_bundle, served["file"]), id, made["words"], not made["judged"])
            _patterns.append((re.compile(served["match"]), offer))
    # a drawn scene answers any picture's address: what is asked for by name comes first
    _patterns.sort(key=lambda p: p[1].resource == "sample-image")


def find(url: str) -> Offer | None:
    """What answers a URL, if anything does."""
    return next((offer for pattern, offer in _patterns if pattern.search(url)), None)


def given(offer: Offer, asked: str) -> None:
    """Notes what was asked for and what was given. Files of one data set make one note."""
    several = len([1 for _, o in _patterns if o.resource == offer.resource]) > 2
    if several and "://" in asked and (made(offer.resource) or {}).get("classes") is not None:
        parts = urlsplit(asked)
        asked = f"{parts.scheme}://{parts.netloc}{os.path.dirname(parts.path)}/"
    record.emit("substitution", asked=asked, given=offer.words, stand_in=offer.stand_in)


def refused(asked: str, why: str = NO_NETWORK) -> None:
    record.emit("substitution", asked=asked, given=why, stand_in=False)


def place(offer: Offer, target: str) -> None:
    """Puts the file where a download would have put it; large ones are not copied."""
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.remove(target)
    os.symlink(offer.path, target)


def accepts(path: Any) -> bool:
    """Whether the file is one that stands for an official one whose checksum it has not."""
    try:
        with open(path, "rb") as f:
            return hashlib.file_digest(f, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() in _accepted
    except OSError:
        return False


def file(path: str) -> str:
    """Where a file or folder of the bundle is."""
    return os.path.join(_bundle, *path.split("/"))


def made(resource: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _manifest["resources"].get(resource)
    return found


def by_loader(*names: str) -> str | None:
    """The resource that a loader opens, by the loader's name."""
    for id, m in _manifest["resources"].items():
        if any(n in m["loaders"] for n in names):
            return str(id)
    return None


def by_path(path: Any) -> str | None:
    """The resource that a path leads to: through an alias, or by a folder's well known name."""
    try:
        here = os.path.abspath(os.path.expanduser(os.fspath(path)))
    except TypeError:
        return None
    up = here
    while True:
        if up in _aliases:
            return _aliases[up]
        if os.path.dirname(up) == up:
            break
        up = os.path.dirname(up)
    real = os.path.realpath(here)
    if real.startswith(_bundle + os.sep):
        return os.path.relpath(real, _bundle).split(os.sep)[0]
    parts = set(here.split(os.sep))
    for id, m in _manifest["resources"].items():
        if any(set(root.split("/")) <= parts for root in m["roots"]):
            return str(id)
    return None


# ---------------------------------------------------------------- paths


def link() -> None:
    """Makes the relative links in the work folder; what is there already stays."""
    for each in _manifest["links"]:
        target = os.path.join(_bundle, each["target"])
        path = os.path.normpath(os.path.join(_work, each["path"]))
        resource = each["target"].split("/")[0]
        if path.startswith(_work + os.sep):
            with contextlib.suppress(OSError):
                if os.path.lexists(path):
                    continue
                # an archive that is unpacked over it must find files that can be written
                _link(target, path, copy=bool(_manifest["resources"][resource]["roots"]))
        elif not os.path.exists(path):
            continue
        _aliases[path] = resource


def _link(target: str, path: str, copy: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.isdir(target):
        os.symlink(target, path)
        return
    inner = [(folder, files) for folder, _, files in os.walk(target)]
    if sum(len(files) for _, files in inner) > MOST_FILES:
        os.symlink(target, path)
        return
    for folder, files in inner:
        here = os.path.normpath(os.path.join(path, os.path.relpath(folder, target)))
        os.makedirs(here, exist_ok=True)
        for name in files:
            (shutil.copyfile if copy else os.symlink)(os.path.join(folder, name), os.path.join(here, name))


_WATCHED = {"open", "os.listdir", "os.scandir"}
_noting = False


def watch() -> None:
    """Notes when a notebook reads a path that is there only because we put it there."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    global _noting
    if event not in _WATCHED or _noting or not arguments:
        return
    path = arguments[0]
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str):
        return
    _noting = True
    try:
        here = os.path.normpath(os.path.join(os.getcwd(), path))
        alias = next((a for a in (here, *_parents(here)) if a in _aliases), None)
        if alias is not None and _aliases[alias] != "" and (m := made(_aliases[alias])):
            shown = os.path.relpath(alias, _work) if alias.startswith(_work + os.sep) else alias
            record.emit("substitution", asked=shown, given=m["words"], stand_in=not m["judged"])
    except Exception:
        return
    finally:
        _noting = False


def _parents(path: str) -> list[str]:
    found = []
    while (up := os.path.dirname(path)) != path and up not in (_work, "/"):
        found.append(up)
        path = up
    return found
