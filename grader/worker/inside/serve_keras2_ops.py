"""TensorFlow's functions on Keras's symbols, as Keras 2 had them: ``x = tf.nn.relu(x)`` in a functional model.

TensorFlow asks dispatchers before it refuses an argument. In a notebook the call becomes a `Lambda` layer, as it
did then; while a model is written for the clean process, Keras's own operation is taken where it has one, and
what has none is left to the frozen graph.
"""

from __future__ import annotations

import contextlib
from typing import Any

from . import serve_hooks

SAME = ("relu", "sigmoid", "tanh", "softmax", "log_softmax", "elu", "selu", "silu", "gelu", "leaky_relu", "relu6",
        "softplus", "square", "sqrt", "abs", "exp", "matmul", "multiply", "add", "subtract", "reshape", "transpose",
        "maximum", "minimum")  # fmt: skip
"""Functions that ``keras.ops`` has under the same name, with the same leading arguments."""
RENAMED = {"concat": "concatenate", "concat_v2": "concatenate", "reduce_mean": "mean", "reduce_sum": "sum",
           "reduce_max": "max", "softmax_v2": "softmax", "gelu": "gelu"}  # fmt: skip


def install() -> None:
    serve_hooks.when_imported("keras", _keras)


def _keras(keras: Any) -> None:
    if keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf
    from tensorflow.python.util import dispatch

    from . import keras_models

    class OnSymbols(dispatch.GlobalOpDispatcher):  # type: ignore[misc]
        def handle(self, op: Any, args: Any, kwargs: Any) -> Any:
            flat = tf.nest.flatten([args, kwargs])
            symbols = [x for x in flat if isinstance(x, keras.KerasTensor)]
            if not symbols:
                return self.NOT_SUPPORTED
            if keras_models.is_busy():
                return self._own(op, args, kwargs)

            def call(values: Any) -> Any:
                given = iter(values if isinstance(values, (list, tuple)) else [values])
                full = [next(given) if isinstance(x, keras.KerasTensor) else x for x in flat]
                positional, named = tf.nest.pack_sequence_as([args, kwargs], full)
                return op(*positional, **named)

            return keras.layers.Lambda(call)(symbols if len(symbols) > 1 else symbols[0])

        def _own(self, op: Any, args: Any, kwargs: Any) -> Any:
            name = getattr(op, "__name__", "")
            name = RENAMED.get(name, name)
            if name not in SAME and name not in RENAMED.values():
                return self.NOT_SUPPORTED
            kwargs = {k: v for k, v in kwargs.items() if k != "name"}
            with contextlib.suppress(TypeError, ValueError):
                return getattr(keras.ops, name)(*args, **kwargs)
            return self.NOT_SUPPORTED

    OnSymbols().register()
