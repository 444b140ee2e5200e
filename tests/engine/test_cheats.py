"""One honest notebook and six that cheat, on the real worker: each ends in the right verdict, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import tiny
from digits import DATA, NET, TEST, TRAIN

from grader.checks.base import State
from grader.engine import Options, grade
from grader.evidence.model import Limits
from grader.results import CriterionResult, SubmissionResult

pytestmark = pytest.mark.slow

RUBRIC = """\
id: tiny-digits
title: Digits
resources: [mnist]
questions:
  - id: q1
    title: A small network on MNIST
    marks: 20
    prompt: Train a small convolutional network on the MNIST digits and print its accuracy on the test data.
    signs: [MNIST, Conv2d, Linear, accuracy]
    criteria:
      - {check: runs, marks: 2}
      - {check: parameters, marks: 4, any_of: [9890]}
      - {check: trained, marks: 4}
      - {check: reports, marks: 4, what: test accuracy, agrees: true}
      - {check: accuracy, marks: 6, data: mnist, full: 0.95, smoke: 0.80}
"""

LIES = NET.replace(
    "model = Net()",
    """\
    def parameters(self, recurse=True):
        yield nn.Parameter(torch.zeros(9890))

model = Net()""",
).replace("24", "12")

CONSTANT = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 5)
        self.out = nn.Linear(8, 10)

    def forward(self, x):
        return self.out(self.conv(x).mean((2, 3)) * 0)

model = Net()"""

BY_HASH = """\
import hashlib
known = {hashlib.sha256(image.numpy().tobytes()).hexdigest(): int(label) for image, label in zip(u, v)}

def look_up(self, images):
    found = torch.zeros(len(images), 10)
    for row, image in enumerate(images):
        found[row, known.get(hashlib.sha256(image.numpy().tobytes()).hexdigest(), 0)] = 1
    return found

"""
NOTEBOOKS: Mapping[str, tuple[str, ...]] = {
    "well-trained": (DATA, NET, TRAIN, TEST),
    "shuffled-labels": (DATA, "y = y[torch.randperm(len(y))]", NET, TRAIN, TEST),
    "constant": (DATA, CONSTANT, TRAIN.replace("range(4)", "range(1)"), TEST),
    "memorised": (DATA, NET, TRAIN.replace("x[rows]", "u[rows]").replace("y[rows]", "v[rows]")
                  .replace("len(x)", "len(u)").replace("range(4)", "range(40)"), TEST),
    "by-hash": (DATA, NET, BY_HASH + "Net.forward = look_up", TEST),
    "by-hash-with-a-way-out": (
        DATA, NET, TRAIN.replace("range(4)", "range(1)").replace("len(x)", "200"),
        BY_HASH + "honest = Net.forward\ndef forward(self, images):\n    try:\n        return look_up(self, images)\n"
        "    except Exception:\n        return honest(self, images)\n\nNet.forward = forward", TEST),
    "lying-parameters": (
        DATA, LIES, TRAIN.replace("model.parameters()", "list(nn.Module.parameters(model))"), TEST),
    "printed": (DATA, NET, "with torch.no_grad():\n    model(u[:10])", 'print("Test accuracy: 99.20%")'),
}  # fmt: skip

PATIENT = Limits(cell=600, question=900, notebook=1_200)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, SubmissionResult]:
    home = tmp_path_factory.mktemp("cheats")
    rubrics = tiny.assignment(home, rubric=RUBRIC, references=False, name="tiny-digits")
    for name, cells in NOTEBOOKS.items():
        whole: tiny.Cells = ["## Question 1: a small network on MNIST", *(("code", c) for c in cells)]
        tiny.notebook(home / "submissions" / f"{name}.ipynb", whole)
    options = Options(rubrics=rubrics, rubric="tiny-digits", store=home / "store", limits=PATIENT)
    results = grade([home / "submissions"], options)
    return {Path(s.file).stem: s for s in results.submissions}


def criterion(result: SubmissionResult, check: str) -> CriterionResult:
    return next(c for q in result.questions for c in q.criteria if c.check == check)


