"""Figures for a page: decoded, made small and encoded anew, so that no byte of the original remains."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable

from PIL import Image

from grader.evidence.model import Axes, Figure
from grader.report.text import Block

WIDTH, HEIGHT = 960, 900
"""Largest size in a page, in pixels; shown at about half of it, so that it stays sharp."""
PIXELS = 40_000_000
"""A picture of more pixels is not decoded: a small file can hold a very large one."""
HEAVY = 150_000
"""Above so many bytes a picture is reduced to 256 colours."""


def data_uri(png: bytes) -> tuple[Block, int, int] | None:
    """A ``data:`` address of the picture, made small, with its size; None when it is no usable PNG."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
                if opened.width * opened.height > PIXELS:
                    return None
                small = opened.convert("RGBA")
    except Exception:  # Pillow raises many kinds on malformed files; all mean the same here
        return None
    small.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    page = Image.new("RGB", small.size, "white")  # plots assume paper, also on a dark page
    page.paste(small, mask=small.getchannel("A"))
    data = _encoded(page)
    if len(data) > HEAVY:
        data = min(data, _encoded(page.quantize(256)), key=len)
    uri = Block("data:image/png;base64," + base64.b64encode(data).decode("ascii"))
    return uri, page.width, page.height


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def alt_text(figure: Figure) -> str:
    """What a figure shows, in words, from its artists: for those who do not see it."""
    parts = [figure.title] if figure.title else []
    panels = [a for a in figure.axes if a.visible_axis or a.images or a.lines or a.title]
    images = sum(len(a.images) for a in panels)
    if len(panels) > 6:
        titles = [a.title for a in panels if a.title]
        parts.append(f"{len(panels)} panels")
        if images:
            parts.append(f"{images} images")
        if titles:
            parts.append(f"titled {titles[0]!r} to {titles[-1]!r}")
    else:
        parts += [_axes(a) for a in panels]
    said = "; ".join(p for p in parts if p)
    return f"Figure: {said}" if said else "Figure without a title or labels"


def _axes(a: Axes) -> str:
    said = [a.title] if a.title else []
    if a.ylabel or a.xlabel:
        said.append(f"{a.ylabel or 'values'} against {a.xlabel or 'an unlabelled axis'}")
    names = list(a.legend) or [line.label for line in a.lines if line.label]
    if a.lines:
        said.append(
            f"{len(a.lines)} line{'s' * (len(a.lines) > 1)}" + (f" ({', '.join(names)})" if names else "")
        )
    if a.images:
        said.append(f"{len(a.images)} image{'s' * (len(a.images) > 1)}")
    if a.bars:
        said.append(f"{a.bars} bars")
    if a.points:
        said.append(f"{a.points} points")
    return ", ".join(said)


class Gallery:
    """The figures of one page, each embedded once and numbered; a page's budget is kept in bytes."""

    def __init__(self, blobs: Callable[[str], bytes], budget: int = 12_000_000) -> None:
        self._blobs, self._left = blobs, budget
        self._numbers: dict[str, int] = {}

    def place(self, figure: Figure) -> dict[str, object]:
        """What a template needs to show ``figure``: ``uri`` is empty where it was shown before
        (``number`` says which) or cannot be shown (``problem`` says why)."""
        alt = alt_text(figure)
        shown: dict[str, object] = {"alt": alt, "uri": "", "problem": "", "repeated": False, "number": 0}
        if figure.png is None:
            return shown | {"problem": "the picture itself was not kept"}
        if figure.png in self._numbers:
            return shown | {"repeated": True, "number": self._numbers[figure.png]}
        if self._left <= 0:
            return shown | {"problem": "left out: this page would become too large"}
        try:
            png = self._blobs(figure.png)
        except Exception as error:  # the store's own errors; a report is not lost over one picture
            return shown | {"problem": f"the picture is not in the store any more ({type(error).__name__})"}
        made = data_uri(png)
        if made is None:
            return shown | {"problem": "the picture could not be decoded"}
        uri, width, height = made
        self._left -= len(uri)
        self._numbers[figure.png] = len(self._numbers) + 1
        return shown | {"uri": uri, "width": width, "height": height, "number": self._numbers[figure.png]}
