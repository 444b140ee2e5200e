from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from handmade import Notebook, predicted
from pydantic import ValidationError

from grader.checks.accuracy import Accuracy, judge
from grader.checks.base import State, Verdict
from grader.checks.statistics import differ, wilson
from grader.evidence.calibration import Calibration, Spread
from grader.evidence.model import Preprocessing, Profile, RunState


def reach(
    right: int, of: int, profile: Profile = Profile.FULL, nb: Notebook | None = None, **keys: Any
) -> Verdict:
    c = Accuracy(
        check="accuracy", marks=4, **({"data": "mnist", "full": 0.98, "half": 0.95, "smoke": 0.6} | keys)
    )
    prediction, labels = predicted(right, of)
    nb = (nb or Notebook().code("train(net)").data("mnist", size=10000)).model(predictions=(prediction,))
    return judge(c, nb.case(profile=profile, labels=labels))


def test_wilson_interval_of_known_values() -> None:
    # Newcombe 1998, Stat. Med. 17, 857–872, table I, method 3.
    for right, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(right, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_two_accuracies_differ_only_beyond_their_sampling_error() -> None:
    assert not differ(0.97, 1000, 0.98, 1000)
    assert differ(0.90, 1000, 0.98, 1000)


@pytest.mark.parametrize(
    ("right", "of", "mark"),
    [
        (9850, 10000, 4),
        (9790, 10000, 4),
        (9740, 10000, 2),
        (9500, 10000, 2),
        (9400, 10000, 0),
        (975, 1000, 4),
    ],
)
def test_who_is_not_significantly_below_the_bar_is_not_marked_down(right: int, of: int, mark: float) -> None:
    assert reach(right, of).mark == mark


def test_lower_steps() -> None:
    steps = ({"at": 0.985, "share": 0.75}, {"at": 0.97, "share": 0.5})
    assert reach(9860, 10000, full=0.99, half=None, steps=steps).mark == 3
    assert reach(9720, 10000, full=0.99, half=None, steps=steps).mark == 2


def test_in_smoke_only_the_smoke_bar_counts_and_below_it_a_person_looks() -> None:
    assert reach(700, 1000, Profile.SMOKE).state is State.EARNED
    v = reach(400, 1000, Profile.SMOKE)
    assert (v.state, v.mark) == (State.REVIEW, 2)
    v = reach(100, 1000, Profile.SMOKE)
    assert (v.state, v.mark) == (State.REVIEW, 0)


def test_no_accuracy_on_a_stand_in() -> None:
    made_up = Notebook().code("train(net)").data("mnist", stand_in=True)
    assert reach(1000, 1000, nb=made_up).state is State.UNGRADED
    weights = Notebook().code("train(net)").data("mnist").given("vgg16.pth", "random weights", stand_in=True)
    assert reach(1000, 1000, nb=weights).state is State.UNGRADED


def test_missing_labels_are_ours_and_unknown_preprocessing_is_for_a_person() -> None:
    c = Accuracy(check="accuracy", marks=4, data="mnist", full=0.98)
    prediction, labels = predicted(99, 100)
    nb = Notebook().code("train(net)").model(predictions=(prediction,))
    assert judge(c, nb.case()).state is State.UNGRADED
    assert judge(c, nb.case(labels={"mnist/held": (1, 2)})).state is State.UNGRADED
    unknown = Preprocessing(known=False, unknown_steps=("Lambda",))
    nb = Notebook().code("train(net)").model().data("mnist", preprocessing=unknown)
    v = judge(c, nb.case(labels=labels))
    assert v.state is State.REVIEW and "Lambda" in v.reason


def test_a_model_that_was_never_trained_but_prints_a_fine_figure() -> None:
    c = Accuracy(check="accuracy", marks=4, data="mnist", full=0.98)
    prediction, labels = predicted(100, 1000)
    nb = (
        Notebook()
        .code("print('99.2 %')", "Test accuracy: 99.2%")
        .model(predictions=(prediction,), trained=False)
    )
    v = judge(c, nb.case(profile=Profile.FULL, labels=labels))
    assert v.state is State.LOST and "not seen to be trained" in v.reason


def test_the_trained_model_is_judged_not_an_untrained_one_that_happens_to_be_there() -> None:
    c = Accuracy(check="accuracy", marks=4, data="mnist", full=0.98)
    good, labels = predicted(990, 1000)
    bad, _ = predicted(300, 1000)
    nb = (
        Notebook()
        .code("train(net)")
        .model(predictions=(bad,))
        .model(predictions=(good,), trained=False, name="B")
    )
    assert judge(c, nb.case(profile=Profile.FULL, labels=labels)).state is State.LOST


# ---------------------------------------------------------------- beside the reference


def beside(right: int, *reached: float, profile: Profile = Profile.FULL) -> Verdict:
    c = Accuracy(check="accuracy", marks=4, data="mnist", within="3 sigma of reference")
    prediction, labels = predicted(right, 1000)
    case = Notebook().code("train(net)").data("mnist", size=1000).model(predictions=(prediction,)).case(
        profile=profile, labels=labels
    )  # fmt: skip
    spread = Calibration(
        key="k", assignment="a", question="q1", profile=profile, worker="w", fingerprint="f",
        seeds=tuple(range(len(reached))), accuracy={"mnist": Spread(values=reached)} if reached else {},
    )  # fmt: skip
    return judge(c, replace(case, spread=spread))


def test_within_so_many_deviations_of_the_reference() -> None:
    seeds = (0.95, 0.96, 0.97)  # mean 0.96, deviation 0.01: the bar is 0.93
    assert beside(940, *seeds).state is State.EARNED
    assert beside(915, *seeds).state is State.EARNED  # its interval reaches 0.93
    assert beside(900, *seeds).state is State.LOST
    v = beside(900, *seeds, profile=Profile.SMOKE)
    assert (v.state, v.mark) == (State.REVIEW, 2)
    assert v.evidence["bar"] == pytest.approx(0.93)
    assert "deviation 1.0% over 3 seeds" in v.reason


def test_a_reference_without_spread_decides_nothing() -> None:
    assert beside(990).state is State.UNGRADED
    assert beside(990, 0.95, 0.96).state is State.UNGRADED


@pytest.mark.parametrize(
    "keys",
    [
        {"within": "3 sigmas of reference"},
        {"within": "sigma of reference"},
        {"within": "3 sigma of reference", "full": 0.98},
        {"within": "3 sigma of reference", "smoke": 0.6},
        {"full": 0.98, "smoke": 1.2},
        {"full": 0.98, "smoke": "third of reference"},
        {},
    ],
)
def test_a_bar_is_written_in_one_way(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Accuracy(check="accuracy", marks=4, data="mnist", **keys)


def in_smoke(
    right: int, *, moved: float | None = 0.9, constant: bool = False, state: RunState = RunState.OK
) -> Verdict:
    """Held against a reference that reaches 94 % and moves its weights by 1.8 of their size."""
    c = Accuracy(check="accuracy", marks=4, data="mnist", full=0.98, smoke="half of reference")
    prediction, labels = predicted(right, 1000)
    prediction = prediction.model_copy(update={"constant": constant})
    case = Notebook().code("train(net)", state=state).data("mnist", size=1000).model(
        predictions=(prediction,), distance=moved).case(labels=labels)  # fmt: skip
    spread = Calibration(
        key="k", assignment="a", question="q1", profile=Profile.SMOKE, worker="w", fingerprint="f", seeds=(0, 1, 2),
        accuracy={"mnist": Spread(values=(0.938, 0.943, 0.939))}, distance=Spread(values=(1.83, 1.79, 1.78)),
    )  # fmt: skip
    return judge(c, replace(case, spread=spread))


def test_half_way_to_the_reference_is_enough_in_smoke() -> None:
    v = in_smoke(560)
    assert v.state is State.EARNED and v.evidence["bar"] == pytest.approx(0.52)


def test_who_guesses_after_as_much_training_as_the_reference_had_has_lost() -> None:
    v = in_smoke(100)
    assert v.state is State.LOST and "not for want of training" in v.reason


@pytest.mark.parametrize("moved", [0.03, 0.22, None])
def test_little_training_on_little_data_may_still_guess(moved: float | None) -> None:
    """LeNet-5 with SGD at 0.01 guesses after five epochs of the subset, and is fine on the whole."""
    v = in_smoke(100, moved=moved)
    assert (v.state, v.mark) == (State.REVIEW, 0)
    assert in_smoke(400, moved=moved).mark == 2


def test_who_has_begun_to_learn_is_not_given_up() -> None:
    """LeNet-5 with sigmoids and Adam is right for 40 % after five epochs of the subset, its weights far from the start."""
    v = in_smoke(405, moved=1.43)
    assert (v.state, v.mark) == (State.REVIEW, 2)


def test_an_output_that_no_image_changes_is_lost_in_any_profile() -> None:
    v = in_smoke(100, moved=0.03, constant=True)
    assert v.state is State.LOST and "More data would not change that" in v.reason


def test_training_that_our_limit_ended_is_not_held_against_it() -> None:
    assert in_smoke(100, state=RunState.LIMIT).state is State.UNGRADED
    assert in_smoke(900, state=RunState.LIMIT).state is State.EARNED


# ---------------------------------------------------------------- what the answers give away


def test_a_model_that_is_as_good_on_its_own_test_images_has_not_learned_from_them() -> None:
    held, labels = predicted(890, 1000)
    for right, leaks in ((900, False), (920, False), (990, True)):
        test, more = predicted(right, 1000, held_out="mnist/held/test")
        both = (held, test.model_copy(update={"part": "test"}))
        nb = Notebook().code("train(net)").data("mnist", size=1000).model(predictions=both)
        c = Accuracy(check="accuracy", marks=4, data="mnist", full=0.85)
        v = judge(c, nb.case(labels=labels | more, profile=Profile.FULL))
        assert v.state is State.EARNED and v.evidence["accuracy"] == 0.89
        assert ("it has learned from the test images" in v.reason) is leaks
