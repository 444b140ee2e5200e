"""Answers of a class to one question, read together against one reference answer.

Teachers do the same: what many of a class say, which of the reference's words tell good answers from poor
ones, and how an answer stands among the others say more than an answer alone. No mark of the question is
used, only the answers. Measured on SciEntsBank (docs/answers.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from grader.text import likelihood, whole
from grader.text.whole import ASKED, Array, Text

_SINGLE = whole.NAMES[1:]
_VARYING = [i for i, n in enumerate(_SINGLE) if n != "log reference"]
"""Columns of `whole.features` that differ between answers to one question."""
_F1, _COSINE = _SINGLE.index("f1"), _SINGLE.index("cosine")
_RANKED = [_SINGLE.index(n) for n in ("token set", "precision", "log answer", "cosine of new words")]
_PROPAGATED = (
    "near by words", "nearest by words", "near by meaning", "nearest by meaning", "smoothed", "smoothed more",
    "class mean", "class spread", "rank",
)  # fmt: skip
_ITEMS = ("dividing", "rare", "common", "idf", "telling", "telling and rare")
_WORDS = (*(f"soft {n}" for n in _ITEMS), *(f"exact {n}" for n in _ITEMS), "component")
NAMES = (
    *_SINGLE,
    *(f"{_SINGLE[i]} - class" for i in _VARYING),
    *(f"{_SINGLE[i]} / class" for i in _VARYING),
    "alike by words", "most alike by words", "alike by meaning", "most alike by meaning",
    *(f"f1, {n}" for n in _PROPAGATED),
    *(f"cosine, {n}" for n in _PROPAGATED),
    *(f"{_SINGLE[i]}, rank" for i in _RANKED),
    *_WORDS,
    "covered by the class",
    *(f"{n} - class" for n in _WORDS),
)  # fmt: skip

LIKELIHOOD = ("likelihood", "likelihood - class", "likelihood / class")
"""Three columns more where a language model is named (`grader.text.likelihood`)."""
LEAST_SPREAD = 0.1
"""Added to the class's spread of a feature: where all answers are alike, small differences say little."""
LEAST_LIKELIHOOD = 0.05
"""The same for a likelihood, in nats a token."""
LIMIT = 6.0
"""Standardised features are cut here: a model fitted on some questions is not to be carried far."""


@dataclass(frozen=True)
class Model:
    """Logistic over standardised features: the probability that an answer is correct."""

    mean: Array
    scale: Array
    weights: Array
    intercept: float

    def predict(self, x: Array) -> Array:
        """For rows of `features`."""
        z = np.clip((x - self.mean) / self.scale, -LIMIT, LIMIT)
        out: Array = 1 / (1 + np.exp(-np.clip(z @ self.weights + self.intercept, -30, 30)))
        return out


def _rank(v: Array) -> Array:
    """Place in the class, 0 to 1; equal values share the middle of their places."""
    ordered = np.sort(v)
    below, upto = np.searchsorted(ordered, v, "left"), np.searchsorted(ordered, v, "right")
    return np.asarray((below + upto) / (2 * len(v)), dtype=np.float64)


def _directions(m: Array) -> Array:
    return np.asarray(m / (np.linalg.norm(m, axis=1, keepdims=True) + 1e-9), dtype=np.float64)


def _likeness(texts: Sequence[Text], asked: frozenset[str]) -> tuple[Array, Array]:
    """How alike each two answers are: by words that are rare in the class, and by meaning; 0 to 1."""
    column: dict[str, int] = {}
    for t in texts:
        for c in t.order:
            column.setdefault(c, len(column))
    n = len(texts)
    has, weight = np.zeros((n, len(column))), np.zeros(len(column))
    meaning = np.zeros((n, texts[0].vector.shape[0]))
    for k, t in enumerate(texts):
        w = t.weight * np.array([ASKED if c in asked else 1.0 for c in t.order])
        at = [column[c] for c in t.order]
        has[k, at] = 1.0
        weight[at] = w
        if t.order:
            meaning[k] = w @ t.units
    rare = np.clip(np.log((n + 1) / (has.sum(axis=0) + 0.5)), 0.1, None)
    words = _directions(has * weight * rare)
    sense = _directions(meaning - meaning.mean(axis=0) / 2)
    return words @ words.T, np.clip(sense @ sense.T, 0, None)


def _others(k: Array) -> Array:
    out = k.copy()
    np.fill_diagonal(out, 0)
    return out


