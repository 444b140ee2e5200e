"""How far an answer says what a statement says.

A `Question` is compiled once from its statements; each answer is then read with a few matrix
products. For every content word of the statements and every sentence, the best match of the word in
the sentence is found: 1 for the same stem, less for a near spelling (rapidfuzz) or a near meaning
(word vectors). A statement's recall in a sentence is the mean of these, weighted by how much each
word means; the question's own words weigh little, as repeating the question is no answer.

Weighted stemmed recall with the question's words removed is what works best of the simple measures
on public short-answer sets; cosine of sentence vectors alone does worse (see docs/answers.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from grader.text import embed
from grader.text.sentences import Sentence
from grader.text.thesaurus import alike, opposed
from grader.text.words import WORD, content, stem, words

Array = npt.NDArray[np.float32]

ASKED = 0.35
"""Weight of a word that the question itself uses, against 1 for others."""
LEAST = 0.6
"""Least weight of a statement's words together."""
ALIKE = 0.85
"""Worth of a word of the same group of the thesaurus, against 1 for the word itself."""
NEARLY = 0.8
"""Share of the best sentence's recall from which another sentence says the same."""
NEAR_SPELLING = 84.0
NEAR_MEANING = 0.28
"""Cosine of word vectors below which two words are strangers."""
SAME_MEANING = 0.8
"""Cosine from which they are as good as words of one group of the thesaurus."""


@dataclass(frozen=True)
class Features:
    """Of one group of alternative statements against one answer; each the best over the alternatives."""

    sentence: float
    window: float
    whole: float
    exact: float
    cosine: float
    bigrams: float
    size: float
    """Content words of the statement that is met best, those of the question not counted."""
    at: int | None
    phrasing: int
    second: int | None
    """The sentence that meets it second best, where that is nearly as good."""


NOTHING = Features(0, 0, 0, 0, 0, 0, 1, None, 0, None)


