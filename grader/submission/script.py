"""Percent-format ``.py`` and Markdown files -> cells."""

from __future__ import annotations

import re
from typing import Literal

from grader.submission.cells import Cell, Source, without_pictures

_MARKER = re.compile(r"^#\s*%%+(?P<rest>.*)$")
_PROSE = re.compile(r"\[\s*(markdown|md|raw)\s*\]", re.IGNORECASE)
_HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")
_FENCE = re.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
_PYTHON = re.compile(r"^[{.\s]*(code-cell\s+)?(i?python3?|py3?)\b", re.IGNORECASE)


def read_percent(text: str, where: str) -> Source:
    """Cells open with ``# %%``; prose ones with ``# %% [markdown]``. Without any, all is one code cell."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(_MARKER.match(line) for line in text.split("\n")):
        text = _HEADER.sub("", text)  # jupytext's own settings
    kind: Literal["markdown", "code"] = "code"
    cells: list[Cell] = []
    lines: list[str] = []
    marked = False

    def close() -> None:
        body = "\n".join(lines).strip("\n")
        if kind == "markdown":
            body = without_pictures(_uncommented(body))[0]
        if body.strip() or marked:
            cells.append(Cell(len(cells), kind, body))

    for line in text.split("\n"):
        marker = _MARKER.match(line)
        if not marker:
            lines.append(line)
            continue
        close()
        prose = _PROSE.search(marker["rest"])
        title = _PROSE.sub("", marker["rest"]).strip()
        kind, marked = ("markdown" if prose else "code"), True
        lines = [f"# {title}"] if title else []  # a cell's title often is the question's label
    close()
    return Source(tuple(cells))


def _uncommented(body: str) -> str:
    """Prose of a markdown cell: a commented block, or one triple-quoted string."""
    stripped = body.strip()
    for quote in ('"""', "'''"):
        if stripped.startswith(quote) and stripped.endswith(quote) and len(stripped) >= 6:
            return stripped[3:-3].strip("\n")
    return "\n".join(re.sub(r"^#( |$)", "", line) for line in body.split("\n"))


def read_markdown(text: str, where: str) -> Source:
    """Fenced Python is code; everything else, fences of other languages too, is prose."""
    cells: list[Cell] = []
    prose: list[str] = []
    code: list[str] | None = None
    closing = ""

    def close(kind: Literal["markdown", "code"], lines: list[str]) -> None:
        body = "\n".join(lines).strip("\n")
        if body.strip():
            cells.append(Cell(len(cells), kind, without_pictures(body)[0] if kind == "markdown" else body))

    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        fence = _FENCE.match(line)
        if closing:
            ends = bool(fence) and line.strip().startswith(closing) and not line.strip().strip(closing[0])
            if code is None:
                prose.append(line)
            elif ends:
                close("code", code)
            else:
                code.append(line)
            if ends:
                code, closing = None, ""
        elif fence:
            closing = fence["mark"]
            if _PYTHON.match(fence["info"]):
                close("markdown", prose)
                prose, code = [], []
            else:
                prose.append(line)
        else:
            prose.append(line)
    close("code", code) if code is not None else close("markdown", prose)
    return Source(tuple(cells))
