"""answers.csv: every answer in words with its suggested mark, for a person to fill in and hand back.

``grade calibrate --answers answers.csv`` reads it again. Marks that were filled in and not yet handed back
stay when the report is written anew.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from grader.errors import OutputError, UsageError
from grader.report.published import safe_cell
from grader.report.text import mark, visible
from grader.results import Results
from grader.text.marks import read
from grader.text.written import FORMULA, answer_text, digest

NAME = "answers.csv"
COLUMNS = (
    "assignment", "question", "submission", "answer", "suggested", "out_of", "mark", "state", "confidence",
    "criterion",
)  # fmt: skip
Row = Mapping[str, str]
Key = tuple[str, ...]


def answers_csv(results: Results, kept: Mapping[Key, Row]) -> str:
    """A row for each answer in words, by question; the column ``mark`` holds what a person gave already.

    ``kept`` are rows with marks of an earlier report's file: their marks stay, and so do rows of
    submissions that are not among these. Empty where there is no row.
    """
    rows: dict[Key, dict[str, str]] = {}
    for s in results.submissions:
        for q in s.questions:
            text = answer_text(q.cells)
            for c in q.criteria if text else ():
                if c.check != "key_points" or c.evidence.get("blank"):
                    continue
                row = {
                    "assignment": safe_cell(s.assignment or ""),
                    "question": safe_cell(q.id),
                    "submission": safe_cell(s.file),
                    "answer": _cell(text),
                    "suggested": mark(c.mark),
                    "out_of": mark(c.out_of),
                    "mark": mark(c.mark) if c.by_person else "",
                    "state": "marked" if c.by_person else "confirm" if c.unconfirmed else str(c.state),
                    "confidence": f"{float(c.evidence.get('confidence') or 0):.2f}",
                    "criterion": safe_cell(c.title),
                }
                rows[_key(row)] = row
    for key, old in kept.items():
        new = rows.get(key)
        if new is None:
            rows[key] = dict(old)
        elif not new["mark"] or old["mark"] != old["suggested"]:  # a mark that we wrote ourselves gives way
            new["mark"] = old["mark"]
    if not rows:
        return ""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(sorted(rows.values(), key=lambda r: (r["assignment"], r["question"])))
    return "\ufeff" + out.getvalue()  # the mark by which Excel knows UTF-8


def filled_in(folder: Path) -> dict[Key, Row]:
    """The rows of a report's answers.csv that have a mark.

    Raises OutputError where somebody made it unreadable: it may hold marks, so it is not replaced.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        found = read(path)
    except UsageError as e:
        raise OutputError(
            f"it may hold marks, but cannot be read: {e.what}", where=e.where, todo="mend it, or move it away"
        ) from e
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {
            "assignment": safe_cell(g.assignment),
            "question": safe_cell(g.question),
            "submission": safe_cell(g.submission),
            "answer": _cell(g.answer),
            "suggested": g.suggested,
            "out_of": mark(g.out_of),
            "mark": f"{g.mark:g}",
            "state": "marked",
            "criterion": safe_cell(g.criterion),
        }
        for g in found
    ]
    return {_key(r): r for r in rows}


def _cell(text: str) -> str:
    """Text of several lines as a cell that no spreadsheet takes for a formula."""
    shown = visible(text)
    return "'" + shown if shown.lstrip().startswith(FORMULA) else shown


def _key(row: Row) -> Key:
    return (*(row[c] for c in ("assignment", "question", "criterion", "submission")), digest(row["answer"]))
