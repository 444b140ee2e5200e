"""``parameters``: the exact number of parameters, counted by the clean process."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, review
from grader.checks.models import (
    classes_used,
    measured,
    mismatch,
    named,
    parse_selector,
    part_words,
    select,
    snapshots,
    unmeasured,
)
from grader.evidence.model import Measurement
from grader.record import Record


class PerClass(Record):
    base: int = Field(ge=0)
    each: int = Field(gt=0, description="parameters that each class adds")


class Parameters(Criterion):
    """One of ``any_of``, or ``base + each × classes``, over the layers that ``of`` names."""

    any_of: tuple[int, ...] = ()
    of: str = "all"
    plus_per_class: PerClass | None = None

    @field_validator("of")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("all", "trainable") and parse_selector(value) is None:
            raise ValueError(
                "of is all, trainable, a kind of layer, or one layer such as 'first convolution'"
            )
        return value

    @model_validator(mode="after")
    def _has_a_number(self) -> Parameters:
        if not self.any_of and self.plus_per_class is None:
            raise ValueError("any_of or plus_per_class is needed")
        return self

    def title(self) -> str:
        what = {"all": "the model", "trainable": "the model's trainable part"}.get(
            self.of, part_words(self.of)
        )
        return self.says or f"number of parameters of {what}"


def count(m: Measurement, of: str) -> int | None:
    """Parameters of the named part; None where the model has no such layer."""
    if of == "all":
        return m.parameters
    if of == "trainable":
        return m.trainable
    chosen = select(m.layers, of)
    return sum(x.parameters for x in chosen) if chosen else None


def judge(c: Parameters, case: Case) -> Verdict:
    """Earned if any measured model of the answer has an accepted number; else lost with what was measured."""
    classes = classes_used(case)
    seen = measured(case)
    accepted = set(c.any_of)
    if c.plus_per_class and classes:
        accepted.add(c.plus_per_class.base + c.plus_per_class.each * classes)
    if not seen:
        claimed = snapshots(case)[0].claimed_parameters if snapshots(case) else None
        fits = c.of == "all" and claimed in accepted
        said = f"The kernel says {claimed:,} parameters, which is only its word." if claimed else ""
        return unmeasured(c, case, suggestion=c.marks if fits else 0.0, hint=said)
    what = "parameters" if c.of in ("all", "trainable") else f"parameters in {part_words(c.of)}"
    counts = [(s, m, count(m, c.of)) for s, m in seen]
    for s, m, n in counts:
        if n in accepted:
            return earned(c, f"The model `{named(s)}` has {n:,} {what}.", evidence=_figures(named(s), m, n))
        if c.plus_per_class and not classes and n and _fits_some(c.plus_per_class, n, m):
            words = f"The model `{named(s)}` has {n:,} {what}, right for its number of outputs."
            return earned(c, words, evidence=_figures(named(s), m, n))
    s, m, n = counts[0]
    if n is None:
        return mismatch(c, case, f"The model `{named(s)}` has no {c.of}.", evidence=_figures(named(s), m, n))
    if c.plus_per_class and not classes and not c.any_of:
        words = f"The model `{named(s)}` has {n:,} {what}; the number of classes of its data is not known."
        return review(c, 0.0, words, evidence=_figures(named(s), m, n))
    words = f"The model `{named(s)}` has {n:,} {what}, which is not the number that was asked for."
    wanted = ", ".join(f"{a:,}" for a in sorted(accepted))
    return mismatch(c, case, words, evidence=_figures(named(s), m, n), private=f"Accepted: {wanted}.")


def _fits_some(rule: PerClass, n: int, m: Measurement) -> bool:
    outputs = m.output_shape[-1] if m.output_shape else None
    return outputs is not None and n == rule.base + rule.each * outputs


def _figures(name: str, m: Measurement, n: int | None) -> dict[str, Any]:
    return {"parameters": n, "model": name, "all_parameters": m.parameters, "trainable": m.trainable}


CHECK = Check(kind="parameters", criterion=Parameters, judge=judge)
