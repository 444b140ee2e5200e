"""Notebooks written for a GPU, or for libraries of some years ago, in a sandboxed kernel: they run as they were meant."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from kernels import LONG, Ran, execute

from grader.engine.servers import servers
from grader.evidence.model import Piece, Profile
from grader.resources import bundle

GPU = {
    "start": "import torch, torchvision, numpy as np\nimport torch.nn as nn\n"
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "x, y = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))\n"
    "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))",
    "a model and its batches": "model = net.cuda()\ncriterion = nn.CrossEntropyLoss().cuda()\n"
    "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
    "for images, labels in DataLoader(TensorDataset(x, y), batch_size=16, pin_memory=True):\n"
    "    images, labels = images.cuda(non_blocking=True), labels.to('cuda')\n"
    "    loss = criterion(model(images), labels)\n    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
    "print(loss.cpu().item() > 0, images.device)",
    "a device by name": "device = torch.device('cuda:0')\nnet.to(device)\nprint(net(x.to(device=device)).shape)",
    "tensors made there": "print([t.device.type for t in (torch.zeros(2, device='cuda'), torch.tensor([1], device='cuda:0'),\n"
    "       torch.randn(2, device=device), torch.arange(3).cuda(0), x.new_zeros(2, device='cuda'))])\n"
    "nn.Linear(3, 2, device='cuda')\nx.type(torch.cuda.FloatTensor)\nx.pin_memory()",
    "whole-model parallelism": "both = nn.DataParallel(net).cuda()\nprint(both(x.cuda()).shape[1])",
    "questions about it": "print(torch.cuda.is_available(), torch.cuda.get_device_name(0))\ntorch.cuda.synchronize()\n"
    "torch.cuda.set_device(0)\ntorch.cuda.empty_cache()\ntorch.cuda.reset_peak_memory_stats()\n"
    "print(torch.cuda.get_device_properties(0).total_memory, torch.cuda.max_memory_allocated())\n"
    "torch.backends.cudnn.benchmark = True",
    "its clock": "import time\nstart, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))\n"
    "start.record()\ntime.sleep(0.05)\nend.record()\ntorch.cuda.synchronize()\nprint(start.elapsed_time(end) >= 50)",
    "half precision": "from torch.cuda.amp import GradScaler, autocast\nscaler = GradScaler()\nwith autocast():\n"
    "    loss = nn.functional.cross_entropy(net(x), y)\noptimizer.zero_grad()\nscaler.scale(loss).backward()\n"
    "scaler.step(optimizer)\nscaler.update()",
    "a checkpoint": "torch.save(net.state_dict(), 'm.pth')\nprint(net.load_state_dict(torch.load('m.pth', map_location='cuda')))",
    "Apple's": "net.to('mps')\nx.to(torch.device('mps'))\ntorch.mps.empty_cache()",
    "a script of it": "@torch.jit.script\ndef made(n: int):\n    return torch.zeros(n, 2)\nprint(made(3).shape)",
}
OLD = {
    "a whole model": "torch.save(net, 'whole.pth')\nprint(type(torch.load('whole.pth')).__name__)",
    "next": "images, labels = iter(DataLoader(TensorDataset(x, y), batch_size=8)).next()\nprint(len(images))",
    "schedulers": "o = torch.optim.SGD(net.parameters(), lr=.1)\n"
    "torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=2, verbose=True)\n"
    "torch.optim.lr_scheduler.StepLR(o, 3, verbose=True)",
    "torchvision": "from torchvision import models, transforms\nfrom torchvision.models.utils import load_state_dict_from_url\n"
    "from torchvision.models.resnet import model_urls\nprint(model_urls['resnet18'][:5], transforms.Scale(32).size)\n"
    "vgg = models.vgg16(pretrained=True)\nprint(sum(p.numel() for p in vgg.parameters()))\nvgg = None",
    "numpy": "print(np.int(3.7), np.float('2'), np.Inf > 1, np.zeros(2, dtype=np.float).dtype)",
    "matplotlib": "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')\nplt.style.use('seaborn')",
}
KERAS = {
    "old paths": "import keras, numpy as np, tensorflow as tf\n"
    "from keras.utils import np_utils\nfrom keras.utils.np_utils import to_categorical\n"
    "from keras.layers.core import Dense, Dropout, Flatten\n"
    "from keras.layers.convolutional import Conv2D, MaxPooling2D\n"
    "from keras.layers.advanced_activations import LeakyReLU\n"
    "from keras.layers.normalization import BatchNormalization\n"
    "from keras.preprocessing.image import ImageDataGenerator, img_to_array, load_img\n"
    "from keras.optimizers import adam_v2\nfrom keras.engine.topology import Layer\nfrom keras import backend as K\n"
    "from tensorflow.keras.layers.experimental import preprocessing\n"
    "from tensorflow.keras.optimizers.legacy import SGD\nfrom tensorflow.python.keras.models import Sequential\n"
    "assert Sequential is keras.Sequential and preprocessing.Rescaling is tf.keras.layers.Rescaling\n"
    "print(np_utils.to_categorical([1], 3).tolist(), img_to_array(load_img('sample.jpg', target_size=(32, 32))).shape)",
    "by attribute": "keras.layers.convolutional.Conv2D, keras.utils.np_utils.to_categorical\n"
    "tf.keras.layers.experimental.preprocessing.RandomFlip('horizontal'), tf.keras.optimizers.legacy.Adam(1e-3)\n"
    "print(float(K.sum(K.square(K.constant([1.0, 2.0])))))",
    "a generator": "x, y = np.random.rand(64, 28, 28, 1).astype('float32'), np.random.randint(0, 10, 64)\n"
    "net = Sequential()\nnet.add(Conv2D(4, (3, 3), input_shape=(28, 28, 1)))\nnet.add(LeakyReLU(alpha=0.1))\n"
    "net.add(MaxPooling2D())\nnet.add(Flatten())\nnet.add(Dense(10, activation='softmax'))\n"
    "net.compile(SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True), 'sparse_categorical_crossentropy', metrics=['accuracy'])\n"
    "batches = ImageDataGenerator(rescale=1.0).flow(x, y, batch_size=16)\n"
    "history = net.fit_generator(batches, steps_per_epoch=4, epochs=2, validation_data=(x, y), workers=2)\n"
    "print(len(history.history['acc']), len(history.history['val_acc']), sorted(history.history))",
    "answers": "print(net.predict_classes(x).shape, net.evaluate_generator(batches, steps=2)[1] >= 0)\n"
    "for layer in net.layers[:2]:\n    print(layer.name[:6], layer.output_shape)\n"
    "K.set_value(net.optimizer.lr, 0.5)\nprint(K.get_value(net.optimizer.lr))\n"
    "net.fit(x, y, nb_epoch=1, verbose=0)",
    "files": "from keras.callbacks import ModelCheckpoint\nfrom keras.models import load_model\n"
    "best = ModelCheckpoint('out/best.hdf5', save_best_only=True, monitor='val_loss', period=1)\n"
    "net.fit(x, y, validation_split=0.2, callbacks=[best], verbose=0)\nnet.save_weights('w.h5')\nnet.load_weights('w.h5')\n"
    "net.save('whole')\nsame = load_model('whole')\nbest = load_model('out/best.hdf5')\n"
    "print(np.allclose(same.predict(x[:4]), net.predict(x[:4])), best.count_params() == net.count_params())",
    "a plot": "from tensorflow.keras.utils import plot_model\nplot_model(net, to_file='net.png', show_shapes=True)\n"
    "from PIL import Image\nprint(Image.open('net.png').size[0] > 100)",
    "functions on symbols": "i = keras.Input((28, 28, 1))\nsmall = tf.image.resize(i, (14, 14))\n"
    "a = tf.nn.relu(Conv2D(4, 3, padding='same')(small))\nz = tf.concat([a, Conv2D(4, 5, padding='same')(small)], axis=-1)\n"
    "inception = keras.Model(i, Dense(10, activation='softmax')(tf.reduce_mean(z, axis=[1, 2])))\n"
    "inception.compile('adam', 'sparse_categorical_crossentropy')\ninception.fit(x, y, verbose=0)\nprint(inception.output_shape)",
    "functions in a model of one's own": "class Own(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
    "        self.conv, self.out = Conv2D(4, 3), Dense(10)\n    def call(self, x):\n"
    "        x = tf.reshape(tf.nn.relu(self.conv(x)), (-1, 26 * 26 * 4))\n        return tf.nn.softmax(self.out(x))\n"
    "own = Own()\nprint(own(x).shape)",
    "names of classes": "from keras.applications.resnet50 import decode_predictions\n"
    "print(decode_predictions(np.eye(1000)[:1] * 1.0, top=1)[0][0][1])",
}
SAYS = {
    "old paths": "[[0.0, 1.0, 0.0]] (32, 32, 3)",
    "by attribute": "5.0",
    "a generator": "2 2 ['accuracy', 'loss', 'val_accuracy', 'val_loss']",
    "answers": "(64,) True\nconv2d (None, 26, 26, 4)\nleaky_ (None, 26, 26, 4)\n0.5",
    "files": "True True",
    "a plot": "True",
    "functions on symbols": "(None, 10)",
    "functions in a model of one's own": "(64, 10)",
    "names of classes": "tench",
    "a model and its batches": "True cpu",
    "a device by name": "torch.Size([64, 10])",
    "tensors made there": "['cpu', 'cpu', 'cpu', 'cpu', 'cpu']",
    "questions about it": "False CPU (there is no GPU on this worker)",
    "its clock": "True",
    "a checkpoint": "All keys matched",
    "a script of it": "torch.Size([3, 2])",
    "a whole model": "Sequential",
    "next": "8",
    "torchvision": "\n138357544",
    "numpy": "3 2.0 True float64",
}
TORCH = GPU | OLD
on_a_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


def kernel(cells: dict[str, str]) -> Ran:
    """All cells, in one kernel of the server that such a notebook gets."""
    pieces = [Piece(index=i, cell=i, kind="code", source=s, section=i) for i, s in enumerate(cells.values())]
    (server,) = servers([pieces], "namespaces")
    given = bundle(Profile.SMOKE, ["mnist", "photos", "sample-image"])
    with server:
        return execute(server, *cells.values(), limits=LONG, bundle=given.folder)


@pytest.fixture(scope="module")
def of_torch() -> Ran:
    return kernel(TORCH)


@on_a_cpu
@pytest.mark.parametrize("cell", TORCH)
def test_a_notebook_in_torch_runs_as_it_was_meant(of_torch: Ran, cell: str) -> None:
    run = of_torch[list(TORCH).index(cell)]
    assert run.failure is None, run.failure
    assert SAYS.get(cell, "") in run.stdout


@on_a_cpu
def test_the_report_says_that_there_was_no_gpu(of_torch: Ran) -> None:
    noted = [(list(TORCH)[s.piece or 0], s.asked, s.given) for s in of_torch.execution.substitutions]
    assert ("a model and its batches", ".cuda()", "the CPU: there is no GPU on this worker") in noted
    assert ("a device by name", "the device 'cuda:0'", "the CPU: there is no GPU on this worker") in noted


@on_a_cpu
def test_the_model_is_trained_and_measured(of_torch: Ran) -> None:
    snapshots = [s for s in of_torch.execution.snapshots if s.trained]
    assert snapshots and all(s.problem == "" for s in snapshots)
    measured = {m.program: m.parameters for m in of_torch.execution.measurements}
    assert measured[snapshots[0].program or ""] == 7850


@pytest.fixture(scope="module")
def of_keras() -> Ran:
    return kernel(KERAS)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra `keras` is not installed")
@pytest.mark.parametrize("cell", KERAS)
def test_a_notebook_in_keras_2_runs_as_it_was_meant(of_keras: Ran, cell: str) -> None:
    run = of_keras[list(KERAS).index(cell)]
    assert run.failure is None, run.failure
    said = "\n".join(line for line in run.stdout.splitlines() if "step" not in line)
    assert SAYS[cell] in said


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra `keras` is not installed")
def test_its_model_is_trained_by_its_generator(of_keras: Ran) -> None:
    trained = [s for s in of_keras.execution.snapshots if s.variable == "net" and s.trained]
    assert trained[0].steps == 8


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="the extra `keras` is not installed")
def test_models_that_call_tensorflow_are_read(of_keras: Ran) -> None:
    measured = {m.program: m for m in of_keras.execution.measurements}
    found = {s.variable: measured.get(s.program or "") for s in of_keras.execution.snapshots}
    inception, own = found["inception"], found["own"]
    assert inception is not None and own is not None
    assert inception.parameters == 40 + 104 + 90 and inception.output_shape == (None, 10)
    assert [layer.kind for layer in own.layers] == [
        "convolution",
        "activation",
        "flatten",
        "dense",
        "activation",
    ]
