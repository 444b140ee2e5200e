"""A model is trained on random numbers, or on a handful of images."""

from __future__ import annotations

import re

from grader.checks.base import Case
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.mistakes.data import made_of_noise, origins, unloaded
from grader.checks.mistakes.observed import line_about, uses
from grader.checks.mistakes.trace import trace
from grader.checks.mistakes.values import Event, Value

NOISE = Words(
    name="trained_on_noise",
    title="Trained on random numbers",
    why="There is nothing to learn in noise, so neither its loss nor its accuracy means anything.",
    hint="Noise is good for a test of shapes; for training, load the data that the question names.",
)
FEW = Words(
    name="trained_on_few_images",
    title="Trained on a handful of images",
    why="A model learns so few images by heart and knows nothing of others.",
    hint="Count what one pass over the data really sees.",
)
HANDFUL = 10


def _inputs(case: Case) -> list[tuple[Event, Value]]:
    """Each training's data: what it loops over or calls the model with, and what it is fitted on."""
    found: list[tuple[Event, Value]] = []
    for t in pytorch.trainings(case):
        data = t.data if t.data is not None and not t.data.is_call("range") else None
        if data is not None:
            found.append((t.backward, data))
        elif t.inputs:
            found.append((t.backward, t.inputs[0]))
    found += [(f.event, f.x) for f in keras.fits(case) if f.x is not None]
    return found


def find_noise(case: Case) -> list[Mistake]:
    """Every training of the answer gets random numbers and nothing else; a trial beside real training is fine."""
    found = [(e, made_of_noise(v)) for e, v in _inputs(case)]
    if found and all(noise is not None for _, noise in found):
        event, noise = found[-1]
        assert noise is not None and noise.piece is not None
        made = next((e for e in trace(case).events if e.value is noise), None)
        return [
            NOISE.seen(f"What the model is trained on comes from `{noise.last}`.", quote(made), quote(event))
        ]
    fake = [d for d in uses(case) if d.split in ("train", "unknown", "all")]
    if fake and all(d.loader.endswith("FakeData") for d in fake) and found:
        return [
            NOISE.seen(
                "What the model is trained on is torchvision's FakeData: noise.", line_about(case, "FakeData")
            )
        ]
    return []


def find_few(case: Case) -> list[Mistake]:
    """Every training gets at most ten images, told by a slice or a subset of constants."""
    found = [(e, _count(unloaded(v))) for e, v in _inputs(case)]
    counts = [n for _, n in found if n is not None]
    if found and len(counts) == len(found) and max(counts) <= HANDFUL:
        event, n = found[-1]
        images = "image" if n == 1 else "images"
        return [FEW.seen(f"The model is trained on {n} {images}.", quote(event), images=n)]
    return []


def _count(value: Value | None) -> int | None:
    """How many images a value surely has: a slice ``[:n]`` of a data set, or ``Subset(…, range(n))``."""
    if value is None:
        return None
    if value.op == "item" and value.base is not None and origins(value.base):
        m = re.fullmatch(r"(?:0)?:(\d+)(?:,.*)?", value.path)
        return int(m[1]) if m else None
    if value.is_call("Subset") and (chosen := value.given(1, "indices")):
        if chosen.is_call("range") and len(chosen.args) == 1 and isinstance(chosen.args[0].constant, int):
            return chosen.args[0].constant
        return len(chosen.args) if chosen.op == "sequence" else None
    if value.is_call("from_tensor_slices") and value.args:
        return _count(value.args[0])
    if value.op == "sequence" and len(value.args) == 2:  # images and their labels
        return _count(value.args[0])
    if value.is_call("map") and value.base is not None:
        return _count(unloaded(value.base))
    if value.called and value.base is not None and value.path in (".reshape", ".astype"):
        return _count(value.base)
    if value.op == "operation" and value.path in ("Div", "Mult"):
        return _count(value.args[0])
    return None


KINDS = (NOISE.kind(find_noise), FEW.kind(find_few))
