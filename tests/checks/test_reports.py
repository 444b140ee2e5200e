from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, predicted

from grader.checks import training_time
from grader.checks.base import State, Verdict
from grader.checks.reports import Reports, judge
from grader.checks.stated import read

PRINTS = "acc = 100 * right / total\nprint(f'Test accuracy: {acc:.2f}%')"


def report(nb: Notebook, what: str, labels: Any = None, **keys: Any) -> Verdict:
    c = Reports.model_validate({"check": "reports", "marks": 2, "what": what, **keys})
    return judge(c, nb.case(labels=labels))


@pytest.mark.parametrize(
    ("line", "what", "value"),
    [
        ("Test Accuracy: 98.87%", "test accuracy", 0.9887),
        ("accuracy = 0.9887", "test accuracy", 0.9887),
        ("Accuracy of the network on the 10000 test images: 98.87 %", "test accuracy", 0.9887),
        ("test_acc 0.9887", "test accuracy", 0.9887),
        ("We reached 98.87% accuracy on the test set", "test accuracy", 0.9887),
        ("Epoch [3/5] Loss: 0.0413 Train Acc: 98.70% Val Acc: 97.10%", "validation accuracy", 0.971),
        ("Epoch [3/5] Loss: 0.0413 Train Acc: 98.70% Val Acc: 97.10%", "training accuracy", 0.987),
        (
            "422/422 - 41s - 98ms/step - accuracy: 0.9838 - loss: 0.0529 - val_accuracy: 0.9888",
            "validation accuracy",
            0.9888,
        ),
        ("Test loss: 0.0312, Test accuracy: 0.9901", "test accuracy", 0.9901),
        ("Test loss: 0.0312, Test accuracy: 0.9901", "test loss", 0.0312),
        ("Training time: 35.2 seconds", "training time", 35.2),
        ("Training time: 35.20s", "training time", 35.2),
        ("took 2m 13s", "training time", 133),
        ("Training complete in 2 minutes and 13 seconds", "training time", 133),
        ("Total time: 0:02:13", "training time", 133),
        ("training_time = 35.2", "training time", 35.2),
        ("Training Time (s): 35.2", "training time", 35.2),
        ("Time taken: 1.5 min", "training time", 90),
        ("Total parameters: 61,706", "parameters", 61706),
    ],
)
def test_stated_figures_are_read(line: str, what: str, value: float) -> None:
    found = list(read(line, what))
    assert [v for v, *_, vague in found if not vague] == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("Train accuracy: 98.87%", "test accuracy"),
        ("val_accuracy: 0.98", "test accuracy"),
        ("Train accuracy: 0.98", "validation accuracy"),
        ("Epoch 10/10, Loss: 0.02", "test accuracy"),
        ("accuracy improved after epoch 10", "accuracy"),
        ("Inference time: 3.1 seconds", "training time"),
        ("422/422 - 41s - 98ms/step - loss: 0.05", "training time"),
        ("Epoch 3 took 12.1 s", "training time"),
        ("the accuracy is good", "accuracy"),
    ],
)
def test_what_is_no_such_figure(line: str, what: str) -> None:
    assert list(read(line, what)) == []


KERAS = """Epoch 1/1
1/94 ━━━━ 9s - accuracy: 0.2000 - loss: 2.2
94/94 ━━━━━━━━━━━━━━━━━━━━ 2s 15ms/step - accuracy: 0.9100 - loss: 0.31
"""
EVALUATED = "32/32 ━━━━━━━━━━━━━━━━━━━━ 0s 3ms/step - accuracy: 0.9400 - loss: 0.21\n"


def test_the_accuracy_of_a_keras_training_log_is_no_sure_test_accuracy_and_that_of_evaluate_is() -> None:
    assert [(v, vague) for v, *_, vague in read(KERAS, "test accuracy")] == [(0.2, True), (0.91, True)]
    assert [(v, vague) for v, *_, vague in read(KERAS + EVALUATED, "test accuracy")][-1] == (0.94, False)
    assert report(Notebook().code("model.fit(x, y)", KERAS), "test accuracy").state is State.REVIEW
    assert (
        report(Notebook().code("fit(); evaluate()", KERAS + EVALUATED), "test accuracy").state is State.EARNED
    )


