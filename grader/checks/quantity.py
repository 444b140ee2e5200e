"""``quantity``: a number that the answer must reach, in any writing, beside the words it belongs to."""

from __future__ import annotations

from pydantic import Field, model_validator

from grader.checks.base import Case, Check, Criterion, Quote, Verdict, earned, lost, partial, review
from grader.checks.memory import Network, explain
from grader.record import Record
from grader.submission.model import UNSURE
from grader.text import sentences
from grader.text.quantities import Quantity, agrees, factor, quantities
from grader.text.sentences import Sentence
from grader.text.words import stems

UNITS = {
    "byte": "byte",
    "kilobyte": "kB",
    "megabyte": "MB",
    "gigabyte": "GB",
    "kibibyte": "KiB",
    "mebibyte": "MiB",
    "gibibyte": "GiB",
}


class Accepted(Record):
    """Another value, the share of the marks that it earns, and where it comes from."""

    value: float
    share: float = Field(gt=0, le=1)
    because: str = Field(min_length=3)


class QuantityCriterion(Criterion):
    """``expect`` a number (in ``unit``, where given) or ``shapes`` a list of map sizes.

    ``near``: words of which one stands in the same sentence, the two before it or the heading above;
    a right number without any of them is sent to a person. A number whose unit counts bytes is taken
    in decimal units as written (MB) or binary ones (MiB), each at its own value.
    """

    expect: float | None = None
    shapes: tuple[tuple[int, ...], ...] = ()
    unit: str | None = None
    tolerance: float = Field(0.01, ge=0)
    near: tuple[str, ...] = ()
    accept: tuple[Accepted, ...] = ()
    explain: Network | None = Field(
        None, description="the layers, from which it is computed where a student's other number comes from"
    )

    @model_validator(mode="after")
    def _one(self) -> QuantityCriterion:
        if (self.expect is None) == (not self.shapes):
            raise ValueError("give exactly one of expect and shapes")
        return self

    @property
    def tells_answer(self) -> bool:
        return True

    def title(self) -> str:
        return self.says or "the figure asked for"


def _read(case: Case) -> list[tuple[Sentence, tuple[Quantity, ...]]]:
    out = [(s, quantities(s.text)) for s in sentences.read(case.answered)]
    for run in case.runs:
        for n, text in enumerate(run.stdout.splitlines(), 1):
            if text.strip():
                out.append((Sentence(text, n, run.piece, code=True), quantities(text)))
    return out


def _beside(c: QuantityCriterion, read: list[tuple[Sentence, tuple[Quantity, ...]]], at: int) -> bool:
    if not c.near:
        return True
    want = {s for w in c.near for s in stems(w)}
    here, _ = read[at]
    text = [here.text, here.under] + [s.text for s, _ in read[max(0, at - 2) : at] if s.piece == here.piece]
    return bool(want & {s for t in text for s in stems(t)})


def _quote(s: Sentence, about: str) -> Quote:
    return Quote(text=s.text[:400], piece=s.piece, line=s.line, about=about)


def _matches(q: Quantity, value: float, c: QuantityCriterion) -> bool:
    return agrees(q, value, c.unit, c.tolerance)


def _binary(q: Quantity, c: QuantityCriterion) -> bool:
    """A value that is right if its MB were counted as 1,048,576 bytes."""
    if c.expect is None or c.unit is None or q.unit not in ("megabyte", "gigabyte", "kilobyte"):
        return False
    binary = {"megabyte": "mebibyte", "gigabyte": "gibibyte", "kilobyte": "kibibyte"}[q.unit]
    by = factor(binary, c.unit)
    return by is not None and abs(q.value * by - c.expect) <= c.tolerance * abs(c.expect)


def _origin(c: QuantityCriterion, q: Quantity) -> str:
    """Where the student's number comes from, computed from the layers, as the end of a sentence."""
    if c.explain is None:
        return ""
    unit = UNITS.get(q.unit or "")
    if (c.unit is None) != (unit is None):
        return ""
    said = explain(c.explain, q.value, unit)
    return f". {said}" if said else ""


