"""Keras and TensorFlow: ``keras.datasets``, ``keras.applications``, ``tensorflow_datasets``.

Keras' own loaders expect the official number of images, so the arrays are handed over here instead;
files that are fetched by `get_file` are answered as any URL is.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import re
import sys
from typing import Any

from . import record, serve_hooks
from . import serve_catalog as catalog

DATASETS = {"mnist": "mnist", "fashion_mnist": "fashion-mnist", "cifar10": "cifar10"}
"""By Keras' name."""
TFDS = {**DATASETS, "tf_flowers": "tf-flowers", "cats_vs_dogs": "cats-and-dogs"}
"""By the name in tensorflow_datasets."""
ITSELF = "arrays: the notebook prepares them itself"
PACKAGES = ("keras", "tensorflow", "tf_keras", "__main__")


def install() -> None:
    serve_hooks.when_imported("keras.src.backend.config", _home)
    serve_hooks.when_imported("keras.src.utils.file_utils", _checksums)
    for name, resource in DATASETS.items():
        serve_hooks.when_imported(f"keras.src.datasets.{name}", functools.partial(_dataset, name, resource))
    for name in APPLICATIONS:
        serve_hooks.when_imported(f"keras.src.applications.{name}", _application)
    serve_hooks.when_imported("tensorflow_datasets", _tfds)


APPLICATIONS = (
    "vgg16", "vgg19", "resnet", "resnet_v2", "inception_v3", "inception_resnet_v2", "mobilenet",
    "mobilenet_v2", "mobilenet_v3", "xception", "densenet", "nasnet", "efficientnet", "efficientnet_v2",
    "convnext",
)  # fmt: skip


def _home(config: Any) -> None:
    """Keras was imported in the fork server, and remembers the home folder of that time."""
    config._KERAS_DIR = os.path.join(os.path.expanduser("~"), ".keras")
    with contextlib.suppress(OSError):  # it then takes a folder in /tmp
        os.makedirs(config._KERAS_DIR, exist_ok=True)


def _checksums(file_utils: Any) -> None:
    original = file_utils.validate_file

    @functools.wraps(original)
    def validate_file(fpath: Any, *arguments: Any, **options: Any) -> bool:
        return bool(original(fpath, *arguments, **options)) or catalog.accepts(fpath)

    file_utils.validate_file = validate_file


def _note(resource: str, loader: str, split: str, size: int, path: str = "") -> None:
    made = catalog.made(resource) or {}
    record.emit(
        "dataset",
        dataset=resource,
        loader=loader,
        split=split,
        size=size,
        classes=made.get("classes"),
        path=path,
        stand_in=not made.get("judged", True),
        preprocessing={"steps": [], "known": False, "unknown_steps": [ITSELF]},
    )


# ---------------------------------------------------------------- keras.datasets


def _arrays(resource: str) -> dict[str, Any]:
    import numpy as np

    with np.load(catalog.file(f"{resource}/{resource}.npz"), allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def _dataset(name: str, resource: str, module: Any) -> None:
    original = module.load_data

    @functools.wraps(original)
    def load_data(*arguments: Any, **options: Any) -> Any:
        made = catalog.made(resource)
        if made is None:
            return original(*arguments, **options)
        data = _arrays(resource)
        if name == "cifar10":
            from keras import backend

            for part in ("train", "test"):
                data[f"y_{part}"] = data[f"y_{part}"].reshape(-1, 1)
                if backend.image_data_format() == "channels_first":
                    data[f"x_{part}"] = data[f"x_{part}"].transpose(0, 3, 1, 2)
        loader = f"keras.datasets.{name}.load_data"
        record.emit("substitution", asked=loader, given=made["words"], stand_in=not made["judged"])
        _note(resource, loader, "train", len(data["y_train"]))
        _note(resource, loader, "test", len(data["y_test"]))
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])

    module.load_data = load_data
    serve_hooks.replace_everywhere(original, load_data, *PACKAGES)


# ---------------------------------------------------------------- keras.applications


def _application(module: Any) -> None:
    for name, function in list(vars(module).items()):
        if (
            not inspect.isfunction(function)
            or not name[0].isupper()
            or function.__module__ != module.__name__
        ):
            continue
        signature = inspect.signature(function)
        if "weights" in signature.parameters and "include_top" in signature.parameters:
            wrapped = _random_weights(name, function, signature)
            setattr(module, name, wrapped)
            serve_hooks.replace_everywhere(function, wrapped, *PACKAGES)


def _random_weights(name: str, function: Any, signature: inspect.Signature) -> Any:
    """ImageNet weights where the bundle has them, else the model's own initial ones, and a note."""

    @functools.wraps(function)
    def build(*arguments: Any, **options: Any) -> Any:
        try:
            bound = signature.bind(*arguments, **options)
        except TypeError:
            return function(*arguments, **options)  # which says what is wrong
        bound.apply_defaults()
        if bound.arguments["weights"] != "imagenet" or catalog.by_loader(f"keras.applications.{name}"):
            return function(*arguments, **options)
        if bound.arguments["include_top"] and bound.arguments.get("classes", 1000) != 1000:
            return function(*arguments, **options)  # refused by Keras in its own words
        record.emit(
            "substitution",
            asked=f"keras.applications.{name}(weights='imagenet')",
            given=f"{name}: random weights in place of the ImageNet checkpoint",
            stand_in=True,
        )
        bound.arguments["weights"] = None
        return function(*bound.args, **bound.kwargs)

    return build


# ---------------------------------------------------------------- tensorflow_datasets


