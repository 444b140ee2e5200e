"""Oxford Flowers 102, in the layout of torchvision's loader: one archive and two .mat files."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat, savemat

from grader.evidence.model import Profile
from grader.resources import draw, drawing, formats
from grader.resources.base import Kind, Made, Making, Resource, Served, Source, State

BASE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/"
ARCHIVE, LABELS, SPLITS = "102flowers.tgz", "imagelabels.mat", "setid.mat"
SIZES = {"trnid": 12, "valid": 6, "tstid": 12}
"""Images in each split in the smoke profile: a network of VGG's size must get through them on a CPU."""


def recognise(folder: Path) -> bool:
    return all((folder / n).is_file() for n in (ARCHIVE, LABELS, SPLITS))


def _mat(path: Path, values: dict[str, list[int]]) -> None:
    out = io.BytesIO()
    savemat(out, {name: np.array([v], np.uint8 if max(v) < 256 else np.uint16) for name, v in values.items()})
    body = out.getvalue()
    # the header's free text carries the time of writing
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + body[116:])


def _write(m: Making, images: list[tuple[bytes, int]], splits: dict[str, list[int]]) -> None:
    named = {f"jpg/image_{i:05d}.jpg": body for i, (body, _) in enumerate(images, 1)}
    formats.write_tar_gz(m.folder / ARCHIVE, named)
    _mat(m.folder / LABELS, {"labels": [label for _, label in images]})
    _mat(m.folder / SPLITS, splits)


def _consecutive() -> dict[str, list[int]]:
    ends = np.cumsum([0, *SIZES.values()])
    return {
        n: list(range(int(a) + 1, int(b) + 1)) for n, a, b in zip(SIZES, ends[:-1], ends[1:], strict=True)
    }


def _generate(m: Making) -> str:
    splits = _consecutive()
    random = np.random.default_rng(102)
    images = []
    for ids in splits.values():
        for i in range(len(ids)):
            label = 1 + 17 * (i % 6)
            picture = Image.fromarray(drawing.picture(label // 17, 6, 128, random))
            images.append((drawing.jpeg(picture.resize((256, 256), Image.Resampling.BICUBIC)), label))
    _write(m, images, splits)
    return f"Flowers102: generated pictures in its place, {len(images)} in all"


def _subset(m: Making, cached: Path) -> str:
    labels = loadmat(cached / LABELS, squeeze_me=True)["labels"]
    official = loadmat(cached / SPLITS, squeeze_me=True)
    chosen = {n: sorted(official[n].tolist(), key=draw.rank)[:k] for n, k in SIZES.items()}
    wanted = [i for ids in chosen.values() for i in ids]
    bodies: dict[int, bytes] = {}
    with tarfile.open(cached / ARCHIVE) as tar:
        for member in tar:
            stem = Path(member.name).stem.removeprefix("image_")
            file = tar.extractfile(member) if stem.isdigit() and int(stem) in wanted else None
            if file is not None:
                bodies[int(stem)] = file.read()
    _write(m, [(bodies[i], int(labels[i - 1])) for i in wanted], _consecutive())
    return f"Flowers102: a real subset of {len(wanted)} images"


def make(m: Making) -> Made:
    if m.cached is None:
        state, words = State.STAND_IN, _generate(m)
    elif m.profile is Profile.SMOKE:
        state, words = State.SUBSET, _subset(m, m.cached)
    else:
        state, words = State.REAL, "Flowers102: all of it"
        for name in (ARCHIVE, LABELS, SPLITS):
            link_or_copy(m.cached / name, m.folder / name)
    files = {n: m.folder / n for n in (ARCHIVE, LABELS, SPLITS)}
    return Made(
        state=state,
        words=words,
        judged=state is not State.STAND_IN,
        served=tuple(Served(match=rf"flowers/102/{n}$", file=m.inside(p)) for n, p in files.items()),
        md5=tuple(formats.md5(p) for p in files.values()),
        loaders=("Flowers102",),
        roots=("flowers-102",),
        classes=102,
    )


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows one, else a copy: large files are not doubled."""
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())


RESOURCES = (
    Resource(
        id="flowers102",
        title="Oxford Flowers 102",
        kind=Kind.DATA_SET,
        make=make,
        recognise=recognise,
        sources=(
            Source(url=BASE + ARCHIVE, name=ARCHIVE, md5="52808999861908f626f3c1f4e79d11fa"),
            Source(url=BASE + LABELS, name=LABELS, md5="e0620be6f572b9609742df49c70aed4d"),
            Source(url=BASE + SPLITS, name=SPLITS, md5="a5357ecc9cb78c4bef273ce3793fc85c"),
        ),
        also=("flowers-102", "oxford-flowers"),
        licence="none stated; M.-E. Nilsback, A. Zisserman, 2008",
        shape=f"a folder with {ARCHIVE}, {LABELS} and {SPLITS}",
    ),
)
