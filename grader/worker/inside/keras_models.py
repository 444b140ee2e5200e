"""Which Keras models a notebook builds, calls and trains, and their way out of the kernel.

The counterpart of `census` for Keras 3 (also as ``tf.keras``), under any backend. Nothing here imports
Keras or TensorFlow: where the notebook does so, the hooks are set at that moment. They note that a model
was fitted, evaluated or called and with what inputs, and change nothing else. A model leaves as a
``.keras`` archive; see `keras_export`. As everywhere inside, this is the kernel's own word.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import weakref
from dataclasses import dataclass, field
from typing import Any

from . import keras_folders, namespace, record, serve_hooks
from .keras_variables import Print, form, named_variables, print_of, prints, size

MOST_MODELS = 12


@dataclass
class Seen:
    """What is known of one model, by identity, over the whole notebook."""

    model: Any
    variable: str = ""
    built: int = 0
    called: bool = False
    before: dict[int, Print] = field(default_factory=dict)
    """By `id` of the variable, before this piece (or as it was when it was made within it)."""
    form: tuple[Any, ...] = ()
    input_shape: tuple[int, ...] | None = None
    input_range: tuple[float, float] | None = None
    file: str = ""
    weights: bool = False
    problem: str = ""
    steps: int = 0
    """Steps of the optimiser during this piece, and the inputs in them; 0 where they are not known."""
    samples: int = 0


_seen: dict[int, Seen] = {}
_kept: list[Any] = []
_files = itertools.count()
_state: dict[str, Any] = {"piece": 0, "depth": 0, "busy": False, "hooked": False, "waiting": False}


# ---------------------------------------------------------------- hooks


def install() -> None:
    """Hooks Keras now where it is imported, else as soon as it is."""
    if not _state["waiting"]:
        _state["waiting"] = True
        keras_folders.install()
        serve_hooks.when_imported("keras", _hook)
        serve_hooks.install()


def _hook(keras: Any) -> None:
    model = getattr(keras, "Model", None)
    if _state["hooked"] or model is None:
        return
    _state["hooked"] = True
    for name in ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"):
        setattr(model, name, _noting(getattr(model, name), name))
    for name in ("load_weights", "set_weights"):
        setattr(model, name, _replacing(getattr(model, name)))
    model.__call__ = _calling(model.__call__)
    optimizer = keras.optimizers.Optimizer
    for base in optimizer.__mro__:  # the base class of all optimisers defines it
        if "build" in vars(base):
            base.build = _building(base.build)
            break


def _noting(method: Any, name: str) -> Any:
    @functools.wraps(method)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _state["busy"] or _state["depth"]:
            return method(self, *args, **kwargs)
        seen = _quietly(_remember, self)
        _state["depth"] += 1
        before = _quietly(_steps, self) or 0
        try:
            return method(self, *args, **kwargs)
        finally:
            if seen is not None and name in ("fit", "train_on_batch"):
                _quietly(_count, seen, before, args, kwargs)
            _state["depth"] -= 1
            if seen is not None:
                if not seen.called or not name.endswith("_on_batch"):
                    _quietly(_inputs, seen, args[0] if args else kwargs.get("x"), name)
                seen.called = True

    return noted


def _steps(model: Any) -> int:
    return int(model.optimizer.iterations)


def _count(seen: Seen, before: int, args: Any, kwargs: Any) -> None:
    """Steps since ``before``, and inputs: of arrays what is left of them after ``validation_split``."""
    model = seen.model()
    steps = _steps(model) - before
    seen.steps += steps
    data = args[0] if args else kwargs.get("x")
    shape = getattr(data, "shape", None)
    if shape is not None and len(shape) and steps:
        whole = int(shape[0]) - int(int(shape[0]) * float(kwargs.get("validation_split") or 0))
        batch = int(kwargs.get("batch_size") or (args[2] if len(args) > 2 else 0) or 32)
        each = -(-whole // batch)  # steps of an epoch: the last one may be smaller
        seen.samples += (steps // each) * whole + (steps % each) * batch
        return
    batch_size = getattr(data, "batch_size", None)
    if isinstance(batch_size, int):
        seen.samples += steps * batch_size


def _calling(method: Any) -> Any:
    @functools.wraps(method)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _state["busy"] or _state["depth"]:
            return method(self, *args, **kwargs)
        _state["depth"] += 1
        try:
            return method(self, *args, **kwargs)
        finally:
            _state["depth"] -= 1
            if args and not _is_symbol(args[0]) and (seen := _quietly(_remember, self)) is not None:
                if not seen.called:  # a training loop of one's own calls thousands of times
                    _quietly(_inputs, seen, args[0], "call")
                seen.called = True

    return noted


def _replacing(method: Any) -> Any:
    """Weights that are loaded or set have moved, but were not trained."""

    @functools.wraps(method)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            now = _quietly(prints, self) or {}
            for seen in list(_seen.values()):
                if mine := now.keys() & seen.before.keys():
                    seen.before.update({key: now[key] for key in mine})
                    seen.file = ""  # what left the kernel before is no longer this model

    return noted


def _building(method: Any) -> Any:
    """An optimiser is built just before the first step: what it is to train has its first values yet."""

    @functools.wraps(method)
    def noted(self: Any, variables: Any = (), *args: Any, **kwargs: Any) -> Any:
        for variable in variables or ():
            _early.setdefault(id(variable), (variable, _quietly(print_of, variable)))
        return method(self, variables, *args, **kwargs)

    return noted


_early: dict[int, tuple[Any, Any]] = {}
"""By `id`: a variable and its first values, for models that are built within `fit`."""


def _quietly(function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except Exception:
        return None


def _is_symbol(value: Any) -> bool:
    if type(value).__name__ == "KerasTensor":
        return True
    tf = sys.modules.get("tensorflow")
    return tf is not None and not tf.executing_eagerly()


def _inputs(seen: Seen, data: Any, how: str) -> None:
    from . import keras_inputs

    found = keras_inputs.look(data, how)
    if found is not None and found.shape:
        seen.input_shape = found.shape
        if found.range is not None:
            seen.input_range = found.range


def is_busy() -> bool:
    """Whether models are just now being looked at, or written, and no code of the notebook's runs."""
    return bool(_state["busy"])


