"""Counts of neighbouring words over public short answers -> grader/text/order.json.

    python bench/fit_order.py [DATA]

DATA is the folder of public short-answer sets (default: GRADE_DATA/short-answers, else
../shared/data/short-answers). Only counts of function words and endings are kept, no text.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

from sources import data_folder, mohler, scientsbank

from grader.text import order


def main() -> None:
    home = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    texts = [r.answer for r in mohler(home)] + [r.answer for r in scientsbank(home)]
    texts += list({r.reference for r in mohler(home)}) + list({r.prompt for r in mohler(home)})
    texts = [t for t in texts if order.words(t) >= 6]
    single: Counter[str] = Counter()
    pair: Counter[tuple[str, str]] = Counter()
    for t in texts:
        kinds = [order.kind(x) for x in order.TOKEN.findall(t)]
        single.update(kinds)
        pair.update(pairwise(kinds))
    total, pairs = sum(single.values()), sum(pair.values())
    table = {}
    for a in single:
        for b in single:
            expected = single[a] / total * single[b] / total * pairs
            seen = pair.get((a, b), 0)
            if expected >= 1.0 or seen >= 3:
                value = math.log((seen + 0.5) / (expected + 0.5))
                table[f"{a} {b}"] = round(max(min(value, 3.0), -3.0), 2)
    out = Path(order.__file__).with_name("order.json")
    out.write_text(
        json.dumps({"about": "log ratios of neighbouring word kinds", "pairs": table}, indent=0), "utf-8"
    )
    order._table.cache_clear()
    rng = random.Random(0)
    long = [t for t in texts if order.judged(t)]
    mixed = []
    for t in long:
        w = t.split()
        rng.shuffle(w)
        mixed.append(" ".join(w))
    real = sorted(map(order.score, long))
    fake = sorted(map(order.score, mixed))
    print(len(table), "pairs;", len(long), "texts")
    for threshold in (1.0, 1.5, 2.0, 2.5, 3.0):
        a = sum(x < threshold for x in real) / len(real)
        b = sum(x < threshold for x in fake) / len(fake)
        print(f"below {threshold:+.2f}: {a:.1%} of real, {b:.1%} of shuffled texts")


if __name__ == "__main__":
    main()
