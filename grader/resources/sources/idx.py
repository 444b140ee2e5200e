"""MNIST and Fashion-MNIST: four IDX files each; Keras asks for MNIST as one npz file instead."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeAlias

import numpy as np

from grader.evidence.model import Profile
from grader.resources import draw, drawing, formats
from grader.resources.base import Bytes, Kind, Link, Made, Making, Resource, Served, Source, State

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
TRAIN, TEST, HELD_OUT = 300, 100, 100
"""Images of each class in the smoke profile: 3,000, 1,000 and 1,000."""
GENERATED_TRAIN, GENERATED_TEST = 100, 20


def read(folder: Path) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Training images and labels, test images and labels, from IDX files, gzipped or not.

    :raises ValueError: a file is not IDX or is cut short.
    """
    found = (next(p for p in (folder / f"{n}.gz", folder / n) if p.is_file()) for n in FILES)
    x, y, tx, ty = (formats.read_idx(path) for path in found)
    if len(x) != len(y) or len(tx) != len(ty):
        raise ValueError(f"{folder}: images and labels differ in number")
    return x, y, tx, ty


def recognise(folder: Path) -> bool:
    return all((folder / f"{n}.gz").is_file() or (folder / n).is_file() for n in FILES)


def shipped() -> dict[str, Bytes]:
    """The real subset of MNIST that comes with the package; see shipped/README.md."""
    with as_file(files("grader.resources") / "shipped" / "mnist.npz") as path, np.load(path) as data:
        return {name: data[name] for name in data.files}


Arrays: TypeAlias = tuple[Bytes, Bytes, Bytes, Bytes]
Content: TypeAlias = tuple[Arrays, State, bool, str]
"""Arrays, what they are, whether accuracy is judged on them, and words for the report."""


def _cached(title: str, folder: Path, profile: Profile) -> Content:
    x, y, tx, ty = read(folder)
    if profile is Profile.FULL:
        seen, _ = draw.halves(ty)
        words = f"{title}: all {len(x):,} training images, {len(seen):,} of the {len(ty):,} test images"
        return (x, y, tx[seen], ty[seen]), State.REAL, True, words + "; the others are held out"
    a, b = draw.by_class(y, TRAIN), draw.test_sets(ty, TEST, HELD_OUT)[0]
    words = f"{title}: a real subset of {len(a):,} training and {len(b):,} test images"
    return (x[a], y[a], tx[b], ty[b]), State.SUBSET, True, words


def _mnist(m: Making) -> Content:
    if m.cached is not None:
        return _cached("MNIST", m.cached, m.profile)
    data = shipped()
    arrays = (data["x_train"], data["y_train"], data["x_test"], data["y_test"])
    words = f"MNIST: a real subset of {len(arrays[1]):,} training and {len(arrays[3]):,} test images"
    if m.profile is Profile.FULL:
        return arrays, State.SUBSET, False, words + ", because the whole is not in the data cache"
    return arrays, State.SUBSET, True, words


def _fashion(m: Making) -> Content:
    if m.cached is not None:
        return _cached("Fashion-MNIST", m.cached, m.profile)
    labels = np.arange(10 * (GENERATED_TRAIN + GENERATED_TEST), dtype=np.uint8) % 10
    images = drawing.pictures(labels, 10, 28, seed=28)
    grey = (images @ np.array([0.3, 0.6, 0.1])).astype(np.uint8)
    n = 10 * GENERATED_TRAIN
    words = f"Fashion-MNIST: generated shapes in its place, {n:,} training and {len(labels) - n} test images"
    return (grey[:n], labels[:n], grey[n:], labels[n:]), State.STAND_IN, False, words


def _make(
    content: Callable[[Making], Content],
    unless: str,
    when: str,
    loaders: tuple[str, ...],
) -> Callable[[Making], Made]:
    def make(m: Making) -> Made:
        arrays, state, judged, words = content(m)
        served: list[Served] = []
        md5: list[str] = []
        for name, array in zip(FILES, arrays, strict=True):
            path = m.folder / f"{name}.gz"
            formats.write_idx(path, array)
            pattern = f"(?i)^(?!.*({unless})).*{when}.*{name.replace('-', '[-.]')}"
            served.append(Served(match=pattern + r"\.gz$", file=m.inside(path)))
            md5.append(formats.md5(path))
        path = m.folder / f"{m.id}.npz"
        x, y, tx, ty = arrays
        formats.write_npz(path, x_train=x, y_train=y, x_test=tx, y_test=ty)
        served.append(Served(match=rf"/{path.name}$", file=m.inside(path)))
        md5.append(formats.md5(path))
        links = (Link(path=path.name, target=m.inside(path)),)
        return Made(
            state=state, words=words, judged=judged, served=tuple(served), links=links, md5=tuple(md5),
            loaders=loaders, classes=10,
        )  # fmt: skip

    return make


def _held_out(with_shipped: bool) -> Callable[[Profile, Path | None], tuple[Bytes, Bytes] | None]:
    def held_out(profile: Profile, cached: Path | None) -> tuple[Bytes, Bytes] | None:
        if cached is not None:
            _, _, tx, ty = read(cached)
            full = profile is Profile.FULL
            chosen = (draw.halves(ty) if full else draw.test_sets(ty, TEST, HELD_OUT))[1]
            return tx[chosen], ty[chosen]
        if with_shipped and profile is Profile.SMOKE:
            data = shipped()
            return data["x_held_out"], data["y_held_out"]
        return None

    return held_out


def _seen(content: Callable[[Making], Content]) -> Callable[[Profile, Path | None], Arrays | None]:
    def seen(profile: Profile, cached: Path | None) -> Arrays | None:
        arrays, state, judged, _ = content(Making(profile, cached, Path(), ""))
        return arrays if judged and state is not State.STAND_IN else None

    return seen


def _sources(base: str, md5: tuple[str, ...]) -> tuple[Source, ...]:
    return tuple(Source(url=f"{base}{n}.gz", name=f"{n}.gz", md5=s) for n, s in zip(FILES, md5, strict=True))


SHAPE = "a folder with the four IDX files, gzipped or not"

RESOURCES = (
    Resource(
        id="mnist",
        title="MNIST handwritten digits",
        kind=Kind.DATA_SET,
        make=_make(_mnist, "fashion|kmnist|emnist|qmnist|kuzushiji|tf-keras-datasets", "",
                   ("MNIST", "keras.datasets.mnist")),
        recognise=recognise,
        sources=_sources(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
             "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        shipped=True,
        licence="CC BY-SA 3.0; Y. LeCun, C. Cortes, C. Burges",
        held_out=_held_out(True),
        seen=_seen(_mnist),
        shape=SHAPE,
    ),
    Resource(
        id="fashion-mnist",
        title="Fashion-MNIST",
        kind=Kind.DATA_SET,
        make=_make(_fashion, "kmnist|emnist|qmnist", "(fashion|tf-keras-datasets)",
                   ("FashionMNIST", "keras.datasets.fashion_mnist")),
        recognise=recognise,
        sources=_sources(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
             "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        also=("fashion_mnist", "fmnist"),
        licence="MIT; Zalando SE",
        held_out=_held_out(False),
        seen=_seen(_fashion),
        shape=SHAPE,
    ),
)  # fmt: skip
