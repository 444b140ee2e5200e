"""Pixels reach the first layer that learns as 0 to 255, or divided by 255 twice."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.input_scale import CENTRED, NARROW, RAW, rescaling
from grader.checks.mistakes.base import Mistake, Words
from grader.checks.mistakes.observed import line_about, only_model, uses
from grader.evidence.model import LayerKind

TWICE = Words(
    name="pixels_scaled_twice",
    title="Pixels are scaled twice",
    why="After a second division all pixels look alike to the model, and it hardly learns.",
    hint="Follow the values from the file to the first layer, and write their range down after each step.",
    needs="model",
)
NEVER = Words(
    name="pixels_not_scaled",
    title="Pixels are not scaled",
    why="Values up to 255 make the first steps of training huge and unstable.",
    hint="Print the least and the greatest value of a batch just before the model gets it.",
    needs="model",
)
_STEPS = r"255|127\.5|[Rr]escal|ToTensor|preprocess_input|Normalize"
_NORMALISING = (LayerKind.BATCH_NORMALISATION, LayerKind.LAYER_NORMALISATION)
_PASSED = (LayerKind.RESCALING, LayerKind.PADDING, LayerKind.FLATTEN, LayerKind.DROPOUT, LayerKind.OTHER)
FAINT = 5e-4
"""Below this a range is that of an empty or a made-up input, not of scaled pixels."""


def _seen(case: Case) -> tuple[float, float, str] | None:
    """The range after the model's own rescaling, and in words; None where it was not settled."""
    found = only_model(case)
    if found is None or found[0].input_range is None or not uses(case):
        return None
    snapshot, measurement = found
    first = next((x.kind for x in measurement.layers if x.kind not in _PASSED), None)
    if first in _NORMALISING:
        return None
    assert snapshot.input_range is not None
    low, high = snapshot.input_range
    words = f"The model was given values from {low:.3g} to {high:.3g}"
    for step in rescaling(measurement.layers):
        if step is None:
            return None
        low, high = sorted((low * step[0] + step[1], high * step[0] + step[1]))
        words += f", rescaled to {low:.3g} to {high:.3g}"
    return low, high, words


def find_twice(case: Case) -> list[Mistake]:
    """From the range of what the model was given, as `input_scale` reads it."""
    seen = _seen(case)
    if seen is None or not FAINT < seen[1] - seen[0] < NARROW:
        return []
    low, high, words = seen
    return [
        TWICE.seen(
            f"{words}: they seem to be scaled more than once.",
            line_about(case, _STEPS),
            sure=False,
            low=low,
            high=high,
        )
    ]


def find_never(case: Case) -> list[Mistake]:
    """From the range of what the model was given: 0 to 255, not centred as VGG and ResNet were trained."""
    seen = _seen(case)
    if seen is None or not (seen[1] > RAW and seen[0] > CENTRED and seen[1] <= 256):
        return []
    low, high, words = seen
    return [
        NEVER.seen(
            f"{words}: pixels as they are stored.",
            line_about(case, r"\bfit\(|\.backward\("),
            low=low,
            high=high,
        )
    ]


KINDS = (TWICE.kind(find_twice), NEVER.kind(find_never))
