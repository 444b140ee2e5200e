"""Generated pictures: coloured shapes on a textured ground, one shape and hue for each class, and
one drawn scene. They are learnable and look like something, and nobody could take them for real data.
"""

from __future__ import annotations

import colorsys
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from grader.resources.base import Bytes

SHAPES = ("circle", "square", "triangle", "cross", "ring", "stripes", "diamond", "checker", "bar", "dots")


def _mask(shape: int, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where shape ``shape`` lies, in coordinates about its centre in units of its radius."""
    box = (abs(x) < 1) & (abs(y) < 1)
    masks = (
        x**2 + y**2 < 1,
        (abs(x) < 0.9) & (abs(y) < 0.9),
        (y < 0.8) & (y > 2 * abs(x) - 1),
        box & ((abs(x) < 0.3) | (abs(y) < 0.3)),
        (x**2 + y**2 < 1) & (x**2 + y**2 > 0.35),
        box & (np.sin(y * 9) > 0),
        abs(x) + abs(y) < 1,
        box & (np.sin(x * 7) * np.sin(y * 7) > 0),
        (abs(x) < 0.35) & (abs(y) < 1.1),
        box & (np.sin(x * 8) > 0.3) & (np.sin(y * 8) > 0.3),
    )
    return masks[shape % len(masks)]


def picture(label: int, classes: int, size: int, random: np.random.Generator, *, hue: bool = True) -> Bytes:
    """One picture of class ``label``, ``size`` x ``size`` RGB. ``hue``: whether its hue tells it, too."""
    grid = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(grid, grid)
    cx, cy = random.uniform(0.35, 0.65, 2)
    radius = random.uniform(0.22, 0.34)
    turn = random.uniform(-0.3, 0.3)
    u = ((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) / radius
    v = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / radius
    tint = label / max(classes, 1) + random.uniform(-0.02, 0.02) if hue else random.uniform(0, 1)
    colour = np.array(colorsys.hsv_to_rgb(tint % 1, 0.85, random.uniform(0.75, 1.0)))
    ground = np.array(colorsys.hsv_to_rgb(random.uniform(0, 1), 0.25, random.uniform(0.3, 0.6)))
    shade = 1 + 0.3 * (x - 0.5) * random.uniform(-1, 1) + 0.1 * np.sin(y * random.uniform(10, 40))
    image = ground * shade[..., None]
    mask = _mask(label, u, v)
    image[mask] = (colour * (0.85 + 0.15 * np.clip(1 - v, 0, 2)[..., None]))[mask]
    image += random.normal(0, 0.04, image.shape)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)


def pictures(labels: Bytes, classes: int, size: int, seed: int, *, hue: bool = True) -> Bytes:
    """Pictures of the classes in ``labels``, N x size x size x 3."""
    random = np.random.default_rng(seed)
    return np.stack([picture(int(label), classes, size, random, hue=hue) for label in labels])


def jpeg(image: Bytes | Image.Image, quality: int = 88) -> bytes:
    out = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def scene(width: int = 640, height: int = 480, seed: int = 7) -> Image.Image:
    """A drawn landscape: sky, sun, hills, a house, a tree; with edges, textures and colours, so that
    filters have something to respond to."""
    random = np.random.default_rng(seed)
    rows = np.linspace(0, 1, height)[:, None, None]
    sky = (1 - rows) * np.array([70, 130, 220]) + rows * np.array([230, 225, 210])
    picture = Image.fromarray(np.broadcast_to(sky, (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    w, h = width / 640, height / 480

    def box(x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        return (x0 * w, y0 * h, x1 * w, y1 * h)

    def corners(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * w, y * h) for x, y in points]

    draw.ellipse(box(500, 40, 580, 120), fill=(250, 220, 90))
    draw.polygon(
        corners((0, 300), (160, 170), (330, 310), (470, 200), (640, 320), (640, 480), (0, 480)), (90, 120, 90)
    )
    draw.rectangle(box(0, 330, 640, 480), fill=(80, 150, 60))
    draw.rectangle(box(200, 240, 360, 380), fill=(190, 80, 60))
    for line in range(240, 380, 10):
        draw.line(corners((200, line), (360, line)), fill=(150, 60, 45), width=2)
    draw.polygon(corners((185, 240), (280, 170), (375, 240)), (90, 50, 40))
    draw.rectangle(box(260, 310, 300, 380), fill=(70, 40, 25))
    for left in (215, 315):
        draw.rectangle(box(left, 265, left + 30, 295), fill=(220, 235, 245), outline=(40, 40, 40), width=2)
        draw.line(corners((left + 15, 265), (left + 15, 295)), fill=(40, 40, 40), width=2)
    draw.rectangle(box(475, 280, 495, 390), fill=(95, 65, 35))
    for _ in range(220):
        x, y, r = random.uniform(430, 540), random.uniform(190, 300), random.uniform(5, 12)
        green = int(random.integers(90, 170))
        draw.ellipse(box(x - r, y - r, x + r, y + r), fill=(30, green, 40))
    for _ in range(600):
        x, y = random.uniform(0, 640), random.uniform(385, 478)
        draw.line(
            corners((x, y), (x + random.uniform(-3, 3), y - 8)), fill=(50, int(random.integers(110, 190)), 40)
        )
    return picture.filter(ImageFilter.GaussianBlur(0.6))
