"""Keras and TensorFlow as notebooks use them. One process imports TensorFlow for all of these."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.resources.conftest import Notebook, bundle_of

WARM = "import tensorflow, keras, tensorflow_datasets, keras.src.datasets, keras.src.applications"
# TensorFlow is looked for, not imported: torch cannot be imported after it in one process
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed"),
]


def test_keras_datasets_however_they_are_imported(notebook: Notebook) -> None:
    ran = notebook(
        """
from tensorflow.keras.datasets import mnist, cifar10
import tensorflow as tf, keras
(x, y), (tx, ty) = mnist.load_data()
print(x.shape, y.shape, tx.shape, x.dtype, x.max())
(x, y), (tx, ty) = cifar10.load_data()
print(x.shape, y.shape, tx.shape, ty.shape, x.dtype)
(x, y), _ = tf.keras.datasets.fashion_mnist.load_data()
print(x.shape, keras.datasets.mnist.load_data()[0][0].shape)
""",
        warm=WARM,
    )
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "(3000, 28, 28) (3000,) (1000, 28, 28) uint8 255",
        "(100, 32, 32, 3) (100, 1) (50, 32, 32, 3) (50, 1) uint8",
        "(1000, 28, 28) (3000, 28, 28)",
    ]
    seen = [(d.dataset, d.split, d.size, d.stand_in) for d in ran.datasets]
    assert seen[:4] == [
        ("mnist", "train", 3000, False), ("mnist", "test", 1000, False),
        ("cifar10", "train", 100, True), ("cifar10", "test", 50, True),
    ]  # fmt: skip


def test_applications_get_random_weights_and_say_so(notebook: Notebook) -> None:
    ran = notebook(
        """
import tensorflow as tf, numpy as np
from tensorflow.keras.applications import MobileNetV2
from tensorflow.keras.applications.vgg16 import VGG16, preprocess_input
base = MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights='imagenet')
print(base.output_shape, bool(np.isfinite(base(np.random.rand(1, 96, 96, 3))).all()))
print(VGG16(include_top=False, input_shape=(64, 64, 3)).count_params())
print(tf.keras.applications.MobileNetV2(weights=None, classes=3, input_shape=(96, 96, 3)).output_shape)
try:
    VGG16(weights='imagenet', classes=5)
except ValueError as e:
    print('classes' in str(e))
""",
        warm=WARM,
    )
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == ["(None, 3, 3, 1280) True", "14714688", "(None, 3)", "True"]
    assert {(s.asked, s.stand_in) for s in ran.substitutions} == {
        ("keras.applications.MobileNetV2(weights='imagenet')", True),
        ("keras.applications.VGG16(weights='imagenet')", True),
    }


def test_tensorflow_datasets(notebook: Notebook) -> None:
    ran = notebook(
        """
import tensorflow_datasets as tfds, tensorflow as tf
(train, val, test), info = tfds.load('tf_flowers', split=['train[:80%]', 'train[80%:90%]', 'train[90%:]'],
                                     with_info=True, as_supervised=True)
print(len(train), len(val), len(test), info.features['label'].num_classes, info.splits['train'].num_examples)
image, label = next(iter(train))
print(image.shape[-1], image.dtype.name, info.features['label'].int2str(int(label)))
print(sorted({int(y) for _, y in val.concatenate(test)}))
small = train.map(lambda x, y: (tf.image.resize(x, (64, 64)) / 255., y))
print(next(iter(small.cache().shuffle(9).batch(8).prefetch(1)))[0].shape)
both = tfds.load('mnist', batch_size=32, shuffle_files=True)
print(sorted(both), next(iter(both['train']))['image'].shape)
try:
    tfds.load('imagenet2012')
except OSError as e:
    print('no network' in str(e))
""",
        warm=WARM,
    )
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "40 5 5 5 50" and lines[1].startswith("3 uint8 ")
    assert lines[2:] == ["[0, 1, 2, 3, 4]", "(8, 64, 64, 3)", "['test', 'train'] (32, 28, 28, 1)", "True"]
    assert [(d.dataset, d.size, d.stand_in) for d in ran.datasets[:3]] == [
        ("tf-flowers", n, True) for n in (40, 5, 5)
    ]


def test_flow_from_directory_get_file_and_image_dataset(notebook: Notebook) -> None:
    ran = notebook(
        """
