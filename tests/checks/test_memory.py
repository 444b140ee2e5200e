"""A student's other figure is traced to the way of counting that leads to it, from the layers alone."""

from __future__ import annotations

import pytest

from grader.checks.memory import Convolution, Network, explain

EXERCISE = Network(
    input=(3, 200, 300),
    layers=tuple(Convolution(units=n, kernel=3, stride=2) for n in (100, 200, 400)),
    batch=50,
)


def test_the_layers_have_the_sizes_and_parameters_of_the_exercise() -> None:
    assert EXERCISE.sizes() == ((100, 100, 150), (200, 50, 75), (400, 25, 38))
    assert [w + b for w, b in zip(EXERCISE.weights(), EXERCISE.biases(), strict=True)] == [
        2800,
        180200,
        720400,
    ]


@pytest.mark.parametrize(
    ("number", "unit", "because"),
    [
        (902_700, None, "the 700 biases"),
        (6300, None, "incoming maps is left out, and the biases"),
        (723_200, None, "layer 2 is left out"),
        (903_400, None, "weights and biases are counted"),
        (14.13, "MB", "every layer's maps are kept"),
        (14.1, "MB", "every layer's maps are kept"),
        (13.48, "MiB", "every layer's maps are kept"),
        (13.48, "MB", "MiB, though it says MB"),
        (9, "MB", "without the parameters"),
        (12.6, "MB", "two consecutive layers"),
        (1.06, "GB", "its gradient is counted"),
        (1055.6, "MB", "its gradient is counted"),
        (529.6, "MB", "the input images are left out"),
        (526, "MB", "the input images are left out; the parameters are left out"),
        (14.85, "MB", "the input"),
        (706.7, "MB", "counted for every image"),
    ],
)
def test_where_a_figure_comes_from(number: float, unit: str | None, because: str) -> None:
    said = explain(EXERCISE, number, unit)
    assert said is not None and because in said


@pytest.mark.parametrize(("number", "unit"), [(902_999, None), (123_456, None), (77.7, "MB"), (4.2, "GB")])
def test_a_figure_that_no_way_leads_to_is_not_explained(number: float, unit: str | None) -> None:
    assert explain(EXERCISE, number, unit) is None


def test_another_network_has_other_figures_and_the_same_explanations() -> None:
    other = Network(
        input=(1, 28, 28), layers=(Convolution(units=32, kernel=5), Convolution(units=64, kernel=5)), batch=8
    )
    assert "the 96 biases" in (explain(other, 800 + 51_200, None) or "")
    assert explain(other, 902_700, None) is None


def test_a_unit_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown unit"):
        explain(EXERCISE, 1, "mile")
