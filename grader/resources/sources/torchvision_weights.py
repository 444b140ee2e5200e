"""ImageNet checkpoints of torchvision. One that is not in the cache is stood in for by random weights
of the same names and shapes, at a scale that keeps activations finite through any depth."""

from __future__ import annotations

import json
import math
import re
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.resources.base import Kind, Made, Making, Resource, Served, Source, State
from grader.resources.sources.flowers102 import link_or_copy

BASE = "https://download.pytorch.org/models/"
CHECKPOINTS = {
    "alexnet": ("alexnet-owt-7be5be79", "alexnet-owt-4df8aa71"),
    "vgg11": ("vgg11-8a719046", "vgg11-bbd30ac9"),
    "vgg13": ("vgg13-19584684", "vgg13-c768596a"),
    "vgg16": ("vgg16-397923af",),
    "vgg19": ("vgg19-dcbb9e9d",),
    "vgg16_bn": ("vgg16_bn-6c64b313",),
    "googlenet": ("googlenet-1378be20",),
    "inception_v3": ("inception_v3_google-0cc3c7bd", "inception_v3_google-1a9a5a14"),
    "resnet18": ("resnet18-f37072fd", "resnet18-5c106cde"),
    "resnet34": ("resnet34-b627a593", "resnet34-333f7ec4"),
    "resnet50": ("resnet50-0676ba61", "resnet50-11ad3fa6", "resnet50-19c8e357"),
    "mobilenet_v2": ("mobilenet_v2-b0353104", "mobilenet_v2-7ebf99e0"),
    "squeezenet1_0": ("squeezenet1_0-b66bff10",),
    "squeezenet1_1": ("squeezenet1_1-b8a52dc0",),
    "densenet121": ("densenet121-a639ec97",),
    "efficientnet_b0": ("efficientnet_b0_rwightman-7f5810bc", "efficientnet_b0_rwightman-3dd342df"),
}
"""Official files by model: the name ends in the first digits of the file's SHA-256."""

WHOLE = 40_000
"""A tensor of up to so many elements is stored whole; a larger one as overlapping rows."""
SHIFT = 61


def stand_in(model: str) -> dict[str, Any]:
    """A state dict of ``model`` with random values after He et al. (2015), fan-in mode, gain 2.

    A large matrix is a strided view in which each row starts `SHIFT` elements after the one before
    (a Hankel-like matrix): saved, VGG16 takes a few megabytes instead of 528. The last normalisation
    of a residual branch is scaled down, as deep residual networks do not keep their scale otherwise.
    """
    import torch
    from torchvision import models

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GoogLeNet speaks of its initial weights
        shapes = models.get_model(model, weights=None).state_dict()
    random = torch.Generator().manual_seed(zlib.crc32(model.encode()))
    residual = re.compile(r"layer\d+\.\d+\.bn(3|2)\.weight$")
    deepest = "3" if any("bn3" in name for name in shapes) else "2"
    state: dict[str, Any] = {}
    for name, shape in shapes.items():
        size = tuple(shape.shape)
        if not shape.is_floating_point():
            state[name] = torch.zeros(size, dtype=shape.dtype)
        elif len(size) >= 2:
            fan_in = math.prod(size[1:])
            std = math.sqrt(2 / fan_in)
            if math.prod(size) <= WHOLE:
                state[name] = torch.randn(size, generator=random) * std
            else:
                base = torch.randn(size[0] * SHIFT + fan_in, generator=random) * std
                inner = [math.prod(size[i + 1 :]) for i in range(1, len(size))]
                state[name] = base.as_strided(size, (SHIFT, *inner))
        elif name.endswith(("running_var", "weight")):
            found = residual.search(name)
            state[name] = torch.full(size, 0.2 if found and found[1] == deepest else 1.0)
        else:
            state[name] = torch.zeros(size)
    return state


def _local(folder: Path, model: str) -> list[Path]:
    """Checkpoints of the model in a folder: official names first, then others that begin with its name."""
    official = [p for n in CHECKPOINTS[model] if (p := folder / f"{n}.pth").is_file()]
    like = re.compile(rf"{re.escape(model)}([-_.](?!bn).*)?$")
    others = [p for p in sorted(folder.glob("*.pth")) if like.match(p.stem) and p not in official]
    return official + others


