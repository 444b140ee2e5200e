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


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(w) for w in text.split())


UP = _stems("""
increase increases grow grows larger bigger greater more higher expand enlarge gain improve improves
better faster rise rises widen wider deeper outperform
""")
DOWN = _stems("""
decrease decreases reduce reduces smaller fewer less lower shrink shrinks diminish lose loses worse
slower fall falls narrow narrower shallower degrade degrades
""")
OPPOSITES = tuple(
    (stem(a), stem(b))
    for a, b in (
        pair.split()
        for pair in """
        vertical horizontal
        early late
        early deep
        first last
        low high
        low-level high-level
        local global
        simple complex
        keep lose
        shallow deep
        small large
        valid same
        same different
        """.strip().splitlines()
    )
)


@lru_cache(maxsize=100_000)
def opposed(a: str, b: str) -> bool:
    """Whether two stems point in opposite directions, however alike their vectors are."""
    if (a in UP and b in DOWN) or (a in DOWN and b in UP):
        return True
    return (a, b) in OPPOSITES or (b, a) in OPPOSITES
