"""What a Keras model was given: the shape and range of its inputs, and how they were made from images.

Keras has no transforms that could be asked; so the preparation is read from the values themselves. Stored
pixels are whole numbers from 0 to 255: where the values lie on 256 evenly spaced steps, the factor
and the offset are known exactly. Anything else is said to be unknown, never guessed.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from . import record

MOST = 256
"""Images that are looked at."""
STORED = {
    "mnist": (28, 28),
    "fashion-mnist": (28, 28),
    "kmnist": (28, 28),
    "cifar10": (32, 32),
    "cifar100": (32, 32),
}
"""Height and width of a data set's images as they are stored."""
_looked: set[int] = set()


@dataclass
class Found:
    shape: tuple[int, ...]
    range: tuple[float, float] | None
    preprocessing: dict[str, Any] | None = None
    size: int = 0


def look(data: Any, how: str) -> Found | None:
    """Shape and range of what a model was fitted on, evaluated with or called with; notes its preparation."""
    import numpy as np

    batch = _batch(data)
    if batch is None:
        return None
    array, size = batch
    if array is None:  # only the form is known
        return Found(shape=tuple(size), range=None)
    if array.ndim < 2 or array.dtype.kind not in "fiub":
        return None
    values = np.asarray(array[:MOST], dtype=np.float64)
    lo, hi = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    found = Found(shape=tuple(int(n) for n in array.shape[1:]), range=(lo, hi), size=size)
    opened = record.last("dataset")
    found.preprocessing = preparation(values, STORED.get(str(opened.get("dataset"))))
    if opened and how in ("fit", "evaluate", "predict") and found.preprocessing is not None:
        split = {"fit": "train", "evaluate": "test"}.get(how, "unknown")
        seen = {
            "loader": f"keras.Model.{how}",
            "split": split,
            "size": size or opened.get("size", 0),
            "preprocessing": found.preprocessing,
        }
        record.emit("dataset", **{**opened, **seen})
    return found


def _batch(data: Any) -> tuple[Any, Any] | None:
    """(an array of some inputs, how many there are), or (None, the shape of one input)."""
    import numpy as np

    if isinstance(data, dict):
        data = next(iter(data.values()), None)
    elif isinstance(data, (list, tuple)) and data and hasattr(data[0], "shape"):
        data = data[0]
    if isinstance(data, np.ndarray):
        return data[:MOST], len(data)
    tf = sys.modules.get("tensorflow")
    if tf is not None and isinstance(data, tf.data.Dataset):
        return _from_dataset(tf, data)
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(data, keras.utils.PyDataset):
        first = _inputs(data[0]) if len(data) else None
        return None if first is None else (np.asarray(first), len(data) * len(first))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(data, torch.utils.data.DataLoader):
        # of tensors it holds; to draw a batch from others would move the notebook's random numbers on
        tensors = getattr(data.dataset, "tensors", None)
        return _batch(tensors[0]) if tensors else None
    if hasattr(data, "shape") and hasattr(data, "numpy"):  # a tensor of TensorFlow or PyTorch
        part = data[:MOST]
        return np.asarray(part.detach().cpu() if hasattr(part, "detach") else part.numpy()), int(
            data.shape[0]
        )
    return None


def _inputs(element: Any) -> Any:
    while isinstance(element, (tuple, list)) and element:
        element = element[0]
    return next(iter(element.values()), None) if isinstance(element, dict) else element


def _from_dataset(tf: Any, data: Any) -> tuple[Any, Any] | None:
    spec = _inputs(data.element_spec)
    shape = tuple(n or 0 for n in spec.shape[1:]) if spec is not None and spec.shape.rank else ()
    if id(data) in _looked:  # its pipeline has been run once for us: that is enough
        return (None, shape) if shape else None
    _looked.add(id(data))
    for element in data.take(1):
        first = _inputs(element)
        if first is not None:
            return first.numpy(), 0
    return (None, shape) if shape else None


