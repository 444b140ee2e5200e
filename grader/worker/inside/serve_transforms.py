"""Describes a torchvision transform as steps of a known list, so that a clean process can apply the
same ones to held-out images. What is not known is said, never guessed."""

from __future__ import annotations

from typing import Any

PLAIN = {"ToTensor", "PILToTensor", "ToImage", "ToPILImage"}
RANDOM = (
    "Random",
    "ColorJitter",
    "AutoAugment",
    "TrivialAugmentWide",
    "AugMix",
    "Identity",
    "ElasticTransform",
)


def describe(transform: Any, target: Any = None) -> dict[str, Any]:
    """The fields of `Preprocessing`; without a transform the notebook prepares its images itself."""
    steps: list[dict[str, Any]] = []
    unknown: list[str] = []
    if transform is None:
        unknown.append("no transform: the notebook prepares the images itself")
    else:
        _take(transform, steps, unknown)
    if target is not None:
        unknown.append("target_transform")
    return {"steps": steps, "known": not unknown, "unknown_steps": unknown}


def _take(t: Any, steps: list[dict[str, Any]], unknown: list[str]) -> None:
    name, module = type(t).__name__, type(t).__module__
    if name == "Sequential" and module.startswith("torch.nn"):
        for each in t:
            _take(each, steps, unknown)
        return
    if not module.startswith("torchvision.transforms"):
        unknown.append(_name(t))
        return
    if name == "Compose":
        for each in t.transforms:
            _take(each, steps, unknown)
    elif name == "ImageClassification" and "_presets" in module:
        steps.append(
            {"name": "Resize", "size": _plain(t.resize_size), "interpolation": _word(t.interpolation)}
        )
        steps.append({"name": "CenterCrop", "size": _plain(t.crop_size)})
        steps.append({"name": "PILToTensor"})
        steps.append({"name": "ConvertImageDtype", "dtype": "float32", "scale": True})
        steps.append({"name": "Normalize", "mean": _plain(t.mean), "std": _plain(t.std)})
    else:
        try:
            steps.append({"name": name, **_arguments(name, t)})
        except (AttributeError, TypeError, ValueError):
            unknown.append(_name(t))


def _arguments(name: str, t: Any) -> dict[str, Any]:
    """The step's arguments; raises for a step that is not on the list."""
    if name in PLAIN:
        return {}
    if name == "Resize":
        if getattr(t, "max_size", None) is not None:
            raise ValueError("max_size")
        return {"size": _plain(t.size), "interpolation": _word(t.interpolation)}
    if name == "CenterCrop":
        return {"size": _plain(t.size)}
    if name == "Normalize":
        return {"mean": _plain(t.mean), "std": _plain(t.std)}
    if name == "Grayscale":
        return {"num_output_channels": int(t.num_output_channels)}
    if name == "Pad":
        if str(getattr(t.padding_mode, "value", t.padding_mode)) != "constant":
            raise ValueError("padding_mode")
        fill = t.fill if isinstance(t.fill, (int, float)) else getattr(t, "_fill", 0)
        return {"padding": _plain(t.padding), "fill": fill if isinstance(fill, (int, float)) else 0}
    if name in {"ConvertImageDtype", "ToDtype"}:
        if str(t.dtype) != "torch.float32":
            raise ValueError("dtype")
        return {"dtype": "float32", "scale": bool(getattr(t, "scale", name == "ConvertImageDtype"))}
    if name.startswith(RANDOM):
        return {"random": True, **({"size": _plain(t.size)} if hasattr(t, "size") else {})}
    raise ValueError(name)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (int, float)):
        return value
    raise TypeError(type(value).__name__)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _name(t: Any) -> str:
    name = getattr(t, "__name__", None) or type(t).__name__
    return f"{name} ({type(t).__module__})" if name not in {"Lambda", "<lambda>"} else "Lambda"
