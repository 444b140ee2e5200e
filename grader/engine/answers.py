"""What is known of a batch's answers in words beside their text, gathered before they are scored:
the record that the instructor's own marks make, a person's marks, and answers that are alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from pydantic import ValidationError

from grader.checks.key_points import KeyPoints, label_alone
from grader.engine import judging
from grader.engine.judging import Asked
from grader.engine.options import Options
from grader.evidence.marks import PersonMark, Trust
from grader.evidence.store import Store
from grader.record import Record
from grader.rubric.model import Assignment, Question
from grader.submission import Alignment, Submission
from grader.text import clusters
from grader.text.assess import suggestion
from grader.text.beside import Beside
from grader.text.calibration import LEAST_MARKS, Calibration, Report, calibrate, shipped
from grader.text.guards import PICTURE
from grader.text.judge import Endpoint
from grader.text.model import fingerprint as reader_fingerprint
from grader.text.sentences import read
from grader.text.written import LONGEST, answer_text, digest

KIND = "answers"
"""Under which the store keeps each assignment's `Kept` record."""


class Kept(Record):
    """What an instructor's own marks of one assignment made of the suggestions, for later runs.

    ``fingerprint`` is of the rubric's points: when these change, the same marks are read anew.
    """

    fingerprint: str
    allowed: float
    report: Report | None = None


@dataclass(frozen=True)
class Written:
    """One submission of a batch: its file, and how it answers its assignment."""

    file: str
    assignment: Assignment
    submission: Submission
    alignment: Alignment

    def text(self, question: Question) -> str:
        """The whole answer, as a person marks it."""
        return answer_text(self.submission.pieces[i] for i in self._pieces(question))

    def said(self, question: Question, prompt: str) -> str:
        """The whole answer as it is read: plain lines, without markup; empty where there is none."""
        words_alone = all(c.in_words for c in key_points_of(question))
        found = read([self.submission.pieces[i] for i in self._pieces(question)], words_alone)
        return "" if label_alone(found, prompt) else "\n".join(s.text for s in found)[:LONGEST]

    def prose(self, question: Question) -> str:
        """The answer's text cells alone."""
        pieces = [self.submission.pieces[i] for i in self._pieces(question)]
        return "\n\n".join(p.source for p in pieces if p.kind == "markdown")

    def _pieces(self, question: Question) -> tuple[int, ...]:
        return next((a.pieces for a in self.alignment.answers if a.question == question.id), ())


def key_points_of(question: Question) -> tuple[KeyPoints, ...]:
    """The criteria that are marked by what an answer says."""
    return tuple(c for c in question.criteria if isinstance(c, KeyPoints))


def shipped_only(assignment: Assignment) -> dict[str, Beside]:
    """For a self-check: nothing but the record that the package ships."""
    return {q.id: Beside(record=shipped()) for q in assignment.questions if key_points_of(q)}


def taken_at_its_word(assignment: Assignment) -> dict[str, Beside]:
    """For references: every suggestion stands. Whether it is full marks is asked, not how sure it is."""
    record = shipped().model_copy(update={"accept": 0.0, "reject": 0.0})
    return {q.id: Beside(record=record) for q in assignment.questions if key_points_of(q)}


def known(batch: Sequence[Written], options: Options, store: Store) -> list[dict[str, Beside]]:
    """For each submission, in order, what is known of its answers by question id."""
    found: list[dict[str, Beside]] = [{} for _ in batch]
    for assignment in {w.assignment.id: w.assignment for w in batch}.values():
        members = [n for n, w in enumerate(batch) if w.assignment.id == assignment.id]
        marks = store.marks(assignment.id)
        record = own_record(assignment, marks, store)
        if record is None and options.trust is Trust.SHIPPED:
            record = shipped()
        for question in filter(key_points_of, assignment.questions):
            mine = [m for m in marks if m.question == question.id]
            rows = _of_question(question, [batch[n] for n in members], mine, record)
            for n, row in zip(members, rows, strict=True):
                found[n][question.id] = row
    return _judged(batch, found, options.judge, store) if options.judge is not None else found


def _judged(
    batch: Sequence[Written], found: Sequence[dict[str, Beside]], endpoint: Endpoint, store: Store
) -> list[dict[str, Beside]]:
    """With the judge's opinion on every answer that no person has marked."""
    asked: dict[tuple[int, str, str], Asked] = {}
    for n, w in enumerate(batch):
        for q in w.assignment.questions:
            for c in key_points_of(q):
                prompt = q.prompt or q.title
                if (said := w.said(q, prompt)) and c.title() not in found[n][q.id].marked:
                    asked[n, q.id, c.title()] = Asked(c.points, prompt, said)
    heard = dict(zip(asked, judging.opinions(list(asked.values()), endpoint, store), strict=True))
    return [
        {
            id: replace(b, opinions={t: o for (m, q, t), o in heard.items() if (m, q) == (n, id)})
            for id, b in known.items()
        }
        for n, known in enumerate(found)
    ]


