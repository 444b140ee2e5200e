"""What honest and dishonest trainings of LeNet-5 reach on the smoke subset of MNIST, and how far they move the weights.

    uv run python bench/little_data.py [--whole FOLDER_WITH_THE_FOUR_IDX_FILES]

Behind the rule of `accuracy` that guessing in ``smoke`` is only lost where training moved the weights at
least half as far as the reference's did. With ``--whole`` the same, on all of MNIST. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

from grader.resources.sources import idx

Data: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
Maker: TypeAlias = Callable[[], nn.Module]
OPTIMISERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "SGD 0.01": lambda m: torch.optim.SGD(m.parameters(), lr=0.01),
    "SGD 0.01, momentum 0.9": lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
    "SGD 0.1": lambda m: torch.optim.SGD(m.parameters(), lr=0.1),
    "Adam 0.001": lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
    "Adam 0.05": lambda m: torch.optim.Adam(m.parameters(), lr=0.05),
}
ACTIVATIONS: dict[str, Maker] = {"tanh": nn.Tanh, "ReLU": nn.ReLU, "sigmoid": nn.Sigmoid}


def lenet(activation: Maker) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), activation(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), activation(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), activation(), nn.Linear(120, 84), activation(),
        nn.Linear(84, 10),
    )  # fmt: skip


def data(folder: str | None) -> Data:
    """Training images and labels, and those that the result is measured on."""
    if folder is not None:
        arrays = idx.read(Path(folder))
    else:
        shipped = idx.shipped()
        arrays = tuple(shipped[n] for n in ("x_train", "y_train", "x_held_out", "y_held_out"))  # type: ignore[assignment]
    x, y, u, v = (torch.from_numpy(a.copy()) for a in arrays)
    return x[:, None].float() / 255, y.long(), u[:, None].float() / 255, v.long()


def trained(
    given: Data, activation: Maker, optimiser: str, epochs: int, shuffled: bool = False
) -> tuple[float, float]:
    """Accuracy, and how far the weights moved by the size that they had."""
    x, y, u, v = given
    torch.manual_seed(0)
    y = y[torch.randperm(len(y))] if shuffled else y
    net = lenet(activation)
    before = [p.detach().clone() for p in net.parameters()]
    step = OPTIMISERS[optimiser](net)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            step.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            step.step()
    moved = sum(float(((a - b.detach()) ** 2).sum()) for a, b in zip(before, net.parameters(), strict=True))
    with torch.no_grad():
        right = float((net(u).argmax(1) == v).float().mean())
    return right, float((moved / sum(float((a**2).sum()) for a in before)) ** 0.5)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each training, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--whole", help="folder with the four IDX files of MNIST")
    parser.add_argument("--only", help="one optimiser, by its name in the table")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    known = data(given.whole)
    print("| activation | optimiser | epochs | labels | accuracy | moved |\n|---|---|---|---|---|---|")
    for optimiser in [given.only] if given.only else OPTIMISERS:
        for name, activation in ACTIVATIONS.items():
            for epochs, shuffled in ((2, False), (5, False), (5, True)):
                right, moved = trained(known, activation, optimiser, epochs, shuffled)
                labels = "shuffled" if shuffled else "right"
                print(
                    f"| {name} | {optimiser} | {epochs} | {labels} | {right:.1%} | {moved:.3f} |", flush=True
                )


if __name__ == "__main__":
    main()
