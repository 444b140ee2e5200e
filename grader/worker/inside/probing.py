"""Times one and the same small training, in a clean process that has run no student code.

What it takes tells how fast this machine is at this moment, under whatever else it does: the measure
that seconds of different hours are compared by.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

WARM_UP, STEPS, BATCH = 4, 24, 64


def run(task: dict[str, Any]) -> None:
    """Writes ``probe.json`` with the seconds of `STEPS` steps of a small convolutional network."""
    seconds = measure(int(task.get("threads", 1)))
    target = os.path.join(task["out"], "probe.json")
    with open(target + ".part", "w", encoding="utf-8") as f:
        json.dump({"seconds": seconds}, f)
    os.replace(target + ".part", target)


def measure(threads: int) -> float:
    """LeNet-5 on random images: forward, backward and a step, as coursework trains."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    images, labels = torch.rand(BATCH, 1, 28, 28), torch.randint(10, (BATCH,))
    started = 0.0
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:  # what first use costs is not the machine's load
            started = time.perf_counter()
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimiser.step()
    return time.perf_counter() - started
