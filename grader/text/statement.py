"""The question's own statement, where a student has kept it above the answer: it says nothing for them.

Notebooks repeat what was asked in the course's words, which need not be the rubric's. So a statement is
known by its form: a sentence that asks is no claim wherever it stands; and a text that opens with a task
("Question 10: You are working in a startup. … Justify your approach.") is a task up to the last sentence of
its first paragraph that asks or tells the student to do something.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.text.sentences import Sentence
from grader.text.words import stems

LABEL = re.compile(
    r"^\W*(?:(?:question|ques?|exercise|ex|task|problem|q)\W{0,3}\d{1,2}\b|\d{1,2}\s*[.):])\W*", re.I
)
ASKS = re.compile(r"\?[\s\"'”’)*_]*$")
TELLS = re.compile(
    r"^\W*(?:(?:please|briefly|also|then|and)\s+)?(?:describe|explain|discuss|compare|contrast|justify|define|"
    r"outline|highlight|illustrate|elaborate|summari[sz]e|state|mention|list|name|identify|include|provide|"
    r"show|report|analy[sz]e|evaluate|write|give)\b",
    re.I,
)
ASKED = re.compile(
    r"^\W*(?:(?:question|ques?|q)\W{0,3}\d{1,2}\W*)?(?:(?:please|briefly|also|then|and)\s+)?(?:describe|explain|discuss|"
    r"compare|contrast|justify|define|outline|highlight|illustrate|elaborate|summari[sz]e|mention)\b",
    re.I,
)
"""Of these what no answer begins with."""
YOUR = re.compile(r"\byour\b", re.I)
WONDERS = re.compile(r"^\W*(?:what|why|how|which|when|in what)\b", re.I)
WORKS = re.compile(
    r"^\W*(?:use|using|implement|train|build|create|load|design|develop|plot|fine-?tune|visuali[sz]e)\b", re.I
)
SCENE = re.compile(
    r"^\W*(?:you are\b|you have been\b|your (?:team|task|job|goal) (?:is|has)\b|imagine\b|suppose\b|consider\b|given\b)",
    re.I,
)
RESTATED, MOST = 0.8, 0.6
"""A sentence is the prompt over again that has so much of its words from the prompt, and so much of the
prompt's words: less is an answer in few words."""
SHARED = 0.4
"""The same for a sentence that tells somebody to do something, as an answer may, too."""
ENOUGH = 3
"""Least number of such words then: "Train on two GPUs" answers how to train when a GPU runs out of memory."""
WONDERED = 0.6
"""The same for one that begins like a question and has lost its mark; "When memory runs out, take smaller batches" is none."""
BETWEEN = 1
"""So many sentences of the task may stand between two that ask."""


def answered(sentences: Sequence[Sentence], prompt: str) -> tuple[Sentence, ...]:
    """The sentences that can be an answer: without those that ask, and the task that the text opens with."""
    start = _task(sentences, frozenset(stems(prompt)))
    return tuple(s for s in sentences[start:] if s.code or not ASKS.search(s.text))


def taken_out(sentences: Sequence[Sentence], left: Sequence[Sentence]) -> tuple[str, ...]:
    """What `answered` took out, labels alone apart, where it is not a question beyond doubt.

    It is one where it wonders and has its mark, or has a label or sets a scene and asks in a way in which no answer
    does; "Train on several GPUs" may be either.
    """
    kept = {id(s) for s in left}
    out = [s.text for s in sentences if id(s) not in kept and any(map(str.isalnum, LABEL.sub("", s.text)))]
    rest = [t for t in out if not (ASKS.search(t) and WONDERS.match(LABEL.sub("", t)))]
    opens = any(LABEL.match(t) or SCENE.match(t) for t in out[:2])
    opening = [s.text for s in sentences[: len(out) + 3]]  # it may go on after what was taken out
    asks = any(ASKED.match(t) or (TELLS.match(t) and YOUR.search(t)) for t in opening)
    return () if opens and (asks or len(rest) < len(out)) else tuple(rest)


def _task(sentences: Sequence[Sentence], asked: frozenset[str]) -> int:
    """How many sentences at the beginning are the task, none where the text opens otherwise."""
    at, labelled = 0, False
    while (
        at < len(sentences)
        and not sentences[at].code
        and not any(map(str.isalnum, LABEL.sub("", sentences[at].text)))
    ):
        at, labelled = at + 1, True  # "Question 10", alone in its heading or sentence
    if at == len(sentences) or sentences[at].code:
        return at
    block = sentences[at].block
    opening = [LABEL.sub("", sentences[at].text)]
    labelled = labelled or opening[0] != sentences[at].text
    for s in sentences[at + 1 :]:
        if s.block != block or s.code:
            break
        opening.append(s.text)
    end = since = 0
    for n, text in enumerate(opening, 1):
        if _asks(text, asked, heading=sentences[at].heading and n == 1):
            end, since = n, 0
        elif end or not (SCENE.match(opening[0]) or (labelled and n < LEAD)):
            since += 1
            if since > (BETWEEN if end else 0):
                break
    return at + end if end or (labelled and at) else 0


LEAD = 4
"""So many sentences of a labelled text may set the scene before the first one asks."""


def _asks(text: str, asked: frozenset[str], heading: bool) -> bool:
    if ASKS.search(text) or (heading and "?" in text):
        return True
    own = set(stems(text))
    shared = len(own & asked) / max(len(own), 1)
    if shared >= RESTATED and len(own & asked) >= MOST * len(asked):
        return True
    if TELLS.match(text):
        return shared >= SHARED or len(own & asked) >= 2
    if WONDERS.match(text):
        return shared >= WONDERED
    return bool(WORKS.match(text)) and shared >= SHARED and len(own & asked) >= ENOUGH
