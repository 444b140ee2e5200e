"""A model with dropout or batch normalisation is evaluated while it is still in training mode."""

from __future__ import annotations

import ast
import re

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Trace, Value

WORDS = Words(
    name="evaluation_in_training_mode",
    title="Evaluated in training mode",
    why="In training mode dropout still drops units and batch normalisation uses the batch's own statistics, "
    "so the figure is not the trained model's.",
    hint="Tell the model that training is over before you measure it, and the other way round afterwards.",
)
_CHANGING = ("Dropout", "BatchNorm", "AlphaDropout")
_NORMALISED = (
    re.compile(
        r"torchvision\.models\.(\w+\.)?((wide_)?resne(x)?t\d|densenet|mobilenet|efficientnet|googlenet"
        r"|inception|shufflenet|mnasnet|regnet|vgg\d+_bn)"
    ),
    "batch normalisation",
)
"""torchvision's models that have it throughout, so that no new head rids them of it."""


def find(case: Case) -> list[Mistake]:
    """PyTorch: the mode is followed from the model's making to the evaluation loop. Keras: ``training=True``."""
    traced = trace(case)
    for found in pytorch.evaluations(case):
        changing = next(
            (x for x in pytorch.layers_of(traced, found.model) if x.last.startswith(_CHANGING)), None
        )
        trained_before = any(
            t.backward in traced.events
            and traced.events.index(t.backward) < traced.events.index(found.call)
            and any(m is found.model for m in t.models)
            for t in pytorch.trainings(case)
        )
        holds = changing.last if changing else _NORMALISED[1] if _normalised(found.model) else ""
        if not holds or not trained_before:
            continue
        if _mode(traced, found.model, found.call) == "train":
            return [
                WORDS.seen(
                    f"The model holds {holds} and is not put into evaluation mode before it is evaluated.",
                    quote(found.call),
                )
            ]
    return _keras(case, traced)


def _normalised(model: Value) -> bool:
    return model.called and _NORMALISED[0].match(model.path) is not None


def _mode(traced: Trace, model: Value, until: Event) -> str:
    """``train``, ``eval``, or ``unknown`` where a branch or something unseen may have set it."""
    mode = "train"
    for e in traced.events:
        if e is until:
            break
        if e.sets or not e.value.called:
            continue
        if e.value.path in (".train", ".eval") and e.value.base is not None:
            if e.value.base is model:
                argument = e.value.given(0, "mode")
                off = e.value.path == ".eval" or (argument is not None and argument.constant is not True)
                mode = "unknown" if e.branches else "eval" if off else "train"
            elif e.value.base.op in ("either", "unknown"):
                mode = "unknown"
        elif e.value.path != "()" and any(a is model for a in e.value.args) and e.value.last not in _HARMLESS:
            mode = "unknown"
    return mode


_HARMLESS = frozenset("print summary id type str repr len isinstance save".split())  # noqa: SIM905


def _keras(case: Case, traced: Trace) -> list[Mistake]:
    if not traced.whole:
        return []
    models = [f.model for f in keras.fits(case)]
    for e in traced.events:
        told = e.value.named.get("training") if not e.sets else None
        if (
            e.at in case.answer.pieces
            and e.value.path == "()"
            and any(e.value.base is m for m in models)
            and told is not None
            and told.constant is True
            and not any(c.endswith("GradientTape") for c in e.contexts)
            and not _again(e)
            and _compared(traced, e.value)
        ):
            return [WORDS.seen("The model is called with training=True to be evaluated.", quote(e))]
    return []


def _again(e: Event) -> bool:
    """Whether it may be one of several predictions of the same images, which are then averaged."""
    return any(
        x.over is None or x.over.is_call("range", "trange") or isinstance(x.node, ast.ListComp)
        for x in e.loops
    )


def _compared(traced: Trace, output: Value) -> bool:
    """Whether classes are read from an output by arg-max, and nothing averages several of them."""
    return any(
        e.value.is_call("argmax") and any(p is output for p in e.value.parts)
        for e in traced.events
        if not e.sets
    )


KIND = WORDS.kind(find)
