"""A notebook that a limit of ours ends: what it had shown is kept, the rest goes on, and the report says whose limit it was."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import tiny

from grader import report
from grader.checks.base import State
from grader.engine import Options, grade
from grader.evidence.model import Limits, Profile, RunState
from grader.evidence.store import Store
from grader.results import CriterionResult, SubmissionResult

RUBRIC = """\
id: tiny-curves
title: Curves and sums
questions:
  - id: q1
    title: A curve of the loss
    marks: 8
    prompt: Train for many epochs, print the loss of each epoch, and draw the curve of the loss.
    signs: [loss, epoch, plot]
    criteria:
      - {check: runs, marks: 2, says: The training runs}
      - {check: figure, marks: 3, says: The curve of the loss, lines: 1, about: [loss]}
      - {check: reports, marks: 3, says: The test accuracy is printed, what: test accuracy}
  - id: q2
    title: The sum of the first numbers
    marks: 3
    prompt: Write a program that prints the sum of the whole numbers from 1 to 10.
    signs: [sum, range, total]
    criteria:
      - {check: quantity, marks: 3, says: The sum is right, expect: 55, near: [sum, total]}
"""
SLOW = """\
import time
import matplotlib.pyplot as plt
losses = []
for epoch in range(3):
    losses.append(1 / (epoch + 1))
    print(f"Epoch {epoch + 1}: loss {losses[-1]:.4f}")
plt.plot(losses, label="loss")
plt.title("Loss over the epochs")
while True:
    time.sleep(0.1)
print("Test accuracy: 0.91")"""


@dataclass(frozen=True)
class Ended:
    """``page`` is the report's text, without its markup."""

    result: SubmissionResult
    page: str
    pictures: int

    def criterion(self, title: str) -> CriterionResult:
        return next(c for q in self.result.questions for c in q.criteria if c.title == title)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    home = tmp_path_factory.mktemp("limits")
    rubrics = tiny.assignment(home, rubric=RUBRIC, references=False, name="tiny-curves")
    tiny.notebook(
        home / "slow.ipynb", ["## Question 1: a curve of the loss", ("code", SLOW),
                              "## Question 2: the sum of the first numbers", ("code", tiny.SUM)])  # fmt: skip
    options = Options(rubrics=rubrics, store=home / "store", limits=Limits(cell=3, question=60, notebook=120))
    written = report.write(
        results := grade([home / "slow.ipynb"], options), home / "report", Store(options.store).blob
    )
    page = written.pages[0].read_text(encoding="utf-8")
    return Ended(results.submissions[0], re.sub(r"<[^>]+>", " ", page), page.count("data:image/png"))


def test_what_was_printed_and_drawn_until_then_is_kept(ended: Ended) -> None:
    cell = next(c for c in ended.result.questions[0].cells if c.kind == "code")
    assert cell.state == RunState.LIMIT
    assert cell.output.splitlines()[:3] == [f"Epoch {n}: loss {1 / n:.4f}" for n in (1, 2, 3)]
    assert "Epoch 3: loss 0.3333" in ended.page and ended.pictures >= 1
    assert ended.criterion("The curve of the loss").state is State.EARNED


def test_the_rest_of_the_notebook_goes_on(ended: Ended) -> None:
    assert ended.criterion("The sum is right").state is State.EARNED


def test_the_report_says_whose_limit_it_was_and_takes_no_mark_for_it(ended: Ended) -> None:
    assert not [c.title for q in ended.result.questions for c in q.criteria if c.state is State.LOST]
    ran = ended.criterion("The training runs")
    assert ran.state is State.REVIEW and "Our limit ended cell 2" in ran.reason
    assert ended.criterion("The test accuracy is printed").state is State.UNGRADED
    assert "stopped after 3 s: a limit of the grader" in " ".join(ended.page.split())


def test_in_smoke_a_whole_notebook_has_five_minutes() -> None:
    assert Options(profile=Profile.SMOKE).bounds.notebook <= 300
