"""What a rubric may say about a key point, strictly.

A point is a statement with aliases, or is made up of parts; each part again is a statement with
aliases, or typed facts (a year, a name, a count, a formula)::

    - marks: 5
      says: a filter is a small learnable kernel that slides over the input
      parts:
        - a small matrix of weights | a small kernel
        - {says: it slides over the input, also: [moves across the image], marks: 2}
        - {says: about 60 million parameters, facts: [{count: 60e6, near: [AlexNet]}]}
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import Field, field_validator, model_validator

from grader.record import Record
from grader.text import arithmetic, formulas
from grader.text.words import negated

KINDS = ("year", "name", "count", "words", "formula", "worked", "shape")


class Fact(Record):
    """A typed fact: exactly one of year, name, count, words, formula, worked, shape.

    ``near``: words one of which must stand in the same sentence, list item or table cell, or in the
    heading above it, so that a number counts for the thing it stands beside.
    """

    year: int | None = None
    name: str | None = Field(None, description="a proper name; alternatives are separated by '|'")
    count: tuple[float, ...] | None = Field(None, description="a number, or several of which one is stated")
    words: str | None = Field(None, description="terms, as written; alternatives are separated by '|'")
    formula: str | None = Field(None, description="compared by what it computes; names by `where`")
    worked: str | None = Field(
        None, description="operators of a worked line of numbers whose result is right"
    )
    shape: tuple[int, ...] | None = Field(None, description="14×14×6 is [14, 14, 6]")
    where: dict[str, tuple[str, ...]] = Field({}, description="a formula's variables and their other names")
    example: tuple[str, ...] = Field(
        (), description="names of a formula's result: values that give a stated result count as well"
    )
    unit: str | None = None
    tolerance: float = Field(0.05, ge=0, description="relative, of a count")
    near: tuple[str, ...] = ()
    of: tuple[str, ...] = Field((), description="like `near`, for what is counted: layers, parameters")

    @field_validator("near", "of", "count", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, (str, int, float)) else value

    @field_validator("where", mode="before")
    @classmethod
    def _aliases(cls, value: object) -> object:
        if isinstance(value, dict):
            return {k: tuple(alternatives(v)) if isinstance(v, str) else v for k, v in value.items()}
        return value

    @model_validator(mode="after")
    def _one(self) -> Fact:
        given = [n for n in KINDS if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"a fact needs exactly one of {', '.join(KINDS)}")
        if self.formula is not None:
            unknown = arithmetic.names(formulas.wanted(self.formula)) - set(self.where)
            if unknown:
                raise ValueError(f"where does not say what {', '.join(sorted(unknown))} may be called")
        return self

    def text(self) -> str:
        """The fact in a few words, for the marker."""
        if self.year is not None:
            return str(self.year)
        if self.count is not None:
            return f"{self.count[0]:,.10g}" + (f" {self.unit}" if self.unit else "")
        if self.shape is not None:
            return "×".join(map(str, self.shape))
        if self.worked is not None or self.example:
            return "a worked example"
        return (self.name or self.words or self.formula or "").split("|")[0].strip()


class Part(Record):
    """A part of a point, with its weight in ``marks``. A string is a statement and its aliases, by '|'.

    With ``facts`` the part is made by all of its facts, or by one of ``also``; ``says`` is its title.
    ``near`` holds back sentences that have many of a statement's words and not what it is about: "skip
    connections remove layers" says nothing of a gradient. Facts have their own.
    """

    says: str = Field(min_length=2)
    also: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    needs: tuple[str, ...] = Field((), description="terms as written, without which it is not made")
    near: tuple[str, ...] = Field(
        (), description="of each group of terms one must stand in the sentence that earns it, or beside it"
    )
    either: bool = Field(False, description="one of the facts suffices")
    about: tuple[str, ...] = Field(
        (),
        description="names of the thing it is said of, where the question compares several; else the point's",
    )
    marks: float = Field(1.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            first, *rest = alternatives(value) or ("",)
            return {"says": first, "also": rest}
        return value

    @field_validator("also", "needs", "near", mode="before")
    @classmethod
    def _strings(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("about", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return alternatives(value) if isinstance(value, str) else value

    @cached_property
    def denial(self) -> bool:
        """Whether it is said by denying something: "pooling has no weights"."""
        return any(map(negated, (self.says, *self.also)))

    @property
    def phrasings(self) -> tuple[str, ...]:
        return self.also if self.facts else (self.says, *self.also)


class Lesser(Part):
    """A weaker statement that earns ``marks`` of a point where the full one is not made."""


class Point(Record):
    """One marking point. ``says`` and each of ``also`` is a full statement of it.

    - ``parts``: what the point is made up of, weighted by their ``marks``; then ``says`` is the title
      and ``also`` are statements that make the whole point at once.
    - ``enough``: how many of the parts suffice for the whole point (the best so many count).
    - ``facts``: typed facts; each counts as much as the statement.
    - ``not``: what contradicts it, as statements or typed facts (a frequent mistake that is put in many ways);
      one of these in the answer leaves it a fifth and sends the point to a person.
    - ``needs``: terms without which the point is not made; alternatives are separated by ``|``.
    - ``near``: as of a part, where the point has none.
    - ``lesser``: weaker statements and what they earn.
    - ``about``: names of the thing that it is said of (AlexNet, or the dense network), where the question
      compares several: what the answer says of another point's thing does not make this one.
    """

    marks: float = Field(gt=0)
    says: str = Field(min_length=3)
    also: tuple[str, ...] = ()
    not_: tuple[str | Fact, ...] = Field((), alias="not")
    needs: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    parts: tuple[Part, ...] = ()
    enough: float | None = Field(None, gt=0, description="weight of parts that suffices; default all")
    lesser: tuple[Lesser, ...] = ()
    about: tuple[str, ...] = ()
    hint: str = ""

    @field_validator("also", "not_", "needs", "near", mode="before")
    @classmethod
    def _strings(cls, value: object) -> object:
        return (value,) if isinstance(value, (str, dict)) else value

    @field_validator("about", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return alternatives(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Point:
        if self.enough is not None and self.enough > sum(p.marks for p in self.parts):
            raise ValueError(f"enough: {self.enough:g} is more than all parts together")
        if any(x.marks >= self.marks for x in self.lesser):
            raise ValueError("a lesser statement must earn less than the point")
        if self.parts and self.facts:
            raise ValueError("a point has parts or facts; put the facts into a part")
        return self

    def made_of(self) -> tuple[Part, ...]:
        """The parts that are judged: the point's own, or its statement and its facts."""
        if self.parts:
            return self.parts
        own = Part(says=self.says, also=self.also, near=self.near)
        return (own, *(Part(says=f.text(), facts=(f,)) for f in self.facts))


def alternatives(text: str) -> tuple[str, ...]:
    return tuple(a.strip() for a in text.split("|") if a.strip())
