"""A rebuilt Keras model as a list of layers, in the vocabulary of the evidence record `Layer`.

The counterpart of `layers` for Keras: shapes come channels first whatever the model's own order, an
activation that is part of a layer becomes a layer after it, a separable convolution becomes its two
parts, and models within models are read through, so that one rubric serves both frameworks.
"""

from __future__ import annotations

import math
import sys
from typing import Any

_KINDS: dict[str, str] = {
    "Dense": "dense", "EinsumDense": "dense", "AlphaDropout": "dropout", "Dropout": "dropout",
    "GaussianDropout": "dropout", "GaussianNoise": "dropout", "SpatialDropout1D": "dropout",
    "SpatialDropout2D": "dropout", "SpatialDropout3D": "dropout",
    "BatchNormalization": "batch normalisation", "LayerNormalization": "layer normalisation",
    "GroupNormalization": "layer normalisation", "RMSNormalization": "layer normalisation",
    "Flatten": "flatten", "Concatenate": "concatenate", "Concat": "concatenate", "Add": "add",
    "ZeroPadding1D": "padding", "ZeroPadding2D": "padding", "ZeroPadding3D": "padding", "Pad": "padding",
    "LSTM": "recurrent", "GRU": "recurrent", "SimpleRNN": "recurrent", "RNN": "recurrent",
    "Bidirectional": "recurrent", "ConvLSTM1D": "recurrent", "ConvLSTM2D": "recurrent",
    "Embedding": "embedding", "Rescaling": "rescaling", "Normalization": "rescaling",
    "MaxPool": "max pooling", "AveragePool": "average pooling",
}  # fmt: skip
_ACTIVATIONS = {
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Relu", "Relu6", "Sigmoid", "Tanh",
    "LeakyRelu", "Elu", "Selu", "Gelu", "Silu", "HardSigmoid", "HardSilu", "LogSoftmax", "Softplus",
    "Softsign", "Mish",
}  # fmt: skip
_PASSED = {
    "InputLayer", "Identity", "Cast", "Dtype", "Copy", "ExpandDims", "Squeeze", "Transpose", "Permute",
    "GetItem", "Resizing", "CenterCrop", "StopGradient", "ActivityRegularization",
}  # fmt: skip
"""Operations that only pass their input on, or lay it out anew."""


def read(model: Any) -> dict[str, Any]:
    """Fields of `Measurement`: parameters (each once), shapes (channels first, batch as None) and layers.

    Moving statistics and the states of random generators are no parameters: PyTorch calls them buffers.
    """
    last = channels_last(model)
    own = {id(v): v for x in model._flatten_layers() for v in x._trainable_variables}
    learning = {id(v) for v in model.trainable_variables}
    layers: list[dict[str, Any]] = []
    _walk(_graph(model), {}, layers, set(), learning, last)
    inputs, outputs = _one(model.inputs), _one(model.outputs)
    return {
        "parameters": sum(_size(v) for v in own.values()),
        "trainable": sum(_size(v) for k, v in own.items() if k in learning),
        "input_shape": _shape(inputs, last),
        "output_shape": _shape(outputs, last),
        "layers": layers,
    }


def channels_last(model: Any) -> bool:
    """Whether images come as height, width, channels: as the first layer that says so has it."""
    for layer in model._flatten_layers():
        if getattr(layer, "data_format", None) in ("channels_first", "channels_last"):
            return bool(layer.data_format == "channels_last")
    return bool(sys.modules["keras"].config.image_data_format() == "channels_last")


def _graph(model: Any) -> Any:
    return getattr(model, "_functional", None) or model


def _one(tensors: Any) -> Any:
    return tensors[0] if isinstance(tensors, (list, tuple)) else tensors


def _size(variable: Any) -> int:
    return math.prod(int(n) for n in variable.shape)


def _shape(tensor: Any, last: bool) -> list[int | None]:
    shape = [None if n is None else int(n) for n in tensor.shape]
    return [None, shape[-1], *shape[1:-1]] if last and len(shape) > 2 else [None, *shape[1:]]