def _read(path: Path, model: str) -> tuple[dict[str, Any], list[str]] | None:
    """The tensors of a local checkpoint in single precision, with stand-ins for what it lacks, and the
    names of those; None if it is not of this model. A checkpoint of ``features`` alone is accepted."""
    import torch

    given = torch.load(path, map_location="cpu", weights_only=True)
    wanted = stand_in(model)
    if not any(name in wanted for name in given):
        given = {f"features.{name}": value for name, value in given.items()}
    fits = {n: v for n, v in given.items() if n in wanted and v.shape == wanted[n].shape}
    if len(fits) < len(wanted) / 2:
        return None
    state = {n: fits[n].to(v.dtype).contiguous() if n in fits else v for n, v in wanted.items()}
    return state, [n for n in wanted if n not in fits]


def _make(model: str) -> Callable[[Making], Made]:
    def make(m: Making) -> Made:
        import torch

        local = _local(m.cached, model) if m.cached is not None else []
        official = {p.stem: p for p in local if p.stem in CHECKPOINTS[model]}
        missing: list[str] = []
        state, words = State.REAL, f"{model}: real weights ({', '.join(p.name for p in official.values())})"
        for path in official.values():
            link_or_copy(path, m.folder / path.name)
        # other versions of a checkpoint get the one that is there
        common = m.folder / f"{next(iter(official), CHECKPOINTS[model][0])}.pth"
        if not official:
            read = _read(local[0], model) if local else None
            values, missing = read or (stand_in(model), [])
            torch.save(values, common)
            if read is None:
                state = State.STAND_IN
                words = f"{model}: random weights in place of the ImageNet checkpoint"
            else:
                state = State.SUBSET if missing else State.REAL
                words = f"{model}: real weights ({local[0].name})"
                words += (
                    f"; random values for {len(missing)} tensors that it lacks: {missing[0]}, …"
                    if missing
                    else ""
                )
        served = [
            Served(
                match=rf"/{re.escape(n)}[.]pth$",
                file=m.inside(m.folder / f"{n}.pth" if n in official else common),
            )
            for n in CHECKPOINTS[model]
        ]
        _labels(m, served)
        return Made(
            state=state,
            words=words,
            judged=state is State.REAL,
            served=tuple(served),
            loaders=(f"torchvision.models.{model}",),
        )

    return make


def _labels(m: Making, served: list[Served]) -> None:
    """The names of ImageNet's classes, which notebooks download beside the weights."""
    from torchvision.models import AlexNet_Weights

    names: list[str] = AlexNet_Weights.IMAGENET1K_V1.meta["categories"]
    files = {
        "imagenet_classes.txt": "\n".join(names) + "\n",
        "imagenet-simple-labels.json": json.dumps(names),
        "imagenet_class_index.json": json.dumps({str(i): [f"class{i}", n] for i, n in enumerate(names)}),
    }
    for name, body in files.items():
        (m.folder / name).write_text(body, encoding="utf-8")
        pattern = rf"(?i)/{re.escape(name).replace('_', '[_-]')}"
        served.append(Served(match=pattern + r"([?].*)?$", file=m.inside(m.folder / name)))


def _recognise(model: str) -> Callable[[Path], bool]:
    return lambda folder: folder.is_dir() and bool(_local(folder, model))


RESOURCES = tuple(
    Resource(
        id=model,
        title=f"torchvision {model}, ImageNet weights",
        kind=Kind.WEIGHTS,
        make=_make(model),
        recognise=_recognise(model),
        sources=tuple(
            Source(url=f"{BASE}{n}.pth", name=f"{n}.pth", sha256=n.rsplit("-", 1)[1]) for n in names[:2]
        ),
        also=(f"{model}-imagenet", "weights"),
        licence="BSD 3-Clause (torchvision); trained on ImageNet",
        shape="a state dict saved by torch, the official file or one with the same names and shapes",
    )
    for model, names in CHECKPOINTS.items()
)
