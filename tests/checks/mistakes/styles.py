"""Notebooks as other people write them: classes that train, functions with flags, functional models, v2 transforms."""

from __future__ import annotations

TRAINER = """
from dataclasses import dataclass
import torch, torch.nn as nn, torch.nn.functional as F
import torchvision
from torchvision.transforms import v2
from torch.utils.data import DataLoader, random_split

@dataclass
class Config:
    lr: float = 1e-3
    epochs: int = 3
    batch: int = 64

def pipeline():
    return v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.13], [0.31])])

class LitLeNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.body = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Sequential(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))

    def forward(self, img):
        return self.head(self.body(img))

    def training_step(self, batch):
        img, target = batch
        logits = self(img)
        return F.cross_entropy(logits, target)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.cfg.lr)

class Trainer:
    def __init__(self, module, cfg):
        self.module, self.cfg = module, cfg
        self.opt = module.configure_optimizers()
        self.history = []

    def fit(self, train_dl, valid_dl):
        for ep in range(self.cfg.epochs):
            self.module.train()
            for batch in train_dl:
                self.opt.zero_grad(set_to_none=True)
                loss = self.module.training_step(batch)
                loss.backward()
                self.opt.step()
            acc = self.validate(valid_dl)
            self.history.append(acc)
            print(f"epoch {ep} val_acc {acc:.3f}")

    @torch.no_grad()
    def validate(self, dl):
        self.module.eval()
        hits = n = 0
        for img, target in dl:
            hits += (self.module(img).argmax(-1) == target).sum().item()
            n += len(target)
        return hits / n

cfg = Config()
full = torchvision.datasets.MNIST("data", train=True, download=True, transform=pipeline())
fit_part, valid_part = random_split(full, [2700, 300])
holdout = torchvision.datasets.MNIST("data", train=False, transform=pipeline())
train_dl = DataLoader(fit_part, cfg.batch, shuffle=True)
valid_dl = DataLoader(valid_part, 256)
holdout_dl = DataLoader(holdout, 256)
lit = LitLeNet(cfg)
trainer = Trainer(lit, cfg)
trainer.fit(train_dl, valid_dl)
print("test accuracy", trainer.validate(holdout_dl))
"""

FUNCTIONS = """
import torch
from torch import nn, optim
from torchvision import datasets, transforms

def get_data(bs):
    tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    tr = datasets.MNIST(root="./d", train=True, transform=tf, download=True)
    te = datasets.MNIST(root="./d", train=False, transform=tf, download=True)
    return (torch.utils.data.DataLoader(tr, batch_size=bs, shuffle=True),
            torch.utils.data.DataLoader(te, batch_size=bs, shuffle=False))

def make_cnn(n_out=10):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2),
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 25, n_out))

def run_epoch(net, batches, loss_fn, opt, dev):
    net.train()
    running = 0
    for step, (xb, yb) in enumerate(batches):
        xb, yb = xb.to(dev), yb.to(dev)
        pred = net(xb)
        cost = loss_fn(pred, yb)
        opt.zero_grad()
        cost.backward()
        opt.step()
        running += cost.item()
    return running / len(batches)

def score(net, batches, dev):
    net.eval()
    good, seen = 0, 0
    with torch.no_grad():
        for xb, yb in batches:
            out = net(xb.to(dev))
            _, guess = torch.max(out.data, 1)
            seen += yb.size(0)
            good += (guess == yb.to(dev)).sum().item()
    return 100 * good / seen

def main():
    dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tr, te = get_data(128)
    net = make_cnn().to(dev)
    opt = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    for e in range(5):
        l = run_epoch(net, tr, loss_fn, opt, dev)
        print("epoch", e + 1, "loss", l)
    print(f"Accuracy on test: {score(net, te, dev):.2f}%")
    return net

net = main()
"""

