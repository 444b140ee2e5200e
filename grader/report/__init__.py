"""Results -> what people and other tools read: HTML, JSON, CSV, JUnit, Gradescope, the terminal.

::

    written = grader.report.write(results, Path("reports"), store.blob)
    print(written.index)

Everything for a student goes through `shown` first: see `grader.report.audience`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

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
    """Where a report is. ``pages`` gives each submission's page by its file as in the results."""

    index: Path
    pages: Mapping[str, Path]
    json: Path
    csv: Path


def write(
    results: Results,
    folder: Path,
    blobs: Callable[[str], bytes],
    audience: Audience = Audience.MARKER,
) -> Written:
    """Write the report of ``results`` into ``folder``, in place of an earlier one, whole or not at all.

    ``blobs`` gives the content of a figure's PNG by its SHA-256; where it raises, the page says
    that the picture is gone. Files in the folder that are not ours stay as they are.

    Raises:
        OutputError: the folder cannot be written, is full, or holds a file of ours by name only.
    """
    results = shown(results, audience)
    names = page_names([s.file for s in results.submissions])
    pages: dict[str, Path] = {}
    with staged(folder) as stage:
        for s in results.submissions:
            back = "../index.html" if audience is Audience.MARKER else ""
            html = submission_page(s, results.profile, blobs, audience, class_page=back)
            pages[s.file] = stage.put(f"pages/{names[s.file]}", html)
        json = stage.put("results.json", results_json(results))
        csv = stage.put("grades.csv", grades_csv(results))
        links = {file: f"pages/{name}" for file, name in names.items()}
        index = stage.put("index.html", class_page(results, links, audience))
    return Written(index, pages, json, csv)


def page_names(files: list[str]) -> dict[str, str]:
    """A file name for each submission's page: its own name, made safe, and told apart where two
    are alike by a hash of their paths, so that a page keeps its name from run to run."""
    stems = {file: _safe(PurePath(file).name) for file in files}
    taken = [s.casefold() for s in stems.values()]
    return {
        file: f"{stem}-{hashlib.sha256(file.encode('utf-8', 'replace')).hexdigest()[:8]}.html"
        if taken.count(stem.casefold()) > 1
        else f"{stem}.html"
        for file, stem in stems.items()
    }


def _safe(name: str) -> str:
    stem = re.sub(r"\.(ipynb|py|md)\Z", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:80] or "submission"
