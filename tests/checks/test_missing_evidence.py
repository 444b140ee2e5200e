"""Missing evidence is never a mark: one property over every registered check."""

from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, lenet

from grader.checks.base import State, registered
from grader.evidence.model import RunState

CRITERIA: dict[str, list[dict[str, Any]]] = {
    "runs": [{}],
    "code": [{"all": [{"calls": ["backward"]}]}],
    "parameters": [{"any_of": [44426]}, {"plus_per_class": {"base": 0, "each": 1}}],
    "output_shape": [{"any_of": [[None, 10]]}, {"classes": True}],
    "input_scale": [{}],
    "layers": [{"expected": [{"kind": "dense"}]}, {"parallel": {"kernels": [1, 3]}}],
    "trained": [{}, {"frozen": "convolution"}],
    "mistake": [
        {"none_of": ["gradients_never_zeroed"]},
        {"none_of": ["pixels_not_scaled", "one_class_folder"]},
    ],
    "accuracy": [{"data": "mnist", "full": 0.98, "smoke": 0.1}],
    "training_time": [{}, {"at_most": "5 x reference"}],
    "reports": [{"what": "test accuracy"}, {"what": "training time", "agrees": True}],
    "figure": [{"lines": 2}, {"images": 4}],
    "analysis": [{"of": "fit"}],
    "quantity": [{"expect": 903400}],
    "key_points": [{"points": [{"marks": 4, "says": "the shortcut adds the input to the output"}]}],
    "withheld": [{"of": "key_points"}],
}

CLAIMS = """Test accuracy: 99.2%, training time: 35.2 seconds, 44,426 parameters.
The model overfits: training accuracy 0.99, validation accuracy 0.80."""


def boastful() -> Notebook:
    """Everything a notebook can claim, in prose, code and saved outputs, and nothing that was run."""
    saved = "Epoch 1/2 acc: 0.9 val_acc: 0.7\nEpoch 2/2 acc: 0.99 val_acc: 0.7\n" + CLAIMS
    nb = Notebook().text(CLAIMS)
    return nb.code("model.fit(x)\nloss.backward()\nplt.plot(history)", run=False, saved=saved)


def every() -> list[Any]:
    return [
        pytest.param(kind, keys, id=f"{kind}-{i}")
        for kind, all_ in CRITERIA.items()
        for i, keys in enumerate(all_)
    ]


def test_every_registered_check_is_in_this_list() -> None:
    assert set(registered()) <= set(CRITERIA)


@pytest.mark.parametrize(("kind", "keys"), every())
def test_no_mark_is_earned_without_evidence(kind: str, keys: dict[str, Any]) -> None:
    check = registered()[kind]
    c = check.criterion(check=kind, marks=4, **keys)
    nb = boastful()
    empty = nb.execution()
    failed = nb.execution(state="worker_failed", reason="the fork server ended")
    executions = [None, failed, empty] if check.needs_run else [None]
    for execution in executions:
        answer = None if check.needs_run else ()
        verdict = check.judge(c, nb.case(execution=execution, answer=answer))
        assert verdict.state not in (State.EARNED, State.PARTIAL), verdict
        assert verdict.mark <= c.marks / 2, verdict  # a claim is worth no more as a suggestion


@pytest.mark.parametrize(("kind", "keys"), [p for p in every() if registered()[p.values[0]].needs_run])
def test_a_failure_of_ours_is_never_lost(kind: str, keys: dict[str, Any]) -> None:
    check = registered()[kind]
    c = check.criterion(check=kind, marks=4, **keys)
    stopped = [
        Notebook().text(CLAIMS).code("train()", state=RunState.LIMIT, note="120 s for a cell"),
        Notebook()
        .text(CLAIMS)
        .code("train()", state=RunState.SKIPPED, note="the notebook's time was used up"),
        Notebook().text(CLAIMS).code("import cv2", error=("ModuleNotFoundError", "No module named 'cv2'")),
        Notebook()
        .text(CLAIMS)
        .code("get()", error=("URLError", "<urlopen error [Errno -3] Temporary failure>")),
        Notebook().text(CLAIMS).code("train()", run=False),
    ]
    for nb in stopped:
        verdict = check.judge(c, nb.case())
        assert verdict.state in (State.UNGRADED, State.REVIEW), (kind, verdict)
    for execution in (None, boastful().execution(state="worker_failed")):
        verdict = check.judge(c, boastful().case(execution=execution))
        assert verdict.state in (State.UNGRADED, State.REVIEW), (kind, verdict)


def test_the_same_criterion_is_earned_with_evidence() -> None:
    """So that the property above cannot hold by refusing everything."""
    check = registered()["parameters"]
    nb = Notebook().code("net = LeNet()").model(parameters=44426, layers=lenet())
    verdict = check.judge(check.criterion(check="parameters", marks=4, any_of=(44426,)), nb.case())
    assert verdict.state is State.EARNED
