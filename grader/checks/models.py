"""The measured models of an answer, and how to name their layers.

A kernel's own word about a model (`ModelSnapshot`) only chooses which measurement to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from grader.checks.base import Case, Criterion, Verdict, lost, review, ungraded
from grader.checks.ran import absent, nothing_ran
from grader.checks.source import code_of
from grader.evidence.model import Layer, LayerKind, Measurement, MeasurementState, ModelSnapshot

Seen = tuple[ModelSnapshot, Measurement]

CONVOLUTIONS = (LayerKind.CONVOLUTION, LayerKind.DEPTHWISE_CONVOLUTION)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def snapshots(case: Case) -> list[ModelSnapshot]:
    """Models seen in the answer's pieces, best first: trained, called, built; later before earlier."""
    if nothing_ran(case) or case.execution is None:
        return []
    mine = set(case.answer.pieces)
    seen = [(i, s) for i, s in enumerate(case.execution.snapshots) if s.piece in mine]
    order = sorted(
        seen, key=lambda p: (p[1].trained, p[1].called, bool(p[1].claimed_parameters), p[0]), reverse=True
    )
    return [s for _, s in order]


def distance(case: Case) -> float | None:
    """How far training moved the weights of the answer's models at most; None where that is not known."""
    return max((s.distance for s in snapshots(case) if s.trained and s.distance is not None), default=None)


def measured(case: Case) -> list[Seen]:
    """Those of `snapshots` that a clean process has measured, each program once, in the same order."""
    if case.execution is None:
        return []
    by_program = {m.program: m for m in case.execution.measurements if m.state is MeasurementState.MEASURED}
    found: dict[str, Seen] = {}
    for s in snapshots(case):
        if s.program and s.program in by_program:
            found.setdefault(s.program, (s, by_program[s.program]))
    return list(found.values())


def unmeasured(c: Criterion, case: Case, *, suggestion: float = 0.0, hint: str = "") -> Verdict:
    """The verdict when no model of the answer was measured: none seen, refused, or a failure of ours.

    ``suggestion`` is the mark that the kernel's own word would earn; it is only ever a suggestion.
    """
    seen = snapshots(case)
    if not seen:
        return absent(c, case, "model")
    assert case.execution is not None
    by_program = {m.program: m for m in case.execution.measurements}
    best = seen[0]
    found = by_program.get(best.program or "")
    if found is not None and found.state is MeasurementState.FAILED:
        return ungraded(c, "The model could not be measured, for a reason of ours.", private=found.reason)
    if best.program and found is None:
        return ungraded(c, "The model left the kernel and was not measured, for a reason of ours.")
    why = found.reason if found else best.problem
    reason = "The model could not be taken out of the notebook to be measured in a clean process"
    return review(c, suggestion, f"{reason}: {why or 'no reason is known'}.", private=hint)


def named(s: ModelSnapshot) -> str:
    """The model's class as its author calls it, without its modules."""
    return s.class_name.rpartition(".")[2] or s.class_name


def parameters_of(layers: Sequence[Layer], names: Collection[str]) -> set[str]:
    """Those of the parameter names that belong to the layers, by the layers' paths in the model."""
    owners = {x.name for x in layers if x.name and x.parameters}
    return {n for n in names if n in owners or n.rsplit(".", 1)[0] in owners or n.rsplit("/", 1)[0] in owners}


def mismatch(c: Criterion, case: Case, reason: str, **more: Any) -> Verdict:
    """Lost, because no measured model fits, unless a trained model of the answer escaped measurement."""
    done = {(s.variable, s.class_name, s.claimed_parameters) for s, _ in measured(case)}
    escaped = [s for s in snapshots(case) if (s.variable, s.class_name, s.claimed_parameters) not in done]
    if any(s.trained for s in escaped) or (escaped and not any(s.trained for s, _ in measured(case))):
        words = "Another model of the answer could not be measured"
        why = next((s.problem for s in escaped if s.problem), "no reason is known")
        return review(c, 0.0, f"{reason} {words}: {why}.", **more)
    return lost(c, reason, **more)


def classes_used(case: Case) -> int | None:
    """Number of classes of the data set that the answer opened last, or that a piece it uses did."""
    if case.execution is None:
        return None
    mine = set(case.answer.pieces)
    used = mine | {s.piece.index for s in code_of(case)}
    known = [d for d in case.execution.datasets if d.classes and d.piece in used]
    best = max(known, key=lambda d: (d.piece in mine, d.piece), default=None)
    return best.classes if best else None


def opens_data(case: Case) -> bool:
    """Whether a data set of known classes was opened by the answer's own pieces."""
    mine = set(case.answer.pieces)
    return case.execution is not None and any(d.classes and d.piece in mine for d in case.execution.datasets)


# ---------------------------------------------------------------- naming layers

KINDS = {k.value: k for k in LayerKind}


def parse_selector(text: str) -> tuple[int | None, tuple[LayerKind, ...]] | None:
    """``first convolution`` -> (0, kinds), ``last dense`` -> (-1, …), ``convolution`` -> (None, …)."""
    ordinal, _, rest = text.strip().lower().partition(" ")
    if ordinal in ORDINALS and rest in KINDS:
        return ORDINALS.index(ordinal), _group(rest)
    if ordinal == "last" and rest in KINDS:
        return -1, _group(rest)
    return (None, _group(text.lower())) if text.lower() in KINDS else None


def _group(kind: str) -> tuple[LayerKind, ...]:
    return CONVOLUTIONS if kind == "convolution" else (KINDS[kind],)


def select(layers: Sequence[Layer], selector: str) -> tuple[Layer, ...]:
    """The layers that a selector names; empty where the model has none such."""
    parsed = parse_selector(selector)
    if parsed is None:
        return ()
    index, kinds = parsed
    found = [x for x in layers if x.kind in kinds]
    if index is None:
        return tuple(found)
    return (found[index],) if -len(found) <= index < len(found) else ()


def layer_names(layers: Sequence[Layer]) -> list[str]:
    """A name for each layer as a person would say it: ``second convolution``, ``dropout``."""
    counts: dict[LayerKind, int] = {}
    names = []
    for x in layers:
        n = counts.get(x.kind, 0)
        counts[x.kind] = n + 1
        names.append(f"{ORDINALS[n] if n < len(ORDINALS) else f'{n + 1}th'} {x.kind.value}")
    return names


def part_words(of: str) -> str:
    """A selector as a part of a model: "its first convolution", "its convolution layers"."""
    parsed = parse_selector(of)
    return f"its {of}" if parsed and parsed[0] is not None else f"its {of} layers"


def shape_words(shape: Sequence[int | None]) -> str:
    """``(batch, 6, 28, 28)``: None as "batch" in front and "any" elsewhere."""
    return (
        "("
        + ", ".join(("batch" if i == 0 else "any") if s is None else str(s) for i, s in enumerate(shape))
        + ")"
    )
