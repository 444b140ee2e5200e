"""Numbers as people write them: one reader for every check.

Reads 903,400; 903 400; 9,03,400; 903.400; "~14.13 MB"; "60M"; "138 million"; ranges; percentages;
fractions; "5.4×"; "14×14×6" and "(None, 14, 14, 6)" as shapes; LaTeX, bold and table cells (through
`grader.text.clean`). Numbers inside names (VGG-16, ResNet-50, ImageNet 2012) are left alone. Units
are pint's; a normaliser stands in front because pint reads "14×14×6" as 1176 and "1 000 000" as 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from grader.text.clean import inline

Kind = Literal["number", "range", "shape", "percent", "fraction", "multiple"]


@dataclass(frozen=True)
class Quantity:
    """One reading. ``value`` is in ``unit`` (a percentage as 0 to 100, a range's middle)."""

    value: float
    text: str
    start: int
    end: int
    kind: Kind = "number"
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    shape: tuple[int | None, ...] = ()
    about: bool = False
    other: float | None = None
    """The second possible reading of an ambiguous writing: 12.500 is 12.5, or 12,500."""


SCALES = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "mio": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "lakh": 1e5,
    "lakhs": 1e5,
    "crore": 1e7,
    "crores": 1e7,
    "hundred": 1e2,
}
UNITS = {
    "byte": "byte", "bytes": "byte", "B": "byte", "bit": "bit", "bits": "bit",
    "kB": "kilobyte", "KB": "kilobyte", "kb": "kilobyte", "Kb": "kilobyte",
    "kilobyte": "kilobyte", "kilobytes": "kilobyte",
    "MB": "megabyte", "mb": "megabyte", "Mb": "megabyte", "megabyte": "megabyte", "megabytes": "megabyte",
    "GB": "gigabyte", "gb": "gigabyte", "Gb": "gigabyte", "gigabyte": "gigabyte", "gigabytes": "gigabyte",
    "TB": "terabyte", "tb": "terabyte",
    "KiB": "kibibyte", "kib": "kibibyte", "kibibytes": "kibibyte",
    "MiB": "mebibyte", "mib": "mebibyte", "mebibyte": "mebibyte", "mebibytes": "mebibyte", "Mio": "mebibyte",
    "GiB": "gibibyte", "gib": "gibibyte", "gibibyte": "gibibyte", "gibibytes": "gibibyte",
    "s": "second", "sec": "second", "secs": "second", "second": "second", "seconds": "second",
    "ms": "millisecond", "milliseconds": "millisecond", "µs": "microsecond", "us": "microsecond",
    "min": "minute", "mins": "minute", "minute": "minute", "minutes": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour", "hour": "hour", "hours": "hour",
    "day": "day", "days": "day",
    "px": "pixel", "pixel": "pixel", "pixels": "pixel",
}  # fmt: skip
SPACE = "[ \u00a0\u2009\u202f]"
DIGITS = (
    r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?"  # 903,400  9,03,400  1,234.5
    r"|\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?"  # 1.234.567
    r"|\d{1,3}(?:['’_]\d{3})+(?:\.\d+)?"  # 903'400
    rf"|\d{{1,3}}(?:{SPACE}\d{{3}})+(?![\d])(?:\.\d+)?"  # 903 400
    r"|\d+_\d{3}(?:_\d{3})*"
    r"|\d+(?:[.,]\d+)?|\.\d+)"
)
POWER = r"(?:\s?(?:[eE][+-]?\d+(?![\w])|(?:[×x*·]|\\times)\s?10\s?(?:\^|\*\*)\s?\(?[+-]?\d+\)?))?"
VALUE = DIGITS + POWER
ABOUT = (
    r"(?P<about>(?:~|≈|≃|∼|\babout\b|\baround\b|\bapprox(?:\.|imately)?|\broughly\b|\bnearly\b|\balmost\b"
    r"|\bcirca\b|\bca\.)\s*(?:=\s*)?)"
)
TIMES = r"\s?(?:[×xX*✕]|\bby\b)\s?"
SHAPE_PLAIN = re.compile(rf"(?<![\w.,])(\d{{1,5}})((?:{TIMES}\d{{1,5}}){{1,4}})(?![\w]|[.,]\d)(?:\s?px)?")
SHAPE_TUPLE = re.compile(
    r"[(\[]\s*((?:None|batch\w*|N|B|\?|-1|\d{1,6})(?:\s*,\s*(?:None|\?|-1|\d{1,6})){1,5})\s*,?\s*[)\]]"
)
FRACTION = re.compile(r"(?<![\w./,])\(?(\d{1,4})\)?\s?/\s?\(?(\d{1,4})(?![\w/]|[.,]\d)\)?")
RANGE = re.compile(
    rf"(?<![\w.,]){ABOUT}?(?:between\s+|from\s+)?(?P<a>{VALUE})\s?(?P<ua>[a-zA-Zµ%]{{0,9}})\s?(?:-|–|—|\bto\b|\band\b|\.\.\.?)\s?"
    rf"(?P<b>{VALUE})\s?(?P<u>%|[a-zA-Zµ]+)?"
)
SINGLE = re.compile(rf"(?<![\w]){ABOUT}?(?P<sign>[-−](?=\d))?(?P<v>{VALUE})")
SUFFIX = re.compile(r"\s?(?P<s>%|percent\b|per cent\b|‰|[×xX](?![\w(])|[a-zA-Zµ]+)")
NAME = 40
"""So far back a name may begin."""
NAME_BEFORE = re.compile(
    r"(?:\b(?:VGG|Res[Nn]et|LeNet|AlexNet|Dense[Nn]et|CIFAR|ImageNet|ILSVRC|Inception|GoogLeNet|EfficientNet|MobileNet|"
    r"Xception|YOLO|GPT|BERT|float|int|uint|conv|Conv|pool|fc|FC|C|S|F|Q|q|layer|Layer|question|Question|top|Top|"
    r"Fig(?:ure)?|figure|Table|table|section|Section|step|Step|Chapter|chapter|Exercise|Part|part|block|Block|v|version|"
    r"COVID|Python|python|U|[A-Za-z]+Net)[\s\-_.#]?|[A-Za-z]\d*[-_])$"
)


