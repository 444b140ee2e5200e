"""The same mistakes made in real kernels: what the worker sees is enough to name them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

import pytest

from grader.checks.base import Case
from grader.checks.mistakes.registry import found
from grader.evidence.model import Execution, Limits, Piece, Profile
from grader.resources import bundle
from grader.submission.model import Answer
from grader.worker.forkserver import ForkServer
from grader.worker.run import Setup, run

pytestmark = pytest.mark.slow

IMAGES = """
import os
import numpy as np
from PIL import Image
rng = np.random.default_rng(0)
for part in ("train", "test"):
    for kind in ("dark", "light"):
        os.makedirs(f"pictures/{part}/{kind}", exist_ok=True)
        for i in range(16):
            pixels = rng.integers(0, 256, (16, 16, 3)) // (2 if kind == "dark" else 1)
            pixels[0, 0], pixels[0, 1] = 0, 255
            Image.fromarray(pixels.astype("uint8")).save(f"pictures/{part}/{kind}/{i}.png")
"""

TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
prepare_test = prepare
train_set = datasets.ImageFolder("pictures/train", transform=prepare)
test_set = datasets.ImageFolder("pictures/test", transform=prepare_test)
train_loader = DataLoader(train_set, batch_size=8, shuffle=True)
test_loader = DataLoader(test_set, batch_size=8)
model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(3):
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
    print(f"Epoch {epoch + 1}: loss {loss.item():.4f}")
with torch.no_grad():
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
print("Test accuracy:", right / len(test_set))
"""

KERAS = """
import keras
from keras import layers
train = keras.utils.image_dataset_from_directory("pictures/train", image_size=(16, 16), batch_size=8)
test = keras.utils.image_dataset_from_directory("pictures/test", image_size=(16, 16), batch_size=8)
model = keras.Sequential([
    keras.Input(shape=(16, 16, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"),
    layers.Flatten(), layers.Dense(2, activation="softmax")])
model.compile(optimizer=keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=test, epochs=3, verbose=2)
"""

SPOILT = [
    (TORCH, "", "", []),
    (TORCH, '"pictures/train"', '"pictures"', []),  # two classes, named train and test: nothing surely wrong
    (TORCH, '"pictures/train"', '"pictures/train/../../pictures/one"', ["one_class_folder"]),
    (TORCH, "prepare_test = prepare", "prepare_test = transforms.ToTensor()", ["normalisation_differs"]),
    (TORCH, "[0.5] * 3, [0.5] * 3", "[0.0] * 3, [255.0] * 3", ["pixels_scaled_twice"]),
    (TORCH, "[0.5] * 3, [0.5] * 3", "[0.0] * 3, [1 / 255] * 3", ["pixels_not_scaled"]),
    (TORCH, "lr=0.01", "lr=1e9", ["diverging_learning_rate"]),
    (TORCH, "model(images), labels", "model(images), labels + 1", ["labels_off_by_one"]),
    (KERAS, "", "", []),
    (KERAS, '"pictures/train"', '"pictures/one"', ["one_class_folder"]),
    (KERAS, "layers.Rescaling(1 / 255), ", "", ["pixels_not_scaled"]),
    (KERAS, "layers.Rescaling(1 / 255), ", "layers.Rescaling(1 / 255), layers.Rescaling(1 / 255), ", ["pixels_scaled_twice"]),
    (KERAS, "SGD(0.01)", "SGD(1e30)", ["diverging_learning_rate"]),
]  # fmt: skip
ONE_MORE = 'import shutil; shutil.copytree("pictures/train", "pictures/one/train", dirs_exist_ok=True)\n'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tuple[Piece, ...], Execution]]:
    """All notebooks as one, each an answer of its own, in one real run."""
    sources = [IMAGES]
    for source, old, new, _ in SPOILT:
        assert old in source
        spoilt = source.replace(old, new, 1) if old else source
        if "one" in new:
            spoilt = ONE_MORE + spoilt
        elif '"pictures"' in new:
            spoilt = 'import shutil; shutil.rmtree("pictures/one", ignore_errors=True)\n' + spoilt
        sources.append(spoilt)
    pieces = tuple(Piece(index=i, cell=i, kind="code", source=s, section=i) for i, s in enumerate(sources))
    # Data sets are noted by the code that serves them, which comes with a bundle.
    given = bundle(Profile.SMOKE, ("mnist",), tmp_path_factory.mktemp("bundles")).folder
    with ForkServer() as server:
        setup = Setup(
            server=server,
            profile=Profile.SMOKE,
            limits=Limits(cell=60, question=120, notebook=500),
            bundle=given,
            keep=lambda content: hashlib.sha256(content).hexdigest(),
        )
        execution = asyncio.run(run(list(pieces), setup, lambda *_: None))
    yield pieces, execution


@pytest.mark.parametrize("number", range(1, len(SPOILT) + 1))
def test_what_a_real_run_shows(runs: tuple[tuple[Piece, ...], Execution], number: int) -> None:
    pieces, execution = runs
    answer = Answer(question="q", pieces=(number,))
    case = Case(
        question="q", prompt="", profile=Profile.SMOKE, pieces=pieces, answer=answer, execution=execution
    )
    *_, names = SPOILT[number - 1]
    assert [m.name for m in found(case)] == names, execution.runs[number]
