"""Markup goes, and what looks like markup and is arithmetic stays."""

from __future__ import annotations

import pytest

from grader.text.clean import clean, inline


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("kernel_size**2 * channels", "kernel_size^2 * channels"),
        ("a**2 and **bold** b**2", "a^2 and bold b^2"),
        ("**Layer**2 has weights", "Layer2 has weights"),
        ("10⁷ images, k² and 5×10⁻³", "10^7 images, k^2 and 5×10^−3"),
    ],
)
def test_powers_are_kept(typed: str, plain: str) -> None:
    """``**2`` vanished as if it were bold, and 10⁷ became 107."""
    assert inline(typed) == plain


@pytest.mark.parametrize(
    "typed", ["~~dropout~~ and ReLU", "<del>dropout</del> and ReLU", "<s>dropout</s> and ReLU"]
)
def test_what_is_crossed_out_is_not_said(typed: str) -> None:
    assert inline(typed) == "and ReLU"


def test_what_opens_and_never_closes_is_shown() -> None:
    assert [x.text for x in clean("a <!-- b\nc --> d\n<!-- e")] == ["a", "d", "<!-- e"]
    assert [x.text for x in clean("<style>p {}\n</style>x <script> y")][-1].startswith("x")
