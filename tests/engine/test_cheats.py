"""One honest notebook and those that cheat, on the real worker, under both profiles: each ends in the right
verdict, and says why. The whole of MNIST is here the subset that the package ships, in a data cache of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tiny
from digits import DATA, NET, TEST, TRAIN

from grader.checks.base import State
from grader.engine import Options, grade
from grader.evidence.model import Limits, Profile
from grader.resources import formats
from grader.resources.sources.idx import FILES, shipped
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
    reference: q01_digits.py
    prompt: Train a small convolutional network on the MNIST digits and print its accuracy on the test data.
    signs: [MNIST, Conv2d, Linear, accuracy]
    criteria:
      - {check: runs, marks: 2}
      - {check: parameters, marks: 4, any_of: [9890]}
      - {check: trained, marks: 4}
      - {check: reports, marks: 4, what: test accuracy, agrees: true}
      - {check: accuracy, marks: 6, data: mnist, full: 0.85, smoke: half of reference}
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
SAYS_TRAINED = """\
import sys
census = sys.modules["grade_inside.census"]
honest = census._emit
census._emit = lambda seen, module, piece, trained, moved, *rest: honest(
    seen, module, piece, True, ["conv.weight"], *rest)
with torch.no_grad():
    model(u[:10])"""

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
    "said-to-be-trained": (
        DATA, NET, "with torch.no_grad():\n    model(u[:10])", SAYS_TRAINED, TEST),
    "printed": (DATA, NET, "with torch.no_grad():\n    model(u[:10])", 'print("Test accuracy: 99.20%")'),
}  # fmt: skip

PATIENT = Limits(cell=600, question=900, notebook=1_200)


def cache(folder: Path) -> None:
    """A data cache whose whole MNIST has 3,000 training and 2,000 test images, half of these held out."""
    data = shipped()
    arrays = (
        data["x_train"],
        data["y_train"],
        np.concatenate([data["x_test"], data["x_held_out"]]),
        np.concatenate([data["y_test"], data["y_held_out"]]),
    )
    (folder / "mnist").mkdir(parents=True)
    for name, array in zip(FILES, arrays, strict=True):
        formats.write_idx(folder / "mnist" / f"{name}.gz", array)


@dataclass(frozen=True)
class Graded:
    profile: Profile
    results: Mapping[str, SubmissionResult]

    def of(self, name: str, check: str) -> CriterionResult:
        return next(c for q in self.results[name].questions for c in q.criteria if c.check == check)

    def states(self, name: str) -> dict[str, State]:
        return {c.check: c.state for q in self.results[name].questions for c in q.criteria}


@pytest.fixture(scope="module", params=list(Profile))
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    profile: Profile = request.param
    home = tmp_path_factory.mktemp("cheats")
    rubrics = tiny.assignment(home, rubric=RUBRIC, references=False, name="tiny-digits")
    reference = home / "reference" / "tiny-digits"
    reference.mkdir(parents=True)
    cells = "\n\n# %%\n".join(("# %%\n" + DATA, NET, TRAIN, TEST))
    (reference / "q01_digits.py").write_text(cells, encoding="utf-8")
    for name, code in NOTEBOOKS.items():
        whole: tiny.Cells = ["## Question 1: a small network on MNIST", *(("code", c) for c in code)]
        tiny.notebook(home / "submissions" / f"{name}.ipynb", whole)
    options = Options(profile, rubrics=rubrics, rubric="tiny-digits", store=home / "store", limits=PATIENT)
    with pytest.MonkeyPatch.context() as patch:
        if profile is Profile.FULL:
            cache(home / "cache")
            patch.setenv("GRADE_DATA", str(home / "cache"))
        results = grade([home / "submissions"], options)
        yield Graded(profile, {Path(s.file).stem: s for s in results.submissions})


def test_who_trains_well_earns_every_mark(graded: Graded) -> None:
    good = graded.results["well-trained"]
    assert (good.state, good.mark, good.open_marks) == ("graded", 20, 0)
    accuracy = graded.of("well-trained", "accuracy")
    assert accuracy.evidence["of"] == 1000 and accuracy.evidence["accuracy"] > 0.8
    assert f"profile {graded.profile.value}" in accuracy.reason
    assert [t.title for t in accuracy.tables] == [
        "Accuracy by part of the data",
        "Right class (rows) and answer (columns)",
    ]
    rows = accuracy.tables[1].rows
    assert sum(int(row[i + 1] or 0) for i, row in enumerate(rows)) == accuracy.evidence["right"]


def test_trained_on_shuffled_labels(graded: Graded) -> None:
    """It trained as much as the reference did, and guesses: little data is no excuse."""
    accuracy = graded.of("shuffled-labels", "accuracy")
    assert (accuracy.state, accuracy.mark) == (State.LOST, 0)
    assert "no better than guessing (10%)" in accuracy.reason
    if graded.profile is Profile.SMOKE:
        assert "not for want of training" in accuracy.reason
        assert accuracy.evidence["distance"] > accuracy.evidence["reference_distance"] / 2
    assert graded.states("shuffled-labels")["trained"] is State.EARNED


def test_predicts_a_constant(graded: Graded) -> None:
    accuracy = graded.of("constant", "accuracy")
    assert (accuracy.state, accuracy.mark) == (State.LOST, 0)
    assert "for every image" in accuracy.reason and "the same whatever the image" in accuracy.reason
    assert graded.states("constant")["parameters"] is State.LOST


def test_memorises_the_visible_test_set(graded: Graded) -> None:
    said = graded.of("memorised", "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert "it has learned from the test images" in said.reason
    accuracy = graded.of("memorised", "accuracy")
    assert "it has learned from the test images" in accuracy.reason
    assert accuracy.evidence["on_test"] > 0.99 > 0.95 > accuracy.evidence["accuracy"]
    assert accuracy.tables[0].marked == (1,)
    for honest in ("well-trained", "lying-parameters", "shuffled-labels"):
        assert "learned from the test images" not in graded.of(honest, "accuracy").reason


def test_looks_the_answers_up_by_a_hash_of_the_image(graded: Graded) -> None:
    """What cannot be followed outside is for a person, with nothing suggested for it."""
    assert graded.states("by-hash") == {
        "runs": State.EARNED,
        "parameters": State.REVIEW,
        "trained": State.LOST,
        "reports": State.REVIEW,
        "accuracy": State.REVIEW,
    }
    accuracy, said = graded.of("by-hash", "accuracy"), graded.of("by-hash", "reports")
    assert accuracy.mark == said.mark == 0
    assert "could not be taken out of the notebook" in accuracy.reason
    assert "looks at the values of its input" in accuracy.reason


def test_a_look_up_that_hides_behind_an_honest_forward(graded: Graded) -> None:
    said = graded.of("by-hash-with-a-way-out", "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert said.evidence["stated"] == 1.0 and said.evidence["measured"] < 0.5
    hidden = graded.of("by-hash-with-a-way-out", "accuracy")
    assert hidden.mark == 0
    # Four steps are too few to tell in smoke what more data would have brought.
    assert hidden.state is (State.LOST if graded.profile is Profile.FULL else State.REVIEW)


def test_parameters_that_lie(graded: Graded) -> None:
    lies = graded.of("lying-parameters", "parameters")
    assert (lies.state, lies.mark) == (State.LOST, 0)
    assert "5,054 parameters" in lies.reason


def test_a_kernel_that_says_it_trained_while_the_same_weights_left_it(graded: Graded) -> None:
    said = graded.of("said-to-be-trained", "trained")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert "in the programs that left it before and after, they are the same" in said.reason
    assert graded.of("well-trained", "trained").evidence["witness"] == "its accuracy on held-out images"


def test_prints_an_accuracy_and_never_trains(graded: Graded) -> None:
    assert graded.states("printed")["trained"] is State.LOST
    said = graded.of("printed", "reports")
    assert (said.state, said.mark) == (State.REVIEW, 0)
    assert "literal" in said.private and "typed" not in said.reason
    accuracy = graded.of("printed", "accuracy")
    assert (accuracy.state, accuracy.mark) == (State.LOST, 0)
    assert "not seen to be trained" in accuracy.reason
    assert "there was no trained model in it" in accuracy.reason
