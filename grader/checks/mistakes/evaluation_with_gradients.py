"""An evaluation loop builds the graph for gradients that nobody asks for."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event

WORDS = Words(
    name="evaluation_with_gradients",
    title="Evaluated with gradients switched on",
    why="Keeping what gradients would need costs memory and time, though the figure is the same.",
    hint="Evaluation needs no gradients; PyTorch can be told so for a block of code.",
)


def find(case: Case) -> list[Mistake]:
    """Evaluation loops of PyTorch outside ``no_grad`` and the like. Keras' ``evaluate`` and ``predict`` do it."""
    traced = trace(case)
    for found in pytorch.evaluations(case):
        if any(c.rpartition(".")[2] in pytorch.NO_GRADIENT for c in found.call.contexts):
            continue
        before = traced.events[: traced.events.index(found.call)]
        if any(
            not e.sets and e.value.is_call(*pytorch.NO_GRADIENT, "requires_grad_") for e in before if _set(e)
        ):
            continue
        return [
            WORDS.seen(
                "The evaluation runs outside any block that switches gradients off.", quote(found.call)
            )
        ]
    return []


def _set(e: Event) -> bool:
    """``set_grad_enabled(False)`` as a statement switches them off for all that follows."""
    return e.value.is_call("set_grad_enabled")


KIND = WORDS.kind(find)
