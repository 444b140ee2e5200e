"""Public short-answer sets, read from the data folder. Nothing of them is part of this project."""

from __future__ import annotations

import csv
import json
import os
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One student answer: ``score`` as its set gives it; ``group`` names its question."""

    group: str
    prompt: str
    reference: str
    answer: str
    score: float
    other: float | None = None
    references: tuple[str, ...] = ()


def data_folder(given: str | None = None) -> Path:
    """Where the sets are: an argument, GRADE_DATA/short-answers, or the folder beside the checkout."""
    places = [Path(given)] if given else []
    if root := os.environ.get("GRADE_DATA"):
        places.append(Path(root) / "short-answers")
    places.append(Path(__file__).resolve().parents[2] / "shared" / "data" / "short-answers")
    for p in places:
        if p.is_dir():
            return p
    raise SystemExit(
        f"no short-answer data found in {', '.join(map(str, places))}: set GRADE_DATA to the data folder"
    )


def mohler(home: Path) -> list[Row]:
    """Mohler et al. 2011: 2,273 answers, 0 to 5; ``group`` is the question's text."""
    with (home / "mohler" / "mohler_dataset_edited.csv").open(
        newline="", encoding="utf-8", errors="replace"
    ) as f:
        return [
            Row(r["question"], r["question"], r["desired_answer"], r["student_answer"], float(r["score_avg"]),
                float(r["score_other"]))
            for r in csv.DictReader(f)
        ]  # fmt: skip


def scientsbank(home: Path) -> list[Row]:
    """SemEval-2013 task 7, SciEntsBank training answers, two-way: 1 is correct."""
    return list(_scientsbank(home))


def _scientsbank(home: Path) -> Iterator[Row]:
    with tarfile.open(home / "semeval2013" / "training.tgz") as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            if "/2way/sciEntsBank/" not in member.name or not member.name.endswith(".xml"):
                continue
            file = tar.extractfile(member)
            assert file is not None
            root = ET.fromstring(file.read())
            prompt = root.findtext("questionText") or ""
            references = tuple(e.text or "" for e in root.iter("referenceAnswer"))
            for e in root.iter("studentAnswer"):
                correct = float(e.get("accuracy") == "correct")
                yield Row(
                    root.get("id") or member.name,
                    prompt,
                    references[0],
                    e.text or "",
                    correct,
                    None,
                    references,
                )


@dataclass(frozen=True)
class Coursework:
    """One answer of coursework with two markers' marks for each point of the marking guide.

    ``out_of``: what the guide's points are out of, where these are not the rubric's own points; ``full``: what
    the question is out of.
    """

    id: str
    question: str
    answer: str
    marks: tuple[tuple[float, ...], tuple[float, ...]]
    picture: bool
    out_of: tuple[float, ...] = ()
    full: float = 20.0

    @property
    def submission(self) -> str:
        return self.id.split("-")[0]

    @property
    def points(self) -> list[float]:
        return [(a + b) / 2 for a, b in zip(*self.marks, strict=True)]

    @property
    def total(self) -> float:
        return min(sum(self.points), self.full)


def coursework(home: Path) -> list[Coursework]:
    """Real answers to assignment A."""
    return _marked(home / "cnn-coursework" / "answers.jsonl")


WRITTEN = Path(__file__).parent / "written"
TEST = {
    "look-alikes": frozenset(f"r{n:02}" for n in range(2, 15, 2)),
    "second-class": frozenset[str](),
    "third-class": frozenset(f"t{n:02}" for n in range(2, 15, 2)),
    "fourth-class": frozenset(f"v{n:02}" for n in range(1, 13)),
    "deep-vision": frozenset(f"u{n:02}" for n in range(2, 15, 2)),
    "personas": frozenset(["s06", "s08", "s10", "s11", "s12", "s13", "s15", "s16"]),
}
"""Of each written set the students whose answers nobody looked at while the checker was made."""


def written(name: str, *, test: bool) -> list[Coursework]:
    """Answers written for this project (``bench/written``), those not looked at (``test``) or the others: to
    assignment B ``look-alikes``, three further classes or ``personas``, to C ``deep-vision``."""
    return [r for r in _marked(WRITTEN / f"{name}.jsonl") if (r.submission in TEST[name]) == test]


def _marked(file: Path) -> list[Coursework]:
    rows = []
    for line in file.read_text("utf-8").splitlines():
        d = json.loads(line)
        a, b = d["points"]
        question = d["question"].split(".")[1].lower()
        of = tuple(d["max"]) if isinstance(d["max"], list) else ()
        rows.append(
            Coursework(
                d["id"],
                question,
                d["answer"],
                (tuple(a), tuple(b)),
                bool(d["has_image"]),
                of,
                float(d.get("full", 20)),
            )
        )
    return rows
