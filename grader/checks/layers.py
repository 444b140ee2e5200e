"""``layers``: the measured layers beside the expected ones, by global sequence alignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from grader.checks.base import Case, Check, Criterion, State, Table, Verdict, lost, partial, review
from grader.checks.branches import Parallel, parallel_branches
from grader.checks.layer_tables import (
    COMPARED,
    WEIGHTED,
    Learning,
    Like,
    branch_table,
    learning,
    reference_layers,
    side_by_side,
)
from grader.checks.layer_words import Wanted, differences, layer_row
from grader.checks.models import classes_used, layer_names, measured, mismatch, named, snapshots, unmeasured
from grader.evidence.model import Layer, LayerKind
from grader.record import Record

LEARNS = WEIGHTED
"""Kinds that make an architecture another one when there is one too many."""

PARALLEL_WEIGHT = 3
WITHOUT_WEIGHTS = 0.5
"""What a pooling layer, say, weighs beside one that learns: every CNN has some."""
KIND_ALONE = 0.25
"""How alike two layers are for the alignment when only their kind agrees. It earns nothing."""
GAP = -0.6


class Expected(Record):
    """One layer that is looked for."""

    kind: LayerKind | tuple[LayerKind, ...]
    units: int | Literal["classes"] | None = None
    kernel: int | tuple[int, ...] | None = None
    stride: int | tuple[int, ...] | None = None
    optional: bool = False

    @field_validator("kind")
    @classmethod
    def _some_kind(cls, value: LayerKind | tuple[LayerKind, ...]) -> LayerKind | tuple[LayerKind, ...]:
        if value == ():
            raise ValueError("at least one kind is needed")
        return value

    @property
    def kinds(self) -> tuple[LayerKind, ...]:
        return self.kind if isinstance(self.kind, tuple) else (self.kind,)


class Layers(Criterion):
    """``expected`` in order, or ``parallel`` branches, or both."""

    expected: tuple[Expected, ...] = ()
    ignore: tuple[LayerKind, ...] | None = Field(
        None, description="kinds passed over; by default as documented"
    )
    parallel: Parallel | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Layers:
        if not self.expected and self.parallel is None:
            raise ValueError("expected or parallel is needed")
        return self

    def title(self) -> str:
        if self.says:
            return self.says
        return "the layers of the architecture" if self.expected else "parallel branches, concatenated"


# ---------------------------------------------------------------- alignment


def agreement(want: Wanted, have: Layer, classes: int | None) -> float:
    """0 for another kind; else from 0.25 to 1 by the share of the given attributes that agree."""
    if have.kind not in want.kinds and not _stands_for(want, have):
        return 0.0
    asked = [
        want.units is None or have.units == (classes if want.units == "classes" else want.units),
        want.kernel is None or have.kernel is None or _same(want.kernel, have.kernel),
        want.stride is None or have.stride is None or _same(want.stride, have.stride),
    ]
    given = [want.units is not None, want.kernel is not None, want.stride is not None]
    if want.kernel is not None and have.kind not in want.kinds:
        asked[1] = True
    if not any(given):
        return 1.0
    right = sum(a for a, g in zip(asked, given, strict=True) if g)
    return KIND_ALONE + (1 - KIND_ALONE) * right / sum(given)


def _same(want: int | tuple[int, ...], have: tuple[int, ...]) -> bool:
    return all(h == want for h in have) if isinstance(want, int) else tuple(want) == have


def _stands_for(want: Wanted, have: Layer) -> bool:
    """A convolution down to 1 × 1 is a dense layer (LeNet-5's C5), and the reverse."""
    if LayerKind.DENSE in want.kinds and have.kind is LayerKind.CONVOLUTION:
        return len(have.output_shape) == 4 and have.output_shape[2:] == (1, 1)
    return (
        LayerKind.CONVOLUTION in want.kinds
        and have.kind is LayerKind.DENSE
        and isinstance(want.units, int)
        and (have.units == want.units)
    )


Pair = tuple[int | None, int | None]


def align(expected: Sequence[Wanted], layers: Sequence[Layer], classes: int | None) -> list[Pair]:
    """Pairs of positions (expected, measured), None for a gap: Needleman and Wunsch 1970.

    Layers of different kinds are never paired; an optional layer's absence and a layer too many that has
    no weights cost little.
    """
    n, m = len(expected), len(layers)
    skip = [0.0 if e.optional else GAP for e in expected]
    extra = [GAP if x.kind in LEARNS else GAP / 4 for x in layers]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        best[i][0] = best[i - 1][0] + skip[i - 1]
    for j in range(1, m + 1):
        best[0][j] = best[0][j - 1] + extra[j - 1]
    score = [[agreement(e, x, classes) for x in layers] for e in expected]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            pair = best[i - 1][j - 1] + score[i - 1][j - 1] if score[i - 1][j - 1] else float("-inf")
            best[i][j] = max(pair, best[i - 1][j] + skip[i - 1], best[i][j - 1] + extra[j - 1])
    pairs: list[Pair] = []
    i, j = n, m
    while i or j:
        if i and j and score[i - 1][j - 1] and best[i][j] == best[i - 1][j - 1] + score[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and best[i][j] == best[i - 1][j] + skip[i - 1]:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def considered(c: Layers, layers: Sequence[Layer]) -> list[Layer]:
    """The layers that take part: by default the kinds that are expected, and all that learn."""
    if c.ignore is not None:
        return [x for x in layers if x.kind not in c.ignore]
    named = {k for e in c.expected for k in e.kinds}
    return [x for x in layers if x.kind in named or x.kind in LEARNS]


# ---------------------------------------------------------------- judging


class Comparison(Record):
    """One model against the expected layers."""

    points: float
    of: float
    differences: tuple[str, ...]
    tables: tuple[Table, ...]
    agreed: int


def _learns(want: Expected | None, have: Layer | None) -> bool:
    kinds = want.kinds if want is not None else (have.kind,) if have is not None else ()
    return any(k in LEARNS for k in kinds)


def compare(
    c: Layers, all_layers: Sequence[Layer], classes: int | None, learned: Learning | None = None
) -> Comparison:
    """Points that agree, and the differences in words."""
    points = of = 0.0
    agreed = 0
    words: list[str] = []
    tables: list[Table] = []
    if c.expected:
        layers = considered(c, all_layers)
        pairs = align(c.expected, layers, classes)
        names = layer_names(layers)
        rows: list[tuple[str, ...]] = []
        marked: list[int] = []
        for row, (i, j) in enumerate(pairs):
            want = c.expected[i] if i is not None else None
            have = layers[j] if j is not None else None
            share = agreement(want, have, classes) if want and have else 0.0
            optional = want is not None and want.optional
            if (want and have) or not optional:
                weight = 1.0 if _learns(want, have) else WITHOUT_WEIGHTS
                of += weight
                points += weight * max(0.0, (share - KIND_ALONE) / (1 - KIND_ALONE))
            agreed += share == 1.0
            *cells, right = layer_row(want, have, classes)
            rows.append((*cells, learned.words(have) if learned and have else "", right))
            if share < 1 and not (have is None and optional):
                marked.append(row)
        words += differences(c.expected, layers, pairs, marked, names, classes)
        header = ("student's layer", "output", "parameters", "training", "expected")
        title = "Layers beside what was expected"
        tables.append(Table(title=title, header=header, rows=tuple(rows), marked=tuple(marked)))
    if c.parallel is not None:
        share, said = parallel_branches(c.parallel, all_layers)
        tables += [t] if (t := branch_table(all_layers)) is not None else []
        of += PARALLEL_WEIGHT
        points += PARALLEL_WEIGHT * share
        agreed += share == 1.0
        if share < 1:
            words.append(said)
    return Comparison(points=points, of=of, differences=tuple(words), tables=tuple(tables), agreed=agreed)


def beside_reference(case: Case, layers: Sequence[Layer]) -> Table | None:
    """The student's layers beside the reference's own, where the reference was run and measured."""
    theirs = [x for x in reference_layers(case) if x.kind in COMPARED]
    mine = [x for x in layers if x.kind in COMPARED]
    if not theirs or not mine:
        return None
    wanted = [Like(layer=x) for x in theirs]
    pairs = align(wanted, mine, None)
    differs = [
        row
        for row, (i, j) in enumerate(pairs)
        if i is None or j is None or agreement(wanted[i], mine[j], None) < 1
    ]
    return side_by_side(mine, theirs, pairs, differs)


def judge(c: Layers, case: Case) -> Verdict:
    """The share of the layers that agree, in the measured model of the answer that agrees best."""
    seen = measured(case)
    classes = classes_used(case)
    if not seen:
        return _claimed(c, case, classes)
    results = [(compare(c, m.layers, classes, learning(case, s)), s, m) for s, m in seen]
    best, s, m = max(results, key=lambda r: r[0].points / r[0].of if r[0].of else 0.0)
    share = best.points / best.of if best.of else 0.0
    more: dict[str, Any] = {
        "evidence": {
            "share": round(share, 4),
            "layers": len(m.layers),
            "parameters": m.parameters,
            "model": named(s),
        },
        "tables": (*best.tables, *([t] if (t := beside_reference(case, m.layers)) else [])),
    }
    if m.unused:
        more["evidence"]["not_run"] = list(m.unused)
    if not best.differences:
        return partial(c, share, f"The layers of `{named(s)}` are those that were asked for.", **more)
    shown = list(best.differences[:6])
    if len(best.differences) > 6:
        shown.append(f"and {len(best.differences) - 6} more")
    said = "; ".join(shown)
    reason = said[:1].upper() + said[1:] + "."
    escaped = mismatch(c, case, reason, **more)
    if escaped.state is not lost(c, "").state:
        return escaped.model_copy(update={"mark": partial(c, share, "").mark})
    return partial(c, share, reason, **more)


def _claimed(c: Layers, case: Case, classes: int | None) -> Verdict:
    """A model that could not be measured, by the modules that the kernel saw called: never more than a hint."""
    best = next((s for s in snapshots(case) if s.claimed_layers), None)
    verdict = unmeasured(c, case)
    if best is None or verdict.state is not State.REVIEW:
        return verdict
    found = compare(c, best.claimed_layers, classes, learning(case, best))
    share = found.points / found.of if found.of else 0.0
    said = "; ".join(found.differences[:6]) or "they are those that were asked for"
    reason = (
        f"{verdict.reason} Less certain, by the modules that were called in the notebook: {said}. "
        "What the forward does between them is not seen."
    )
    figures = {"share": round(share, 4), "layers": len(best.claimed_layers), "model": named(best)}
    return review(c, partial(c, share, "").mark, reason, evidence=figures, tables=found.tables)


CHECK = Check(kind="layers", criterion=Layers, judge=judge)
