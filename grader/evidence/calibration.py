"""The reference's spread over seeds, as measured on one worker: the yardstick of accuracy and time."""

from __future__ import annotations

import hashlib
from math import exp, log, sqrt
from statistics import fmean, stdev

from pydantic import Field

from grader.evidence.model import Profile
from grader.record import Record

T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t, two-sided 95 %, by degrees of freedom from 1."""


class Spread(Record):
    """Mean and deviation (n − 1 in the denominator; 0 for a single value) of a figure over seeds."""

    values: tuple[float, ...] = Field(min_length=1)

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return fmean(self.values)

    @property
    def deviation(self) -> float:
        return stdev(self.values) if self.n > 1 else 0.0

    def factor(self) -> float | None:
        """By what factor one more run may differ from the mean of these: 95 % prediction interval of logarithms.

        exp(t · s · sqrt(1 + 1/n)); None for fewer than two values, or values that have no logarithm.
        """
        if self.n < 2 or min(self.values) <= 0:
            return None
        t = T95[min(self.n - 1, len(T95)) - 1]
        return exp(t * stdev(map(log, self.values)) * sqrt(1 + 1 / self.n))


class Band(Record):
    """A learning curve of the reference: least and largest value over the seeds, by epoch."""

    low: tuple[float, ...]
    high: tuple[float, ...]


class Calibration(Record):
    """One reference question under one profile on one worker.

    ``accuracy`` is by data set, on held-out images; ``seconds`` is the clock outside the kernel around the
    cells that train, ``per_sample`` that over the training images they saw, counted once an epoch; ``alone``
    and ``alone_per_sample`` are these without what they waited for a processor. ``distance`` is how far training
    moved the weights, by their size before.
    """

    key: str = Field(description="hash of the reference, profile, worker and libraries")
    assignment: str
    question: str
    profile: Profile
    worker: str = Field(description="the machine in words")
    fingerprint: str = Field(description="hash of the machine: device, processor, cores, memory")
    seeds: tuple[int, ...]
    accuracy: dict[str, Spread] = Field(default_factory=dict)
    seconds: Spread | None = None
    per_sample: Spread | None = None
    alone: Spread | None = None
    alone_per_sample: Spread | None = None
    distance: Spread | None = None
    bands: dict[str, Band] = Field(default_factory=dict)
    made: float = Field(0.0, description="when, in seconds since 1970")


def key_of(*parts: str) -> str:
    """The key of a calibration from what it depends on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
