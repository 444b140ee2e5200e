"""A Keras model's variables: their names, which of them are parameters, and whether they have moved."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

SAMPLE = 256
"""Values of each variable that are compared to see whether it moved."""

Print = tuple[tuple[int, ...], bytes]
"""What is kept of a variable to see whether it moved: its shape and a sample of its values."""


def named_variables(model: Any) -> list[tuple[str, Any, bool]]:
    """(name, variable, whether it is a parameter) for each variable of the model, once.

    The name is that of the layer that owns it and its own, ``conv2d.kernel``. Moving statistics and the
    states of random generators are no parameters: PyTorch calls such things buffers.
    """
    found: dict[int, tuple[str, Any, bool]] = {}
    for layer in model._flatten_layers():
        for own, parameter in ((layer._trainable_variables, True), (layer._non_trainable_variables, False)):
            for v in own:
                found.setdefault(id(v), (f"{layer.name}.{v.name}", v, parameter))
    return list(found.values())


def fingerprint(model: Any) -> dict[str, Print]:
    """A sample of each variable's values, by name: differs after training."""
    return {name: print_of(v) for name, v, _ in named_variables(model)}


def prints(model: Any) -> dict[int, Print]:
    return {id(v): print_of(v) for _, v, _ in named_variables(model)}


def print_of(variable: Any) -> Print:
    keras = sys.modules["keras"]
    tf = sys.modules.get("tensorflow") if keras.config.backend() == "tensorflow" else None
    with tf.init_scope() if tf is not None else contextlib.nullcontext():
        value = variable.value
        size = 1
        for n in variable.shape:
            size *= int(n)
        flat = keras.ops.reshape(value, (-1,))[:: max(1, size // SAMPLE)][:SAMPLE]
        return tuple(int(n) for n in variable.shape), keras.ops.convert_to_numpy(flat).tobytes()


def form(model: Any) -> tuple[Any, ...]:
    """Changes when layers are replaced, added or removed."""
    return tuple((name, tuple(v.shape)) for name, v, _ in named_variables(model))


def size(variable: Any) -> int:
    size = 1
    for n in variable.shape:
        size *= int(n)
    return size
