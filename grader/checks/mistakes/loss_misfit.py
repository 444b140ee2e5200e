"""The loss does not fit what the model returns or how the labels are given."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.observed import last_function, only_model
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Trace, Value

WORDS = Words(
    name="loss_misfit",
    title="The loss does not fit the output",
    why="A loss that expects another output than it gets rewards the wrong thing, or nothing at all.",
    hint="Each loss expects one form of output and one form of labels: look both up.",
)
_SQUEEZED = {
    "sigmoid": "a sigmoid, which leaves them between 0 and 1",
    "relu": "a ReLU, which makes all that are below 0 alike",
}


def find(case: Case) -> list[Mistake]:
    """Pairs of loss and last layer that cannot be meant, from the code, else from the measured model."""
    return _pytorch(case) or _keras(case)


def _pytorch(case: Case) -> list[Mistake]:
    for t in pytorch.trainings(case):
        for a in t.losses:
            model = pytorch.model_of(a.output)
            last = pytorch.final_activation(t.trace, model)
            if a.loss == "NLLLoss" and last in ("", "softmax") and a.output.path == "()":
                bare = "bare scores" if last == "" else "probabilities"
                return [
                    WORDS.seen(
                        f"NLLLoss expects log-probabilities, and the model ends in {bare}.", quote(a.event)
                    )
                ]
            if a.loss == "BCELoss" and last == "" and a.output.path == "()":
                return [WORDS.seen("BCELoss expects probabilities, and the model ends in a layer's bare output.", quote(a.event))]  # fmt: skip
            through = pytorch.activated(a.output) or last
            if a.loss == "CrossEntropyLoss" and through in _SQUEEZED:
                words = (
                    f"CrossEntropyLoss expects bare scores, and the model's go through {_SQUEEZED[through]}."
                )
                return [WORDS.seen(words, quote(a.event))]
            seen = only_model(case)
            outputs = seen[1].output_shape[-1:] if seen else ()
            if a.loss == "CrossEntropyLoss" and outputs == (1,) and len(t.models) == 1:
                return [
                    WORDS.seen(
                        "CrossEntropyLoss over a single output is always 0: there is no other class to compare with.",
                        quote(a.event),
                        outputs=1,
                    )
                ]
    return []


def _keras(case: Case) -> list[Mistake]:
    traced = trace(case)
    for fit in keras.fits(case):
        last = keras.last_layer(traced, fit.model)
        loss, where = fit.compiled.loss, fit.compiled.event
        seen = only_model(case)
        units = last.units if last else None
        ends = last.activation if last else None
        if last is None and seen is not None:
            shape = seen[1].output_shape
            units, ends = (shape[-1] if shape else None), last_function(seen)
        found = _pair(loss, fit.compiled.from_logits, units, ends) or _labels(traced, fit, loss)
        if found:
            made = _event(traced, last.layer) if last else None
            return [WORDS.seen(found, quote(where), quote(made), units=units)]
    return []


def _pair(loss: str, logits: bool | None, units: int | None, ends: str | None) -> str:
    if ends is None or loss not in (
        "categoricalcrossentropy",
        "sparsecategoricalcrossentropy",
        "binarycrossentropy",
    ):
        return ""
    if loss != "binarycrossentropy" and units == 1:
        return "A categorical cross-entropy over a single output compares nothing: one output cannot tell classes apart."
    if ends == "softmax" and units == 1:
        return "Softmax over a single output is always 1."
    if loss == "binarycrossentropy" and ends == "softmax" and units is not None and units > 2:
        return f"Binary cross-entropy judges each of the {units} softmax outputs alone; they are one choice among {units}."
    if ends in ("", "relu") and logits is False:
        what = "a layer's bare output" if not ends else "ReLU"
        return f"The loss expects probabilities (from_logits is not set), and the model ends in {what}."
    return ""


def _labels(traced: Trace, fit: keras.Fit, loss: str) -> str:
    """Labels one-hot for a sparse loss, or integers for one that is not."""
    y = fit.y
    given = _from_folder(fit.x)
    if given == "categorical" and loss == "sparsecategoricalcrossentropy":
        return "The folder's labels are one-hot, and the sparse loss expects the number of the class."
    if given == "int" and loss == "categoricalcrossentropy":
        return "The folder's labels are numbers of classes, and this loss expects them one-hot."
    one_hot = y is not None and y.is_call("to_categorical")
    if one_hot and loss == "sparsecategoricalcrossentropy":
        return "The labels are one-hot, and the sparse loss expects the number of the class."
    x, integers = y, False
    while x is not None and x.op == "item" and x.base is not None:
        integers = x.base.is_call("load_data") or (x.base.op == "item" and x.base.base is not None and x.base.base.is_call("load_data"))  # fmt: skip
        x = x.base
    if integers and loss == "categoricalcrossentropy":
        return "The labels are numbers of classes, and this loss expects them one-hot."
    return ""


def _from_folder(data: Value | None) -> str:
    """How a loader of a folder gives the labels, where nothing stands between it and ``fit``."""
    for name, key, default in (
        ("image_dataset_from_directory", "label_mode", "int"),
        ("flow_from_directory", "class_mode", "categorical"),
    ):
        if data is not None and data.is_call(name):
            said = data.named.get(key)
            return default if said is None else "int" if said.constant == "sparse" else str(said.constant)
    return ""


def _event(traced: Trace, value: Value) -> Event | None:
    return next((e for e in traced.events if e.value is value), None)


KIND = WORDS.kind(find)
