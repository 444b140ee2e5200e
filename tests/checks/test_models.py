"""parameters, output_shape, trained: what the clean process measured."""

from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, layer, lenet, predicted

from grader.checks import output_shape, parameters, trained
from grader.checks.base import State, Verdict
from grader.evidence.model import MeasurementState


def count(nb: Notebook, **keys: Any) -> Verdict:
    return parameters.judge(parameters.Parameters(check="parameters", marks=3, **keys), nb.case())


def net(**more: Any) -> Notebook:
    return (
        Notebook()
        .code("net = LeNet()\ntrain(net)")
        .model(**({"parameters": 44426, "layers": lenet()} | more))
    )


def test_a_right_number_is_earned_and_stands_in_the_evidence() -> None:
    v = count(net(), any_of=(61706, 44426))
    assert v.state is State.EARNED
    assert v.evidence["parameters"] == 44426


def test_a_wrong_number_is_lost_and_the_right_one_is_for_the_marker_only() -> None:
    v = count(net(), any_of=(61706,))
    assert v.state is State.LOST
    assert "44,426" in v.reason and "61,706" not in v.reason
    assert "61,706" in v.private


@pytest.mark.parametrize(
    ("of", "n"), [("convolution", 156 + 2416), ("first convolution", 156), ("last dense", 850)]
)
def test_parts_of_a_model(of: str, n: int) -> None:
    assert count(net(), of=of, any_of=(n,)).state is State.EARNED
    assert count(net(), of=of, any_of=(n + 1,)).state is State.LOST


def test_parameters_for_each_class_of_the_data() -> None:
    rule = {"base": 134_260_544, "each": 4097}
    nb = (
        Notebook()
        .code("vgg()")
        .model(parameters=134_260_544 + 5 * 4097, output=(None, 5))
        .data("flowers", classes=5)
    )
    assert count(nb, plus_per_class=rule).state is State.EARNED
    wrong = (
        Notebook()
        .code("vgg()")
        .model(parameters=134_260_544 + 4 * 4097, output=(None, 4))
        .data("flowers", classes=5)
    )
    assert count(wrong, plus_per_class=rule).state is State.LOST


def test_classes_of_another_questions_data_do_not_count() -> None:
    nb = Notebook().code("d = MNIST()").data("mnist", classes=10).code("net = VGG()").model(output=(None, 5))
    c = output_shape.OutputShape(check="output_shape", marks=2, classes=True)
    assert output_shape.judge(c, nb.case(answer=(1,))).state is State.REVIEW
    nb = (
        Notebook()
        .code("d = folder()")
        .data("flowers", classes=5)
        .code("net = VGG()\ntrain(net, d)")
        .model(output=(None, 5))
    )
    assert output_shape.judge(c, nb.case(answer=(1,))).state is State.EARNED


def test_a_model_seen_before_it_could_be_exported_is_the_same_model() -> None:
    nb = Notebook().code("net = VGG()").model(parameters=9, measured=False, trained=False).code("net(x)")
    nb.model(parameters=9, trained=False)
    assert count(nb, any_of=(8,)).state is State.LOST


def test_any_measured_model_may_satisfy() -> None:
    nb = (
        Notebook()
        .code("a = LeNet()")
        .model(parameters=44426)
        .code("b = Other()")
        .model(parameters=99, name="Other")
    )
    assert count(nb, any_of=(44426,)).state is State.EARNED


def test_a_model_that_cannot_be_exported_is_for_a_person_with_the_claim_as_suggestion() -> None:
    nb = Notebook().code("net = LeNet()").model(measured=False, claimed=44426, problem="a branch on data")
    v = count(nb, any_of=(44426,))
    assert (v.state, v.mark) == (State.REVIEW, 3)
    assert "a branch on data" in v.reason
    assert count(nb, any_of=(61706,)).mark == 0


def test_a_kernel_that_claims_a_right_number_is_not_believed_against_the_measurement() -> None:
    assert count(net(parameters=99, claimed=44426), any_of=(44426,)).state is State.LOST


def test_a_wrong_small_model_beside_one_that_escaped_measurement_is_for_a_person() -> None:
    nb = Notebook().code("a = Head()").model(parameters=10, trained=False, name="Head")
    nb.code("train(b)").model(measured=False, claimed=44426, problem="a branch on data")
    assert count(nb, any_of=(44426,)).state is State.REVIEW


