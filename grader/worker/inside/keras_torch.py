"""PyTorch's functions on Keras's symbols: how a model on the torch backend that uses them leaves as layers.

``torch.relu(self.conv(x))`` in a model's ``call`` refuses a symbolic input, though Keras has the operation
too. Within `followed` it is taken instead. What is not on the list is refused as before, and the export
compares what the result computes with the model.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

SAME = ("relu", "relu6", "sigmoid", "tanh", "silu", "elu", "selu", "gelu", "softplus", "leaky_relu", "exp",
        "log", "sqrt", "square", "abs", "matmul", "add", "multiply", "subtract")  # fmt: skip
"""Functions of ``torch`` and ``torch.nn.functional`` that ``keras.ops`` has under the same name."""


@contextlib.contextmanager
def followed(keras: Any) -> Iterator[None]:
    """Within, functions of the list answer symbols with operations of Keras."""
    torch = sys.modules.get("torch")
    if torch is None or keras.config.backend() != "torch":
        yield
        return
    table = _table(torch, keras.ops)

    def answered(cls: Any, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function not in table:
            return NotImplemented
        return table[function](*args, **(kwargs or {}))

    keras.KerasTensor.__torch_function__ = classmethod(answered)
    try:
        yield
    finally:
        del keras.KerasTensor.__torch_function__


def _table(torch: Any, ops: Any) -> dict[Any, Callable[..., Any]]:
    found: dict[Any, Callable[..., Any]] = {}
    for home in (torch, torch.nn.functional):
        for name in SAME:
            if hasattr(home, name):
                found[getattr(home, name)] = _plain(getattr(ops, name))

    def softmax(x: Any, dim: int = -1, **_: Any) -> Any:
        return ops.softmax(x, axis=dim)

    def log_softmax(x: Any, dim: int = -1, **_: Any) -> Any:
        return ops.log_softmax(x, axis=dim)

    def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
        if (start_dim, end_dim) != (1, -1):
            raise TypeError("only all but the first dimension are flattened")
        size = 1
        for n in x.shape[1:]:
            size *= n
        return ops.reshape(x, (-1, size))

    def cat(tensors: Any, dim: int = 0, **_: Any) -> Any:
        return ops.concatenate(list(tensors), axis=dim)

    def mean(x: Any, dim: Any = None, keepdim: bool = False, **_: Any) -> Any:
        return ops.mean(x, axis=dim, keepdims=keepdim)

    for home in (torch, torch.nn.functional):
        for ours in (softmax, log_softmax, flatten, cat, mean):
            if hasattr(home, ours.__name__):
                found[getattr(home, ours.__name__)] = ours
    return found


def _plain(operation: Any) -> Callable[..., Any]:
    def call(*args: Any, inplace: bool = False, **kwargs: Any) -> Any:
        return operation(*args, **kwargs)

    return call