def _shapes(c: QuantityCriterion, case: Case) -> Verdict:
    seen: dict[tuple[int, ...], Sentence] = {}
    for s, qs in _read(case):
        for q in qs:
            dims = tuple(d for d in q.shape if d is not None)
            for want in c.shapes:
                if any(dims[i : i + len(want)] == want for i in range(len(dims))):
                    seen.setdefault(want, s)
    named = [" × ".join(map(str, w)) for w in c.shapes if w in seen]
    quotes = tuple(_quote(s, "earned") for s in dict.fromkeys(seen.values()))
    evidence = {"shapes": [list(w) for w in seen], "expected": len(c.shapes)}
    if not seen:
        return _no_sign(
            c, case, f"none of the {len(c.shapes)} sizes asked for was found in the answer", evidence
        )
    reason = f"{len(seen)} of {len(c.shapes)} sizes are right: {', '.join(named)}"
    return partial(c, len(seen) / len(c.shapes), reason, quotes=quotes, evidence=evidence)


def _no_sign(
    c: QuantityCriterion, case: Case, reason: str, evidence: dict[str, object], **more: object
) -> Verdict:
    if case.answer.confidence < UNSURE:
        why = f"{reason}; which part of the notebook answers this question is uncertain"
        return review(c, 0, why, evidence=evidence, **more)
    return lost(c, reason, hint=c.hint, evidence=evidence, **more)


def judge(c: QuantityCriterion, case: Case) -> Verdict:
    if c.shapes:
        return _shapes(c, case)
    assert c.expect is not None
    read = _read(case)
    full: list[tuple[int, Quantity]] = []
    part: list[tuple[Accepted, int, Quantity]] = []
    loose: list[tuple[int, Quantity]] = []
    near: list[tuple[int, Quantity]] = []
    for n, (_, qs) in enumerate(read):
        for q in qs:
            beside = _beside(c, read, n)
            if _matches(q, c.expect, c):
                full.append((n, q))
            elif _binary(q, c):
                loose.append((n, q))
            elif hit := next((a for a in c.accept if _matches(q, a.value, c)), None):
                part.append((hit, n, q))
            elif beside and q.kind in ("number", "range") and (c.unit is None or q.unit):
                near.append((n, q))
    placed = [(n, q) for n, q in full if _beside(c, read, n)]
    shown = f"{c.expect:,.10g}" + (f" {c.unit}" if c.unit else "")
    evidence: dict[str, object] = {"expected": c.expect, "unit": c.unit}
    if placed:
        n, q = placed[-1]
        evidence |= {"found": q.value, "as": q.text}
        quotes = (_quote(read[n][0], "earned"),)
        later = [(a, m, p) for a, m, p in part if m > n and _beside(c, read, m)]
        if later:
            a, m, p = later[-1]
            why = f"the answer gives {q.text}, and later {p.text}, which {a.because}"
            return review(c, c.marks, why, quotes=(*quotes, _quote(read[m][0], "nearest")), evidence=evidence)
        return earned(c, f"{q.text} is right", quotes=quotes, evidence=evidence)
    if part:
        best = max(part, key=lambda p: (_beside(c, read, p[1]), p[0].share, p[1]))
        a, n, q = best
        evidence |= {"found": q.value, "as": q.text, "because": a.because}
        quotes = (_quote(read[n][0], "nearest"),)
        if full or not _beside(c, read, n):
            why = f"{q.text} stands in the answer, but not beside what it should count"
            return review(c, c.marks * a.share, why, quotes=quotes, evidence=evidence)
        reason = f"{q.text}: {a.because}{_origin(c, q)}"
        return partial(c, a.share, reason, quotes=quotes, evidence=evidence)
    if full:
        n, q = full[-1]
        evidence |= {"found": q.value, "as": q.text}
        why = f"{q.text} is the right figure, but it does not stand beside what it should count"
        return review(c, c.marks, why, quotes=(_quote(read[n][0], "nearest"),), evidence=evidence)
    if loose:
        n, q = loose[-1]
        evidence |= {"found": q.value, "as": q.text}
        why = f"{q.text} is right if its unit was counted in steps of 1,024 (MiB rather than MB)"
        return review(c, c.marks, why, quotes=(_quote(read[n][0], "nearest"),), evidence=evidence)
    if near:
        n, q = near[-1]
        evidence |= {"found": q.value, "as": q.text}
        reason = f"the figure given, {q.text}, is not the right one{_origin(c, q)}"
        return _no_sign(
            c, case, reason, evidence, quotes=(_quote(read[n][0], "nearest"),), private=f"expected {shown}"
        )
    return _no_sign(c, case, "no such figure was found in the answer", evidence, private=f"expected {shown}")


CHECK = Check("quantity", QuantityCriterion, judge, needs_run=False)
