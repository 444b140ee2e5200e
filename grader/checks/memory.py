"""Where a wrong figure comes from: parameters and memory of a stack of convolutions, counted in other ways.

Given the layers, `explain` computes every figure that a plausible way of counting yields, and names the way
that leads to the student's number: biases forgotten, every map kept, gradients counted, inputs left
out, steps of 1,024. Nothing is looked up: another network has other figures and the same explanations.

A ``quantity`` criterion may carry the layers, which are a `Network`::

    explain: {input: [3, 200, 300], layers: [{units: 100, kernel: 3, stride: 2}, ...], batch: 50}

Its check then calls ``explain(network, value_in_bytes, "byte")`` for memory and
``explain(network, value, None)`` for parameters, and shows the sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from pydantic import Field

from grader.record import Record

TOLERANCE = 0.006
"""Relative: students round 14.13 to 14.1 and 1,059 to 1.06 thousand."""

UNITS = {"byte": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Convolution(Record):
    """One layer: ``units`` maps, a square ``kernel``, ``stride``; padding is 'same' or 'valid'."""

    units: int = Field(gt=0)
    kernel: int = Field(gt=0)
    stride: int = Field(1, gt=0)
    padding: Literal["same", "valid"] = "same"


class Network(Record):
    """A stack of convolutions on inputs of ``input`` = (channels, height, width)."""

    input: tuple[int, int, int]
    layers: tuple[Convolution, ...] = Field(min_length=1)
    batch: int = Field(50, gt=0)
    bytes_each: int = Field(4, gt=0, description="of one value: 4 for 32-bit floats")

    def sizes(self) -> tuple[tuple[int, int, int], ...]:
        """Channels, height and width of each layer's output."""
        found, (_, h, w) = [], self.input
        for x in self.layers:
            if x.padding == "same":
                h, w = math.ceil(h / x.stride), math.ceil(w / x.stride)
            else:
                h, w = (h - x.kernel) // x.stride + 1, (w - x.kernel) // x.stride + 1
            found.append((x.units, h, w))
        return tuple(found)

    def maps(self) -> tuple[int, ...]:
        """Values in each layer's output, for one image."""
        return tuple(math.prod(s) for s in self.sizes())

    def weights(self) -> tuple[int, ...]:
        """Weights of each layer, without biases."""
        incoming = (self.input[0], *(x.units for x in self.layers))
        return tuple(x.kernel**2 * c * x.units for x, c in zip(self.layers, incoming, strict=False))

    def biases(self) -> tuple[int, ...]:
        return tuple(x.units for x in self.layers)


@dataclass(frozen=True)
class Way:
    """A figure, and how it comes about in words that follow "that is what you get if you"."""

    value: float
    words: str
    steps: int
    """How far it is from the right way: of several that fit, the nearest explains best."""
    memory: bool


def explain(network: Network, number: float, unit: str | None) -> str | None:
    """Where ``number`` (in ``unit``: a key of `UNITS`, or None for a count) comes from; None where no way
    of counting leads to it.

    :raises ValueError: the unit is unknown.
    """
    if unit is not None and unit not in UNITS:
        raise ValueError(f"unknown unit {unit!r}: one of {', '.join(UNITS)}")
    memory = unit is not None
    value = number * (UNITS[unit] if unit else 1)
    fitting = []
    for way in ways(network):
        if way.memory != memory:
            continue
        for factor, words in _spellings(unit):
            off = abs(value * factor - way.value) / way.value
            exact = memory or off < 1e-9 or (off <= TOLERANCE and _rounded(number, way.value))
            if off <= TOLERANCE and exact:
                fitting.append((not memory and off > 1e-9, way.steps + (1 if words else 0), off, way, words))
    if not fitting:
        return None
    *_, best, spelling = min(fitting, key=lambda f: f[:3])
    shown = _show(best.value, memory)
    return f"{shown} is what comes out if {best.words}{spelling}."


def _rounded(number: float, value: float) -> bool:
    """Whether a count was rounded by hand (0.9 million) rather than counted otherwise."""
    digits = f"{number:.0f}".rstrip("0")
    return len(digits) <= 3


