"""A Keras model on its way out of the kernel, as a ``.keras`` archive that safe mode can read.

Such an archive names classes, and a clean process knows Keras's own only. So a model with classes of the
notebook's, or with `Lambda` layers, is written as what it computes: it is called on a symbolic input,
which passes through its own code and leaves Keras's layers and operations behind, with the same
weights. Where that is not possible (TensorFlow functions on symbolic tensors, weights of its own outside
any layer) the model leaves as a frozen TensorFlow graph; see `keras_graph`.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import sys
import warnings
import zipfile
from dataclasses import dataclass
from typing import Any

from . import keras_torch

MOST_WEIGHT_BYTES = 64 << 20
"""Models with larger weights leave with their structure only, as in `census`."""


@dataclass
class Done:
    ok: bool
    weights: bool = False
    problem: str = ""


def export(model: Any, path: str, input_shape: tuple[int, ...] | None = None) -> Done:
    """Writes the model to ``path`` without changing it. ``input_shape``: of one input that was seen."""
    try:
        with _quiet():
            return _export(model, path, input_shape)
    except Exception as e:
        with contextlib.suppress(OSError):
            os.unlink(path)
        return Done(False, problem=f"it could not be saved ({type(e).__name__}: {str(e)[:300]})")


def _export(model: Any, path: str, input_shape: tuple[int, ...] | None) -> Done:
    small = sum(_bytes(v) for v in model.variables) <= MOST_WEIGHT_BYTES
    plain, problem = model, ""
    if not only_keras(model):
        try:
            plain = unrolled(model, input_shape)
        except Exception as e:
            problem = f"{type(e).__name__}: {str(e).strip().splitlines()[0][:200] if str(e).strip() else ''}"
            plain = None
    if plain is not None:
        try:
            _save(plain, path, small)
            return Done(True, weights=small)
        except Exception as e:
            problem = f"{type(e).__name__}: {str(e)[:200]}"
    from . import keras_graph

    if not small:
        return Done(
            False, problem=f"it is too large to leave as a graph, and not of Keras's own layers ({problem})"
        )
    refused = keras_graph.write(model, path, _symbolic_shape(model, input_shape))
    return Done(not refused, weights=not refused, problem=f"{refused} ({problem})" if refused else "")


def _bytes(variable: Any) -> int:
    size = 4
    for n in variable.shape:
        size *= int(n)
    return size


# ---------------------------------------------------------------- Keras's own layers only


def _own(layer: Any) -> bool:
    """Whether the layer's class is Keras's, and not one that carries code."""
    return type(layer).__module__.split(".")[0] == "keras" and type(layer).__name__ != "Lambda"


def only_keras(model: Any) -> bool:
    """Whether a process that knows Keras alone can rebuild the model."""
    keras = sys.modules["keras"]
    built = isinstance(model, (keras.Sequential, keras.src.models.functional.Functional))
    return built and all(_own(x) for x in model._flatten_layers())


def unrolled(model: Any, input_shape: tuple[int, ...] | None) -> Any:
    """A functional model of Keras's own layers that computes the same with the same weights.

    :raises ValueError: a part of it cannot be followed, or the result differs.
    """
    keras = sys.modules["keras"]
    shape = _symbolic_shape(model, input_shape)
    entry = keras.Input(shape=shape)
    with _see_through(keras), keras_torch.followed(keras):
        outputs = model(entry, training=False) if _takes_training(model) else model(entry)
    plain = keras.Model(entry, outputs, name=_name(model))
    if not only_keras(plain):
        raise ValueError("layers of the notebook's own remain")
    if {id(v) for v in model.trainable_variables} != {id(v) for v in plain.trainable_variables}:
        raise ValueError("it has weights outside any layer")
    probe = keras.random.uniform((2, *(n or 32 for n in shape)), seed=1)
    ours = keras.ops.convert_to_numpy(_first(plain(probe, training=False)))
    theirs = _first(model(probe, training=False) if _takes_training(model) else model(probe))
    if not _close(ours, keras.ops.convert_to_numpy(theirs)):
        raise ValueError("written as layers it computes something else")
    return plain


def _close(a: Any, b: Any) -> bool:
    import numpy as np

    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-3, atol=1e-4))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) else value


def _name(model: Any) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in model.name) or "model"


def _takes_training(model: Any) -> bool:
    parameters = inspect.signature(model.call).parameters
    return "training" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _symbolic_shape(model: Any, input_shape: tuple[int, ...] | None) -> tuple[int | None, ...]:
    if input_shape is not None:
        return tuple(n or None for n in input_shape)
    known = getattr(model, "input_shape", None)
    if isinstance(known, list):
        known = known[0] if len(known) == 1 else None
    if not known:
        raise ValueError("it was never called, so its input is not known")
    return tuple(known[1:])


@contextlib.contextmanager
def _see_through(keras: Any) -> Any:
    """Within, layers and models of the notebook's own run their code on symbols and leave no step behind."""
    kept = {cls: cls.__call__ for cls in (keras.layers.Layer, keras.Model)}

    def follow(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, keras.Model) or not _own(self):
                if "training" in kwargs and not _takes_training(self):
                    kwargs.pop("training")
                if isinstance(self, keras.Sequential) and self._functional is not None:
                    return self._functional.call(*args, **kwargs)
                return self.call(*args, **kwargs)
            return original(self, *args, **kwargs)

        return call

    try:
        for cls, original in kept.items():
            cls.__call__ = follow(original)
        yield
    finally:
        for cls, original in kept.items():
            cls.__call__ = original


# ---------------------------------------------------------------- the archive


def _save(model: Any, path: str, weights: bool) -> None:
    keras = sys.modules["keras"]
    if weights:
        model.save(path)
        return
    config = keras.saving.serialize_keras_object(model)
    config.pop("compile_config", None)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))


@contextlib.contextmanager
def _quiet() -> Any:
    """A `call` that prints would print again, and saving warns of what does not concern the student."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
