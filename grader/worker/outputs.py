"""A cell's outputs, as nbformat has them, as plain text and an error."""

from __future__ import annotations

import re
from typing import Any, Literal

from grader.evidence.model import Failure, Text

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def read(outputs: list[Any], flooded: bool) -> tuple[list[Text], Failure | None]:
    """An nbformat output list as records; the last error counts."""
    found: list[tuple[Literal["stdout", "stderr", "result"], list[str]]] = []
    failure = None
    for output in outputs:
        kind = output.get("output_type")
        if kind == "stream":
            stream: Literal["stdout", "stderr"] = "stderr" if output.get("name") == "stderr" else "stdout"
            if not found or found[-1][0] != stream:
                found.append((stream, []))
            found[-1][1].append(_joined(output.get("text", "")))
        elif kind in ("execute_result", "display_data"):
            if shown := (output.get("data") or {}).get("text/plain"):
                found.append(("result", [_joined(shown)]))
        elif kind == "error":
            trace = plain("\n".join(str(t) for t in output.get("traceback", [])))
            failure = Failure(
                name=plain(output.get("ename", ""))[:200],
                message=plain(output.get("evalue", ""))[:2000],
                traceback=trace[-4000:],
                line=line_of(trace),
            )
    texts = [Text(stream=stream, text=plain("".join(parts))) for stream, parts in found]
    if flooded and texts:
        texts[-1] = texts[-1].model_copy(update={"truncated": True})
    return texts, failure


def _joined(text: Any) -> str:
    return "".join(str(t) for t in text) if isinstance(text, list) else str(text)


def plain(text: Any) -> str:
    """Without terminal colours, and with carriage returns played out, as a terminal shows it.

    Line by line: a search for what a return overwrites takes the square of a long line's length.
    """
    bare: str = ANSI.sub("", _joined(text)).encode("utf-8", "replace").decode()
    if "\r" not in bare:
        return bare
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in bare.split("\n"))


def line_of(trace: str) -> int | None:
    """The line of the piece itself in IPython's traceback: its last frame in the cell."""
    found = re.findall(r"(?:Cell In\[\d+\], line (\d+)|^-+> ?(\d+) )", trace, flags=re.M)
    cells = [a for a, _ in found if a]
    return int(cells[-1]) if cells else None
