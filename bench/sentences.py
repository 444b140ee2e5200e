"""Single sentences for each part of the shipped rubrics, right ones and wrong ones in the topic's words.

    python bench/sentences.py

Of each kind (``bench/written/README.md``) the share that the checker decides rightly: right sentences found, wrong
ones held back. Half of each part's sentences was used to mend the rubrics, the other half was not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from coursework import questions
from sources import WRITTEN

from grader.text.reader import Points
from grader.text.sentences import read_text
from grader.text.statement import answered

RIGHT = ("plain", "textbook", "learner", "note", "own", "inside")
WRONG = ("relation", "opposite", "misconception", "neighbour", "vague")
KINDS = (*RIGHT, *WRONG)


@dataclass(frozen=True)
class Probe:
    """One sentence. ``part``: the point's number and the part's in it, from 0; ``test``: of the half not looked at."""

    rubric: str
    question: str
    part: tuple[int, int]
    kind: str
    right: bool
    text: str
    test: bool


def probes() -> Iterator[Probe]:
    """All sentences, in the rubrics' order; in each part every other kind is of the test half."""
    lines = [json.loads(x) for x in (WRITTEN / "sentences.jsonl").read_text("utf-8").splitlines()]
    for rubric, its in groupby(lines, key=lambda d: str(d["rubric"])):
        for n, (_, part) in enumerate(groupby(its, key=lambda d: (d["question"], d["part"]))):
            for d in part:
                point, at = map(int, d["part"].split("."))
                test = (n + KINDS.index(d["kind"])) % 2 == 1
                yield Probe(rubric, d["question"], (point, at), d["kind"], d["right"], d["text"], test)


def decided_rightly(given: Sequence[Probe]) -> list[bool]:
    """Whether the checker takes the part for made (more than half of it) where it should, and only there."""
    readers = {
        (p.rubric, k): (Points(q.points, q.prompt), q.prompt)
        for p in {x.rubric: x for x in given}.values()
        for k, q in questions(p.rubric).items()
    }
    out = []
    for p in given:
        reader, prompt = readers[p.rubric, p.question]
        reading = reader.read(answered(read_text(p.text), prompt))[p.part[0]].parts[p.part[1]]
        out.append((reading.made > 0.5) == p.right)
    return out


def share(decided: Sequence[bool]) -> str:
    return f"{sum(decided) / len(decided):.0%}" if decided else "-"


def main() -> None:
    given = list(probes())
    decided = list(zip(given, decided_rightly(given), strict=True))
    for rubric in dict.fromkeys(p.rubric for p in given):
        for test, which in ((False, "looked at"), (True, "not looked at")):
            mine = [(p, ok) for p, ok in decided if (p.rubric, p.test) == (rubric, test)]
            kinds = ", ".join(f"{k} {share([ok for p, ok in mine if p.kind == k])}" for k in KINDS)
            found = share([ok for p, ok in mine if p.right])
            held = share([ok for p, ok in mine if not p.right])
            print(
                f"{rubric}, {which}, {len(mine)} sentences: right found {found}, wrong held back {held} ({kinds})"
            )


if __name__ == "__main__":
    main()
