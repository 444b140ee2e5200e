"""What a rubric may say about a key point, strictly; and the phrasings it stands for."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from grader.evidence.model import Record


class Fact(Record):
    """A typed fact of a point. Exactly one of ``year``, ``name``, ``count`` and ``words`` is given.

    ``near``: words one of which must stand in the same sentence, list item or table cell (or in the
    heading above it), so that a number counts for the thing it stands beside.
    """

    year: int | None = None
    name: str | None = Field(None, description="a proper name; alternatives are separated by '|'")
    count: float | None = Field(None, description="a number: 138 million is 138e6")
    words: str | None = Field(None, description="terms; alternatives are separated by '|'")
    unit: str | None = None
    tolerance: float = Field(0.02, ge=0, description="relative, of a count")
    near: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Fact:
        given = [n for n in ("year", "name", "count", "words") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("a fact needs exactly one of year, name, count, words")
        return self

    def text(self) -> str:
        if self.year is not None:
            return str(self.year)
        if self.count is not None:
            return f"{self.count:,.10g}" + (f" {self.unit}" if self.unit else "")
        return (self.name or self.words or "").split("|")[0]


class Lesser(Record):
    """A weaker statement that earns part of a point where the full one is not made."""

    says: str
    also: tuple[str, ...] = ()
    marks: float = Field(gt=0)


class Point(Record):
    """One marking point. ``says`` and each of ``also`` is a full statement of it.

    - ``not``: statements that contradict it; one of these in the answer sends the point to a person.
    - ``needs``: terms without which the point is not made; alternatives are separated by ``|``.
    - ``facts``: typed facts; the point's mark is shared between them and its statement.
    - ``parts``: statements that each make an equal part of the point (a list of layers, say).
    - ``lesser``: weaker statements and what they earn.
    """

    marks: float = Field(gt=0)
    says: str = Field(min_length=3)
    also: tuple[str, ...] = ()
    not_: tuple[str, ...] = Field((), alias="not")
    needs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    parts: tuple[str, ...] = Field((), description="each may hold alternatives separated by '|'")
    enough: int | None = Field(None, ge=1, description="how many parts suffice for the whole point")
    lesser: tuple[Lesser, ...] = ()
    hint: str = ""

    @field_validator("also", "not_", "needs", "parts", mode="before")
    @classmethod
    def _strings(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Point:
        if self.enough is not None and self.enough > len(self.parts):
            raise ValueError(f"enough: {self.enough} of only {len(self.parts)} parts")
        if any(x.marks >= self.marks for x in self.lesser):
            raise ValueError("a lesser statement must earn less than the point")
        return self

    @property
    def phrasings(self) -> tuple[str, ...]:
        return (self.says, *self.also)


def alternatives(text: str) -> tuple[str, ...]:
    return tuple(a.strip() for a in text.split("|") if a.strip())
