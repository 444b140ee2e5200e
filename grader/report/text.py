"""How text and numbers are shown: safely, briefly, and the same everywhere.

Text from a student may hold anything: terminal codes, control characters, marks that reverse the
direction of reading. None of it is dropped silently; what cannot be seen is made visible.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BIDI = "\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u061c\u200b\u200e\u200f\u2028\u2029\u2060-\u2064\ufeff\U000e0000-\U000e007f"
_ODD = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}{_INVISIBLE}\ud800-\udfff\ufffe\uffff]")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_DATA = re.compile(r"(data:[\w.+/-]{1,60};base64,[A-Za-z0-9+/]{16})([A-Za-z0-9+/=]{200,})")


def visible(text: str) -> str:
    """``text`` with every control, direction and invisible character shown as a sign of its own.

    Newlines and tabs stay; a control character becomes its picture (``␛``), others ``[U+202E]``.
    """
    return _ODD.sub(_sign, text.replace("\r\n", "\n"))


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF):
        return "\ufffd"
    return f"[U+{code:04X}]"


def without_data(text: str) -> str:
    """``text`` with pictures and files that are written into it as ``data:`` addresses cut short."""
    return _DATA.sub(lambda m: f"{m[1]}… ({len(m[2]):,} characters)", text)


class Block(str):
    """Text that has a limit of its own and may be long: a cell's source, its output, a picture."""


def console(text: str) -> str:
    """Output as a terminal would have left it: colour codes gone, overwritten progress bars too."""
    text = _TERMINAL.sub("", text.replace("\r\n", "\n"))
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def capped(text: str, characters: int, lines: int = 1_000_000) -> tuple[Block, str]:
    """The beginning of ``text`` within both limits, and what was left out, in words ("" if nothing)."""
    kept = text if len(text) <= characters else text[:characters]
    if kept.count("\n") >= lines:
        kept = "\n".join(kept.split("\n", lines)[:lines])
    left = len(text) - len(kept)
    if not left:
        return Block(kept), ""
    return Block(kept), f"{left:,} more characters left out of this page"


def short(text: str, characters: int) -> str:
    """``text`` cut to a length, with an ellipsis where something was cut."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def mark(value: float) -> str:
    """A mark without useless zeros: 17, 15.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "0")


def seconds(value: float) -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min 05 s."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def words(key: str) -> str:
    """The name of a figure in evidence, in words: ``output_shape`` becomes ``Output shape``."""
    said = key.replace("_", " ").strip()
    return said[:1].upper() + said[1:]


def sentence(text: str) -> str:
    """``text`` as a sentence: a capital first, unless it begins with a name from code; a full stop."""
    text = capital(text.strip())
    return text if not text or text.endswith((".", "!", "?", "…", ":", "`")) else text + "."


def capital(text: str) -> str:
    """``text`` with a capital first letter, unless its first word is a name from code."""
    return text[:1].upper() + text[1:] if re.match(r"[a-z]+(?=[\s,:;]|\.\s|\.?$)", text) else text


def question(id: str) -> str:
    """A question's id as people write it: ``q6`` is Q6; other ids stay as they are."""
    return id.upper() if re.fullmatch(r"q\d+[a-z]?", id) else id


def named_figure(key: str, value: Any) -> str:
    """One figure of evidence, by its name: shapes as ``batch × 10``, intervals as ``0.91 to 0.95``."""
    if isinstance(value, list | tuple) and all(v is None or isinstance(v, int | float) for v in value):
        if key.endswith("shape") and value:
            first = ["batch"] if value[0] is None else []
            return short(" × ".join(first + [figure(v, 40) for v in value[len(first) :]]), 200)
        if "interval" in key and len(value) == 2:
            return f"{figure(value[0])} to {figure(value[1])}"
    return figure(value)


def figure(value: Any, limit: int = 600) -> str:
    """One value of evidence, for people: 44,426; 0.9731; yes; 1 × 28 × 28 is left as ``1, 28, 28``."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, str):
        return short(value, limit)
    if isinstance(value, list | tuple):
        if not value:
            return "none"
        if all(v is None or isinstance(v, bool | int | float | str) for v in value):
            return short(
                ", ".join(figure(v, 120) for v in value[:60]) + (", …" if len(value) > 60 else ""), limit
            )
        return short(
            "; ".join(figure(v, 120) for v in value[:20]) + ("; …" if len(value) > 20 else ""), limit
        )
    if isinstance(value, Mapping):
        pairs = [f"{k}: {figure(v, 120)}" for k, v in list(value.items())[:20]]
        return short(", ".join(pairs) if pairs else "none", limit)
    return short(json.dumps(value, default=str), limit)
