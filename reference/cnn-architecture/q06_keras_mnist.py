# %% [markdown]
# # Question 6: A simple CNN on MNIST in Keras
#
# Two convolutions with pooling find local features; a dense layer with dropout classifies them.

# %%
import keras
from keras import layers

keras.utils.set_random_seed(42)

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

# Pixels from 0..255 to 0..1, and an axis for the single grey channel.
x_train = x_train.astype("float32")[..., None] / 255
x_test = x_test.astype("float32")[..., None] / 255
print(x_train.shape, x_test.shape)

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()

# %%
# Labels are integers, so the loss is the sparse form of categorical cross-entropy.
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# %%
history = model.fit(x_train, y_train, batch_size=64, epochs=5, validation_split=0.1, verbose=2)

# %%
test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {test_loss:.4f}")
print(f"Test accuracy: {test_accuracy:.4f}")
