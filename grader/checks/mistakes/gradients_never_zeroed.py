"""A training loop computes gradients and steps, and nothing sets the gradients back."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.values import Event

WORDS = Words(
    name="gradients_never_zeroed",
    title="Gradients are never set back",
    why="PyTorch adds new gradients to the old ones, so each step follows the sum of all batches so far.",
    hint="Look at what has to happen to the gradients between one step and the next.",
)


def find(case: Case) -> list[Mistake]:
    """Loops over data with ``backward`` and an optimiser's ``step`` in which nothing clears a gradient.

    Keras clears gradients itself. A loop that hands its optimiser or model to something unknown is passed over.
    """
    for t in pytorch.trainings(case):
        steps = [s for s in t.steps if t.loop in s.loops]
        if not steps or t.backward.loops[-1:] != steps[0].loops[-1:] or any(_clears(e) for e in t.events):
            continue
        held = {id(s.value.base) for s in steps} | {id(m) for m in t.models}
        if any(id(a) in held for e in t.events if not e.sets for a in e.value.args):
            continue
        return [
            WORDS.seen(
                "The loop computes gradients and steps, and nothing in it sets them back to zero.",
                quote(t.backward),
                quote(steps[0]),
            )
        ]
    return []


def _clears(e: Event) -> bool:
    if e.sets:
        return e.attribute == "grad"
    return e.value.is_call("zero_grad", "zero_", "fill_", "grad", "minimize")


KIND = WORDS.kind(find)
