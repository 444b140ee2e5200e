"""An exported PyTorch program as a list of layers, in the vocabulary of the evidence record `Layer`.

What a layer is comes from the operation that the program executes, never from the name or class that
the student gave it; the module path is kept for people to read.
"""

from __future__ import annotations

from typing import Any

_SAME = "activation"
_KINDS: dict[str, str] = {
    "linear": "dense", "addmm": "dense", "matmul": "dense", "mm": "dense",
    "max_pool1d": "max pooling", "max_pool2d": "max pooling", "max_pool3d": "max pooling",
    "max_pool2d_with_indices": "max pooling", "adaptive_max_pool2d": "max pooling",
    "avg_pool1d": "average pooling", "avg_pool2d": "average pooling", "avg_pool3d": "average pooling",
    "adaptive_avg_pool1d": "average pooling", "adaptive_avg_pool2d": "average pooling",
    "batch_norm": "batch normalisation", "layer_norm": "layer normalisation", "group_norm": "layer normalisation",
    "dropout": "dropout", "feature_dropout": "dropout", "alpha_dropout": "dropout", "dropout_": "dropout",
    "flatten": "flatten", "cat": "concatenate", "concat": "concatenate", "add": "add", "add_": "add",
    "constant_pad_nd": "padding", "pad": "padding", "lstm": "recurrent", "gru": "recurrent", "rnn_tanh": "recurrent",
    "embedding": "embedding",
}  # fmt: skip
_ACTIVATIONS = {
    "relu", "relu_", "tanh", "tanh_", "sigmoid", "sigmoid_", "softmax", "log_softmax", "gelu", "elu", "elu_", "selu",
    "leaky_relu", "leaky_relu_", "hardtanh", "hardtanh_", "hardswish", "hardswish_", "hardsigmoid", "silu", "silu_",
    "mish", "prelu", "softplus", "softsign", "celu", "relu6",
}  # fmt: skip
_CONVOLUTIONS = (
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)


def read(program: Any) -> dict[str, Any]:
    """Fields of `Measurement`: parameters (each tensor once), shapes with the batch as None, layers; and ``meta``."""
    state = program.state_dict
    kinds = {
        s.arg.name: (s.kind.name, s.target)
        for s in program.graph_signature.input_specs
        if hasattr(s.arg, "name")
    }
    weights = {arg: target for arg, (kind, target) in kinds.items() if kind == "PARAMETER"}
    tensors = {_identity(v): v for k, v in state.items() if k in set(weights.values())}
    counted: set[Any] = set()
    layers: list[dict[str, Any]] = []
    known: dict[str, str] = {}  # graph node -> the layer whose output it passes on
    inputs: list[Any] = []
    outputs: list[Any] = []
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if kinds.get(node.name, ("",))[0] == "USER_INPUT":
                inputs.append(node)
        elif node.op == "output":
            outputs = [n for n in _flat(node.args) if hasattr(n, "meta")]
        elif node.op == "call_function":
            _layer(node, state, weights, counted, layers, known)
    trainable = sum(t.numel() for t in tensors.values() if t.requires_grad)
    return {
        "parameters": sum(t.numel() for t in tensors.values()),
        "trainable": trainable,
        "input_shape": _shape(inputs[0]) if inputs else [],
        "output_shape": _shape(outputs[0]) if outputs else [],
        "layers": layers,
        "unused": _unused(program, weights, state, counted),
        "meta": any(t.device.type == "meta" for t in tensors.values()),
    }


def _unused(program: Any, weights: dict[str, str], state: dict[str, Any], counted: set[int]) -> list[str]:
    """The outermost modules none of whose parameters the program reads."""
    read = {n.name for n in program.graph.nodes if n.op == "placeholder" and n.users}
    used = {target.partition(".")[0] for arg, target in weights.items() if arg in read}
    used |= {k.partition(".")[0] for k, v in state.items() if id(v) in counted}
    every = dict.fromkeys(target.partition(".")[0] for target in weights.values())
    return [name for name in every if name not in used][:100]


def _layer(
    node: Any,
    state: dict[str, Any],
    weights: dict[str, str],
    counted: set[Any],
    layers: list[dict[str, Any]],
    known: dict[str, str],
) -> None:
    operation = str(getattr(node.target, "_opname", "") or getattr(node.target, "__name__", "")) or str(
        node.target
    )
    sources = [n for n in _flat((node.args, node.kwargs)) if hasattr(n, "op")]
    came_from = tuple(dict.fromkeys(known[n.name] for n in sources if n.name in known))
    own = [state[weights[n.name]] for n in sources if n.name in weights]
    layer = _describe(node, operation, own, came_from, layers)
    if layer is None:  # a view, a size, arithmetic without weights: passes its input on
        if came_from:
            known[node.name] = came_from[0]
        return
    fresh = [t for t in own if _identity(t) not in counted]
    counted.update(_identity(t) for t in own)
    path = [v[0] for v in (node.meta.get("nn_module_stack") or {}).values() if isinstance(v, tuple)]
    layer |= {
        "name": next((p for p in reversed(path) if p and not p.startswith("_empty")), ""),
        "inputs": list(came_from),
        "node": node.name,
        "output_shape": _shape(node),
        "parameters": sum(t.numel() for t in fresh),
        "trainable": sum(t.numel() for t in fresh if t.requires_grad),
    }
    layers.append(layer)
    known[node.name] = node.name