def _propagated(score: Array, words: Array, sense: Array) -> list[Array]:
    """What answers like this one score, in the order of `_PROPAGATED`."""
    n, mean = len(score), score.mean()
    out = []
    for k in (_others(words), _others(sense)):
        for near, prior in ((k, 0.5), (k**3, 0.2)):
            out.append((near @ score + prior * mean) / (near.sum(axis=1) + prior))
    both = (words + sense) / 2
    for noise in (0.5, 2.0):
        out.append(mean + both @ np.linalg.solve(both + noise * np.eye(n), score - mean))
    return [*out, np.full(n, mean), np.full(n, score.std()), _rank(score)]


def _told(have: Array, weight: Array) -> list[Array]:
    """Recall of the reference's words, weighted by what the class makes of each (order of `_ITEMS`).

    ``have``: how well each answer has each word. A word is *telling* where answers that have it also
    have more of the other words: an item's discrimination, as testers call it.
    """
    share = have.mean(axis=0)
    rest = (have @ weight)[:, None] - have * weight
    covariance = ((have - share) * (rest - rest.mean(axis=0))).mean(axis=0)
    telling = weight * np.clip(covariance / (have.std(axis=0) * rest.std(axis=0) + 0.05), 0, None)
    rare = 1 - share
    idf = -np.log(np.clip(share, 0.03, 0.97))
    weights = (
        4 * weight * share * rare,
        weight * rare,
        weight * share,
        weight * idf,
        telling,
        telling * rare,
    )
    return [have @ w / (w.sum() + 0.05) for w in weights]


def _component(soft: Array, weight: Array) -> Array:
    """The direction in which the class's answers differ most in the reference's words, towards more of them."""
    centred = (soft - soft.mean(axis=0)) * weight
    along = np.asarray(centred @ np.linalg.svd(centred, full_matrices=False)[2][0], dtype=np.float64)
    total = soft @ weight
    return along if along @ (total - total.mean()) >= 0 else -along


def features(answers: Sequence[Text], reference: Text, prompt: Text) -> Array:
    """A row for each answer, in the order of `NAMES`."""
    n = len(answers)
    matched = [whole.match(a, reference, prompt) for a in answers]
    x = np.array([whole.features(a, reference, prompt, m)[1:] for a, m in zip(answers, matched, strict=True)])
    centred = x[:, _VARYING] - x[:, _VARYING].mean(axis=0)
    spread = centred / (x[:, _VARYING].std(axis=0) + LEAST_SPREAD)
    words, sense = _likeness(answers, prompt.kinds)
    among = [w for k in (words, sense) for w in (_others(k).mean(axis=1), _others(k).max(axis=1))]
    among += _propagated(x[:, _F1], words, sense) + _propagated(x[:, _COSINE], words, sense)
    among += [_rank(x[:, i]) for i in _RANKED]
    if reference.order:
        exact = np.array([m.exact for m in matched], dtype=np.float64)
        soft = np.array([m.soft for m in matched], dtype=np.float64)
        weight = np.asarray(matched[0].weight, dtype=np.float64)
        told = np.array([*_told(soft, weight), *_told(exact, weight), _component(soft, weight)]).T
        covered = float(soft.max(axis=0) @ weight / weight.sum())
    else:
        told, covered = np.zeros((n, len(_WORDS))), 0.0
    return np.hstack(
        [x, centred, spread, np.array(among).T, told, np.full((n, 1), covered), told - told.mean(axis=0)]
    )


def likelihoods(values: Array) -> Array:
    """`LIKELIHOOD` for the answers of a class, from the reference's likelihood after each (nats a token)."""
    centred = values - values.mean()
    return np.array([values, centred, centred / (values.std() + LEAST_LIKELIHOOD)]).T


@lru_cache(maxsize=2)
def shipped(name: str = "together.json") -> Model:
    """Fitted by ``bench/fit_whole.py`` on SciEntsBank (SemEval-2013 task 7) and Mohler et al. 2011;
    ``together-likelihood.json`` with `LIKELIHOOD` besides, on SciEntsBank alone."""
    m = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return Model(np.array(m["mean"]), np.array(m["scale"]), np.array(m["weights"]), m["intercept"])


def correct(answers: Sequence[str], reference: str, prompt: str = "") -> list[float]:
    """For each answer of a class the probability that it is correct, given one reference answer.

    A hint only: of unseen questions' answers about a quarter is judged wrongly. Blank answers are 0 and
    take no part. It was fitted on about 36 answers a question; below ten they say little about one another.
    """
    said = [i for i, a in enumerate(answers) if a.strip()]
    out = [0.0] * len(answers)
    if said:
        x = features([whole.read(answers[i]) for i in said], whole.read(reference), whole.read(prompt))
        model = shipped()
        if likelihood.chosen():
            more = likelihood.reference_after([answers[i] for i in said], reference, prompt)
            x, model = np.hstack([x, likelihoods(more)]), shipped("together-likelihood.json")
        for i, p in zip(said, model.predict(x), strict=True):
            out[i] = float(p)
    return out
