from __future__ import annotations

from typing import Any

import pytest
from handmade import Notebook

from grader.checks.base import State, Verdict
from grader.checks.code import Code, judge


def look(source: str | Notebook, *signs: dict[str, Any], answer: tuple[int, ...] | None = None) -> Verdict:
    nb = source if isinstance(source, Notebook) else Notebook().code(source)
    c = Code.model_validate({"check": "code", "marks": 4, "all": list(signs)})
    return judge(c, nb.case(answer=answer))


VGG = {"calls": ["models.vgg16"], "keyword": {"weights": "*"}}


@pytest.mark.parametrize(
    "source",
    [
        "import torchvision\nm = torchvision.models.vgg16(weights='IMAGENET1K_V1')",
        "from torchvision import models as zoo\nm = zoo.vgg16(weights=zoo.VGG16_Weights.DEFAULT)",
        "from torchvision.models import vgg16\nm = vgg16(weights='DEFAULT').to(device)",
        "import torchvision.models as M\nW = 'DEFAULT'\nm = M.vgg16(weights=W)",
        "!pip install torchvision\nimport torchvision.models as models\nm = models.vgg16(weights='DEFAULT')",
        "%%time\nfrom torchvision import models\nm = models.vgg16(weights='DEFAULT')",
        "%%writefile app.py\nfrom torchvision import models\nm = models.vgg16(weights='DEFAULT')",
    ],
)
def test_a_pretrained_vgg_is_found_however_it_is_imported(source: str) -> None:
    v = look(source, VGG)
    assert v.state is State.EARNED, v
    assert "vgg16(" in v.quotes[0].text


@pytest.mark.parametrize(
    "source",
    [
        "# models.vgg16(weights='DEFAULT')",
        "print(\"models.vgg16(weights='DEFAULT')\")",
        "if False:\n    models.vgg16(weights='DEFAULT')",
        "def never():\n    return models.vgg16(weights='DEFAULT')",
        "def f():\n    return 1\n    models.vgg16(weights='DEFAULT')\nf()",
        "models.vgg16(weights=None)",
        "models.vgg16()",
        "models.resnet18(weights='DEFAULT')",
    ],
)
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert look(source, VGG).state is State.LOST


def test_code_of_earlier_cells_counts_where_the_answer_uses_it() -> None:
    nb = (
        Notebook()
        .code("def step(m):\n    loss(m).backward()\n    opt.step()")
        .code("def other():\n    clip()\nother()")
    )
    nb.code("for b in data:\n    step(net)")
    assert look(nb, {"calls": ["backward"]}, answer=(2,)).state is State.EARNED
    assert look(nb, {"calls": ["clip"]}, answer=(2,)).state is State.LOST


def test_a_model_altered_in_an_earlier_cell() -> None:
    nb = Notebook().code("net = build()").code("for p in net.parameters():\n    p.requires_grad = False")
    nb.code("fit(net)")
    assert look(nb, {"assigns": {"requires_grad": False}}, answer=(2,)).state is State.EARNED


def test_a_share_of_the_signs() -> None:
    v = look(
        "loss.backward()", {"calls": ["backward"]}, {"says": "a step of the optimiser", "calls": ["step"]}
    )
    assert (v.state, v.mark) == (State.PARTIAL, 2)
    assert "a step of the optimiser" in v.reason
    assert v.tables[0].marked == (1,)


@pytest.mark.parametrize(
    ("source", "sign", "found"),
    [
        ("net.features.requires_grad_(False)", {"calls": ["requires_grad_"], "arguments": [False]}, True),
        ("net.features.requires_grad_(True)", {"calls": ["requires_grad_"], "arguments": [False]}, False),
        ("w = alexnet.features[0].weight", {"names": ["features[0]"]}, True),
        ("w = alexnet.features[3].weight", {"names": ["features[0]"]}, False),
        ("class N(nn.Module):\n    pass\nN()", {"inherits": ["nn.Module"]}, True),
        ("m.fit(x, validation_data=(a, b))", {"calls": ["fit"], "keyword": {"validation_data": "*"}}, True),
        ("m.fit(x, validation_data=None)", {"calls": ["fit"], "keyword": {"validation_data": "*"}}, False),
        ("D(rescale=1./255)", {"calls": ["D"], "keyword": {"rescale": 0.00392156862745098}}, True),
        (
            "D(zoom_range=.1, horizontal_flip=True)",
            {"calls": ["D"], "some": ["zoom_range", "horizontal_flip"], "at_least": 2},
            True,
        ),
        (
            "D(zoom_range=.1, horizontal_flip=False)",
            {"calls": ["D"], "some": ["zoom_range", "horizontal_flip"], "at_least": 2},
            False,
        ),
        ("D(zoom_range=.1)", {"calls": ["D"], "without": ["zoom_range"]}, False),
        ("D(rescale=1)", {"calls": ["D"], "without": ["zoom_range"]}, True),
        ("import streamlit as st", {"imports": ["streamlit"]}, True),
        ("x = 1", {"any": [{"calls": ["a"]}, {"assigns": {"x": [1, 2]}}]}, True),
    ],
)
def test_kinds_of_sign(source: str, sign: dict[str, Any], found: bool) -> None:
    assert (look(source, sign).state is State.EARNED) is found


def test_a_cell_that_does_not_parse_goes_to_a_person() -> None:
    v = look("x = 1\nloss.backward(\ny = = 2", {"calls": ["backward"]})
    assert v.state is State.REVIEW
    assert look("x = 1\ny = = 2", {"calls": ["backward"]}).state is State.LOST


def test_code_in_a_text_cell_goes_to_a_person() -> None:
    assert (
        look(Notebook().text("```python\nloss.backward()\n```"), {"calls": ["backward"]}).state
        is State.REVIEW
    )