def _plain(digits: str) -> tuple[float, float | None]:
    """A written number's value, and its other possible value where the writing is ambiguous."""
    m = re.match(DIGITS, digits)
    assert m is not None
    body, rest = m.group(0), digits[m.end() :].strip()
    other: float | None = None
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?", body):
        value = float(body.replace(".", "").replace(",", "."))
    elif re.fullmatch(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", body):
        value = float(body.replace(",", ""))
    elif re.fullmatch(r"\d+,\d+", body):  # a decimal comma
        value = float(body.replace(",", "."))
    elif re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", body):
        value = float(body)
        other = float(body.replace(".", ""))
    else:
        value = float(re.sub(rf"{SPACE}|['’_]", "", body))
    if rest:
        power = re.search(r"([+-]?\d+)\)?$", rest)
        assert power is not None
        exponent = max(min(int(power.group(1)[:5]), 300), -300)
        value, other = value * 10.0**exponent, None
    return value, other


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


@lru_cache(maxsize=256)
def factor(unit: str, to: str) -> float | None:
    """How many ``to`` one ``unit`` is, by pint; None where they do not convert."""
    import pint

    try:
        return float(_registry().Quantity(1.0, UNITS.get(unit, unit)).to(UNITS.get(to, to)).magnitude)
    except (pint.errors.DimensionalityError, pint.errors.UndefinedUnitError, AttributeError):
        return None


_UNITS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = {w: n for n, w in enumerate(_UNITS.split(), 1)} | {w: 10 * n for n, w in enumerate(_TENS.split(), 2)}
SPELLED = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS.split())})(?:[\s-](?P<unit>{'|'.join(_UNITS.split()[:9])}))?"
    rf"|(?P<small>{'|'.join(sorted(_UNITS.split(), key=len, reverse=True))}))\b",
    re.I,
)


def spelled_out(text: str) -> str:
    """A text with its number words, up to ninety-nine, as digits: "sixty million" is "60 million"."""

    def digits(m: re.Match[str]) -> str:
        words = [m.group(g) for g in ("tens", "unit", "small") if m.group(g)]
        return str(sum(WORDS[w.lower()] for w in words))

    return SPELLED.sub(digits, text)


def _suffix(text: str, at: int) -> tuple[float, str | None, Kind, int]:
    """Scale, unit, kind and end of what follows a number at ``at``."""
    scale, unit, kind, end = 1.0, None, "number", at
    m = SUFFIX.match(text, at)
    if m is None:
        return scale, unit, "number", end
    word = m.group("s")
    glued = m.start("s") == at
    if word in ("%", "percent", "per cent"):
        return scale, None, "percent", m.end()
    if word in ("×", "x", "X"):
        if glued or word == "×":
            return scale, None, "multiple", m.end()
        return scale, None, "number", end
    if word == "times":
        return scale, None, "multiple", m.end()
    if word in UNITS and not (word in ("B", "s", "h") and not glued and word != "B"):
        return scale, UNITS[word], "number", m.end()
    if word.lower() in SCALES and (len(word) > 1 or glued or word in ("M", "K", "B")):
        scale, end = SCALES[word.lower()], m.end()
        m2 = SUFFIX.match(text, end)
        if m2 and m2.group("s") in UNITS and len(m2.group("s")) > 1:
            return scale, UNITS[m2.group("s")], "number", m2.end()
        return scale, None, "number", end
    if word == "s" and not glued:
        return scale, "second", "number", m.end()
    return scale, unit, kind, end  # type: ignore[return-value]


def _dimension(word: str) -> int | None:
    return int(word) if word.isdigit() else None


