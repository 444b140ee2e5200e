"""Results -> what people and other tools read: HTML, JSON, CSV, JUnit, Gradescope, the terminal.

::

    written = grader.report.write(results, Path("reports"), store.blob)
    print(written.index)

Everything for a student goes through `shown` first: see `grader.report.audience`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from grader.report.answers import NAME, answers_csv, filled_in
from grader.report.audience import Audience, shown, shown_submission
from grader.report.exchange import gradescope, junit
from grader.report.folder import ready, staged
from grader.report.html import class_page, submission_page
from grader.report.published import grades_csv, results_json
from grader.report.terminal import line, table
from grader.results import Results

__all__ = [
    "Audience",
    "Written",
    "grades_csv",
    "gradescope",
    "junit",
    "line",
    "ready",
    "results_json",
    "shown",
    "shown_submission",
    "table",
    "write",
]


@dataclass(frozen=True)
class Written:
    """Where a report is. ``pages`` are the submissions' pages, in the order of the results; ``answers`` is
    the file for a person's marks on answers in words, which a student's copy does not have."""

    index: Path
    pages: tuple[Path, ...]
    json: Path
    csv: Path
    answers: Path | None = None


def write(
    results: Results,
    folder: Path,
    blobs: Callable[[str], bytes],
    audience: Audience = Audience.MARKER,
    *,
    answers: bool = True,
) -> Written:
    """Write the report of ``results`` into ``folder``, in place of an earlier one, whole or not at all.

    ``blobs`` gives the content of a figure's PNG by its SHA-256; where it raises, the page says
    that the picture is gone. ``answers``: whether a marker's report has the file for marks on answers in
    words; what was filled in there stays. Files in the folder that are not ours stay as they are.

    Raises:
        OutputError: the folder cannot be written, is full, or holds a file of ours by name only, or an answers.csv that
            can no longer be read.
    """
    to_mark = answers and audience is Audience.MARKER
    kept = filled_in(folder) if to_mark else {}
    results = shown(results, audience)
    names = page_names([s.file for s in results.submissions])
    pages: list[Path] = []
    with staged(folder) as stage:
        for s, name in zip(results.submissions, names, strict=True):
            back = "../index.html" if audience is Audience.MARKER else ""
            html = submission_page(s, results.profile, blobs, audience, class_page=back)
            pages.append(stage.put(f"pages/{name}", html))
        json = stage.put("results.json", results_json(results))
        csv = stage.put("grades.csv", grades_csv(results))
        rows = answers_csv(results, kept) if to_mark else ""
        marks = stage.put(NAME, rows) if rows else None
        links = [f"pages/{name}" for name in names]
        index = stage.put("index.html", class_page(results, links, audience, NAME if marks else ""))
    return Written(index, tuple(pages), json, csv, marks)


def page_names(files: list[str]) -> list[str]:
    """A file name for each submission's page: its own name, made safe. Where two are alike they are
    told apart by a hash of their paths, so that a page keeps its name from run to run; and by a
    number where the paths are alike too."""
    stems = [_safe(PurePath(file).name) for file in files]
    folded = [s.casefold() for s in stems]
    names: list[str] = []
    for file, stem in zip(files, stems, strict=True):
        if folded.count(stem.casefold()) > 1:
            stem += "-" + hashlib.sha256(file.encode("utf-8", "replace")).hexdigest()[:8]
        number = sum(n.startswith(stem.casefold() + ".") for n in map(str.casefold, names)) + 1
        names.append(f"{stem}.html" if number == 1 else f"{stem}.{number}.html")
    return names


def _safe(name: str) -> str:
    stem = re.sub(r"\.(ipynb|py|md)\Z", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:80] or "submission"
