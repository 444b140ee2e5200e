"""CIFAR-10: the official archive, or an npz file with the same arrays in the data cache."""

from __future__ import annotations

import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from grader.evidence.model import Profile
from grader.resources import draw, drawing, formats
from grader.resources.base import Bytes, Kind, Link, Made, Making, Resource, Served, Source, State

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "cifar-10-python.tar.gz"
TRAIN, TEST, HELD_OUT = 10, 5, 20
"""Images of each class in the smoke profile: few, because GoogLeNet and VGG run on them on a CPU."""


class _Plain(pickle.Unpickler):
    """Reads the official batches: strings, lists and arrays of numpy, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in {"_reconstruct", "ndarray", "dtype"}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a CIFAR batch")


def _official(archive: Path) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    parts: dict[str, tuple[Bytes, Bytes]] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            file = tar.extractfile(member) if "batch" in name and "meta" not in name else None
            if file is not None:
                batch = _Plain(file, encoding="latin1").load()
                rows = np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
                parts[name] = rows, np.asarray(batch["labels"], np.uint8)
    train = [parts[f"data_batch_{i}"] for i in range(1, 6)]
    x, y = np.concatenate([p[0] for p in train]), np.concatenate([p[1] for p in train])
    return x, y, *parts["test_batch"]


def read(folder: Path) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Training images (NHWC) and labels, test images and labels.

    :raises ValueError: the npz file lacks an array or its shapes do not fit.
    """
    if (folder / ARCHIVE).is_file():
        return _official(folder / ARCHIVE)
    path = sorted(folder.glob("*.npz"))[0]
    with np.load(path, allow_pickle=False) as data:
        wanted = ("x_train", "y_train", "x_test", "y_test")
        if missing := [n for n in wanted if n not in data.files]:
            raise ValueError(f"{path} has no array {missing[0]}")
        x, y, tx, ty = (np.asarray(data[n], np.uint8) for n in wanted)
    if x.shape[1:] != (32, 32, 3) or len(x) != y.size or len(tx) != ty.size:
        raise ValueError(f"{path}: images must be N x 32 x 32 x 3 with one label each")
    return x, y.reshape(-1), tx, ty.reshape(-1)


def recognise(folder: Path) -> bool:
    return (folder / ARCHIVE).is_file() or any(folder.glob("*.npz"))


def _content(m: Making) -> tuple[tuple[Bytes, Bytes, Bytes, Bytes], State, bool, str]:
    if m.cached is None:
        n = 10 * TRAIN
        labels = np.arange(n + 10 * TEST, dtype=np.uint8) % 10
        # Told by hue alone, 100 pictures would do: no network would overfit as it does on photographs.
        images = drawing.pictures(labels, 10, 32, seed=10, hue=False)
        words = f"CIFAR-10: generated pictures in its place, {n} training and {len(labels) - n} test images"
        return (images[:n], labels[:n], images[n:], labels[n:]), State.STAND_IN, False, words
    x, y, tx, ty = read(m.cached)
    if m.profile is Profile.SMOKE:
        a, b = draw.by_class(y, TRAIN), draw.test_sets(ty, TEST, HELD_OUT)[0]
        words = f"CIFAR-10: a real subset of {len(a)} training and {len(b)} test images"
        return (x[a], y[a], tx[b], ty[b]), State.SUBSET, True, words
    seen, _ = draw.halves(ty)
    words = f"CIFAR-10: {len(x):,} of 50,000 real training images and {len(seen):,} test images"
    whole = len(x) == 50_000
    return (
        (x, y, tx[seen], ty[seen]),
        State.REAL if whole else State.SUBSET,
        whole,
        words + ("; the others are held out" if whole else ", because the whole is not in the data cache"),
    )


def make(m: Making) -> Made:
    (x, y, tx, ty), state, judged, words = _content(m)
    flat, tflat = (a.transpose(0, 3, 1, 2).reshape(len(a), 3072) for a in (x, tx))
    files: dict[str, bytes] = {}
    for i, (rows, labels) in enumerate(zip(np.array_split(flat, 5), np.array_split(y, 5), strict=True), 1):
        files[f"data_batch_{i}"] = formats.cifar_batch(rows, labels.tolist(), f"training batch {i} of 5")
    files["test_batch"] = formats.cifar_batch(tflat, ty.tolist(), "testing batch 1 of 1")
    files["batches.meta"] = formats.cifar_meta(NAMES, len(y) // 5)
    archive = m.folder / ARCHIVE
    formats.write_tar_gz(archive, {f"cifar-10-batches-py/{n}": body for n, body in files.items()})
    md5 = [formats.md5(archive)]
    formats.write_npz(m.folder / "cifar10.npz", x_train=x, y_train=y, x_test=tx, y_test=ty)
    unpacked = m.folder / "cifar-10-batches-py"
    unpacked.mkdir()
    for name, body in files.items():
        (unpacked / name).write_bytes(body)
        md5.append(formats.md5(unpacked / name))
    return Made(
        state=state,
        words=words,
        judged=judged,
        served=(Served(match=r"cifar-10-python\.tar\.gz$", file=m.inside(archive)),),
        links=tuple(
            Link(path=f"{folder}cifar-10-batches-py", target=m.inside(unpacked))
            for folder in ("/kaggle/input/cifar10-python/", "/kaggle/input/cifar-10/")
        ),
        md5=tuple(md5),
        loaders=("CIFAR10", "keras.datasets.cifar10"),
        roots=("cifar-10-batches-py",),
        classes=10,
    )


def seen(profile: Profile, cached: Path | None) -> tuple[Bytes, Bytes, Bytes, Bytes] | None:
    """What notebooks get; None where it is generated or not whole."""
    if cached is None:
        return None
    arrays, _, judged, _ = _content(Making(profile, cached, Path(), ""))
    return arrays if judged else None


def held_out(profile: Profile, cached: Path | None) -> tuple[Bytes, Bytes] | None:
    if cached is None:
        return None
    _, _, tx, ty = read(cached)
    full = profile is Profile.FULL
    chosen = (draw.halves(ty) if full else draw.test_sets(ty, TEST, HELD_OUT))[1]
    return tx[chosen], ty[chosen]


RESOURCES = (
    Resource(
        id="cifar10",
        title="CIFAR-10",
        kind=Kind.DATA_SET,
        make=make,
        recognise=recognise,
        sources=(
            Source(
                url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                name=ARCHIVE,
                md5="c58f30108f718f92721af3b95e74349a",
            ),
        ),
        also=("cifar-10",),
        licence="none stated; A. Krizhevsky, 2009",
        held_out=held_out,
        seen=seen,
        shape=f"{ARCHIVE}, or an npz file with x_train, y_train, x_test, y_test",
    ),
)
