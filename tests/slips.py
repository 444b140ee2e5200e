"""References of assignment B made wrong on purpose, one question at a time, all verified in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from grader.engine import Options, calibrate, verify
from grader.engine.calibrate import _wanted
from grader.engine.verify import short_of_full
from grader.evidence.model import Limits
from grader.evidence.store import Store
from grader.results import CriterionResult, Results, SubmissionResult
from grader.rubric.loader import load
from grader.rubric.model import Assignment
from grader.rubric.phrases import phrases_of

ROOT = Path(__file__).parents[1]
RUBRIC = ROOT / "rubrics" / "image-classification-cnn.yaml"
REFERENCE = ROOT / "reference" / "image-classification-cnn"

PATIENT = Limits(cell=900, question=1_200, notebook=1_500)
"""So that a busy machine does not turn our own limit into a failure."""


@dataclass(frozen=True)
class Slip:
    """Changes to one reference file, and the criteria (by what they say) that must then fail."""

    file: str
    changes: tuple[tuple[str, str], ...]
    fails: frozenset[str]

    @property
    def question(self) -> str:
        return f"q{int(self.file[1:3])}"

    def source(self) -> str:
        text = (REFERENCE / self.file).read_text(encoding="utf-8")
        for old, new in self.changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {self.file}"
            text = text.replace(old, new)
        return text


def one_question(folder: Path, id: str, question: str, files: dict[str, str]) -> Assignment:
    """A rubric of assignment B's one question, with a reference folder of its own."""
    whole = yaml.safe_load(RUBRIC.read_text(encoding="utf-8"))
    whole["id"] = id
    whole["questions"] = [q for q in whole["questions"] if q["id"] == question]
    (folder / "rubrics").mkdir(parents=True, exist_ok=True)
    home = folder / "reference" / id
    home.mkdir(parents=True)
    for name, text in files.items():
        (home / name).write_text(text, encoding="utf-8")
    said = yaml.safe_load(phrases_of(RUBRIC).read_text(encoding="utf-8"))
    if question in said:
        beside = folder / "rubrics" / "phrases"
        beside.mkdir(exist_ok=True)
        only = yaml.safe_dump({question: said[question]}, allow_unicode=True)
        (beside / f"{id}.yaml").write_text(only, encoding="utf-8")
    rubric = folder / "rubrics" / f"{id}.yaml"
    rubric.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load(rubric)


@dataclass(frozen=True)
class Verified:
    """Slips that were verified together: ``id`` of the slip -> its result."""

    results: Results
    store: Path

    def of(self, id: str) -> SubmissionResult:
        return next(s for s in self.results.submissions if s.assignment == id)

    def failed(self, id: str) -> dict[str, CriterionResult]:
        return {c.title: c for a, _, c in short_of_full(self.results) if a == id}


def one_spread_for_all(known: Sequence[Assignment], options: Options) -> None:
    """The first one's spread over seeds, kept as that of the others too: by itself each would be run three times."""
    store = Store(options.store)
    made = {c.question: c for c in calibrate(options, known=known[:1])}
    for other in known[1:]:
        for w in _wanted(other, options):
            own = {"key": w.key, "assignment": other.id}
            store.keep_calibration(made[w.question.id].model_copy(update=own))


def verified(folder: Path, slips: dict[str, Slip], spread: bool = False) -> Verified:
    """All slips of a table in one run: one fork server, several kernels. ``spread``: they are held to one."""
    known = [one_question(folder, id, s.question, {s.file: s.source()}) for id, s in slips.items()]
    options = Options(store=folder / "store", limits=PATIENT)
    if spread:
        one_spread_for_all(known, options)
    return Verified(verify(options, known=known), options.store)
