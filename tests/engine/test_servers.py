"""Which Keras a notebook is given, in the ways that notebooks name a backend; and whose fault it is where there is none."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny

from grader.checks.base import State
from grader.engine import Options, grade
from grader.engine.servers import backend, servers
from grader.evidence.model import Piece


def code(*sources: str) -> list[Piece]:
    return [Piece(index=i, cell=i, kind="code", source=s, section=0) for i, s in enumerate(sources)]


ASKS = {
    "none": (("import torch",), None),
    "tensorflow by itself": (("from tensorflow.keras import layers",), "tensorflow"),
    "keras by itself": (("import keras",), "tensorflow"),
    "named": (("import os\nos.environ['KERAS_BACKEND'] = 'torch'", "import keras"), "torch"),
    "a magic": (("%env KERAS_BACKEND=torch\nimport keras",), "torch"),
    "an update": (('os.environ.update({"KERAS_BACKEND": "torch"})\nimport keras',), "torch"),
    "a default": (('os.environ.setdefault("KERAS_BACKEND", "torch"); import keras',), "torch"),
    "in a note": (
        ("# os.environ['KERAS_BACKEND'] = 'jax'\nos.environ['KERAS_BACKEND'] = 'tensorflow'\nimport keras",),
        "tensorflow",
    ),
    "jax": (("os.environ['KERAS_BACKEND'] = 'jax'\nimport keras",), ""),
    "a variable": (("os.environ['KERAS_BACKEND'] = chosen\nimport keras",), ""),
    "a file": (('%%writefile /home/student/.keras/keras.json\n{"backend": "torch"}', "import keras"), "torch"),
    "two": (("os.environ['KERAS_BACKEND'] = 'jax'", "os.environ['KERAS_BACKEND'] = 'torch'\nimport keras"), ""),
    "a chart's": (('options = {"backend": "agg"}\nimport torch',), None),
}  # fmt: skip


@pytest.mark.parametrize("way", ASKS)
def test_the_backend_that_a_notebook_names_is_found(way: str) -> None:
    sources, wanted = ASKS[way]
    assert backend(code(*sources)) == wanted


def test_notebooks_share_servers_where_they_can() -> None:
    named = "os.environ['KERAS_BACKEND'] = '{}'\nimport keras"
    notebooks = ("import torch", "import keras", named.format("torch"), named.format("jax"), "x = 1")
    plain, keras, on_torch, on_jax, last = servers([code(n) for n in notebooks], "namespaces")
    assert plain is keras is last and "tensorflow" in keras.warm
    assert on_torch.variables == {"KERAS_BACKEND": "torch"}
    assert "keras" in on_torch.warm and "tensorflow" not in on_torch.warm
    assert "keras" not in on_jax.warm and len({id(keras), id(on_torch), id(on_jax)}) == 3


RUBRIC = """\
id: tiny-jax
title: A layer
questions:
  - id: q1
    title: A dense layer
    marks: 4
    prompt: Build a dense layer in Keras and call it.
    signs: [dense, layer]
    criteria:
      - {check: runs, marks: 2, says: The code runs}
      - {check: parameters, marks: 2, says: Its size is right, any_of: [10]}
"""
ANSWER = """\
import os
os.environ["KERAS_BACKEND"] = "jax"
import keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
model(keras.ops.ones((1, 4)))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("keras") is None, reason="the extra `keras` is not installed")
@pytest.mark.skipif(find_spec("jax") is not None, reason="JAX is installed")
def test_a_backend_that_is_not_installed_is_never_marked_down(tmp_path: Path) -> None:
    rubrics = tiny.assignment(tmp_path, rubric=RUBRIC, references=False, name="tiny-jax")
    file = tmp_path / "jax.ipynb"
    tiny.notebook(file, ["## Question 1: a dense layer", ("code", ANSWER)])
    results = grade([file], Options(rubrics=rubrics, store=tmp_path / "store"))
    criteria = results.submissions[0].questions[0].criteria
    assert [c.state for c in criteria] == [State.UNGRADED, State.UNGRADED]
    assert "`jax` is not installed" in criteria[0].reason and "pip install jax" in criteria[0].reason
