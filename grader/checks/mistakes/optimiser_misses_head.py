"""The optimiser does not hold the parameters that should learn: it is older than the new head, or of another model."""

from __future__ import annotations

from itertools import pairwise

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.pretrained import owner
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Trace, Value, made_of

WORDS = Words(
    name="optimiser_misses_head",
    title="The optimiser does not hold what should learn",
    why="An optimiser only changes the parameters that it was given when it was made; new layers stay random.",
    hint="Follow the order of the cells: which parameters exist when the optimiser is made?",
)


def find(case: Case) -> list[Mistake]:
    """PyTorch: a layer of the optimised model is replaced after the optimiser was made, or the optimiser holds a
    model that the loop does not call. Keras: ``trainable`` is changed between two fits without compiling."""
    for t in pytorch.trainings(case):
        for step in t.steps:
            optimiser = step.value.base
            if optimiser is None or _extended(t.trace, optimiser):
                continue
            found = _replaced(t, optimiser, step) or _other(t, optimiser)
            if found:
                return [found]
    return _keras(case)


def _optimised(optimiser: Value) -> tuple[Value, tuple[str, ...]] | None:
    """(model, path within it) of ``SGD(model.fc.parameters())``; None where it is anything else."""
    given = optimiser.given(0, "params")
    if given is None or given.path not in (".parameters", ".named_parameters") or given.base is None:
        return None
    of = given.base
    path: list[str] = []
    while of.op in ("attribute", "item") and of.base is not None:
        path.insert(0, of.path)
        of = of.base
    return of, tuple(path)


def _extended(traced: Trace, optimiser: Value) -> bool:
    return any(e.value.base is optimiser for e in traced.calls("add_param_group"))


def _replaced(t: pytorch.Training, optimiser: Value, step: Event) -> Mistake | None:
    held = _optimised(optimiser)
    if held is None:
        return None
    model, path = held
    made = next((i for i, e in enumerate(t.trace.events) if e.value is optimiser), None)
    end = t.trace.events.index(step)
    if made is None or not any(m is model for m in t.models):
        return None
    for e in t.trace.events[made:end]:
        # Only a layer put straight on the model, or on the part that is optimised, is surely missed.
        if not e.sets or e.target is None or e.branches or t.loop in e.loops:
            continue
        new = e.value.args[0] if e.value.args else None
        of = e.target
        within: list[str] = []
        while of.op in ("attribute", "item") and of.base is not None:
            within.insert(0, of.path)
            of = of.base
        if (
            of is model
            and new is not None
            and _layer(new)
            and [*within, e.attribute][: len(path)] == list(path)
        ):
            name = ".".join([*within, e.attribute]).replace(".[", "[")
            return WORDS.seen(
                f"`{name}` is replaced after the optimiser was made, so the new layer's parameters are not in it.",
                quote(t.trace.events[made]),
                quote(e),
            )
    return None


def _layer(value: Value) -> bool:
    return pytorch.is_module(value) or (value.path == "torch.nn.Sequential")


def _other(t: pytorch.Training, optimiser: Value) -> Mistake | None:
    """The optimiser holds one model and the loop trains another, neither within the other."""
    held = _optimised(optimiser)
    if held is None or len(t.models) != 1 or len({id(s.value.base) for s in t.steps}) != 1:
        return None
    model, trained = held[0], t.models[0]
    if (
        model is trained
        or not (pytorch.is_module(model) and pytorch.is_module(trained))
        or _within(t.trace, model, trained)
        or _within(t.trace, trained, model)
    ):
        return None
    made = next((e for e in t.trace.events if e.value is optimiser), None)
    call = next((e for e in t.events if e.value.path == "()" and e.value.base is trained), None)
    return WORDS.seen(
        "The optimiser was given the parameters of another model than the one that the loop trains.",
        quote(made),
        quote(call),
    )


def _within(traced: Trace, part: Value, whole: Value) -> bool:
    """Whether one model is used in making another, as far as can be seen."""
    put = [(owner(e.target), e.value.args[0]) for e in traced.events if e.sets and e.value.args]
    todo, seen = [whole], set()
    while todo:
        value = todo.pop()
        if value is part:
            return True
        if id(value) not in seen:
            seen.add(id(value))
            todo += [*value.parts, *(new for of, new in put if of is value)]
    return False


def _keras(case: Case) -> list[Mistake]:
    traced, fits = trace(case), keras.fits(case)
    for first, second in pairwise(fits):
        if first.model is not second.model or first.compiled is not second.compiled:
            continue
        between = traced.events[traced.events.index(first.event) : traced.events.index(second.event)]
        changed = [e for e in between if e.sets and e.attribute == "trainable"]
        for e in changed:
            of = owner(e.target)
            if of is not None and (of is second.model or _within_keras(traced, of, second.model)):
                return [
                    WORDS.seen(
                        "`trainable` is changed between two fits and the model is not compiled again, "
                        "so the change seems to have no effect.",
                        quote(e),
                        quote(second.event),
                        sure=False,
                    )
                ]
    return []


def _within_keras(traced: Trace, part: Value, model: Value) -> bool:
    layers = keras.layers_of(traced, model) or made_of(model)
    return any(layer is part for layer in layers)


KIND = WORDS.kind(find)
