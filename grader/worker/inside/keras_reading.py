"""Reads a Keras model that left a kernel, in a clean process that has run no student code.

The archive is checked before Keras sees it, and loaded in safe mode, which rebuilds Keras's own classes and
refuses anything that carries code. The process is sandboxed like a kernel's, besides.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import sys
import time
import zipfile
from typing import Any

from . import keras_layers, preprocess

BATCH = 100
MOST_BYTES = 1 << 30
MEMBERS = re.compile(r"(metadata\.json|config\.json|model\.weights\.h5|graph\.pb|graph\.json)")


def measure(folder: str) -> dict[str, Any]:
    """The fields of `Measurement` for ``program.keras`` in ``folder``; see `reading.measure`.

    :raises archive.Malformed: it is not a model as `keras_export` writes it.
    """
    path = os.path.join(folder, "program.keras")
    members = _members(path)
    found = read(path)
    wanted = os.path.join(folder, "preprocessing.json")
    found["predictions"] = []
    if os.path.exists(wanted) and ("model.weights.h5" in members or "graph.pb" in members):
        with open(wanted, encoding="utf-8") as f:
            entries = json.load(f)
        try:
            found["predictions"] = _predictions(path, entries, folder)
        except Exception as e:  # counts and shapes stand on their own
            found["reason"] = f"it could not predict on held-out images: {type(e).__name__}: {str(e)[:300]}"
    return {"state": "measured", **found}


def read(path: str) -> dict[str, Any]:
    """Parameters, shapes (channels first, batch as None) and layers of the archive at ``path``."""
    if "graph.pb" in _members(path):
        from . import keras_graph

        library()

        return keras_graph.read(path)
    return keras_layers.read(load(path))


def predict(path: str, images: Any) -> tuple[list[int], int]:
    """The arg-max class of each prepared image (N × height × width × channels), and the number of outputs."""
    import numpy as np

    call, shape, last = _callable(path)
    if not last and images.ndim == 4:
        images = np.moveaxis(images, -1, 1)
    if shape is not None and all(n is not None for n in shape[1:]) and images.shape[1:] != tuple(shape[1:]):
        images = images.reshape(len(images), *shape[1:])  # a flat vector, or no axis for the one channel
    fixed = shape[0] if shape is not None else None
    size = int(fixed or BATCH)
    classes: list[int] = []
    outputs = 0
    for start in range(0, len(images), size):
        batch = np.asarray(images[start : start + size], dtype="float32")
        kept = len(batch)
        if fixed and kept < size:
            batch = np.concatenate([batch, np.repeat(batch[:1], size - kept, axis=0)])
        answer = np.asarray(call(batch))
        outputs = int(answer.shape[-1])
        if outputs > 1:
            best = answer.argmax(-1)
        else:  # one sigmoid unit answers with a probability, one linear unit with a score
            best = (answer > (0.5 if _probability(path) else 0.0)).astype(int)
        classes += [int(c) for c in best[:kept].reshape(kept, -1)[:, 0]]
    return classes, outputs


_loaded: dict[str, Any] = {}


def library() -> Any:
    """Keras, imported after torchvision: both frameworks bring LLVM, and in the other order it aborts.

    An archive of Keras's own layers is the same under every backend: where the fork server has not chosen one,
    it is TensorFlow, which alone runs graphs, or else PyTorch, which is always there.
    """
    importlib.import_module("torchvision")
    if "keras" not in sys.modules:
        there = importlib.util.find_spec("tensorflow") is not None
        os.environ["KERAS_BACKEND"] = "tensorflow" if there else "torch"
    return importlib.import_module("keras")


def load(path: str) -> Any:
    """The model, rebuilt in safe mode; once for each file.

    :raises archive.Malformed: the archive holds what Keras does not write, or code.
    """
    from .archive import Malformed

    if path in _loaded:
        return _loaded[path]
    keras = library()
    members = _members(path)
    try:
        if "model.weights.h5" in members:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        else:
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
            config.pop("compile_config", None)
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as e:
        raise Malformed(f"Keras refused it in safe mode: {type(e).__name__}: {str(e)[:300]}") from e
    if not isinstance(model, keras.Model) or not model.built or not getattr(model, "inputs", None):
        raise Malformed("it is not a built Keras model")
    _loaded[path] = model
    return model


def _members(path: str) -> set[str]:
    from .archive import Malformed

    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError) as e:
        raise Malformed(f"not an archive: {e}") from e
    names = {i.filename for i in infos}
    if sum(i.file_size for i in infos) > MOST_BYTES:
        raise Malformed("the archive is too large")
    if strange := sorted(n for n in names if not MEMBERS.fullmatch(n)):
        raise Malformed(f"it holds {strange[0]!r}, which is never read")
    return names


def _callable(path: str) -> tuple[Any, Any, bool]:
    """(a function of a batch, the input's shape as the model has it, whether channels come last)."""
    if "graph.pb" in _members(path):
        from . import keras_graph

        return keras_graph.function(path)
    model = load(path)
    first = model.inputs[0] if isinstance(model.inputs, (list, tuple)) else model.inputs

    def call(batch: Any) -> Any:
        answer = model(batch, training=False)
        if isinstance(answer, dict):
            answer = next(iter(answer.values()))
        answer = answer[0] if isinstance(answer, (list, tuple)) else answer
        return answer.detach().cpu().numpy() if hasattr(answer, "detach") else answer

    return call, tuple(first.shape), keras_layers.channels_last(model)


def _probability(path: str) -> bool:
    layers = read(path)["layers"]
    return bool(layers) and layers[-1].get("function") == "sigmoid"


def _predictions(path: str, entries: list[dict[str, Any]], folder: str) -> list[dict[str, Any]]:
    """Held-out images first; those that notebooks have only while there is time."""
    started = time.monotonic()
    found = []
    for entry in entries:
        if entry.get("part", "held-out") == "held-out" or time.monotonic() - started < preprocess.PATIENCE:
            found += [p] if (p := _prediction(path, entry, folder)) is not None else []
    return found


def _prediction(path: str, entry: dict[str, Any], folder: str) -> dict[str, Any] | None:
    import numpy as np

    with np.load(os.path.join(folder, entry["inputs"]), allow_pickle=False) as stored:
        images = stored[stored.files[0]]
    try:
        transform = preprocess.build(entry["preprocessing"]["steps"])
    except preprocess.Unknown:
        return None
    prepared = np.stack([np.moveaxis(np.asarray(transform(i), dtype="float32"), 0, -1) for i in images])
    classes, outputs = predict(path, prepared)
    return {
        "dataset": entry["dataset"],
        "held_out": entry["held_out"],
        "part": entry.get("part", "held-out"),
        **({"part": entry["part"]} if "part" in entry else {}),
        "preprocessing": entry["preprocessing"],
        "classes": classes,
        "outputs": outputs,
    }
