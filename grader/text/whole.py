"""A whole answer against one reference answer: the features of a short answer that has no rubric points.

Used where a question has only a model answer, and measured on public short-answer sets, where that is
all there is (see docs/answers.md).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from grader.text import embed
from grader.text.thesaurus import alike
from grader.text.words import NEGATIONS, WORD, content

Array = npt.NDArray[np.float64]

NAMES = (
    "constant", "recall", "soft recall", "precision", "soft precision", "f1", "bigrams", "cosine",
    "cosine of new words", "characters", "token set", "log answer", "log reference", "length ratio", "asked",
    "negation", "numbers", "longest run",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text made ready once: content stems with weights and vectors, and the surface."""

    stems: tuple[str, ...]
    kinds: frozenset[str]
    order: tuple[str, ...]
    weight: npt.NDArray[np.float32]
    units: npt.NDArray[np.float32]
    vector: npt.NDArray[np.float32]
    pairs: frozenset[tuple[str, str]]
    grams: frozenset[str]
    plain: str
    length: int
    negations: int
    numbers: frozenset[str]


def _grams(plain: str) -> frozenset[str]:
    return frozenset(plain[i : i + 4] for i in range(max(len(plain) - 3, 0)))


@lru_cache(maxsize=4096)
def _weight(word: str) -> float:
    return float(np.clip(np.linalg.norm(embed.vector(word)) / 12.0, 0.35, 1.3))


def read(text: str) -> Text:
    """Make a short answer ready. Markup is taken to be gone."""
    surface = [w.lower() for w in WORD.findall(text)]
    kept = [(c, w) for w in surface if (c := content(w))]
    first: dict[str, str] = {}
    for c, w in kept:
        first.setdefault(c, w)
    order = tuple(first)
    vectors = (
        np.stack([embed.vector(first[c]) for c in order])
        if order
        else np.zeros((0, embed.dimensions()), dtype=np.float32)
    )
    plain = re.sub(r"\s+", " ", text.lower()).strip()
    weight = np.array([_weight(first[c]) for c in order], dtype=np.float32)
    return Text(
        stems=tuple(c for c, _ in kept),
        kinds=frozenset(order),
        order=order,
        weight=weight,
        units=embed.unit(vectors) if order else vectors,
        vector=vectors.sum(axis=0),
        pairs=frozenset(pairwise(c for c, _ in kept)),
        grams=_grams(plain),
        plain=plain,
        length=len(surface),
        negations=sum(w in NEGATIONS or w.endswith("n't") for w in surface),
        numbers=frozenset(c for c, _ in kept if c[:1].isdigit()),
    )


def _cos(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    n = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / n if n else 0.0


def _best(a: Text, b: Text) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """For every word of ``a`` its best match in ``b``: exact only, and soft."""
    exact = np.array([c in b.kinds for c in a.order], dtype=np.float32)
    if not a.order or not b.order:
        return exact, exact
    soft = np.clip((a.units @ b.units.T).max(axis=1), 0, 1)
    soft = np.where(soft < 0.3, 0.0, soft)
    same = np.array([bool(alike(c) & b.kinds) for c in a.order])
    return exact, np.maximum(np.maximum(exact, soft), np.where(same, 0.8, 0.0)).astype(np.float32)


def _mean(values: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]) -> float:
    total = float(weight.sum())
    return float(values @ weight) / total if total else 0.0


def _run(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Length of the longest common run of stems."""
    best = 0
    last: dict[int, int] = {}
    for x in a:
        here: dict[int, int] = {}
        for j, y in enumerate(b):
            if x == y:
                here[j] = last.get(j - 1, 0) + 1
                best = max(best, here[j])
        last = here
    return best


ASKED = 0.2
"""What a word of the prompt weighs against another."""


@dataclass(frozen=True)
class Match:
    """For each content word of the reference how much it weighs, and how well the answer has it."""

    weight: npt.NDArray[np.float32]
    exact: npt.NDArray[np.float32]
    soft: npt.NDArray[np.float32]


def _weights(text: Text, prompt: Text) -> npt.NDArray[np.float32]:
    return text.weight * np.array([ASKED if c in prompt.kinds else 1.0 for c in text.order], dtype=np.float32)


def match(answer: Text, reference: Text, prompt: Text) -> Match:
    return Match(_weights(reference, prompt), *_best(reference, answer))


def features(answer: Text, reference: Text, prompt: Text, matched: Match | None = None) -> Array:
    """In the order of `NAMES`; words of the prompt weigh little on both sides. ``matched``: if at hand."""
    asked = prompt.kinds
    found = matched or match(answer, reference, prompt)
    wr, exact, soft = found.weight, found.exact, found.soft
    wa = _weights(answer, prompt)
    back, back_soft = _best(answer, reference)
    recall, precision = _mean(soft, wr), _mean(back_soft, wa)
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    new_a = (answer.units * wa[:, None]).sum(axis=0) if answer.order else answer.vector
    new_r = (reference.units * wr[:, None]).sum(axis=0) if reference.order else reference.vector
    both = len(answer.grams | reference.grams)
    return np.array(
        [
            1.0,
            _mean(exact, wr),
            recall,
            _mean(back, wa),
            precision,
            f1,
            len(answer.pairs & reference.pairs) / max(len(reference.pairs), 1),
            _cos(answer.vector, reference.vector),
            _cos(new_a, new_r),
            len(answer.grams & reference.grams) / both if both else 0.0,
            fuzz.token_set_ratio(answer.plain, reference.plain) / 100,
            math.log1p(answer.length),
            math.log1p(reference.length),
            min(answer.length / max(reference.length, 1), 3.0),
            len(answer.kinds & asked) / max(len(answer.kinds), 1),
            float((answer.negations > 0) != (reference.negations > 0)),
            len(answer.numbers & reference.numbers) / max(len(reference.numbers), 1)
            if reference.numbers
            else 0.5,
            _run(answer.stems, reference.stems) / max(len(reference.stems), 1),
        ]
    )


@dataclass(frozen=True)
class Model:
    """A linear model over standardised features and their products."""

    mean: Array
    scale: Array
    mean2: Array
    scale2: Array
    weights: Array
    intercept: float

    def predict(self, x: Array) -> Array:
        """For rows of `features`."""
        z = expand((x[:, 1:] - self.mean) / self.scale)
        out: Array = (z - self.mean2) / self.scale2 @ self.weights + self.intercept
        return out


def expand(z: Array) -> Array:
    """Features, their squares and their products."""
    i, j = np.triu_indices(z.shape[1])
    return np.hstack([z, z[:, i] * z[:, j]])


@lru_cache(maxsize=1)
def shipped() -> Model:
    """The share of full marks, fitted by ``bench/fit_whole.py`` on Mohler et al. 2011."""
    m = json.loads(Path(__file__).with_name("whole.json").read_text("utf-8"))
    arrays = ("mean", "scale", "mean2", "scale2", "weights")
    return Model(**{a: np.array(m[a]) for a in arrays}, intercept=m["intercept"])


def mark(answer: str, reference: str, prompt: str = "") -> float:
    """A suggested share of full marks, 0 to 1, for a short answer given one model answer alone.

    Such a mark is a hint only: on unseen questions it agrees with teachers about as well as two of them
    agree with each other, r = 0.6.
    """
    if not answer.strip():
        return 0.0
    x = features(read(answer), read(reference), read(prompt))
    return float(np.clip(shipped().predict(x[None, :])[0], 0, 1))