FUNCTIONAL = """
import tensorflow as tf
from tensorflow.keras import Model, Input
from tensorflow.keras.layers import Conv2D, MaxPool2D, Dense, Dropout, GlobalAveragePooling2D, Activation
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.datasets import mnist

NUM = 10
BATCH = 64

def load():
    (a, b), (c, d) = mnist.load_data()
    prep = lambda im: (im / 255.0).astype("float32").reshape(-1, 28, 28, 1)
    return prep(a), b, prep(c), d

def build(num):
    inp = Input((28, 28, 1))
    h = inp
    for filters in (16, 32):
        h = Conv2D(filters, 3, padding="same")(h)
        h = Activation("relu")(h)
        h = MaxPool2D()(h)
    h = GlobalAveragePooling2D()(h)
    h = Dropout(0.3)(h)
    out = Dense(num, activation="softmax", name="probs")(h)
    return Model(inp, out)

Xtr, ytr, Xte, yte = load()
ytr_cat = tf.keras.utils.to_categorical(ytr, NUM)
yte_cat = tf.keras.utils.to_categorical(yte, NUM)
cnn = build(NUM)
cnn.compile(Adam(learning_rate=1e-3), loss=tf.keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
hist = cnn.fit(Xtr, ytr_cat, validation_split=0.1, epochs=4, batch_size=BATCH)
scores = cnn.evaluate(Xte, yte_cat)
print("test acc", scores[1])
"""

TFDATA = """
import tensorflow as tf
from tensorflow import keras
(xa, ya), (xb, yb) = keras.datasets.cifar10.load_data()
AUTO = tf.data.AUTOTUNE
def scale(img, lab):
    return tf.cast(img, tf.float32) / 255., lab
train = tf.data.Dataset.from_tensor_slices((xa, ya)).map(scale).shuffle(1000).batch(32).prefetch(AUTO)
test = tf.data.Dataset.from_tensor_slices((xb, yb)).map(scale).batch(32)
class Small(keras.Model):
    def __init__(self):
        super().__init__()
        self.c = keras.layers.Conv2D(16, 3, activation="relu")
        self.p = keras.layers.GlobalAveragePooling2D()
        self.d = keras.layers.Dropout(.2)
        self.o = keras.layers.Dense(10)
    def call(self, x, training=False):
        return self.o(self.d(self.p(self.c(x)), training=training))
net = Small()
net.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
net.fit(train, epochs=2)
print(net.evaluate(test))
"""

RESNET = """
import torch, torch.nn as nn
import torchvision
from torchvision import models
import torchvision.transforms as T
from torchvision.datasets import ImageFolder
from torch.utils.data import DataLoader

def augment(train):
    steps = [T.RandomResizedCrop(224), T.RandomHorizontalFlip()] if train else [T.Resize(256), T.CenterCrop(224)]
    return T.Compose(steps + [T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

sets = {k: ImageFolder(f"data/{k}", augment(k == "train")) for k in ("train", "val")}
dls = {k: DataLoader(v, batch_size=32, shuffle=(k == "train")) for k, v in sets.items()}

def make_model(n, freeze=True):
    m = models.resnet18(weights=models.ResNet18_Weights.DEFAULT)
    if freeze:
        for w in m.parameters():
            w.requires_grad = False
    m.fc = nn.Linear(m.fc.in_features, n)
    return m

net = make_model(len(sets["train"].classes))
ce = nn.CrossEntropyLoss()
optim = torch.optim.Adam(filter(lambda w: w.requires_grad, net.parameters()), lr=1e-3)

def train_one_epoch():
    net.train()
    for imgs, labs in dls["train"]:
        optim.zero_grad()
        ce(net(imgs), labs).backward()
        optim.step()

@torch.no_grad()
def val():
    net.eval()
    ok = 0
    for imgs, labs in dls["val"]:
        ok += (net(imgs).argmax(1) == labs).sum().item()
    return ok / len(sets["val"])

for e in range(3):
    train_one_epoch()
    print(e, "validation accuracy", val())
"""

EFF = """
import tensorflow as tf
from tensorflow.keras import layers, models, applications
IMG = (224, 224)
tr = tf.keras.utils.image_dataset_from_directory("data", validation_split=0.2, subset="training", seed=7, image_size=IMG)
va = tf.keras.utils.image_dataset_from_directory("data", validation_split=0.2, subset="validation", seed=7, image_size=IMG)
n = len(tr.class_names)
def make(n):
    backbone = applications.ResNet50(include_top=False, weights="imagenet", input_shape=IMG + (3,), pooling="avg")
    for layer in backbone.layers:
        layer.trainable = False
    i = layers.Input(IMG + (3,))
    z = applications.resnet50.preprocess_input(i)
    z = backbone(z, training=False)
    z = layers.Dense(64, activation="relu")(z)
    o = layers.Dense(n, activation="softmax")(z)
    return models.Model(i, o)
clf = make(n)
clf.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
clf.fit(tr, validation_data=va, epochs=3, callbacks=[tf.keras.callbacks.EarlyStopping(patience=2)])
"""
