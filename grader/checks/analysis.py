"""``analysis``: what the text says of over- and underfitting, held against the learning curves."""

from __future__ import annotations

import re
from typing import Any, Literal

from rapidfuzz import fuzz

from grader.checks.base import Case, Check, Criterion, Quote, Verdict, earned, lost, review
from grader.checks.curves import NEITHER, OVER, UNDER, Reading, fresh_curves, reading, saved_curves
from grader.checks.ran import Fault, nothing_ran, obstacles
from grader.checks.stated import literals, typed_values
from grader.record import Record


class Analysis(Criterion):
    of: Literal["fit"] = "fit"

    def title(self) -> str:
        return self.says or "an analysis of over- or underfitting that agrees with the curves"


class Claim(Record):
    """A sentence about the model's fit. ``allows`` holds the readings under which it is true."""

    allows: frozenset[str]
    sentence: str
    piece: int


_OVER = r"over-?\s?fit\w*"
_UNDER = r"under-?\s?fit\w*"
_WELL = re.compile(
    r"\b(?:generali[sz]es? (?:well|reasonably|effectively|nicely)|good (?:fit|generali[sz]ation|balance)"
    r"|well[- ]fit\w*|balanced fit|neither over|fits? (?:the data )?well|just right)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:no|not|neither|nor|without|little|minimal|negligible|avoids?|avoiding|absence of|free (?:of|from)"
    r"|lack of|never|rather than|instead of|unlikely)\b|n't\b",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"\s*(?:is|was|are|has been)?\s*(?:not\b|n't|minimal|negligible|absent|low|avoided|under control|unlikely"
    r"|excluded|no (?:issue|problem|concern)|(?:can|could|may) be (?:ruled out|excluded))"
    r"|\s*(?:isn't|wasn't|does not|doesn't)",
    re.IGNORECASE,
)
_ASSERTED = re.compile(r"\bnot only\b|\bno doubt\b|\bnot just\b", re.IGNORECASE)
_TURN = re.compile(r",\s*(?:but|while|although|though|however|yet)\b|\bbut\b|\bhowever\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"\b(?:if|when|whenever|would|means?|occurs?|happens?|defined|refers? to|prevents?|preventing|reduces?"
    r"|to (?:prevent|reduce|avoid|combat|mitigate)|reducing|can be|could be|could (?:help|reduce)|helps?"
    r"|risk of|in case|mitigate[sd]?)\b",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:our|my|the|this) (?:model|network|curves?|gap|plots?|graph|training|validation|results?)"
    r"|\bwe (?:see|observe|can see|notice)|\b(?:shows?|indicates?|suggests?|observed?|slight\w*|mild\w*"
    r"|signs? of|clear\w*|is|was|are|were|starts? to|begins? to)\b",
    re.IGNORECASE,
)
"""Words of a statement about this model, as against a definition or advice."""


def _sentences(text: str) -> list[str]:
    plain = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    plain = re.sub(r"[*_`#>]+", " ", plain)
    parts = re.split(r"(?<=[.!?;])\s+|\n+", plain)
    return [" ".join(p.split()) for p in parts if p.strip()]


def _polarity(sentence: str, term: str) -> bool | None:
    """Whether the sentence asserts the term or denies it; None where it does not stand there.

    A negation reaches to the end of its clause.
    """
    said = None
    for clause in _TURN.split(sentence):
        for m in re.finditer(term, clause, re.IGNORECASE):
            # "not only overfits" and "no doubt overfitting" assert it.
            before = _ASSERTED.sub("", clause[max(0, m.start() - 60) : m.start()])
            said = not (_NOT.search(before) or _DENIED_AFTER.match(clause[m.end() :]))
    return said


def _allows(sentence: str) -> frozenset[str] | None:
    """The readings under which a sentence is true; None if it says nothing of this model's fit."""
    over, under = _polarity(sentence, _OVER), _polarity(sentence, _UNDER)
    if sentence.endswith("?") or (_DEFINITION.search(sentence) and not _HERE.search(sentence)):
        return None
    if over and under:
        return None  # "whether it overfits or underfits" names both and says neither
    if over:
        return frozenset({OVER})
    if under:
        return frozenset({UNDER})
    denied = {name for name, said in ((OVER, over), (UNDER, under)) if said is False}
    if denied:
        return frozenset({OVER, UNDER, NEITHER} - denied)
    return frozenset({NEITHER}) if _WELL.search(sentence) else None


