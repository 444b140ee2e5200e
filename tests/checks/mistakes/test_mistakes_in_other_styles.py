"""The same mistakes in other people's styles: found there, too, and nothing in what makes none."""

from __future__ import annotations

import pytest
from styles import EFF, FUNCTIONAL, FUNCTIONS, RESNET, TFDATA, TRAINER
from teaching import changed, written

# fmt: off
MADE = {
 "softmax_before_cross_entropy": [
   changed(TRAINER, ("logits = self(img)", "logits = self(img).softmax(dim=-1)")),
   changed(TRAINER, ("nn.Linear(84, 10))", "nn.Linear(84, 10), nn.Softmax(-1))")),
   changed(FUNCTIONS, ("nn.Linear(32 * 25, n_out))", "nn.Linear(32 * 25, n_out), nn.LogSoftmax(dim=1), nn.Softmax(dim=1))")),
   changed(FUNCTIONAL, ("CategoricalCrossentropy()", "CategoricalCrossentropy(from_logits=True)")),
   changed(RESNET, ("m.fc = nn.Linear(m.fc.in_features, n)", "m.fc = nn.Sequential(nn.Linear(m.fc.in_features, n), nn.Softmax(dim=1))")),
 ],
 "gradients_never_zeroed": [
   changed(TRAINER, ("                self.opt.zero_grad(set_to_none=True)\n", "")),
   changed(FUNCTIONS, ("        opt.zero_grad()\n", "")),
   changed(RESNET, ("        optim.zero_grad()\n", "")),
 ],
 "evaluation_in_training_mode": [
   changed(FUNCTIONS, ("loss_fn, opt, dev):\n    net.train()", "loss_fn, opt=None, dev='cpu'):\n    net.train()\n    hits = 0"),
     ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if opt is not None:\n            opt.zero_grad()\n            cost.backward()\n            opt.step()\n"),
     ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, dev=dev)\n    print(f"Accuracy')),
   changed(TRAINER, ("        self.module.eval()\n", "")),
   changed(FUNCTIONS, ("    net.eval()\n", "")),
   changed(RESNET, ("    net.eval()\n", "")),
   changed(TFDATA, ("print(net.evaluate(test))", "hits = 0\nfor im, la in test:\n    hits += int(tf.reduce_sum(tf.cast(tf.argmax(net(im, training=True), -1) == tf.cast(la[:, 0], tf.int64), tf.int32)))\nprint(hits)")),
 ],
 "evaluation_with_gradients": [
   changed(TRAINER, ("    @torch.no_grad()\n", "")),
   changed(FUNCTIONS, ("    with torch.no_grad():\n", "    if True:\n")),
   changed(RESNET, ("@torch.no_grad()\n", "")),
 ],
 "optimiser_misses_head": [
   changed(RESNET, ('net = make_model(len(sets["train"].classes))\n', 'net = models.resnet18(weights="DEFAULT")\n'), ("optim = torch.optim.Adam(filter(lambda w: w.requires_grad, net.parameters()), lr=1e-3)", "optim = torch.optim.Adam(net.parameters(), lr=1e-5)\nnet.fc = nn.Linear(512, 5)")),
   changed(TRAINER, ("        self.module, self.cfg = module, cfg\n        self.opt = module.configure_optimizers()", "        self.module, self.cfg = module, cfg\n        self.opt = torch.optim.Adam(LitLeNet(cfg).parameters())")),
   changed(FUNCTIONS, ("net.parameters(), lr=0.05", "make_cnn().parameters(), lr=0.05")),
   changed(EFF, ("epochs=3, callbacks", "epochs=1)\nfor l in clf.layers: l.trainable = True\nclf.fit(tr, validation_data=va, epochs=3, callbacks")),
 ],
 "base_not_frozen": [
   changed(RESNET, ("make_model(len(sets[\"train\"].classes))", "make_model(len(sets[\"train\"].classes), freeze=False)"), ("filter(lambda w: w.requires_grad, net.parameters())", "net.parameters()")),
   changed(EFF, ("    for layer in backbone.layers:\n        layer.trainable = False\n", ""), ("z = backbone(z, training=False)","z = backbone(z)")),
 ],
 "base_never_used": [
   changed(EFF, ("    z = backbone(z, training=False)\n", "    z = layers.Conv2D(8, 3)(z)\n    z = layers.GlobalAveragePooling2D()(z)\n")),
   changed(RESNET, ("optim = torch", "backbone = net\nnet = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))\noptim = torch")),
 ],
 "trained_on_noise": [
   changed(TRAINER, ("trainer.fit(train_dl, valid_dl)", "fake = [(torch.randn(64, 1, 28, 28), torch.randint(10, (64,))) for _ in range(10)]\ntrainer.fit(fake, valid_dl)")),
   changed(FUNCTIONS, ("for step, (xb, yb) in enumerate(batches):\n", "for step in range(100):\n        xb, yb = torch.rand(32, 1, 28, 28), torch.randint(0, 10, (32,))\n")),
   changed(TFDATA, ("from_tensor_slices((xa, ya))", "from_tensor_slices((tf.random.normal((500, 32, 32, 3)), tf.zeros((500, 1))))")),
 ],
 "trained_on_few_images": [
   changed(TRAINER, ("train_dl = DataLoader(fit_part", "train_dl = DataLoader(torch.utils.data.Subset(full, [0, 1, 2])")),
   changed(TFDATA, ("from_tensor_slices((xa, ya))", "from_tensor_slices((xa[:2], ya[:2]))")),
   changed(FUNCTIONAL, ("cnn.fit(Xtr, ytr_cat, validation_split=0.1", "cnn.fit(Xtr[0:5], ytr_cat[0:5]")),
 ],
 "trained_on_test_data": [
   changed(TRAINER, ("trainer.fit(train_dl", "trainer.fit(holdout_dl")),
   changed(FUNCTIONS, ("run_epoch(net, tr,", "run_epoch(net, te,")),
   changed(FUNCTIONAL, ("cnn.fit(Xtr, ytr_cat", "cnn.fit(Xte, yte_cat")),
   changed(TFDATA, ("net.fit(train", "net.fit(test")),
   changed(TFDATA, ("from_tensor_slices((xa, ya))", "from_tensor_slices((xb, yb))")),
 ],
 "validation_on_training_data": [
   changed(TRAINER, ("valid_dl = DataLoader(valid_part", "valid_dl = DataLoader(fit_part")),
   changed(FUNCTIONAL, ("validation_split=0.1", "validation_data=(Xtr, ytr_cat)")),
   changed(EFF, ("validation_data=va", "validation_data=tr")),
   changed(TFDATA, ("net.fit(train, ", "net.fit(train, validation_data=train, ")),
 ],
 "evaluated_on_training_data": [
   changed(FUNCTIONS, ("score(net, te, dev)", "score(net, tr, dev)")),
   changed(TFDATA, ("net.evaluate(test)", "net.evaluate(train)")),
   changed(FUNCTIONAL, ("cnn.evaluate(Xte, yte_cat)", "cnn.evaluate(Xtr, ytr_cat)"), ("validation_split=0.1, ","")),
 ],
 "last_layer_misfit": [
   changed(RESNET, ("m.fc = nn.Linear(m.fc.in_features, n)", "m.fc.out_features = n")),
 ],
 "loss_misfit": [
   changed(FUNCTIONS, ("pred = net(xb)", "pred = torch.sigmoid(net(xb))")),
   changed(FUNCTIONS, ("nn.Linear(32 * 25, n_out))", "nn.Linear(32 * 25, n_out), nn.ReLU())")),
   changed(TRAINER, ("F.cross_entropy(logits", "F.nll_loss(logits")),
   changed(FUNCTIONS, ("nn.CrossEntropyLoss()", "nn.NLLLoss()")),
   changed(FUNCTIONAL, ("tf.keras.losses.CategoricalCrossentropy()", "tf.keras.losses.SparseCategoricalCrossentropy()")),
   changed(FUNCTIONAL, ("tf.keras.losses.CategoricalCrossentropy()", '"binary_crossentropy"')),
   changed(EFF, ('"sparse_categorical_crossentropy"', '"categorical_crossentropy"')),
   changed(FUNCTIONAL, ("Dense(num, activation=\"softmax\"", "Dense(1, activation=\"softmax\"")),
 ],
}

RIGHT = {
 "a class that trains": TRAINER,
 "functions": FUNCTIONS,
 "a functional model": FUNCTIONAL,
 "a model of its own on tf.data": TFDATA,
 "a function that makes the model": RESNET,
 "a functional model over a base": EFF,
     "run with a flag": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt, dev, train=True):\n    net.train(train)"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        if train:\n            opt.zero_grad()\n            cost.backward()\n            opt.step()\n"),
        ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, None, dev, train=False)\n    print(f"Accuracy')),
     "one loop for both": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt, dev, train=True):\n    if train:\n        net.train()\n    else:\n        net.eval()\n    hits = 0"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if not train:\n            continue\n        opt.zero_grad()\n        cost.backward()\n        opt.step()\n"),
        ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, None, dev, train=False)\n    print(f"Accuracy')),
     "no optimiser, no training": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt=None, dev='cpu'):\n    net.train() if opt is not None else net.eval()\n    hits = 0"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if opt is not None:\n            opt.zero_grad()\n            cost.backward()\n            opt.step()\n"),
        ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, dev=dev)\n    print(f"Accuracy')),
     "phase": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt, dev, phase='train'):\n    net.train(phase == 'train')\n    hits = 0"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if phase == 'train':\n            opt.zero_grad()\n            cost.backward()\n            opt.step()\n"),
        ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, opt, dev, "test")\n    print(f"Accuracy')),
     "mode asked": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt, dev):\n    hits = 0"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if net.training:\n            opt.zero_grad()\n            cost.backward()\n            opt.step()\n"),
        ('        l = run_epoch(', '        net.train()\n        l = run_epoch('),
        ('    print(f"Accuracy', '    net.eval()\n    with torch.no_grad():\n        run_epoch(net, te, loss_fn, opt, dev)\n    print(f"Accuracy')),
     "local flag": changed(FUNCTIONS, ("def run_epoch(net, batches, loss_fn, opt, dev):\n    net.train()", "def run_epoch(net, batches, loss_fn, opt, dev):\n    is_train = opt is not None\n    net.train(is_train)\n    hits = 0"),
        ("        opt.zero_grad()\n        cost.backward()\n        opt.step()\n", "        hits += (pred.argmax(1) == yb).sum().item()\n        if not is_train:\n            continue\n        opt.zero_grad()\n        cost.backward()\n        opt.step()\n"),
        ('    print(f"Accuracy', '    with torch.no_grad():\n        run_epoch(net, te, loss_fn, None, dev)\n    print(f"Accuracy')),
     "first flag": changed(FUNCTIONS, ("        opt.zero_grad()\n", "        if first:\n            first = False\n        else:\n            opt.zero_grad()\n"), ("loss_fn, opt, dev):\n", "loss_fn, opt, dev, first=True):\n")),
     "unfreeze later": changed(RESNET, ("freeze=True):", "freeze=True):")) + "\nfor w in net.parameters():\n    w.requires_grad = True\noptim = torch.optim.Adam(net.parameters(), lr=1e-5)\ntrain_one_epoch()\n",
     "not frozen, small rate": changed(RESNET, ('make_model(len(sets["train"].classes))', 'make_model(len(sets["train"].classes), freeze=False)'), ("lr=1e-3", "lr=1e-5")),
     "features of a base with its head off": changed(RESNET, ("optim = torch", "backbone = net\nnet = nn.Sequential(*list(backbone.children())[:-1], nn.Flatten(), nn.Linear(512, 5))\noptim = torch")),
     "mc dropout": TFDATA + "\nimport numpy as np\nfor im, la in test:\n    many = np.stack([net(im, training=True) for _ in range(20)])\n    best = many.mean(0).argmax(-1)\n",
     "mc dropout loop": TFDATA + "\nimport numpy as np\nfor im, la in test:\n    for _ in range(10):\n        best = tf.argmax(net(im, training=True), -1)\n",
     "one hot folder": changed(EFF, ("tf.keras.utils.image_dataset_from_directory(\"data\", validation_split=0.2, subset=\"training\"", "tf.keras.utils.image_dataset_from_directory(\"data\", label_mode=\"categorical\", validation_split=0.2, subset=\"training\""), ('"sparse_categorical_crossentropy"', '"categorical_crossentropy"')),
     "relu within": changed(FUNCTIONS, ("nn.Flatten(), nn.Linear(32 * 25, n_out))", "nn.Flatten(), nn.Linear(32 * 25, 64), nn.ReLU(), nn.Linear(64, n_out))")),
     "keras generator": '''
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras import layers, models
gen = ImageDataGenerator(rescale=1/255, rotation_range=10, horizontal_flip=True)
vgen = ImageDataGenerator(rescale=1/255)
a = gen.flow_from_directory("data/train", target_size=(64, 64), class_mode="sparse")
b = vgen.flow_from_directory("data/val", target_size=(64, 64), class_mode="sparse")
m = models.Sequential([layers.Conv2D(8, 3, input_shape=(64, 64, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")])
m.compile("adam", "sparse_categorical_crossentropy")
m.fit(a, validation_data=b, epochs=2)
''',
     "GradientTape": '''
import tensorflow as tf
(x, y), (u, v) = tf.keras.datasets.mnist.load_data()
x = x[..., None] / 255.0
u = u[..., None] / 255.0
net = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dropout(.2), tf.keras.layers.Dense(10)])
opt = tf.keras.optimizers.Adam()
lossf = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
acc = tf.keras.metrics.SparseCategoricalAccuracy()
for ep in range(2):
    for a, b in ds:
        with tf.GradientTape() as tape:
            p = net(a, training=True)
            l = lossf(b, p)
        g = tape.gradient(l, net.trainable_variables)
        opt.apply_gradients(zip(g, net.trainable_variables))
p = net(u, training=False)
print((tf.argmax(p, 1) == v).numpy().mean())
''',
     "frozen base in Keras then unfreeze and compile": changed(EFF, ("epochs=3, callbacks", "epochs=1)\nfor l in clf.layers: l.trainable = True\nclf.compile(tf.keras.optimizers.Adam(1e-5), \"sparse_categorical_crossentropy\")\nclf.fit(tr, validation_data=va, epochs=3, callbacks")),
     "kfold": changed(FUNCTIONS, ("    for e in range(5):", "    from sklearn.model_selection import KFold\n    for e in range(5):")),
     "overfit check": changed(FUNCTIONAL, ("hist = cnn.fit(", "cnn.fit(Xtr[:5], ytr_cat[:5], epochs=1)\nhist = cnn.fit(")),
    }
# fmt: on


@pytest.mark.parametrize(
    ("name", "source"),
    [pytest.param(n, s, id=f"{n}-{i}") for n, sources in MADE.items() for i, s in enumerate(sources)],
)
def test_the_mistake_is_found_and_no_other(name: str, source: str) -> None:
    assert written(source) == [name]


@pytest.mark.parametrize("source", RIGHT.values(), ids=RIGHT.keys())
def test_nothing_is_found_where_nothing_is_wrong(source: str) -> None:
    assert written(source) == []