def test_a_failed_measurement_is_ours() -> None:
    assert count(net(state=MeasurementState.FAILED), any_of=(44426,)).state is State.UNGRADED
    assert count(net(state=MeasurementState.REFUSED), any_of=(44426,)).state is State.REVIEW


def test_no_model_in_code_that_ran_is_lost_and_in_code_that_failed_says_why() -> None:
    assert count(Notebook().code("print('44426')", "44426"), any_of=(44426,)).state is State.LOST
    v = count(Notebook().code("n = Net()", error=("TypeError", "missing an argument")), any_of=(44426,))
    assert v.state is State.LOST and "missing an argument" in v.reason


# ---------------------------------------------------------------- output_shape


def shape(nb: Notebook, **keys: Any) -> Verdict:
    return output_shape.judge(output_shape.OutputShape(check="output_shape", marks=2, **keys), nb.case())


def test_output_shapes() -> None:
    assert shape(net(), any_of=((None, 10),)).state is State.EARNED
    assert shape(net(output=(None, 1000)), any_of=((None, 10),)).state is State.LOST
    assert shape(net(), of="first convolution", any_of=((None, 6, 24, 24),)).state is State.EARNED
    assert shape(net(), of="first convolution", any_of=((None, 6, 28, 28),)).state is State.LOST


def test_one_output_for_each_class() -> None:
    assert shape(net(output=(None, 5)).data("flowers", classes=5), classes=True).state is State.EARNED
    v = shape(net(output=(None, 1000)).data("flowers", classes=5), classes=True)
    assert v.state is State.LOST and "5 classes" in v.reason
    assert shape(net(output=(None, 1)).data("xray", classes=2), classes=True).state is State.EARNED
    assert shape(net(output=(None, 5)), classes=True).state is State.REVIEW


# ---------------------------------------------------------------- trained


def learned(nb: Notebook, frozen: str | None = None) -> Verdict:
    return trained.judge(trained.Trained(check="trained", marks=4, frozen=frozen), nb.case())


NAMED = (
    layer("convolution", 8, 3, name="features.0", parameters=80),
    layer("dense", 5, name="head", parameters=45),
)


def test_a_model_whose_weights_moved_is_trained() -> None:
    assert learned(net()).state is State.EARNED
    v = learned(Notebook().code("model(x)").model(trained=False))
    assert v.state is State.LOST and "no trained model" in v.reason


@pytest.mark.parametrize(
    ("moved", "state", "mark"),
    [
        (("head.weight", "head.bias"), State.EARNED, 4),
        (("features.0.weight", "head.weight"), State.PARTIAL, 2),
        (None, State.REVIEW, 2),
    ],
)
def test_a_frozen_base(moved: tuple[str, ...] | None, state: State, mark: float) -> None:
    v = learned(net(layers=NAMED, moved=moved), frozen="convolution")
    assert (v.state, v.mark) == (state, mark)


def test_frozen_at_first_and_fine_tuned_later_is_right() -> None:
    nb = net(layers=NAMED, moved=("head.weight",)).code("unfreeze(); train(net)")
    nb.model(layers=NAMED, moved=("features.0.weight", "head.weight"))
    assert learned(nb, frozen="convolution").state is State.EARNED


def twice(before: dict[str, str], after: dict[str, str], **more: Any) -> Verdict:
    nb = Notebook().code("model(x)").model(trained=False, weights=before)
    return learned(nb.code("train(model)").model(weights=after, **more))


def test_that_a_model_learned_is_borne_out_by_the_programs_that_left_the_kernel() -> None:
    v = twice({"a": "1", "b": "2"}, {"a": "3", "b": "2"})
    assert v.state is State.EARNED and v.evidence["witness"] == "the programs that left it"


def test_a_training_that_the_programs_do_not_show_is_for_a_person() -> None:
    v = twice({"a": "1"}, {"a": "1"})
    assert (v.state, v.mark) == (State.REVIEW, 0) and "they are the same" in v.reason


def test_with_one_program_an_accuracy_above_guessing_is_the_witness() -> None:
    def witness(right: int, **more: Any) -> str:
        prediction, labels = predicted(right, 1000)
        nb = Notebook().code("train(net)").data("mnist", **more).model(predictions=(prediction,))
        found = trained.judge(trained.Trained(check="trained", marks=4), nb.case(labels=labels))
        assert found.state is State.EARNED
        return str(found.evidence["witness"])

    assert witness(600) == "its accuracy on held-out images"
    assert witness(100) == witness(600, stand_in=True) == "the notebook's own process alone"