@lru_cache(maxsize=4096)
def quantities(text: str, *, names: bool = False) -> tuple[Quantity, ...]:
    """All quantities of one line or sentence, left to right.

    With ``names`` numbers that belong to a name (VGG-16) are returned too.
    """
    if not any(c.isdigit() for c in text):
        return ()
    text = inline(text)
    taken = [False] * (len(text) + 1)
    found: list[Quantity] = []

    def free(a: int, b: int) -> bool:
        return not any(taken[a:b])

    def take(q: Quantity) -> None:
        found.append(q)
        for i in range(q.start, q.end):
            taken[i] = True

    for m in SHAPE_TUPLE.finditer(text):
        dims = tuple(_dimension(d.strip()) for d in m.group(1).split(","))
        thousands = len(dims) == 2 and re.fullmatch(r"[(\[]\s*\d{1,3},\d{3}\s*[)\]]", m.group(0))
        if not thousands:
            take(Quantity(float("nan"), m.group(0), m.start(), m.end(), "shape", shape=dims))
    for m in SHAPE_PLAIN.finditer(text):
        if free(m.start(), m.end()) and not re.search(r"\^", text[m.end() : m.end() + 2]):
            dims = tuple(int(d) for d in re.findall(r"\d+", m.group(0)))
            after = text[m.end() :].lstrip()
            before = text[: m.start()].rstrip()
            product = (
                after[:1] in ("=", "+", "≈")
                or before[-1:] in ("+",)
                or (before[-1:] == "(" and "+" in after[:6])
            )
            if product and after[:1] in ("=", "≈") and re.match(r"[=≈]\s?[\d~]", after):
                for d in re.finditer(r"\d+", m.group(0)):
                    take(Quantity(float(d.group(0)), d.group(0), m.start() + d.start(), m.start() + d.end()))
                continue
            take(Quantity(float("nan"), m.group(0), m.start(), m.end(), "shape", shape=dims))
    for m in RANGE.finditer(text):
        if not free(m.start(), m.end()) or (
            not names and NAME_BEFORE.search(text[max(m.start("a") - NAME, 0) : m.start("a")])
        ):
            continue
        low, _ = _plain(m.group("a"))
        high, _ = _plain(m.group("b"))
        word = text[m.end("a") : m.start("b")]
        if "and" in word and "between" not in m.group(0).lower():
            continue
        if high <= low or (m.group("ua") and _suffix(text, m.end("a"))[:3] == (1.0, None, "number")):
            continue
        sa, ua, _, _ = _suffix(text, m.end("a")) if m.group("ua") else (1.0, None, "number", 0)
        sb, ub, kb, end = _suffix(text, m.end("b"))
        sa = sa if sa != 1.0 else sb
        low, high = low * sa, high * sb
        if low >= high:
            continue
        take(
            Quantity(
                (low + high) / 2, text[m.start() : end], m.start(), end,
                "percent" if kb == "percent" else "range",
                ub or ua, low, high, about=bool(m.group("about")),
            )
        )  # fmt: skip
    for m in FRACTION.finditer(text):
        if free(m.start(), m.end()) and int(m.group(2)):
            value = int(m.group(1)) / int(m.group(2))
            take(Quantity(value, m.group(0), m.start(), m.end(), "fraction"))
    for m in SINGLE.finditer(text):
        if not free(m.start("v"), m.end("v")) or (
            m.start("v") and taken[m.start("v") - 1] and text[m.start("v") - 1].isdigit()
        ):
            continue
        before = text[: m.start("v")]
        value, other = _plain(m.group("v"))
        scale, unit, kind, end = _suffix(text, m.end("v"))
        apart = before[-1:].isspace() and (scale != 1.0 or kind == "percent")  # "VGG 138 million"
        if not names and NAME_BEFORE.search(before[-NAME:]) and not apart:
            continue
        if end == m.end("v") and text[end : end + 1].isalpha() and not names:
            continue  # 3D, 1st, a name
        if m.group("sign") and (not before[:-1].strip() or before[:-1].rstrip()[-1:] in "=(:,"):
            value = -value
        take(
            Quantity(
                value * scale, text[m.start() : end].strip(), m.start("v"), max(end, m.end("v")), kind, unit,
                about=bool(m.group("about")), other=other * scale if other is not None else None,
            )
        )  # fmt: skip
    return tuple(sorted((replace(q, text=q.text.strip()) for q in found), key=lambda q: q.start))


def agrees(q: Quantity, value: float, unit: str | None = None, tolerance: float = 0.01) -> bool:
    """Whether a reading is ``value`` (in ``unit``) within a relative tolerance."""

    def close(x: float) -> bool:
        return abs(x - value) <= tolerance * abs(value) + 1e-12

    if q.kind == "shape":
        return False
    if unit in ("%", "percent"):
        if q.kind == "percent":
            return close(q.value) or (q.low is not None and q.high is not None and q.low <= value <= q.high)
        return (
            q.kind in ("number", "fraction") and q.unit is None and 0 < q.value <= 1 and close(q.value * 100)
        )
    scale = 1.0
    if unit is not None:
        if q.unit is None:
            return False
        by = factor(q.unit, unit)
        if by is None:
            return False
        scale = by
    elif q.unit is not None:
        return False
    if q.low is not None and q.high is not None:
        narrow = q.high - q.low <= 0.25 * abs(value)
        return narrow and q.low * scale * (1 - tolerance) <= value <= q.high * scale * (1 + tolerance)
    return close(q.value * scale) or (q.other is not None and close(q.other * scale))
