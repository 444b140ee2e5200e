"""The same answers laid out otherwise: how many marks change, and by how much.

    python bench/layouts.py [DATA]

Nothing that an answer says is changed, so no mark should be. DATA as in `bench/answers.py`. The marks are the
suggested ones, of 20.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable

import numpy as np
from coursework import Question, Set
from fit_points import made_up, real
from sources import data_folder

from grader.evidence.model import Piece
from grader.text.assess import assess
from grader.text.sentences import Sentence, read, read_text

MARKED = re.compile(r"\s*(?:[-*+#|>]|\d+[.)])")
CLOSING = str.maketrans("'\"", "’”")


def _lines(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change to each line outside of fences."""

    def changed(text: str) -> str:
        out, fenced = [], False
        for line in text.split("\n"):
            fence = line.lstrip().startswith("```")
            fenced ^= fence
            out.append(line if fence or fenced else change(line))
        return "\n".join(out)

    return changed


def _wrapped(line: str) -> str:
    if not line.strip() or MARKED.match(line):
        return line
    return textwrap.fill(line, 60, break_long_words=False, break_on_hyphens=False)


LAYOUTS: dict[str, Callable[[str], str]] = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "spaces at line ends": _lines(lambda line: f"{line}   "),
    "lines wrapped at 60": _lines(_wrapped),
    "bullets *": _lines(lambda line: re.sub(r"^(\s*)[-+] ", r"\1* ", line)),
    "bullets numbered": _lines(lambda line: re.sub(r"^(\s*)[-*+] ", r"\g<1>1. ", line)),
    "no bold": _lines(lambda line: line.replace("**", "")),
    "headings in bold": _lines(lambda line: re.sub(r"^#+\s*(.+)$", r"**\1**", line)),
    "headings a level deeper": _lines(lambda line: f"#{line}" if line.startswith("#") else line),
    "curly quotes": lambda text: text.translate(CLOSING),
    "lower case": str.lower,
    "a line of greeting": lambda text: f"Here is my answer.\n\n{text}",
}


def _cells(text: str) -> tuple[Sentence, ...]:
    """Read with a cell for each paragraph."""
    parts, fenced = [""], False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if line.strip() or fenced:
            parts[-1] += f"{line}\n"
        else:
            parts.append("")
    return read(Piece(index=n, cell=n, kind="markdown", source=p) for n, p in enumerate(filter(None, parts)))


def _mark(q: Question, sentences: tuple[Sentence, ...], source: str) -> float:
    return 20 * assess(q.points, q.prompt, sentences, source=source, best=q.best).share


def changes(given: Set) -> dict[str, list[float]]:
    """For each layout by how much it changes the mark of each answer that it changes."""
    found: dict[str, list[float]] = {"a cell for each paragraph": [], **{layout: [] for layout in LAYOUTS}}
    for row in given.rows:
        q = given.questions[row.question]
        own = _mark(q, read_text(row.answer), row.answer)
        found["a cell for each paragraph"].append(_mark(q, _cells(row.answer), row.answer) - own)
        for layout, change in LAYOUTS.items():
            if (text := change(row.answer)) != row.answer:
                found[layout].append(_mark(q, read_text(text), text) - own)
    return found


def main() -> None:
    home = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    sets = {"coursework": real(home)} | made_up(test=False)
    found = [changes(given) for given in sets.values()]
    print(f"{sum(len(s.rows) for s in sets.values())} answers: {', '.join(sets)}")
    for layout in found[0]:
        off = np.abs([x for f in found for x in f[layout]])
        print(
            f"  {layout}: {np.mean(off > 1e-9):.1%} of {len(off)} changed, {np.mean(off > 1):.1%} by more than 1 of 20, "
            f"at most by {off.max():.1f}"
        )


if __name__ == "__main__":
    main()