def _walk(
    graph: Any,
    known: dict[int, str],
    layers: list[dict[str, Any]],
    counted: set[int],
    learning: set[int],
    last: bool,
) -> None:
    """Appends the graph's layers as they are executed. ``known``: tensor -> the layer it comes from."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            operation, inputs = node.operation, node.input_tensors
            came_from = list(dict.fromkeys(known[id(t)] for t in inputs if id(t) in known))
            inner = _graph(operation)
            if hasattr(inner, "_nodes_by_depth"):
                known.update(
                    {
                        id(t): known[id(s)]
                        for t, s in zip(inner.inputs, inputs, strict=False)
                        if id(s) in known
                    }
                )
                _walk(inner, known, layers, counted, learning, last)
                known.update(
                    {
                        id(t): known[id(s)]
                        for t, s in zip(node.outputs, inner.outputs, strict=False)
                        if id(s) in known
                    }
                )
                continue
            for described in _described(node, operation, last):
                entry = {
                    "name": operation.name,
                    "inputs": came_from,
                    "node": f"{operation.name}_{len(layers)}",
                    "output_shape": _shape(node.outputs[0], last),
                    **described,
                }
                fresh = [v for v in entry.pop("variables", ()) if id(v) not in counted]
                counted.update(id(v) for v in fresh)
                entry["parameters"] = sum(_size(v) for v in fresh)
                entry["trainable"] = sum(_size(v) for v in fresh if id(v) in learning)
                layers.append(entry)
                came_from = [entry["node"]]
            if came_from:
                known.update({id(t): came_from[0] for t in node.outputs})


def _described(node: Any, operation: Any, last: bool) -> list[dict[str, Any]]:
    """The layers that one operation stands for: none if it passes its input on, several if it has parts."""
    name, module = type(operation).__name__, type(operation).__module__
    variables = list(getattr(operation, "_trainable_variables", ()))
    if name in _PASSED:
        return []
    if "keras.src.layers.convolutional" in module:
        return _convolution(node, operation, name, variables, last)
    if name in _ACTIVATIONS:
        function = getattr(operation, "activation", None)
        return [
            {"kind": "activation", "function": _function(function) or name.lower(), "variables": variables}
        ]
    if "keras.src.layers.pooling" in module:
        return [_pooling(node, operation, name)]
    if name == "Reshape":
        flat = len(node.outputs[0].shape) == 2 < len(node.input_tensors[0].shape)
        return [{"kind": "flatten", "function": "reshape"}] if flat else []
    if scaled := _scaling(node, operation, name):
        return [{"kind": "rescaling", "function": scaled}]
    if name == "Mean":
        ranks = len(node.input_tensors[0].shape), len(node.outputs[0].shape)
        return [{"kind": "global average pooling", "function": "mean"}] if ranks == (4, 2) else []
    if name == "Add" and len(node.input_tensors) < 2:
        return []
    kind = _KINDS.get(name)
    if kind is None:
        variables = variables or _all_variables(operation)
        return (
            [{"kind": "other", "function": name, "variables": variables}]
            if variables or "layers" in module
            else []
        )
    described: dict[str, Any] = {
        "kind": kind,
        "function": name,
        "variables": variables or _all_variables(operation),
    }
    if kind == "dense":
        described["units"] = int(node.outputs[0].shape[-1])
    elif kind == "recurrent":
        return [described | {"units": int(node.outputs[0].shape[-1])}]
    return [described, *_activation(operation)]


def _all_variables(operation: Any) -> list[Any]:
    """Parameters of a layer that holds others, such as Bidirectional or MultiHeadAttention."""
    flat = operation._flatten_layers() if hasattr(operation, "_flatten_layers") else ()
    return [v for x in flat for v in x._trainable_variables]


def _function(activation: Any) -> str:
    name = (
        getattr(activation, "__name__", "") or type(activation).__name__.lower()
        if activation is not None
        else ""
    )
    return "" if name == "linear" else str(name)


def _activation(operation: Any) -> list[dict[str, Any]]:
    function = _function(getattr(operation, "activation", None))
    return [{"kind": "activation", "function": function}] if function else []


def _convolution(
    node: Any, operation: Any, name: str, variables: list[Any], last: bool
) -> list[dict[str, Any]]:
    source, target = _shape(node.input_tensors[0], last), _shape(node.outputs[0], last)
    kernel, stride = list(operation.kernel_size), list(operation.strides)
    window = {
        "kernel": kernel,
        "stride": stride,
        "padding": _padding(operation, kernel, stride, source, target),
    }
    units = target[1]
    if name.startswith("Separable"):
        middle = int(source[1] or 0) * int(getattr(operation, "depth_multiplier", 1))
        ones, none = [1] * len(kernel), [0] * len(kernel)
        depth: dict[str, Any] = {"kind": "depthwise convolution", "function": name, "units": middle, **window}
        point: dict[str, Any] = {"kind": "convolution", "function": name, "units": units}
        point |= {"kernel": ones, "stride": ones, "padding": none}
        depth |= {"output_shape": [None, middle, *target[2:]]}
        depth["variables"] = [v for v in variables if "depthwise" in v.name]
        point["variables"] = [v for v in variables if "depthwise" not in v.name]
        return [depth, point, *_activation(operation)]
    kind = "convolution"
    if "Transpose" in name:
        kind = "transposed convolution"
    elif name.startswith("Depthwise") or (getattr(operation, "groups", 1) > 1 and operation.groups == units):
        kind = "depthwise convolution"
    return [
        {"kind": kind, "function": name, "units": units, "variables": variables, **window},
        *_activation(operation),
    ]


def _padding(
    operation: Any, kernel: list[int], stride: list[int], source: list[Any], target: list[Any]
) -> Any:
    """Pixels on each side; None where Keras's 'same' pads the two sides differently."""
    if operation.padding != "same":
        return [0] * len(kernel)
    sides = []
    for k, s, n, m in zip(kernel, stride, source[2:], target[2:], strict=True):
        whole = k - 1 if n is None or m is None else max((m - 1) * s + k - n, 0)
        if whole % 2:
            return None
        sides.append(whole // 2)
    return sides


def _pooling(node: Any, operation: Any, name: str) -> dict[str, Any]:
    if name.startswith("GlobalAverage"):
        return {"kind": "global average pooling", "function": name}
    if name.startswith("GlobalMax"):
        return {"kind": "max pooling", "function": name}
    kind = "max pooling" if "Max" in name else "average pooling"
    if name.startswith("Adaptive"):
        return {"kind": kind, "function": name}
    return {
        "kind": kind,
        "function": name,
        "kernel": list(operation.pool_size),
        "stride": list(operation.strides),
    }


def _scaling(node: Any, operation: Any, name: str) -> str:
    """``x * 0.00392157 + 0`` for a layer, or a division, multiplication or sum with a number; else ''."""
    if name == "Rescaling":
        scale, offset = operation.scale, operation.offset
    elif name == "Normalization":
        return "normalisation"
    elif name in ("Divide", "TrueDivide", "Multiply", "Add", "Subtract") and len(node.input_tensors) == 1:
        numbers = [
            a for a in (*node.arguments.args, *node.arguments.kwargs.values()) if isinstance(a, (int, float))
        ]
        if len(numbers) != 1 or (
            name in ("Divide", "TrueDivide", "Subtract") and node.arguments.args[0] is numbers[0]
        ):
            return ""
        n = float(numbers[0])
        scale = {"Divide": 1 / n if n else 0, "TrueDivide": 1 / n if n else 0, "Multiply": n}.get(name, 1.0)
        offset = {"Add": n, "Subtract": -n}.get(name, 0.0)
    else:
        return ""
    if not isinstance(scale, (int, float)) or not isinstance(offset, (int, float)):
        return "normalisation"
    return f"x * {scale:.9g} + {offset:.9g}"
