"""``grade calibrate`` and what rests on it, on the real worker: the reference as the yardstick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import tiny
from digits import DATA, NET, TEST, TRAIN, TRAIN_WITH_LOG

from grader.checks.base import State
from grader.checks.clock import FLOOR
from grader.engine import Event, Options, calibrate, grade
from grader.engine.calibrate import reseeded
from grader.evidence.calibration import Calibration
from grader.evidence.model import Limits, Piece
from grader.evidence.store import Store
from grader.results import CriterionResult, Results

pytestmark = pytest.mark.slow

RUBRIC = """\
id: tiny-digits
title: Digits
resources: [mnist]
questions:
  - id: q1
    title: A small network on MNIST
    marks: 10
    reference: q01_digits.py
    prompt: Train a small convolutional network on the MNIST digits and print its accuracy on the test data.
    signs: [MNIST, Conv2d, Linear, accuracy]
    criteria:
      - {check: accuracy, marks: 6, data: mnist, within: 3 sigma of reference}
      - {check: training_time, marks: 4, at_most: 5 x reference}
"""
PATIENT = Limits(cell=600, question=900, notebook=1_200)

NOTEBOOKS: Mapping[str, tuple[str, ...]] = {
    "like-it": (DATA, NET, TRAIN, TEST),
    "four-times-the-epochs": (DATA, NET, TRAIN.replace("range(4)", "range(16)"), TEST),
    "hardly-trained": (DATA, NET, TRAIN.replace("range(4)", "range(1)").replace("len(x)", "1000"), TEST),
    "slower-for-each-image": (
        DATA + "\nimport time", NET, TRAIN.replace("range(4)", "range(1)")
        .replace("optimizer.step()", "optimizer.step()\n        time.sleep(0.25)"),
        TEST),
}  # fmt: skip


@dataclass(frozen=True)
class Graded:
    options: Options
    results: Results
    events: tuple[Event, ...]

    def of(self, name: str, check: str) -> CriterionResult:
        result = next(s for s in self.results.submissions if Path(s.file).stem == name)
        return next(c for q in result.questions for c in q.criteria if c.check == check)

    def calibration(self) -> Calibration:
        (found,) = calibrate(self.options)
        return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    home = tmp_path_factory.mktemp("yardstick")
    rubrics = tiny.assignment(home, rubric=RUBRIC, references=False, name="tiny-digits")
    reference = home / "reference" / "tiny-digits"
    reference.mkdir(parents=True)
    cells = "\n\n# %%\n".join(("# %%\n" + DATA, NET, TRAIN_WITH_LOG, TEST))
    (reference / "q01_digits.py").write_text(cells, encoding="utf-8")
    for name, code in NOTEBOOKS.items():
        whole: tiny.Cells = ["## Question 1: a small network on MNIST", *(("code", c) for c in code)]
        tiny.notebook(home / "submissions" / f"{name}.ipynb", whole)
    options = Options(rubrics=rubrics, rubric="tiny-digits", store=home / "store", limits=PATIENT)
    events: list[Event] = []
    return Graded(options, grade([home / "submissions"], options, events.append), tuple(events))


def test_what_a_rubric_needs_is_calibrated_first_and_once(graded: Graded) -> None:
    seeds = {e.file for e in graded.events if "seed" in e.file}
    assert len(seeds) == 3
    held = len(Store(graded.options.store))
    found = graded.calibration()
    assert len(Store(graded.options.store)) == held  # nothing was run again
    assert found.seeds == (0, 1, 2) and found.worker and found.fingerprint
    assert found.seconds is not None and found.seconds.n == 3 and found.seconds.mean > 0


def test_each_run_of_the_reference_has_a_seed_of_its_own(graded: Graded) -> None:
    """The program fixes its own seed; were it not raised, three runs would be one."""
    accuracy = graded.calibration().accuracy["mnist"]
    assert len(set(accuracy.values)) > 1 and 0 < accuracy.deviation < 0.1
    assert accuracy.mean > 0.8


def test_the_reference_s_curves_make_a_band(graded: Graded) -> None:
    bands = graded.calibration().bands
    assert set(bands) == {"training accuracy", "validation accuracy"}
    band = bands["training accuracy"]
    assert len(band.low) == len(band.high) == 4
    assert all(low <= high for low, high in zip(band.low, band.high, strict=True))


def test_who_trains_like_the_reference_is_within_its_spread(graded: Graded) -> None:
    for name in ("like-it", "four-times-the-epochs"):
        accuracy = graded.of(name, "accuracy")
        assert (accuracy.state, accuracy.mark) == (State.EARNED, 6)
        assert accuracy.evidence["runs"] == 3
        assert accuracy.evidence["bar"] < accuracy.evidence["reference"]


def test_who_hardly_trains_is_below_it(graded: Graded) -> None:
    below = graded.of("hardly-trained", "accuracy")
    assert below.state is State.REVIEW and below.mark < 6
    assert "The reference reaches" in below.reason


def test_more_epochs_are_no_longer_time_for_each_image(graded: Graded) -> None:
    time = graded.of("four-times-the-epochs", "training_time")
    assert time.state is State.EARNED
    assert time.evidence["per_sample"] is True
    low, high = time.evidence["interval"]
    assert low < time.evidence["ratio"] < high


def test_what_other_work_took_of_the_machine_is_not_counted(graded: Graded) -> None:
    found = graded.calibration()
    assert found.alone is not None and found.seconds is not None and found.alone.n == 3
    assert all(a <= max(s, FLOOR) for a, s in zip(found.alone.values, found.seconds.values, strict=True))
    assert 0.5 < graded.of("like-it", "training_time").evidence["ratio"] < 2


def test_how_far_training_moved_the_reference_s_weights_is_known(graded: Graded) -> None:
    distance = graded.calibration().distance
    assert distance is not None and distance.n == 3 and min(distance.values) > 0.1


def test_slower_for_each_image_is_not_as_fast(graded: Graded) -> None:
    slow, like = graded.of("slower-for-each-image", "training_time"), graded.of("like-it", "training_time")
    assert slow.evidence["ratio"] > like.evidence["ratio"]
    assert slow.state is not State.EARNED


@pytest.mark.parametrize(
    ("source", "raised"),
    [
        ("torch.manual_seed(0)", "torch.manual_seed(2)"),
        ("keras.utils.set_random_seed( 42 )", "keras.utils.set_random_seed( 44 )"),
        ("np.random.seed(7); image_dataset(seed=7)", "np.random.seed(9); image_dataset(seed=9)"),
        ("nn.Conv2d(3, 6, 5)", "nn.Conv2d(3, 6, 5)"),
    ],
)
def test_seeds_that_a_program_fixes_are_raised(source: str, raised: str) -> None:
    piece = Piece(index=0, cell=0, kind="code", source=source)
    assert reseeded([piece], 2)[0].source == raised
