"""Words, stems, stop words and negation: what all matching is made of."""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

_STEMMER = Stemmer.Stemmer("english")

STOP = frozenset(
    """
    a an the this that these those it its they them their there here he she his her we our us you
    your i my me is are was were be been being am do does did done doing have has had having will
    would shall should can could may might must of in on at to for from by with as into onto over
    under about between through during before after above below up down out off and or but if then
    so than too very just also both every all any some such own other another which who whom whose
    what when where why how because while e g i.e e.g etc s t d ll m re ve let us using used use
    uses via per within along answer ans question q1 q2 q3 q4 q5 q6 q7 q8 q9 q10 explain describe
    discuss called known thus hence therefore however
    """.split()  # noqa: SIM905
)
NEGATIONS = frozenset(
    """
    not no never none nor neither cannot cant can't doesn't don't doesnt dont isn't isnt aren't
    arent won't wont wasn't weren't without hardly n't nothing lacks lack lacking fails fail
    """.split()  # noqa: SIM905
)
WORD = re.compile(r"\d+(?:\s?[×xX]\s?\d+)+|\d+(?:[.,]\d+)*|[a-zA-Zα-ωΑ-Ω]+(?:['’][a-z]+)?|[=+×∂]")
NUMBERS = {
    w: str(n)
    for n, w in enumerate(
        "three four five six seven eight nine ten eleven twelve thirteen fourteen".split(),  # noqa: SIM905
        3,
    )
}
DIMENSIONS = re.compile(r"\s?[×xX]\s?")
SPELLING = {
    "grey": "gray",
    "grayscale": "gray",
    "greyscale": "gray",
    "neighbour": "neighbor",
    "neighbouring": "neighbor",
    "colour": "color",
    "centre": "center",
    "normalise": "normalize",
    "normalisation": "normalize",
    "normalization": "normalize",
    "regularisation": "regularize",
    "regularization": "regularize",
    "conv": "convolution",
    "convs": "convolution",
    "convolutional": "convolution",
    "convolutions": "convolution",
    "params": "parameter",
    "param": "parameter",
    "kernel": "filter",
    "kernels": "filter",
    "dense": "fully",
    "fc": "fully",
    "maxpooling": "pooling",
    "pool": "pooling",
    "activations": "activation",
    "pretrained": "pretrain",
    "pretraining": "pretrain",
    "neurons": "neuron",
    "units": "neuron",
    "unit": "neuron",
    "nodes": "neuron",
    "picture": "image",
    "pictures": "image",
    "downsampling": "downsample",
    "backpropagation": "backpropagate",
    "learnable": "learn",
    "learned": "learn",
    "learnt": "learn",
    "backprop": "backpropagate",
    "nets": "network",
    "net": "network",
    "nn": "network",
    "colours": "color",
    "weights": "weight",
    "images": "image",
    "gpu": "gpu",
    "gpus": "gpu",
}


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A word's stem; British and American spellings, and a few names for one thing, are made alike."""
    low = word.lower().replace("’", "'")
    if low.endswith("'s"):
        low = low[:-2]
    low = SPELLING.get(low, low)
    low = NUMBERS.get(low, low)
    if low[:1].isdigit():
        if "x" in low or "×" in low:
            return DIMENSIONS.sub("x", low)
        return low.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", low) else low
    return str(_STEMMER.stemWord(low))


def words(text: str) -> list[str]:
    """All words and numbers, lower case; hyphens separate."""
    return WORD.findall(text)


@lru_cache(maxsize=200_000)
def content(word: str) -> str:
    """The stem of a content word, or the empty string for a stop word or a sign."""
    low = word.lower().replace("’", "'")
    if low in STOP or (len(low) == 1 and not low.isdigit()):
        return ""
    return stem(low)


def stems(text: str) -> list[str]:
    """The stems of the content words, in order."""
    return [s for s in map(content, WORD.findall(text)) if s]


def negated(text: str) -> bool:
    return any(
        w.lower().replace("’", "'") in NEGATIONS or w.lower().endswith("n't") for w in WORD.findall(text)
    )
