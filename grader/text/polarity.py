"""Whether a sentence says a statement or its opposite: negation and direction, read near the shared words.

Recall and embeddings do not see "not" and take "larger" for "smaller"; this does, roughly, for the
sentence in which a statement was found. Doubt goes to a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from grader.text.thesaurus import DOWN, UP, alike
from grader.text.words import NEGATIONS, WORD, content, stem

NEGATION = NEGATIONS | {
    "unable",
    "incapable",
    "didnt",
    "wasnt",
    "werent",
    "hasnt",
    "havent",
    "wouldnt",
    "couldnt",
}
OBJECTS = frozenset({"nothing", "none"})
"""Negations that stand behind what they negate: "pooling learns nothing"."""
_UNCHANGED = "unchanged independent constant irrelevant unaffected zero free same regardless exclusively"
UNCHANGED = frozenset(stem(w) for w in _UNCHANGED.split())
SCOPE = 4
"""A negation reaches so many content words to its right, within its clause."""
BREAK = re.compile(r"[,;:()→]|\b(?:but|whereas|while|although|though|however|because|instead|unlike)\b", re.I)
NOT_ONLY = re.compile(
    r"\bnot (?:only|just|merely|necessarily)\b|\b(?:that|which|who) (?:are|is|do|does|was|were) not\b", re.I
)


class Sense(StrEnum):
    AGREES = "agrees"
    NEGATED = "negated"
    OPPOSITE = "opposite"


def _is_negation(word: str) -> bool:
    return word in NEGATION or word.endswith("n't") or word.endswith("n’t")


def _clauses(text: str) -> list[list[str]]:
    plain = NOT_ONLY.sub("also", text.lower())
    return [w for w in (WORD.findall(c) for c in BREAK.split(plain)) if w]


@lru_cache(maxsize=4096)
def _statement(text: str) -> tuple[frozenset[str], bool, int, int]:
    """Content stems, whether it is negated, and how many words point up and down."""
    low = WORD.findall(NOT_ONLY.sub("also", text.lower()))
    kept = frozenset(c for w in low if (c := content(w)))
    negated = any(_is_negation(w) for w in low)
    all_stems = [stem(w) for w in low]
    return kept, negated, sum(s in UP for s in all_stems), sum(s in DOWN for s in all_stems)


@lru_cache(maxsize=4096)
def _wide(text: str) -> frozenset[str]:
    kept = _statement(text)[0]
    return frozenset(w for s in kept for w in (*alike(s), s))


def sense(statement: str, sentence: str) -> Sense:
    """How the part of ``sentence`` that shares words with ``statement`` stands to it."""
    kept, negated, up, down = _statement(statement)
    wide = _wide(statement)
    total = most = 0
    relevant = 0
    unchanged = False
    ups = downs = 0
    for clause in _clauses(sentence):
        marked = [(w, content(w)) for w in clause]
        shared = sum(1 for _, c in marked if c and c in wide)
        if not shared:
            continue
        total += shared
        most = max(most, shared)
        reach = 0
        here = 0
        before: list[bool] = []
        for word, c in marked:
            if word in OBJECTS and any(before[-SCOPE:]):
                here += 1
            if c:
                before.append(c in wide)
            if _is_negation(word):
                reach = SCOPE
            elif c and reach:
                reach -= 1
                if c in wide:
                    here += 1
                    reach = 0
        if shared >= 2:
            relevant += here
        stems_here = [stem(w) for w in clause]
        unchanged = unchanged or any(s in UNCHANGED for s in stems_here)
        if shared >= 2:
            ups += sum(s in UP for s in stems_here)
            downs += sum(s in DOWN for s in stems_here)
    if total == 0:
        return Sense.AGREES
    if relevant and not negated:
        return Sense.NEGATED
    if negated and not relevant and most >= 2 and not unchanged and not (kept & UNCHANGED):
        return Sense.NEGATED
    if up + down and up + down == ups + downs and (down - downs) % 2:
        return Sense.OPPOSITE
    return Sense.AGREES


def agrees(statements: Sequence[str], best: str, sentence: str) -> Sense:
    """How a sentence stands to alternatives of one statement: agreement with one that fits it suffices."""
    first = sense(best, sentence)
    if first is Sense.AGREES:
        return first
    have = {c for w in WORD.findall(sentence) if (c := content(w))}
    have |= {a for c in have for a in alike(c)}
    fit = {s: len(_statement(s)[0] & have) / max(len(_statement(s)[0]), 1) for s in statements}
    if any(f >= 0.6 * fit[best] and sense(s, sentence) is Sense.AGREES for s, f in fit.items()):
        return Sense.AGREES
    return first


def covers(statement: str, text: str) -> float:
    """Share of a statement's content words that a text has, in these words or others of their group."""
    kept = _statement(statement)[0]
    have = {c for w in WORD.findall(text) if (c := content(w))}
    return sum(k in have or bool(alike(k) & have) for k in kept) / max(len(kept), 1)


def says(statement: str, sentence: str) -> bool:
    """Whether a sentence makes a statement, nearly in its own words and in their order, in the same sense.

    Stricter than matching what is asked for: a must-not-say statement differs from the right one in a
    word or two or in their order, so words of the same group do not do, directions must be the same, and
    what stands on two sides of a "whereas" is not put together.
    """
    order = _order(statement)
    own, _, up, down = _statement(statement)
    least = SAID * len(order)
    for clause in _said_together(sentence):
        have, _, ups, downs = _statement(clause)
        if len(own & have) < least or (up, down) != (ups, downs):
            continue
        if _in_order(order, _order(clause)) >= least and sense(statement, clause) is Sense.AGREES:
            return True
    return False


@lru_cache(maxsize=4096)
def _said_together(sentence: str) -> tuple[str, ...]:
    """The clauses of a sentence, and each with the next, on one side of a "whereas"."""
    out: list[str] = []
    for segment in CONTRAST.split(sentence):
        parts = [c for c in CLAUSE.split(segment) if c.strip()]
        out += [*parts, *(f"{a} {b}" for a, b in pairwise(parts))]
    return tuple(out)


@lru_cache(maxsize=4096)
def _order(text: str) -> tuple[str, ...]:
    """Content stems in the order in which they first stand."""
    return tuple(dict.fromkeys(c for w in WORD.findall(text) if (c := content(w))))


def _in_order(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b):
            kept = row[j + 1]
            row[j + 1] = before + 1 if x == y else max(row[j + 1], row[j])
            before = kept
    return row[-1]


CONTRAST = re.compile(
    r"\b(?:but|whereas|while|although|though|however|unlike|instead of|rather than|as opposed to)\b",
    re.I,
)
CLAUSE = re.compile(rf"{BREAK.pattern}|\band\b|\bwhich\b", re.I)
SAID = 0.85
