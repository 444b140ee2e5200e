"""PyTorch in a trace: training loops, evaluation loops, models, losses and optimisers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from grader.checks.base import Case
from grader.checks.mistakes.base import mine
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Loop, Trace, Value

OPTIMISERS = frozenset("SGD Adam AdamW NAdam RAdam Adamax Adagrad Adadelta RMSprop LBFGS Rprop ASGD".split())  # noqa: SIM905
NO_GRADIENT = ("no_grad", "inference_mode", "set_grad_enabled")
FUNCTIONAL = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
}
NEUTRAL = frozenset("squeeze view reshape flatten float double contiguous clone log_target".split())  # noqa: SIM905


@dataclass(frozen=True)
class Application:
    """A loss applied to an output. ``loss`` is its class's name."""

    loss: str
    output: Value
    target: Value | None
    event: Event


@dataclass(frozen=True)
class Training:
    """A loop that computes gradients. ``events`` are those within it; ``all`` the trace they are of."""

    loop: Loop
    backward: Event
    events: tuple[Event, ...]
    steps: tuple[Event, ...]
    models: tuple[Value, ...]
    losses: tuple[Application, ...]
    inputs: tuple[Value, ...]
    data: Value | None
    trace: Trace


def is_module(value: Value | None) -> bool:
    """Whether a value is surely a model of PyTorch's."""
    if value is None or not value.called:
        return False
    if value.maker is not None:
        return method_of(value, "forward") is not None
    return (
        (value.path.startswith(("torchvision.models.", "timm.")) and value.last[:1].islower())
        or (value.path.startswith("torch.nn.") and not value.path.startswith("torch.nn.functional"))
        or value.path in ("torch.hub.load", "timm.create_model")
    ) and not is_loss(value)


def is_loss(value: Value | None) -> bool:
    return value is not None and value.called and value.last.endswith("Loss")


def method_of(instance: Value, name: str) -> ast.FunctionDef | None:
    node = instance.maker.node if instance.maker else None
    body = node.body if isinstance(node, ast.ClassDef) else []
    return next((f for f in body if isinstance(f, ast.FunctionDef) and f.name == name), None)


def model_of(output: Value | None) -> Value | None:
    """The model whose call gave an output, through what leaves its values alone."""
    for _ in range(10):
        if output is None or not output.called:
            return None
        if output.path == "()":
            return output.base
        if output.base is None or output.path.lstrip(".") not in NEUTRAL:
            return None
        output = output.base
    return None


def applications(events: tuple[Event, ...]) -> tuple[Application, ...]:
    """The losses that are computed."""
    found = []
    for e in events:
        v = e.value
        if e.sets or not v.called:
            continue
        if v.path == "()" and is_loss(v.base) and v.base is not None:
            name = v.base.last
        elif v.last in FUNCTIONAL and "functional" in v.path:
            name = FUNCTIONAL[v.last]
        else:
            continue
        output = v.given(0, "input")
        if output is not None:
            found.append(Application(name, output, v.given(1, "target"), e))
    return tuple(found)


def trainings(case: Case) -> list[Training]:
    """The answer's training loops, in order; none where the code could not be followed.

    A loop that asks something and is entered again may be asked whether to train: only its first entry counts.
    """
    traced = trace(case)
    if not traced.whole:
        return []
    found: dict[int, Training] = {}
    for e in traced.events:
        if e.sets or e.value.path != ".backward" or not e.loops or not mine(case, e):
            continue
        loop = next((x for x in reversed(e.loops) if x.over is not None), e.loops[-1])
        if id(loop) in found or (
            _asks(loop) and any(t.loop.node is loop.node and t.loop is not loop for t in found.values())
        ):
            continue
        inside = tuple(i for i in traced.events if loop in i.loops)
        calls = [i.value for i in inside if i.value.path == "()" and not i.sets]
        losses = applications(inside)
        models = [m for a in losses if (m := model_of(a.output)) is not None]
        models += [v.base for v in calls if is_module(v.base) and v.base is not None]
        unique = tuple({id(m): m for m in models if not is_loss(m)}.values())
        found[id(loop)] = Training(
            loop=loop,
            backward=e,
            events=inside,
            steps=tuple(i for i in inside if i.value.path == ".step" and is_optimiser(i.value.base)),
            models=unique,
            losses=losses,
            inputs=tuple(v.args[0] for v in calls if v.args and any(v.base is m for m in unique)),
            data=loop.over,
            trace=traced,
        )
    return list(found.values())


def _asks(loop: Loop) -> bool:
    return any(isinstance(n, (ast.If, ast.IfExp)) for n in ast.walk(loop.node))


def is_optimiser(value: Value | None) -> bool:
    return value is not None and value.is_call(*OPTIMISERS) and not value.path.startswith(("keras", "tensorflow"))  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """A loop that predicts classes without computing gradients of a loss."""

    loop: Loop
    model: Value
    call: Event
    events: tuple[Event, ...]