# ---------------------------------------------------------------- models and their weights


def is_model(value: Any) -> bool:
    """Whether the value is a Keras model; False while Keras is not imported."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.Model)


def is_layer(value: Any) -> bool:
    """Whether the value is a layer or model of Keras's."""
    layer = getattr(sys.modules.get("keras.src.layers.layer"), "Layer", None)
    return layer is not None and isinstance(value, layer)


def find(names: dict[str, Any]) -> list[tuple[str, Any]]:
    """Keras models under the notebook's names; see `namespace.models`."""
    return namespace.models(names, is_model)


def _remember(model: Any) -> Seen | None:
    seen = _seen.get(id(model))
    if seen is None or seen.model() is not model:
        if not is_model(model) or len(_seen) > 10 * MOST_MODELS:
            return None
        seen = Seen(model=weakref.ref(model), built=_state["piece"])
        _seen[id(model)] = seen
    if not any(m is model for m in _kept):
        _kept.append(model)  # a model local to a function would be gone before the piece ends
    if seen.called and seen.before:
        return seen
    for key, value in (_quietly(prints, model) or {}).items():
        first = _early.get(key, (None, None))[1]
        seen.before.setdefault(key, first if first is not None else value)
    return seen


# ---------------------------------------------------------------- after each piece


def begin(piece: int) -> None:
    """Before a piece: what follows belongs to it."""
    _state.update(piece=piece, depth=0)
    install()
    for seen in _seen.values():
        seen.called, seen.steps, seen.samples = False, 0, 0


def collect(names: dict[str, Any], piece: int) -> None:
    """Says which Keras models this piece built, called or trained, and exports those that changed."""
    install()
    _state.update(piece=piece, busy=True)
    try:
        for name, model in find(names):
            if (seen := _remember(model)) is not None:
                seen.variable = name
        alive = [s for s in _seen.values() if s.model() is not None]
        for seen in sorted(alive, key=lambda s: s.called)[-MOST_MODELS:]:
            _quietly(_report, seen, piece)
    finally:
        _kept.clear()
        _early.clear()
        _state["busy"] = False


def finish(names: dict[str, Any]) -> None:
    """At the end: models that were built with a known input but never called."""
    _state["busy"] = True
    try:
        for seen in [s for s in _seen.values() if s.model() is not None and not s.file][-MOST_MODELS:]:
            if _quietly(_export, seen, seen.model()) is None and seen.file:
                _emit(seen, seen.model(), seen.built, False, [])
    finally:
        _state["busy"] = False


def _report(seen: Seen, piece: int) -> None:
    model = seen.model()
    now, shape = prints(model), form(model)
    moved = [
        name for name, v, parameter in named_variables(model)
        if parameter and (old := seen.before.get(id(v))) is not None and old != now[id(v)]
    ]  # fmt: skip
    new, changed = seen.built == piece, shape != seen.form
    if not (seen.called or moved or new or changed):
        return
    if seen.called and (moved or changed or not seen.file):
        _export(seen, model)
    elif changed:
        seen.file, seen.problem = "", ""
    seen.before, seen.form = now, shape
    _emit(seen, model, piece, bool(moved), moved)


def _export(seen: Seen, model: Any) -> None:
    from . import keras_export

    name = f"program-{os.getpid()}-{_state['piece']}-{next(_files)}.keras"
    done = keras_export.export(model, os.path.join(record.folder(), name), seen.input_shape)
    seen.file, seen.weights, seen.problem = (name if done.ok else ""), done.weights, done.problem


def _emit(seen: Seen, model: Any, piece: int, trained: bool, moved: list[str]) -> None:
    variables = named_variables(model)
    learning = {id(v) for v in model.trainable_variables}
    record.emit(
        "model",
        at=piece,
        variable=seen.variable,
        framework="keras",
        class_name=f"{type(model).__module__}.{type(model).__qualname__}",
        called=seen.called,
        trained=trained,
        moved=moved[:2000],
        frozen=[name for name, v, parameter in variables if parameter and id(v) not in learning][:2000],
        claimed_parameters=sum(size(v) for _, v, parameter in variables if parameter),
        input_shape=list(seen.input_shape) if seen.input_shape else None,
        input_range=list(seen.input_range) if seen.input_range else None,
        steps=seen.steps if trained else 0,
        samples=seen.samples if trained else 0,
        file=seen.file,
        weights=seen.weights,
        problem=seen.problem,
    )
