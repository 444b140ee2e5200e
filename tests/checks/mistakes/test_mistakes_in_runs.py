"""Mistakes that the run and the measured model show, from hand-made evidence: found, and silent in their twins."""

from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, layer, lenet
from teaching import KERAS, TORCH, changed

from grader.checks.mistakes.base import Mistake
from grader.checks.mistakes.registry import found
from grader.evidence.model import Prediction, Preprocessing

SCALE = layer("rescaling", function="x * 0.00392156863 + 0")
SOURCES = {"PyTorch": TORCH, "Keras": KERAS}
both = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


def seen(nb: Notebook, **more: Any) -> list[str]:
    return [m.name for m in found(nb.case(**more))]


def steps(*normalise: tuple[float, float]) -> Preprocessing:
    first: tuple[dict[str, Any], ...] = ({"name": "ToTensor"},)
    return Preprocessing(
        steps=first + tuple({"name": "Normalize", "mean": [m], "std": [s]} for m, s in normalise)
    )


# ---------------------------------------------------------------- pixels


def fed(source: str, low: float, high: float, *first: Any) -> list[Mistake]:
    nb = (
        Notebook()
        .code(source)
        .data(split="train", loader="torchvision.datasets.MNIST", size=3000, classes=10)
    )
    nb.model(layers=(*first, *lenet()), input_range=(low, high))
    return list(found(nb.case()))


@both
@pytest.mark.parametrize(
    ("low", "high", "first", "name"),
    [
        (0, 255, (), "pixels_not_scaled"),
        (0, 0.0039, (), "pixels_scaled_twice"),
        (0, 1, (SCALE,), "pixels_scaled_twice"),
        (0, 1, (), ""),
        (0, 255, (SCALE,), ""),
        (-124, 152, (), ""),
        (-2.1, 2.6, (), ""),
        (0, 0, (), ""),  # a trial with zeros was the first call that was seen
        (0, 255, (layer("rescaling", function="normalisation"),), ""),
    ],
)
def test_pixels_are_followed_to_the_first_layer(
    source: str, low: float, high: float, first: tuple[Any, ...], name: str
) -> None:
    assert [m.name for m in fed(source, low, high, *first)] == ([name] if name else [])


def test_a_guess_says_that_it_is_one() -> None:
    [mistake] = fed(KERAS, 0, 0.0039)
    assert not mistake.sure and "seem" in mistake.seen
    assert mistake.quotes[0].text == 'x_train = x_train.astype("float32")[..., None] / 255'


# ---------------------------------------------------------------- normalisation


@pytest.mark.parametrize(
    ("train", "test", "differs"),
    [
        (steps((0.1307, 0.3081)), steps(), True),
        (steps((0.1307, 0.3081)), steps((0.5, 0.5)), True),
        (steps(), steps((0.0, 1 / 255)), True),
        (steps((0.1307, 0.3081)), steps((0.1307, 0.3081)), False),
        (steps((0.1307, 0.3081)), steps((0.13066, 0.30811)), False),
        (steps((0.1307, 0.3081)), Preprocessing(known=False), False),
        (steps((0.1307, 0.3081)), Preprocessing(steps=()), False),  # opened to be looked at: no tensor
    ],
)
@both
def test_normalisation_of_both_sides_is_compared(
    source: str, train: Preprocessing, test: Preprocessing, differs: bool
) -> None:
    nb = (
        Notebook()
        .code(source)
        .data(split="train", preprocessing=train)
        .data(split="test", preprocessing=test)
    )
    assert seen(nb) == (["normalisation_differs"] if differs else [])


def test_a_second_test_set_for_looking_at_is_no_difference() -> None:
    same = steps((0.1307, 0.3081))
    nb = Notebook().code(TORCH).data(split="train", preprocessing=same).data(split="test", preprocessing=same)
    nb.data(split="test", preprocessing=steps())
    assert seen(nb) == []


