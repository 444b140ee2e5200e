"""Plain lines to sentences, each with its line, its clauses and the heading or lead-in it stands under."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from grader.python import parse
from grader.text.clean import PlainLine, clean
from grader.text.idioms import in_words
from grader.text.written import Cell

END = re.compile(r"(?<=[.!?;])\s+(?=\S)|(?<=[a-z]{4}\.)(?=[A-Z][A-Za-z]+[ ,])")
GOES_ON = re.compile(
    r"\b(?:e\.g|i\.e|al|vs|[Ff]ig|[Nn]o|ca|approx|cf|resp|incl|[Ee]q|Sec|Ch|[Vv]ol|pp|Proc|Conf|Trans|Dr|Prof|St"
    r"|Jan|Feb|Aug|Sept|Oct|Nov|Dec|[A-Z])\.$"
)
"""After an abbreviation, or a person's initial, a sentence goes on."""
ABBREVIATION = 8
"""Characters that the longest of these takes."""
PRONOUN = re.compile(r"(?:it|its|they|their|these|this|the (?:network|model|architecture))\b", re.I)
CLAUSE = re.compile(
    r"\s*(?:[,;:()→]|\s[-–—]+\s|\b(?:but|whereas|while|although|though|however|because|so that|which|"
    r"and|unlike|instead of|rather than)\b)\s*",
    re.I,
)


@dataclass(frozen=True)
class Sentence:
    """``piece`` is the submission's piece (None for bare text), ``line`` counts from 1 within it."""

    text: str
    line: int
    piece: int | None = None
    under: str = ""
    """The headings above it, of every level, and the lead-in line ("Effects of padding:")."""
    block: int = 0
    """Sentences of one paragraph, list or table share a block."""
    first: int = 0
    """The line on which its own paragraph, item or row begins; 0 for a heading."""
    heading: bool = False
    code: bool = False
    row: bool = False
    """Whether it is a cell or row of a table."""
    spoken: str = ""
    """Of code: what its comments and idioms say in words. Statements are looked for there, facts in ``text``,
    which has what the idioms say in brackets."""


def clauses(text: str) -> tuple[str, ...]:
    """Parts of a sentence between commas, colons and conjunctions."""
    return tuple(c for c in CLAUSE.split(text) if c.strip()) or (text,)


def _split(text: str) -> list[str]:
    out, start = [], 0
    for m in END.finditer(text):
        if not GOES_ON.search(text, max(m.start() - ABBREVIATION, start), m.start()):
            out.append(text[start : m.start()].strip())
            start = m.end()
    return [p for p in (*out, text[start:].strip()) if p]


BULLET, NUMBER = 0.5, 0.75
"""An item that ends in a colon ("- AlexNet:", "1. AlexNet:") heads the bullets after it, though they are indented no
further: up to the next such bullet, or the next number. It is as if it stood so much further to the left."""

Part = tuple[int | None, Sequence[PlainLine]]
"""The cleaned lines of one piece."""


def sentences(parts: Iterable[Part]) -> tuple[Sentence, ...]:
    """Sentences of a cleaned text. Wrapped lines of a paragraph are joined first, as markdown does.

    Between two pieces that follow one another there is no more than an empty line: a heading stands above the cells
    below it too, so that it makes no difference into how many cells an answer is cut.
    """
    out: list[Sentence] = []
    piece: int | None = None
    heading = lead = ""
    headings: list[tuple[int, str]] = []
    parents: list[tuple[float, str]] = []
    opened = 0.0
    block = 0
    held: list[PlainLine] = []

    def flush() -> None:
        nonlocal lead, opened, parents
        if not held:
            return
        text = " ".join(h.text for h in held)
        ends: list[tuple[int, int]] = []
        at = 0
        for h in held:
            at += len(h.text) + 1
            ends.append((at, h.line))
        above = ""
        if held[0].kind == "item":
            indent, leads = held[0].indent, text.endswith(":")
            numbered = any(map(str.isalnum, held[0].mark))
            if opened and parents[-1][0] == indent and not numbered and not (leads and opened == BULLET):
                parents[-1] = (indent - opened, parents[-1][1])
            while parents and parents[-1][0] >= indent - (NUMBER if numbered else BULLET if leads else 0):
                parents.pop()
            above = " ".join(p for _, p in parents)
            opened = 0 if not leads else NUMBER if numbered else BULLET
        under = " ".join(x for x in (heading, lead, above) if x)
        start, subject, continued = 0, "", False
        row, first = held[0].kind == "row", held[0].line
        for part in _split(text):
            start = max(text.find(part, start), 0)
            line = next(n for e, n in ends if start < e)
            if PRONOUN.match(part) or continued:
                out.append(Sentence(part, line, piece, f"{under} {subject}".strip(), block, first, row=row))
            else:
                subject = " ".join(part.split()[:6])
                out.append(Sentence(part, line, piece, under, block, first, row=row))
            continued = part.endswith(";")  # "VGG: 16 layers; 3×3 throughout"
            start += len(part)
        if held[0].kind == "item":
            parents.append((held[0].indent, text if len(text) <= 90 else ""))
        elif text.rstrip().endswith((":", "-", "–")):
            lead = _split(text)[-1] if len(text) < 200 else text[-120:]
            parents, opened = [], 0
        elif held[0].kind == "text":
            lead = text if len(text) < 50 and text[-1] not in ".!?;" else ""
            parents, opened = [], 0
        held.clear()

    for after, lines in parts:
        if piece is not None and after != piece + 1:  # another question's answer stands between
            headings, heading, lead, parents, opened = [], "", "", [], 0
        piece = after
        for item in lines:
            if item.kind == "blank":
                flush()
                block += 1
            elif item.kind == "heading":
                flush()
                block += 1
                headings = [h for h in headings if h[0] < item.indent] + [(item.indent, item.text)]
                heading, lead = " ".join(t for _, t in headings if t), ""
                parents, opened = [], 0
                if item.text:
                    out.append(Sentence(item.text, item.line, piece, "", block, heading=True))
            elif item.kind == "code":
                flush()
                opened = 0
                if words := code_words(item.text):
                    comment, said = item.text.partition("#")[2].strip(), in_words(item.text)
                    spoken = ". ".join(x for x in (comment, said) if x)
                    shown = f"{words} ({said})" if said else words
                    out.append(
                        Sentence(shown, item.line, piece, heading, block, item.line, code=True, spoken=spoken)
                    )
            elif item.kind in ("item", "row"):
                flush()
                held.append(item)
                if item.kind == "row":
                    flush()
            elif item.text and held and held[0].kind == "text" and held[-1].text.endswith(":"):
                flush()
                held.append(item)
            elif item.text:
                held.append(item)
        flush()
        block += 1
    return tuple(out)


CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])(?!Net)")
"""Where a name is split into words: not in ResNet, which is one."""
IMPORT = re.compile(r"^\s*from\s+\S+\s+import\b|^\s*import\b")


def code_words(line: str) -> str:
    """A line of code as words: names are split at underscores and capitals, operators dropped.

    Of an import only what is imported counts: ``keras.applications`` is no application.
    """
    text = CAMEL.sub(" ", IMPORT.sub("import", line).replace("_", " "))
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s.,:'\"=/%×+()*-]", " ", text)).strip()


class Placed(Cell, Protocol):
    """A cell, and where it stands in the submission."""

    @property
    def index(self) -> int: ...


def read_text(source: str, in_words: bool = False) -> tuple[Sentence, ...]:
    """Clean and split in one step; ``in_words`` as in `read`, for what stands in fences."""
    return sentences([(None, _prose(source, in_words))])


def read(cells: Iterable[Placed], in_words: bool = False) -> tuple[Sentence, ...]:
    """An answer's prose, and its code as far as it says anything (names, comments, strings).

    ``in_words``: of code only comments and longer strings.
    """
    code = _said if in_words else _code
    return sentences(
        (c.index, _prose(c.source, in_words) if c.kind == "markdown" else code(c.source)) for c in cells
    )


def _prose(source: str, in_words: bool) -> Sequence[PlainLine]:
    lines = clean(source)
    if not in_words:
        return lines
    out: list[PlainLine] = []
    for tag, run in groupby(lines, lambda item: item.mark if item.kind == "code" else ""):
        fence = list(run)
        if tag.lower() in PYTHON:
            said = _said("\n".join(item.text for item in fence))
            out += [replace(item, line=item.line + fence[0].line - 1) for item in said]
        else:
            out += fence
    return out


PYTHON = ("python", "py", "python3", "ipython")
"""How a fence with a program is tagged; what stands in another may be words."""


def _code(source: str) -> list[PlainLine]:
    """A code cell as text: comments and strings are prose, names are split into words."""
    return [
        PlainLine(raw, n, "code" if raw.strip() else "blank") for n, raw in enumerate(source.split("\n"), 1)
    ]


PROSE_WORDS = 8
"""Fewer words in a string of a program are a label, not a sentence of an answer."""


def _said(source: str) -> list[PlainLine]:
    """What a code cell says in words alone: its comments, and longer strings such as it prints.

    All of it where it is no program: prose is typed into code cells too.
    """
    tree, _ = parse(source)
    if tree is None:
        return [] if source.lstrip().startswith("%%") else _code(source)
    lines: dict[int, list[str]] = {}
    for n, raw in enumerate(source.split("\n"), 1):
        if raw.lstrip().startswith("#"):
            lines.setdefault(n, []).append(raw.lstrip().lstrip("#").strip())
    for node in ast.walk(tree):
        said = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Constant) and isinstance(said, str) and len(said.split()) >= PROSE_WORDS:
            lines.setdefault(node.lineno, []).append(said)
    plain = ((n, " ".join(" ".join(texts).split())) for n, texts in sorted(lines.items()))
    return [PlainLine(text, n, "text") for n, text in plain if text]