def _spellings(unit: str | None) -> Iterator[tuple[float, str]]:
    yield 1.0, ""
    if unit in ("MB", "GB", "kB"):
        binary = {"kB": "KiB", "MB": "MiB", "GB": "GiB"}[unit]
        factor = UNITS[binary] / UNITS[unit]
        yield (
            factor,
            f", divided by {1024 ** ('kMG'.index(unit[0]) + 1):,} and so in {binary}, though it says {unit}",
        )


def _show(value: float, memory: bool) -> str:
    if not memory:
        return f"{value:,.0f}"
    return f"{value / 1e9:,.2f} GB" if value >= 1e9 else f"{value / 1e6:,.1f} MB"


def ways(network: Network) -> Iterator[Way]:
    """Every way of counting parameters, memory to predict and memory to train."""
    yield from _parameters(network)
    yield from _predicting(network)
    yield from _training(network)


def _parameters(n: Network) -> Iterator[Way]:
    weights, biases = n.weights(), n.biases()
    whole = sum(weights) + sum(biases)
    yield Way(whole, "every layer's weights and biases are counted", 0, False)
    yield Way(sum(weights), f"the {sum(biases):,} biases, one for each output map, are forgotten", 1, False)
    yield Way(
        sum(weights) + len(biases),
        "one bias is counted for each layer, not one for each output map",
        2,
        False,
    )
    flat = sum(x.kernel**2 * x.units for x in n.layers)
    yield Way(flat, "the number of incoming maps is left out, and the biases", 3, False)
    yield Way(flat + sum(biases), "the number of incoming maps is left out", 2, False)
    for i, (w, b) in enumerate(zip(weights, biases, strict=True), 1):
        yield Way(w + b, f"only layer {i} is counted", 2, False)
        if len(weights) > 1:
            yield Way(whole - w - b, f"layer {i} is left out", 2, False)
        first = (n.layers[i - 1].kernel ** 2 + 1) * n.layers[i - 1].units
        yield Way(whole - w - b + first, f"the incoming maps of layer {i} are left out", 3, False)


def _predicting(n: Network) -> Iterator[Way]:
    maps, each = n.maps(), n.bytes_each
    values = (math.prod(n.input), *maps)
    pairs = [a + b for a, b in pairwise(maps)] or [maps[0]]
    parameters = sum(n.weights()) + sum(n.biases())
    held = {
        "two consecutive layers at a time are held": (max(pairs), 0),
        "every layer's maps are kept, where two consecutive layers suffice": (sum(maps), 1),
        "only the largest layer's maps are held": (max(maps), 1),
        "every layer's maps and the input are kept, where two consecutive layers suffice": (sum(values), 2),
        "only the last layer's maps are held": (maps[-1], 2),
    }
    for (words, (count, steps)), (extra, about, more) in product(
        held.items(),
        (
            (parameters, ", with the parameters", 0),
            (0, ", without the parameters", 1),
            (sum(n.weights()), ", with the parameters but not their biases", 1),
        ),
    ):
        yield Way((count + extra) * each, f"for one image {words}{about}", steps + more, True)
    yield Way(parameters * each, "the parameters alone are counted", 3, True)


def _training(n: Network) -> Iterator[Way]:
    maps, each = sum(n.maps()), n.bytes_each
    pixels, parameters = math.prod(n.input), sum(n.weights()) + sum(n.biases())
    forward: dict[str, tuple[int, int]] = {
        "every map of the batch is kept": (maps * n.batch, 0),
        "every map of the batch is kept and its gradient is counted as well, more than the least": (
            2 * maps * n.batch,
            1,
        ),
        "the maps of one image only are kept": (maps, 2),
        "only two consecutive layers of the batch are held, as for a prediction": (
            max([a + b for a, b in pairwise(n.maps())] or [maps]) * n.batch,
            2,
        ),
    }
    inputs = {"": (pixels * n.batch, 0), "the input images are left out": (0, 1)}
    held = {
        "": (parameters, 0),
        "the parameters are left out": (0, 1),
        "the parameters are counted for every image": (parameters * n.batch, 2),
        "the parameters' gradients are counted as well": (2 * parameters, 1),
        "the parameters, their gradients and an optimiser's two moments are counted": (4 * parameters, 2),
    }
    for (words, (count, a)), (left, (images, b)), (about, (weights, c)) in product(
        forward.items(), inputs.items(), held.items()
    ):
        said = "; ".join(w for w in (words, left, about) if w)
        yield Way((count + images + weights) * each, f"for a batch of {n.batch} {said}", a + b + c, True)
