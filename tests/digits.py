"""A small network on the shipped MNIST subset, in pieces that tests put together as notebooks."""

from __future__ import annotations

DATA = """\
import torch
from torch import nn
from torchvision import datasets, transforms
torch.manual_seed(1)
digits = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
tests = datasets.MNIST("data", train=False, download=True, transform=transforms.ToTensor())
x, y = torch.stack([image for image, _ in digits]), torch.tensor([label for _, label in digits])
u, v = torch.stack([image for image, _ in tests]), torch.tensor([label for _, label in tests])"""

NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 5, stride=2, padding=2)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(8 * 7 * 7, 24)
        self.out = nn.Linear(24, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv(x)))
        return self.out(torch.relu(self.hidden(x.flatten(1))))

model = Net()"""

PARAMETERS = 9890
"""Of `NET`: 208 + 9,432 + 250."""

TRAIN = """\
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(4):
    for rows in torch.randperm(len(x)).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()"""

TRAIN_WITH_LOG = """\
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(4):
    model.train()
    for rows in torch.randperm(len(x)).split(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        a, b = ((model(i).argmax(1) == l).float().mean().item() for i, l in ((x, y), (u, v)))
    print(f"Epoch {epoch + 1}/4: training accuracy {a:.4f}, validation accuracy {b:.4f}")"""

TEST = """\
model.eval()
with torch.no_grad():
    right = (model(u).argmax(1) == v).float().mean().item()
print(f"Test accuracy: {right:.2%}")"""
