"""A language model's part in reading a class's answers, with a tiny model whose every probability is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from grader.errors import UsageError
from grader.text import likelihood, together

SIZE = 400
FOLLOWS, OTHER = 0.9, 0.1 / (SIZE - 1)


class Words:
    """Each word is a token."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> SimpleNamespace:
        return SimpleNamespace(input_ids=[self.known.setdefault(w, len(self.known)) for w in text.split()])


class Parrot(torch.nn.Module):
    """Says next, with probability 0.9, the word that followed the same word earlier in its text; else any."""

    @property
    def base_model(self) -> Parrot:
        return self

    def forward(self, tokens: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        state = torch.full((*tokens.shape, SIZE), float(np.log(1 / SIZE)))
        for row, line in enumerate(tokens.tolist()):
            for at in range(int(attention_mask[row].sum())):
                seen = [line[i + 1] for i in range(at) if line[i] == line[at]]
                if seen:
                    state[row, at] = float(np.log(OTHER))
                    state[row, at, seen[-1]] = float(np.log(FOLLOWS))
        return SimpleNamespace(last_hidden_state=state)

    def get_output_embeddings(self) -> torch.nn.Module:
        return torch.nn.Identity()


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> None:
    pair: tuple[Any, Any] = (Words(), Parrot())
    monkeypatch.setattr(likelihood, "_model", lambda name: pair)
    monkeypatch.setenv(likelihood.CHOICE, "parrot")


PROMPT, REFERENCE = "why is it higher", "tight strings vibrate faster"
ANSWERS = [
    "I do not know",
    "since tight strings vibrate faster",
    "strings vibrate",
    "a",
    "strings vibrate " * 20,
]


@pytest.mark.usefixtures("parrot")
def test_the_reference_is_likelier_after_an_answer_that_says_it() -> None:
    after = likelihood.reference_after(ANSWERS, REFERENCE, PROMPT)
    assert after.argmax() == 1 and after[2] > after[0]
    said = [np.log(OTHER), *3 * [np.log(FOLLOWS)]]  # after "answer:" it expects "since" once more
    assert after[1] == pytest.approx(np.mean(said), abs=1e-5)


@pytest.mark.usefixtures("parrot")
def test_answers_of_many_lengths_may_be_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together_read = likelihood.reference_after(ANSWERS, REFERENCE, PROMPT)
    monkeypatch.setattr(likelihood, "BATCH", 1)
    alone = likelihood.reference_after(ANSWERS, REFERENCE, PROMPT)
    np.testing.assert_allclose(together_read, alone, atol=1e-5)


@pytest.mark.usefixtures("parrot")
def test_a_class_is_read_with_it_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = together.correct(ANSWERS, REFERENCE, PROMPT)
    assert all(0 < p < 1 for p in with_it) and int(np.argmax(with_it)) == 1
    monkeypatch.delenv(likelihood.CHOICE)
    assert with_it != together.correct(ANSWERS, REFERENCE, PROMPT)
    assert together.shipped("together-likelihood.json").weights.shape == (
        len(together.NAMES) + len(together.LIKELIHOOD),
    )


@pytest.mark.skipif(
    not likelihood.carried(), reason="SmolLM2 is not installed: the dependency group language-model"
)
def test_smollm2_finds_the_reference_likelier_after_a_right_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(likelihood.CHOICE, likelihood.SMOLLM2)
    prompt = "Why does a tighter string sound higher?"
    answers = [
        "because it is painted red",
        "a tight string vibrates faster",
        "it moves quicker when it is tense",
    ]
    after = likelihood.reference_after(answers, "Tight strings vibrate faster.", prompt)
    likelihood._model.cache_clear()  # half a gigabyte
    assert after[1] > after[2] > after[0]


@pytest.mark.parametrize("name", ["nothing-here", "nothing-here.gguf"])
def test_a_model_that_is_not_there_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    likelihood._model.cache_clear()
    monkeypatch.setenv(likelihood.CHOICE, str(tmp_path / name))
    with pytest.raises(UsageError) as raised:
        likelihood.reference_after(ANSWERS, REFERENCE, PROMPT)
    assert likelihood.CHOICE in str(raised.value)
    assert "pip install" in str(raised.value) or "no language model lies" in str(raised.value)
