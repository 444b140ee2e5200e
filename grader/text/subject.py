"""Of what a sentence says something: 138 million parameters are VGG's, not AlexNet's, which stands beside it.

A rubric names the thing that a point is ``about`` where the answer speaks of several (AlexNet and VGG, a CNN
and a dense network). What is said of another of these things does not make the point. Read by position: the
name that a phrase with "for" or "in" puts behind the words, else the last one before them, else the next;
two names and two numbers are taken in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from grader.text.polarity import BREAK, covers
from grader.text.sentences import Sentence

BESIDE = re.compile(
    r"(?:unlike|than|instead of|rather than|compared (?:to|with)|in contrast to|as opposed to|versus|vs\.?|over|"
    r"from|against|improve[sd]?\s+(?:up)?on|successor\s+(?:of|to))\s+(?:an?\s+|the\s+|traditional\s+|ordinary\s+|plain\s+)*$",
    re.I,
)
"""Before a name: it is what something else is compared with."""
OF = re.compile(r"^[^,;:.()]{0,40}?\b(?:for|in|of|by|with)\s+(?:an?\s+|the\s+)*$", re.I)
"""Between words and a name: they are said of it."""
JOINED = re.compile(r"^\W*(?:and|or|vs\.?|versus|to|with|than|respectively)?\W*$", re.I)
DEPTH = r"(?:11|13|16|18|19|34|50|101|121|152)"
"""After a network's name: the number is a part of it (VGG 16)."""
NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    own: bool


@lru_cache(maxsize=1000)
def _names(names: tuple[str, ...]) -> re.Pattern[str]:
    terms = [
        r"[\s_-]*".join(map(re.escape, n.split()))
        + (r"s?(?![A-Za-z])" if n.isalpha() and n.isupper() else "")
        for n in names
    ]
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(terms)})(?:-?\d\d+|\s{DEPTH}\b)?", re.I)


def _mentions(text: str, own: tuple[str, ...], rivals: tuple[str, ...]) -> list[_Mention]:
    found = [_Mention(m.start(), m.end(), True) for m in _names(own).finditer(text)]
    passed = -1  # where a name ends that is only compared with: its abbreviation in brackets is as well
    for m in _names(rivals).finditer(text):
        if BESIDE.search(text[: m.start()]) or (passed >= 0 and not text[passed : m.start()].strip(" (")):
            passed = m.end()
        else:
            found.append(_Mention(m.start(), m.end(), False))
    return sorted(found, key=lambda m: m.start)


def said_of(
    sentence: Sentence, own: tuple[str, ...], rivals: tuple[str, ...], span: tuple[int, int] | None = None
) -> bool:
    """Whether what stands at ``span`` of a sentence, or all of it, can be said of ``own``.

    False only where a rival is named and is nearer; a sentence that names nobody speaks of whatever its
    heading or lead-in names, and of anything where that names none or both.
    """
    if not own or not rivals:
        return True
    here = _mentions(sentence.text, own, rivals)
    if any(m.own for m in here):
        return span is None or _nearest(sentence.text, here, span)
    if here and (span is None or not _follows(sentence.text, here, span)):
        return False
    above = _mentions(sentence.under, own, rivals)
    return not above or any(m.own for m in above)


def _follows(text: str, rivals: Sequence[_Mention], span: tuple[int, int]) -> bool:
    """Whether rivals are named only behind the words, in another clause: "…, not as in a dense network"."""
    end = span[1]
    return all(m.start >= end for m in rivals) and not OF.match(text[end : rivals[0].start])


def _nearest(text: str, here: Sequence[_Mention], span: tuple[int, int]) -> bool:
    start, end = span
    inside = [m for m in here if m.start < end and m.end > start]
    if inside:
        return any(m.own for m in inside)
    before = [m for m in here if m.end <= start]
    after = [m for m in here if m.start >= end]
    if after and OF.match(text[end : after[0].start]):
        return after[0].own
    if len(before) >= 2 and JOINED.match(text[before[-2].end : before[-1].start]):
        passed = len(NUMBER.findall(text[before[-1].end : start]))
        return before[-2 + min(passed, 1)].own
    return (before[-1] if before else after[0]).own


def clause(statement: str, text: str) -> tuple[int, int]:
    """Where in a sentence a statement is made: the clause that shares most of its words."""
    best, at = -1.0, (0, len(text))
    start = 0
    for part in [*BREAK.finditer(text), None]:
        end = part.start() if part else len(text)
        share = covers(statement, text[start:end]) if text[start:end].strip() else -1.0
        if share > best:
            best, at = share, (start, end)
        start = part.end() if part else end
    return at
