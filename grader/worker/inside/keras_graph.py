"""A Keras model as a frozen TensorFlow graph: the way out for models that Keras's own layers do not cover.

What the model computes is traced once, in inference mode, and its variables become constants. The
clean process parses the graph, refuses any operation that is not on the list of plain arithmetic, reads
the layers from the operations, and runs it. Weights are told from other constants by where they enter: the
reads of variables keep their names.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from typing import Any

ALLOWED = {
    "Const", "Identity", "Placeholder", "NoOp", "Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput",
    "Conv3D", "MatMul", "BatchMatMulV2", "Einsum", "BiasAdd", "Add", "AddV2", "AddN", "Sub", "Mul",
    "RealDiv", "Div", "DivNoNan", "Maximum", "Minimum", "Neg", "Square", "Sqrt", "Rsqrt", "Pow", "Exp",
    "Log", "Log1p", "Abs", "Sign", "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh",
    "Softmax", "LogSoftmax", "Softplus", "Softsign", "Erf", "MaxPool", "AvgPool", "LRN", "FusedBatchNorm",
    "FusedBatchNormV2", "FusedBatchNormV3", "Mean", "Sum", "Max", "Min", "Prod", "ArgMax", "Cast",
    "Reshape", "Shape", "StridedSlice", "Pack", "Unpack", "ConcatV2", "Squeeze", "ExpandDims", "Transpose",
    "Pad", "PadV2", "MirrorPad", "Slice", "Split", "SplitV", "GatherV2", "Tile", "Fill", "Range",
    "ResizeBilinear", "ResizeNearestNeighbor", "SquaredDifference", "Rank", "Size", "Select", "SelectV2",
    "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr",
    "LogicalNot", "ReverseV2", "ZerosLike", "OnesLike", "BroadcastTo", "Floor", "Round", "StopGradient",
    "SpaceToBatchND", "BatchToSpaceND", "ClipByValue", "L2Loss",
}  # fmt: skip
_ACTIVATIONS = {
    "Relu": "relu", "Relu6": "relu6", "LeakyRelu": "leaky_relu", "Elu": "elu", "Selu": "selu", "Sigmoid":
    "sigmoid", "Tanh": "tanh", "Softmax": "softmax", "LogSoftmax": "log_softmax", "Softplus": "softplus",
    "Softsign": "softsign",
}  # fmt: skip
_NORMALISED = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
VARIABLE = "/ReadVariableOp"


def write(model: Any, path: str, shape: tuple[int | None, ...]) -> str:
    """Writes the graph to ``path``; returns why it could not be, or ''. ``shape``: of one input."""
    tf = sys.modules.get("tensorflow")
    if tf is None or sys.modules["keras"].config.backend() != "tensorflow":
        return "it has code of its own, which only leaves under the TensorFlow backend"
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def call(x: Any) -> Any:
        answer = model(x, training=False)
        return answer[0] if isinstance(answer, (list, tuple)) else answer

    dtype = tf.as_dtype(getattr(model, "input_dtype", None) or "float32")
    traced = tf.function(call, autograph=False).get_concrete_function(tf.TensorSpec((None, *shape), dtype))
    frozen = convert_variables_to_constants_v2(traced)
    graph = frozen.graph.as_graph_def()
    foreign = sorted({n.op for n in graph.node} - ALLOWED)
    if foreign:
        return f"it uses {foreign[0]}, which is not read"
    about = {"input": frozen.inputs[0].name, "output": frozen.outputs[0].name}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("graph.pb", graph.SerializeToString())
        archive.writestr("graph.json", json.dumps(about))
    return ""


def function(path: str) -> tuple[Any, Any, bool]:
    """(a function of a batch, the input's shape, True): as `keras_reading._callable` has it."""
    import tensorflow as tf

    graph, about = _load(path)

    def imported() -> None:
        tf.graph_util.import_graph_def(graph, name="")

    wrapped = tf.compat.v1.wrap_function(imported, [])
    source, target = (wrapped.graph.as_graph_element(about[k]) for k in ("input", "output"))
    pruned = wrapped.prune([source], [target])
    return lambda batch: pruned(tf.cast(batch, source.dtype))[0], tuple(source.shape), True


def _load(path: str) -> tuple[Any, dict[str, str]]:
    """:raises archive.Malformed: it is not a graph of operations on the list."""
    import tensorflow as tf

    from .archive import Malformed

    with zipfile.ZipFile(path) as archive:
        raw, about = archive.read("graph.pb"), json.loads(archive.read("graph.json"))
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(raw)
    except Exception as e:
        raise Malformed(f"not a TensorFlow graph: {type(e).__name__}") from e
    if graph.library.function:
        raise Malformed("it holds functions, which are never read")
    if foreign := sorted({n.op for n in graph.node} - ALLOWED):
        raise Malformed(f"it uses the operation {foreign[0]}, which is never run")
    if set(about) != {"input", "output"} or not all(isinstance(v, str) for v in about.values()):
        raise Malformed("its input and output are not named")
    return graph, about


# ---------------------------------------------------------------- layers


def read(path: str) -> dict[str, Any]:
    """Fields of `Measurement`, read from the operations; see `keras_layers.read`."""
    import tensorflow as tf

    definition, about = _load(path)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(definition, name="")
        source, target = (graph.get_tensor_by_name(about[k]) for k in ("input", "output"))
        layers: list[dict[str, Any]] = []
        known: dict[str, str] = {}
        for operation in graph.get_operations():
            _layer(operation, known, layers)
        total = sum(x["parameters"] for x in layers)
        return {
            "parameters": total,
            "trainable": total,  # a frozen graph does not say which weights stood still
            "input_shape": _shape(source),
            "output_shape": _shape(target),
            "layers": layers,
        }


def _shape(tensor: Any) -> list[int | None]:
    if tensor.shape.rank is None:
        return []
    shape = [None if n is None else int(n) for n in tensor.shape]
    return [None, shape[-1], *shape[1:-1]] if len(shape) > 2 else [None, *shape[1:]]


def _is_weight(tensor: Any) -> bool:
    """Whether the tensor is the value that a variable had, passed through nothing but reads and casts."""
    operation = tensor.op
    while operation.type in ("Identity", "Cast", "ExpandDims", "Reshape", "Squeeze") and operation.inputs:
        if VARIABLE in operation.name:
            return bool(operation.inputs[0].op.type == "Const")
        operation = operation.inputs[0].op
    named = VARIABLE in operation.name or operation.name.endswith("/resource")
    return bool(operation.type == "Const" and named)


def _layer(operation: Any, known: dict[str, str], layers: list[dict[str, Any]]) -> None:
    if not operation.outputs:
        return
    inputs = list(operation.inputs)
    came_from = list(dict.fromkeys(known[t.op.name] for t in inputs if t.op.name in known))
    weights = [t for t in inputs if _is_weight(t)]
    described = _described(operation, inputs, weights, came_from)
    if described is None:
        own = (
            sum(math.prod(t.shape) for t in weights)
            if operation.type not in ("Identity", "Cast", "Reshape")
            else 0
        )
        if own and came_from and operation.type in ("BiasAdd", "Add", "AddV2", "Mul"):
            before = next(
                x for x in layers if x["node"] == came_from[0]
            )  # a bias, or a scale, of what it is added to
            before["parameters"] += own
            before["trainable"] += own
        if came_from:
            known[operation.name] = came_from[0]
        return
    size = described.pop("parameters", sum(math.prod(t.shape) for t in weights))
    layers.append(
        {
            "name": operation.name.rsplit("/", 1)[0],
            "inputs": came_from,
            "node": operation.name,
            "output_shape": _shape(operation.outputs[0]),
            "parameters": size,
            "trainable": size,
            **described,
        }
    )
    known[operation.name] = operation.name


def _described(
    operation: Any, inputs: list[Any], weights: list[Any], came_from: list[str]
) -> dict[str, Any] | None:
    kind, shape = operation.type, _shape(operation.outputs[0])
    if kind in _ACTIVATIONS:
        return {"kind": "activation", "function": _ACTIVATIONS[kind]}
    if kind in ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput") and weights:
        kernel = [int(n) for n in weights[0].shape[: len(shape) - 2]]
        name = {
            "DepthwiseConv2dNative": "depthwise convolution",
            "Conv2DBackpropInput": "transposed convolution",
        }
        stride = [int(n) for n in operation.get_attr("strides")][1:-1]
        return {
            "kind": name.get(kind, "convolution"),
            "function": kind,
            "units": shape[1],
            "kernel": kernel,
            "stride": stride,
        }
    if kind in ("MatMul", "BatchMatMulV2", "Einsum") and weights:
        return {"kind": "dense", "function": kind, "units": shape[-1]}
    if kind in ("MaxPool", "AvgPool"):
        window = {"kernel": [int(n) for n in operation.get_attr("ksize")][1:-1]}
        window["stride"] = [int(n) for n in operation.get_attr("strides")][1:-1]
        return {"kind": "max pooling" if kind == "MaxPool" else "average pooling", "function": kind, **window}
    if kind in _NORMALISED:
        return {"kind": "batch normalisation", "function": kind, "parameters": 2 * int(shape[1] or 0)}
    if kind == "LRN":
        return {"kind": "local response normalisation", "function": kind}
    if not came_from:
        return _scaling(operation, inputs, weights)
    if kind == "Mean" and len(_shape(inputs[0])) == 4 and len(shape) == 2:
        return {"kind": "global average pooling", "function": "mean"}
    if kind == "Reshape" and len(shape) == 2 < len(_shape(inputs[0])):
        return {"kind": "flatten", "function": "reshape"}
    if kind == "ConcatV2" and len(came_from) > 1:
        return {"kind": "concatenate", "function": kind}
    if kind in ("Add", "AddV2", "AddN") and len(came_from) > 1:
        return {"kind": "add", "function": kind}
    return None


def _scaling(operation: Any, inputs: list[Any], weights: list[Any]) -> dict[str, Any] | None:
    """A division or product with one number before the first layer: ``x * 0.00392157 + 0``."""
    import tensorflow as tf

    if operation.type not in ("RealDiv", "Div", "Mul") or len(inputs) != 2 or weights:
        return None
    value = tf.get_static_value(inputs[1])
    if value is None or getattr(value, "size", 2) != 1 or not float(value):
        return None
    n = float(value)
    return {"kind": "rescaling", "function": f"x * {n if operation.type == 'Mul' else 1 / n:.9g} + 0"}
