"""Quantities as students write them, and what each should be read as."""

from __future__ import annotations

from grader.text.quantities import Quantity, agrees, quantities

NUMBER: tuple[tuple[str, float, str | None], ...] = (
    ("The CNN has 903,400 parameters", 903400, None),
    ("903 400 parameters in total", 903400, None),
    ("9,03,400 parameters", 903400, None),
    ("903.400 Parameter", 903400, None),
    ("903'400 weights", 903400, None),
    ("903_400 weights", 903400, None),
    ("903400", 903400, None),
    ("**903,400** params", 903400, None),
    ("$903{,}400$ parameters", 903400, None),
    ("= 2,800 + 180,200 + 720,400 = 903,400", 903400, None),
    ("total: ~903.4K", 903400, None),
    ("approximately 0.9 million", 900000, None),
    ("1.234.567 parameters", 1234567, None),
    ("12,34,567 (Indian writing)", 1234567, None),
    ("about 60M parameters", 60e6, None),
    ("60 M weights", 60e6, None),
    ("roughly 60 million", 60e6, None),
    ("138 million parameters", 138e6, None),
    ("138,357,544", 138357544, None),
    ("61.1M", 61.1e6, None),
    ("6.1e7 weights", 61e6, None),
    ("6.1 × 10^7", 61e6, None),
    ("$1.38 \\times 10^{8}$", 138e6, None),
    ("1.5 billion", 1.5e9, None),
    ("6 crore parameters", 6e7, None),
    ("60 lakh", 6e6, None),
    ("~14.13 MB", 14.13, "MB"),
    ("≈ 12.6 MB of RAM", 12.6, "MB"),
    ("12,6 MB", 12.6, "MB"),
    ("12.6MB", 12.6, "megabyte"),
    ("12.03 MiB", 12.6145, "MB"),
    ("1.06 GB", 1060, "MB"),
    ("1.06 GiB", 1138.2, "MB"),
    ("12,613,600 bytes", 12.6136, "MB"),
    ("565.6 megabytes", 565.6, "MB"),
    ("539 MiB", 565.18, "MB"),
    ("3.6MB + 9MB = 12.6MB", 12.6, "MB"),
    ("| memory | 12.6 MB |", 12.6, "MB"),
    ("it took 95 seconds", 95, "second"),
    ("training time: 2.5 min", 150, "second"),
    ("1.5 hours on a CPU", 5400, "second"),
    ("45s per epoch", 45, "second"),
    ("15.3 % top-5 error", 15.3, "%"),
    ("15.3% error", 15.3, "%"),
    ("an error of 0.153", 15.3, "%"),
    ("98.7 percent accuracy", 98.7, "%"),
    ("$98.7\\%$", 98.7, "%"),
    ("accuracy = 0.987", 98.7, "%"),
    ("1/4 of the weights", 0.25, None),
    ("$\\frac{49}{9}$ times", 49 / 9, None),
    ("5.4× as many weights", 5.4, None),
    ("5.4x more", 5.4, None),
    ("2.25 times smaller", 2.25, None),
    ("between 60 and 62 million", 61e6, None),
    ("60-62M parameters", 61e6, None),
    ("100 to 200 epochs", 150, None),
    ("VGG-16 has 138M parameters", 138e6, None),
    ("AlexNet 60 million, VGG 138 million", 138e6, None),
    ("AlexNet 15.3 %, VGG 7.3 %", 7.3, "%"),
    ("ResNet-50 reaches 76 % top-1", 76, "%"),
    ("LeNet-5 (1998) has 61,706 parameters", 61706, None),
    ("-0.5 is the bias", -0.5, None),
    (".25 of it", 0.25, None),
    ("<b>903,400</b>&nbsp;parameters", 903400, None),
)
SHAPE: tuple[tuple[str, tuple[int | None, ...]], ...] = (
    ("14×14×6", (14, 14, 6)),
    ("6@28x28 maps", (28, 28)),
    ("(None, 14, 14, 6)", (None, 14, 14, 6)),
    ("output 100 × 150", (100, 150)),
    ("torch.Size([64, 3, 11, 11])", (64, 3, 11, 11)),
    ("28 by 28 pixels", (28, 28)),
    ("$224 \\times 224 \\times 3$", (224, 224, 3)),
    ("(batch_size, 1, 28, 28)", (None, 1, 28, 28)),
)
NAMES: tuple[str, ...] = (
    "VGG-16 and VGG19 by the Oxford group",
    "ResNet-50 against ResNet-101",
    "ImageNet 2012",
    "Conv2D and MaxPooling2D",
    "CIFAR-10",
    "C3 comes after S2",
    "the COVID-19 class",
)


def _reads(text: str, value: float, unit: str | None) -> bool:
    found = quantities(text)
    if unit is not None:
        return any(agrees(q, value, unit, 0.005) for q in found)

    def same(q: Quantity) -> bool:
        near = abs(q.value - value) <= 0.002 * abs(value)
        return near or (q.other is not None and abs(q.other - value) <= 0.002 * abs(value))

    return any(same(q) for q in found if q.kind != "shape" and q.unit is None)


def misses() -> tuple[int, list[str]]:
    """How many strings there are, and those that are read wrongly."""
    wrong = [t for t, v, u in NUMBER if not _reads(t, v, u)]
    wrong += [t for t, s in SHAPE if not any(q.shape == s for q in quantities(t))]
    wrong += [t for t in NAMES if quantities(t)]
    return len(NUMBER) + len(SHAPE) + len(NAMES), wrong
