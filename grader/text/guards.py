"""What sends an answer to a person: never a zero, always a reason.

Each guard looks for one way in which a text may fool a matcher of words: by saying the question back,
listing key words, shuffling or copying a model answer, addressing the marker, or being unlike
anything that the model was fitted on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.text import order
from grader.text.clean import DIGEST
from grader.text.sentences import Sentence
from grader.text.words import WORD, negated, stems


@dataclass(frozen=True)
class Guard:
    """``kind`` names the guard; ``reason`` is for the report, ``private`` for the marker alone."""

    kind: str
    reason: str
    private: str = ""


INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompt|rubric|guidelines?|criteria)\b"
    r"|\b(?:give|award|assign|grant|deserves?)\b.{0,30}\b(?:full|maximum|max|all|top|perfect|\d+)\b"
    r".{0,12}\b(?:marks?|points?|scores?|credits?|grades?)\b"
    r"|(?:^|\n|<!--)\W*(?:dear|hello|hi|attention|note to|message to|to)\b.{0,12}"
    r"\b(?:grader|marker|examiner|evaluator|teacher|professor|sir|ai|llm|language model)\b"
    r"|\byou are (?:an?|the) (?:ai|assistant|grader|marker|examiner|language model|helpful)\b"
    r"|\b(?:system|developer) (?:prompt|message|instructions?)\b|<\|?(?:system|im_start|endoftext)"
    r"|\bthis (?:answer|response|student|submission) (?:is|should be|must be|has been) "
    r"(?:marked|graded|scored|considered|correct|perfect|verified)"
    r"|\b(?:mark|grade|score|rate) (?:this|me|it|my answer)(?: answer)? (?:as |with )?"
    r"(?:correct|full|100|10/10|20/20)",
    re.I,
)
PICTURE = re.compile(
    rf"!\[[^\]]*\]\(|<img\b|\[image(?: {DIGEST})?\]|\(picture {DIGEST}\)|data:image/|attachment:", re.I
)
FUNCTION = order.KEPT
FOREIGN_WORDS = """
el la los las una uno del que para con por como más pero der die das und ist nicht ein eine mit für auf
von sind le les des est une dans pour avec sur qui pas sont il elle nous het een van niet zijn è di che
per sono não uma os são ve bir bu için olarak yang dan untuk dengan ini hai ka ki ke mein aur se
"""
FOREIGN = frozenset(FOREIGN_WORDS.split())
LIST_SHARE = 0.08
"""Share of function words below which a text is a list; `LISTED`: share of pieces of one or two words."""
LISTED = 0.7
DENIED = re.compile(
    r"\b(?:it|that|this)(?: is|'s|’s) (?:not|un|never) ?(?:true|correct|right)\b|\bnot the case that\b"
    r"|\b(?:is|are) (?:a lie|false|untrue)\b"
    r"|\b(?:misconception|myth|fallacy|misbelief)\b|\b(?:wrongly|falsely|mistakenly) (?:claim|believe|sa[iy]|think|assume|state)"
    r"|\b(?:claim|statement|idea|belief|assumption|notion|view)s? that\b.{0,200}\b(?:is|are|was|were) (?:wrong|incorrect|mistaken)\b"
    r"|\bit (?:is|would be) (?:wrong|incorrect|a mistake) (?:that|to (?:say|think|believe|claim|assume))\b",
    re.I,
)
DENIALS = 0.5
"""Share of sentences with a negation from which a text denies more than it says."""
COPIED = 0.6


def prose(sentences: Sequence[Sentence]) -> str:
    return "\n".join(s.text for s in sentences if not s.code)


LONG = 8
"""So many words are a sentence, though they stand in a heading or a comment."""


def _running(sentences: Sequence[Sentence]) -> list[str]:
    """What is written as sentences: rows of tables apart, and headings and code but for long ones and comments."""
    texts = [(s.spoken if s.code else s.text, s.code or s.heading) for s in sentences if not s.row]
    return [t for t, short in texts if not short or len(WORD.findall(t)) >= LONG]


def asked_back(sentences: Sequence[Sentence], prompt: str) -> Guard | None:
    """The question copied back: hardly a content word that the question does not have."""
    own = {c for s in sentences for c in stems(s.text)}
    asked = set(stems(prompt))
    new = own - asked
    if own and len(own & asked) >= 3 and (len(new) <= 3 or len(new) < 0.25 * len(own)):
        return Guard("question", "the answer hardly says more than the question itself")
    return None


ITEM_WORDS = 12
"""What is no longer than this is an entry of a list where a question asks for one."""


def keyword_list(sentences: Sequence[Sentence], listed: bool = False) -> Guard | None:
    """Terms without sentences: next to no function words. ``listed``: the question asks for a list."""
    sentences = [s for s in sentences if not (listed and len(WORD.findall(s.text)) <= ITEM_WORDS)]
    running = _running(sentences)
    low = [w.lower() for text in running for w in WORD.findall(text) if w[0].isalpha()]
    if len(low) < 8:
        return None
    share = sum(w in FUNCTION for w in low) / len(low)
    pieces = [len(WORD.findall(p)) for p in re.split(r"[,;.:\n]", "\n".join(running))]
    pieces = [n for n in pieces if n]
    listed = len(pieces) >= 8 and sum(n <= 2 for n in pieces) >= LISTED * len(pieces)
    if share < LIST_SHARE or listed:
        return Guard("keywords", "the answer is a list of terms rather than sentences")
    return None


def shuffled(sentences: Sequence[Sentence]) -> Guard | None:
    """Words in an order in which nobody writes them."""
    text = " . ".join(s for s in _running(sentences) if order.words(s) >= LONG)
    if order.judged(text) and order.score(text) < order.THRESHOLD:
        return Guard("shuffled", "the words do not stand in an order in which sentences are written")
    return None


def denial(sentences: Sequence[Sentence], negations_asked: bool = False) -> Guard | None:
    """Statements named and denied, or a negation in most sentences where none is asked for."""
    if any(DENIED.search(s.text) for s in sentences):
        return Guard("denial", "the answer denies a statement")
    plain = [t for t in _running(sentences) if len(WORD.findall(t)) >= 5]
    if not negations_asked and len(plain) >= 4 and sum(map(negated, plain)) >= DENIALS * len(plain):
        return Guard("denial", "most sentences of the answer are negations")
    return None


def copied(sentences: Sequence[Sentence], reference: Sequence[Sentence]) -> Guard | None:
    """Long runs of the model answer, word by word."""

    def runs(rows: Sequence[Sentence], n: int = 6) -> set[tuple[str, ...]]:
        flat = [w.lower() for s in rows for w in WORD.findall(s.text)]
        return {tuple(flat[i : i + n]) for i in range(len(flat) - n + 1)}

    mine, theirs = runs(sentences), runs(reference)
    if len(mine) >= 8 and theirs and len(mine & theirs) / len(mine) >= COPIED:
        share = len(mine & theirs) / len(mine)
        return Guard(
            "copied",
            "the wording is checked by a person",
            f"{share:.0%} of its word runs are the reference's",
        )
    return None


def instructions(text: str) -> Guard | None:
    """Text addressed to whoever or whatever marks, comments and hidden HTML included."""
    if m := INSTRUCTION.search(text):
        return Guard("instructions", "a passage addresses the marker", f"reads: {m.group(0)[:120]!r}")
    return None


def other_language(sentences: Sequence[Sentence]) -> Guard | None:
    text = prose(sentences)
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 20 and count(sentences):
        return None
    if not letters:
        return None
    foreign = sum(ord(c) > 0x24F and not 0x370 <= ord(c) <= 0x3FF for c in letters) / len(letters)
    low = [w.lower() for w in re.findall(r"[^\W\d_]+", text)]
    strange = sum(w in FOREIGN for w in low)
    english = sum(w in FUNCTION for w in low)
    if foreign > 0.25 or (strange > english and strange >= 0.06 * len(low)):
        return Guard("language", "the answer seems to be written in another language than English")
    return None


def task(text: str) -> Guard:
    """What was taken for the question's own statement, and may be an answer."""
    what = "a passage that reads like the question may be part of the answer"
    return Guard("task", what, f"reads: {text[:160]!r}")


def odd_length(words: int, share: float, shortest: int, longest: int) -> Guard | None:
    """Far shorter or longer than any answer that the marks were learned from."""
    if words > longest:
        return Guard("length", f"the answer is longer than any seen before ({words} words)")
    if words < shortest and share > 0.25:
        return Guard("length", f"the answer is very short for what it seems to say ({words} words)")
    return None


def picture(text: str) -> Guard | None:
    if PICTURE.search(text):
        return Guard("picture", "part of the answer is a picture, which is not read")
    return None


def only_code(sentences: Sequence[Sentence]) -> Guard | None:
    written = sum(len(WORD.findall(s.text)) for s in sentences if not s.code)
    coded = sum(len(WORD.findall(s.text)) for s in sentences if s.code)
    if coded >= 20 and written < 20:
        return Guard("code", "the answer is code alone where words were asked for")
    return None


def count(sentences: Sequence[Sentence]) -> int:
    return sum(len(WORD.findall(s.text)) for s in sentences)
