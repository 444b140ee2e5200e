"""An assignment as a rubric writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SerializeAsAny

from grader.checks.base import Criterion
from grader.record import Record


class Question(Record):
    """One question. ``prompt`` is its wording, as far as it helps to find it in a notebook;
    ``signs`` are words or names that its answers use and others' do not (``vgg16``, ``lenet``)."""

    id: str
    title: str
    marks: float = Field(gt=0)
    prompt: str = ""
    signs: tuple[str, ...] = ()
    prose: bool = Field(False, description="answered in words: code is not expected")
    reference: str | None = Field(None, description="file name within the assignment's reference folder")
    criteria: tuple[SerializeAsAny[Criterion], ...] = Field(min_length=1)


class Assignment(Record):
    """A rubric file. ``resources`` are registry ids of what the assignment promises to be there."""

    id: str
    title: str
    resources: tuple[str, ...] = ()
    questions: tuple[Question, ...] = Field(min_length=1)
    path: Path = Field(Path(), exclude=True, description="the rubric file itself")
    reference_folder: Path = Field(Path(), exclude=True)
    extra: dict[str, Any] = Field(default_factory=dict, exclude=True)

    @property
    def marks(self) -> float:
        return sum(q.marks for q in self.questions)

    def question(self, id: str) -> Question:
        return next(q for q in self.questions if q.id == id)
