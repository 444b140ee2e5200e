from __future__ import annotations

import pytest
from handmade import Notebook, layer

from grader.checks.base import State, Verdict
from grader.checks.input_scale import InputScale, judge

SCALE = layer("rescaling", function="x * 0.00392156863 + 0")


def fed(low: float, high: float, *first: object) -> Verdict:
    layers = (*first, layer("convolution", 32, 3), SCALE, layer("dense", 10))
    nb = Notebook().code("model.fit(x, y)").model(layers=layers, input_range=(low, high))  # type: ignore[arg-type]
    return judge(InputScale(check="input_scale", marks=2), nb.case())


@pytest.mark.parametrize(
    ("low", "high", "first", "state"),
    [
        (0, 1, (), State.EARNED),
        (-1, 1, (), State.EARNED),
        (-2.1, 2.6, (), State.EARNED),
        (-124, 152, (), State.EARNED),
        (0, 255, (SCALE,), State.EARNED),
        (0, 255, (), State.LOST),
        (0, 1, (SCALE,), State.LOST),
        (0, 0.0039, (), State.LOST),
        (0, 255, (layer("rescaling", function="normalisation"),), State.REVIEW),
    ],
)
def test_pixels_are_scaled_once(low: float, high: float, first: tuple[object, ...], state: State) -> None:
    assert fed(low, high, *first).state is state


def test_scaling_twice_is_said() -> None:
    assert "scaled more than once" in fed(0, 1, SCALE).reason


def test_without_a_range_a_person_looks() -> None:
    nb = Notebook().code("model.fit(x, y)").model(layers=(layer("dense", 10),))
    assert judge(InputScale(check="input_scale", marks=2), nb.case()).state is State.REVIEW
