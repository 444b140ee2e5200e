"""The labels that scoring needs, which no kernel and no measuring process ever gets."""

from __future__ import annotations

from collections.abc import Sequence

from grader.errors import ResourceError
from grader.evidence.model import Execution
from grader.resources import labels as labels_of


def labels_for(executions: Sequence[Execution]) -> dict[str, tuple[int, ...]]:
    """The labels of every set of images that a model was asked on; one that is gone is left out."""
    wanted = {p.held_out for e in executions for m in e.measurements for p in m.predictions}
    found = {}
    for id in wanted:
        try:
            found[id] = labels_of(id)
        except ResourceError:
            continue
    return found
