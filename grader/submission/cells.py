"""Cells as a file holds them, before they are split; and cleaning that all kinds of file share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grader.text.clean import picture_digest

SAVED_OUTPUT = 20_000
"""Characters of a cell's saved text output that are kept: the first and the last half of it."""


@dataclass(frozen=True)
class Cell:
    """``index`` counts every cell of the file, the empty ones too, as the author sees them."""

    index: int
    kind: Literal["markdown", "code"]
    source: str
    saved_output: str = ""


@dataclass(frozen=True)
class Source:
    cells: tuple[Cell, ...]
    language: str = "python"
    notes: tuple[str, ...] = ()


_DATA = r"data:image/[\w.+-]+;base64,[A-Za-z0-9+/=%]*+"
_WRAPPED = _DATA[:-3] + r"\s]*+"  # only where a bracket closes it: elsewhere it would eat the prose after it
_PICTURES = re.compile(
    r"!\[[^\]\n]{0,500}\]\(\s*<?(?:" + _WRAPPED + r"[^)\n]{0,500}+|attachment:[^)\n]{0,1000}+)\)"
    r"|<img\b[^>]{0,500}?src\s*=\s*[\"']?(?:" + _WRAPPED + r"|attachment:[^\"'>\n]{0,500}+)[^>]{0,500}+>"
    r"|" + _DATA,
    re.IGNORECASE,
)


def without_pictures(markdown: str, attachments: Mapping[str, Any] | None = None) -> tuple[str, int]:
    """Markdown with each picture held inside the notebook replaced by a token, and their number.

    The token is ``[image 0123456789ab]``, with a digest of the picture, so that a person's mark on an answer
    with a picture is known not to be for the same words with another.
    """
    if "data:image" not in markdown and "attachment:" not in markdown:
        return markdown, 0

    def token(match: re.Match[str]) -> str:
        held: list[Any] = ["".join(match[0].split())]
        if "attachment:" in match[0]:
            held.append(attachments)  # all of the cell's: how a name is to be quoted differs by program
        return f"[image {picture_digest(json.dumps(held, sort_keys=True))}]"

    return _PICTURES.subn(token, markdown)


_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


def plain_output(text: str) -> str:
    """Output as it looked on screen: no colours, progress bars at their last state, capped."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    text = "\n".join(next((part for part in reversed(line.split("\r")) if part), "") for line in lines)
    if len(text) <= SAVED_OUTPUT:
        return text
    half = SAVED_OUTPUT // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"