def _identity(tensor: Any) -> Any:
    """The same for two names of one weight: a program that was loaded has a tensor for each, on one storage."""
    if tensor.device.type == "meta" or not tensor.numel():
        return id(tensor)
    place = tensor.untyped_storage().data_ptr()
    return place, tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride())


def _describe(
    node: Any, operation: str, own: list[Any], came_from: tuple[str, ...], layers: list[dict[str, Any]]
) -> dict[str, Any] | None:
    name = operation.removeprefix("_")
    if name in _CONVOLUTIONS:
        return _convolution(node, name, own)
    if name in _ACTIVATIONS:
        return {"kind": "activation", "function": name.removesuffix("_")}
    if name in ("view", "reshape", "_unsafe_view", "unsafe_view"):
        flat = len(_shape(node)) == 2 and any(
            len(_shape(n)) > 2 for n in _flat(node.args) if hasattr(n, "meta")
        )
        return {"kind": "flatten", "function": name} if flat else None
    if name == "mean" and came_from:  # x.mean([2, 3]) is global average pooling by another name
        before = next((x for x in layers if x["node"] == came_from[0]), None)
        spatial = before is not None and len(before["output_shape"]) == 4
        return {"kind": "global average pooling", "function": name} if spatial else None
    kind = _KINDS.get(name)
    if kind is None:
        return {"kind": "other", "function": name} if own else None
    if kind == "dense":
        weight = next((t for t in own if t.dim() == 2), None)
        if weight is None:
            return None
        return {"kind": kind, "function": name, "units": int(_shape(node)[-1] or weight.shape[0])}
    if kind == "add" and (own or len(came_from) < 2):
        return {"kind": "other", "function": name} if own else None
    if kind == "average pooling" and name.startswith("adaptive") and _shape(node)[2:] in ([1, 1], [1]):
        kind = "global average pooling"
    described: dict[str, Any] = {"kind": kind, "function": name}
    if kind in ("max pooling", "average pooling") and not name.startswith("adaptive"):
        described |= _window(node, kernel_at=1)
    return described


def _convolution(node: Any, name: str, own: list[Any]) -> dict[str, Any]:
    weight = next((t for t in own if t.dim() >= 3), None)
    transposed = "transpose" in name or (name == "convolution" and len(node.args) > 6 and bool(node.args[6]))
    groups_at = {"convolution": 8}.get(name, 7 if transposed else 6)
    groups = node.args[groups_at] if len(node.args) > groups_at else node.kwargs.get("groups", 1)
    units = int(_shape(node)[1] or 0)
    kind = "convolution"
    if transposed:
        kind = "transposed convolution"
    elif isinstance(groups, int) and groups > 1 and groups == units:
        kind = "depthwise convolution"
    described = {"kind": kind, "function": name, "units": units}
    if weight is not None:
        described["kernel"] = [int(n) for n in weight.shape[2:]]
    return described | _window(node, kernel_at=None)


def _window(node: Any, kernel_at: int | None) -> dict[str, Any]:
    """Stride and padding (and the kernel of a pooling) from the call's arguments, defaults filled in."""
    names = [a.name for a in node.target._schema.arguments]
    given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
    dims = max(1, len(_shape(node)) - 2)

    def pair(value: Any, default: int) -> list[int] | None:
        if isinstance(value, str):
            return None  # padding="same"
        values = [value] if isinstance(value, int) else list(value) if value else [default]
        if not all(isinstance(v, int) for v in values):
            return None
        return values * dims if len(values) == 1 else values

    found: dict[str, Any] = {}
    kernel = pair(given.get("kernel_size"), 1) if kernel_at is not None else None
    if kernel:
        found["kernel"] = kernel
    found["stride"] = pair(given.get("stride") or (kernel if kernel else 1), 1)
    found["padding"] = pair(given.get("padding", 0), 0)
    return {k: v for k, v in found.items() if v is not None}


def _flat(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in _flat(v)]
    if isinstance(value, dict):
        return [x for v in value.values() for x in _flat(v)]
    return [value]


def _shape(node: Any) -> list[int | None]:
    value = node.meta.get("val") if hasattr(node, "meta") else None
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    shape = getattr(value, "shape", None)
    return [int(n) if isinstance(n, int) else None for n in shape] if shape is not None else []
