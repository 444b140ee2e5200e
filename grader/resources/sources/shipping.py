"""Makes the subset of MNIST that the package ships, from the four official files."""

from __future__ import annotations

from pathlib import Path

from grader.resources import draw, formats
from grader.resources.sources import idx


def write(folder: str, target: str) -> None:
    """Draws the subset from the IDX files in ``folder`` and writes it as the npz file ``target``."""
    x, y, tx, ty = idx.read(Path(folder))
    train = draw.by_class(y, idx.TRAIN)
    test = draw.by_class(ty, idx.TEST)
    held = draw.by_class(ty, idx.HELD_OUT, skip=idx.TEST)
    formats.write_npz(
        Path(target), 9,
        x_train=x[train], y_train=y[train], x_test=tx[test], y_test=ty[test],
        x_held_out=tx[held], y_held_out=ty[held],
    )  # fmt: skip
