from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image, PngImagePlugin

from grader.evidence.model import Figure
from grader.report.images import Gallery, data_uri

from .conftest import Blobs, plot


def decoded(uri: str) -> bytes:
    return base64.b64decode(uri.removeprefix("data:image/png;base64,"))


def test_nothing_hidden_in_a_picture_reaches_the_page() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    buffer = io.BytesIO()
    Image.open(io.BytesIO(plot())).save(buffer, "PNG", pnginfo=notes)
    made = data_uri(buffer.getvalue() + b"<script>trailing</script>")
    assert made is not None
    assert b"script" not in decoded(made[0])
    assert Image.open(io.BytesIO(decoded(made[0]))).size == (made[1], made[2]) == (640, 420)


def test_large_pictures_become_small() -> None:
    made = data_uri(plot(4000, 3000))
    assert made is not None and made[1] <= 960 and made[2] <= 900


def test_what_is_no_picture_or_a_bomb_is_not_decoded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
        + chunk(b"IEND", b"")
    )
    svg = b"<svg xmlns='x' onload='alert(1)'/>"
    for bad in (b"", svg, bomb, plot()[:200], b"GIF89a" + b"\0" * 50):
        assert data_uri(bad) is None


def test_a_picture_that_is_gone_is_said_and_the_page_goes_on() -> None:
    gallery = Gallery(Blobs())
    placed = gallery.place(Figure(piece=0, png="0" * 64, title="Maps"))
    assert (
        placed["uri"] == "" and "not in the store" in str(placed["problem"]) and "Maps" in str(placed["alt"])
    )


def test_a_page_has_a_budget_for_its_pictures() -> None:
    blobs = Blobs()
    gallery = Gallery(blobs, budget=1)
    first = gallery.place(Figure(piece=0, png=blobs.add(plot())))
    second = gallery.place(Figure(piece=0, png=blobs.add(plot(300, 200))))
    assert first["uri"] and not second["uri"] and "too large" in str(second["problem"])
