"""results.json and grades.csv: what gradebooks and scripts read.

results.json is `grader.results.Results`, less what only a page needs: the text of cells (``source``,
``output``) and the points of plotted lines (``x``, ``y``). It can be read back with
``Results.model_validate``. The schema in docs/results.schema.json is made from the same model by
``python -m grader.report``; a test holds the two together.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from grader.report.shown import unjudged
from grader.report.text import mark, visible
from grader.results import SCHEMA, Results
from grader.text.written import FORMULA

OMITTED: Mapping[str, tuple[str, ...]] = {"CellRef": ("source", "output"), "Line": ("x", "y")}
"""Fields left out of results.json, by record."""

_EXCLUDE: Any = {
    "submissions": {
        "__all__": {
            "questions": {
                "__all__": {
                    "cells": {"__all__": set(OMITTED["CellRef"])},
                    "criteria": {
                        "__all__": {
                            "figures": {
                                "__all__": {"axes": {"__all__": {"lines": {"__all__": set(OMITTED["Line"])}}}}
                            }
                        }
                    },
                }
            }
        }
    }
}


def results_json(results: Results) -> str:
    """The text of results.json. Always valid JSON: a number that is not finite becomes null."""
    document = results.model_dump(by_alias=True, exclude=_EXCLUDE)
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_plain(str(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # a NumPy scalar or array that a check left in its evidence
        return _plain(value.tolist())
    return _plain(str(value))


def schema() -> dict[str, Any]:
    """The JSON Schema of results.json. Every key is always written, so every key is required."""
    made = Results.model_json_schema(by_alias=True)
    for name, record in {"Results": made, **made["$defs"]}.items():
        if record.get("type") != "object" or "properties" not in record:
            continue
        for omitted in OMITTED.get(name, ()):
            del record["properties"][omitted]
        record["required"] = sorted(record["properties"])
    made["properties"]["schema"] = {"const": SCHEMA, "description": "changes when a reader would have to"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made | {"title": "grader results"}


def grades_csv(results: Results) -> str:
    """One row for each submission: file, assignment, mark, out_of, state, open_marks, then questions.

    Safe to open in a spreadsheet: a cell that would be read as a formula begins with an apostrophe.
    A question that a submission's assignment does not have is left empty, and so is one of which nothing
    could be judged.
    """
    questions = list(dict.fromkeys(q.id for s in results.submissions for q in s.questions))
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(
        ["file", "assignment", "mark", "out_of", "state", "open_marks", *map(safe_cell, questions)]
    )
    for s in results.submissions:
        marks = {q.id: "" if unjudged(q) else mark(q.mark) for q in s.questions}
        table.writerow(
            [
                safe_cell(s.file),
                safe_cell(s.assignment or ""),
                mark(s.mark),
                mark(s.out_of),
                s.state,
                mark(s.open_marks),
                *(marks.get(q, "") for q in questions),
            ]
        )
    return out.getvalue()


def safe_cell(text: str) -> str:
    """``text`` as a spreadsheet cell that is never taken for a formula."""
    text = " ".join(visible(text).split())
    return "'" + text if text.startswith(FORMULA) else text
