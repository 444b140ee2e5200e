"""From what a student typed (markdown, LaTeX, tables, HTML, pasted images) to plain lines.

Each `PlainLine` remembers the line it came from, so that a report can point at it. Tables keep
their meaning: a cell is read together with its row's and its column's heading.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "item", "heading", "row", "code", "blank"]


@dataclass(frozen=True)
class PlainLine:
    """``line`` counts from 1 within the source; ``indent`` is of a list item, in spaces, or a heading's level.

    ``mark`` is what a list item is marked with, or how the fence of a line of code is tagged.
    """

    text: str
    line: int
    kind: Kind
    indent: int = 0
    mark: str = ""


FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w+-]*)")
HEADING = re.compile(r"^\s{0,8}(#{1,6})(?!#)(.*)$")
ITEM = re.compile(
    r"^(\s*)(?:>\s*)*([-*•◦▪‣●–](?=\s)|\+(?=\s+\S)|\(?\d{1,2}[.)](?=\s)|\(?[a-zA-Z][.)](?=\s))\s+(.*)$"
)
BOLD_LEVEL, TABLE_LEVEL = 7, 8
"""Below the six levels of headings stand a line in bold, and the head of a table."""
TABLE_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*\|?\s*$|^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$")
BOLD_LINE = re.compile(r"^\s*(?:\*\*|__)(.+?)(?:\*\*|__)\s*:?\s*$")
RULE = re.compile(r"^\s*([-*_=])(?:\s*\1){2,}\s*$")

BASE64 = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{16,}|[A-Za-z0-9+/]{200,}={0,2}")
QUOTES = str.maketrans("“”„‟‘’‚‛", "\"\"\"\"''''")
"""As they are typed in a code cell: ‘valid’ padding is 'valid' padding."""
DIGEST = "[0-9a-f]{12}"
"""What `picture_digest` gives, as a pattern."""
TOKEN = re.compile(rf"\[image {DIGEST}\]")
"""What reading a notebook leaves of a picture inside it."""
IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\([^)]{0,2000}\)")
LINK = re.compile(r"\[([^\[\]\n]{1,500})\]\([^)\s]{0,2000}(?:\s+\"[^\"]{0,500}\")?\)")
BETWEEN = (
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<script\b", re.I), re.compile(r"</script\s*>", re.I)),
    (re.compile(r"<style\b", re.I), re.compile(r"</style\s*>", re.I)),
)
"""What is not shown stands between these."""
STRUCK = re.compile(r"~~(?=\S)[^~\n]{1,2000}~~|<(del|s|strike)>[^<\n]{0,2000}</\1>", re.I)
"""What the student has crossed out."""
BREAK = re.compile(r"<(?:br|/p|/li|/tr|/div|/h\d)\b[^>\n]*>", re.I)
TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>")
EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|~~|`+)")
POWER = re.compile(r"(?<=[\w)])\*\*(?=\d)")
"""``k**2``, unless an earlier ``**`` is still open."""
RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
SINGLE = re.compile(r"(?<![\w*])[*_](?=\S)([^*_\n]*?)(?<=\S)[*_](?![\w*])")

LATEX_WORDS = {
    "times": "×",
    "cdot": "·",
    "approx": "≈",
    "sim": "~",
    "simeq": "≈",
    "leq": "≤",
    "le": "≤",
    "geq": "≥",
    "ge": "≥",
    "neq": "≠",
    "to": "→",
    "rightarrow": "→",
    "Rightarrow": "→",
    "implies": "→",
    "pm": "±",
    "ldots": "…",
    "dots": "…",
    "cdots": "…",
    "lfloor": " floor(",
    "rfloor": ")",
    "lceil": " ceil(",
    "rceil": ")",
    "partial": "∂",
    "nabla": "∇",
    "sum": "sum",
    "quad": " ",
    "qquad": " ",
    "left": "",
    "right": "",
    "big": "",
    "Big": "",
    "displaystyle": "",
    "limits": "",
    "begin": "",
    "end": "",
}
FRACTION = re.compile(r"\\[dt]?frac\s*\{((?:[^{}]|\{[^{}]*\})*)\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
STYLE = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|textbf|textit|operatorname|boxed|mathcal|bm)\s*\{([^{}]*)\}"
)
COMMAND = re.compile(r"\\([a-zA-Z]+)\*?")


def picture_digest(data: str) -> str:
    """By which a picture inside a text is known again."""
    return hashlib.sha256(data.encode()).hexdigest()[:12]


def latex(text: str) -> str:
    """LaTeX commands as plain signs: ``\\frac{a}{b}`` becomes ``(a)/(b)``, ``\\times`` ``×``."""
    if "\\" not in text and "$" not in text:
        return text
    for _ in range(4):
        flat = FRACTION.sub(r"(\1)/(\2)", STYLE.sub(r"\1", text))
        if flat == text:
            break
        text = flat
    text = text.replace("{,}", ",").replace("\\,", " ").replace("\\;", " ").replace("\\!", "")
    text = text.replace("\\%", "%").replace("\\_", "_").replace("\\\\", " ").replace("\\ ", " ")
    text = COMMAND.sub(lambda m: LATEX_WORDS.get(m.group(1), f" {m.group(1)} "), text)
    text = re.sub(r"([\^_])\{([^{}]*)\}", r"\1\2", text)
    return re.sub(r"\\[()\[\]{}|]|\$+|[{}]", " ", text)


def _whole(source: str) -> str:
    """What spans lines: removed, with its line ends kept so that later lines keep their numbers."""

    if not source.isascii():
        source = source.translate(QUOTES)
    source = TOKEN.sub("[image]", BASE64.sub(lambda m: _lines(m[0]), source))
    for opening, closing in BETWEEN:
        source = _without(source, opening, closing)
    return source


def _lines(removed: str) -> str:
    return " " + "\n" * removed.count("\n")


def _without(source: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Less what stands between two marks; in one pass, however often it opens and never closes."""
    out, at = [], 0
    while (m := opening.search(source, at)) and (end := closing.search(source, m.end())):
        out += [source[at : m.start()], _lines(source[m.start() : end.end()])]
        at = end.end()
    return "".join([*out, source[at:]])