def test_a_chance_accuracy_of_ten_percent_is_not_taken_for_the_number_of_epochs() -> None:
    source = "for e in range(10):\n    step()\nprint('10 epochs')\nprint(f'Test accuracy: {acc():.0f}%')"
    assert (
        report(Notebook().code(source, "10 epochs\nTest accuracy: 10%"), "test accuracy").state
        is State.EARNED
    )


def test_a_computed_figure_of_the_fresh_run() -> None:
    v = report(Notebook().code(PRINTS, "Test accuracy: 91.40%\n"), "test accuracy")
    assert v.state is State.EARNED
    assert v.quotes[0].text == "Test accuracy: 91.40%"


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("print('Test accuracy: 99.20%')", "Test accuracy: 99.20%"),
        ("accuracy = 99.2\nprint(f'Test accuracy: {accuracy:.2f}%')", "Test accuracy: 99.20%"),
        ("accuracy = 0.992\nprint('Test accuracy:', accuracy * 100, '%')", "Test accuracy: 99.2 %"),
    ],
)
def test_a_typed_figure_is_for_a_person_and_no_accusation_in_the_students_copy(source: str, out: str) -> None:
    v = report(Notebook().code(source, out), "test accuracy")
    assert (v.state, v.mark) == (State.REVIEW, 0)
    assert "typed" not in v.reason and "typed, not computed" in v.private


def test_a_figure_of_the_text_alone_is_for_a_person_and_none_at_all_is_lost() -> None:
    nb = Notebook().text("The test accuracy is **98.9%**.").code("train()")
    assert report(nb, "test accuracy").state is State.REVIEW
    assert report(Notebook().code("train()", "done"), "test accuracy").state is State.LOST


def test_the_fresh_error_is_why_there_is_no_figure() -> None:
    v = report(Notebook().code("train()", error=("ValueError", "aux_logits")), "test accuracy")
    assert v.state is State.LOST and "aux_logits" in v.reason


def test_a_saved_output_is_no_evidence() -> None:
    nb = Notebook().code(PRINTS, "", saved="Test accuracy: 98.9%", error=("ValueError", "bad"))
    assert report(nb, "test accuracy").state is State.LOST


@pytest.mark.parametrize(("printed", "state"), [("96.90", State.EARNED), ("99.90", State.REVIEW)])
def test_the_stated_accuracy_is_held_against_the_measured_one(printed: str, state: State) -> None:
    prediction, labels = predicted(965, 1000)
    nb = (
        Notebook()
        .code(PRINTS, f"Test accuracy: {printed}%")
        .data("mnist", size=1000)
        .model(predictions=(prediction,))
    )
    v = report(nb, "test accuracy", labels, agrees=True)
    assert v.state is state
    assert v.evidence["measured"] == 0.965


def test_on_a_stand_in_nothing_can_agree() -> None:
    nb = Notebook().code(PRINTS, "Test accuracy: 20.31%").data("flowers", stand_in=True).model()
    assert report(nb, "test accuracy", agrees=True).state is State.UNGRADED
    assert report(nb, "test accuracy").state is State.EARNED


TIMED = "start = time.time()\ntrain()\nprint('Training time:', time.time() - start)"


@pytest.mark.parametrize(
    ("stated", "state"), [("9.31", State.EARNED), ("352.1", State.REVIEW), ("0.0021", State.REVIEW)]
)
def test_a_stated_time_is_held_against_the_clock_outside(stated: str, state: State) -> None:
    nb = Notebook().code(TIMED, f"Training time: {stated}", seconds=10).model()
    assert report(nb, "training time", agrees=True).state is state
    c = training_time.TrainingTime(check="training_time", marks=1)
    assert training_time.judge(c, nb.case()).state is state
