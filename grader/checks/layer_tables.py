"""A model's layers for people: beside the expected ones, beside the reference's, and branch by branch."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from grader.checks.base import Case, Table
from grader.checks.branches import branches
from grader.checks.layer_words import layer_cells, times
from grader.checks.models import measured, parameters_of
from grader.evidence.model import Layer, LayerKind, ModelSnapshot
from grader.record import Record

SHARED = "shared, counted above"


class Learning(Record):
    """What training did to a model's parameters. ``moved`` is None where the kernel did not say."""

    moved: frozenset[str] | None = None

    def words(self, layer: Layer) -> str:
        """``changed``, ``did not change``, ``frozen``; empty for a layer without parameters."""
        if not layer.parameters:
            return ""
        moved = self.moved is not None and bool(parameters_of((layer,), self.moved))
        if layer.trainable == 0:
            return "frozen at the end, changed before" if moved else "frozen"
        if self.moved is None:
            return "trainable"
        return "changed" if moved else "did not change"


def learning(case: Case, snapshot: ModelSnapshot) -> Learning:
    """Of the same model in all of the answer's pieces: what any of them changed."""
    if case.execution is None:
        return Learning()
    mine = set(case.answer.pieces)
    same = [
        s
        for s in case.execution.snapshots
        if s.piece in mine and (s.variable, s.class_name) == (snapshot.variable, snapshot.class_name)
    ]
    if any(s.moved is None for s in same):
        return Learning()
    return Learning(moved=frozenset(name for s in same for name in s.moved or ()))


def unchanged(layers: Sequence[Layer], found: Learning) -> list[Layer]:
    """Layers that could have learned and did not; none where nothing changed, or nothing is known."""
    if not found.moved or not any(parameters_of((x,), found.moved) for x in layers):
        return []
    return [
        x
        for x in layers
        if x.trainable and x.name and x.kind in WEIGHTED and found.words(x) == "did not change"
    ]


WEIGHTED = {
    LayerKind.CONVOLUTION,
    LayerKind.TRANSPOSED_CONVOLUTION,
    LayerKind.DEPTHWISE_CONVOLUTION,
    LayerKind.DENSE,
    LayerKind.RECURRENT,
    LayerKind.EMBEDDING,
}

POOLED = (LayerKind.MAX_POOLING, LayerKind.AVERAGE_POOLING)
COMPARED = {*WEIGHTED, *POOLED, LayerKind.GLOBAL_AVERAGE_POOLING, LayerKind.BATCH_NORMALISATION,
            LayerKind.CONCATENATE, LayerKind.ADD}  # fmt: skip


class Like(Record):
    """A layer of the reference as something to be aligned with; either pooling will do for the other."""

    layer: Layer

    @property
    def kinds(self) -> tuple[LayerKind, ...]:
        return POOLED if self.layer.kind in POOLED else (self.layer.kind,)

    @property
    def units(self) -> int | None:
        return self.layer.units

    @property
    def kernel(self) -> tuple[int, ...] | None:
        return self.layer.kernel

    @property
    def stride(self) -> tuple[int, ...] | None:
        return self.layer.stride

    @property
    def optional(self) -> bool:
        return False


def reference_layers(case: Case) -> tuple[Layer, ...]:
    """The layers of the reference's measured model, where it was run; else none."""
    seen = measured(case.reference) if case.reference is not None else []
    return seen[0][1].layers if seen else ()


def side_by_side(
    layers: Sequence[Layer], reference: Sequence[Layer], pairs: Sequence[tuple[int | None, int | None]],
    differs: Collection[int],
) -> Table:  # fmt: skip
    """Both models' layers with output and parameters; ``pairs`` holds positions (reference, student)."""
    rows = []
    for i, j in pairs:
        mine = layer_cells(layers[j]) if j is not None else ("none", "", "")
        rows.append((*mine, *(layer_cells(reference[i]) if i is not None else ("nothing", "", ""))))
    header = (
        "student's layer", "output", "parameters",
        "reference's layer", "reference's output", "reference's parameters",
    )  # fmt: skip
    return Table(
        title="Layers beside the reference's", header=header, rows=tuple(rows), marked=tuple(sorted(differs))
    )


def branch_table(layers: Sequence[Layer]) -> Table | None:
    """Each concatenation with what its branches do, in order; None where nothing is concatenated."""
    groups = branches(layers)
    if not groups:
        return None
    width = max(len(g) for g in groups)
    rows = []
    for n, group in enumerate(groups, 1):
        cells = [_branch(b) for b in group]
        rows.append((str(n), *cells, *[""] * (width - len(cells))))
    header = ("place", *(f"branch {i}" for i in range(1, width + 1)))
    return Table(title="Branches that are concatenated", header=header, rows=tuple(rows))


def _branch(branch: Sequence[Layer]) -> str:
    """``1×1 to 96 maps, 3×3 to 128 maps``."""
    parts = []
    for x in branch:
        if x.kind in (LayerKind.CONVOLUTION, LayerKind.DEPTHWISE_CONVOLUTION) and x.kernel:
            parts.append(f"{times(x.kernel)} to {x.units} maps")
        elif x.kind in (*POOLED, LayerKind.GLOBAL_AVERAGE_POOLING):
            parts.append(x.kind.value)
    return ", ".join(parts) or "passed on as it is"
