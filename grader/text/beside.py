"""What is known of an answer in words beside its text: whose marks the suggestions may be trusted by, and
what a person, another submission or a judge says of it. Gathered for a batch before it is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.evidence.marks import PersonMark
from grader.record import Record
from grader.text.calibration import Calibration


class Opinion(Record):
    """A judge's of one point: ``verdict`` is None when a person must look, for the ``reason``."""

    verdict: Literal["made", "partly", "not made"] | None
    quote: str = ""
    reason: str = ""

    def bears_out(self, share: float) -> bool:
        """Whether it agrees with a suggested share of the point; if not, a person looks."""
        if self.verdict is None:
            return False
        return {"made": share >= 0.75, "partly": 0.2 <= share <= 0.9, "not made": share <= 0.25}[self.verdict]


@dataclass(frozen=True)
class Beside:
    """Of one question of one submission; the mappings are by the criterion's title.

    ``record`` says from when on a suggestion may stand without a person. None: nobody has confirmed any
    mark yet, and nothing but a blank answer is final.
    """

    record: Calibration | None = None
    twins: tuple[str, ...] = ()
    """Other files of the batch whose answer is near-identical."""
    marked: Mapping[str, PersonMark] = field(default_factory=dict)
    """A person's mark on this very answer."""
    alike: Mapping[str, tuple[PersonMark, ...]] = field(default_factory=dict)
    """A person's marks on answers of the same cluster."""
    opinions: Mapping[str, tuple[Opinion, ...]] = field(default_factory=dict)
    """A judge's, for each point in order; nothing where none was asked."""


NOTHING = Beside()
