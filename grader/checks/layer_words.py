"""Differences between layers in words that a student understands."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Protocol

from grader.checks.models import shape_words
from grader.evidence.model import Layer, LayerKind


class Wanted(Protocol):
    """What the words need of an expected layer."""

    @property
    def kinds(self) -> tuple[LayerKind, ...]: ...
    @property
    def units(self) -> int | str | None: ...
    @property
    def kernel(self) -> int | tuple[int, ...] | None: ...
    @property
    def stride(self) -> int | tuple[int, ...] | None: ...
    @property
    def optional(self) -> bool: ...


def times(size: int | tuple[int, ...]) -> str:
    """A kernel or stride: 5 and (5, 5) are "5×5"."""
    values = (size, size) if isinstance(size, int) else size
    return "×".join(map(str, values))


def _unit(kind: LayerKind) -> str:
    return "units" if kind in (LayerKind.DENSE, LayerKind.RECURRENT, LayerKind.EMBEDDING) else "maps"


def expected_words(want: Wanted, classes: int | None) -> str:
    """``convolution, 16 maps, 5×5``."""
    parts = [" or ".join(k.value for k in want.kinds)]
    if want.units is not None:
        number = (classes or "one for each class") if want.units == "classes" else want.units
        parts.append(f"{number} {_unit(want.kinds[0])}" if isinstance(number, int) else number)
    if want.kernel is not None:
        parts.append(times(want.kernel))
    if want.stride is not None:
        parts.append(f"stride {times(want.stride)}")
    return ", ".join(parts)


def layer_row(want: Wanted | None, have: Layer | None, classes: int | None) -> tuple[str, ...]:
    """One row of the table: the student's layer, its output, its parameters, what was expected."""
    right = expected_words(want, classes) if want else "nothing"
    return (*(layer_cells(have) if have is not None else ("none", "", "")), right)


def layer_cells(have: Layer) -> tuple[str, str, str]:
    """A layer, its output, its parameters: ``convolution, 6 maps, 5×5``, ``(batch, 6, 28, 28)``, ``156``."""
    parts = [have.kind.value]
    if have.units is not None:
        parts.append(f"{have.units} {_unit(have.kind)}")
    if have.kernel:
        parts.append(times(have.kernel))
    if have.stride and any(s != 1 for s in have.stride):
        parts.append(f"stride {times(have.stride)}")
    shape = shape_words(have.output_shape) if have.output_shape else ""
    return ", ".join(parts), shape, "shared" if shares(have) else f"{have.parameters:,}"


def shares(layer: Layer) -> bool:
    """Whether its weights are those of an earlier layer, which has them in its count."""
    return not layer.parameters and layer.kind in (
        LayerKind.CONVOLUTION,
        LayerKind.TRANSPOSED_CONVOLUTION,
        LayerKind.DENSE,
    )


def expected_parameters(
    want: Wanted, have: Layer, classes: int | None, fewer: tuple[int, int] | None
) -> int | None:
    """Parameters that the layer would have had as expected, from those that it has.

    ``fewer`` is (expected, measured) units of the layer before, where these differ: its maps are this
    layer's inputs. (kh × kw × c_in + bias) × c_out for a convolution, (inputs + bias) × units if dense.
    """
    if not have.units or not have.parameters:
        return None
    units = classes if want.units == "classes" else want.units
    units = units if isinstance(units, int) else have.units
    each = have.parameters / have.units
    area = prod(have.kernel) if have.kernel and have.kind is not LayerKind.DENSE else 1
    bias = 1 if round(each) % area == 1 or area == 1 else 0
    inputs = (each - bias) / area
    if inputs != int(inputs) or inputs <= 0:
        return None
    if fewer is not None and inputs % fewer[1] == 0:
        inputs = inputs / fewer[1] * fewer[0]
    if want.kernel is not None and have.kernel:
        area = prod((want.kernel,) * len(have.kernel) if isinstance(want.kernel, int) else want.kernel)
    return int((inputs * area + bias) * units)


def differences(
    expected: Sequence[Wanted],
    layers: Sequence[Layer],
    pairs: Sequence[tuple[int | None, int | None]],
    rows: Sequence[int],
    names: Sequence[str],
    classes: int | None,
) -> list[str]:
    """The rows that differ, in words; layers that are missing at one place in one sentence."""
    said: list[str] = []
    missing: list[int] = []
    for n, row in enumerate(rows):
        if pairs[row][1] is not None:
            said.append(_difference(expected, layers, pairs, row, names, classes))
            continue
        missing.append(row)
        if n + 1 == len(rows) or rows[n + 1] != row + 1 or pairs[row + 1][1] is not None:
            said.append(_missing(expected, layers, pairs, missing, names, classes))
            missing = []
    return said


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _missing(
    expected: Sequence[Wanted],
    layers: Sequence[Layer],
    pairs: Sequence[tuple[int | None, int | None]],
    rows: Sequence[int],
    names: Sequence[str],
    classes: int | None,
) -> str:
    """``two layers are missing after the second convolution, whose output is …: dense, 120 units; …``."""
    before = next((j for _, j in reversed(pairs[: rows[0]]) if j is not None), None)
    where = "at the start" if before is None else f"after the {names[before]}"
    if before is not None and layers[before].output_shape:
        where += f", whose output is {shape_words(layers[before].output_shape)}"
    wants = [expected_words(expected[i], classes) for r in rows if (i := pairs[r][0]) is not None]
    if len(rows) == 1:
        return f"a layer is missing {where}: expected {wants[0]}"
    count = NUMBERS[len(rows)] if len(rows) < len(NUMBERS) else str(len(rows))
    return f"{count} layers are missing {where}: expected {', then '.join(f'({w})' for w in wants)}"


def _difference(
    expected: Sequence[Wanted],
    layers: Sequence[Layer],
    pairs: Sequence[tuple[int | None, int | None]],
    row: int,
    names: Sequence[str],
    classes: int | None,
) -> str:
    """One difference: ``the second convolution has 32 maps, expected 16: 4,832 parameters where …``."""
    i, j = pairs[row]
    assert j is not None
    name = names[j]
    have = layers[j]
    if i is None:
        size = f" with {have.units} {_unit(have.kind)}" if have.units else ""
        return f"the {name}{size} is one layer more than expected"
    want = expected[i]
    said = []
    units = classes if want.units == "classes" else want.units
    if units is not None and have.units != units:
        said.append(f"has {have.units} {_unit(have.kind)}, expected {units}")
    if want.kernel is not None and have.kernel and times(want.kernel) != times(have.kernel):
        said.append(f"has a {times(have.kernel)} kernel, expected {times(want.kernel)}")
    if want.stride is not None and have.stride and times(want.stride) != times(have.stride):
        said.append(f"has a stride of {times(have.stride)}, expected {times(want.stride)}")
    words = f"the {name} " + (", and ".join(said) or "differs")
    right = expected_parameters(want, have, classes, _units_before(expected, layers, pairs, row, classes))
    if right is not None and right != have.parameters:
        words += f": {have.parameters:,} parameters where {right:,} were expected"
    return words


def _units_before(
    expected: Sequence[Wanted],
    layers: Sequence[Layer],
    pairs: Sequence[tuple[int | None, int | None]],
    row: int,
    classes: int | None,
) -> tuple[int, int] | None:
    for i, j in reversed(pairs[:row]):
        if i is None or j is None or not layers[j].units or not layers[j].parameters:
            continue
        units = classes if expected[i].units == "classes" else expected[i].units
        have = layers[j].units
        return (units, have) if isinstance(units, int) and have and units != have else None
    return None