def _powers(text: str) -> str:
    """Every ``**`` that is a power made ``^``, up to the first that may close an emphasis."""
    out, at, marks = [], 0, 0
    for m in POWER.finditer(text):
        marks += text.count("**", at, m.start())
        if marks % 2:
            break
        out += [text[at : m.start()], "^"]
        at = m.end()
    return "".join([*out, text[at:]])


def inline(text: str) -> str:
    """One line without markup."""
    if not text.isascii():
        raised = RAISED.sub(lambda m: f"^{m[0]}", text)
        text = unicodedata.normalize("NFKC", raised.replace("½", "1/2"))
    text = STRUCK.sub(" ", _powers(text))
    text = IMAGE.sub(r" \1 ", text)
    text = LINK.sub(r"\1", text)
    text = BREAK.sub(". ", text)
    text = TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    text = latex(text)
    text = EMPHASIS.sub("", text)
    text = SINGLE.sub(r"\1", text)
    return re.sub(r"[ \t\u00a0]+", " ", text).strip()


def _cells(line: str) -> list[str]:
    return [inline(c) for c in line.strip().strip("|").split("|")]


def _row(header: list[str], cells: list[str]) -> str:
    """A table row in words: each cell with its column's heading, after the row's own name."""
    if not header or len(cells) < 2:
        return "; ".join(c for c in cells if c)
    pairs = zip(header[1:], cells[1:], strict=False)
    return "; ".join(f"{h} {cells[0]}: {c}" if h else f"{cells[0]}: {c}" for h, c in pairs if c)


LONGEST_FORMULA = 30
"""Lines of a displayed formula that are taken for one."""


def _opens(row: str) -> str:
    """What closes the displayed formula that a line leaves open; empty if it leaves none."""
    if row.count("$$") % 2 and "$" not in row.replace("$$", ""):
        return "$$"
    return "\\]" if row.lstrip(" \t>").startswith("\\[") and "\\]" not in row else ""


def _rows(source: str) -> list[tuple[int, str]]:
    """The lines with their numbers, a formula over several as one: of these one that begins with + is no item."""
    lines = source.split("\n")
    out: list[tuple[int, str]] = []
    at, fence = 0, ""
    while at < len(lines):
        row, first = lines[at], at
        if m := FENCE.match(row):
            if not fence or m.group(1).startswith(fence):
                fence = "" if fence else m.group(1)[:3]
        elif not fence and (closing := _opens(row)):
            for n in range(at + 1, min(at + LONGEST_FORMULA, len(lines))):
                here = lines[n]
                bare = here.replace("$$", "")
                if not here.strip() or FENCE.match(here) or HEADING.match(here) or "$" in bare:
                    break
                if here.count("$$") % 2 if closing == "$$" else closing in here:
                    row = " ".join((row, *(x.lstrip(" \t>") for x in lines[at + 1 : n + 1])))
                    at = n
                    break
        out.append((first + 1, row))
        at += 1
    return out


def clean(source: str) -> tuple[PlainLine, ...]:
    """The plain lines of a markdown text; fenced code is kept as ``code`` lines."""
    out: list[PlainLine] = []
    fence = tag = ""
    header: list[str] = []
    in_table = False
    rows = _rows(_whole(source.replace("\r\n", "\n").replace("\r", "\n")))
    for at, (number, raw) in enumerate(rows):
        if (m := FENCE.match(raw)) and (not fence or m.group(1).startswith(fence)):
            fence, tag = "" if fence else m.group(1)[:3], m.group(2)
            out.append(PlainLine("", number, "blank"))
            continue
        if fence:
            out.append(PlainLine(raw, number, "code", mark=tag))
            continue
        if not raw.strip() or (RULE.match(raw) and "|" not in raw):
            header, in_table = [], False
            out.append(PlainLine("", number, "blank"))
            continue
        following = rows[at + 1][1] if at + 1 < len(rows) else ""
        starts = "|" in raw and "|" in following and TABLE_RULE.match(following) is not None
        if starts or (in_table and "|" in raw) or ("|" in raw and TABLE_RULE.match(raw)):
            if TABLE_RULE.match(raw):
                in_table = True
                continue
            cells = _cells(raw)
            if starts:
                header = cells
                out.append(PlainLine(" ; ".join(c for c in cells if c), number, "heading", TABLE_LEVEL))
            else:
                out.append(PlainLine(_row(header, cells), number, "row"))
            in_table = True
            continue
        header, in_table = [], False
        if m := HEADING.match(raw):
            out.append(PlainLine(inline(m.group(2).strip().rstrip("#")), number, "heading", len(m.group(1))))
        elif (m := BOLD_LINE.match(raw)) and len(m.group(1)) < 90:
            out.append(PlainLine(inline(m.group(1)), number, "heading", BOLD_LEVEL))
        elif m := ITEM.match(raw):
            indent = len(m.group(1).expandtabs(4))
            out.append(PlainLine(inline(m.group(3)), number, "item", indent, m.group(2)))
        else:
            text = inline(raw.lstrip("> "))
            out.append(PlainLine(text.replace("|", " ; ") if text.count("|") >= 2 else text, number, "text"))
    return tuple(out)
