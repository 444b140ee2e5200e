"""Pretrained models in a trace: where they are made, frozen, and used."""

from __future__ import annotations

from dataclasses import dataclass

from grader.checks.mistakes.values import Event, Trace, Value


@dataclass(frozen=True)
class Base:
    """A model that was made with pretrained weights. ``keras`` tells its framework."""

    event: Event
    value: Value
    keras: bool


def bases(trace: Trace) -> list[Base]:
    """Pretrained models of torchvision and of ``keras.applications``, in order."""
    found = []
    for e in trace.events:
        v = e.value
        if e.sets or not v.called or v.base is not None:
            continue
        if v.path.startswith("torchvision.models.") and v.last[:1].islower():
            weights = v.given(0, "weights") or v.named.get("pretrained")
            if weights is None or (weights.constant in (None, False) and weights.op == "constant"):
                continue
            found.append(Base(e, v, keras=False))
        elif ".applications." in v.path and v.last[:1].isupper():
            weights = v.named.get("weights")
            if weights is None or weights.constant == "imagenet":
                found.append(Base(e, v, keras=True))
    return found


def owner(value: Value | None) -> Value | None:
    """The object that an attribute, an item or a loop's element is of."""
    while (
        value is not None
        and value.base is not None
        and (
            value.op in ("attribute", "item", "element")
            or value.path in (".parameters", ".named_parameters", ".children", ".modules", ".named_children")
        )
    ):
        value = value.base
    return value


def freezes(trace: Trace, base: Value) -> list[Event]:
    """Where parameters of a base, or of what holds it, are marked as not to be trained."""
    return [e for e in frozen_anywhere(trace) if _about(e, base)]


def frozen_anywhere(trace: Trace) -> list[Event]:
    """Every place that sets ``requires_grad`` or ``trainable`` to false, or seems to."""
    found = []
    for e in trace.events:
        if e.sets and e.attribute in ("requires_grad", "trainable"):
            set_to = e.value.args[0] if e.value.args else None
            if set_to is None or set_to.constant is not True:
                found.append(e)
        elif not e.sets and e.value.is_call(
            "requires_grad_", "freeze", "set_parameter_requires_grad", "setattr"
        ):
            first = e.value.given(0, "requires_grad")
            if first is None or first.constant is not True:
                found.append(e)
    return found


def _about(e: Event, base: Value) -> bool:
    of = e.target if e.sets else e.value.base
    return owner(of) is base
