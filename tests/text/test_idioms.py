"""Answers that explain by code say what the code does."""

from __future__ import annotations

import pytest

from grader.text.assess import assess
from grader.text.idioms import in_words
from grader.text.points import Point
from grader.text.sentences import read_text

SAYS = {
    "for p in model.parameters(): p.requires_grad = False": "freeze",
    "base.trainable = False": "freeze",
    "base_model.trainable=True": "fine-tune",
    "model = models.resnet18(weights='IMAGENET1K_V1')": "pretrained",
    "base = VGG16(weights='imagenet', include_top=False)": "pretrained on ImageNet; without the top",
    "model.fc = nn.Linear(512, 10)": "new head",
    "model.classifier[6] = nn.Linear(4096, n)": "new head",
    "out += identity": "adds the input",
    "return F.relu(self.conv2(out) + x)": "adds the input",
    "x = layers.Add()([x, shortcut])": "adds the input",
    "opt = Adam(lr=1e-5)": "small learning rate",
}


@pytest.mark.parametrize(("line", "words"), SAYS.items())
def test_a_line_of_code_in_words(line: str, words: str) -> None:
    assert words in in_words(line)


@pytest.mark.parametrize(
    "line", ["x = x + 1", "y = model(x)", "self.fc = 3", "trainable = count(model)", "lr = 0.1"]
)
def test_other_lines_say_nothing(line: str) -> None:
    assert in_words(line) == ""


def test_freezing_in_code_alone_makes_the_point_that_words_would() -> None:
    points = (Point(marks=2, says="freeze the layers and replace the last layer by a new head"),)
    text = "It works like this:\n```python\nfor p in net.parameters():\n    p.requires_grad = False\nnet.fc = nn.Linear(512, 2)\n```\n"
    assert (
        assess(points, "", read_text(text)).mark > assess(points, "", read_text("It works like this:")).mark
    )
