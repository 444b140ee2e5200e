"""Figures that an answer states, beside their names; typed ones are told apart from computed ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from grader.checks.base import Case
from grader.checks.ran import nothing_ran
from grader.checks.source import code_of
from grader.record import Record

TRAIN = r"(?:train(?:ing)?|fit)"
VALIDATION = r"(?:val(?:id(?:ation)?)?|dev)"
TEST = r"(?:test(?:ing)?|evaluation|final|hold-?out|held-out)"
ACCURACY = r"(?:accuracy|acc|genauigkeit|précision)"

WHAT: dict[str, tuple[str, str]] = {
    "accuracy": ("accuracy", ""),
    "test accuracy": ("accuracy", "test"),
    "training accuracy": ("accuracy", "training"),
    "validation accuracy": ("accuracy", "validation"),
    "loss": ("loss", ""),
    "test loss": ("loss", "test"),
    "training loss": ("loss", "training"),
    "validation loss": ("loss", "validation"),
    "training time": ("time", ""),
    "parameters": ("parameters", ""),
}
"""What `reports` may ask for, as (quantity, of which data)."""

_NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+"
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?)|\.(\d+))?\b")
_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)\s*(?:h|hrs?|hours?)\b[\s,and]*)?"
    r"(?:(?P<m>\d+(?:\.\d+)?)\s*(?:m|min|mins|minutes?)\b[\s,and]*)?"
    r"(?:(?P<s>\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*(?:s|secs?|seconds?)\b)?",
    re.IGNORECASE,
)
_MILLI = re.compile(r"(\d+(?:\.\d+)?)\s*(?:ms|milliseconds?)\b", re.IGNORECASE)


class Stated(Record):
    """A figure as it was written. ``value``: an accuracy from 0 to 1, a time in seconds."""

    value: float
    digits: str
    """The number as written, to look for in the code."""
    line: str
    piece: int
    fresh: bool
    """Printed by the fresh run; else written in prose."""
    percent: bool = False
    vague: bool = False
    """It may be of other data than what is asked for."""
    saved: bool = False
    """It stands in an output that the author saved; not ``fresh`` then."""


def _of(line: str, at: int) -> str:
    """Which data an accuracy or loss at this place of a line is about, by the nearest word before it."""
    before = line[:at].lower()
    last, kind = -1, ""
    for name, pattern in (("training", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        for m in re.finditer(rf"(?<![a-z]){pattern}(?![a-z])", before):
            if m.start() > last:
                last, kind = m.start(), name
    return kind


_COUNT = re.compile(
    r"\b\d[\d,]*\s+((?:\w+\s+){0,2}?(?:images|samples|digits|examples|pictures)\b)", re.IGNORECASE
)
"""How many images something was measured on: no accuracy, though it stands between the two."""


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _accuracies(line: str) -> Iterator[tuple[float, str, str, bool]]:
    """(value 0 to 1, of, digits, percent) of each accuracy in a line."""
    line = _COUNT.sub(r"\1", line)
    near = rf"(?P<name>{ACCURACY})\b(?P<gap>[^0-9\n%]{{0,40}}?)(?P<n>{_NUMBER})\s*(?P<p>%|percent|\\%)?"
    for m in re.finditer(near, line.replace("_", " "), re.IGNORECASE):
        value = _number(m["n"])
        if value is None or re.search(r"\b(?:epoch|loss|layer|batch|step)", m["gap"], re.IGNORECASE):
            continue
        percent = bool(m["p"]) or value > 1
        value = value / 100 if percent else value
        if 0 <= value <= 1:
            yield value, _of(line.replace("_", " "), m.start("n")), m["n"], percent
    turned = rf"(?P<n>{_NUMBER})\s*(?P<p>%|percent)\s+(?:[\w-]+\s+){{0,3}}?{ACCURACY}\b(?!\s*[:=]|\s*\d)"
    for m in re.finditer(turned, line, re.IGNORECASE):
        value = _number(m["n"])
        if value is not None and 0 <= value <= 100:
            yield value / 100, _of(line, m.end()), m["n"], True


def _losses(line: str) -> Iterator[tuple[float, str, str, bool]]:
    near = rf"\bloss\b(?P<gap>[^0-9\n]{{0,30}}?)(?P<n>{_NUMBER})"
    for m in re.finditer(near, line.replace("_", " "), re.IGNORECASE):
        value = _number(m["n"])
        if value is not None and not re.search(ACCURACY, m["gap"], re.IGNORECASE):
            yield value, _of(line.replace("_", " "), m.start("n")), m["n"], False


_TIME_WORDS = re.compile(
    r"\b(?:time|took|takes|duration|elapsed|trained (?:in|for)|finished in|completed? in|minutes|seconds)\b",
    re.IGNORECASE,
)
_NOT_TRAINING = re.compile(
    r"\b(?:inference|test(?:ing)?|evaluation|prediction|eta|download\w*|load\w*)\b", re.IGNORECASE
)


def _times(line: str) -> Iterator[tuple[float, str, str, bool]]:
    text = line.replace("_", " ")
    if not _TIME_WORDS.search(text) or (
        _NOT_TRAINING.search(text) and not re.search(TRAIN, text, re.IGNORECASE)
    ):
        return
    of = "epoch" if re.search(r"\bepoch\b|/epoch|per epoch", text, re.IGNORECASE) else ""
    rest = text
    for m in _CLOCK.finditer(text):
        hours = m[3] is not None
        a, b = int(m[1]), int(m[2])
        value = a * 3600 + b * 60 + float(m[3]) if hours else a * 60 + b
        yield float(value), of, m[0], False
        rest = rest.replace(m[0], " ")
    for m in _MILLI.finditer(rest):
        yield float(m[1]) / 1000, of, m[1], False
        rest = rest.replace(m[0], " ")
    found = False
    for m in _DURATION.finditer(rest):
        if not m[0].strip():
            continue
        found = True
        value = sum(float(m[g] or 0) * f for g, f in (("h", 3600), ("m", 60), ("s", 1)))
        yield value, of, next(g for g in (m["h"], m["m"], m["s"]) if g), False
    if not found and rest == text:
        # ``Training time: 35.2``, without a unit, is taken as seconds; ``(s)`` before the number is one.
        m2 = re.search(rf"\btime\b[^0-9\n]{{0,30}}?(?P<n>{_NUMBER})(?![\w%])", text, re.IGNORECASE)
        if m2 and (value2 := _number(m2["n"])) is not None:
            minutes = re.search(r"\(?\bmin(?:utes|s)?\b\)?", text, re.IGNORECASE)
            yield value2 * (60 if minutes else 1), of, m2["n"], False


def _counts(line: str) -> Iterator[tuple[float, str, str, bool]]:
    for pattern in (
        rf"\bparam\w*\b[^0-9\n;,.]{{0,30}}?(?P<n>{_NUMBER})",
        rf"(?P<n>{_NUMBER})\s+(?:\w+\s+){{0,2}}param",
    ):
        for m in re.finditer(pattern, line, re.IGNORECASE):
            if (value := _number(m["n"])) is not None and value >= 1 and value == int(value):
                yield value, "", m["n"], False


_READERS = {"accuracy": _accuracies, "loss": _losses, "time": _times, "parameters": _counts}


_EPOCH = re.compile(r"\bepochs?\b\s*[\[:#=(]?\s*\d+", re.IGNORECASE)
_PROGRESS = re.compile(r"\s*(\d+)/(\d+)\s+(?:\S*[━=]|-|\d+s)")

FITS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "": (frozenset({"", "epoch", "training", "validation", "test"}), frozenset()),
    "test": (frozenset({"test", ""}), frozenset({"epoch"})),
    "validation": (frozenset({"validation", "test"}), frozenset({"", "epoch"})),
    "training": (frozenset({"training", "epoch"}), frozenset({""})),
}
"""For each kind of data: the names that mean it, and those that may. ``""`` is a bare "accuracy", ``epoch`` a
bare one within an epoch's log, which is the training's as a rule."""


def read(text: str, what: str) -> Iterator[tuple[float, str, bool, str, bool]]:
    """(value, digits, percent, line, vague) of each figure in ``text`` that ``what`` of `WHAT` asks for."""
    quantity, of = WHAT[what]
    sure, perhaps = FITS[of]
    epoch = False
    for line in re.split(r"[\n\r]+", text):
        # Keras prints "Epoch 3/10" on a line of its own; its figures stand in the progress line after it.
        here = bool(_EPOCH.search(line)) or "val_" in line
        bar = _PROGRESS.match(line)
        inside = here or (epoch and bar is not None)
        epoch = here if bar is None else epoch and bar[1] != bar[2]
        for value, named, digits, percent in _READERS[quantity](line):
            if quantity == "time":
                if named != "epoch":
                    yield value, digits, percent, line.strip()[:300], False
                continue
            name = "epoch" if inside and not named else named
            if name in sure or name in perhaps:
                yield value, digits, percent, line.strip()[:300], name in perhaps


_FENCE = re.compile(r"```.*?```", re.DOTALL)


def stated(case: Case, what: str) -> list[Stated]:
    """All figures of this kind that the answer states, those of the fresh run first."""
    texts = [] if nothing_ran(case) else [(r.piece, r.stdout, True) for r in case.runs]
    texts += [(p.index, re.sub(r"[*`$]", "", _FENCE.sub(" ", p.source)), False) for p in case.prose]
    return [
        Stated(value=value, digits=digits, line=line, piece=piece, fresh=fresh, percent=percent, vague=vague)
        for piece, text, fresh in texts
        for value, digits, percent, line, vague in read(text, what)
    ]


class Literals(Record):
    """Numbers that the answer's code holds: strings with numbers in them, and numbers."""

    strings: frozenset[str]
    numbers: frozenset[float]


