"""ImageNet checkpoints of keras.applications. One that is not in the cache needs no file: the model
keeps its initial weights inside the kernel, and the evidence says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from grader.resources.base import Kind, Made, Making, Resource, Served, Source, State
from grader.resources.sources.flowers102 import link_or_copy

BASE = "https://storage.googleapis.com/tensorflow/keras-applications/"
ORDER = "weights_tf_dim_ordering_tf_kernels"
MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "keras-vgg16": ("VGG16", (f"vgg16/vgg16_{ORDER}_notop.h5", f"vgg16/vgg16_{ORDER}.h5")),
    "keras-vgg19": ("VGG19", (f"vgg19/vgg19_{ORDER}_notop.h5", f"vgg19/vgg19_{ORDER}.h5")),
    "keras-resnet50": ("ResNet50", (f"resnet/resnet50_{ORDER}_notop.h5", f"resnet/resnet50_{ORDER}.h5")),
    "keras-inception-v3": (
        "InceptionV3",
        (f"inception_v3/inception_v3_{ORDER}_notop.h5", f"inception_v3/inception_v3_{ORDER}.h5"),
    ),
    "keras-xception": ("Xception", (f"xception/xception_{ORDER}_notop.h5", f"xception/xception_{ORDER}.h5")),
    "keras-mobilenet-v2": (
        "MobileNetV2",
        (
            f"mobilenet_v2/mobilenet_v2_{ORDER}_1.0_224_no_top.h5",
            f"mobilenet_v2/mobilenet_v2_{ORDER}_1.0_224.h5",
        ),
    ),
}


def _names(id: str) -> tuple[str, ...]:
    return tuple(path.rsplit("/", 1)[1] for path in MODELS[id][1])


def _make(id: str) -> Callable[[Making], Made]:
    def make(m: Making) -> Made:
        there = [n for n in _names(id) if m.cached is not None and (m.cached / n).is_file()]
        for name in there:
            assert m.cached is not None
            link_or_copy(m.cached / name, m.folder / name)
        title = MODELS[id][0]
        if not there:
            words = f"{title}: random weights in place of the ImageNet checkpoint"
            return Made(state=State.STAND_IN, words=words, judged=False)
        return Made(
            state=State.REAL,
            words=f"{title}: real weights ({', '.join(there)})",
            served=tuple(Served(match=rf"/{re.escape(n)}$", file=m.inside(m.folder / n)) for n in there),
            loaders=(f"keras.applications.{title}",),
        )

    return make


def _recognise(id: str) -> Callable[[Path], bool]:
    return lambda folder: folder.is_dir() and any((folder / n).is_file() for n in _names(id))


RESOURCES = tuple(
    Resource(
        id=id,
        title=f"Keras {title}, ImageNet weights",
        kind=Kind.WEIGHTS,
        make=_make(id),
        recognise=_recognise(id),
        sources=tuple(Source(url=BASE + path, name=path.rsplit("/", 1)[1]) for path in paths),
        also=(f"{id}-imagenet",),
        licence="of each model's authors; see Keras' documentation",
        shape="the official HDF5 file, under its name",
    )
    for id, (title, paths) in MODELS.items()
)
