"""Data on the wrong side: training on the test set, validating or evaluating on the training data."""

from __future__ import annotations

import ast

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, mine, quote
from grader.checks.mistakes.data import Origin, origins, part_of, same, unloaded
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Value
from grader.checks.source import statements

TEST = Words(
    name="trained_on_test_data",
    title="Trained on the test set",
    why="A model that has seen the test images can learn them by heart: its accuracy on them says nothing of others.",
    hint="Follow each loader back to the images that it reads.",
)
VALIDATION = Words(
    name="validation_on_training_data",
    title="Validated on the training data",
    why="Overfitting cannot show on images that the model is trained on: the two curves agree whatever happens.",
    hint="Ask of each of the two sets: has the model been trained on these images?",
)
EVALUATION = Words(
    name="evaluated_on_training_data",
    title="Evaluated on training data only",
    why="Accuracy on images that the model has seen says little about images that it has not.",
    hint="Find images that took no part in the training, and measure on those.",
)


def _trained(case: Case) -> list[tuple[Event, Value]]:
    """(where, data) of each training of the answer."""
    found = [
        (t.backward, t.data)
        for t in pytorch.trainings(case)
        if t.data is not None and not t.data.is_call("range")
    ]
    return found + [(f.event, f.x) for f in keras.fits(case) if f.x is not None]


def _whole(value: Value) -> list[Origin] | None:
    """The data sets that arrive whole; None where any arrives in part, so that which part is not known."""
    found = list(origins(value))
    return found if found and all(o.whole for o in found) else None


def find_test(case: Case) -> list[Mistake]:
    """A training gets a data set that was opened as the test set, whole. A part of one is left alone: who joins
    both sets and splits them anew does nothing wrong."""
    for event, data in _trained(case):
        found = _whole(data)
        test = next((o for o in found or [] if o.split == "test"), None)
        if test is None:
            continue
        made = next(
            (e for e in trace(case).events if e.value is test.value or e.value is test.value.base), None
        )
        return [
            TEST.seen("What the model is trained on was opened as the test set.", quote(event), quote(made))
        ]
    return []


def find_validation(case: Case) -> list[Mistake]:
    """Keras' ``validation_data`` is what ``fit`` is given, or a slice of it; or, in both frameworks, a folder or
    split is opened a second time under the name of validation or test data."""
    if find_test(case):  # the cause; that both sides then agree is its consequence
        return []
    for f in keras.fits(case):
        given = f.validation
        if given is not None and given.op == "sequence" and given.args:
            given = given.args[0]
        if given is not None and f.x is not None and (part_of(given, f.x) or _twins(given, f.x)):
            return [
                VALIDATION.seen("`validation_data` is the data that `fit` is trained on.", quote(f.event))
            ]
    trained = pytorch.trainings(case)
    for e in pytorch.evaluations(case):
        before = [t for t in trained if t.data is not None and any(m is e.model for m in t.models)]
        name = _name(case, e.loop.over)
        if name is None or not before or e.loop.over is None:
            continue
        if any(same(e.loop.over, t.data) or _twins(e.loop.over, t.data) for t in before):
            return [
                VALIDATION.seen(
                    f"`{name}` holds the images that the model is trained on.",
                    quote(e.call),
                    quote(before[0].backward),
                )
            ]
    return []


def _twins(a: Value | None, b: Value | None) -> bool:
    """Two calls that open the same whole data set: one split of one set, or one folder without a subset."""
    a, b = unloaded(a), unloaded(b)
    if a is None or b is None or a is b or not (a.called and b.called) or a.path != b.path:
        return False
    one, other = _whole(a), _whole(b)
    if not one or not other or len(one) != 1 or len(other) != 1 or one[0].value is not a:
        return False
    if a.path == ".flow_from_directory" or a.is_call("ImageFolder", "image_dataset_from_directory"):
        x, y = (v.given(0, "root") or v.named.get("directory") for v in (a, b))
        known = x is not None and y is not None and isinstance(x.constant, str) and x.constant == y.constant
        subsets = [v.named.get("subset") for v in (a, b)]
        split = any(v.named.get("validation_split") for v in (a, b))
        named = [s.constant if s is not None else None for s in subsets]
        return known and (named[0] == named[1] if split else not any(subsets)) and not _splits(a, b)
    return one[0].split == other[0].split != "" and a.path.startswith("torchvision.datasets.")


def _splits(a: Value, b: Value) -> bool:
    """Generators that split a folder by themselves: which part comes is then not known."""
    return any(
        v.base is not None and "validation_split" in v.base.named and "subset" not in v.named for v in (a, b)
    )


def _name(case: Case, data: Value | None) -> str | None:
    """The name of an evaluation's data, if it says validation or test."""
    if data is None:
        return None
    for p in case.code:
        for s in statements([p]):
            for node in ast.walk(s.node):
                if isinstance(node, ast.Assign) and node.value is data.node:
                    for target in node.targets:
                        name = target.id if isinstance(target, ast.Name) else ""
                        if name.lower().startswith(("val", "test")) or name.lower().endswith(
                            ("_val", "_test")
                        ):
                            return name
    return None


def _others(case: Case, known: list[Value]) -> bool:
    """Whether a trained model is called with, or predicts, anything besides its training and these."""
    trainings = pytorch.trainings(case)
    models = [m for t in trainings for m in t.models] + [f.model for f in keras.fits(case)]
    loops = [t.loop for t in trainings] + [e.loop for e in pytorch.evaluations(case)]
    return any(
        e.value.path in ("()", ".predict", ".predict_classes", ".score")
        and any(e.value.base is m for m in models)
        and not any(loop in e.loops for loop in loops)
        and not any(same(a, k) for a in e.value.args for k in known)
        for e in trace(case).events
        if not e.sets
    )


def find_evaluation(case: Case) -> list[Mistake]:
    """The only evaluation of the answer gets exactly what the model was trained on."""
    traced = trace(case)
    if not traced.whole or find_test(case) or find_validation(case):
        return []
    fits = keras.fits(case)
    given = [
        (e, x, [f.x for f in fits if f.model is e.value.base])
        for e in traced.calls("evaluate")
        if mine(case, e) and (x := e.value.given(0, "x")) is not None
    ]
    trainings = pytorch.trainings(case)
    given += [
        (e.call, e.loop.over, [t.data for t in trainings if any(m is e.model for m in t.models)])
        for e in pytorch.evaluations(case)
        if e.loop.over is not None
    ]
    validated = any(f.validation is not None or "validation_split" in f.event.value.named for f in fits)
    if (
        not given
        or validated
        or _others(case, [x for _, x, _ in given])
        or not all(any(same(x, d) for d in data) for _, x, data in given)
    ):
        return []
    return [
        EVALUATION.seen(
            "The only evaluation seems to get the images that the model is trained on.",
            quote(given[0][0]),
            sure=False,
        )
    ]


KINDS = (TEST.kind(find_test), VALIDATION.kind(find_validation), EVALUATION.kind(find_evaluation))
