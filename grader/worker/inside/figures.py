"""A plotting backend that notes what was drawn: the artists of each figure and its pixels.

Whatever backend a notebook asks for, this one stays. A figure is noted when it is shown, and at the
latest at the end of its piece, and is then closed, as notebooks' inline backend does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backend_bases import FigureManagerBase, _Backend
from matplotlib.backends.backend_agg import FigureCanvasAgg

from . import record

MOST_FIGURES, MOST_AXES, MOST_POINTS, MOST_ITEMS = 24, 144, 200, 40
_count: dict[str, int] = {"piece": -1, "figures": 0}


class FigureManager(FigureManagerBase):
    """A manager whose ``show`` notes the figure."""

    def show(self) -> None:
        note(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]
    manager_class = FigureManager


@_Backend.export
class _BackendGrade(_Backend):
    FigureCanvas = FigureCanvas
    FigureManager = FigureManager

    @staticmethod
    def show(*_args: Any, **_kwargs: Any) -> None:
        collect()


def install() -> None:
    """Makes this the backend for good: `matplotlib.use` and `switch_backend` change nothing."""
    plt.switch_backend("module://grade_inside.figures")
    matplotlib.rcParams["figure.max_open_warning"] = 0

    def stay(*_args: Any, **_kwargs: Any) -> None:
        return None

    matplotlib.use = stay
    plt.switch_backend = stay


def install_shell(shell: Any) -> None:
    """`%matplotlib inline`, `notebook`, `widget`, … are accepted and change nothing."""
    shell.enable_matplotlib = lambda gui=None: (gui, "grade")
    shell.enable_pylab = lambda gui=None, import_all=True, welcome_message=False: (gui, "grade", [])


def collect() -> None:
    """Notes and closes every open figure."""
    for number in plt.get_fignums():
        figure = plt.figure(number)
        with contextlib.suppress(Exception):
            note(figure)
        plt.close(figure)


def note(figure: Any) -> None:
    """Writes the figure's description and PNG to the notes."""
    piece = record.piece()
    if _count["piece"] != piece:
        _count.update(piece=-1 if piece is None else piece, figures=0)
    if _count["figures"] >= MOST_FIGURES:
        return
    described = describe(figure)
    if not described["axes"]:
        return
    _count["figures"] += 1
    name = f"figure-{os.getpid()}-{record.piece()}-{_count['figures']}.png"
    with contextlib.suppress(Exception):
        figure.savefig(os.path.join(record.folder(), name), dpi=80, bbox_inches="tight", format="png")
        described["file"] = name
    record.emit("figure", **described)


def describe(figure: Any) -> dict[str, Any]:
    """A figure's artists as JSON: the fields of the evidence record `Figure`."""
    width, height = figure.get_size_inches()
    suptitle = getattr(figure, "_suptitle", None)
    drawn = [a for a in figure.axes[:MOST_AXES] if a.get_visible() and a.get_label() != "<colorbar>"]
    return {
        "width": int(width * 80),
        "height": int(height * 80),
        "title": _text(suptitle.get_text()) if suptitle is not None else "",
        "axes": [_axes(a) for a in drawn],
    }


def _axes(a: Any) -> dict[str, Any]:
    legend = a.get_legend()
    titles = [a.get_title(where) for where in ("center", "left", "right")]
    return {
        "title": _text(" ".join(t for t in titles if t)),
        "xlabel": _text(a.get_xlabel()),
        "ylabel": _text(a.get_ylabel()),
        "legend": [_text(t.get_text()) for t in legend.get_texts()[:MOST_ITEMS]] if legend else [],
        "lines": [_line(x) for x in a.get_lines()[:MOST_ITEMS]],
        "images": [_image(x) for x in a.get_images()[:MOST_ITEMS]],
        "bars": sum(len(c) for c in a.containers if hasattr(c, "patches")),
        "points": sum(len(c.get_offsets()) for c in a.collections if hasattr(c, "get_sizes")),
        "texts": [_text(t.get_text()) for t in a.texts[:MOST_ITEMS]],
        "visible_axis": bool(a.axison),
    }


def _line(line: Any) -> dict[str, Any]:
    x = np.asarray(line.get_xdata(orig=False), dtype=float).ravel()
    y = np.asarray(line.get_ydata(orig=False), dtype=float).ravel()
    step = max(1, -(-len(y) // MOST_POINTS))
    label = str(line.get_label())
    return {
        "label": "" if label.startswith("_") else _text(label),
        "x": _finite(x[::step]),
        "y": _finite(y[::step]),
        "points": len(y),
    }


def _finite(values: Any) -> list[float]:
    return [float(v) if np.isfinite(v) else 0.0 for v in values]


def _image(image: Any) -> dict[str, Any]:
    data = np.ma.getdata(image.get_array())
    digest = hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()[:16]
    constant = bool(data.size == 0 or np.nanmax(data) == np.nanmin(data))
    return {"shape": [int(n) for n in data.shape], "digest": digest, "constant": constant}


def _text(text: Any) -> str:
    return str(text)[:300]
