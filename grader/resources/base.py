"""What a resource is, what making one yields, and what a bundle's manifest says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from grader.evidence.model import Profile
from grader.record import Record

Bytes: TypeAlias = NDArray[np.uint8]


Seen: TypeAlias = tuple[Bytes, Bytes, Bytes, Bytes]
Part: TypeAlias = Literal["held-out", "test", "train"]


class Kind(StrEnum):
    DATA_SET = "data set"
    FOLDER = "image folder"
    WEIGHTS = "weights"
    FILE = "file"


class Source(Record):
    """One official file. The checksum is what its publisher gives: MD5, or the leading hex digits
    of its SHA-256, as PyTorch writes them in a checkpoint's name."""

    url: str
    name: str
    md5: str = ""
    sha256: str = Field("", description="whole, or its leading digits")


class State(StrEnum):
    """``subset``: real content, less of it. ``stand_in``: generated or random content."""

    REAL = "real"
    SUBSET = "subset"
    STAND_IN = "stand_in"


class Served(Record):
    """A file that answers a URL. ``match`` is a regular expression searched in the whole URL, so
    that mirrors and copies are answered too; ``accept`` are checksums that loaders may take."""

    match: str
    file: str = Field(description="path within the bundle")


class Link(Record):
    """A path under which students look for ``target``; relative to the notebook's folder, or absolute."""

    path: str
    target: str = Field(description="file or folder within the bundle")


class Made(Record):
    """What was put into a bundle for one resource."""

    state: State
    words: str = Field(description="what a notebook gets, in words for the report")
    judged: bool = Field(True, description="False: no accuracy is judged on it")
    served: tuple[Served, ...] = ()
    links: tuple[Link, ...] = ()
    md5: tuple[str, ...] = Field((), description="MD5 of files that stand for official ones, for loaders")
    loaders: tuple[str, ...] = Field((), description="classes and functions that open it")
    roots: tuple[str, ...] = Field((), description="folder names that give it away once unpacked")
    classes: int | None = None


class HeldOut(Record):
    """Images that a model is measured on; ``inputs`` holds one uint8 array ``x``, NHW or NHWC."""

    id: str = Field(description="names the labels, see `grader.resources.labels`")
    inputs: Path
    count: int


@dataclass(frozen=True)
class Making:
    """What a resource is made from: ``cached`` is its folder in the data cache, if it has one."""

    profile: Profile
    cached: Path | None
    bundle: Path
    id: str

    @property
    def folder(self) -> Path:
        """Where its files go, within the bundle."""
        path = self.bundle / self.id
        path.mkdir(parents=True, exist_ok=True)
        return path

    def inside(self, path: Path) -> str:
        return path.relative_to(self.bundle).as_posix()


@dataclass(frozen=True)
class Resource:
    """One thing that notebooks ask for.

    ``recognise`` says whether a folder holds it in a shape that ``make`` reads; ``held_out`` yields
    real images and labels that students never get, or None where there are none.
    """

    id: str
    title: str
    kind: Kind
    make: Callable[[Making], Made]
    recognise: Callable[[Path], bool]
    sources: tuple[Source, ...] = ()
    also: tuple[str, ...] = ()
    """Other ids that mean it, and other folder names that it has in a cache."""
    shipped: bool = False
    """A real subset comes with the package."""
    licence: str = ""
    held_out: Callable[[Profile, Path | None], tuple[Bytes, Bytes] | None] | None = None
    seen: Callable[[Profile, Path | None], Seen | None] | None = None
    """Real training images and labels, test images and labels, as the profile's notebooks get them."""
    shape: str = field(default="", kw_only=True)
    """What can be added from a local path, in words."""


Say: TypeAlias = Callable[[str], None]
Presence: TypeAlias = Literal["cached", "shipped subset", "stand-in"]