def _of_question(
    question: Question, batch: Sequence[Written], marks: Sequence[PersonMark], record: Calibration | None
) -> list[Beside]:
    texts = {w.file: w.text(question) for w in batch}
    twins: dict[str, list[str]] = {}
    for pair in clusters.alike({w.file: w.prose(question) for w in batch}, question.prompt):
        twins.setdefault(pair.first, []).append(pair.second)
        twins.setdefault(pair.second, []).append(pair.first)
    marked: dict[str, dict[str, PersonMark]] = {}
    alike: dict[str, dict[str, tuple[PersonMark, ...]]] = {}
    for criterion in key_points_of(question):
        given = [m for m in marks if m.criterion == criterion.title()]
        own = {f: m for f, t in texts.items() if (m := _own(f, t, given, twins.get(f, ())))}
        for file, mark in own.items():
            marked.setdefault(file, {})[criterion.title()] = mark
        others = {file: text for file, text in texts.items() if text and file not in own}
        for file, near in _near(others, given).items():
            alike.setdefault(file, {})[criterion.title()] = near
    return [
        Beside(
            record=record,
            twins=tuple(twins.get(w.file, ())),
            marked=marked.get(w.file, {}),
            alike=alike.get(w.file, {}),
        )
        for w in batch
    ]


def _own(file: str, text: str, given: Sequence[PersonMark], twins: Sequence[str]) -> PersonMark | None:
    """A person's last mark on this very answer.

    Where another submission has much the same answer, or where the text is not all of it (a picture stands in
    it, or it was cut), only a mark that was given to this file's.
    """
    key = digest(text)
    same = [m for m in given if m.digest == key]
    if twins or PICTURE.search(text) or len(text) >= LONGEST - 1:
        name = PurePath(file).name
        alone = all(PurePath(t).name != name for t in twins)
        same = [m for m in same if m.submission == file or (alone and PurePath(m.submission).name == name)]
    return same[-1] if same else None


def _near(texts: Mapping[str, str], given: Sequence[PersonMark]) -> dict[str, tuple[PersonMark, ...]]:
    """For each answer a person's marks on the answers of its cluster, if there are any."""
    if not given or not texts:
        return {}
    new = {f"new {file}": text for file, text in texts.items()}
    old = {f"old {n}": m for n, m in enumerate(given)}
    found: dict[str, tuple[PersonMark, ...]] = {}
    for group in clusters.clusters(new | {name: m.answer for name, m in old.items()}):
        near = tuple(old[name] for name in group if name in old)
        if near:
            found |= {name.removeprefix("new "): near for name in group if name in new}
    return found


# ---------------------------------------------------------------- the record of the instructor's own marks


def fingerprint(assignment: Assignment) -> str:
    """Of everything that the suggestions for answers in words rest on: the rubric's points and the reader."""
    points = [
        (q.id, q.prompt or q.title, c.model_dump(mode="json"))
        for q in assignment.questions
        for c in key_points_of(q)
    ]
    return hashlib.sha256(json.dumps([points, reader_fingerprint()], sort_keys=True).encode()).hexdigest()


def own_record(assignment: Assignment, marks: Sequence[PersonMark], store: Store) -> Calibration | None:
    """The record of the instructor's own marks, read anew where the rubric has changed; None for too few."""
    kept = store.note(KIND, assignment.id)
    if kept is None or not marks:
        return None
    try:
        record = Kept.model_validate_json(kept)
    except ValidationError:  # of an older form
        record = Kept(fingerprint="", allowed=shipped().allowed)
    if record.fingerprint != fingerprint(assignment):
        record = refit(assignment, marks, record.allowed)
        store.keep_note(KIND, assignment.id, record.model_dump_json())
    return record.report.calibration if record.report else None


def refit(assignment: Assignment, marks: Sequence[PersonMark], allowed: float) -> Kept:
    """The record of these marks; without a report where they are too few."""
    criteria = {(q.id, c.title()): (q, c) for q in assignment.questions for c in key_points_of(q)}
    rows, groups = [], []
    last = {(m.question, m.criterion, m.digest): m for m in marks}  # one answer counts once
    for n, m in enumerate(last.values()):
        if (m.question, m.criterion) not in criteria:
            continue  # the rubric no longer asks for it
        q, c = criteria[m.question, m.criterion]
        prompt = q.prompt or q.title
        rows.append(suggestion(c.points, prompt, c.best, m.answer, m.share, shipped(), in_words=c.in_words))
        groups.append(m.submission or str(n))
    enough = len(rows) >= LEAST_MARKS
    return Kept(
        fingerprint=fingerprint(assignment),
        allowed=allowed,
        report=calibrate(rows, allowed=allowed, groups=groups) if enough else None,
    )
