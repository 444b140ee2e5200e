"""``output_shape``: the size of the model's output, or of one layer's, as the clean process measured it."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, review
from grader.checks.models import (
    classes_used,
    measured,
    mismatch,
    named,
    opens_data,
    parse_selector,
    select,
    shape_words,
    unmeasured,
)
from grader.evidence.model import Measurement

Shape = tuple[int | None, ...]


class OutputShape(Criterion):
    """``any_of`` shapes, channels first, null for any size; or the last size is the number of ``classes``."""

    any_of: tuple[Shape, ...] = ()
    of: str = "model"
    classes: bool = Field(False, description="the last size is the number of classes of the data used")

    @field_validator("of")
    @classmethod
    def _known(cls, value: str) -> str:
        if value != "model" and parse_selector(value) is None:
            raise ValueError("of is model, or one layer such as 'first convolution'")
        return value

    @model_validator(mode="after")
    def _asks_something(self) -> OutputShape:
        if bool(self.any_of) == self.classes:
            raise ValueError("either any_of or classes: true is needed, not both")
        return self

    def title(self) -> str:
        if self.says:
            return self.says
        return "one output for each class" if self.classes else f"output shape of the {self.of}"


def same_shape(found: Shape, wanted: Shape) -> bool:
    return len(found) == len(wanted) and all(w is None or f == w for f, w in zip(found, wanted, strict=True))


def shapes(m: Measurement, of: str) -> list[Shape]:
    return [m.output_shape] if of == "model" else [x.output_shape for x in select(m.layers, of)]


def judge(c: OutputShape, case: Case) -> Verdict:
    """Earned if any measured model of the answer has the shape; else lost with what was measured."""
    seen = measured(case)
    if not seen:
        return unmeasured(c, case)
    classes = classes_used(case)
    for s, m in seen:
        for shape in shapes(m, c.of):
            fits = any(same_shape(shape, w) for w in c.any_of)
            if c.classes and classes and shape:
                fits = shape[-1] == classes or (classes == 2 and shape[-1] == 1)
            if fits:
                words = f"The output of the {c.of} has the shape {shape_words(shape)}."
                return earned(
                    c,
                    words,
                    evidence={"output_shape": list(shape), "classes": classes, "model": named(s)},
                )
    s, m = seen[0]
    found = shapes(m, c.of)
    if not found:
        return mismatch(c, case, f"The model `{named(s)}` has no {c.of}.", evidence={"model": named(s)})
    figures = {"output_shape": list(found[0]), "classes": classes, "model": named(s)}
    words = f"The output of the {c.of} has the shape {shape_words(found[0])}"
    if c.classes and not classes:
        return review(
            c, c.marks / 2, f"{words}; how many classes its data has is not known.", evidence=figures
        )
    if c.classes and not opens_data(case):
        said = f"{words}; the answer opens no data of its own, and earlier data has {classes} classes."
        return review(c, c.marks / 2, said, evidence=figures)
    if c.classes:
        return mismatch(c, case, f"{words}, while the data has {classes} classes.", evidence=figures)
    return mismatch(c, case, f"{words}, which is not what was asked for.", evidence=figures)


CHECK = Check(kind="output_shape", criterion=OutputShape, judge=judge)
