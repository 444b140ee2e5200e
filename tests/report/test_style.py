"""Contrast as WCAG 2.1 defines it (1.4.3: 4.5 to 1 for text), of every text colour on every ground."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import grader.report

STYLE = (Path(grader.report.__file__).parent / "templates" / "style.css").read_text("utf-8")
TEXT = ("ink", "soft", "link", "earned", "partial", "lost", "review", "ungraded")


def colours(which: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    block = blocks[{"light": 0, "dark": 1, "print": 2}[which]]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})\b", block))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("which", ["light", "dark", "print"])
def test_all_text_can_be_read_on_all_grounds(which: str) -> None:
    found = colours(which)
    low = {
        (text, ground): round(contrast(found[text], found[ground]), 2)
        for text in TEXT
        for ground in ("paper", "wash", "code")
        if contrast(found[text], found[ground]) < 4.5
    }
    assert low == {}
    assert contrast(found["ink"], found["flash"]) >= 4.5, "a quoted line"


def test_marks_are_told_apart_without_colour_in_bars() -> None:
    for which in ("light", "dark"):
        found = colours(which)
        assert contrast(found["got"], found["rest"]) >= 2.5
