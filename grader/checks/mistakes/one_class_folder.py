"""A folder of images was opened one level too high: everything in it is one class."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes.base import Mistake, Words
from grader.checks.mistakes.observed import line_about, uses

WORDS = Words(
    name="one_class_folder",
    title="The folder gives a single class",
    why="With one class every answer is right: an accuracy of 100 % says nothing.",
    hint="Compare the names of the folders below the path with the classes that you expect.",
    needs="data",
)
_LOADERS = ("ImageFolder", "flow_from_directory", "image_dataset_from_directory")


def find(case: Case) -> list[Mistake]:
    """From the classes that the loader found in the run; folders without labels are meant to have none."""
    found = [d for d in uses(case) if d.loader.endswith(_LOADERS) and d.size > 0]
    training = [d for d in found if d.split in ("train", "unknown", "all")]
    if any(d.classes and d.classes > 1 for d in training):
        return []
    for d in training:
        if d.classes != 1 or line_about(case, r"class_mode\s*=\s*None|labels\s*=\s*None"):
            continue
        loader = d.loader.rpartition(".")[2]
        return [
            WORDS.seen(
                f"{loader} found one class in {d.size} images of `{d.path}`.",
                line_about(case, loader, (d.piece,)) or line_about(case, loader),
                classes=1,
                images=d.size,
            )
        ]
    return []


KIND = WORDS.kind(find)
