"""Which folders of images a notebook opens through Keras, with how many images and classes."""

from __future__ import annotations

import functools
import os
from typing import Any

from . import record, serve_hooks
from . import serve_catalog as catalog


def install() -> None:
    """Acts when Keras's modules are imported; imports nothing itself."""
    serve_hooks.when_imported("keras.src.utils.image_dataset_utils", _utility)
    serve_hooks.when_imported("keras.src.legacy.preprocessing.image", _generator)
    serve_hooks.install()


def _utility(module: Any) -> None:
    """`image_dataset_from_directory`, which gives one data set or, with ``subset="both"``, two."""
    original = module.image_dataset_from_directory

    @functools.wraps(original)
    def image_dataset_from_directory(directory: Any, *arguments: Any, **options: Any) -> Any:
        found = original(directory, *arguments, **options)
        both = isinstance(found, (tuple, list))
        parts = (
            zip(("training", "validation"), found, strict=True) if both else ((options.get("subset"), found),)
        )
        for subset, part in parts:
            names, files = getattr(part, "class_names", None), getattr(part, "file_paths", None)
            _note(directory, "keras.utils.image_dataset_from_directory", subset, files, names)
        return found

    module.image_dataset_from_directory = image_dataset_from_directory
    serve_hooks.replace_everywhere(original, image_dataset_from_directory, "keras", "tensorflow", "__main__")


def _generator(module: Any) -> None:
    """`ImageDataGenerator.flow_from_directory`: the iterator that it makes."""
    original = module.DirectoryIterator.__init__

    @functools.wraps(original)
    def __init__(self: Any, directory: Any, *arguments: Any, **options: Any) -> None:
        original(self, directory, *arguments, **options)
        names = getattr(self, "class_indices", None)
        files = getattr(self, "filenames", None)
        _note(directory, "ImageDataGenerator.flow_from_directory", options.get("subset"), files, names)

    module.DirectoryIterator.__init__ = __init__


def _note(directory: Any, loader: str, subset: Any, files: Any, names: Any) -> None:
    try:
        id = catalog.by_path(directory) or "image-folder"
        made = catalog.made(id)
        record.emit(
            "dataset",
            dataset=id,
            loader=loader,
            split=_split(subset, directory),
            size=len(files or ()),
            classes=len(names) if names else None,
            path=str(directory),
            stand_in=bool(made and not made["judged"]),
        )
    except Exception:
        return


def _split(subset: Any, directory: Any) -> str:
    """As asked for by name, else as the folder is called."""
    if subset in ("training", "validation"):
        return "train" if subset == "training" else "validation"
    last = os.path.basename(os.path.normpath(os.fspath(directory))).lower()
    if last.startswith("val"):
        return "validation"
    return {"train": "train", "training": "train", "test": "test"}.get(last, "unknown")
