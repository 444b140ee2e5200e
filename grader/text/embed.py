"""Word vectors carried by the ``wordllama`` package: loaded on first use, from its own files, no network.

The package's loader looks for its tokenizer where its wheel does not put it and then asks the
network; reading its two files directly avoids that. The vectors are 256 numbers a token
(l2_supercat, MIT licence); a word's vector is the mean of its tokens', as its own pooling does.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
DIMENSIONS = 256


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Vector] | None:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        return None
    home = Path(next(iter(spec.submodule_search_locations)))
    weights = home / "weights" / f"l2_supercat_{DIMENSIONS}.safetensors"
    names = home / "tokenizers" / "l2_supercat_tokenizer_config.json"
    if not (weights.is_file() and names.is_file()):
        logging.getLogger(__name__).warning("word vectors not found in %s: matching by words alone", home)
        return None
    from safetensors import safe_open
    from tokenizers import Tokenizer

    with safe_open(str(weights), framework="np") as f:
        table = f.get_tensor("embedding.weight").astype(np.float32)
    return Tokenizer.from_file(str(names)), table


@lru_cache(maxsize=100_000)
def vector(word: str) -> Vector:
    """A word's vector, not normalised: its length says how much the word means. Zero without vectors."""
    model = _model()
    if model is None:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    tokenizer, table = model
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    out: Vector = table[ids].mean(axis=0) if ids else np.zeros(DIMENSIONS, dtype=np.float32)
    return out


def unit(v: Vector) -> Vector:
    """Along the last axis, each vector divided by its length; zero stays zero."""
    n = np.linalg.norm(v, axis=-1, keepdims=True)
    return (v / np.where(n == 0, 1, n)).astype(np.float32)
