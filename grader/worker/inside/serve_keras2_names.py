"""Where Keras 2 kept its names: ``keras.utils.np_utils``, ``keras.layers.convolutional`` and the like.

Each is a module whose names are those of the place where Keras 3 keeps them.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from typing import Any

from . import serve_hooks

HOMES = {
    "layers": ("core", "convolutional", "pooling", "normalization", "advanced_activations", "merge", "embeddings",
               "recurrent", "noise", "wrappers", "experimental", "experimental.preprocessing"),
    "utils": ("np_utils", "vis_utils", "generic_utils", "data_utils", "layer_utils", "image_utils"),
    "optimizers": ("legacy", "adam_v2", "gradient_descent_v2", "rmsprop_v2", "adadelta_v2", "adagrad_v2",
                   "adamax_v2", "nadam_v2"),
    "mixed_precision": ("experimental",),
    "models": ("engine", "engine.training", "engine.sequential"),
    "layers ": ("engine.topology", "engine.base_layer", "engine.input_layer"),
}  # fmt: skip
"""By the module of Keras 3 that has the names."""
OWN = ("engine",)
"""Old modules that stood at Keras's top."""
PYTHON = ("layers", "models", "optimizers", "utils", "callbacks", "applications", "datasets", "losses", "metrics",
          "regularizers", "initializers", "preprocessing.image")  # fmt: skip
"""``tensorflow.python.keras.layers`` is Keras 2 itself, which TensorFlow left behind and nobody maintains."""


def install() -> None:
    serve_hooks.when_imported("keras", lambda keras: _names(keras, "keras"))
    serve_hooks.when_imported("keras._tf_keras.keras", lambda keras: _names(keras, "tensorflow.keras"))


def _names(keras: Any, name: str) -> None:
    for target, olds in HOMES.items():
        target = target.strip()
        for old in olds:
            path = old if old.split(".")[0] in OWN else f"{target}.{old}"
            with contextlib.suppress(ImportError, AttributeError):
                _alias(keras, name, path, importlib.import_module(f"{keras.__name__}.{target}"))
    for part in (_optimizers, _image, _backend, _precision):
        with contextlib.suppress(ImportError, AttributeError):
            part(keras)
    if name == "tensorflow.keras":
        for old in PYTHON:
            with contextlib.suppress(ImportError, AttributeError):
                module = importlib.import_module(f"{keras.__name__}.{old}")
                sys.modules[f"tensorflow.python.keras.{old}"] = _copy(
                    f"tensorflow.python.keras.{old}", module
                )


def _copy(name: str, source: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update({k: v for k, v in vars(source).items() if not k.startswith("__")})
    module.__path__ = []
    return module


def _alias(keras: Any, name: str, path: str, source: Any) -> None:
    """``keras.<path>``, by import and by attribute, under both names that ``tf.keras`` has."""
    module = _copy(f"{name}.{path}", source)
    parent, _, own = path.rpartition(".")
    above = keras
    for step in filter(None, parent.split(".")):
        above = getattr(above, step)
    setattr(above, own, module)
    for each in {name, keras.__name__}:
        sys.modules[f"{each}.{path}"] = module
        if parent and (seen := sys.modules.get(f"{each}.{parent}")) is not None:
            setattr(seen, own, module)


def _optimizers(keras: Any) -> None:
    """``keras.optimizers.adam``, in small letters."""
    for old in ("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam"):
        if not hasattr(keras.optimizers, old.lower()):
            setattr(keras.optimizers, old.lower(), getattr(keras.optimizers, old))


def _image(keras: Any) -> None:
    """``keras.preprocessing.image.ImageDataGenerator``, which Keras 3 keeps for ``tf.keras`` alone."""
    for part in ("image", "sequence", "text"):
        module = importlib.import_module(f"keras.src.legacy.preprocessing.{part}")
        home = getattr(keras.preprocessing, part, None)
        if home is None:
            _alias(keras, keras.__name__, f"preprocessing.{part}", module)
            continue
        for name in (n for n in vars(module) if n[:1].isupper() or n.startswith("random_")):
            if not hasattr(home, name):
                setattr(home, name, getattr(module, name))


def _backend(keras: Any) -> None:
    """``K.sum``, ``K.square``, …: likewise."""
    home = importlib.import_module("keras")
    module = importlib.import_module("keras.src.legacy.backend")
    for name, value in list(vars(module).items()):
        if callable(value) and not name.startswith("_") and not hasattr(keras.backend, name):
            setattr(keras.backend, name, value)
    # these two take a variable of Keras 2's, and fail on one of Keras 3's
    keras.backend.set_value = lambda x, value: x.assign(value)
    keras.backend.get_value = lambda x: home.ops.convert_to_numpy(x)


def _precision(keras: Any) -> None:
    module = keras.mixed_precision.experimental
    module.set_policy = keras.mixed_precision.set_global_policy
