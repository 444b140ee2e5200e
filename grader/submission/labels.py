"""Question labels as students write them: ``Question 6:``, ``Q6.``, ``**Q6**``, ``6.``, ``## 6)``, …

A label is found at the start of a line only. `Label.strong` tells ``Q6`` from a bare ``6.``, which may
as well number a point inside an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST_NUMBER = 40


@dataclass(frozen=True)
class Label:
    number: int
    strong: bool
    answer: bool = False
    """It says ``Answer 6``: the answer to a question that may have been labelled just before."""
    rest: str = ""
    """The line after the label."""

    def __str__(self) -> str:
        word = "Answer " if self.answer else "Question "
        return f"{word}{self.number}" if self.strong else f"{self.number}."


_DECORATION = r"(?:[\W_]{0,16}?<[a-zA-Z][^>\n]{0,80}>)*[\W_]{0,16}?"
_WORDS = {
    w: n
    for n, names in enumerate(
        (
            "one i",
            "two ii",
            "three iii",
            "four iv",
            "five v",
            "six vi",
            "seven vii",
            "eight viii",
            "nine ix",
            "ten x",
        ),
        start=1,
    )
    for w in names.split()
}
_STRONG = re.compile(
    rf"^{_DECORATION}(?P<word>questions?|quest|ques|que|qns?|qs|q|task|exercise|ex|problem|prob"
    r"|answer|ans|solution|sol)"
    r"(?:[\s.:_#*()\[\]–—-]{0,5}(?:no|num|number|nr)\b)?"
    r"(?P<gap>[\s.:_#*()\[\]–—-]{0,5})"
    rf"(?:(?P<digits>\d{{1,2}})|(?P<spelled>{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![a-z]))"
    r"(?P<sub>[a-h](?![a-z0-9])|\.\d{1,2}(?!\d))?"
    r"(?P<end>$|[\s.:)\]*_,;?!<>\"'”–—-])",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?P<lead>[\s>#*_(\[\\]{0,12}?)(?P<digits>\d{1,2})"
    r"(?P<end>\s?[.):\]\\*_–—-]+(?=[\s*_A-Za-z]|$)|(?=\s))"
)


def label_of(line: str) -> Label | None:
    """The label at the start of ``line``, if there is one."""
    strong = _STRONG.match(line)
    if strong:
        spelled = (strong["spelled"] or "").lower()
        # "Ex vivo" and "Q i" are words; a number in letters needs a space before it and a close after
        if not spelled or (strong["gap"].strip(" ") == "" and strong["gap"] and len(strong["word"]) > 3):
            number = int(strong["digits"]) if strong["digits"] else _WORDS[spelled]
            if 1 <= number <= LARGEST_NUMBER:
                answer = strong["word"].lower() in ("answer", "ans", "solution", "sol")
                return Label(number, True, answer, line[strong.end() :])
        return None
    bare = _BARE.match(line)
    if bare and 1 <= int(bare["digits"]) <= LARGEST_NUMBER:
        if len(bare["lead"]) - len(bare["lead"].lstrip(" ")) >= 4:
            return None  # a nested list, or indented code
        heading = "#" in bare["lead"]
        if bare["end"] or heading:
            return Label(int(bare["digits"]), False, False, line[bare.end() :])
    return None


_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s*\S|<h[1-6]\b)", re.IGNORECASE)
_ASKING = re.compile(
    r"^(?:what|why|how|when|which|who|where|can\s+you|could\s+you|do\s+you|does|is|are|if\s+your?|you\s+are|given"
    r"|explain|describe|discuss|compare|contrast|define|implement|build|create|write|train|use|using|develop|design"
    r"|consider|analy[sz]e|plot|visuali[sz]e|load|demonstrate|apply|fine-?tune|evaluate|justify|outline|illustrate"
    r"|perform|construct|name|list|state|suppose|imagine|tell|show|derive|calculate|compute|find|try|differentiate"
    r"|distinguish|elaborate|mention|classify)\b",
    re.IGNORECASE,
)


def is_heading(line: str) -> bool:
    return bool(_HEADING.match(line))


def asks(text: str) -> bool:
    """Whether a paragraph reads like a question or a task rather than like an answer's point."""
    words = re.sub(r"^[\W_]+", "", text)
    head = words[:600].split("\n\n", 1)[0]
    count = len(head.split())
    if count < 5:
        return count >= 3 and head.rstrip(" *_\n").endswith("?")
    return bool(_ASKING.match(words)) or "?" in head
