"""Learning curves on the page: what was printed or plotted is drawn, with the reference's band behind it."""

from __future__ import annotations

import re

from handmade import Notebook

from grader.checks.base import Check, Criterion, State, Verdict
from grader.evidence.calibration import Band, Calibration
from grader.evidence.model import Axes, Figure, Line, Profile
from grader.report import Audience
from grader.report.curves import charts
from grader.report.html import submission_page
from grader.results import SubmissionResult
from grader.rubric.model import Assignment, Question
from grader.scoring import mark
from grader.submission import Alignment, Answer

LOG = "".join(
    f"Epoch {i + 1}/4: training accuracy {a:.2f}, validation accuracy {b:.2f}\n"
    for i, (a, b) in enumerate(((0.5, 0.45), (0.7, 0.6), (0.85, 0.66), (0.97, 0.67)))
)
BAND = Band(low=(0.4, 0.6, 0.7, 0.75), high=(0.5, 0.7, 0.8, 0.85))


def marked(nb: Notebook, *, band: bool = False) -> SubmissionResult:
    criterion = Criterion(check="any", marks=1)
    question = Question(id="q1", title="Training", marks=1, criteria=(criterion,))
    check = Check("any", Criterion, lambda c, _: Verdict(state=State.EARNED, mark=1, reason="Yes."))
    spread = Calibration(
        key="k", assignment="a", question="q1", profile=Profile.SMOKE, worker="w", fingerprint="f", seeds=(0, 1),
        bands={"validation accuracy": BAND},
    )  # fmt: skip
    answer = Answer(question="q1", pieces=tuple(range(len(nb.pieces))))
    return mark(
        nb.submission(),
        Assignment(id="a", title="A", questions=(question,)),
        Alignment(assignment="a", answers=(answer,), fit=1),
        nb.execution(),
        profile=Profile.SMOKE,
        spreads={"q1": spread} if band else None,
        checks={"any": check},
    )


def page(result: SubmissionResult) -> str:
    return submission_page(result, Profile.SMOKE, lambda _: b"", Audience.STUDENT)


def points(html: str, tag: str, part: str) -> list[list[float]]:
    found = re.search(rf'<{tag} class="[^"]*\b{part}" points="([^"]+)"', html)
    assert found, f"no {tag} of {part}"
    return [[float(n) for n in pair.split(",")] for pair in found[1].split()]


def test_a_printed_log_is_drawn() -> None:
    result = marked(Notebook().code("train()", LOG))
    (train, validation) = result.questions[0].curves
    assert (train.name, train.values) == ("training accuracy", (0.5, 0.7, 0.85, 0.97))
    assert (validation.values[-1], validation.source, validation.low) == (0.67, "log", ())
    html = page(result)
    drawn = points(html, "polyline", "training")
    assert len(drawn) == 4
    assert [y for _, y in drawn] == sorted((y for _, y in drawn), reverse=True)  # it rises on the page
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert "training accuracy from 50 % to 97 % in 4 epochs" in html
    assert "polygon" not in html.partition('class="curves"')[2].partition("</svg>")[0]


def test_the_reference_s_band_lies_behind() -> None:
    html = page(marked(Notebook().code("train()", LOG), band=True))
    assert len(points(html, "polygon", "validation")) == 8  # along the top and back along the bottom
    assert html.index("<polygon") < html.index("<polyline")
    assert "shaded: the reference" in html


def test_a_plotted_curve_is_drawn_and_the_log_fills_the_rest() -> None:
    axes = Axes(
        title="Loss", ylabel="loss", lines=(Line(label="train loss", x=(1, 2), y=(2.0, 0.5), points=2),)
    )
    nb = Notebook().code("plot()", LOG, figures=(Figure(piece=0, axes=(axes,)),))
    result = marked(nb)
    assert {c.name for c in result.questions[0].curves} == {
        "training loss", "training accuracy", "validation accuracy",
    }  # fmt: skip
    assert [c.title for c in charts(result.questions[0].curves)] == ["Accuracy by epoch", "Loss by epoch"]


def test_nothing_is_drawn_of_one_epoch_or_none() -> None:
    for nb in (Notebook().code("train()", LOG.splitlines()[0]), Notebook().text("I trained it well.")):
        result = marked(nb)
        assert result.questions[0].curves == ()
        assert 'class="curves"' not in page(result)


def test_a_flat_curve_and_values_of_any_size_stay_inside_the_drawing() -> None:
    log = "".join(f"Epoch {i}/3: loss 0.5, val_loss {10.0 ** (4 * i)}\n" for i in (1, 2, 3))
    for chart in charts(marked(Notebook().code("train()", log)).questions[0].curves):
        for trace in chart.traces:
            for pair in trace.points.split():
                x, y = map(float, pair.split(","))
                assert 0 <= x <= chart.width and 0 <= y <= chart.height
