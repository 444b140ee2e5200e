"""Learning curves as small drawings: from `Curve` to coordinates. No HTML in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.report import text
from grader.results import Curve

WIDTH, HEIGHT = 320.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 38.0, 8.0, 8.0, 24.0


@dataclass(frozen=True)
class Trace:
    """One curve: ``points`` and ``band`` as SVG has them, ``band`` empty where there is none."""

    part: str
    points: str
    band: str
    dots: list[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """Training and validation of one quantity over the epochs. ``says`` holds the figures in words."""

    title: str
    says: str
    traces: list[Trace]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    banded: bool
    source: str
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = HEIGHT - BOTTOM


def charts(curves: Sequence[Curve]) -> list[Chart]:
    """One chart for accuracies, one for losses; none where there are no curves."""
    found = []
    for quantity in ("accuracy", "loss"):
        some = [c for c in curves if c.name.endswith(quantity) and len(c.values) > 1]
        if some:
            found.append(_chart(quantity, some))
    return found


def _chart(quantity: str, curves: Sequence[Curve]) -> Chart:
    every = [v for c in curves for row in (c.values, c.low, c.high) for v in row]
    low, high = min(every), max(every)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    epochs = max(max(len(c.values), len(c.low)) for c in curves)

    def x(epoch: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * epoch / max(epochs - 1, 1), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low), 1)

    def path(pairs: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{x(e)},{y(v)}" for e, v in pairs)

    traces = []
    for c in curves:
        over, under = list(enumerate(c.high)), list(enumerate(c.low))
        traces.append(
            Trace(
                part=c.name.split()[0],
                points=path(list(enumerate(c.values))),
                band=path([*over, *reversed(under)]) if len(over) > 1 else "",
                dots=[(x(e), y(v)) for e, v in enumerate(c.values)] if len(c.values) <= 20 else [],
            )
        )
    return Chart(
        title=f"{quantity.capitalize()} by epoch",
        says="; ".join(
            f"{c.name} from {_value(quantity, c.values[0])} to {_value(quantity, c.values[-1])} "
            f"in {len(c.values)} epochs"
            for c in curves
        ),
        traces=traces,
        x_ticks=[Tick(str(e + 1), x(e), HEIGHT - BOTTOM) for e in sorted({0, epochs // 2, epochs - 1})],
        y_ticks=[Tick(_value(quantity, v), LEFT, y(v)) for v in (low, (low + high) / 2, high)],
        banded=any(c.low for c in curves),
        source=curves[0].source,
    )


def _value(quantity: str, value: float) -> str:
    return f"{100 * value:.0f} %" if quantity == "accuracy" else text.short(f"{value:.3g}", 8)
