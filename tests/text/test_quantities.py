"""Numbers as students write them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.text.quantities import agrees, quantities

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from quantity_strings import NAMES, NUMBER, SHAPE, misses


def test_at_least_95_percent_of_60_or_more_strings_are_read_rightly() -> None:
    total, wrong = misses()
    assert total >= 60
    assert len(wrong) <= 0.05 * total, wrong


@pytest.mark.parametrize(
    ("text", "wrong"), [("903,400", 902700), ("9,03,400", 3400), ("60M", 60), ("1.06 GB", 1.06)]
)
def test_a_number_is_not_read_as_another(text: str, wrong: float) -> None:
    assert not any(agrees(q, wrong, tolerance=0.0002) for q in quantities(text))


def test_gigabytes_are_not_gibibytes() -> None:
    (gb,) = quantities("1.06 GB")
    (gib,) = quantities("1.06 GiB")
    assert agrees(gb, 1060, "MB")
    assert not agrees(gib, 1060, "MB")
    assert agrees(gib, 1138.2, "MB")


def test_a_number_in_a_name_is_left_alone_but_can_be_asked_for() -> None:
    assert quantities("VGG-16") == ()
    assert [q.value for q in quantities("VGG-16", names=True)] == [16.0]


def test_a_shape_is_not_multiplied_out() -> None:
    (q,) = quantities("14×14×6")
    assert q.shape == (14, 14, 6)
    assert not agrees(q, 1176)


def test_the_strings_of_the_benchmark_are_of_all_three_sorts() -> None:
    assert NUMBER
    assert SHAPE
    assert NAMES
