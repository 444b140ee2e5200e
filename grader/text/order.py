"""Whether words stand in an order in which people write: bigrams of function words and word endings.

A sentence and its shuffled twin have the same words, so no bag of words tells them apart. Here each
word becomes itself if it is a function word, else its ending; the score is the mean pointwise mutual
information of neighbours (Church and Hanks, 1990), from counts over public short answers
(``order.json``, made by ``bench/fit_order.py``).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

TOKEN = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+|[.,;:()]")
FUNCTION_WORDS = """
a an the this that these those it its they them their is are was were be been has have had do does did
can could will would should may might must of in on at to for from by with as into over between through
and or but if then so than because while which who what when where how there each every all some such not
no we you i he she his our your my also more very only both one two other same any until about up out
after before
"""
KEPT = frozenset(FUNCTION_WORDS.split())
ENDINGS = ("tion", "ing", "ity", "ment", "ed", "ly", "al", "ive", "able", "er", "es", "s", "y", "e", "n", "t")
LEAST = 16
THRESHOLD = -0.05


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


def score(text: str) -> float:
    """Mean information of neighbours, in nats; about 0.3 for sentences, below 0 for shuffled ones."""
    table = _table()
    kinds = [kind(t) for t in TOKEN.findall(text)]
    pairs = [table.get(f"{a} {b}", UNSEEN) for a, b in pairwise(kinds)]
    return sum(pairs) / len(pairs) if pairs else 0.0


UNSEEN = -1.0
