"""Single sentences for each part of the shipped rubrics, right ones and wrong ones in the topic's words.

    python bench/sentences.py

Of each kind (``bench/written/README.md``) the share that the checker decides rightly: right sentences found, wrong
ones held back. The first set was used to mend the rubrics; the second was written afterwards and not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from coursework import questions
from sources import WRITTEN

from grader.text.reader import Points
from grader.text.sentences import read_text
from grader.text.statement import answered

RIGHT = ("plain", "textbook", "learner", "note", "own", "inside")
WRONG = ("relation", "opposite", "misconception", "neighbour", "vague")
SETS = {
    "sentences": "looked at while the rubrics were mended",
    "more-sentences": "written afterwards, not looked at",
}


@dataclass(frozen=True)
class Probe:
    """One sentence. ``part``: the point's number and the part's in it, from 0."""

    rubric: str
    question: str
    part: tuple[int, int]
    kind: str
    right: bool
    text: str


def probes(name: str) -> list[Probe]:
    """All sentences of one of the `SETS`."""
    out = []
    for line in (WRITTEN / f"{name}.jsonl").read_text("utf-8").splitlines():
        d = json.loads(line)
        point, at = map(int, d["part"].split("."))
        out.append(Probe(d["rubric"], d["question"], (point, at), d["kind"], d["kind"] in RIGHT, d["text"]))
    return out


def decided_rightly(given: Sequence[Probe]) -> list[bool]:
    """Whether the checker takes the part for made (more than half of it) where it should, and only there."""
    asked = {(r, k): q for r in {p.rubric for p in given} for k, q in questions(r).items()}
    readers = {k: Points(q.points, q.prompt) for k, q in asked.items()}
    out = []
    for p in given:
        key = (p.rubric, p.question)
        sentences = answered(read_text(p.text), asked[key].prompt)
        reading = readers[key].read(sentences)[p.part[0]].parts[p.part[1]]
        out.append((reading.made > 0.5) == p.right)
    return out


def share(decided: Sequence[bool]) -> str:
    return f"{sum(decided) / len(decided):.0%}"


def main() -> None:
    for name, which in SETS.items():
        given = probes(name)
        decided = list(zip(given, decided_rightly(given), strict=True))
        for rubric in dict.fromkeys(p.rubric for p in given):
            mine = [(p, ok) for p, ok in decided if p.rubric == rubric]
            by_kind = {k: [ok for p, ok in mine if p.kind == k] for k in (*RIGHT, *WRONG)}
            kinds = ", ".join(f"{k} {share(oks)}" for k, oks in by_kind.items() if oks)
            found, held = (share([ok for p, ok in mine if p.right == r]) for r in (True, False))
            print(f"{rubric}, {which}, {len(mine)}: right found {found}, wrong held back {held} ({kinds})")


if __name__ == "__main__":
    main()
