from __future__ import annotations

from dataclasses import replace

import pytest
from handmade import Notebook

from grader.checks import training_time
from grader.checks.base import Case, State, Verdict
from grader.evidence.calibration import Calibration, Spread
from grader.evidence.model import Profile, RunState


def judged(nb: Notebook, reference: Case | None = None, spread: Calibration | None = None) -> Verdict:
    c = training_time.TrainingTime(check="training_time", marks=2, at_most="5 x reference")
    return training_time.judge(c, replace(nb.case(reference=reference), spread=spread))


def trained(seconds: float, waited: float | None = 0.0, out: str = "", samples: int = 0,
            state: RunState = RunState.OK) -> Notebook:  # fmt: skip
    return Notebook().code("train()", out, seconds=seconds, waited=waited, state=state).model(samples=samples)


REFERENCE = trained(10).case()


def test_training_time_is_a_ratio_to_the_reference() -> None:
    assert judged(trained(30), REFERENCE).state is State.EARNED
    assert judged(trained(70), REFERENCE).state is State.EARNED  # 7 times may be 4.7 times
    assert judged(trained(100), REFERENCE).state is State.REVIEW
    v = judged(trained(200), REFERENCE)
    assert v.state is State.LOST and v.evidence["interval"] == [13.33, 30.0]
    assert judged(trained(30)).state is State.UNGRADED
    assert judged(trained(300, state=RunState.LIMIT), REFERENCE).state is State.UNGRADED


def test_a_reference_timed_otherwise_is_no_yardstick() -> None:
    ref = trained(10).case(profile=Profile.FULL)
    assert judged(trained(30), ref).state is State.UNGRADED


def test_a_busy_hour_is_not_held_against_a_reference_timed_in_an_idle_one() -> None:
    assert judged(trained(160), REFERENCE).state is State.LOST
    busy = judged(trained(160, waited=120), REFERENCE)
    assert busy.state is State.EARNED and busy.evidence["ratio"] == 4


def test_an_idle_hour_does_not_hide_slow_training() -> None:
    busy_reference = trained(40, waited=30).case()
    assert judged(trained(200), busy_reference).state is State.LOST


def test_clocks_that_nothing_corrects_may_be_of_different_hours() -> None:
    v = judged(trained(100, waited=None), REFERENCE)
    assert v.state is State.EARNED and v.evidence["interval"] == [3.33, 30.0]
    assert judged(trained(200, waited=None), REFERENCE).state is State.REVIEW
    assert judged(trained(500, waited=None), REFERENCE).state is State.LOST


# ---------------------------------------------------------------- beside the calibrated reference


def calibrated(*each: float, images: int = 1000, profile: Profile = Profile.SMOKE) -> Calibration:
    """A reference whose training took so many seconds alone, by seed, for ``images`` images."""
    return Calibration(
        key="k", assignment="a", question="q1", profile=profile, worker="w", fingerprint="f",
        seeds=tuple(range(len(each))), alone=Spread(values=each),
        alone_per_sample=Spread(values=tuple(e / images for e in each)),
    )  # fmt: skip


def test_the_spread_is_the_reference_s_own_over_its_seeds() -> None:
    quiet, noisy = calibrated(9.8, 10, 10.2), calibrated(8, 10, 12)
    v = judged(trained(20, samples=1000), spread=quiet)
    assert v.evidence["per_sample"] and v.evidence["ratio"] == 2
    low, high = v.evidence["interval"]
    assert low == pytest.approx(2 / 1.15, abs=0.01) and high == pytest.approx(2 * 1.15, abs=0.01)
    assert judged(trained(20, samples=1000), spread=noisy).evidence["interval"][1] > 3


def test_a_calibration_of_the_other_profile_is_no_yardstick() -> None:
    assert judged(trained(20), spread=calibrated(9.8, 10, 10.2, profile=Profile.FULL)).state is State.UNGRADED


# ---------------------------------------------------------------- the kernel's count of images

LOG = "\n".join(f"Epoch {n}/10: loss 0.{n}" for n in range(1, 11))


def counted(samples: int, out: str, size: int = 1000, seconds: float = 100) -> Verdict:
    nb = trained(seconds, samples=samples, out=out).data("mnist", split="train", size=size)
    return judged(nb, spread=calibrated(9.8, 10, 10.2))


def test_ten_epochs_are_not_punished_against_one() -> None:
    v = counted(10_000, LOG)
    assert v.state is State.EARNED and v.evidence["ratio"] == 1


def test_a_count_that_printed_epochs_do_not_bear_out_is_for_a_person() -> None:
    v = counted(200_000, LOG)
    assert (v.state, v.mark) == (State.REVIEW, 1)
    assert "200,000 training images does not fit 10 printed epochs of 1,000" in v.reason
    assert "10.0 times as long in all" in v.reason


def test_a_count_that_nothing_can_check_is_for_a_person_where_it_decides() -> None:
    v = counted(10_000, "done")
    assert v.state is State.REVIEW and "could not be checked" in v.reason
    assert (
        counted(10_000, "done", seconds=20).state is State.EARNED
    )  # twice as long in all, whatever the count


# ---------------------------------------------------------------- stated, and beside it the ratio


def test_a_stated_time_that_is_true_is_shown_beside_the_reference_s() -> None:
    c = training_time.TrainingTime(check="training_time", marks=1)
    nb = Notebook().code("t = time.time()\ntrain()\nprint('Training time:', time.time() - t)", "Training time: 9.31",
                         seconds=10, waited=0.0).model(samples=1000)  # fmt: skip
    v = training_time.judge(c, replace(nb.case(), spread=calibrated(9.8, 10, 10.2)))
    assert v.state is State.EARNED and "1.0 times as long for each training image" in v.reason
    assert training_time.judge(c, nb.case()).state is State.EARNED
