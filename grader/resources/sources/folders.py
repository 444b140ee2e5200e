"""Folders of photos, one folder a class: the assignment's own (``data/train``), and well known ones
that notebooks download as an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from grader.evidence.model import Profile
from grader.resources import draw, drawing, formats
from grader.resources.base import Kind, Link, Made, Making, Resource, Served, Source, State
from grader.resources.sources.flowers102 import link_or_copy

Counts: TypeAlias = dict[str, int]
FEW: Counts = {"train": 4, "val": 2}
"""Photos of each class in the smoke profile, where a VGG16 runs over them on a CPU."""
MORE: Counts = {"train": 8, "val": 2}
"""The same for a data set that notebooks split themselves, which they do with lighter models."""
CLASSES = 5
"""At most so many classes in the smoke profile."""
SIZE = 128
IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "test")}

UNDER = (
    "", "data/", "dataset/", "datasets/", "images/", "data/images/", "image_data/", "my_dataset/",
    "small_dataset/", "custom_dataset/", "your_dataset/", "path_to_data/", "path_to_dataset/", "path/to/",
    "path/to/data/",
    "path/to/dataset/", "path/to/your/dataset/", "/path/to/", "/path/to/data/", "/path/to/dataset/",
    "/path/to/your/dataset/", "/path/to/your/data/", "/data/", "/dataset/", "/kaggle/input/dataset/",
    "/kaggle/input/data/", "/kaggle/working/data/", "drive/MyDrive/",
    "drive/MyDrive/data/", "drive/MyDrive/dataset/",
)  # fmt: skip
CALLED = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "val"}
"""The names that students give the two parts; a test folder gets the validation photos."""


def _photos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES) if folder.is_dir() else []


def _classes(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        return {}
    found = {
        d.name: _photos(d) for d in sorted(folder.iterdir()) if d.is_dir() and not d.name.startswith(".")
    }
    return {name: photos for name, photos in found.items() if photos}


def read(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """``{"train": {class: photos}, "val": …}`` of a folder that is split, or of plain class folders,
    of which a fifth, drawn by name with a fixed seed, is taken for validation."""
    parts = {
        part: next((c for n in names if (c := _classes(folder / n))), {}) for part, names in SPLITS.items()
    }
    if parts["train"] and parts["val"]:
        return parts
    whole = parts["train"] or _classes(folder)
    for name, photos in whole.items():
        by_name = {p.name: p for p in photos}
        val = set(draw.names(by_name, max(1, len(photos) // 5)))
        parts["train"][name] = [p for n, p in by_name.items() if n not in val]
        parts["val"][name] = [p for n, p in by_name.items() if n in val]
    return parts


def recognise(folder: Path) -> bool:
    return folder.is_dir() and len(read(folder)["train"]) >= 2


def _generate(target: Path, classes: tuple[str, ...], seed: int, counts: Counts) -> int:
    random = np.random.default_rng(seed)
    for part, count in counts.items():
        for label, name in enumerate(classes):
            (target / part / name).mkdir(parents=True)
            for i in range(count):
                picture = drawing.picture(label, len(classes), SIZE, random)
                (target / part / name / f"{name}_{part}_{i:03d}.jpg").write_bytes(drawing.jpeg(picture))
    return len(classes) * sum(counts.values())


def _take(target: Path, cached: Path, profile: Profile, counts: Counts) -> tuple[int, int, int]:
    """Puts the photos in place; their number, how many there are in the cache, and the classes."""
    parts = read(cached)
    names = sorted(set(parts["train"]) & set(parts["val"]))
    if profile is Profile.SMOKE:
        names = draw.names(names, CLASSES)
    taken = 0
    for part, count in counts.items():
        for name in names:
            by_name = {p.name: p for p in parts[part][name]}
            wanted = draw.names(by_name, count) if profile is Profile.SMOKE else list(by_name)
            (target / part / name).mkdir(parents=True)
            for n in wanted:
                link_or_copy(by_name[n], target / part / name / n)
            taken += len(wanted)
    return taken, sum(len(photos) for part in parts.values() for photos in part.values()), len(names)


def _make(
    title: str,
    generated: tuple[str, ...],
    roots: tuple[str, ...],
    archive: str,
    flat: bool,
    seed: int,
    counts: Counts,
) -> Callable[[Making], Made]:
    def make(m: Making) -> Made:
        folder = m.folder
        if m.cached is None:
            n, classes = _generate(folder, generated, seed, counts), len(generated)
            state, words = (
                State.STAND_IN,
                f"{title}: {n} generated pictures of {classes} classes in its place",
            )
        else:
            n, there, classes = _take(folder, m.cached, m.profile, counts)
            state = State.REAL if n == there else State.SUBSET
            words = f"{title}: {n} of {there} real photos ({m.cached.name}), {classes} classes"
        served: tuple[Served, ...] = ()
        md5: tuple[str, ...] = ()
        if archive:
            path = folder / archive
            _pack(path, folder, roots[0], flat)
            served = (Served(match=rf"(?i)/{archive.replace('.', '[.]')}([?].*)?$", file=m.inside(path)),)
            md5 = (formats.md5(path),)
            links = _flat_links(m, roots) if flat else _links(m, roots)
        else:
            links = tuple(
                Link(path=f"{under}{called}", target=m.inside(folder / part))
                for under in UNDER
                for called, part in CALLED.items()
            )
        return Made(
            state=state, words=words, judged=state is not State.STAND_IN, served=served, links=links, md5=md5,
            loaders=("ImageFolder", "flow_from_directory"), roots=roots, classes=classes,
        )  # fmt: skip

    return make


def _links(m: Making, roots: Iterable[str]) -> tuple[Link, ...]:
    return tuple(
        Link(path=f"{under}{root}/{called}", target=m.inside(m.folder / part))
        for root in roots
        for under in ("", "data/", "/kaggle/input/")
        for called, part in CALLED.items()
        if called in {"train", "val", "test"}
    )


def _flat_links(m: Making, roots: Iterable[str]) -> tuple[Link, ...]:
    """All photos of a class in one folder, as such an archive unpacks."""
    whole = m.folder / "all"
    for part in ("train", "val"):
        for photo in sorted((m.folder / part).rglob("*.*")):
            (whole / photo.parent.name).mkdir(parents=True, exist_ok=True)
            link_or_copy(photo, whole / photo.parent.name / photo.name)
    return tuple(Link(path=f"{under}{r}", target=m.inside(whole)) for r in roots for under in ("", "data/"))


def _pack(archive: Path, folder: Path, root: str, flat: bool) -> None:
    files: dict[str, bytes] = {}
    for part in ("train", "val"):
        for photo in sorted((folder / part).rglob("*.*")):
            inner = photo.relative_to(folder / part if flat else folder).as_posix()
            files[f"{root}/{inner}"] = photo.read_bytes()
    (formats.write_zip if archive.suffix == ".zip" else formats.write_tar_gz)(archive, files)


def _resource(
    id: str, title: str, generated: tuple[str, ...], roots: tuple[str, ...], url: str = "", *,
    flat: bool = False, also: tuple[str, ...] = (), licence: str = "", seed: int = 1, counts: Counts = FEW,
) -> Resource:  # fmt: skip
    archive = url.rsplit("/", 1)[-1]
    return Resource(
        id=id,
        title=title,
        kind=Kind.FOLDER,
        make=_make(title, generated, roots, archive, flat, seed, counts),
        recognise=recognise,
        sources=(Source(url=url, name=archive),) if url else (),
        also=also,
        licence=licence,
        shape="a folder of class folders, or of train and val folders that hold them",
    )


RESOURCES = (
    _resource(
        "photos", "local image folder", ("circle", "square", "triangle"), (),
        also=("image-folder", "flowers", "hymenoptera"), licence="of whoever adds it", seed=3,
    ),
    _resource(
        "hymenoptera", "Hymenoptera photos", ("ants", "bees"), ("hymenoptera_data",),
        "https://download.pytorch.org/tutorial/hymenoptera_data.zip",
        also=("hymenoptera_data",), licence="none stated; PyTorch's transfer learning tutorial", seed=4,
    ),
    _resource(
        "tf-flowers", "flower photos",
        ("daisy", "dandelion", "roses", "sunflowers", "tulips"), ("flower_photos",),
        "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
        flat=True, also=("tf_flowers", "flowers", "flower_photos"),
        licence="CC BY, by each photographer; The TensorFlow Team, 2019", seed=5, counts=MORE,
    ),
    _resource(
        "cats-and-dogs", "cats and dogs", ("cats", "dogs"), ("cats_and_dogs_filtered", "cats_and_dogs"),
        "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip",
        also=("cats_and_dogs", "cats-vs-dogs", "cats_vs_dogs"), licence="none stated", seed=6,
    ),
    _resource(
        "chest-xray", "chest X-rays", ("NORMAL", "PNEUMONIA"),
        ("chest_xray", "chest-xray-pneumonia/chest_xray"),
        also=("chest_xray",), licence="CC BY 4.0; D. Kermany et al., 2018", seed=8,
    ),
)  # fmt: skip