import tensorflow as tf, os, pathlib
from tensorflow.keras.preprocessing.image import ImageDataGenerator
g = ImageDataGenerator(rescale=1./255, horizontal_flip=True)
train = g.flow_from_directory('data/train', target_size=(64, 64), batch_size=4, class_mode='categorical')
print(train.num_classes, next(train)[0].shape)
url = 'https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz'
root = pathlib.Path(tf.keras.utils.get_file('flower_photos', origin=url, untar=True))
print(sorted(p.parent.name for p in root.rglob('*.jpg'))[::10])
ds = tf.keras.utils.image_dataset_from_directory('dataset/val', image_size=(32, 32))
print(ds.class_names)
path = tf.keras.utils.get_file('m.npz', 'https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz',
    file_hash='731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1')
print(path.startswith(os.environ['HOME']), os.path.getsize(path) > 1000)
""",
        warm=WARM,
    )
    assert ran.code == 0, ran.err
    assert "3 (4, 64, 64, 3)" in ran.out and "['circle', 'square', 'triangle']" in ran.out
    assert "['daisy', 'dandelion', 'roses', 'sunflowers', 'tulips']" in ran.out
    assert ran.out.strip().endswith("True True"), "a download must go to the notebook's own home folder"
    assert any(s.asked == "data/train" and s.stand_in for s in ran.substitutions)


def test_a_cached_keras_checkpoint_is_loaded_by_keras_itself(notebook: Notebook, tmp_path: Path) -> None:
    name = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    file = tmp_path / "cache" / "keras-mobilenet-v2" / name
    file.parent.mkdir(parents=True)
    made = notebook(
        f"""
import keras, h5py
from keras.src.legacy.saving import legacy_h5_format
model = keras.applications.MobileNetV2(weights=None, include_top=False)
with h5py.File({str(file)!r}, 'w') as f:
    legacy_h5_format.save_weights_to_hdf5_group(f, model)
print(float(model.weights[0].numpy().sum()))
""",
        warm=WARM,
    )
    assert made.code == 0, made.err
    ran = notebook(
        "import keras\nm = keras.applications.MobileNetV2(weights='imagenet', include_top=False)\n"
        "print(float(m.weights[0].numpy().sum()))",
        warm=WARM,
        of=bundle_of(tmp_path / "bundles", tmp_path / "cache", "keras-mobilenet-v2"),
    )
    assert ran.code == 0, ran.err
    assert ran.out.split()[-1] == made.out.split()[-1]
    assert [s.stand_in for s in ran.substitutions] == [False]


def test_what_keras_2_allowed_where_only_the_writing_differs(notebook: Notebook) -> None:
    ran = notebook(
        """
import keras
from tensorflow.keras import layers, optimizers
model = keras.Sequential([
    keras.Input((28, 28, 1)), layers.AveragePooling2D(), layers.AveragePooling2D(7, strides=1),
    layers.Flatten(), layers.Dense(10, activation="softmax")])
print(model.layers[0].pool_size, model.layers[0].strides, model.layers[1].pool_size, model.layers[1].output.shape)
print(keras.Sequential.from_config(model.get_config()).count_params())
for made in (optimizers.Adam(lr=0.25), optimizers.SGD(lr=0.5, momentum=0.9), optimizers.Adam(learning_rate=0.125)):
    print(float(made.learning_rate))
try:
    optimizers.Adam(rate=0.1)
except ValueError as e:
    print("refused", e)
""",
        warm=WARM,
    )
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[:5] == [
        "(2, 2) (2, 2) (7, 7) (None, 8, 8, 1)", "650", "0.25", "0.5", "0.125",
    ]  # fmt: skip
    assert "refused" in ran.out
    assert [s.asked for s in ran.substitutions] == ["Adam(lr=0.25)", "SGD(lr=0.5)"]
