from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook, layer, lenet

from grader.checks.base import State, Verdict
from grader.checks.layers import Layers, judge
from grader.evidence.model import Layer

LENET = [
    {"kind": "convolution", "units": 6, "kernel": 5},
    {"kind": ["max pooling", "average pooling"]},
    {"kind": "convolution", "units": 16, "kernel": 5},
    {"kind": ["max pooling", "average pooling"]},
    {"kind": "dense", "units": 120},
    {"kind": "dense", "units": 84},
    {"kind": "dense", "units": 10},
]


def compare(layers: tuple[Layer, ...], marks: float = 7, **keys: Any) -> Verdict:
    c = Layers.model_validate({"check": "layers", "marks": marks, **({"expected": LENET} | keys)})
    return judge(c, Notebook().code("train(net)").model(layers=layers).case())


def test_lenet_as_asked() -> None:
    v = compare(lenet())
    assert v.state is State.EARNED
    assert v.tables[0].marked == ()


def test_the_second_convolution_has_twice_the_maps() -> None:
    v = compare(lenet(32))
    assert v.state is State.PARTIAL
    assert (
        "second convolution has 32 maps, expected 16: 4,832 parameters where 2,416 were expected" in v.reason
    )
    assert v.tables[0].marked == (2,)
    assert 6 < v.mark < 7


def test_a_kernel_of_another_size() -> None:
    v = compare(lenet(c1_kernel=3))
    assert (
        "first convolution has a 3×3 kernel, expected 5×5: 60 parameters where 156 were expected" in v.reason
    )


def test_a_missing_and_an_added_dense_layer() -> None:
    v = compare(lenet(dense=(120, 10)))
    assert (v.state, v.mark) == (State.PARTIAL, 5.75)  # five of six, as the poolings weigh half
    assert (
        "A layer is missing after the first dense, whose output is (batch, 120): expected dense, 84 units"
        in v.reason
    )
    v = compare(lenet(dense=(120, 84, 30, 10)))
    assert "The third dense with 30 units is one layer more than expected" in v.reason
    assert v.mark < 7


def test_another_architecture_earns_little() -> None:
    v = compare((layer("flatten"), layer("dense", 128), layer("dense", 10)))
    assert v.mark <= 2


def test_a_convolution_down_to_one_pixel_is_the_dense_layer_c5() -> None:
    layers = list(lenet())
    layers[7] = layer("convolution", 120, 5, parameters=48120, output_shape=(None, 120, 1, 1))
    assert compare(tuple(layers)).state is State.EARNED


def test_layers_without_weights_that_are_not_asked_for_are_passed_over() -> None:
    layers = list(lenet())
    layers.insert(2, layer("dropout"))
    layers.insert(2, layer("batch normalisation", parameters=12))
    assert compare(tuple(layers)).state is State.EARNED
    assert compare(tuple(layers), ignore=["activation", "flatten"]).state is State.PARTIAL


def test_optional_layers_and_units_for_each_class() -> None:
    expected = [{"kind": "dropout", "optional": True}, {"kind": "dense", "units": "classes"}]
    nb = Notebook().code("train(net)").model(layers=(layer("dense", 5),)).data("flowers", classes=5)
    c = Layers.model_validate({"check": "layers", "marks": 2, "expected": expected})
    assert judge(c, nb.case()).state is State.EARNED


# ---------------------------------------------------------------- parallel branches


def inception(kernels: tuple[int, ...] = (1, 3, 5), pooling: bool = True) -> tuple[Layer, ...]:
    found = [layer("convolution", 64, 7, node="stem")]
    ends = []
    for i, k in enumerate(kernels):
        if k > 1:
            found.append(layer("convolution", 16, 1, node=f"r{i}", inputs=("stem",)))
        found.append(layer("convolution", 32, k, node=f"c{i}", inputs=(f"r{i}" if k > 1 else "stem",)))
        ends.append(f"c{i}")
    if pooling:
        found.append(layer("max pooling", node="p", inputs=("stem",)))
        found.append(layer("convolution", 32, 1, node="pc", inputs=("p",)))
        ends.append("pc")
    found.append(layer("concatenate", node="cat", inputs=tuple(ends)))
    return (*found, layer("dense", 10, node="fc", inputs=("cat",)))


MODULE = {"kernels": [1, 3, [5, 3]], "pooling": True}


@pytest.mark.parametrize("kernels", [(1, 3, 5), (1, 3, 3)])
def test_an_inception_module(kernels: tuple[int, ...]) -> None:
    assert compare(inception(kernels), expected=[], parallel=MODULE).state is State.EARNED


def test_an_incomplete_module_says_what_is_missing() -> None:
    v = compare(inception((1, 3)), marks=4, expected=[], parallel=MODULE)
    assert (v.state, v.mark) == (State.PARTIAL, 3)
    assert "no further branch with a 5×5 (or 3×3) convolution" in v.reason
    assert "no branch that pools" in compare(inception(pooling=False), expected=[], parallel=MODULE).reason


def test_convolutions_one_after_the_other_are_no_module() -> None:
    v = compare(lenet(), expected=[], parallel=MODULE)
    assert v.state is State.LOST
    assert "No branches are concatenated" in v.reason
