"""Reading the Python of a cell: IPython's own lines set aside, prose told from code."""

from __future__ import annotations

import ast
import re
import warnings

MOST_MAGICS = 100
"""Lines for IPython that are looked for one by one; beyond that all that look like it are blanked."""

_MAGIC = re.compile(r"^(?P<indent>\s*)(?:[!%?]|[\w.]+\s*=\s*[!%]|[\w.\[\]*]+\?{1,2}\s*$)")


def parse(source: str) -> tuple[ast.Module | None, str]:
    """The syntax tree of a cell, with lines for IPython or the shell blanked, and that text.

    Line numbers stay as they are. The tree is None where the code has a mistake of its own. Only
    lines that Python objects to are blanked, so that ``% y`` in a broken-up expression survives.
    """
    lines = source.split("\n")
    for _ in range(MOST_MAGICS):
        text = "\n".join(lines) + "\n"
        try:
            return _tree(text), text
        except SyntaxError as error:
            row = (error.lineno or 1) - 1
            if not (0 <= row < len(lines) and _MAGIC.match(lines[row])):
                break
            _blank(lines, row)
        except (ValueError, RecursionError, MemoryError):
            return None, source
    for row, line in enumerate(lines):  # an error reported far from the magic that causes it
        if re.match(r"^\s*[!%]", line):
            _blank(lines, row)
    text = "\n".join(lines) + "\n"
    try:
        return _tree(text), text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, source


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a student's "\d" is no business of the terminal
        return ast.parse(text)


def _blank(lines: list[str], row: int) -> None:
    goes_on = lines[row].rstrip().endswith("\\")
    lines[row] = lines[row][: len(lines[row]) - len(lines[row].lstrip())] + "pass"
    while goes_on and row + 1 < len(lines):
        row += 1
        goes_on = lines[row].rstrip().endswith("\\")
        lines[row] = ""


# ---------------------------------------------------------------- prose in code cells

_SMALL = frozenset(
    re.findall(r"\w+", "the of and to a in is are it that for with as by this which on be from has have not")
)


def is_prose(source: str) -> bool:
    """Whether a piece of a code cell is an answer in words: comments or strings alone, or not code at all."""
    if source.lstrip().startswith(("%", "!")):
        return False
    tree, _ = parse(source)
    if tree is not None:
        if any(not _is_string(s) for s in tree.body):
            return False
        text = "\n".join(line.lstrip().lstrip("#") for line in source.split("\n"))
        # code that was commented out is not an answer
        kept = [
            line for line in text.splitlines() if len(line.split()) >= 4 and parse(line.strip())[0] is None
        ]
        text = "\n".join(kept) if not tree.body else text
    else:
        lines = [line for line in source.split("\n") if line.strip()]
        if 2 * sum(parse(line.strip())[0] is not None for line in lines) > len(lines):
            return False
        text = source
        if re.search(
            r"^\s*(?:import|from|def|class|for|while|with|return)\b.*|\w\(.*\)\s*$", text, re.MULTILINE
        ):
            return False
    words = re.findall(r"[a-z']+", text.lower())
    return len(words) >= 15 and sum(w in _SMALL for w in words) >= 0.15 * len(words)


def _is_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
