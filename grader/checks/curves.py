"""Learning curves: from the lines of a figure, or from an epoch log that was printed or saved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.checks.base import Case
from grader.checks.ran import nothing_ran
from grader.evidence.model import Figure
from grader.record import Record

_NUMBER = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
_TRAIN = re.compile(r"train|(?<!val_)(?<!val )\bfit\b", re.IGNORECASE)
_VALIDATION = re.compile(r"val|test|dev|held", re.IGNORECASE)
_ACCURACY = re.compile(r"acc", re.IGNORECASE)
_LOSS = re.compile(r"loss|error|entropy", re.IGNORECASE)
_ENTRY = re.compile(
    rf"((?:(?:train(?:ing)?|val(?:idation)?|test)[ _-]*)?(?:accuracy|acc|loss))\b\s*[:=]?\s*{_NUMBER}\s*(%?)",
    re.IGNORECASE,
)


class Curves(Record):
    """Values by epoch; accuracies from 0 to 1. A missing curve is empty."""

    train_accuracy: tuple[float, ...] = ()
    val_accuracy: tuple[float, ...] = ()
    train_loss: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    source: str = ""

    def named(self) -> dict[str, tuple[float, ...]]:
        """The curves that are there, by their names in full."""
        every = {
            "training accuracy": self.train_accuracy,
            "validation accuracy": self.val_accuracy,
            "training loss": self.train_loss,
            "validation loss": self.val_loss,
        }
        return {name: values for name, values in every.items() if values}

    @property
    def pair(self) -> tuple[tuple[float, ...], tuple[float, ...], bool] | None:
        """(training, validation, whether higher is better): accuracies if both are there, else losses."""
        if self.train_accuracy and self.val_accuracy:
            return self.train_accuracy, self.val_accuracy, True
        if self.train_loss and self.val_loss:
            return self.train_loss, self.val_loss, False
        return None


def _unit(values: Sequence[float]) -> tuple[float, ...]:
    """Accuracies in percent become shares."""
    return tuple(v / 100 for v in values) if any(v > 1.5 for v in values) else tuple(values)


def from_figures(figures: Sequence[Figure]) -> Curves:
    """Curves among the lines of figures, told apart by their labels, the legend and the axis label."""
    found: dict[str, tuple[float, ...]] = {}
    for figure in figures:
        for axes in figure.axes:
            around = f"{axes.ylabel} {axes.title}"
            for i, line in enumerate(axes.lines):
                label = line.label if line.label and not line.label.startswith("_") else ""
                label = label or (axes.legend[i] if i < len(axes.legend) else "")
                kind = _kind(label, around)
                if kind and len(line.y) >= 1:
                    found[kind] = _unit(line.y) if kind.endswith("accuracy") else line.y
    return Curves(**found, source="figure") if found else Curves()


def _kind(label: str, around: str) -> str:
    part = "val" if _VALIDATION.search(label) else "train" if _TRAIN.search(label) else ""
    if not part and re.fullmatch(r"\s*(accuracy|acc|loss)\s*", label, re.IGNORECASE):
        part = "train"  # Keras names its training curves so
    for text in (label, around):
        if _ACCURACY.search(text):
            return f"{part}_accuracy" if part else ""
        if _LOSS.search(text):
            return f"{part}_loss" if part else ""
    return ""


def from_log(text: str) -> Curves:
    """Curves from a printed log: lines of an epoch, or the line after ``Epoch 3/10`` as Keras prints."""
    epochs: list[dict[str, float]] = []
    inside = False
    for line in re.split(r"[\n\r]+", text):
        # Batch lines within an epoch are no epochs; their values would be taken for the curve.
        if re.search(r"\b(?:batch|step|iter\w*)\b\s*[\[:#]?\s*\d+", line, re.IGNORECASE):
            continue
        head = re.search(r"\bepoch\b\s*[\[:#]?\s*\d+", line, re.IGNORECASE)
        entries = _ENTRY.findall(line.replace("val_", "val ").replace("train_", "train "))
        if head:
            epochs.append({})
            inside = True
        if not inside or not entries:
            continue
        for name, number, percent in entries:
            key = ("val_" if _VALIDATION.match(name) else "train_") + (
                "accuracy" if "acc" in name.lower() else "loss"
            )
            value = float(number)
            epochs[-1][key] = value / 100 if percent else value
    curves = {
        key: tuple(e[key] for e in epochs if key in e)
        for key in ("train_accuracy", "val_accuracy", "train_loss", "val_loss")
    }
    whole = {k: _unit(v) if k.endswith("accuracy") else v for k, v in curves.items() if v}
    return Curves(**whole, source="log") if whole else Curves()


def fresh_curves(case: Case) -> Curves:
    """Curves of the fresh run: from its figures, else from what it printed."""
    if nothing_ran(case):
        return Curves()
    drawn = from_figures(case.figures)
    if drawn.pair:
        return drawn
    printed = from_log("\n".join(r.stdout for r in case.runs))
    return printed if printed.pair else drawn


def shown_curves(case: Case) -> Curves:
    """Curves of the fresh run for the report: each from a figure if one shows it, else from the log."""
    if nothing_ran(case):
        return Curves()
    drawn = from_figures(case.figures)
    printed = from_log("\n".join(r.stdout for r in case.runs))
    filled = {k: v for k, v in printed.model_dump(exclude={"source"}).items() if v and not getattr(drawn, k)}
    sources = [s for s, there in (("figure", bool(drawn.source)), ("log", bool(filled))) if there]
    return drawn.model_copy(update={**filled, "source": " and ".join(sources)})


def saved_curves(case: Case) -> Curves:
    """Curves of the log that the author saved: what they saw when they wrote their analysis."""
    return from_log("\n".join(p.saved_output for p in case.code))


# ---------------------------------------------------------------- what the curves say

OVER, UNDER, NEITHER = "overfitting", "underfitting", "neither"


class Reading(Record):
    """What curves say. ``possible`` holds every statement that a careful reader may make of them."""

    gap: float
    """Final training minus validation accuracy; of losses validation minus training, as a share of it."""
    final: float
    trend: float
    """How much the validation curve worsened from its best to its end, in the same units."""
    possible: frozenset[str]
    accuracy: bool


def reading(curves: Curves) -> Reading | None:
    """Fitness by the curves' ends, averaged over the last epochs; wide margins where readers differ.

    Accuracy: a gap over 0.10 is overfitting, under 0.02 is none, between both may be said; training accuracy
    below 0.6 may be called underfitting. Loss: validation at its end above its best by a quarter, or above
    training by half, may be called overfitting.
    """
    pair = curves.pair
    if pair is None:
        return None
    train, val, accuracy = pair
    end = max(1, min(len(train), len(val)) // 5)
    t, v = sum(train[-end:]) / end, sum(val[-end:]) / end
    possible: set[str] = set()
    if accuracy:
        gap, trend = t - v, max(val) - v
        if gap > 0.02 or trend > 0.02:
            possible.add(OVER)
        if gap < 0.10:
            possible.add(NEITHER)
        if t < 0.85 and gap < 0.10:
            possible.add(UNDER)
        if t < 0.45 and gap < 0.05:
            possible.discard(NEITHER)
    else:
        gap, trend = (v - t) / max(t, 1e-6), (v - min(val)) / max(min(val), 1e-6)
        if gap > 0.1 or trend > 0.05:
            possible.add(OVER)
        if gap < 0.5 and trend < 0.25:
            possible |= {NEITHER}
        if gap < 0.5 and len(train) > 1 and t > 0.7 * train[0]:
            possible.add(UNDER)
    return Reading(
        gap=round(gap, 4),
        final=round(t, 4),
        trend=round(trend, 4),
        possible=frozenset(possible),
        accuracy=accuracy,
    )
