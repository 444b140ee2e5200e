"""The image that an assignment promises, under the names that students give it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from grader.resources import drawing
from grader.resources.base import Kind, Link, Made, Making, Resource, Served, State

STEMS = (
    "sample", "sample_image", "sample_img", "image", "img", "input", "input_image", "test", "test_image",
    "test_img", "example", "example_image", "your_image", "my_image", "path_to_image", "path_to_your_image",
    "photo", "picture", "cat", "dog", "bird", "car", "flower", "elephant", "tiger", "lion", "panda", "person",
)  # fmt: skip
UNDER = ("", "data/", "images/", "path/to/", "path/to/your/", "/path/to/", "/path/to/your/", "drive/MyDrive/")
ENDINGS = {"jpg": "sample.jpg", "jpeg": "sample.jpg", "png": "sample.png"}


def recognise(folder: Path) -> bool:
    return any(_images(folder))


def _images(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})


def make(m: Making) -> Made:
    if m.cached is None:
        image, state, words = drawing.scene(), State.STAND_IN, "sample image: a drawn scene"
    else:
        path = _images(m.cached)[0]
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        state, words = State.REAL, f"sample image: {path.name}"
    (m.folder / "sample.jpg").write_bytes(drawing.jpeg(image, 92))
    image.save(m.folder / "sample.png")
    links = [
        Link(path=f"{under}{stem}.{ending}", target=m.inside(m.folder / file))
        for under in UNDER
        for stem in STEMS
        for ending, file in ENDINGS.items()
        if under in {"", "path/to/", "/path/to/"}
        or stem in {"sample", "image", "cat", "dog", "test", "sample_image"}
    ]
    return Made(
        state=state,
        words=words,
        # nobody's accuracy hangs on one picture
        judged=True,
        served=(
            Served(match=r"(?i)^https?://.*[.]jpe?g([?].*)?$", file=m.inside(m.folder / "sample.jpg")),
            Served(match=r"(?i)^https?://.*[.]png([?].*)?$", file=m.inside(m.folder / "sample.png")),
        ),
        links=tuple(links),
    )


RESOURCES = (
    Resource(
        id="sample-image",
        title="sample image",
        kind=Kind.FILE,
        make=make,
        recognise=recognise,
        also=("sample", "sample_image"),
        licence="drawn by the project, or of whoever adds one",
        shape="a JPEG or PNG file",
    ),
)
