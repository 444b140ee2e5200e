"""Cells -> pieces: the smallest parts that may answer different questions.

The cut knows no rubric and is the same every time. It rather cuts once too often: alignment puts
together what belongs together, but cannot take apart what was left in one. The parts of a cell, one
after another, are the cell's source again.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Sequence
from typing import Literal

from grader.evidence.model import Piece
from grader.python import is_prose, parse
from grader.submission.cells import Cell
from grader.submission.labels import Label, asks, is_heading, label_of

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def pieces(cells: Sequence[Cell]) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """All pieces in order, and notes on what was read as something else than its cell says.

    Cells without text yield none. A cell's saved output goes to its last code piece.
    """
    parts: list[tuple[Cell, Literal["markdown", "code"], str, int, int]] = []
    notes: list[str] = []
    for cell in cells:
        if not cell.source.strip():
            continue
        cuts = markdown_cuts(cell.source) if cell.kind == "markdown" else code_cuts(cell.source)
        for part, (text, first) in enumerate(_cut(cell.source, cuts)):
            kind = cell.kind
            if kind == "code" and is_prose(text):
                kind = "markdown"
                notes.append(
                    f"cell {cell.index + 1}, a code cell, holds an answer in words: it is read as text"
                )
            parts.append((cell, kind, text, first, part))
    sections = _sections([(kind, text) for _, kind, text, _, _ in parts])
    last = {cell.index: i for i, (cell, kind, _, _, _) in enumerate(parts) if kind == "code"}
    made = tuple(
        Piece(
            index=i,
            cell=cell.index,
            kind=kind,
            source=text,
            first_line=first,
            part=part,
            section=sections[i],
            saved_output=cell.saved_output if last.get(cell.index) == i else "",
        )
        for i, (cell, kind, text, first, part) in enumerate(parts)
    )
    return made, tuple(notes)


def _cut(source: str, cuts: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Parts of ``source`` and their first lines (from 1), cut before the lines named (from 1)."""
    lines = [line + "\n" for line in source.split("\n")]
    lines[-1] = lines[-1][:-1]
    bounds = [1, *(c for c in cuts if 1 < c <= len(lines)), len(lines) + 1]
    for start, end in itertools.pairwise(bounds):
        yield "".join(lines[start - 1 : end - 1]), start


# ---------------------------------------------------------------- markdown


def markdown_cuts(source: str) -> list[int]:
    """Lines (from 1) before which a markdown cell is cut: labels, headings, and paragraphs that ask."""
    lines = source.split("\n")
    cuts: list[int] = []
    fence = ""
    bare_part = True  # the part so far is nothing but a label or a heading, which wants its text
    part_labelled = False
    for i, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
            continue
        if mark:
            fence, bare_part = mark[1], False
            continue
        if not line.strip():
            continue
        loose = i == 0 or not lines[i - 1].strip()
        label = None if line.lstrip().startswith("|") else label_of(line)
        asking = loose and asks(_paragraph(lines, i))
        if label and label.strong:
            cut = True
        elif label:
            cut = loose or is_heading(line) or asks(label.rest + "\n" + _paragraph(lines, i + 1))
        else:
            cut = (is_heading(line) or asking) and not (bare_part and (part_labelled or asking))
        if cut and i > 0:
            cuts.append(i + 1)
        if cut or i == 0:
            part_labelled = label is not None
            bare_part = len((label.rest if label else line).split()) < 3 or is_heading(line)
        elif not is_heading(line):
            bare_part = False
    # what stands before the first cut is a part only if it says something
    while cuts and not "".join(lines[: cuts[0] - 1]).strip():
        cuts.pop(0)
    return cuts


def _paragraph(lines: Sequence[str], start: int) -> str:
    taken: list[str] = []
    for line in lines[start : start + 12]:
        if not line.strip():
            break
        taken.append(line)
    return "\n".join(taken)


# ---------------------------------------------------------------- code


def code_cuts(source: str) -> list[int]:
    """Lines before which a code cell is cut: labelled comments and strings between top-level statements."""
    if source.lstrip().startswith("%%"):
        return []  # a cell magic takes the whole cell as its text
    tree, masked = parse(source)
    if tree is None:
        return []
    lines = source.split("\n")
    inside = {n for s in tree.body for n in range(_first_line(s), (s.end_lineno or s.lineno) + 1)}
    starts = [_first_line(s) for s in tree.body if _label_in_statement(s)]
    labelled = any(line.startswith("#") and code_label(line) for line in lines)
    for row, text in _comments(masked) if labelled else ():
        if code_label(text):
            starts.append(_above_rulers(lines, row, inside))
    starts = [n for n in sorted(set(starts)) if "".join(lines[: n - 1]).strip()]
    # never inside a statement, nor between two that share a line
    return [n for n in starts if not any(_first_line(s) < n <= (s.end_lineno or s.lineno) for s in tree.body)]


def code_label(text: str) -> Label | None:
    """A label in a comment or string: a strong one, or a bare number before a whole task in words.

    ``# 2. Build the model`` numbers a step; so a bare number needs the length of a prompt.
    """
    label = label_of(text.lstrip("#").strip())
    if label and (label.strong or (len(label.rest.split()) >= 8 and asks(label.rest))):
        return label
    return None


def opening_label(piece_kind: str, source: str) -> Label | None:
    """The label that a piece opens with, if any: on its first line with text, or in its first comments."""
    for line in source.split("\n")[:12]:
        text = line.strip()
        if not text or not any(c.isalnum() for c in text):
            continue
        if piece_kind == "markdown":
            return label_of(line) or label_of(text.strip("#\"' "))
        if text.startswith(("#", '"""', "'''", '"', "'")):
            found = code_label(text.strip("\"'"))
            if found:
                return found
            continue
        printed = re.match(r"print\(\s*f?[\"']+(.*)", text)
        return code_label(printed[1]) if printed else None
    return None


def _label_in_statement(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id == "print"
        and value.args
    ):
        value = value.args[0]  # print("Question 6") as a title
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return False
    first = next((line for line in value.value.splitlines() if line.strip()), "")
    return code_label(first) is not None


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(int(d.lineno) for d in decorators)])


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments that stand alone on their line, at the left margin."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _above_rulers(lines: Sequence[str], row: int, inside: set[int]) -> int:
    """``# =====`` above a labelled comment belongs to it."""
    while row > 1 and row - 1 not in inside and re.fullmatch(r"#[\W_]*", lines[row - 2].strip()):
        row -= 1
    return row


# ---------------------------------------------------------------- sections


def _sections(parts: Sequence[tuple[str, str]]) -> list[int]:
    """A section for each question label; where hardly any is labelled, for each prose-then-code run."""
    labels = [opening_label(kind, text) for kind, text in parts]
    heads = [
        label if label and (label.strong or asks(_after_label(text, label))) else None
        for label, (_, text) in zip(labels, parts, strict=True)
    ]
    by_label = sum(h is not None for h in heads) >= 2
    section, current, found = 0, None, []
    for i, ((kind, text), head) in enumerate(zip(parts, heads, strict=True)):
        if by_label:
            if head and (head.number != current or not (head.answer or kind == "code")):
                section, current = section + 1, head.number
        elif kind == "markdown" and i and (parts[i - 1][0] == "code" or asks(text) or is_heading(text)):
            section += 1
        found.append(section)
    return found


def _after_label(text: str, label: Label) -> str:
    """A piece's first paragraph without its label."""
    lines = text.strip().split("\n")
    return "\n".join([label.rest, *_paragraph(lines, 1).splitlines()])
