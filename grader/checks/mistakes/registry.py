"""All mistakes that are known by name, and the search for them."""

from __future__ import annotations

from collections.abc import Iterable

from grader.checks.base import Case
from grader.checks.mistakes import (
    base_never_used,
    base_not_frozen,
    diverging,
    evaluation_mode,
    evaluation_with_gradients,
    gradients_never_zeroed,
    labels_off_by_one,
    last_layer_misfit,
    leakage,
    loss_misfit,
    normalisation_differs,
    one_class_folder,
    optimiser_misses_head,
    pixel_scale,
    softmax_before_cross_entropy,
    unreal_data,
)
from grader.checks.mistakes.base import Kind, Mistake

KINDS: tuple[Kind, ...] = (
    *leakage.KINDS,
    *unreal_data.KINDS,
    one_class_folder.KIND,
    labels_off_by_one.KIND,
    last_layer_misfit.KIND,
    loss_misfit.KIND,
    softmax_before_cross_entropy.KIND,
    gradients_never_zeroed.KIND,
    optimiser_misses_head.KIND,
    base_not_frozen.KIND,
    base_never_used.KIND,
    *pixel_scale.KINDS,
    normalisation_differs.KIND,
    diverging.KIND,
    evaluation_mode.KIND,
    evaluation_with_gradients.KIND,
)
"""What spoils a result most comes first; a report shows them in this order."""

MISTAKES = {k.name: k for k in KINDS}


def found(case: Case, names: Iterable[str] = ()) -> tuple[Mistake, ...]:
    """The mistakes of an answer with code: all, or those of these names. Pure; a search that fails finds nothing."""
    if not case.code:
        return ()
    wanted = set(names) or set(MISTAKES)
    return tuple(m for k in KINDS if k.name in wanted for m in _search(k, case))


def _search(kind: Kind, case: Case) -> list[Mistake]:
    try:
        return kind.find(case)
    except Exception:  # feedback is a courtesy: what it stumbles over must not stop the marks
        return []


def search(kind: str, case: Case) -> list[Mistake]:
    """One search whose own failure is not hidden: a criterion must know that it found out nothing."""
    return MISTAKES[kind].find(case)
