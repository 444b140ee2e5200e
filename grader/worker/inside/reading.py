"""Reads an exported model in a clean process: one that has run no student code and is sandboxed itself.

Input: a folder with ``program.pt2`` (or ``program.keras``) and, where predictions are wanted,
``inputs.npz`` and ``preprocessing.json``. Output: ``measurement.json``, the fields of the evidence
record `Measurement`, less those that the worker knows itself.

The program is still a student's: its archive is rewritten first (`archive`), so that nothing in it is
unpickled or evaluated.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import time
import traceback
import warnings
from typing import Any

from . import layers, preprocess
from .archive import Malformed, rewrite

BATCH = 100


def run(task: dict[str, Any]) -> None:
    """Measures; whatever goes wrong is written as the result."""
    started = time.monotonic()
    try:
        result = measure(task["folder"], int(task.get("threads", 1)))
    except Malformed as e:
        result = {"state": "refused", "reason": str(e)}
    except Exception as e:
        traceback.print_exc()
        result = {"state": "refused", "reason": f"it could not be read: {type(e).__name__}: {str(e)[:300]}"}
    result["seconds"] = time.monotonic() - started
    target = os.path.join(task["out"], "measurement.json")
    with open(target + ".part", "w", encoding="utf-8") as f:
        json.dump(result, f)
    os.replace(target + ".part", target)


def measure(folder: str, threads: int) -> dict[str, Any]:
    """The fields of `Measurement` for the program in ``folder``."""
    if os.path.exists(os.path.join(folder, "program.keras")):
        from . import keras_reading

        return keras_reading.measure(folder)
    import torch

    torch.set_num_threads(threads)
    with open(os.path.join(folder, "program.pt2"), "rb") as f:
        clean = rewrite(f.read())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(io.BytesIO(clean))
    found = layers.read(program)
    wanted = os.path.join(folder, "preprocessing.json")
    found["predictions"], found["weights"] = [], _digests(program)
    if os.path.exists(wanted) and not found.pop("meta"):
        with open(wanted, encoding="utf-8") as f:
            entries = json.load(f)
        try:
            found["predictions"] = predict(program, found["input_shape"], entries, folder)
        except Exception as e:  # counts and shapes stand on their own
            found["reason"] = f"it could not predict on held-out images: {type(e).__name__}: {str(e)[:300]}"
    found.pop("meta", None)
    return {"state": "measured", **found}


def predict(
    program: Any, input_shape: list[Any], wanted: list[dict[str, Any]], folder: str
) -> list[dict[str, Any]]:
    """The arg-max class of each held-out input, under each preprocessing asked for."""
    import numpy as np
    import torch

    results = []
    started = time.monotonic()
    shape = [n if isinstance(n, int) else 2 for n in input_shape]
    program.example_inputs = ((torch.zeros(shape),), {})  # in place of the pickled ones that were not read
    module = program.module()
    fixed = input_shape[0] if input_shape and isinstance(input_shape[0], int) else None
    for entry in wanted:
        images = np.load(os.path.join(folder, entry["inputs"]))["x"]
        try:
            transform = preprocess.build(entry["preprocessing"]["steps"])
        except preprocess.Unknown as e:
            print(f"preprocessing unknown: {e}", file=sys.stderr)
            continue
        if entry.get("part", "held-out") != "held-out" and time.monotonic() - started > preprocess.PATIENCE:
            continue
        classes: list[int] = []
        outputs = 0
        least = most = None  # of each output, over all images
        size = fixed or BATCH
        with torch.no_grad():
            for start in range(0, len(images), size):
                batch = torch.stack([transform(i) for i in images[start : start + size]])
                short = size - len(batch) if fixed else 0
                if short:
                    batch = torch.cat([batch, batch[:1].expand(short, *batch.shape[1:])])
                answer = module(batch)
                answer = answer[0] if isinstance(answer, (tuple, list)) else answer
                outputs = int(answer.shape[-1])
                seen = answer[: len(batch) - short].reshape(len(batch) - short, -1)
                low, high = seen.amin(0), seen.amax(0)
                least = low if least is None else torch.minimum(least, low)
                most = high if most is None else torch.maximum(most, high)
                best = answer.argmax(-1) if outputs > 1 else (answer > 0).long().flatten()
                classes += [int(c) for c in best[: len(batch) - short].flatten()]
        results.append(
            {
                "dataset": entry["dataset"],
                "held_out": entry["held_out"],
                "part": entry.get("part", "held-out"),
                "preprocessing": entry["preprocessing"],
                "classes": classes,
                "outputs": outputs,
                "constant": len(set(classes)) == 1 and _equal(least, most),
            }
        )
    return results


def _digests(program: Any) -> dict[str, str]:
    """SHA-256 of each parameter's values, so that two programs of one model can be told apart outside."""
    import torch

    found = {}
    for name in program.graph_signature.parameters:
        value = program.state_dict.get(name)
        if value is not None and value.device.type != "meta":
            raw = value.detach().contiguous().view(-1).view(torch.uint8).numpy()
            found[name] = hashlib.sha256(raw.tobytes()).hexdigest()
    return found


def _equal(least: Any, most: Any) -> bool:
    """Whether no output differs between inputs by more than rounding does; what is not a number tells none apart."""
    scale = max(1e-6, float(most.abs().max()))
    return not float((most - least).max()) > 1e-6 * scale
