"""Training and test images are normalised in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.checks.base import Case
from grader.checks.mistakes.base import Mistake, Words
from grader.checks.mistakes.observed import line_about, uses
from grader.evidence.model import DatasetUse

WORDS = Words(
    name="normalisation_differs",
    title="Training and test images are normalised differently",
    why="The model meets other values in the test than those it was trained on, so its accuracy falls.",
    hint="Put the two preparations side by side; only augmentation may differ.",
    needs="data",
)
Affine = tuple[tuple[float, ...], tuple[float, ...]]
"""What black and white become, for each channel."""


def find(case: Case) -> list[Mistake]:
    """From the preparation that the run saw on each data set; silent where any pair of them agrees."""
    found = uses(case)
    for name in dict.fromkeys(d.dataset for d in found):
        train = _scales(d for d in found if d.dataset == name and d.split == "train")
        test = _scales(d for d in found if d.dataset == name and d.split in ("test", "validation"))
        if not train or not test or any(_alike(a, b) for a in train for b in test):
            continue
        one, other = train[-1], test[-1]
        return [
            WORDS.seen(
                f"Black and white become {_words(one)} in training and {_words(other)} in the test.",
                line_about(case, r"Normalize\(|/\s*255|\bmean\b|rescale"),
                training=_words(one),
                test=_words(other),
            )
        ]
    return []


def _scales(found: Any) -> list[Affine]:
    return [a for d in found if (a := affine(d)) is not None]


def affine(use: DatasetUse) -> Affine | None:
    """Where 0 and 255 of each channel end up; None where that is not known or no tensor is made."""
    p = use.preprocessing
    if p is None or not p.known or not any(s.get("name") in ("ToTensor", "ToDtype", "ConvertImageDtype") for s in p.steps):  # fmt: skip
        return None
    low: Sequence[float] = (0.0,)
    high: Sequence[float] = (1.0,)
    for step in p.steps:
        if step.get("name") == "ToDtype" and not step.get("scale"):
            return None
        if step.get("name") == "Normalize":
            try:
                mean, std = _floats(step["mean"]), _floats(step["std"])
                n = max(len(mean), len(std), len(low))
                mean, std, low, high = (list(v) * (n // len(v)) for v in (mean, std, low, high))
                low = [(v - m) / s for v, m, s in zip(low, mean, std, strict=True)]
                high = [(v - m) / s for v, m, s in zip(high, mean, std, strict=True)]
            except (KeyError, TypeError, ValueError, ZeroDivisionError):
                return None
    return tuple(low), tuple(high)


def _floats(value: Any) -> list[float]:
    return [float(v) for v in value] if isinstance(value, (list, tuple)) else [float(value)]


def _alike(a: Affine, b: Affine) -> bool:
    """Within a hundredth of the range: rounding of what was read from values is no difference."""
    spans = [abs(h - lo) for lo, h in zip(*a, strict=True)]
    n = max(len(a[0]), len(b[0]))
    if n % len(a[0]) or n % len(b[0]):
        return False
    wide = max(spans) or 1.0
    return all(
        abs(x - y) <= 0.01 * wide
        for one, other in zip(a, b, strict=True)
        for x, y in zip(one * (n // len(one)), other * (n // len(other)), strict=True)
    )


def _words(a: Affine) -> str:
    return " and ".join(", ".join(f"{v:.3g}" for v in values) for values in a)


KIND = WORDS.kind(find)
