# %% [markdown]
# # Question 9: ImageDataGenerator on a local image folder
#
# The folder has one subfolder for each class, below `data/train` and `data/validation`.

# %%
import keras
from keras import layers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

keras.utils.set_random_seed(42)

IMAGE_SIZE = (96, 96)
BATCH_SIZE = 16

# %% [markdown]
# Both generators rescale pixels to 0..1. Only the training images are augmented: validation data must stay as
# they are, or the figures would not be comparable.

# %%
train_generator = ImageDataGenerator(
    rescale=1 / 255,
    rotation_range=20,
    width_shift_range=0.1,
    height_shift_range=0.1,
    zoom_range=0.2,
    horizontal_flip=True,
)
validation_generator = ImageDataGenerator(rescale=1 / 255)

train_data = train_generator.flow_from_directory(
    "data/train", target_size=IMAGE_SIZE, batch_size=BATCH_SIZE, class_mode="categorical", seed=42
)
validation_data = validation_generator.flow_from_directory(
    "data/validation", target_size=IMAGE_SIZE, batch_size=BATCH_SIZE, class_mode="categorical", shuffle=False
)
print(train_data.class_indices)

# %%
model = keras.Sequential(
    [
        keras.Input(shape=(*IMAGE_SIZE, 3)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(train_data.num_classes, activation="softmax"),
    ]
)
model.summary()

# %%
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_data, validation_data=validation_data, epochs=4, verbose=2)

# %%
loss, accuracy = model.evaluate(validation_data, verbose=0)
print(f"Validation loss: {loss:.4f}")
print(f"Validation accuracy: {accuracy:.4f}")