# ---------------------------------------------------------------- from values to steps


def preparation(values: Any, stored: tuple[int, int] | None = None) -> dict[str, Any] | None:
    """`Preprocessing` of images whose prepared values these are, batch first, channels last or absent.

    The values span all of a data set's first images, so black and white (0 and 255) are taken to
    occur among them. ``stored``: height and width of the stored images, where known. Returns None for
    what is not images at all.
    """
    import numpy as np

    if values.ndim < 2 or values.size == 0:
        return None
    if values.ndim == 4 and values.shape[-1] > 4 >= values.shape[1]:
        values = np.moveaxis(values, 1, -1)
    size = _size(values)
    if size is None:
        return {"steps": [], "known": False, "unknown_steps": ["inputs that are not images"]}
    whole = _affine(values)
    if whole is not None:
        spans = [whole] * (3 if values.ndim == 4 and values.shape[-1] == 3 else 1)
    elif values.ndim == 4 and values.shape[-1] == 3:
        each = [_affine(values[..., c]) for c in range(3)]
        spans = [s for s in each if s is not None]
        if len(spans) < 3:
            return {
                "steps": [],
                "known": False,
                "unknown_steps": ["values that are not a factor and an offset"],
            }
    else:
        return {"steps": [], "known": False, "unknown_steps": ["values that are not a factor and an offset"]}
    steps: list[dict[str, Any]] = _geometry(values, size, stored)
    steps.append({"name": "ToTensor"})
    if any(abs(lo) > 1e-6 or abs(hi - 1) > 1e-6 for lo, hi in spans):
        std = [1 / (hi - lo) for lo, hi in spans]
        steps.append(
            {
                "name": "Normalize",
                "mean": [-lo * s for (lo, _), s in zip(spans, std, strict=True)],
                "std": std,
            }
        )
    return {"steps": steps, "known": True, "unknown_steps": []}


def _size(values: Any) -> tuple[int, int] | None:
    """Height and width; a flat vector counts where it is a square image, as 784 is."""
    if values.ndim == 2:
        side = round(float(values.shape[1]) ** 0.5)
        return (side, side) if side * side == values.shape[1] and side > 4 else None
    return (int(values.shape[1]), int(values.shape[2]))


def _affine(values: Any) -> tuple[float, float] | None:
    """What 0 and 255 became, where all values lie on the 256 steps between; else None."""
    import numpy as np

    lo, hi = float(values.min()), float(values.max())
    if hi <= lo:
        return None
    if lo >= 0 and hi <= 255 and hi > 1.5 and bool((values == np.floor(values)).all()):
        return (0.0, 255.0)
    sample = values.reshape(-1)
    levels = (sample[:: max(1, sample.size // 20_000)] - lo) * (255 / (hi - lo))
    if float(np.abs(levels - np.round(levels)).max()) > 0.02 * 255 / max(255.0, abs(hi) / (hi - lo) * 1e-4):
        return None
    for known in ((0.0, 1.0), (-1.0, 1.0)):  # float32 rounds: the usual ranges are meant exactly
        if abs(lo - known[0]) < 1e-4 and abs(hi - known[1]) < 1e-4:
            return known
    return lo, hi


def _geometry(values: Any, size: tuple[int, int], stored: tuple[int, int] | None) -> list[dict[str, Any]]:
    """How the stored images got their size: padded where a frame is empty, else resized."""
    if stored is None or stored == size:
        return []
    down, across = size[0] - stored[0], size[1] - stored[1]
    if values.ndim >= 3 and down > 0 and across > 0 and down % 2 == 0 and down == across:
        n, background = down // 2, float(values.min())
        frame = [values[:, :n], values[:, -n:], values[:, :, :n], values[:, :, -n:]]
        if all(float(f.max()) == background for f in frame):
            return [{"name": "Pad", "padding": n}]
    return [{"name": "Resize", "size": list(size)}]
