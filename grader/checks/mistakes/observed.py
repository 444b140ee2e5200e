"""What the run showed of an answer: its trained models, its data sets, and the lines of code about something."""

from __future__ import annotations

import re

from grader.checks.base import Case, Quote
from grader.checks.mistakes.base import at_line
from grader.checks.models import Seen, measured
from grader.checks.ran import nothing_ran
from grader.checks.source import parse
from grader.evidence.model import DatasetUse, LayerKind

FIXED = re.compile(
    r"(torchvision\.datasets\.(?!ImageFolder|DatasetFolder|FakeData)|keras\.datasets\.|keras\.Model\.)"
)
"""Loaders of data sets that are the same for everyone: folders may be other than the author's."""


def trained_models(case: Case) -> list[Seen]:
    """Measured models of the answer whose weights changed in its cells."""
    if nothing_ran(case):
        return []
    return [(s, m) for s, m in measured(case) if s.trained]


def only_model(case: Case) -> Seen | None:
    """The answer's trained model, where there is exactly one (the last state of one variable counts)."""
    found = trained_models(case)
    return found[0] if found and len({(s.variable, s.class_name) for s, _ in found}) == 1 else None


def last_function(seen: Seen) -> str:
    """The activation that a measured model ends with; empty where it ends with another layer."""
    layers = [x for x in seen[1].layers if x.kind is not LayerKind.FLATTEN]
    return layers[-1].function if layers and layers[-1].kind is LayerKind.ACTIVATION else ""


def uses(case: Case) -> list[DatasetUse]:
    """Data sets that the answer's own cells opened, in order."""
    if nothing_ran(case) or case.execution is None:
        return []
    own = set(case.answer.pieces)
    return [d for d in case.execution.datasets if d.piece in own]


def used_classes(case: Case) -> int | None:
    """The number of classes of the data, where all that the answer opened agrees and is the same for everyone."""
    found = uses(case)
    counts = {d.classes for d in found if d.classes}
    if len(counts) != 1 or any(not FIXED.match(d.loader.removeprefix("tensorflow.")) for d in found):
        return None
    return counts.pop()


def line_about(case: Case, pattern: str, pieces: tuple[int, ...] | None = None) -> Quote | None:
    """The first line of the answer's code (comments aside) that a regular expression finds."""
    for p in case.code:
        if pieces is not None and p.index not in pieces:
            continue
        if not parse(p.source).statements:
            continue
        for number, line in enumerate(p.source.splitlines(), 1):
            if re.search(pattern, line.split("#")[0]):
                return at_line(p, number)
    return None