def _comments(source: str) -> str:
    return "\n".join(m[1] for m in re.finditer(r"^\s*#+(.*)$", source, re.MULTILINE))


def claims(case: Case) -> list[Claim]:
    """Statements about the answer's own model: of its text, its comments, and what the fresh run printed.

    Definitions, advice and questions are passed over.
    """
    texts = [(p.index, p.source) for p in case.prose] + [(p.index, _comments(p.source)) for p in case.code]
    if not nothing_ran(case):
        texts += [(r.piece, r.stdout) for r in case.runs]
    found: list[Claim] = []
    for piece, text in texts:
        for sentence in _sentences(text):
            if not _copied(sentence, case) and (allows := _allows(sentence)):
                found.append(Claim(allows=allows, sentence=sentence[:400], piece=piece))
    return found


def _copied(sentence: str, case: Case) -> bool:
    """Whether a sentence only repeats the question."""
    return bool(case.prompt) and fuzz.token_set_ratio(sentence.lower(), case.prompt.lower()) >= 90


_TASK = re.compile(
    r"\W*(?:question|train|plot|analy[sz]e|discuss|explain|comment|q\s*\d)\b|overfitting or under", re.I
)
"""How a question begins when it is copied into the notebook in another wording than the rubric's."""
_SPEAKS = re.compile(rf"{_OVER}|{_UNDER}|\bgap\b|diverg\w+|plateau\w*|converg\w+", re.IGNORECASE)


def judge(c: Analysis, case: Case) -> Verdict:
    """Earned where one reading that the curves allow makes every statement true.

    Curves saved in the notebook only earn where the fresh run yields curves, too: alone they are a claim.
    """
    made = claims(case)
    if not made:
        if case.prose and (stop := nothing_ran(case)):
            return review(c, 0.0, f"No statement about over- or underfitting was found. {stop.words}")
        own = [t for p in case.prose for t in _sentences(p.source) if not _copied(t, case)]
        if any(_SPEAKS.search(t) and not _TASK.match(t) for t in own):
            words = "The text speaks of the curves; no clear statement about over- or underfitting was found."
            return review(c, 0.0, words)
        return lost(c, "There is no statement about over- or underfitting.")
    allowed = frozenset.intersection(*(m.allows for m in made))
    drawn = fresh_curves(case)
    fresh, saved = reading(drawn), reading(saved_curves(case))
    figures: dict[str, Any] = {"says": sorted(allowed)}
    for name, r in (("fresh", fresh), ("saved", saved)):
        if r is not None:
            figures[name] = {"gap": r.gap, "training": r.final, "trend": r.trend, "accuracy": r.accuracy}
    quotes = tuple(Quote(text=m.sentence, piece=m.piece, about="earned") for m in made[:4])
    more: dict[str, Any] = {"evidence": figures, "quotes": quotes}
    if not allowed:
        return review(
            c, c.marks / 2, "The statements about over- and underfitting contradict one another.", **more
        )
    words = f"The text says {' or '.join(sorted(allowed))}"
    if drawn.pair and any(typed_values(curve, literals(case)) for curve in drawn.pair[:2]):
        private = "The curves stand as literals in the code of the answer: typed, not computed."
        said = f"{words}; a person looks at how the curves were obtained."
        return review(c, c.marks / 2, said, private=private, **more)
    if fresh is None:
        stops = obstacles(case)
        worst = max((o.fault for o in stops), default=Fault.THEIRS)
        why = " ".join(o.words for o in stops if o.fault == worst)
        agrees = saved is not None and case.runs and worst is Fault.OURS and allowed & saved.possible
        words += "; the fresh run has no training and validation curve to hold it against."
        return review(c, c.marks if agrees else c.marks / 2, f"{words} {why}".strip(), **more)
    for name, r in (("of this run", fresh), ("saved in the notebook", saved)):
        if r is not None and allowed & r.possible:
            return earned(c, f"{words}, which agrees with the curves {name}: {_shown(r)}.", **more)
    shown = "; ".join(_shown(r) for r in (fresh, saved) if r is not None)
    return review(c, c.marks / 2, f"{words}, while the curves show {shown}.", **more)


def _shown(r: Reading) -> str:
    if r.accuracy:
        return f"training accuracy {r.final:.1%} at the end, {r.gap:+.1%} over validation"
    return f"training loss {r.final:.3g} at the end, validation {r.gap:+.0%} from it"


CHECK = Check(kind="analysis", criterion=Analysis, judge=judge)
