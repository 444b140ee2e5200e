"""Small notebooks in both frameworks that do everything right, to be spoilt in one place each."""

from __future__ import annotations

from handmade import Notebook

from grader.checks.base import Case
from grader.checks.mistakes.registry import found

TORCH = """
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train_set = datasets.MNIST("data", train=True, download=True, transform=transform)
test_set = datasets.MNIST("data", train=False, download=True, transform=transform)
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=256)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8 * 26 * 26, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = self.drop(torch.flatten(x, 1))
        x = self.fc(x)
        return x

model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(3):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
    print(f"Epoch {epoch + 1}: loss {loss.item():.4f}")

model.eval()
correct = 0
with torch.no_grad():
    for images, labels in test_loader:
        predicted = model(images).argmax(dim=1)
        correct += (predicted == labels).sum().item()
print("Test accuracy:", correct / len(test_set))
"""

KERAS = """
import numpy as np
import keras
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.astype("float32")[..., None] / 255
x_test = x_test.astype("float32")[..., None] / 255
model = keras.Sequential([
    keras.Input(shape=(28, 28, 1)),
    layers.Conv2D(32, 3, activation="relu"),
    layers.Flatten(),
    layers.Dropout(0.5),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=3, validation_split=0.1)
test_loss, test_accuracy = model.evaluate(x_test, y_test)
print("Test accuracy:", test_accuracy)
"""

VGG = """
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms

t = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
train_set = datasets.ImageFolder("data/train", transform=t)
val_set = datasets.ImageFolder("data/val", transform=t)
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
val_loader = DataLoader(val_set, batch_size=16)
model = models.vgg16(weights="IMAGENET1K_V1")
for p in model.features.parameters():
    p.requires_grad = False
model.classifier[6] = nn.Linear(4096, len(train_set.classes))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(2):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
"""

MOBILENET = """
import keras
from keras import layers

train_ds = keras.utils.image_dataset_from_directory("data/train", image_size=(160, 160))
val_ds = keras.utils.image_dataset_from_directory("data/val", image_size=(160, 160))
base = keras.applications.MobileNetV2(input_shape=(160, 160, 3), include_top=False, weights="imagenet")
base.trainable = False
model = keras.Sequential([layers.Rescaling(1 / 127.5, offset=-1), base, layers.GlobalAveragePooling2D(),
                          layers.Dense(5, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=2)
"""


def changed(source: str, *pairs: tuple[str, str]) -> str:
    """The source with each first text replaced; a text that is not there is a mistake of the test."""
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def names(case: Case) -> list[str]:
    """What is found, of all mistakes."""
    return [m.name for m in found(case)]


def written(*cells: str) -> list[str]:
    """What is found in code that was not run."""
    nb = Notebook()
    for cell in cells:
        nb.code(cell)
    return names(nb.case(execution=None))
