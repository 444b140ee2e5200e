from __future__ import annotations

import pytest
from handmade import Notebook

from grader.checks.analysis import Analysis, claims, judge
from grader.checks.base import State, Verdict
from grader.checks.curves import from_log
from grader.evidence.model import Axes, Figure, Line


def log(train: tuple[float, ...], val: tuple[float, ...]) -> str:
    rows = zip(train, val, strict=True)
    return "\n".join(
        f"Epoch [{i}/{len(train)}] Train Acc: {100 * t:.2f}% Val Acc: {100 * v:.2f}%"
        for i, (t, v) in enumerate(rows, 1)
    )


OVERFIT = log((0.5, 0.8, 0.9, 0.97, 0.99), (0.5, 0.65, 0.7, 0.7, 0.69))
FINE = log((0.5, 0.8, 0.9, 0.95, 0.97), (0.55, 0.8, 0.9, 0.94, 0.965))
POOR = log((0.1, 0.15, 0.2, 0.22, 0.25), (0.1, 0.16, 0.2, 0.21, 0.24))


def analyse(text: str, out: str = OVERFIT, saved: str = "", figure: Figure | None = None) -> Verdict:
    nb = Notebook().code("train()", out, saved=saved, figures=(figure,) if figure else ()).text(text)
    return judge(Analysis(check="analysis", marks=4), nb.case())


@pytest.mark.parametrize(
    ("sentence", "allows"),
    [
        ("The model is clearly overfitting after epoch 3.", {"overfitting"}),
        ("This gap indicates over-fitting.", {"overfitting"}),
        ("The model does not overfit.", {"underfitting", "neither"}),
        ("There is no sign of overfitting or underfitting.", {"neither"}),
        ("The network isn't overfitting, but it underfits.", {"underfitting"}),
        ("Our model generalises well.", {"neither"}),
        ("The curves show minimal overfitting.", {"underfitting", "neither"}),
    ],
)
def test_statements_are_read_with_their_negation(sentence: str, allows: set[str]) -> None:
    assert [set(c.allows) for c in claims(Notebook().text(sentence).case())] == [allows]


@pytest.mark.parametrize(
    "sentence",
    [
        "Overfitting occurs when a model memorises its training data.",
        "Is the model overfitting?",
        "To prevent overfitting, use dropout.",
        "We analyse whether it is overfitting or underfitting.",
        "The accuracy rises with the epochs.",
    ],
)
def test_definitions_questions_and_advice_are_no_statements(sentence: str) -> None:
    assert claims(Notebook().text(sentence).case()) == []


@pytest.mark.parametrize(
    ("text", "out", "state"),
    [
        ("The model is overfitting.", OVERFIT, State.EARNED),
        ("The model generalises well.", FINE, State.EARNED),
        ("The model is underfitting.", POOR, State.EARNED),
        ("The model generalises well, no overfitting.", OVERFIT, State.REVIEW),
        ("The model is overfitting.", FINE, State.REVIEW),
        ("The model is overfitting.", POOR, State.REVIEW),
        ("The accuracy rises.", OVERFIT, State.LOST),
        ("Plot the accuracy over epochs and analyze\noverfitting or underfitting.", OVERFIT, State.LOST),
        ("The gap between the curves grows.", OVERFIT, State.REVIEW),
        ("The model is overfitting. The model does not overfit.", OVERFIT, State.REVIEW),
        ("The model is overfitting.", "done", State.REVIEW),
    ],
)
def test_a_statement_is_held_against_the_curves(text: str, out: str, state: State) -> None:
    assert analyse(text, out).state is state


def test_the_authors_own_full_run_counts_beside_a_fresh_smoke_run() -> None:
    assert analyse("The model is overfitting.", out=FINE, saved=OVERFIT).state is State.EARNED
    assert analyse("The model is overfitting.", out="", saved=OVERFIT).state is State.REVIEW


def test_curves_are_read_from_a_figure() -> None:
    train = Line(label="Train Accuracy", y=(50, 80, 99), points=3)
    validation = Line(label="Validation Accuracy", y=(50, 60, 62), points=3)
    figure = Figure(piece=0, axes=(Axes(ylabel="Accuracy (%)", lines=(train, validation)),))
    v = analyse("The model is overfitting.", out="", figure=figure)
    assert v.state is State.EARNED and v.evidence["fresh"]["gap"] == pytest.approx(0.37)


def test_a_keras_log() -> None:
    found = from_log(
        "Epoch 1/2\n422/422 - 42s - accuracy: 0.9434 - loss: 0.19 - val_accuracy: 0.4052 - val_loss: 2.3912\n"
        "Epoch 2/2\n422/422 - 41s - accuracy: 0.9802 - loss: 0.07 - val_accuracy: 0.9880 - val_loss: 0.04\n"
    )
    assert found.train_accuracy == (0.9434, 0.9802)
    assert found.val_loss == (2.3912, 0.04)


def test_batch_lines_are_no_epochs() -> None:
    text = "Epoch 1/2, Batch 0/938, Loss: 2.3\nEpoch 1/2, Batch 100/938, Loss: 0.2\nEpoch 1 loss: 0.5\n"
    assert from_log(text).train_loss == (0.5,)


def test_curves_that_were_typed_support_no_statement() -> None:
    nb = Notebook().text("The model is overfitting.")
    nb.code(
        "t = [50.1, 80.2, 99.3]\nv = [50.4, 60.5, 62.6]", log((0.501, 0.802, 0.993), (0.504, 0.605, 0.626))
    )
    v = judge(Analysis(check="analysis", marks=4), nb.case())
    assert (v.state, v.mark) == (State.REVIEW, 2)
    assert "typed" not in v.reason and "typed" in v.private
