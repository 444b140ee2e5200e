"""Words of prose and of code on one footing, for telling which question a piece is about."""

from __future__ import annotations

import re
from functools import cache

import Stemmer

_STOP = frozenset(
    re.findall(
        r"\w+",
        """
    a an the of and or to in on at for from by with without as is are was were be been being it its this
    that these those which who whom what when where why how do does did can could would should will
    shall may might must not no than then there their they them we you your our i he she his her if but
    so such into over under about between each any all some more most other also only very using use
    used based both one two three etc eg ie via per question answer ans explain describe discuss write
    program code implement include example following given provide show main help helps make makes made
    need new get set self print def return import none true false range len str int float list dict
    append class init super forward br nbsp http https www com figure image images png jpg
    """,
    )
)
_ALIASES = {
    "vggnet": "vgg",
    "pytorch": "torch",
    "tf": "tensorflow",
    "cnns": "cnn",
    "covnet": "cnn",
    "convnet": "cnn",
    "convnets": "cnn",
    "plt": "plot",
    "matplotlib": "plot",
    "conv": "convolution",
    "imshow": "visualize",
    "acc": "accuracy",
    "val": "validation",
    "params": "parameter",
    "imagefolder": "folder",
    "lrn": "localresponsenormalization",
    "maxpool": "maxpooling",
    "fcn": "fullyconvolutional",
    "colour": "color",
    "inceptionv": "inception",
    "mobilenetv": "mobilenet",
    "covid": "covid",
}
_JOINED = (
    (r"\bx[\s-]+rays?\b", "xray"),
    (r"\bpre[\s-]+trained\b", "pretrained"),
    (r"\bpre[\s-]+process", "preprocess"),
    (r"\bfine[\s-]+tun", "finetun"),
    (r"\bover[\s-]+fit", "overfit"),
    (r"\bunder[\s-]+fit", "underfit"),
    (r"\bfeature[\s-]+maps?\b", "featuremap"),
    (r"\bmax[\s-]+pool", "maxpool"),
    (r"\blocal[\s-]+response[\s-]+normali[sz]ation\b", "localresponsenormalization"),
    (r"\bfully[\s-]+convolutional\b", "fullyconvolutional"),
    (r"\bfully[\s-]+connected\b", "fullyconnected"),
    (r"\btransfer[\s-]+learning\b", "transferlearning"),
    (r"\breceptive[\s-]+fields?\b", "receptivefield"),
    (r"\bsemantic[\s-]+segmentation\b", "semanticsegmentation"),
    (r"\bweights\s*=\s*[^\s,)]+|\bpretrained\s*=\s*true", " pretrained "),
    (r"\brequires_grad\s*=\s*false|\.trainable\s*=\s*false", " freeze pretrained transferlearning "),
    (r"\btime\.(?:time|perf_counter)\(", " time "),
)
_JOINS = tuple((re.compile(a), b) for a, b in _JOINED)
_TOKEN = re.compile(r"[^\W\d_]+|\d{2,}")
_stemmer = Stemmer.Stemmer("english")


@cache
def stem(word: str) -> str:
    word = _ALIASES.get(word, word)
    word = re.sub(r"(is|iz)(e|ed|es|ing|ation|er)$", r"iz\2", word) if len(word) > 6 else word
    return str(_stemmer.stemWord(word))


def stems(text: str) -> list[str]:
    """Content words of prose or code, stemmed, in order; ``LeNet-5`` and ``VGG16`` lose their number.

    Numbers of two digits and more are words too (a prompt's 200 × 300 is a good sign of it). Names
    in code count as a whole and by their parts.
    """
    text = re.sub(r"[‐-]\n", "", text)  # a word broken over two lines by pasting from a book
    lowered = text.lower()
    for pattern, joined in _JOINS:
        lowered = pattern.sub(joined, lowered)
    words = _TOKEN.findall(lowered)
    parts = re.findall(r"[A-Z]?[a-z]{3,}(?=[A-Z]|_|\d|$|\W)", text) if re.search(r"[a-z][A-Z]", text) else []
    camel = {p.lower() for p in parts} - set(words)
    return [stem(w) for w in (*words, *sorted(camel)) if w not in _STOP and (len(w) > 1 or w.isdigit())]


_ALNUM = re.compile(r"[a-z]+|\d+")


def compacts(text: str) -> frozenset[str]:
    """Runs of one to six words written together, so that ``LeNet-5``, ``lenet5`` and ``le_net 5`` meet."""
    tokens = _ALNUM.findall(text.lower())
    return frozenset("".join(tokens[i : i + n]) for n in range(1, 7) for i in range(len(tokens) - n + 1))


def compact(sign: str) -> str:
    return "".join(_ALNUM.findall(sign.lower()))