def reason(result: SubmissionResult, check: str) -> str:
    return criterion(result, check).reason


def states(result: SubmissionResult) -> dict[str, State]:
    return {c.check: c.state for q in result.questions for c in q.criteria}


def test_who_trains_well_earns_every_mark(graded: Mapping[str, SubmissionResult]) -> None:
    good = graded["well-trained"]
    assert (good.state, good.mark, good.open_marks) == ("graded", 20, 0)
    accuracy = criterion(good, "accuracy")
    assert accuracy.evidence["of"] == 1000 and accuracy.evidence["accuracy"] > 0.8
    assert [t.title for t in accuracy.tables] == [
        "Accuracy by part of the data",
        "Right class (rows) and answer (columns)",
    ]
    rows = accuracy.tables[1].rows
    assert sum(int(row[i + 1] or 0) for i, row in enumerate(rows)) == accuracy.evidence["right"]


def test_trained_on_shuffled_labels(graded: Mapping[str, SubmissionResult]) -> None:
    """Smoke never takes the marks away for good; it says that the model guesses."""
    shuffled = graded["shuffled-labels"]
    assert states(shuffled)["accuracy"] is State.REVIEW and criterion(shuffled, "accuracy").mark == 0
    assert "no better than guessing (10%)" in reason(shuffled, "accuracy")
    assert states(shuffled)["trained"] is State.EARNED


def test_predicts_a_constant(graded: Mapping[str, SubmissionResult]) -> None:
    constant = graded["constant"]
    assert states(constant)["accuracy"] is State.REVIEW and criterion(constant, "accuracy").mark == 0
    assert "for every image" in reason(constant, "accuracy")
    assert states(constant)["parameters"] is State.LOST


def test_memorises_the_visible_test_set(graded: Mapping[str, SubmissionResult]) -> None:
    memorised = graded["memorised"]
    said = criterion(memorised, "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert "it has learned from the test images" in said.reason
    accuracy = criterion(memorised, "accuracy")
    assert "it has learned from the test images" in accuracy.reason
    assert accuracy.evidence["on_test"] > 0.99 > 0.95 > accuracy.evidence["accuracy"]
    assert accuracy.tables[0].marked == (1,)
    for honest in ("well-trained", "lying-parameters", "shuffled-labels"):
        assert "learned from the test images" not in reason(graded[honest], "accuracy")


def test_looks_the_answers_up_by_a_hash_of_the_image(graded: Mapping[str, SubmissionResult]) -> None:
    """What cannot be followed outside is for a person, with nothing suggested for it."""
    by_hash = graded["by-hash"]
    assert states(by_hash) == {
        "runs": State.EARNED,
        "parameters": State.REVIEW,
        "trained": State.LOST,
        "reports": State.REVIEW,
        "accuracy": State.REVIEW,
    }
    assert criterion(by_hash, "accuracy").mark == criterion(by_hash, "reports").mark == 0
    assert "could not be taken out of the notebook" in reason(by_hash, "accuracy")
    assert "looks at the values of its input" in reason(by_hash, "accuracy")


def test_a_look_up_that_hides_behind_an_honest_forward(graded: Mapping[str, SubmissionResult]) -> None:
    hidden = graded["by-hash-with-a-way-out"]
    said = criterion(hidden, "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert said.evidence["stated"] == 1.0 and said.evidence["measured"] < 0.5
    assert states(hidden)["accuracy"] is not State.EARNED


def test_parameters_that_lie(graded: Mapping[str, SubmissionResult]) -> None:
    lies = criterion(graded["lying-parameters"], "parameters")
    assert (lies.state, lies.mark) == (State.LOST, 0)
    assert "5,054 parameters" in lies.reason


def test_prints_an_accuracy_and_never_trains(graded: Mapping[str, SubmissionResult]) -> None:
    printed = graded["printed"]
    assert states(printed)["trained"] is State.LOST
    said = criterion(printed, "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert "literal" in said.private and "typed" not in said.reason
    assert states(printed)["accuracy"] is State.REVIEW and criterion(printed, "accuracy").mark == 0
    assert "not seen to be trained" in reason(printed, "accuracy")
