"""An answer as a person is shown it, marks it and hands it back; and how it is known again."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol

from grader.text.clean import BASE64, picture_digest

LONGEST = 30_000
"""Characters of an answer that are written down: a spreadsheet's cell holds 32,767."""
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula."""


class Cell(Protocol):
    """A piece, or a published reference to one."""

    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...


def answer_text(cells: Iterable[Cell]) -> str:
    """Text cells as typed and code between fences, a digest for the data of pictures; empty for no words."""
    parts = [
        c.source.strip() if c.kind == "markdown" else f"```python\n{c.source.strip()}\n```"
        for c in cells
        if c.source.strip()
    ]
    text = BASE64.sub(_digested, "\n\n".join(parts).replace("\r\n", "\n"))
    return text[:LONGEST].rstrip()


def _digested(picture: re.Match[str]) -> str:
    return f"(picture {picture_digest(''.join(picture[0].split()))})"


def unescaped(cell: str) -> str:
    """A spreadsheet's cell without the apostrophe that kept it from being taken for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip().startswith(FORMULA) else cell


def digest(text: str) -> str:
    """The same for two texts that differ in nothing but white space and invisible characters.

    Spreadsheets change line ends, and a report shows invisible characters as signs.
    """
    plain = unicodedata.normalize("NFC", unescaped(text))
    seen = "".join(c for c in plain if c.isprintable() and not c.isspace())
    return hashlib.sha256(seen.encode("utf-8", "replace")).hexdigest()
