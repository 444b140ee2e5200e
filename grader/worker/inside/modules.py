"""The modules that a model calls, for one that `torch.export` refuses: a branch on data, say.

The model is called once on an input like those it has seen, and its modules without children are
listed in the order of their calls. Functions between them are not seen, and classes say what they are;
so this is less certain than an exported program, and the kernel's own word besides.
"""

from __future__ import annotations

from typing import Any

MOST = 400
_KINDS = (
    ("ConvTranspose", "transposed convolution"), ("Conv", "convolution"), ("Linear", "dense"),
    ("AdaptiveAvgPool", "average pooling"), ("AvgPool", "average pooling"), ("AdaptiveMaxPool", "max pooling"),
    ("MaxPool", "max pooling"), ("BatchNorm", "batch normalisation"), ("LayerNorm", "layer normalisation"),
    ("GroupNorm", "layer normalisation"), ("LocalResponseNorm", "local response normalisation"),
    ("Dropout", "dropout"), ("Flatten", "flatten"), ("LSTM", "recurrent"), ("GRU", "recurrent"),
    ("RNN", "recurrent"), ("Embedding", "embedding"), ("ZeroPad", "padding"), ("ReflectionPad", "padding"),
)  # fmt: skip


def listed(torch: Any, model: Any, example: Any) -> list[dict[str, Any]]:
    """Fields of the evidence record `Layer` for each call of a module without children, in order.

    Raises whatever the model raises on ``example``.
    """
    found: list[dict[str, Any]] = []
    counted: set[int] = set()
    names = {id(m): n for n, m in model.named_modules()}

    def note(module: Any, args: Any, output: Any) -> None:
        if len(found) < MOST:
            found.append(_layer(module, names.get(id(module), ""), output, counted))

    hooks = [m.register_forward_hook(note) for m in model.modules() if not any(True for _ in m.children())]
    try:
        with torch.no_grad():
            model(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _layer(module: Any, name: str, output: Any, counted: set[int]) -> dict[str, Any]:
    class_name = type(module).__name__
    kind = next((k for start, k in _KINDS if class_name.startswith(start)), "")
    if class_name.startswith("AdaptiveAvgPool") and _shape(output)[2:] in ([1, 1], [1]):
        kind = "global average pooling"
    own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
    counted.update(id(p) for p in own)
    standard = type(module).__module__.startswith("torch.nn")
    if kind == "convolution" and module.groups > 1 and module.groups == module.out_channels:
        kind = "depthwise convolution"
    layer: dict[str, Any] = {
        "kind": kind or ("activation" if standard and not own else "other"),
        "name": name,
        "function": class_name.lower(),
        "output_shape": _shape(output),
        "parameters": sum(p.numel() for p in own),
        "trainable": sum(p.numel() for p in own if p.requires_grad),
    }
    units = getattr(module, "out_channels", getattr(module, "out_features", None))
    dims = max(1, len(layer["output_shape"]) - 2)
    for key, given in (("units", units), ("kernel", _size(module, "kernel_size", dims)),
                       ("stride", _size(module, "stride", dims))):  # fmt: skip
        if given is not None:
            layer[key] = given
    return layer


def _size(module: Any, name: str, dims: int) -> list[int] | None:
    value = getattr(module, name, None)
    values = [value] * dims if isinstance(value, int) else list(value) if isinstance(value, tuple) else []
    return [int(v) for v in values] if values and all(isinstance(v, int) for v in values) else None


def _shape(output: Any) -> list[int | None]:
    output = output[0] if isinstance(output, (tuple, list)) and output else output
    shape = getattr(output, "shape", None)
    return [None, *(int(n) for n in shape[1:])] if shape is not None else []
