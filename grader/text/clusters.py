"""Answers to one question that say the same in much the same words, across submissions.

`alike` finds near-identical answers (a guard: a person looks at both, it is no accusation); `clusters`
groups answers that are alike enough for one mark, and `spread_mark` gives a person's mark on one to its
cluster, as a suggestion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from grader.text.clean import clean
from grader.text.words import WORD, content

NEAR_IDENTICAL = 0.8
"""Share of common word runs (Jaccard) from which two answers are near-identical."""
SAME_ANSWER = 0.72
"""Cosine of weighted stems from which two answers may share a mark."""
LEAST_WORDS = 15
"""Shorter answers are alike by nature."""


def plain(source: str) -> str:
    return " ".join(line.text for line in clean(source) if line.kind != "code")


def _runs(text: str, n: int = 4) -> frozenset[tuple[str, ...]]:
    low = [w.lower() for w in WORD.findall(text)]
    return frozenset(tuple(low[i : i + n]) for i in range(len(low) - n + 1))


@dataclass(frozen=True)
class Pair:
    """Two submissions, by name, whose answers to one question are near-identical."""

    first: str
    second: str
    share: float


def alike(answers: Mapping[str, str], prompt: str = "", least: float = NEAR_IDENTICAL) -> tuple[Pair, ...]:
    """Pairs of near-identical answers; ``answers`` maps a submission's name to its text.

    The ``prompt``'s own words, which many copy, do not count.
    """
    asked = _runs(plain(prompt))
    runs = {k: _runs(plain(v)) - asked for k, v in answers.items()}
    names = [k for k in runs if len(runs[k]) >= LEAST_WORDS]
    by_run: dict[tuple[str, ...], list[str]] = {}
    for k in names:
        for r in runs[k]:
            by_run.setdefault(r, []).append(k)
    common: dict[tuple[str, str], int] = {}
    for holders in by_run.values():
        for i, a in enumerate(holders):
            for b in holders[i + 1 :]:
                common[a, b] = common.get((a, b), 0) + 1
    found = []
    for (a, b), n in common.items():
        share = n / len(runs[a] | runs[b])
        if share >= least:
            found.append(Pair(a, b, share))
    return tuple(sorted(found, key=lambda p: (-p.share, p.first, p.second)))


def clusters(answers: Mapping[str, str], least: float = SAME_ANSWER) -> tuple[tuple[str, ...], ...]:
    """Groups of answers that say much the same, largest first; every answer is in exactly one.

    Complete linkage: any two of a group are alike, so a group does not drift. Stems and pairs of stems
    are weighted by how rare they are among these answers (tf-idf).
    """
    names = list(answers)
    if not names:
        return ()
    if len(names) == 1:
        return ((names[0],),)
    from scipy.cluster.hierarchy import fcluster, linkage  # late: it takes longer to import than this room

    similarity = _similarity([plain(answers[n]) for n in names])
    apart = np.clip(1 - similarity, 0, None)[np.triu_indices(len(names), 1)]
    labels = fcluster(linkage(apart, "complete"), 1 - least, "distance")
    by_label: dict[int, list[int]] = {}
    for i, label in enumerate(labels):
        by_label.setdefault(int(label), []).append(i)
    ordered = sorted(by_label.values(), key=lambda g: (-len(g), g[0]))
    return tuple(tuple(names[i] for i in g) for g in ordered)


def _similarity(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    rows: list[dict[str, float]] = []
    seen: dict[str, int] = {}
    for text in texts:
        stems = [c for w in WORD.findall(text) if (c := content(w))]
        terms: dict[str, float] = {}
        for t in [*stems, *(f"{a} {b}" for a, b in pairwise(stems))]:
            terms[t] = terms.get(t, 0.0) + 1.0
        for t in terms:
            seen[t] = seen.get(t, 0) + 1
        rows.append(terms)
    index = {t: i for i, t in enumerate(seen)}
    table = np.zeros((len(texts), max(len(index), 1)))
    for n, terms in enumerate(rows):
        for t, count in terms.items():
            table[n, index[t]] = (1 + np.log(count)) * (np.log((1 + len(texts)) / (1 + seen[t])) + 1)
    norm = np.linalg.norm(table, axis=1, keepdims=True)
    table /= np.where(norm == 0, 1, norm)
    out: npt.NDArray[np.float64] = table @ table.T
    return out


@dataclass(frozen=True)
class Spread:
    """A person's mark on one answer, carried to an alike one: a suggestion, with where it came from."""

    submission: str
    mark: float
    given_to: str


def spread_mark(groups: Sequence[Sequence[str]], submission: str, mark: float) -> tuple[Spread, ...]:
    """The mark for the others of the submission's cluster. Raises KeyError for an unknown submission."""
    for group in groups:
        if submission in group:
            return tuple(Spread(other, mark, submission) for other in group if other != submission)
    raise KeyError(submission)
