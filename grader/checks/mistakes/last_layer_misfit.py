"""The last layer has another number of outputs than the data has classes."""

from __future__ import annotations

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, mine, quote
from grader.checks.mistakes.observed import line_about, trained_models, used_classes
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Value

WORDS = Words(
    name="last_layer_misfit",
    title="The last layer does not fit the classes",
    why="Outputs that stand for no class can never be right, and too few leave classes without one.",
    hint="Compare the shape of what the model returns with the number of classes in the data.",
    needs="model",
)


def find(case: Case) -> list[Mistake]:
    """The measured output beside the classes of the data; or a layer's ``out_features`` typed over.

    Only data sets that are the same for everyone settle the first: a folder may be another than the author's.
    """
    return _typed_over(case) or _measured(case)


def _typed_over(case: Case) -> list[Mistake]:
    traced = trace(case)
    for e in traced.events if traced.whole else ():
        if e.sets and e.attribute == "out_features" and mine(case, e) and pytorch.is_module(_root(e.target)):
            return [
                WORDS.seen(
                    "`out_features` is set on a layer that exists: its weights, and so its outputs, stay as they were.",
                    quote(e),
                )
            ]
    return []


def _root(value: object) -> Value | None:
    found = value if isinstance(value, Value) else None
    while found is not None and found.op in ("attribute", "item") and found.base is not None:
        found = found.base
    return found


def _measured(case: Case) -> list[Mistake]:
    classes = used_classes(case)
    found = [(s, m) for s, m in trained_models(case) if m.output_shape]
    shapes = {m.output_shape[-1] for _, m in found}
    if classes is None or classes < 2 or len(shapes) != 1 or any(len(m.output_shape) != 2 for _, m in found):
        return []
    outputs = shapes.pop()
    classifies = _classifies(case)
    # Fewer outputs than classes would have failed: then the labels were made others.
    if outputs is None or outputs <= classes or not classifies:
        return []
    return [
        WORDS.seen(
            f"The model returns {outputs} values for each image, and the data has {classes} classes.",
            line_about(case, rf"\b(?:Dense|Linear)\(.*\b{outputs}\b"),
            outputs=outputs,
            classes=classes,
        )
    ]


def _classifies(case: Case) -> bool:
    """Whether a loss over classes is used: an autoencoder on the same images returns something else."""
    losses = {a.loss for t in pytorch.trainings(case) for a in t.losses}
    losses |= {f.compiled.loss for f in keras.fits(case)}
    return bool(
        losses & {"CrossEntropyLoss", "NLLLoss", "sparsecategoricalcrossentropy", "categoricalcrossentropy"}
    )


KIND = WORDS.kind(find)
