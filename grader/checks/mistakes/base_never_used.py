"""A pretrained base is loaded and frozen, and then another model is trained."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.pretrained import bases, freezes, owner
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Trace, Value

WORDS = Words(
    name="base_never_used",
    title="The frozen base is never used",
    why="The model that is trained does not contain the pretrained layers, so nothing is transferred.",
    hint="Follow an image through the model: where does it pass the pretrained layers?",
)
_LOOKING = frozenset(
    [
        "parameters",
        "named_parameters",
        "children",
        "modules",
        "eval",
        "train",
        "summary",
        "print",
        "to",
        "cuda",
        "cpu",
    ]
)
_FIGURES = frozenset({"in_features", "out_features", "in_channels", "out_channels", "output_shape"})
"""Read to make a new head of the right size."""


def find(case: Case) -> list[Mistake]:
    """A frozen base that no model holds and nothing calls, while another model is trained."""
    traced = trace(case)
    if not traced.whole:
        return []
    trained = [m for t in pytorch.trainings(case) for m in t.models] + [f.model for f in keras.fits(case)]
    for base in bases(traced):
        frozen = freezes(traced, base.value)
        if (
            base.event.at not in case.answer.pieces
            or not frozen
            or not trained
            or any(m is base.value for m in trained)
            or _used(traced, base.value)
        ):
            continue
        return [
            WORDS.seen(
                f"`{base.value.last}` is loaded and frozen, and no model that is trained seems to contain it.",
                quote(base.event),
                quote(frozen[0]),
                sure=False,
            )
        ]
    return []


def _used(traced: Trace, base: Value) -> bool:
    """Whether anything but freezing and looking is done with it or with a part of it."""
    return any(_uses(e, base) for e in traced.events) or any(
        any(owner(p) is base for p in v.parts)
        for v in traced.values
        if v.op in ("sequence", "starred", "operation", "either")
    )


def _uses(e: Event, base: Value) -> bool:
    if e.sets:
        return any(owner(p) is base for p in e.value.args)  # a new head alone is no use of it
    if e.value is base or e.value.last in _LOOKING:
        return False
    if e.value.is_call("requires_grad_", "add_module"):
        return e.value.last == "add_module"
    return any(owner(p) is base for p in e.value.parts if p.path not in _FIGURES)


KIND = WORDS.kind(find)
