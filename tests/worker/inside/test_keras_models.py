"""Keras models in the kernel: found, watched, exported, and read in a clean process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torchvision")  # before TensorFlow: both bring LLVM, and the other order aborts
pytest.importorskip("tensorflow", reason="needs the extra 'keras'")

from grader.worker.inside import keras_inputs, keras_models, keras_reading, record

Notebook = Callable[[int, str], list[dict[str, Any]]]

START = """
import numpy as np
import tensorflow as tf
import keras
from keras import layers
keras.utils.set_random_seed(1)
x = np.random.default_rng(0).integers(0, 256, (96, 28, 28)).astype("uint8")
X = x[..., None].astype("float32") / 255
y = np.random.default_rng(1).integers(0, 10, 96)
"""
LENET = {
    "sequential": """
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2),
    layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(2), layers.Flatten(),
    layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"),
    layers.Dense(10, activation="softmax")])
""",
    "functional": """
i = keras.Input((28, 28, 1))
z = layers.AveragePooling2D(2)(layers.Conv2D(6, 5, padding="same", activation="tanh")(i))
z = layers.AveragePooling2D(2)(layers.Conv2D(16, 5, activation="tanh")(z))
z = layers.Dense(84, activation="tanh")(layers.Dense(120, activation="tanh")(layers.Flatten()(z)))
model = keras.Model(i, layers.Dense(10, activation="softmax")(z))
""",
    "subclassed": """
class LeNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Conv2D(6, 5, padding="same", activation="tanh")
        self.b = layers.Conv2D(16, 5, activation="tanh")
        self.pool = layers.AveragePooling2D(2)
        self.flat = layers.Flatten()
        self.head = keras.Sequential(
            [layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh")])
        self.out = layers.Dense(10, activation="softmax")
    def call(self, x, training=False):
        x = self.pool(self.b(self.pool(self.a(x))))
        return self.out(self.head(self.flat(x), training=training))
model = LeNet()
""",
    "with layers of its own": """
class Block(layers.Layer):
    def __init__(self, n, padding):
        super().__init__()
        self.c, self.p = layers.Conv2D(n, 5, padding=padding, activation="tanh"), layers.AveragePooling2D(2)
    def call(self, x):
        return self.p(self.c(x))
model = keras.Sequential([
    Block(6, "same"), Block(16, "valid"), layers.Lambda(lambda v: v * 1.0), layers.Flatten(),
    layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"),
    layers.Dense(10, activation="softmax")])
""",
    "as a TensorFlow graph": """
class Own(layers.Layer):
    def build(self, shape):
        self.w, self.b = self.add_weight(shape=(shape[-1], 10)), self.add_weight(shape=(10,))
    def call(self, x):
        return tf.nn.softmax(tf.matmul(x, self.w) + self.b)
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2),
    layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(2), layers.Flatten(),
    layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"), Own()])
""",
    "channels first": """
model = keras.Sequential([
    keras.Input((28, 28, 1)), layers.Permute((3, 1, 2)),
    layers.Conv2D(6, 5, padding="same", activation="tanh", data_format="channels_first"),
    layers.AveragePooling2D(2, data_format="channels_first"),
    layers.Conv2D(16, 5, activation="tanh", data_format="channels_first"),
    layers.AveragePooling2D(2, data_format="channels_first"), layers.Flatten(data_format="channels_first"),
    layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"),
    layers.Dense(10, activation="softmax")])
""",
}
FIT = 'model.compile("adam", "sparse_categorical_crossentropy"); model.fit(X, y, verbose=0)'


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    """Runs pieces as the kernel does and returns the notes of each."""
    record.open_folder(str(tmp_path))
    names: dict[str, Any] = {}

    def piece(number: int, source: str) -> list[dict[str, Any]]:
        record.set_piece(number)
        keras_models.begin(number)
        exec(source, names)
        keras_models.collect(names, number)
        notes = tmp_path / "notes.jsonl"
        found = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
        notes.unlink(missing_ok=True)
        return found

    piece(0, START)
    yield piece
    keras_models._seen.clear()
    record._state["folder"] = None
    record._last.clear()


def models(notes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {n["variable"]: n for n in notes if n["kind"] == "model"}


@pytest.mark.parametrize("way", LENET)
def test_the_same_lenet_reads_the_same_however_it_is_written(
    way: str, notebook: Notebook, tmp_path: Path
) -> None:
    note = models(notebook(1, LENET[way] + FIT))["model"]
    assert note["trained"] and note["called"] and note["weights"], note["problem"]
    found = keras_reading.read(str(tmp_path / note["file"]))
    assert found["parameters"] == 61706
    kinds = [(x["kind"], x.get("units"), x.get("kernel"), x["parameters"]) for x in found["layers"]]
    assert [k for k in kinds if k[3]] == [
        ("convolution", 6, [5, 5], 156), ("convolution", 16, [5, 5], 2416),
        ("dense", 120, None, 48120), ("dense", 84, None, 10164), ("dense", 10, None, 850),
    ]  # fmt: skip
    first = next(x for x in found["layers"] if x["kind"] == "convolution")
    assert first["output_shape"] == [None, 6, 28, 28]
    assert found["output_shape"] == [None, 10]
    assert sum(x["kind"] == "average pooling" for x in found["layers"]) == 2


@pytest.mark.parametrize("way", ["sequential", "subclassed", "as a TensorFlow graph", "channels first"])
def test_what_left_the_kernel_answers_as_the_model_did(way: str, notebook: Notebook, tmp_path: Path) -> None:
    note = models(notebook(1, LENET[way] + FIT + "\nanswers = model.predict(X, verbose=0).argmax(-1)"))[
        "model"
    ]
    names: dict[str, Any] = {}
    exec(START, names)
    classes, outputs = keras_reading.predict(str(tmp_path / note["file"]), names["X"])
    model = keras_models._seen
    mine = next(s.model() for s in model.values() if s.variable == "model")
    assert outputs == 10
    assert classes == list(np.asarray(mine(names["X"], training=False)).argmax(-1))


def test_building_evaluating_and_loading_weights_are_not_training(notebook: Notebook) -> None:
    assert not models(notebook(1, LENET["sequential"]))["model"]["called"]
    assert models(notebook(2, FIT))["model"]["trained"]
    evaluated = models(notebook(3, "model.evaluate(X, y, verbose=0)"))["model"]
    assert evaluated["called"] and not evaluated["trained"]
    loaded = models(
        notebook(4, "model.set_weights([w * 0 for w in model.get_weights()]); model.predict(X, verbose=0)")
    )["model"]
    assert not loaded["trained"]
    assert loaded["file"] != evaluated["file"], "it is another model now"


def test_a_frozen_base_stands_still_in_a_training_loop_of_ones_own(notebook: Notebook) -> None:
    note = models(
        notebook(
            1,
            """
base = keras.Sequential([
    keras.Input((28, 28, 1)), layers.Conv2D(4, 3, name="low"), layers.GlobalAveragePooling2D()])
base.trainable = False
model = keras.Sequential([keras.Input((28, 28, 1)), base, layers.Dense(10, name="head")])
optimizer, loss = keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for _ in range(2):
    with tf.GradientTape() as tape:
        value = loss(y, model(X, training=True))
    optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
""",
        )
    )["model"]
    assert note["trained"]
    assert sorted(note["moved"]) == ["head.bias", "head.kernel"]
    assert sorted(note["frozen"]) == ["low.bias", "low.kernel"]


def test_a_long_loop_of_ones_own_is_watched_once(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    look = keras_inputs.look
    monkeypatch.setattr(keras_inputs, "look", lambda data, how: looks.append(how) or look(data, how))
    notebook(1, LENET["sequential"] + "for _ in range(20):\n    model(X[:2])")
    assert looks == ["call"]


def test_images_in_a_pipeline_show_their_shape_and_range(notebook: Notebook) -> None:
    fit = """
data = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(9).batch(32)
model.compile("sgd", "sparse_categorical_crossentropy"); model.fit(data, verbose=0)
"""
    note = models(notebook(1, LENET["sequential"] + fit))["model"]
    assert note["input_shape"] == [28, 28, 1]
    assert note["input_range"] == pytest.approx([0, 1], abs=0.01)


def test_how_inputs_were_prepared_is_noted_with_the_data_set(notebook: Notebook) -> None:
    notebook(1, LENET["sequential"] + FIT)
    record.emit("dataset", dataset="mnist", loader="keras.datasets.mnist.load_data", classes=10, size=96)
    notes = notebook(2, "model.evaluate((X - 0.1307) / 0.3081, y, verbose=0)")
    note = [n for n in notes if n["kind"] == "dataset"][-1]
    assert (note["dataset"], note["split"], note["classes"]) == ("mnist", "test", 10)
    assert note["preprocessing"]["known"]
    step = note["preprocessing"]["steps"][-1]
    assert step["name"] == "Normalize"
    assert step["mean"] == pytest.approx([0.1307], abs=1e-4)
    assert step["std"] == pytest.approx([0.3081], abs=1e-4)


IMAGES = np.random.default_rng(3).integers(0, 256, (64, 28, 28, 1))
IMAGES[0, 0, 0], IMAGES[0, 0, 1] = 0, 255


@pytest.mark.parametrize(
    ("prepared", "steps"),
    [
        (IMAGES / 255, [{"name": "ToTensor"}]),
        ((IMAGES / 255).reshape(64, 784), [{"name": "ToTensor"}]),
        (
            np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0))) / 255,
            [{"name": "Pad", "padding": 2}, {"name": "ToTensor"}],
        ),
        (
            IMAGES.astype("float32") / 127.5 - 1,
            [{"name": "ToTensor"}, {"name": "Normalize", "mean": [0.5], "std": [0.5]}],
        ),
    ],
)  # fmt: skip
def test_the_preparation_is_read_from_the_values(prepared: Any, steps: list[dict[str, Any]]) -> None:
    found = keras_inputs.preparation(np.asarray(prepared, dtype=np.float64), (28, 28))
    assert found == {"steps": steps, "known": True, "unknown_steps": []}


def test_a_preparation_that_cannot_be_told_is_not_guessed() -> None:
    each = (IMAGES - IMAGES.mean((1, 2, 3), keepdims=True)) / IMAGES.std((1, 2, 3), keepdims=True)
    found = keras_inputs.preparation(each, (28, 28))
    assert found is not None and not found["known"]


def test_an_archive_with_code_or_strange_members_is_refused(tmp_path: Path) -> None:
    import zipfile

    import keras

    from grader.worker.inside.archive import Malformed

    path = tmp_path / "program.keras"
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda v: v + 1), keras.layers.Dense(2)])
    model.save(path)
    with pytest.raises(Malformed, match="safe mode"):
        keras_reading.measure(str(tmp_path))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.py", "x")
    with pytest.raises(Malformed, match="never read"):
        keras_reading.measure(str(tmp_path))


def test_folders_of_images_are_noted_with_their_classes(notebook: Notebook, tmp_path: Path) -> None:
    from PIL import Image

    for part, count in (("train", 3), ("validation", 2)):
        for name in ("cats", "dogs", "owls"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (40, 30), (i * 60, 90, 30)).save(folder / f"{i}.png")
    notes = notebook(
        1,
        f"""
from tensorflow.keras.preprocessing.image import ImageDataGenerator
folder = {str(tmp_path / "photos")!r}
a = ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder + "/train", target_size=(16, 16))
b = keras.utils.image_dataset_from_directory(folder + "/validation", image_size=(16, 16))
""",
    )
    found = [(n["split"], n["size"], n["classes"]) for n in notes if n["kind"] == "dataset"]
    assert found == [("train", 9, 3), ("validation", 6, 3)]
    model = """
model = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")])
model.compile("sgd", "categorical_crossentropy"); model.fit(a, verbose=0)
"""
    note = models(notebook(2, model))["model"]
    assert note["input_shape"] == [16, 16, 3]
    assert 0 <= note["input_range"][0] < note["input_range"][1] <= 1


@pytest.mark.parametrize(
    ("fit", "steps", "samples"),
    [
        ("model.fit(X, y, batch_size=40, epochs=2, verbose=0)", 6, 192),
        ("model.fit(X, y, validation_split=0.25, epochs=3, verbose=0)", 9, 216),
        ("model.fit(tf.data.Dataset.from_tensor_slices((X, y)).batch(32), epochs=2, verbose=0)", 6, 0),
        ("model.evaluate(X, y, verbose=0)", 0, 0),
    ],
    ids=["arrays", "validation-split", "a-pipeline-of-unknown-size", "evaluation"],
)
def test_training_steps_and_images_are_counted(
    fit: str, steps: int, samples: int, notebook: Notebook
) -> None:
    made = LENET["sequential"] + 'model.compile("adam", "sparse_categorical_crossentropy")'
    notebook(1, made)
    note = models(notebook(2, fit))["model"]
    assert (note["steps"], note["samples"]) == (steps, samples)
