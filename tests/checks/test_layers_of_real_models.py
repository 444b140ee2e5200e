"""Wrong LeNets and GoogLeNets, exported as a kernel does and read as the clean process does: what is wrong is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from handmade import Notebook
from torch import nn

from grader.checks import layers, parameters, trained
from grader.checks.base import Case, State, Verdict
from grader.evidence.model import Layer, Measurement
from grader.worker.inside import census, modules
from grader.worker.inside import layers as reading

LENET = [
    {"kind": "convolution", "units": 6, "kernel": 5},
    {"kind": ["max pooling", "average pooling"]},
    {"kind": "convolution", "units": 16, "kernel": 5},
    {"kind": ["max pooling", "average pooling"]},
    {"kind": "dense", "units": 120},
    {"kind": "dense", "units": 84},
    {"kind": "dense", "units": 10},
]
INCEPTION = {"kernels": [1, 3, [5, 3]], "pooling": True}


def measured(model: nn.Module, *shape: int) -> Measurement:
    """As the worker has it: exported with a dynamic batch, read from the program."""
    program = census._program(torch, model.eval(), torch.zeros(2, *shape), dynamic=True)
    found = reading.read(program)
    found.pop("meta")
    return Measurement(program="p", state="measured", **found)


def case(model: nn.Module, *shape: int, reference: Case | None = None, **more: Any) -> Case:
    m = measured(model, *shape)
    nb = Notebook().code("train(net)").model(parameters=m.parameters, layers=m.layers, **more)
    nb.measurements = [x.model_copy(update={"unused": m.unused}) for x in nb.measurements]
    return nb.case(reference=reference)


def compare(here: Case, marks: float = 7, **keys: Any) -> Verdict:
    return layers.judge(layers.Layers.model_validate({"check": "layers", "marks": marks, **keys}), here)


def lenet(
    *,
    maps: int = 16,
    kernel: int = 5,
    pooled: bool = True,
    dense: Sequence[int] = (120, 84, 10),
    more: Sequence[nn.Module] = (),
) -> nn.Module:
    stem = [nn.Conv2d(1, 6, kernel, padding=kernel // 2), nn.Tanh(), nn.AvgPool2d(2)]
    body = [nn.Conv2d(6, maps, 5), nn.Tanh(), *([nn.AvgPool2d(2)] if pooled else []), *more, nn.Flatten()]
    inputs = int(nn.Sequential(*stem, *body)(torch.zeros(1, 1, 28, 28)).shape[1])
    head: list[nn.Module] = []
    for n in dense:
        head += [nn.Linear(inputs, n), nn.Tanh()]
        inputs = n
    return nn.Sequential(*stem, *body, *head[:-1])


def test_a_right_lenet() -> None:
    v = compare(case(lenet(), 1, 28, 28), expected=LENET)
    assert (v.state, v.mark) == (State.EARNED, 7)
    assert v.tables[0].rows[2][:3] == ("convolution, 16 maps, 5×5", "(batch, 16, 10, 10)", "2,416")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            lenet(maps=32),
            "second convolution has 32 maps, expected 16: 4,832 parameters where 2,416 were expected",
        ),
        (
            lenet(kernel=3),
            "first convolution has a 3×3 kernel, expected 5×5: 60 parameters where 156 were expected",
        ),
        (
            lenet(pooled=False),
            "a layer is missing after the second convolution, whose output is (batch, 16, 10, 10): expected max pooling "
            "or average pooling",
        ),
        (
            lenet(dense=(120, 10)),
            "a layer is missing after the first dense, whose output is (batch, 120): expected dense, 84 units",
        ),
        (
            lenet(more=(nn.Conv2d(16, 64, 3), nn.ReLU())),
            "third convolution with 64 maps is one layer more than expected",
        ),
    ],
    ids=["wider", "smaller-kernel", "no-second-pooling", "a-layer-missing", "a-layer-too-many"],
)
def test_five_wrong_lenets(wrong: nn.Module, words: str) -> None:
    v = compare(case(wrong, 1, 28, 28), expected=LENET)
    assert v.state is State.PARTIAL and 4 <= v.mark < 7
    assert words.lower() in v.reason.lower()
    assert len(v.tables[0].marked) == 1


def test_layers_that_are_missing_at_one_place_are_named_together() -> None:
    v = compare(case(lenet(dense=(10,)), 1, 28, 28), expected=LENET)
    assert (
        "two layers are missing after the second average pooling, whose output is (batch, 16, 5, 5): "
        "expected (dense, 120 units), then (dense, 84 units)"
    ) in v.reason.lower()
    assert (
        "layers are missing at the start"
        in compare(
            case(
                nn.Sequential(nn.Flatten(), nn.Linear(784, 120), nn.Linear(120, 84), nn.Linear(84, 10)),
                1,
                28,
                28,
            ),
            expected=LENET,
        ).reason
    )


def test_a_layer_that_is_wrong_in_two_ways() -> None:
    v = compare(case(lenet(kernel=3, maps=32), 1, 28, 28), expected=[{"kind": "convolution", "units": 8, "kernel": 5},
                                                                     *LENET[1:]])  # fmt: skip
    assert (
        "first convolution has 6 maps, expected 8, and has a 3×3 kernel, expected 5×5: 60 parameters where 208"
        in v.reason
    )


# ---------------------------------------------------------------- GoogLeNets


class Inception(nn.Module):
    def __init__(self, channels: int, *, five: bool = True, pooling: bool = True, add: bool = False) -> None:
        super().__init__()
        self.one = nn.Conv2d(channels, 8, 1)
        self.three = nn.Sequential(nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 3, padding=1))
        self.five = (
            nn.Sequential(nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 5, padding=2))
            if five
            else None
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(channels, 8, 1)) if pooling else None
        self.add = add

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        every = [b(x) for b in (self.one, self.three, self.five, self.pool) if b is not None]
        return sum(every[1:], every[0]) if self.add else torch.cat(every, 1)


class GoogLeNet(nn.Module):
    def __init__(self, **how: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.first = Inception(16, **how)
        width = int(self.first(torch.zeros(1, 16, 4, 4)).shape[1])
        self.second = Inception(width, **how)
        width = int(self.second(torch.zeros(1, width, 4, 4)).shape[1])
        self.aux = nn.Linear(width, 10)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))

    def forward(self, x: torch.Tensor) -> Any:
        x = self.second(self.first(self.stem(x)))
        return (self.head(x), self.aux(x.mean((2, 3)))) if self.training else self.head(x)


def test_a_right_googlenet_and_its_auxiliary_head() -> None:
    here = case(GoogLeNet(), 3, 32, 32)
    v = compare(here, parallel=INCEPTION)
    assert v.state is State.EARNED
    assert v.evidence["not_run"] == ["aux"]
    (table,) = v.tables
    assert [row[1:] for row in table.rows] == [
        (
            "1×1 to 8 maps",
            "1×1 to 4 maps, 3×3 to 8 maps",
            "1×1 to 4 maps, 5×5 to 8 maps",
            "max pooling, 1×1 to 8 maps",
        )
    ] * 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"pooling": False}, "no branch that pools"),
        ({"five": False}, "no further branch with a 5×5 (or 3×3) convolution"),
        ({"add": True}, "no branches are concatenated; expected branches side by side: 1×1, 3×3, 5×5 (or 3×3) and pooling (branches are added"),
    ],
    ids=["no-pooling-branch", "a-kernel-missing", "added-not-concatenated"],
)  # fmt: skip
def test_three_wrong_googlenets(how: dict[str, bool], words: str) -> None:
    v = compare(case(GoogLeNet(**how), 3, 32, 32), parallel=INCEPTION)
    assert v.state in (State.PARTIAL, State.LOST) and v.mark < 7
    assert words.lower() in v.reason.lower()


# ---------------------------------------------------------------- what else a table tells


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)
        self.b.weight = self.a.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(torch.relu(self.a(torch.relu(self.a(x)))))


def test_weights_that_layers_share_are_counted_once() -> None:
    here = case(Tied(), 8)
    v = compare(here, expected=[{"kind": "dense", "units": 8}] * 3)
    assert [row[2] for row in v.tables[0].rows] == ["72", "shared", "8"]
    count = parameters.Parameters(check="parameters", marks=1, any_of=(80,))
    assert parameters.judge(count, here).state is State.EARNED


def test_frozen_changed_and_unchanged_layers_are_told_apart() -> None:
    model = lenet()
    for p in model[0].parameters():
        p.requires_grad = False
    moved = tuple(n for n, _ in model.named_parameters() if n.split(".")[0] in ("3", "7"))
    here = case(model, 1, 28, 28, moved=moved)
    v = compare(here, expected=LENET)
    assert [row[3] for row in v.tables[0].rows] == [
        "frozen", "", "changed", "", "changed", "did not change", "did not change",
    ]  # fmt: skip
    said = trained.judge(trained.Trained(check="trained", marks=1), here)
    assert said.state is State.EARNED
    assert "Trainable, and yet unchanged: the second dense (`9`), the third dense (`11`)" in said.reason


def test_the_reference_s_layers_stand_beside_the_student_s() -> None:
    reference = case(lenet(), 1, 28, 28)
    v = compare(case(lenet(maps=32), 1, 28, 28, reference=reference), expected=LENET)
    table = next(t for t in v.tables if t.title == "Layers beside the reference's")
    assert table.rows[2] == (
        "convolution, 32 maps, 5×5", "(batch, 32, 10, 10)", "4,832",
        "convolution, 16 maps, 5×5", "(batch, 16, 10, 10)", "2,416",
    )  # fmt: skip
    assert table.marked == (2,)
    assert all(h.startswith("reference") for h in table.header[3:])  # left out of a student's copy


class Branching(nn.Module):
    """A forward that looks at its input: torch.export refuses it."""

    def __init__(self, maps: int = 16) -> None:
        super().__init__()
        self.net = lenet(maps=maps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x) if x.sum() < 1e9 else self.net(-x)


def test_a_forward_that_branches_on_data_is_read_with_less_certainty() -> None:
    def seen(model: nn.Module) -> Verdict:
        with pytest.raises(Exception, match=r"(?i)data.?dependent"):
            census._program(torch, model.eval(), torch.zeros(2, 1, 28, 28), dynamic=True)
        listed = modules.listed(torch, model, torch.zeros(2, 1, 28, 28))
        nb = Notebook().code("train(net)").model(measured=False, problem="torch.export refused it")
        claimed = tuple(Layer.model_validate(x) for x in listed)
        nb.snapshots = [s.model_copy(update={"claimed_layers": claimed}) for s in nb.snapshots]
        return compare(nb.case(), expected=LENET)

    right, wrong = seen(Branching()), seen(Branching(32))
    assert (right.state, right.mark) == (State.REVIEW, 7)
    assert wrong.state is State.REVIEW and 6 < wrong.mark < 7
    assert "Less certain" in wrong.reason and "second convolution has 32 maps" in wrong.reason
