"""Markup goes, and what looks like markup and is arithmetic stays."""

from __future__ import annotations

import pytest

from grader.text.clean import inline


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
