"""One LeNet-5, written in each of the ways that students write it, on the real worker: the same marks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from slips import PATIENT, ROOT, one_question, one_spread_for_all

from grader.checks.base import State
from grader.engine import Options, verify
from grader.results import CriterionResult, QuestionResult, Results
from grader.rubric.loader import load
from grader.rubric.model import Assignment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra `keras` is not installed"),
]  # not importorskip: TensorFlow before torchvision aborts the process

TORCH = """\
# %%
import time
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
transform = transforms.ToTensor()
train_data = datasets.MNIST("data", train=True, download=True, transform=transform)
test_data = datasets.MNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_data, batch_size=32, shuffle=True)
test_loader = DataLoader(test_data, batch_size=500)

# %%
{net}

# %%
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
start = time.time()
for epoch in range(3):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
print(f"Training time: {{time.time() - start:.1f}} seconds")

# %%
model.eval()
correct = 0
with torch.no_grad():
    for images, labels in test_loader:
        correct += (model(images).argmax(1) == labels).sum().item()
print(f"Test accuracy: {{correct / len(test_data):.4f}}")
"""

TORCH_CLASS = """\
class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.AvgPool2d(2)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(torch.tanh(self.conv1(x)))
        x = self.pool(torch.tanh(self.conv2(x)))
        x = x.view(-1, 400)
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.fc3(x)

model = LeNet5()"""

TORCH_SEQUENTIAL = """\
model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
    nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
)"""

OF_TENSORFLOW = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers"""
OF_KERAS = """\
import os
# os.environ["KERAS_BACKEND"] = "jax"
os.environ["KERAS_BACKEND"] = "torch"
import keras
from keras import layers
assert keras.config.backend() == "torch\""""

KERAS = """\
# %%
import time
{imports}

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape({shape}).astype("float32") / 255.0
x_test = x_test.reshape({shape}).astype("float32") / 255.0

# %%
{net}

# %%
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
start = time.time()
model.fit(x_train, y_train, batch_size=32, epochs=3)
print(f"Training time: {{time.time() - start:.1f}} seconds")

# %%
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {{accuracy:.4f}}")
"""

KERAS_SEQUENTIAL = """\
model = keras.Sequential([
    layers.Conv2D(6, 5, padding="same", activation="tanh", input_shape=(28, 28, 1)),
    layers.AveragePooling2D(),
    layers.Conv2D(16, 5, activation="tanh"),
    layers.AveragePooling2D(),
    layers.Flatten(),
    layers.Dense(120, activation="tanh"),
    layers.Dense(84, activation="tanh"),
    layers.Dense(10, activation="softmax"),
])"""

KERAS_FUNCTIONAL = """\
inputs = keras.Input({input})
x = layers.Conv2D(6, 5, padding="same", activation="tanh", data_format="{format}")(inputs)
x = layers.AveragePooling2D(2, data_format="{format}")(x)
x = layers.Conv2D(16, 5, activation="tanh", data_format="{format}")(x)
x = layers.AveragePooling2D(2, data_format="{format}")(x)
x = layers.Flatten(data_format="{format}")(x)
x = layers.Dense(120, activation="tanh")(x)
x = layers.Dense(84, activation="tanh")(x)
model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))"""

KERAS_SUBCLASSED = """\
class LeNet5(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv2D(6, 5, padding="same", activation="tanh")
        self.pool1 = layers.AveragePooling2D()
        self.conv2 = layers.Conv2D(16, 5, activation="tanh")
        self.pool2 = layers.AveragePooling2D()
        self.flatten = layers.Flatten()
        self.fc1 = layers.Dense(120, activation="tanh")
        self.fc2 = layers.Dense(84, activation="tanh")
        self.fc3 = layers.Dense(10, activation="softmax")

    def call(self, x):
        x = self.pool1(self.conv1(x))
        x = self.pool2(self.conv2(x))
        return self.fc3(self.fc2(self.fc1(self.flatten(x))))

model = LeNet5()"""

