"""Finds models under a notebook's names; what a model is, each framework says itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def models(names: dict[str, Any], is_model: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """(name, model) for each, also one level inside lists, tuples and dicts."""
    found = []
    for name, value in list(names.items()):
        if name.startswith("_") or name in ("In", "Out"):
            continue
        if isinstance(value, (list, tuple)) and len(value) <= 20:
            found += [(f"{name}[{i}]", v) for i, v in enumerate(value) if is_model(v)]
        elif isinstance(value, dict) and len(value) <= 20:
            found += [(f"{name}[{k!r}]", v) for k, v in value.items() if is_model(v)]
        elif is_model(value):
            found.append((name, value))
    return found
