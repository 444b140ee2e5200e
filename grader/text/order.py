"""Whether words stand in an order in which people write: bigrams of function words and word endings.

A sentence and its shuffled twin have the same words, so no bag of words tells them apart. Here each
word becomes itself if it is a function word, else its ending. The pointwise mutual information of
neighbours (Church and Hanks, 1990; counts over public short answers in ``order.json``, made by
``bench/fit_order.py``) is summed over a text and compared with what the same words would give in a
random order. So terse notes, which have few function words, are held against their own shuffles and
not against prose.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

TOKEN = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+|[.,;:()]")
FUNCTION_WORDS = """
a an the this that these those it its they them their is are was were be been has have had do does did
can could will would should may might must of in on at to for from by with as into over between through
and or but if then so than because while which who what when where how there each every all some such not
no we you i he she his our your my also more very only both one two other same any until about up out
after before
"""
KEPT = frozenset(FUNCTION_WORDS.split())
SIGNS = frozenset(".,;:()")
ENDINGS = ("tion", "ing", "ity", "ment", "ed", "ly", "al", "ive", "able", "er", "es", "s", "y", "e", "n", "t")
LEAST = 24
"""Fewer words than this have no order to speak of."""
LEAST_SHARE = 0.25
"""Nor has a list of names and numbers: so many of the words must be function words (prose has 0.4)."""
THRESHOLD = 2.0
"""Standard deviations above a random order below which words are taken for shuffled: 2.3 % of random
orders are above it."""
UNSEEN = -1.0
"""For neighbours that the public answers never had, although both are frequent there."""


def kind(token: str) -> str:
    """A function word, an ending, a number or a sign."""
    low = token.lower()
    if low in KEPT or not low[0].isalnum():
        return low
    if low[0].isdigit():
        return "#"
    return next((f"-{e}" for e in ENDINGS if len(low) > len(e) + 2 and low.endswith(e)), "-")


@lru_cache(maxsize=1)
def _table() -> dict[str, float]:
    out: dict[str, float] = json.loads(Path(__file__).with_name("order.json").read_text("utf-8"))["pairs"]
    return out


def words(text: str) -> int:
    return sum(t[0].isalpha() for t in TOKEN.findall(text))


def judged(text: str) -> bool:
    """Whether a text is long enough, and enough of it prose, for its order to tell anything."""
    low = [t.lower() for t in TOKEN.findall(text) if t[0].isalpha()]
    return len(low) >= LEAST and sum(w in KEPT for w in low) >= LEAST_SHARE * len(low)


def score(text: str) -> float:
    """How far the text's order is above a random one of the same words, in standard deviations.

    Over random orders its mean is 0 and its deviation 1 (neighbours taken as independent). Neighbours
    across a sign are not counted: a sign goes with its word when words are shuffled.
    """
    table = _table()
    kinds = [kind(t) for t in TOKEN.findall(text)]
    seen = [(a, b) for a, b in pairwise(kinds) if a not in SIGNS and b not in SIGNS]
    counts = Counter(k for k in kinds if k not in SIGNS)
    n = counts.total()
    if n < 3 or not seen:
        return 0.0
    each = np.array(list(counts.values()), dtype=np.float64)
    values = np.array([[table.get(f"{a} {b}", UNSEEN) for b in counts] for a in counts])
    weights = (np.outer(each, each) - np.diag(each)) / (n * (n - 1))
    mean = float((weights * values).sum())
    variance = float((weights * (values - mean) ** 2).sum())
    if variance <= 0:
        return 0.0
    here = sum(table.get(f"{a} {b}", UNSEEN) for a, b in seen) / len(seen)
    return (here - mean) / math.sqrt(variance / len(seen))
