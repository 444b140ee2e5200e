"""Parallel branches that are concatenated: an inception module, found in the measured graph."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from grader.evidence.model import Layer, LayerKind
from grader.record import Record

POOLING = (LayerKind.MAX_POOLING, LayerKind.AVERAGE_POOLING)


class Parallel(Record):
    """Kernels of branches from one input; an inner list means any of these."""

    kernels: tuple[int | tuple[int, ...], ...] = Field(min_length=1)
    pooling: bool = Field(False, description="and a branch that pools")


def _back(node: str, by_node: dict[str, Layer], memo: dict[str, frozenset[str]]) -> frozenset[str]:
    """The node and everything that it is computed from."""
    todo, seen = [node], set[str]()
    while todo:
        here = todo.pop()
        if here in memo:
            seen |= memo[here]
        elif here not in seen:
            seen.add(here)
            if here in by_node:
                todo += by_node[here].inputs
    memo[node] = frozenset(seen)
    return memo[node]


def branches(layers: Sequence[Layer]) -> list[list[list[Layer]]]:
    """For each concatenation, the layers of each branch since their last common input."""
    by_node = {x.node: x for x in layers if x.node}
    memo: dict[str, frozenset[str]] = {}
    found = []
    for join in layers:
        if join.kind is not LayerKind.CONCATENATE or len(join.inputs) < 2:
            continue
        behind = [_back(n, by_node, memo) for n in join.inputs]
        common = frozenset.intersection(*behind)
        found.append([[x for x in layers if x.node in b and x.node not in common] for b in behind])
    return found


def _sums(layers: Sequence[Layer]) -> list[list[Layer]]:
    """For each addition, the convolutions behind its inputs that lead to it alone."""
    by_node = {x.node: x for x in layers if x.node}
    memo: dict[str, frozenset[str]] = {}
    found = []
    for join in layers:
        if join.kind is LayerKind.ADD and len(join.inputs) > 1:
            behind = [_back(n, by_node, memo) for n in join.inputs]
            common = frozenset.intersection(*behind)
            ends = [[by_node[n] for n in b - common if n in by_node] for b in behind]
            found.append([x for e in ends for x in e if x.kind is LayerKind.CONVOLUTION])
    return found


def _kernels(branch: Sequence[Layer]) -> set[int]:
    """Kernel sizes that a branch stands for: its largest, and what stacked ones together see."""
    sizes = [max(x.kernel) for x in branch if x.kind is LayerKind.CONVOLUTION and x.kernel]
    if not sizes:
        return set()
    return {max(sizes), 1 + sum(s - 1 for s in sizes)}


def _cover(wanted: Sequence[set[int]], offered: Sequence[set[int]]) -> set[int]:
    """Which of ``wanted`` different branches can serve, as many as possible (matching by augmenting paths)."""
    taken: dict[int, int] = {}

    def serve(want: int, tried: set[int]) -> bool:
        for b, sizes in enumerate(offered):
            if b not in tried and sizes & wanted[want]:
                tried.add(b)
                if b not in taken or serve(taken[b], tried):
                    taken[b] = want
                    return True
        return False

    return {w for w in range(len(wanted)) if serve(w, set())}


def _named(kernels: set[int]) -> str:
    """``5×5 (or 3×3)``."""
    first, *others = (f"{s}×{s}" for s in sorted(kernels, reverse=True))
    return f"{first} (or {', '.join(others)})" if others else first


def parallel_branches(want: Parallel, layers: Sequence[Layer]) -> tuple[float, str]:
    """Share from 0 to 1 of what the best concatenation has, and what is missing in words."""
    kernels = [set(k) if isinstance(k, tuple) else {k} for k in want.kernels]
    asked = len(kernels) + want.pooling
    names = [_named(k) for k in kernels]
    sizes = ", ".join(names) + (" and pooling" if want.pooling else "")
    best, words = 0.0, f"no branches are concatenated; expected branches side by side: {sizes}"
    if any(len(b) > 1 for b in _sums(layers)):
        words += (
            " (branches are added here, as in a residual network; an inception module keeps all their maps)"
        )
    for group in branches(layers):
        plain = [b for b in group if not any(x.kind in POOLING for x in b)]
        pools = len(plain) < len(group)
        got = _cover(kernels, [_kernels(b) for b in plain])
        share = (len(got) + (pools and want.pooling)) / asked
        if share > best:
            best = share
            sees = [_kernels(b) for b in plain]
            lacking = [
                f"no {'further ' if any(k & kernels[i] for k in sees) else ''}branch with a {n} convolution"
                for i, n in enumerate(names)
                if i not in got
            ]
            if want.pooling and not pools:
                lacking.append("no branch that pools")
            words = (
                "the branches that are concatenated lack something: " + " and ".join(lacking)
                if lacking
                else ""
            )
    return best, words