def literals(case: Case) -> Literals:
    """All literals of the answer's live code."""
    nodes = [n.value for s in code_of(case) for n in ast.walk(s.node) if isinstance(n, ast.Constant)]
    return Literals(
        strings=frozenset(v for v in nodes if isinstance(v, str) and re.search(r"\d", v)),
        numbers=frozenset(float(v) for v in nodes if isinstance(v, (int, float)) and not isinstance(v, bool)),
    )


_NAMES = re.compile(rf"{ACCURACY}|loss|time|took|param", re.IGNORECASE)


def typed(figure: Stated, held: Literals) -> bool:
    """Whether the code holds this figure as a literal, so that it was typed and not computed.

    Round figures (fewer than three significant digits) only count in a string that names what they are:
    0.5, 10 and 100 are in every program.
    """
    fine = len(re.sub(r"[^\d]", "", figure.digits).strip("0")) >= 3
    for text in held.strings:
        if figure.digits in re.findall(_NUMBER, text) and (fine or _NAMES.search(text)):
            return True
    number = _number(figure.digits)
    if number is None or not fine:
        return False
    return any(
        abs(number - v) < 1e-9 * max(1, abs(v))
        or abs(number / 100 - v) < 1e-9
        or abs(number - 100 * v) < 5e-3
        for v in held.numbers
    )


def typed_values(values: Sequence[float], held: Literals) -> bool:
    """Whether a whole curve stands in the code: three points or more, all of them literals."""
    return (
        len(values) >= 3
        and len(set(values)) >= 3
        and all(
            any(min(abs(v - n), abs(100 * v - n)) <= 1e-6 * max(1.0, abs(n)) for n in held.numbers)
            for v in values
        )
    )


def stated_in_saved(case: Case, what: str) -> list[Stated]:
    """The last figure of this kind in each output that the author saved: the result, not the log before it."""
    found = []
    for p in case.code:
        every = list(read(p.saved_output, what)) if p.saved_output else []
        for value, digits, percent, line, vague in every[-1:]:
            found.append(
                Stated(
                    value=value, digits=digits, line=line, piece=p.index, fresh=False, percent=percent,
                    vague=vague, saved=True,
                )
            )  # fmt: skip
    return found


def best(figures: Iterable[Stated]) -> Stated | None:
    """The figure that a reader takes as the result: the last sure one printed, else the last written."""
    ranked = sorted(enumerate(figures), key=lambda p: (p[1].fresh, not p[1].vague, p[0]))
    return ranked[-1][1] if ranked else None
