"""The reference's spread: its figures, and that it is kept."""

from __future__ import annotations

from math import exp, log, sqrt
from pathlib import Path

import pytest

from grader.evidence.calibration import Calibration, Spread, key_of
from grader.evidence.model import Profile
from grader.evidence.store import Store


def made(key: str, *values: float) -> Calibration:
    return Calibration(
        key=key, assignment="a", question="q1", profile=Profile.SMOKE, worker="w", fingerprint="f",
        seeds=tuple(range(len(values))), accuracy={"mnist": Spread(values=values)},
    )  # fmt: skip


def test_mean_and_deviation_over_seeds() -> None:
    s = Spread(values=(0.90, 0.92, 0.94))
    assert (s.n, s.mean, s.deviation) == (3, pytest.approx(0.92), pytest.approx(0.02))
    assert Spread(values=(0.9,)).deviation == 0


def test_one_more_run_may_be_off_by_a_factor_that_grows_with_the_spread() -> None:
    # Logarithms 0, 0.1, 0.2: deviation 0.1; t of two degrees of freedom is 4.303.
    s = Spread(values=(1.0, exp(0.1), exp(0.2)))
    assert s.factor() == pytest.approx(exp(4.303 * 0.1 * sqrt(4 / 3)), rel=1e-3)
    more = Spread(values=s.values * 5).factor()
    assert more is not None and log(more) < log(s.factor() or 0)
    assert Spread(values=(1.0,)).factor() is None
    assert Spread(values=(0.0, 1.0)).factor() is None


def test_a_calibration_is_kept_and_replaced(tmp_path: Path) -> None:
    first, other = key_of("reference", "smoke", "worker one"), key_of("reference", "smoke", "worker two")
    Store(tmp_path).keep_calibration(made(first, 0.9, 0.8))
    Store(tmp_path).keep_calibration(made(first, 0.9, 0.8, 0.7))
    store = Store(tmp_path)
    assert store.calibration(first) == made(first, 0.9, 0.8, 0.7)
    assert store.calibration(other) is None
    assert len(store) == 0  # executions are counted, calibrations are not among them
