"""What older PyTorch, torchvision, NumPy, Matplotlib and Pillow had, under the names of that time.

Notebooks live longer than names: where only the writing differs, they run as they were meant.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from . import serve_hooks


def install() -> None:
    serve_hooks.when_imported("torch", _torch)
    serve_hooks.when_imported("torch.optim.lr_scheduler", _schedulers)
    serve_hooks.when_imported("torch.utils.data.dataloader", _iterators)
    serve_hooks.when_imported("torchvision.transforms", _transforms)
    serve_hooks.when_imported("torchvision.models", _models)
    serve_hooks.when_imported("numpy", _numpy)
    serve_hooks.when_imported("matplotlib.style", _styles)
    serve_hooks.when_imported("matplotlib.cm", _maps)
    serve_hooks.when_imported("PIL.Image", _pictures)


def _torch(torch: Any) -> None:
    """``torch.load("model.pth")`` of a whole model: until 2.6 classes were loaded, too. Here it is the
    student's own file in the student's own sandbox."""
    original = torch.load

    @functools.wraps(original)
    def load(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("weights_only") is None:
            kwargs["weights_only"] = False
        return original(*args, **kwargs)

    torch.load = load


def _schedulers(module: Any) -> None:
    """``ReduceLROnPlateau(optimizer, verbose=True)``."""
    for cls in [c for c in vars(module).values() if inspect.isclass(c) and "__init__" in vars(c)]:
        original = vars(cls)["__init__"]
        if "verbose" not in inspect.signature(original).parameters and cls.__module__ == module.__name__:
            setattr(cls, "__init__", _without("verbose", original))  # noqa: B010


def _without(name: str, original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.pop(name, None)
        original(self, *args, **kwargs)

    return __init__


def _iterators(module: Any) -> None:
    """``iter(loader).next()``."""
    module._BaseDataLoaderIter.next = module._BaseDataLoaderIter.__next__


def _transforms(module: Any) -> None:
    for old, new in (("Scale", "Resize"), ("RandomSizedCrop", "RandomResizedCrop")):
        if not hasattr(module, old):
            setattr(module, old, getattr(module, new))


def _models(models: Any) -> None:
    """``torchvision.models.utils`` and each family's ``model_urls``."""
    import sys

    import torch.hub

    utils = types.ModuleType("torchvision.models.utils")
    utils.load_state_dict_from_url = torch.hub.load_state_dict_from_url  # type: ignore[attr-defined]
    sys.modules.setdefault(utils.__name__, utils)
    models.utils = sys.modules[utils.__name__]
    for family in [m for m in vars(models).values() if inspect.ismodule(m) and not hasattr(m, "model_urls")]:
        urls = {}
        for name, weights in list(vars(family).items()):
            if name.endswith("_Weights") and hasattr(weights, "DEFAULT"):
                first = next(iter(weights))
                urls[name.removesuffix("_Weights").lower()] = first.url
        if urls:
            setattr(family, "model_urls", urls)  # noqa: B010


def _numpy(np: Any) -> None:
    """Names that NumPy 1.24 and 2 dropped."""
    old = {"int": int, "float": float, "bool": np.bool_, "object": object, "str": str, "complex": complex,
           "Inf": np.inf, "Infinity": np.inf, "NaN": np.nan, "float_": np.float64, "complex_": np.complex128,
           "unicode_": np.str_, "product": np.prod, "cumproduct": np.cumprod, "alltrue": np.all,
           "sometrue": np.any, "in1d": getattr(np, "isin", None), "trapz": getattr(np, "trapezoid", None)}  # fmt: skip
    for name, value in old.items():
        if name not in vars(np) and value is not None:
            setattr(np, name, value)


def _styles(style: Any) -> None:
    """``plt.style.use("seaborn-whitegrid")``."""
    for name in list(style.library):
        if name.startswith("seaborn-v0_8"):
            style.library.setdefault(name.replace("-v0_8", ""), style.library[name])


def _maps(cm: Any) -> None:
    """``plt.cm.get_cmap("viridis", 10)``."""
    if not hasattr(cm, "get_cmap"):

        def get_cmap(name: Any = None, lut: int | None = None) -> Any:
            import matplotlib.pyplot as plt

            return plt.get_cmap(name, lut)

        cm.get_cmap = get_cmap


def _pictures(image: Any) -> None:
    """``Image.ANTIALIAS``."""
    for old, new in (("ANTIALIAS", "LANCZOS"), ("LINEAR", "BILINEAR"), ("CUBIC", "BICUBIC")):
        if not hasattr(image, old):
            setattr(image, old, getattr(image.Resampling, new))
