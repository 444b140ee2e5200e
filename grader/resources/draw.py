"""Drawing subsets by class with a fixed seed.

The order is that of a hash of seed and index, not of a random generator: it is the same under every
version of every library, and a smaller draw is the beginning of a larger one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

SEED = 2024


def rank(index: int, seed: int = SEED) -> bytes:
    """Where ``index`` stands in the order of ``seed``."""
    return hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()


def by_class(labels: Sequence[int] | NDArray[np.uint8], count: int, *, skip: int = 0) -> NDArray[np.int64]:
    """Indices of ``count`` items of each class, after the first ``skip`` of it, well mixed.

    A class that has fewer gives all it has.
    """
    groups: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(int(label), []).append(index)
    chosen: list[int] = []
    for label in sorted(groups):
        chosen += sorted(groups[label], key=rank)[skip : skip + count]
    return np.array(sorted(chosen, key=rank), dtype=np.int64)


def halves(labels: Sequence[int] | NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two halves of a test set with the same share of each class, each in the original order: the
    first is the students' test set, the second is held out."""
    groups: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(int(label), []).append(index)
    first: list[int] = []
    second: list[int] = []
    for members in groups.values():
        ordered = sorted(members, key=rank)
        first += ordered[: len(ordered) // 2]
        second += ordered[len(ordered) // 2 :]
    return np.array(sorted(first), dtype=np.int64), np.array(sorted(second), dtype=np.int64)


def test_sets(
    labels: Sequence[int] | NDArray[np.uint8], seen: int, held: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two parts of a test set that share nothing: at most ``seen`` of each class for students, and at
    most ``held`` held out. Where there are fewer, students get no more than half of a class."""
    least = min((int(n) for n in np.bincount(np.asarray(labels, np.int64)) if n), default=0)
    shown = min(seen, least // 2)
    return by_class(labels, shown), by_class(labels, held, skip=shown)


def names(items: Iterable[str], count: int, *, skip: int = 0) -> list[str]:
    """``count`` of the names after the first ``skip``, by the order of a hash, sorted by name."""
    ordered = sorted(items, key=lambda n: hashlib.blake2b(f"{SEED}:{n}".encode(), digest_size=8).digest())
    return sorted(ordered[skip : skip + count])
