# %% [markdown]
# # 10. Transfer learning for large images
#
# ## a. A data set
#
# `tf_flowers` from TensorFlow Datasets: photographs of five kinds of flowers, several hundred of each, so well over
# 100 images a class.

# %%
import keras
import tensorflow as tf
import tensorflow_datasets as tfds
from keras import layers

keras.utils.set_random_seed(42)

# %% [markdown]
# ## b. Training, validation and test sets
#
# 75 % of the images are for training, 10 % for validation and 15 % for testing.

# %%
(train_raw, validation_raw, test_raw), info = tfds.load(
    "tf_flowers",
    split=["train[:75%]", "train[75%:85%]", "train[85%:]"],
    as_supervised=True,
    with_info=True,
)
classes = info.features["label"].num_classes
print(info.features["label"].names, [len(d) for d in (train_raw, validation_raw, test_raw)])

# %% [markdown]
# ## c. The input pipeline
#
# Images are resized and scaled once, by the base model's own `preprocess_input` (MobileNetV2 expects -1..1). Only the
# training images are augmented, and before they are scaled.

# %%
IMAGE_SIZE, BATCH_SIZE = (128, 128), 32

augment = keras.Sequential(
    [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.05),
        layers.RandomZoom(0.1),
    ]
)


def resize(image, label):
    return tf.image.resize(image, IMAGE_SIZE), label


def preprocess(image, label):
    return keras.applications.mobilenet_v2.preprocess_input(image), label


def pipeline(data, training=False):
    data = data.map(resize)
    if training:
        data = data.shuffle(1000, seed=42)
    data = data.batch(BATCH_SIZE)
    if training:
        data = data.map(lambda image, label: (augment(image, training=True), label))
    return data.map(preprocess).prefetch(1)


train_data = pipeline(train_raw, training=True)
validation_data = pipeline(validation_raw)
test_data = pipeline(test_raw)

# %% [markdown]
# ## d. A pretrained base, first frozen, then fine-tuned

# %%
base = keras.applications.MobileNetV2(input_shape=(*IMAGE_SIZE, 3), include_top=False, weights="imagenet")
base.trainable = False

inputs = keras.Input(shape=(*IMAGE_SIZE, 3))
# training=False keeps batch normalisation in inference mode, also when the base is unfrozen later.
features = layers.GlobalAveragePooling2D()(base(inputs, training=False))
outputs = layers.Dense(classes, activation="softmax")(layers.Dropout(0.2)(features))
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
history = model.fit(train_data, validation_data=validation_data, epochs=3, verbose=2)

# %%
# Fine-tuning: the upper third of the base, with a learning rate a hundred times smaller.
base.trainable = True
for layer in base.layers[:100]:
    layer.trainable = False

model.compile(
    optimizer=keras.optimizers.Adam(1e-5), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
fine_tuning = model.fit(train_data, validation_data=validation_data, epochs=2, verbose=2)

# %%
test_loss, test_accuracy = model.evaluate(test_data, verbose=0)
print(f"Test accuracy: {test_accuracy:.3f}")