def evaluations(case: Case) -> list[Evaluation]:
    """Loops over data in which a model predicts and its predictions are made classes of."""
    traced = trace(case)
    if not traced.whole:
        return []
    training = {id(t.loop) for t in trainings(case)}
    found: dict[int, Evaluation] = {}
    for e in traced.events:
        if e.sets or e.value.path != "()" or not e.loops or not mine(case, e) or not is_module(e.value.base):
            continue
        loop = e.loops[-1]
        inside = tuple(i for i in traced.events if loop in i.loops)
        if (
            loop.over is None
            or id(loop) in found
            or id(loop) in training
            or any(i.value.is_call("backward", "grad", "step", "zero_grad", "register_hook") for i in inside)
            or any(_unfollowed(i.value) for i in inside)
        ):
            continue
        if any(i.value.is_call("argmax", "max", "topk") for i in inside) and e.value.base is not None:
            found[id(loop)] = Evaluation(loop, e.value.base, e, inside)
    return list(found.values())


def _unfollowed(value: Value) -> bool:
    """A call that is handed a model or an optimiser and does with it what is not seen."""
    return (
        value.called
        and value.base is None
        and value.last not in ("next", "iter", "print", "len", "isinstance")
        and any(is_module(a) or is_optimiser(a) for a in value.args)
    )


# ---------------------------------------------------------------- models


def layers_of(trace: Trace, model: Value | None, depth: int = 0) -> Iterator[Value]:
    """The calls that made a model's layers, in no particular order, as far as they are followed."""
    if model is None or depth > 6:
        return
    for (owner, _), value in trace.attributes.items():
        if owner == id(model):
            yield from _layers_in(trace, value, depth)
    if model.called and model.maker is None:
        yield from (layer for part in model.args for layer in _layers_in(trace, part, depth))


def _layers_in(trace: Trace, value: Value, depth: int) -> Iterator[Value]:
    if value.op in ("sequence", "starred", "comprehension", "either", "operation"):
        for part in value.args:
            yield from _layers_in(trace, part, depth + 1)
    elif value.called and depth < 6:
        if value.maker is not None or value.is_call("Sequential", "ModuleList", "OrderedDict"):
            yield from layers_of(trace, value, depth + 1)
        yield value


def activated(output: Value) -> str | None:
    """Softmax or sigmoid that stands directly between the model and the loss."""
    if output.is_call("softmax", "sigmoid"):
        return output.last
    if output.path == "()" and output.base is not None and output.base.is_call("Softmax", "Sigmoid"):
        return output.base.last.lower()
    return None


def final_activation(trace: Trace, model: Value | None) -> str | None:
    """What a model's own code does last: ``softmax``, ``log_softmax``, ``sigmoid``, or ``""`` for a layer's
    bare output; None where that is not certain."""
    if model is None or not model.called:
        return None
    if model.is_call("Sequential"):
        return _last_of(trace, model)
    if model.path.startswith("torchvision.models."):
        head = next((h for n in ("fc", "classifier") if (h := trace.attribute(model, n)) is not None), None)
        return _last_of_layer(trace, head) if head is not None else None
    forward = method_of(model, "forward")
    if forward is None:
        return None
    returns = [n for n in ast.walk(forward) if isinstance(n, ast.Return) and n.value is not None]
    if len(returns) != 1:
        return None
    return _made_by(trace, model, forward, returns[0].value, returns[0].lineno)


_ACTIVATIONS = {
    "softmax": "softmax", "Softmax": "softmax", "log_softmax": "log_softmax", "LogSoftmax": "log_softmax",
    "sigmoid": "sigmoid", "Sigmoid": "sigmoid", "logsigmoid": "log_softmax", "relu": "relu", "ReLU": "relu",
}  # fmt: skip
_BARE = frozenset({"Linear", "LazyLinear", "Conv2d", "Flatten", "AdaptiveAvgPool2d"})


def _last_of(trace: Trace, sequential: Value) -> str | None:
    layers = list(sequential.args)
    if any(x.op != "call" for x in layers) or not layers:
        return None
    return _last_of_layer(trace, layers[-1])


def _last_of_layer(trace: Trace, layer: Value) -> str | None:
    if layer.is_call("Sequential"):
        return _last_of(trace, layer)
    if layer.maker is not None:
        return final_activation(trace, layer)
    return _ACTIVATIONS.get(layer.last, "" if layer.last in _BARE else None) if layer.called else None


def _made_by(
    trace: Trace, model: Value, forward: ast.FunctionDef, node: ast.expr | None, line: int
) -> str | None:
    """What made the value of an expression in ``forward``: names are followed to their last assignment."""
    for _ in range(10):
        if isinstance(node, ast.Name):
            name = node.id
            made = [
                (n.lineno, n.value)
                for n in ast.walk(forward)
                if isinstance(n, ast.Assign)
                and n.lineno <= line
                and n in forward.body
                and any(isinstance(t, ast.Name) and t.id == name for t in n.targets)
                and n.value is not node
            ]
            elsewhere = [
                n
                for n in ast.walk(forward)
                if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
            ]
            if not made or sum(n.lineno <= line for n in elsewhere) != len(made):
                return None
            before, node = max(made, key=lambda m: m[0])
            line = before - 1
            continue
        if not isinstance(node, ast.Call):
            return None
        func = node.func
        if isinstance(func, ast.Attribute):
            if isinstance(func.value, ast.Name) and func.value.id == "self":
                layer = trace.attribute(model, func.attr)
                return _last_of_layer(trace, layer) if layer is not None else None
            if func.attr in NEUTRAL:
                node = func.value
                continue
            return _ACTIVATIONS.get(func.attr)
        if isinstance(func, ast.Name):
            return _ACTIVATIONS.get(func.id)
        return None
    return None