LAST, FIRST = "-1, 28, 28, 1", "-1, 1, 28, 28"
WRITTEN = {
    "torch-class": TORCH.format(net=TORCH_CLASS),
    "torch-sequential": TORCH.format(net=TORCH_SEQUENTIAL),
    "keras-sequential": KERAS.format(imports=OF_TENSORFLOW, shape=LAST, net=KERAS_SEQUENTIAL),
    "keras-subclassed": KERAS.format(imports=OF_TENSORFLOW, shape=LAST, net=KERAS_SUBCLASSED),
    "keras-functional-channels-last": KERAS.format(
        imports=OF_TENSORFLOW,
        shape=LAST,
        net=KERAS_FUNCTIONAL.format(format="channels_last", input="(28, 28, 1)"),
    ),
    "keras-functional-channels-first": KERAS.format(
        imports=OF_TENSORFLOW,
        shape=FIRST,
        net=KERAS_FUNCTIONAL.format(format="channels_first", input="(1, 28, 28)"),
    ),
    "keras-on-torch": KERAS.format(imports=OF_KERAS, shape=LAST, net=KERAS_SEQUENTIAL),
    "keras-on-torch-subclassed": KERAS.format(imports=OF_KERAS, shape=LAST, net=KERAS_SUBCLASSED),
}
FRAMEWORKS = "every-framework"


def with_all_code_criteria(folder: Path, known: Assignment) -> Assignment:
    """The same answers under the criteria of the other assignments' questions on MNIST, that of Q6 left out.

    What reads code must know both frameworks; the one question that names its framework asks for its own loop.
    """
    path = folder / "rubrics" / f"{known.id}.yaml"
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    criteria = []
    for rubric, question in (("cnn-architecture", "q6"), ("homl-14-deep-vision", "q9")):
        other = yaml.safe_load((ROOT / "rubrics" / f"{rubric}.yaml").read_text(encoding="utf-8"))
        (asked,) = (q for q in other["questions"] if q["id"] == question)
        criteria += [c for c in asked["criteria"] if c["check"] in ("code", "output_shape")]
    whole["questions"][0] |= {"criteria": criteria, "marks": sum(c["marks"] for c in criteria)}
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load(path)


@dataclass(frozen=True)
class Marked:
    results: Results
    code: Results

    def of(self, way: str, results: Results | None = None) -> QuestionResult:
        (found,) = (s for s in (results or self.results).submissions if s.assignment == way)
        return found.questions[0]

    def criterion(self, way: str, check: str) -> CriterionResult:
        return next(c for c in self.of(way).criteria if c.check == check)


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    home = tmp_path_factory.mktemp("frameworks")
    known = [one_question(home, way, "q6", {"q06_lenet5.py": source}) for way, source in WRITTEN.items()]
    options = Options(store=home / "store", limits=PATIENT)
    one_spread_for_all(known, options)
    results = verify(options, known=known)
    code = verify(options, known=[with_all_code_criteria(home, k) for k in known])
    return Marked(results, code)


@pytest.mark.parametrize("way", WRITTEN)
def test_every_way_of_writing_lenet5_earns_every_mark(marked: Marked, way: str) -> None:
    """Under TensorFlow on a CPU Keras runs channels-first convolutions too, by turning the images around."""
    question = marked.of(way)
    short = [
        f"{c.title}: {c.state}, {c.reason} {c.private}" for c in question.criteria if c.state != State.EARNED
    ]
    assert not short
    assert (question.mark, question.out_of) == (20, 20)


def test_what_is_measured_is_the_same(marked: Marked) -> None:
    first = marked.criterion("torch-class", "layers")
    for way in WRITTEN:
        assert marked.criterion(way, "parameters").evidence["parameters"] == 61_706
        layers = marked.criterion(way, "layers")
        assert [t.rows for t in layers.tables] == [t.rows for t in first.tables], way


def test_criteria_that_read_code_know_both_frameworks(marked: Marked) -> None:
    """A second rubric on the same runs: nothing is executed again."""
    assert not any(s.executed for s in marked.code.submissions)
    told = {
        way: [(c.title, c.state, c.mark) for c in marked.of(way, marked.code).criteria] for way in WRITTEN
    }
    assert all(t == told["torch-class"] for t in told.values()), told
    unregularised = {"The network is convolutional and regularised"}
    assert {title for title, state, _ in told["torch-class"] if state != State.EARNED} == unregularised