def test_augmentation_and_channels_are_no_difference() -> None:
    grey = {"name": "Normalize", "mean": [0.5], "std": [0.5]}
    rgb = {"name": "Normalize", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    tensor, flip = {"name": "ToTensor"}, {"name": "RandomHorizontalFlip"}
    nb = Notebook().code(TORCH).data(split="train", preprocessing=Preprocessing(steps=(flip, tensor, rgb)))
    nb.data(split="test", preprocessing=Preprocessing(steps=(tensor, grey)))
    assert seen(nb) == []


# ---------------------------------------------------------------- folders

FOLDER = """
from torchvision import datasets
data = datasets.ImageFolder("data", transform=None)
"""
GENERATOR = """
from tensorflow.keras.preprocessing.image import ImageDataGenerator
data = ImageDataGenerator(rescale=1 / 255).flow_from_directory("data")
"""
folders = pytest.mark.parametrize(
    ("source", "loader"),
    [(FOLDER, "torchvision.datasets.ImageFolder"), (GENERATOR, "ImageDataGenerator.flow_from_directory")],
)


@folders
def test_a_folder_one_level_too_high_is_one_class(source: str, loader: str) -> None:
    nb = (
        Notebook()
        .code(source)
        .data("image-folder", split="unknown", loader=loader, size=200, classes=1, path="data")
    )
    [mistake] = found(nb.case())
    assert mistake.name == "one_class_folder"
    assert mistake.quotes[0].line == 3
    assert "200 images" in mistake.seen


@folders
@pytest.mark.parametrize(
    "uses",
    [
        [{"split": "train", "classes": 5}],
        [{"split": "train", "classes": 5}, {"split": "test", "classes": 1}],
        [{"split": "test", "classes": 1}],
    ],
)
def test_several_classes_or_an_unsorted_test_folder_are_fine(
    source: str, loader: str, uses: list[dict[str, Any]]
) -> None:
    nb = Notebook().code(source)
    for use in uses:
        nb.data("image-folder", loader=loader, size=200, **use)
    assert seen(nb) == []


def test_a_folder_without_labels_on_purpose_is_fine() -> None:
    source = GENERATOR.replace('"data")', '"data", class_mode=None)')
    nb = (
        Notebook()
        .code(source)
        .data("image-folder", split="unknown", loader="x.flow_from_directory", size=9, classes=1)
    )
    assert seen(nb) == []


# ---------------------------------------------------------------- labels and outputs


def predicting(shift: int) -> tuple[Prediction, dict[str, tuple[int, ...]]]:
    truth = tuple(i % 9 + (shift < 0) for i in range(300))
    p = Prediction(
        dataset="mnist",
        held_out="mnist/held",
        preprocessing=steps(),
        classes=tuple(t + shift if i % 10 else (t + 4) % 10 for i, t in enumerate(truth)),
        outputs=10,
    )
    return p, {"mnist/held": truth}


@both
@pytest.mark.parametrize("shift", [1, -1, 0, 3])
def test_predictions_one_class_beside_the_truth(source: str, shift: int) -> None:
    p, labels = predicting(shift)
    nb = Notebook().code(source).model(layers=lenet(), predictions=(p,))
    assert seen(nb, labels=labels) == (["labels_off_by_one"] if abs(shift) == 1 else [])


@pytest.mark.parametrize(
    ("source", "error", "outputs", "off"),
    [
        (TORCH, ("IndexError", "Target 10 is out of bounds."), 10, True),
        (TORCH, ("IndexError", "Target 57 is out of bounds."), 10, False),
        (TORCH, ("IndexError", "Target 5 is out of bounds."), 10, False),
        (KERAS, ("InvalidArgumentError", "Received a label value of 10 which is outside the valid range of [0, 10)."), 10, True),
        (KERAS, ("InvalidArgumentError", "Received a label value of 42 which is outside the valid range of [0, 10)."), 10, False),
    ],
)  # fmt: skip
def test_a_label_equal_to_the_number_of_outputs(
    source: str, error: tuple[str, str], outputs: int, off: bool
) -> None:
    nb = Notebook().code(source, error=error, line=30).model(output=(None, outputs), trained=False)
    assert seen(nb) == (["labels_off_by_one"] if off else [])


@both
@pytest.mark.parametrize(
    ("outputs", "classes", "loader", "misfit"),
    [
        (1000, 10, "torchvision.datasets.MNIST", True),
        (11, 10, "keras.datasets.mnist.load_data", True),
        (10, 10, "torchvision.datasets.MNIST", False),
        (3, 5, "torchvision.datasets.ImageFolder", False),  # the folder here may not be the author's
    ],
)
def test_outputs_and_classes(source: str, outputs: int, classes: int, loader: str, misfit: bool) -> None:
    nb = Notebook().code(source).data(split="train", loader=loader, classes=classes, size=100)
    nb.model(layers=lenet(dense=(120, 84, outputs)), output=(None, outputs))
    assert seen(nb) == (["last_layer_misfit"] if misfit else [])


def test_an_autoencoder_returns_images_and_not_classes() -> None:
    source = changed(
        TORCH, ("nn.CrossEntropyLoss", "nn.MSELoss"), ("labels)\n        loss.b", "images)\n        loss.b")
    )
    nb = (
        Notebook().code(source).data(split="train", loader="torchvision.datasets.MNIST", classes=10, size=100)
    )
    assert seen(nb.model(layers=lenet(), output=(None, 784))) == []


def test_one_output_and_cross_entropy_in_pytorch() -> None:
    assert seen(Notebook().code(TORCH).model(output=(None, 1))) == ["loss_misfit"]
    assert seen(Notebook().code(TORCH).model(output=(None, 10))) == []


def test_a_measured_softmax_stands_in_for_code_that_cannot_be_read() -> None:
    hidden = changed(TORCH, ("return x\n", "return self.end(x)\n\n    def end(self, x):\n        return getattr(torch, 'soft' + 'max')(x, 1)\n"))  # fmt: skip
    soft = (*lenet(), layer("activation", function="softmax"))
    assert seen(Notebook().code(hidden).model(layers=soft)) == ["softmax_before_cross_entropy"]
    assert seen(Notebook().code(hidden).model(layers=lenet())) == []


# ---------------------------------------------------------------- divergence


def log(*losses: float | str) -> str:
    return "".join(f"Epoch {i}: loss {v}\n" for i, v in enumerate(losses, 1))


@both
@pytest.mark.parametrize(
    ("losses", "diverges"),
    [
        ((2.3, "nan", "nan"), True),
        ((2.3, 55.0, "inf"), True),
        ((2.3, 9.1, 48.0, 310.0), True),
        ((2.3, 0.9, 0.4), False),
        ((0.31, 0.42, 0.35, 0.33), False),
        ((0.05, 0.03, 0.02, 0.11), False),  # wavers at the end of a good training
        ((), False),
    ],
)
def test_a_loss_that_diverges(source: str, losses: tuple[Any, ...], diverges: bool) -> None:
    mistakes = found(Notebook().code(source, log(*losses)).model(layers=lenet()).case())
    assert [m.name for m in mistakes] == (["diverging_learning_rate"] if diverges else [])
    if diverges:
        assert mistakes[0].evidence["learning_rate"] == 0.001


def test_a_word_that_holds_nan_is_no_loss() -> None:
    assert seen(Notebook().code(TORCH, "loss of banana: 0.3\ninformation loss 0.1 nanoseconds\n")) == []


# ---------------------------------------------------------------- evidence that is not there


@both
def test_without_a_run_nothing_of_the_run_is_said(source: str) -> None:
    nb = (
        Notebook()
        .code(source, log(2.3, "nan"))
        .data(split="train", classes=1, loader="x.ImageFolder", size=5)
    )
    nb.model(input_range=(0, 255))
    assert seen(nb, execution=None) == []


@both
def test_raw_pixels_into_a_normalising_layer_are_fine(source: str) -> None:
    assert fed(source, 0, 255, layer("batch normalisation")) == []


def test_a_softmax_for_evaluation_only_is_fine_although_it_is_measured() -> None:
    source = changed(TORCH, ("        return x\n", "        if self.training:\n            return x\n        return torch.softmax(x, 1)\n"))  # fmt: skip
    soft = (*lenet(), layer("activation", function="softmax"))
    assert seen(Notebook().code(source).model(layers=soft)) == []


def test_fewer_outputs_than_classes_are_other_labels() -> None:
    nb = Notebook().code(TORCH).data(split="train", loader="torchvision.datasets.MNIST", classes=10, size=100)
    assert seen(nb.model(layers=lenet(dense=(120, 84, 2)), output=(None, 2))) == []
