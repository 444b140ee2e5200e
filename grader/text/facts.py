"""Typed facts looked for in an answer: a year, a number, a name, a formula, said of the right thing.

Each counts where it stands beside one of its ``near`` words and of what it is about, not anywhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from grader.text import formulas
from grader.text.points import Fact, alternatives
from grader.text.quantities import agrees, quantities, spelled_out
from grader.text.sentences import CLAUSE, Sentence
from grader.text.subject import said_of
from grader.text.words import negated, stems

DENIAL = re.compile(
    r"(?:\b(?:no|without|lacks?|lacking|instead of|rather than)(?:\s+(?!\w+ing\b|loss\b|need\b|more\b|less\b)[\w-]+)?"
    r"|(?:\b(?:not|never|cannot|(?:do|does|did|is|was|are|were|has|have|had|ca|wo)nt)|n[’']t)(?:\s+(?:us|hav|has|contain|need|requir|apply|includ)\w*)?(?:\s+(?:an?|any|the|its))?)\s+$",
    re.I,
)
"""What stands before a denied term: "has no", "without any", "does not use". Not "without losing", which affirms."""


def fact_in(
    fact: Fact,
    sentences: Sequence[Sentence],
    about: tuple[str, ...] = (),
    rivals: tuple[str, ...] = (),
    *,
    denials: bool = False,
) -> Sentence | None:
    """The sentence that states the fact beside one of its ``near`` words and of what it is about, if any does.

    ``denials``: what is denied counts as well ("has no weights"), since the part itself is a denial.
    """
    beside: Sequence[Sentence] = sentences
    for asked in (fact.near, fact.of):
        if near := _asked(asked):
            beside = [s for s in beside if near & _stemmed(f"{s.under} {s.text}")]
    for s in beside:
        # number words become digits first, and the names are looked for in that same text
        read = replace(s, text=spelled_out(s.text)) if fact.count is not None else s
        spans = [x for x in _stated(fact, read.text) if denials or not _denied(read.text, x)]
        if any(said_of(read, about, rivals, span) for span in spans):
            return s
    if fact.example:
        text = "\n".join(s.text for s in sentences)
        if formulas.example(text, fact.formula or "", fact.where, fact.example):
            return next(
                (s for s in sentences if any(e in s.text.lower() for e in fact.example)), sentences[0]
            )
    return None


@lru_cache(maxsize=4096)
def _asked(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(s for w in words for s in stems(w))


@lru_cache(maxsize=4096)
def _stemmed(text: str) -> frozenset[str]:
    """Of one answer's sentences, which every fact of its question looks at."""
    return frozenset(stems(text))


def doubtful(fact: Fact, sentence: Sentence) -> bool:
    """Whether a sentence that has a fact may deny it: each of the clauses that it stands in has a negation.

    "AlexNet doesnt have 60 million parameters", "dropout is not used": how far a negation reaches is not read.
    """
    text = spelled_out(sentence.text) if fact.count is not None else sentence.text
    cuts = [0, *(m.end() for m in CLAUSE.finditer(text)), len(text) + 1]
    spans = _stated(fact, text)
    return bool(spans) and all(
        any(negated(text[a:b]) for a, b in pairwise(cuts) if a < end and start < b) for start, end in spans
    )


def _denied(text: str, span: tuple[int, int]) -> bool:
    return span != (0, len(text)) and DENIAL.search(text[: span[0]]) is not None


def _stated(fact: Fact, text: str) -> list[tuple[int, int]]:
    """Where a sentence states a fact: the spans of its number or words, or of the whole sentence."""
    whole = [(0, len(text))]
    if fact.year is not None:
        return [m.span() for m in re.finditer(rf"(?<!\d){fact.year}(?!\d)", text)]
    if fact.count is not None:
        return [
            (q.start, q.end)
            for q in quantities(text)
            if any(
                agrees(q, n, fact.unit, fact.tolerance)
                or (
                    q.low is not None
                    and q.high is not None
                    and (q.kind == "percent") == (fact.unit == "%")
                    and q.low <= n <= q.high <= 2 * q.low
                )
                for n in fact.count
            )
        ]
    if fact.shape is not None:
        return [
            (q.start, q.end)
            for q in quantities(text)
            if q.shape and q.shape[-len(fact.shape) :] == fact.shape
        ]
    if fact.worked is not None:
        return whole if formulas.worked(text, fact.worked) else []
    if fact.formula is not None:
        return whole if not fact.example and formulas.states(text, fact.formula, fact.where) else []
    wanted = fact.name or fact.words or ""
    low = text.lower()
    if not any(word in low for word in _first_words(wanted)):  # most sentences: much quicker than the pattern
        return []
    return [m.span() for m in terms(wanted).finditer(text)]


@lru_cache(maxsize=4096)
def _first_words(text: str) -> tuple[str, ...]:
    """Of every alternative: where none of these stands, none of the alternatives does."""
    return tuple(dict.fromkeys(a.split()[0].lower() for a in alternatives(text)))


@lru_cache(maxsize=1000)
def terms(text: str) -> re.Pattern[str]:
    """Terms as written, at the start of a word: 'AUC' is not in 'cause', nor 'ROC' in 'process'.

    An abbreviation is a whole word: SHAP is not in 'input shape'.
    """
    terms = []
    for a in alternatives(text):
        term = r"[\s_-]+".join(map(re.escape, a.split()))
        terms.append(rf"{term}s?(?![A-Za-z])" if a.isalpha() and a.isupper() else term)
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(terms)})", re.I)
