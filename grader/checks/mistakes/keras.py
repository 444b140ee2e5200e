"""Keras in a trace: models, what they were compiled with, and what they were fitted on."""

from __future__ import annotations

from dataclasses import dataclass

from grader.checks.base import Case
from grader.checks.mistakes.base import mine
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Trace, Value


@dataclass(frozen=True)
class Compiled:
    """One ``compile``: ``loss`` is the loss's class or function name in lower case without underscores."""

    event: Event
    loss: str
    from_logits: bool | None
    """None where it is not a constant."""
    rate: float | None
    """The learning rate, where the code says it or the optimiser's own default is used."""
    optimiser: str


@dataclass(frozen=True)
class Fit:
    """One ``fit`` of a compiled model."""

    event: Event
    model: Value
    compiled: Compiled
    x: Value | None
    y: Value | None
    validation: Value | None


@dataclass(frozen=True)
class Last:
    """A model's last layer that has units."""

    layer: Value
    units: int | None
    activation: str | None
    """None where it is not certain; empty for none."""


def compilations(trace: Trace) -> list[tuple[Value, Compiled]]:
    """Every (model, its compilation) of a trace, in order."""
    found = []
    for e in trace.calls("compile"):
        if e.value.base is None or e.value.path != ".compile":
            continue
        loss = e.value.given(1, "loss")
        optimiser = e.value.given(0, "optimizer")
        name, logits = _loss(loss)
        found.append((e.value.base, Compiled(e, name, logits, _rate(optimiser), _name(optimiser))))
    return found


def _name(value: Value | None) -> str:
    if value is None:
        return ""
    said = value.constant if isinstance(value.constant, str) else value.last
    return said.lower().replace("_", "")


def _loss(value: Value | None) -> tuple[str, bool | None]:
    if value is None:
        return "", None
    if value.op not in ("constant", "call", "name"):
        return "", None
    logits = value.named.get("from_logits") if value.called else None
    if value.called and value.args and logits is None:
        logits = value.args[0]
    known = False if logits is None else logits.constant if isinstance(logits.constant, bool) else None
    return _name(value), known


def _rate(optimiser: Value | None) -> float | None:
    if optimiser is None:
        return None
    if isinstance(optimiser.constant, str):
        return {"adam": 1e-3, "adamw": 1e-3, "nadam": 1e-3, "rmsprop": 1e-3, "sgd": 1e-2}.get(
            optimiser.constant.lower()
        )
    if not optimiser.called:
        return None
    given = optimiser.given(0, "learning_rate") or optimiser.named.get("lr")
    if given is None:
        return {"adam": 1e-3, "adamw": 1e-3, "nadam": 1e-3, "rmsprop": 1e-3, "sgd": 1e-2}.get(
            optimiser.last.lower()
        )
    return float(given.constant) if isinstance(given.constant, (int, float)) else None


def fits(case: Case) -> list[Fit]:
    """The answer's calls of ``fit`` on compiled models, in order."""
    traced = trace(case)
    if not traced.whole:
        return []
    found, compiled = [], {}
    by_event = {id(c.event): (m, c) for m, c in compilations(traced)}
    for e in traced.events:
        if id(e) in by_event:
            model, c = by_event[id(e)]
            compiled[id(model)] = c
        elif e.value.path in (".fit", ".fit_generator") and e.value.base is not None and not e.sets:
            known = compiled.get(id(e.value.base))
            if known is None or not mine(case, e):
                continue
            v = e.value
            found.append(
                Fit(e, e.value.base, known, v.given(0, "x"), v.given(1, "y"), v.named.get("validation_data"))
            )
    return found


def is_model(trace: Trace, value: Value | None) -> bool:
    return value is not None and any(m is value for m, _ in compilations(trace))


def layers_of(trace: Trace, model: Value) -> list[Value] | None:
    """A sequential model's layers in order; None where they are not all known."""
    if not model.is_call("Sequential"):
        return None
    given = model.given(0, "layers")
    layers = list(given.args) if given is not None and given.op == "sequence" else []
    if given is not None and given.op != "sequence":
        return None
    for e in trace.calls("add"):
        if e.value.base is model and e.value.args:
            layers.append(e.value.args[0])
    if any(e.value.base is model for e in trace.calls("pop")):
        return None
    return layers


def last_layer(trace: Trace, model: Value) -> Last | None:
    """The last layer of a sequential or functional model; None where it is not certain."""
    if model.is_call("Sequential"):
        layers = layers_of(trace, model)
        if not layers or any(x.op != "call" for x in layers):
            return None
        return _last(layers)
    if model.is_call("Model"):
        output = model.given(1, "outputs")
        layers = []
        while output is not None and output.called and output.path == "()" and output.base is not None:
            layers.insert(0, output.base)
            if not output.base.is_call("Activation", "Softmax", "Dropout", "Flatten"):
                break
            output = output.args[0] if output.args else None
        return _last(layers) if layers and all(x.called for x in layers) else None
    return None


def _last(layers: list[Value]) -> Last | None:
    after: list[str | None] = []
    for layer in reversed(layers):
        if layer.is_call("Activation"):
            after.append(_activation(layer.given(0, "activation")))
        elif layer.is_call("Softmax"):
            after.append("softmax")
        elif layer.is_call("Dense"):
            units, own = layer.given(0, "units"), layer.given(1, "activation")
            if own is not None:
                after.append(_activation(own))
            count = units.constant if units is not None else None
            names = [a for a in after if a != ""]
            certain = None if None in after else names[0] if names else ""
            return Last(layer, count if isinstance(count, int) else None, certain)
        elif not layer.is_call("Dropout", "Flatten"):
            return None
    return None


def _activation(value: Value | None) -> str | None:
    if value is None:
        return None
    if value.op == "constant":
        return "" if value.constant in (None, "linear") else str(value.constant)
    return value.last if value.op == "name" and value.last in ("softmax", "sigmoid", "relu", "tanh") else None
