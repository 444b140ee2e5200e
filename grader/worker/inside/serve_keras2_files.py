"""Saving under the names that Keras 2 allowed: any name for weights, a folder for a model.

Keras 3 wants its endings. A file so named is written with the ending that Keras wants behind its name, and
found again by its name alone.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from . import record, serve_hooks

MODEL, WEIGHTS = ".keras", ".weights.h5"


def install() -> None:
    serve_hooks.when_imported("keras.src.saving.saving_api", _saving)
    serve_hooks.when_imported("keras.src.models.model", _methods)
    serve_hooks.when_imported("keras.src.callbacks.model_checkpoint", _checkpoint)


def _named(path: Any, ending: str, allowed: tuple[str, ...]) -> Any:
    """The path as Keras 3 wants it."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str) or text.endswith(allowed) or "://" in text:
        return path
    given = text.rstrip("/") + ending
    if folder := os.path.dirname(given):
        os.makedirs(folder, exist_ok=True)
    record.emit(
        "substitution", asked=f"a file named {text}", given=f"{given}, as Keras 3 names it", stand_in=False
    )
    return given


def _found(path: Any, ending: str) -> Any:
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
    behind = text.rstrip("/") + ending
    return behind if text and not os.path.isfile(text) and os.path.isfile(behind) else path


def _saving(module: Any) -> None:
    save, load = module.save_model, module.load_model

    @functools.wraps(save)
    def save_model(model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        for gone in ("save_format", "include_optimizer", "options", "signatures", "save_traces"):
            if gone != "include_optimizer" or not str(filepath).endswith((".h5", ".hdf5")):
                kwargs.pop(gone, None)
        return save(model, _named(filepath, MODEL, (MODEL, ".h5", ".hdf5")), *args, **kwargs)

    @functools.wraps(load)
    def load_model(filepath: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("options", None)
        return load(_found(filepath, MODEL), *args, **kwargs)

    module.save_model, module.load_model = save_model, load_model
    for old, new in ((save, save_model), (load, load_model)):
        serve_hooks.replace_everywhere(old, new, "keras", "tensorflow.keras", "__main__")


def _methods(module: Any) -> None:
    model = module.Model
    save, load = model.save_weights, model.load_weights

    @functools.wraps(save)
    def save_weights(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("save_format", None)
        return save(self, _named(filepath, WEIGHTS, (WEIGHTS,)), *args, **kwargs)

    @functools.wraps(load)
    def load_weights(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        return load(self, _found(filepath, WEIGHTS), *args, **kwargs)

    model.save_weights, model.load_weights = save_weights, load_weights


def _checkpoint(module: Any) -> None:
    cls = module.ModelCheckpoint
    original = cls.__init__

    @functools.wraps(original)
    def __init__(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("period", None)
        kwargs.pop("options", None)
        only = kwargs.get("save_weights_only", args[3] if len(args) > 3 else False)
        filepath = _named(filepath, WEIGHTS, (WEIGHTS,)) if only else _named(filepath, MODEL, (MODEL, ".h5"))
        original(self, filepath, *args, **kwargs)

    cls.__init__ = __init__
