"""Each mistake that the code shows: found where it is made, and nothing at all in twins that do not make it."""

from __future__ import annotations

import pytest
from handmade import Notebook
from teaching import KERAS, MOBILENET, TORCH, VGG, changed, written

from grader.checks.mistakes.registry import found

LOOP = """    for images, labels in train_loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
"""
EVALUATION = TORCH[TORCH.index("model.eval()") :]

# fmt: off
MADE = {
    "softmax_before_cross_entropy": [
        changed(TORCH, ("return x", "return torch.softmax(x, dim=1)")),
        changed(TORCH, ("        x = self.fc(x)", "        x = nn.functional.softmax(self.fc(x), dim=1)")),
        changed(TORCH, ("criterion(outputs, labels)", "criterion(outputs.softmax(1), labels)")),
        changed(TORCH, ("nn.Linear(8 * 26 * 26, 10)", "nn.Sequential(nn.Linear(8 * 26 * 26, 10), nn.Softmax(dim=1))")),
        changed(TORCH, ("criterion(outputs, labels)", "nn.functional.cross_entropy(torch.softmax(outputs, 1), labels)")),
        changed(
            KERAS,
            ('"sparse_categorical_crossentropy"', "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
        ),
    ],
    "gradients_never_zeroed": [
        changed(TORCH, ("        optimizer.zero_grad()\n", "")),
        changed(
            TORCH,
            ("        optimizer.zero_grad()\n", ""),
            ("    model.train()\n", "    model.train()\n    optimizer.zero_grad()\n"),
        ),
    ],
    "evaluation_in_training_mode": [
        changed(TORCH, ("model.eval()\n", "")),
        changed(
            KERAS,
            ("print(", "predicted = np.argmax(model(x_test, training=True), axis=1)\nprint((predicted == y_test).mean(), "),
        ),
    ],
    "evaluation_with_gradients": [changed(TORCH, ("with torch.no_grad():", "if True:"))],
    "optimiser_misses_head": [
        changed(
            VGG,
            ("optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n", ""),
            ("for p in model", "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\nfor p in model"),
        ),
        changed(TORCH, ("torch.optim.Adam(model.parameters()", "torch.optim.Adam(Net().parameters()")),
        changed(MOBILENET, ("epochs=2)", "epochs=2)\nbase.trainable = True\nmodel.fit(train_ds, validation_data=val_ds)")),
    ],
    "base_not_frozen": [
        changed(VGG, ("for p in model.features.parameters():\n    p.requires_grad = False\n", "")),
        changed(MOBILENET, ("base.trainable = False\n", "")),
        changed(MOBILENET, ("base.trainable = False\n", ""), ("keras.optimizers.Adam(0.001)", '"adam"')),
    ],
    "base_never_used": [
        changed(
            VGG,
            ("model.classifier[6] = nn.Linear(4096, len(train_set.classes))",
             "base = model\nmodel = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(394272, 5))"),
        ),
        changed(MOBILENET, ("base, layers.Glo", "layers.Conv2D(8, 3), layers.Glo")),
    ],
    "trained_on_noise": [
        changed(TORCH, ("in train_loader", "in [(torch.randn(8, 1, 28, 28), torch.randint(0, 10, (8,)))]")),
        changed(
            TORCH,
            ("train_set = datasets.MNIST(\"data\", train=True, download=True, transform=transform)",
             "train_set = torch.utils.data.TensorDataset(torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,)))"),
        ),
        changed(KERAS, ('x_train = x_train.astype("float32")[..., None] / 255', "x_train = np.random.rand(100, 28, 28, 1)")),
    ],
    "trained_on_few_images": [
        changed(TORCH, ("DataLoader(train_set", "DataLoader(torch.utils.data.Subset(train_set, range(2))")),
        changed(KERAS, ("model.fit(x_train, y_train", "model.fit(x_train[:2], y_train[:2]")),
    ],
    "trained_on_test_data": [
        changed(TORCH, ("in train_loader", "in test_loader")),
        changed(TORCH, ("train=True", "train=False")),
        changed(KERAS, ("model.fit(x_train, y_train", "model.fit(x_test, y_test")),
        changed(
            KERAS,
            ("model.fit(x_train, y_train", "model.fit(np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])"),
        ),
        changed(VGG, ('"data/train"', '"data/test"')),
    ],
    "validation_on_training_data": [
        changed(TORCH, ("DataLoader(test_set", "DataLoader(train_set")),
        changed(TORCH, ("train=False", "train=True")),
        changed(KERAS, ("validation_split=0.1", "validation_data=(x_train, y_train)")),
        changed(KERAS, ("validation_split=0.1", "validation_data=(x_train[:1000], y_train[:1000])")),
        changed(MOBILENET, ("validation_data=val_ds", "validation_data=train_ds")),
        changed(MOBILENET, ('"data/val"', '"data/train"')),
    ],
    "evaluated_on_training_data": [
        changed(TORCH, ("in test_loader", "in train_loader")),
        changed(KERAS, ("evaluate(x_test, y_test", "evaluate(x_train, y_train"), (", validation_split=0.1", "")),
    ],
    "last_layer_misfit": [
        changed(VGG, ("model.classifier[6] = nn.Linear(4096, len(train_set.classes))", "model.classifier[6].out_features = 5")),
    ],
    "loss_misfit": [
        changed(TORCH, ("nn.CrossEntropyLoss", "nn.NLLLoss")),
        changed(KERAS, ('Dense(10, activation="softmax")', "Dense(10)")),
        changed(KERAS, ('"sparse_categorical_crossentropy"', '"binary_crossentropy"')),
        changed(KERAS, ('"sparse_categorical_crossentropy"', '"categorical_crossentropy"')),
        changed(KERAS, ("model.compile(", "y_train = keras.utils.to_categorical(y_train, 10)\nmodel.compile(")),
        changed(KERAS, ('Dense(10, activation="softmax")', 'Dense(1, activation="softmax")')),
    ],
}
# fmt: on

# fmt: off
RIGHT = {
    "the PyTorch notebook": TORCH,
    "the Keras notebook": KERAS,
    "transfer in PyTorch": VGG,
    "transfer in Keras": MOBILENET,
    "softmax for reporting only": TORCH + "probabilities = torch.softmax(model(images), dim=1)\n",
    "softmax in a method of its own": changed(
        TORCH, ("        return x\n", "        return x\n\n    def predict(self, x):\n        return self(x).softmax(1)\n")
    ),
    "log-softmax and NLLLoss": changed(
        TORCH, ("return x", "return torch.log_softmax(x, dim=1)"), ("nn.CrossEntropyLoss", "nn.NLLLoss")
    ),
    "logits and from_logits": changed(
        KERAS,
        ('"sparse_categorical_crossentropy"', "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
        ('Dense(10, activation="softmax")', "Dense(10)"),
    ),
    "a softmax layer of its own": changed(
        KERAS, ('Dense(10, activation="softmax")', 'Dense(10), layers.Activation("softmax")')
    ),
    "gradients cleared after the step": changed(
        TORCH,
        ("        optimizer.zero_grad()\n", ""),
        ("optimizer.step()\n", "optimizer.step()\n        optimizer.zero_grad()\n"),
    ),
    "gradients cleared by the model": changed(TORCH, ("optimizer.zero_grad()", "model.zero_grad()")),
    "gradients cleared by hand": changed(
        TORCH, ("optimizer.zero_grad()", "for p in model.parameters():\n            p.grad = None")
    ),
    "gradients gathered over four batches": changed(
        TORCH,
        ("for images, labels in train_loader", "for i, (images, labels) in enumerate(train_loader)"),
        ("        optimizer.zero_grad()\n", ""),
        ("        optimizer.step()", "        if i % 4 == 3:\n            optimizer.step()\n            optimizer.zero_grad()"),
    ),
    "a step by a scaler": changed(
        TORCH, ("        optimizer.zero_grad()\n", ""), ("optimizer.step()", "scaler.step(optimizer)")
    ),
    "evaluation by a decorated function": changed(
        TORCH,
        (
            EVALUATION,
            """
@torch.inference_mode()
def accuracy(net, loader):
    net.eval()
    right = 0
    for images, labels in loader:
        right += (net(images).argmax(1) == labels).sum().item()
    return right / len(loader.dataset)

print("Test accuracy:", accuracy(model, test_loader))
""",
        ),
    ),
    "a model without dropout in training mode": changed(
        TORCH, ("        self.drop = nn.Dropout(0.5)\n", ""), ("self.drop(torch.flatten(x, 1))", "torch.flatten(x, 1)"), ("model.eval()\n", "")
    ),
    "the mode by phase": changed(
        TORCH,
        ("model.eval()\n", "def set_mode(m, training):\n    if training:\n        m.train()\n    else:\n        m.eval()\n\nset_mode(model, False)\n"),
    ),
    "gradients switched off for good": changed(
        TORCH, ("with torch.no_grad():", "torch.set_grad_enabled(False)\nif True:")
    ),
    "a head replaced before the optimiser": VGG,
    "an optimiser of the head alone": changed(
        VGG, ("Adam(model.parameters()", "Adam(model.classifier[6].parameters()")
    ),
    "an optimiser made anew after the head": changed(
        VGG,
        ("for p in model", "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\nfor p in model"),
    ),
    "a head added to the optimiser": changed(
        VGG,
        ("optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n", "optimizer.add_param_group({'params': model.classifier[6].parameters()})\n"),
        ("for p in model", "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\nfor p in model"),
    ),
    "an optimiser of encoder and decoder": changed(
        TORCH, ("model = Net()", "inner = Net()\nmodel = nn.Sequential(inner, nn.Flatten())"),
        ("torch.optim.Adam(model.parameters()", "torch.optim.Adam(inner.parameters()"),
    ),
    "compiled again after unfreezing": changed(
        MOBILENET,
        ("epochs=2)", 'epochs=2)\nbase.trainable = True\nmodel.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy")\nmodel.fit(train_ds, validation_data=val_ds)'),
    ),
    "all fine-tuned at a small rate": changed(
        VGG, ("for p in model.features.parameters():\n    p.requires_grad = False\n", ""), ("lr=0.001", "lr=0.0001")
    ),
    "all fine-tuned at a small rate in Keras": changed(
        MOBILENET, ("base.trainable = False\n", ""), ("Adam(0.001)", "Adam(1e-5)")
    ),
    "no pretrained weights, nothing to freeze": changed(
        VGG, ("for p in model.features.parameters():\n    p.requires_grad = False\n", ""), ('weights="IMAGENET1K_V1"', "weights=None")
    ),
    "frozen by a function": changed(
        VGG,
        ("for p in model.features.parameters():\n    p.requires_grad = False\n", "def freeze(part):\n    for p in part.parameters():\n        p.requires_grad = False\n\nfreeze(model.features)\n"),
    ),
    "a base within a class": changed(
        VGG,
        ("model.classifier[6] = nn.Linear(4096, len(train_set.classes))",
         "class Head(nn.Module):\n    def __init__(self, base):\n        super().__init__()\n        self.base = base\n        self.fc = nn.Linear(1000, 5)\n    def forward(self, x):\n        return self.fc(self.base(x))\n\nmodel = Head(model)"),
    ),
    "features taken from a frozen base": changed(
        VGG,
        ("model.classifier[6] = nn.Linear(4096, len(train_set.classes))",
         "features = model.features\nmodel = nn.Sequential(features, nn.Flatten(), nn.Linear(25088, 5))"),
    ),
    "a base in a functional model": changed(
        MOBILENET,
        (MOBILENET[MOBILENET.index("model = keras.Seq") : MOBILENET.index("model.compile")],
         'inputs = keras.Input((160, 160, 3))\nx = base(inputs, training=False)\nx = layers.GlobalAveragePooling2D()(x)\nmodel = keras.Model(inputs, layers.Dense(5, activation="softmax")(x))\n'),
    ),
    "noise for a trial of shapes": changed(
        TORCH, ("criterion = nn", "print(model(torch.randn(2, 1, 28, 28)).shape)\ncriterion = nn")
    ),
    "noise added to images": changed(
        TORCH, ("model(images)\n", "model(images + 0.1 * torch.randn_like(images))\n")
    ),
    "a trial on two images before the training": changed(
        KERAS, ("history = ", "model.fit(x_train[:2], y_train[:2], epochs=1)\nhistory = ")
    ),
    "both sets joined and split anew": changed(
        KERAS,
        ("model = keras.Seq", "from sklearn.model_selection import train_test_split\nx = np.concatenate([x_train, x_test])\ny = np.concatenate([y_train, y_test])\nx_train, x_test, y_train, y_test = train_test_split(x, y)\nmodel = keras.Seq"),
    ),
    "a validation part cut off": changed(
        KERAS,
        ("model = keras.Seq", "x_val, y_val = x_train[:5000], y_train[:5000]\nx_train, y_train = x_train[5000:], y_train[5000:]\nmodel = keras.Seq"),
        ("validation_split=0.1", "validation_data=(x_val, y_val)"),
    ),
    "a random split": changed(
        TORCH,
        ("train_loader = ", "train_set, test_set = torch.utils.data.random_split(train_set, [50000, 10000])\ntrain_loader = "),
    ),
    "two generators of one folder by subset": changed(
        MOBILENET,
        ('"data/train", ', '"data", validation_split=0.2, subset="training", seed=1, '),
        ('"data/val", ', '"data", validation_split=0.2, subset="validation", seed=1, '),
    ),
    "training accuracy beside the test's": TORCH + EVALUATION.replace("test_", "train_").replace("Test", "Training"),
    "training accuracy beside the test's in Keras": KERAS + "print(model.evaluate(x_train, y_train))\n",
    "one-hot labels and their loss": changed(
        KERAS,
        ("model.compile(", "y_train = keras.utils.to_categorical(y_train, 10)\ny_test = keras.utils.to_categorical(y_test, 10)\nmodel.compile("),
        ("sparse_categorical", "categorical"),
    ),
    "two classes and one sigmoid": changed(
        MOBILENET, ('Dense(5, activation="softmax")', 'Dense(1, activation="sigmoid")'), ("sparse_categorical_", "binary_")
    ),
    "loaders in a dictionary": changed(
        TORCH,
        ("model = Net()", 'loaders = {"train": train_loader, "test": test_loader}\nmodel = Net()'),
        ("in train_loader", 'in loaders["train"]'),
        ("in test_loader", 'in loaders["test"]'),
    ),
    "loaders by phase, as in the tutorial": changed(
        TORCH,
        ("model = Net()", 'loaders = {"train": train_loader, "test": test_loader}\nmodel = Net()'),
        (LOOP, '''    for phase in ["train", "test"]:
        if phase == "train":
            model.train()
        else:
            model.eval()
        right = 0
        for images, labels in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(images)
                loss = criterion(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            right += (outputs.argmax(1) == labels).sum().item()
'''),
    ),
    "loaders made by something unknown": changed(
        TORCH,
        ("model = Net()", "from helpers import prepare\ntrain_loader, test_loader = prepare(train_set, test_set)\nmodel = Net()"),
    ),
    "one set and two samplers": changed(
        TORCH,
        ("DataLoader(train_set, batch_size=64, shuffle=True)", "DataLoader(train_set, sampler=torch.utils.data.SubsetRandomSampler(range(50000)))"),
        ("DataLoader(test_set, batch_size=256)", "DataLoader(train_set, sampler=torch.utils.data.SubsetRandomSampler(range(50000, 60000)))"),
    ),
    "probabilities in evaluation only": changed(
        TORCH, ("        return x\n", "        if not self.training:\n            x = torch.softmax(x, 1)\n        return x\n")
    ),
    "gradients wanted in a loop of saliency maps": TORCH
    + "for images, labels in test_loader:\n    images.requires_grad_()\n    best = model(images).max(1).values.sum()\n    print(torch.autograd.grad(best, images)[0].abs().max())\n",
    "teacher and student": changed(
        TORCH,
        ("model = Net()", "teacher = Net()\nmodel = Net()"),
        ("outputs = model(images)", "wanted = teacher(images)\n        outputs = model(images)"),
    ),
    "two networks against each other": """
import torch
from torch import nn
G = nn.Sequential(nn.Linear(8, 784), nn.Tanh())
D = nn.Sequential(nn.Linear(784, 1), nn.Sigmoid())
optD, optG = torch.optim.Adam(D.parameters()), torch.optim.Adam(G.parameters())
bce = nn.BCELoss()
for real, _ in loader:
    noise = torch.randn(len(real), 8)
    D.zero_grad()
    loss = bce(D(real.flatten(1)), torch.ones(len(real), 1)) + bce(D(G(noise).detach()), torch.zeros(len(real), 1))
    loss.backward()
    optD.step()
    G.zero_grad()
    bce(D(G(noise)), torch.ones(len(real), 1)).backward()
    optG.step()
""",
    "a test folder's name above the training data": changed(VGG, ('"data/train"', '"/home/test/data/train"')),
    "a validation set from the same folder by generators": """
import keras
from keras import layers
from tensorflow.keras.preprocessing.image import ImageDataGenerator
generator = ImageDataGenerator(rescale=1 / 255, validation_split=0.2)
train = generator.flow_from_directory("data", subset="training")
val = generator.flow_from_directory("data", subset="validation")
model = keras.Sequential([layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(5, activation="softmax")])
model.compile("adam", "categorical_crossentropy")
model.fit(train, validation_data=val)
""",
    "all of a pretrained model on a large data set": changed(
        VGG,
        ("for p in model.features.parameters():\n    p.requires_grad = False\n", ""),
        ('datasets.ImageFolder("data/train", transform=t)', 'datasets.CIFAR10("data", train=True, transform=t)'),
    ),
    "a loop that a helper trains": changed(
        TORCH,
        (LOOP, "    for images, labels in train_loader:\n        train_step(model, images, labels)\n        print(model(images).argmax(1))\n"),
    ),
    "a trainer's class": changed(
        TORCH,
        ("for epoch in range(3)", "class Trainer:\n    def __init__(self, model, opt):\n        self.model, self.opt = model, opt\n    def step(self, x, y):\n        self.opt.zero_grad()\n        loss = criterion(self.model(x), y)\n        loss.backward()\n        self.opt.step()\n        return loss\n\ntrainer = Trainer(model, optimizer)\nfor epoch in range(3)"),
        (LOOP, "    for images, labels in train_loader:\n        loss = trainer.step(images, labels)\n"),
    ),
}
# fmt: on


@pytest.mark.parametrize(
    ("name", "source"), [(n, s) for n, sources in MADE.items() for s in sources], ids=lambda v: v[:30].strip()
)
def test_a_mistake_is_found_and_no_other(name: str, source: str) -> None:
    assert written(source) == [name]


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT.keys())
def test_nothing_is_found_where_nothing_is_wrong(source: str) -> None:
    compile(source, "notebook", "exec")
    assert written(source) == []


def test_every_spoilt_notebook_is_python() -> None:
    for sources in MADE.values():
        for source in sources:
            compile(source, "notebook", "exec")


def test_the_order_of_cells_decides_about_the_optimiser() -> None:
    start, training = VGG.split("model.classifier[6]")
    head, rest = ("model.classifier[6]" + training).split("criterion", 1)
    optimiser = "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n"
    loop = "criterion" + rest.replace(optimiser, "")
    assert written(start, head, optimiser, loop) == []
    assert written(start, optimiser, head, loop) == ["optimiser_misses_head"]


def test_a_mistake_in_another_answer_is_not_this_ones() -> None:
    nb = Notebook().code(changed(TORCH, ("        optimizer.zero_grad()\n", ""))).code(KERAS)
    assert [m.name for m in found(nb.case(answer=(1,), execution=None))] == []
    assert [m.name for m in found(nb.case(answer=(0,), execution=None))] == ["gradients_never_zeroed"]


def test_a_mistake_quotes_its_line() -> None:
    source = changed(TORCH, ("        optimizer.zero_grad()\n", ""))
    [mistake] = found(Notebook().text("Q6").code(source).case(execution=None))
    assert mistake.quotes[0].text == "loss.backward()"
    assert mistake.quotes[0].piece == 1
    assert source.splitlines()[(mistake.quotes[0].line or 0) - 1].strip() == "loss.backward()"
    assert "zero_grad" not in mistake.hint


def test_long_chains_of_values_take_no_time() -> None:
    doubled = "".join(f"x_train = x_train + x_train * {i}\n" for i in range(60))
    layers = "".join("model = nn.Sequential(model, model)\n" for _ in range(40))
    assert written(changed(KERAS, ("model = keras", f"{doubled}model = keras"))) == []
    assert written(changed(TORCH, ("criterion = nn", f"{layers}criterion = nn"))) == []