class Prepared:
    """An answer made ready once for all statements of its question."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences = tuple(sentences)
        self.tokens: list[str] = []
        self.surface: list[str] = []
        self.starts: list[int] = []
        self.owner: list[int] = []
        for n, s in enumerate(self.sentences):
            if kept := _kept(s.spoken if s.code else s.text):
                self.starts.append(len(self.tokens))
                self.owner.append(n)
                self.tokens.extend(c for c, _ in kept)
                self.surface.extend(w for _, w in kept)
        self.under = [_kept(s.under) for s in self.sentences]


def _kept(text: str) -> list[tuple[str, str]]:
    """The content words of a text: the stem and the word as it stands, in small letters."""
    low = ("zero" if w == "0" else w.lower().replace("’", "'") for w in WORD.findall(text))  # "0 weights"
    return [(c, w) for w in low if (c := content(w))]


class Question:
    """Statements compiled against a prompt. ``groups`` are lists of alternative statements."""

    def __init__(self, groups: Sequence[Sequence[str]], prompt: str = "") -> None:
        self.groups = tuple(tuple(g) for g in groups)
        asked = {c for c in map(content, words(prompt)) if c}
        self.asked = asked
        index: dict[str, int] = {}
        surface: list[str] = []
        rows: list[dict[int, float]] = []
        self.statements = [s for g in self.groups for s in g]
        self.group_of = np.array([i for i, g in enumerate(self.groups) for _ in g], dtype=np.int64)
        self.pairs: list[frozenset[tuple[str, str]]] = []
        for s in self.statements:
            row: dict[int, float] = {}
            order: list[str] = []
            for w in words(s):
                c = content(w)
                if not c:
                    continue
                order.append(c)
                if c not in index:
                    index[c] = len(surface)
                    surface.append(w.lower())
                row[index[c]] = 1.0
            rows.append(row)
            self.pairs.append(frozenset(pairwise(order)))
        self.index, self.surface = index, surface
        n = max(len(surface), 1)
        self.vectors = (
            np.stack([embed.vector(w) for w in surface])
            if surface
            else np.zeros((1, embed.dimensions()), np.float32)
        )
        self.units = embed.unit(self.vectors)
        weight = np.array(
            [self._weight(c, w) for c, w in zip(index, surface, strict=True)] or [1.0], np.float32
        )
        self.weights = np.zeros((len(rows), n), np.float32)
        for i, row in enumerate(rows):
            for j in row:
                self.weights[i, j] = weight[j]
        # a statement of hardly more than the question's own words cannot be met in full
        total = np.maximum(self.weights.sum(axis=1, keepdims=True), LEAST)
        self.weights /= total
        self.sums = embed.unit((self.weights > 0).astype(np.float32) @ self.vectors)
        # a statement has a handful of the words: sums over these instead of products over all
        held = [np.flatnonzero(row) if row.any() else np.array([0]) for row in self.weights]
        self._words = np.concatenate(held) if held else np.zeros(0, np.int64)
        self._starts = np.cumsum([0, *(len(h) for h in held[:-1])])
        self._shares = np.concatenate(
            [row[h] for row, h in zip(self.weights, held, strict=True)] or [np.zeros(0)]
        )
        self.members = [np.flatnonzero(self.group_of == g) for g in range(len(self.groups))]
        own = np.array([c not in asked for c in index] or [True])
        self.sizes = [float(max(1, ((self.weights[i] > 0) & own).sum())) for i in range(len(rows))]
        self._columns: dict[tuple[str, str], Array] = {}
        self._exact: dict[str, int] = index

    def _weight(self, c: str, surface: str) -> float:
        if c in self.asked:
            return ASKED
        if c[:1].isdigit():
            return 1.0
        length = float(np.linalg.norm(embed.vector(surface)))
        return float(np.clip(length / 12.0, 0.35, 1.3)) if length else 1.0

    def column(self, token: str, surface: str) -> Array:
        """How well one word of an answer matches each word of the statements, 0 to 1."""
        # by both: words of one stem have vectors of their own, and what an answer earns must not depend on
        # which of them an earlier answer used
        key = token, surface
        cached = self._columns.get(key)
        if cached is not None:
            return cached
        if len(self._columns) > 50_000:
            self._columns.clear()
        col = np.zeros(len(self.weights[0]), np.float32)
        if token[:1].isdigit():
            at = self.index.get(token)
            if at is not None:
                col[at] = 1.0
        else:
            cos = self.units @ embed.unit(embed.vector(surface))
            near = 0.2 + (ALIKE - 0.2) * (cos - NEAR_MEANING) / (SAME_MEANING - NEAR_MEANING)
            col = np.where(cos > NEAR_MEANING, np.minimum(near, ALIKE), 0).astype(np.float32)
            same = alike(token)
            for other, j in self.index.items():
                if other in same:
                    col[j] = max(col[j], ALIKE)
                if other[:1].isdigit() or opposed(token, other):
                    col[j] = 0.0
                elif other == token:
                    col[j] = 1.0
                elif len(token) > 4 and len(other) > 4 and token[0] == other[0]:
                    ratio = fuzz.ratio(token, other)
                    if ratio >= NEAR_SPELLING:
                        col[j] = max(col[j], ratio / 100)
        self._columns[key] = col
        return col

    def _recall(self, table: Array) -> Array:
        """How far each row of words' matches meets each statement: rows x statements."""
        met: Array = np.add.reduceat(table[:, self._words] * self._shares, self._starts, axis=1)
        return met

    def read(self, answer: Prepared) -> list[Features]:
        """The features of every group against one answer, in the groups' order."""
        if not answer.tokens or not self.statements:
            return [NOTHING for _ in self.groups]
        table = np.stack([self.column(t, s) for t, s in zip(answer.tokens, answer.surface, strict=True)])
        per = np.maximum.reduceat(table, answer.starts, axis=0)  # sentences x words
        context = per.copy()
        for k, n in enumerate(answer.owner):
            for c, w in answer.under[n]:
                context[k] = np.maximum(context[k], 0.9 * self.column(c, w))
        whole = per.max(axis=0)
        recall = self._recall(per)  # sentences x statements
        with_context = self._recall(context)
        best = np.maximum(recall, np.minimum(with_context, recall * 2.0))
        two = context.copy()
        two[1:] = np.maximum(two[1:], per[:-1])
        three = two.copy()
        three[2:] = np.maximum(three[2:], per[:-2])
        window = np.maximum(self._recall(two) * 0.98, self._recall(three) * 0.95)
        total = self._recall(whole[None])[0]
        exact = self._recall((per >= 0.9).astype(np.float32))
        vectors = np.stack([embed.vector(w) for w in answer.surface])
        sums = embed.unit(np.add.reduceat(vectors, answer.starts, axis=0))
        cosine = sums @ self.sums.T
        seen = set(pairwise(answer.tokens))
        out: list[Features] = []
        score = best + 0.001 * cosine
        for g in range(len(self.groups)):
            mine = self.members[g]
            if not len(mine):
                out.append(NOTHING)
                continue
            block = score[:, mine]
            s, p = np.unravel_index(int(block.argmax()), block.shape)
            k = int(mine[p])
            row = best[:, mine].max(axis=1).copy()
            top = float(row[int(s)])
            row[int(s)] = -1.0
            other = int(row.argmax())
            second = answer.owner[other] if top > 0 and row[other] >= NEARLY * top else None
            size = self.sizes[k]
            out.append(
                Features(
                    sentence=float(best[:, mine].max()),
                    window=float(np.maximum(window, best)[:, mine].max()),
                    whole=float(total[mine].max()),
                    exact=float(exact[:, mine].max()),
                    cosine=float(cosine[:, mine].max()),
                    bigrams=max(
                        (
                            len(self.pairs[int(i)] & seen) / len(self.pairs[int(i)])
                            if self.pairs[int(i)]
                            else 0.0
                        )
                        for i in mine
                    )
                    if len(mine)
                    else 0.0,
                    size=size,
                    at=answer.owner[int(s)],
                    phrasing=int(p),
                    second=second,
                )
            )
        return out


def has_term(term: str, tokens: Iterable[str]) -> bool:
    """Whether all content words of a term (or any alternative) are among the tokens."""
    have = set(tokens)
    for one in term.split("|"):
        need = [stem(w) for w in words(one)]
        if need and all(n in have for n in need):
            return True
    return False
