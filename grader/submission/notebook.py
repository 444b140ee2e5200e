"""``.ipynb`` -> cells. Lenient: no validation, since a missing id is no reason to refuse a person's work."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from typing import Any

from grader.errors import SubmissionError
from grader.submission.cells import Cell, Source, plain_output, without_pictures


def read(text: str, where: str) -> Source:
    """The cells of a notebook of nbformat 2, 3 or 4. Raises SubmissionError if it is none."""
    book = _json(text, where)
    notes: list[str] = []
    major = _version(book, where)
    if major < 4:
        book = _upgraded(book, major, where)
        notes.append(f"the notebook is of the old format {major}; it was upgraded to 4")
    raw_cells = book.get("cells")
    if not isinstance(raw_cells, list):
        raise SubmissionError(
            "it is JSON but has no list of cells", where=where, todo="save it again from Jupyter"
        )
    metadata = _mapping(book.get("metadata"))
    language = _language(metadata)
    if language != "python":
        notes.append(f"the notebook's kernel is for {language}, not Python: its code is not run as Python")
    elif not metadata.get("kernelspec"):
        notes.append("no kernel is named; it was read as Python")
    if isinstance(metadata.get("widgets"), Mapping) and _widgets_broken(metadata["widgets"]):
        notes.append("the saved widgets have no state; they are left out")

    cells: list[Cell] = []
    pictures = strange = 0
    for index, raw in enumerate(raw_cells):
        if not isinstance(raw, Mapping):
            strange += 1
            continue
        source = re.sub(r"\r\n?", "\n", _joined(raw.get("source", raw.get("input"))))
        if raw.get("cell_type") == "code":
            cells.append(Cell(index, "code", source, _saved_output(raw.get("outputs"))))
        else:  # raw cells hold prose as often as not, and nothing in them is run by Jupyter
            source, found = without_pictures(source, _mapping(raw.get("attachments")))
            pictures += found
            cells.append(Cell(index, "markdown", source))
    if pictures:
        notes.append(f"{pictures} picture{'s' * (pictures != 1)} in the text cannot be read by the grader")
    if strange:
        notes.append(f"{strange} entr{'ies' if strange != 1 else 'y'} in the list of cells could not be read")
    return Source(tuple(cells), language, tuple(notes))


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        book = json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml")):
            what = "it is a web page, not a notebook"
        else:
            place = f"line {error.lineno}, column {error.colno}"
            what = f"it is not a notebook: broken JSON at {place} ({error.msg})"
        raise SubmissionError(what, where=where, todo="download or save the notebook again") from error
    except (RecursionError, ValueError) as error:  # absurdly nested, or an integer of thousands of digits
        raise SubmissionError(
            "its JSON is nested too deeply or malformed", where=where, todo="save it again"
        ) from error
    if not isinstance(book, dict):
        raise SubmissionError("it is JSON but not a notebook", where=where, todo="save it again from Jupyter")
    return book


def _version(book: Mapping[str, Any], where: str) -> int:
    major = book.get("nbformat")
    if isinstance(major, int) and not isinstance(major, bool):
        if major > 4 or major < 2:
            raise SubmissionError(
                f"notebook format {major} is not known", where=where, todo="save it as format 4"
            )
        if major < 4 and "cells" in book and "worksheets" not in book:
            return 4  # says 3, is 4
        return major
    return 3 if "worksheets" in book else 4


def _upgraded(book: dict[str, Any], major: int, where: str) -> dict[str, Any]:
    import nbformat

    book.setdefault("metadata", {}).setdefault("name", "")
    for sheet in book.get("worksheets") or [{}]:
        for cell in sheet.get("cells", []):
            if isinstance(cell, dict):
                cell.setdefault("metadata", {})
                if cell.get("cell_type") == "code":
                    cell.setdefault("outputs", [])
                    cell.setdefault("input", cell.pop("source", ""))
                    cell.setdefault("language", "python")
                    cell.setdefault("collapsed", False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old = nbformat.versions[major].reads_json(json.dumps(book))
            return dict(nbformat.convert(old, 4))
    except Exception as error:  # nbformat raises whatever the malformed place happens to cause
        raise SubmissionError(
            f"notebook format {major} could not be upgraded ({type(error).__name__}: {error})",
            where=where,
            todo="save it as format 4",
        ) from error


def _language(metadata: Mapping[str, Any]) -> str:
    """The kernel's language; Python where nothing says otherwise."""
    spec, info = _mapping(metadata.get("kernelspec")), _mapping(metadata.get("language_info"))
    for said in (info.get("name"), spec.get("language"), spec.get("name"), spec.get("display_name")):
        if isinstance(said, str) and said.strip():
            name = said.strip().lower()
            known = {"ir": "r", "r": "r", "julia": "julia", "scala": "scala", "javascript": "javascript"}
            if name in known:
                return known[name]
            if said is info.get("name") or said is spec.get("language"):
                return "python" if name.startswith(("python", "ipython")) else name
    return "python"


def _widgets_broken(widgets: Mapping[str, Any]) -> bool:
    views = [v for v in widgets.values() if isinstance(v, Mapping)]
    return bool(widgets) and not any("state" in v for v in [widgets, *views])


def _saved_output(outputs: Any) -> str:
    """What the author's own run printed, joined; pictures and HTML are left out."""
    parts: list[str] = []
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, Mapping):
            continue
        match output.get("output_type"):
            case "stream":
                parts.append(_joined(output.get("text")))
            case "execute_result" | "display_data":
                parts.append(_joined(_mapping(output.get("data")).get("text/plain")) + "\n")
            case "error":
                parts.append(f"{output.get('ename', 'Error')}: {output.get('evalue', '')}\n")
    return plain_output("".join(p for p in parts if p.strip()))


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(t for t in text if isinstance(t, str))
    return text if isinstance(text, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
