"""A pretrained base is trained whole, at a learning rate meant for a new head."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.data import origins
from grader.checks.mistakes.pretrained import bases, frozen_anywhere
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Value, made_of

WORDS = Words(
    name="base_not_frozen",
    title="The pretrained base is not frozen",
    why="Large steps from a random head destroy what the base had learned, before it can be of use.",
    hint="Think about which layers already know something, and which must learn first.",
)
HIGH = {
    "Adam": 1e-3,
    "AdamW": 1e-3,
    "NAdam": 1e-3,
    "RAdam": 1e-3,
    "Adamax": 2e-3,
    "RMSprop": 1e-3,
    "SGD": 1e-2,
}
DEFAULT = {
    "Adam": 1e-3,
    "AdamW": 1e-3,
    "NAdam": 2e-3,
    "RAdam": 1e-3,
    "Adamax": 2e-3,
    "RMSprop": 1e-2,
    "SGD": 1e-3,
}
"""Learning rates from which on training all of a pretrained model is rarely meant, and PyTorch's defaults."""


def find(case: Case) -> list[Mistake]:
    """Nothing is ever frozen, the optimiser holds the whole model, and its learning rate is that of a new head.
    Fine-tuning all at a small rate is good practice and is left alone."""
    traced = trace(case)
    if not traced.whole:
        return []
    bases_here = [b for b in bases(traced) if b.event.at in case.answer.pieces]
    if not bases_here or frozen_anywhere(traced):
        return []
    own = {id(b.value): b for b in bases_here}
    for t in pytorch.trainings(case):
        for step in t.steps:
            optimiser = step.value.base
            given = optimiser.given(0, "params") if optimiser else None
            if (
                _large(t.data)
                or optimiser is None
                or given is None
                or given.path != ".parameters"
                or id(given.base) not in own
            ):
                continue
            rate = _rate(optimiser)
            if rate is not None and rate >= HIGH.get(optimiser.last, 1.0):
                made = next((e for e in traced.events if e.value is optimiser), None)
                return [_seen(own[id(given.base)].event, rate, made)]
    for fit in keras.fits(case):
        layers = keras.layers_of(traced, fit.model) or made_of(fit.model)
        used = next((own[id(x)] for x in layers if id(x) in own), None)
        high = {"sgd": 1e-2}.get(fit.compiled.optimiser, 1e-3)
        if (
            used
            and used.keras
            and not _large(fit.x)
            and fit.compiled.rate is not None
            and fit.compiled.rate >= high
        ):
            return [_seen(used.event, fit.compiled.rate, fit.compiled.event)]
    return []


def _large(data: Value | None) -> bool:
    """A data set of tens of thousands of images: training all of a model on it is no mistake."""
    return any(
        o.value.is_call("load_data")
        or (o.value.base is not None and o.value.base.is_call("load_data"))
        or (o.value.path.startswith("torchvision.datasets.") and not o.value.is_call("ImageFolder"))
        for o in origins(data)
    )


def _rate(optimiser: Value) -> float | None:
    given = optimiser.given(1, "lr")
    if given is None:
        return DEFAULT.get(optimiser.last)
    return float(given.constant) if isinstance(given.constant, (int, float)) else None


def _seen(made: Event, rate: float, where: Event | None) -> Mistake:
    return WORDS.seen(
        f"Nothing of the pretrained model seems to be frozen, and all of it is trained with a learning rate of {rate:g}.",
        quote(made),
        quote(where),
        sure=False,
        learning_rate=rate,
    )


KIND = WORDS.kind(find)
