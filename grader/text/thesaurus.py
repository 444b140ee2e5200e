"""Groups of words that say the same thing, from ``thesaurus.txt`` beside this file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from grader.text.words import stem


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[str]]:
    out: dict[str, set[str]] = {}
    for line in Path(__file__).with_name("thesaurus.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            group = {stem(w) for w in line.split()}
            for w in group:
                out.setdefault(w, set()).update(group)
    return {w: frozenset(g) for w, g in out.items()}


def alike(word: str) -> frozenset[str]:
    """Stems that say the same as this stem, itself included where it is listed."""
    return _groups().get(word, frozenset())
