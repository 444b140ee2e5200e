"""Rebuilds a student's preprocessing from its description: a known list of steps, nothing else.

Random steps (augmentation) are left out, as they are when a model is evaluated. A step that is not on
the list raises `Unknown`; nothing is guessed here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PATIENCE = 15.0
"""Seconds after which only held-out images are still predicted, and not those that notebooks have."""


class Unknown(Exception):
    """A step that is not on the list, or with arguments that it does not take."""


SKIPPED = ("Random", "ColorJitter", "AutoAugment", "TrivialAugmentWide", "AugMix", "Identity")


def build(steps: list[dict[str, Any]]) -> Callable[[Any], Any]:
    """A function from one stored image (uint8, HxW or HxWx3) to the model's input tensor."""
    from PIL import Image

    kept = [
        s
        for s in steps
        if s.get("name") == "RandomResizedCrop" or not str(s.get("name", "")).startswith(SKIPPED)
    ]
    built = [_step(s) for s in kept]

    def apply(image: Any) -> Any:
        value: Any = Image.fromarray(image)
        for step in built:
            value = step(value)
        return value

    return apply


def _step(step: dict[str, Any]) -> Callable[[Any], Any]:
    import torch
    from torchvision import transforms as t
    from torchvision.transforms import functional as f

    options = {k: v for k, v in step.items() if k != "name"}
    name = str(step.get("name", ""))
    simple = {"ToTensor": t.ToTensor, "PILToTensor": t.PILToTensor}
    with_size = {"Resize": t.Resize, "CenterCrop": t.CenterCrop}
    try:
        if name in simple:
            return simple[name]()  # type: ignore[no-any-return]
        if name in with_size:
            return with_size[name](_size(options["size"]))  # type: ignore[no-any-return]
        if name == "Normalize":
            return t.Normalize(_floats(options["mean"]), _floats(options["std"]))  # type: ignore[no-any-return]
        if name == "Grayscale":
            return t.Grayscale(int(options.get("num_output_channels", 1)))  # type: ignore[no-any-return]
        if name == "Pad":
            return t.Pad(_size(options["padding"]), fill=options.get("fill", 0))  # type: ignore[no-any-return]
        if name in ("ConvertImageDtype", "ToDtype"):
            scale = bool(options.get("scale", name == "ConvertImageDtype"))
            return lambda x: f.convert_image_dtype(x, torch.float32) if scale else x.to(torch.float32)
        if name in ("ToImage", "ToPILImage"):
            return (lambda x: x) if name == "ToPILImage" else t.PILToTensor()
        if name == "Flatten":
            return lambda x: x.reshape(-1)
    except (KeyError, TypeError, ValueError) as e:
        raise Unknown(f"{name}: {e}") from e
    raise Unknown(name or "a step without a name")


def _size(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [int(v) for v in value]
    return int(value)


def _floats(value: Any) -> list[float]:
    return [float(v) for v in (value if isinstance(value, (list, tuple)) else [value])]