def _tfds(tfds: Any) -> None:
    original = tfds.load

    @functools.wraps(original)
    def load(name: str, *, split: Any = None, **options: Any) -> Any:
        base = re.split(r"[:/]", name)[0]
        resource = TFDS.get(base, "")
        made = catalog.made(resource)
        asked = f"tfds.load({name!r})"
        if made is None:
            import urllib.error

            catalog.refused(asked)
            raise urllib.error.URLError(f"{asked}: {catalog.NO_NETWORK}")
        record.emit("substitution", asked=asked, given=made["words"], stand_in=not made["judged"])
        info = tfds.builder(base, data_dir=os.path.join(os.path.expanduser("~"), "tensorflow_datasets")).info
        parts = _parts(resource, info)
        _sizes(tfds, info, parts)
        if split is None:
            split = {part: part for part in parts}
        supervised, batch = bool(options.get("as_supervised")), options.get("batch_size")
        given = _each(split, lambda said: _stream(info, resource, parts, str(said), supervised, batch))
        return (given, info) if options.get("with_info") else given

    tfds.load = load
    for module in [m for n, m in list(sys.modules.items()) if n.startswith("tensorflow_datasets") and m]:
        if getattr(module, "load", None) is original:
            setattr(module, "load", load)  # noqa: B010


def _each(split: Any, make: Any) -> Any:
    if isinstance(split, dict):
        return {key: _each(value, make) for key, value in split.items()}
    if isinstance(split, (list, tuple)):
        return type(split)(_each(value, make) for value in split)
    return make(split)


def _parts(resource: str, info: Any) -> dict[str, list[tuple[Any, int]]]:
    """``{"train": [(array or path, label), …], …}`` in a fixed, mixed order."""
    if resource in DATASETS.values():
        data = _arrays(resource)
        images = {p: data[f"x_{p}"].reshape(*data[f"x_{p}"].shape[:3], -1) for p in ("train", "test")}
        return {p: [(x, int(y)) for x, y in zip(images[p], data[f"y_{p}"], strict=True)] for p in images}
    names = list(info.features["label"].names)
    root = catalog.file(resource)
    found = []
    for part in ("train", "val"):
        for folder in sorted(os.listdir(os.path.join(root, part))):
            label = _class(folder, names)
            inner = os.path.join(root, part, folder)
            found += [(os.path.join(inner, file), label) for file in sorted(os.listdir(inner))]
    # one after the other of each class, so that every slice holds all of them
    turn: dict[int, int] = {}
    order = []
    for path, label in found:
        turn[label] = turn.get(label, -1) + 1
        order.append((turn[label], label, path))
    return {"train": [(path, label) for _, label, path in sorted(order)]}


def _class(folder: str, names: list[str]) -> int:
    for name in (folder, folder.rstrip("s"), folder + "s"):
        if name in names:
            return names.index(name)
    raise ValueError(f"{folder} is none of {names}")


def _sizes(tfds: Any, info: Any, parts: dict[str, list[tuple[Any, int]]]) -> None:
    """What ``info.splits`` says, in tensorflow_datasets' own classes."""
    from tensorflow_datasets.core import splits

    sized = [splits.SplitInfo(name=p, shard_lengths=[len(items)], num_bytes=0) for p, items in parts.items()]
    info.set_splits(splits.SplitDict(sized))


SPEC = re.compile(r"^(\w+)(?:\[(-?\d*%?):(-?\d*%?)\])?$")


def _slice(parts: dict[str, list[tuple[Any, int]]], said: str) -> list[tuple[Any, int]]:
    """``train``, ``train[:80%]``, ``test[100:]``, ``train+test``; percentages are rounded."""
    chosen: list[tuple[Any, int]] = []
    for term in said.replace(" ", "").split("+"):
        found = SPEC.match(term)
        if found is None or (found[1] not in parts and found[1] != "all"):
            raise ValueError(f"Unknown split {said!r}. Should be one of {sorted(parts)}.")
        items = parts[found[1]] if found[1] in parts else [i for p in parts.values() for i in p]
        ends = [_position(text, len(items)) for text in (found[2], found[3])]
        chosen += items[ends[0] : ends[1]]
    return chosen


def _position(text: str | None, size: int) -> int | None:
    if not text:
        return None
    return round(int(text[:-1]) * size / 100) if text.endswith("%") else int(text)


def _stream(
    info: Any, resource: str, parts: dict[str, list[tuple[Any, int]]], said: str, supervised: bool, batch: Any
) -> Any:
    import tensorflow as tf

    items = _slice(parts, said)
    name = said.split("[")[0].split("+")[0]
    split = {"train": "train", "test": "test", "validation": "validation"}.get(name, "unknown")
    _note(resource, "tensorflow_datasets.load", split, len(items), said)

    def each() -> Any:
        from PIL import Image

        for image, label in items:
            if isinstance(image, str):
                import numpy as np

                with Image.open(image) as opened:
                    yield np.asarray(opened.convert("RGB")), label
            else:
                yield image, label

    shape = tuple(info.features["image"].shape)
    form = (tf.TensorSpec(shape, tf.uint8), tf.TensorSpec((), tf.int64))
    stream = tf.data.Dataset.from_generator(each, output_signature=form)
    stream = stream.apply(tf.data.experimental.assert_cardinality(len(items)))
    if not supervised:
        stream = stream.map(lambda image, label: {"image": image, "label": label})
    if batch is not None:
        stream = stream.batch(len(items) if batch == -1 else batch)
    return stream
