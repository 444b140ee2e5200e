"""Keras 3 on PyTorch, in a sandboxed kernel: models are found, leave, and are measured as on TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from kernels import LONG, Ran, execute

from grader.engine.servers import servers
from grader.evidence.model import Measurement, MeasurementState, ModelSnapshot, Piece, Profile
from grader.resources import bundle, measured_on

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("keras") is None, reason="the extra `keras` is not installed"),
]

CELLS = {
    "start": "import os\nos.environ['KERAS_BACKEND'] = 'torch'\nimport keras, torch\nfrom keras import layers\n"
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
    "X = x[..., None].astype('float32') / 255\n"
    "train = DataLoader(TensorDataset(torch.tensor(X[:640]), torch.tensor(y[:640])), batch_size=64, shuffle=True)\n"
    "print(keras.config.backend())",
    "functions of torch in a model of its own": """
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv, self.pool = layers.Conv2D(6, 5, padding="same"), layers.MaxPooling2D(2)
        self.hidden, self.out = layers.Dense(20), layers.Dense(10)
    def call(self, x):
        x = torch.flatten(self.pool(torch.relu(self.conv(x))), 1)
        x = torch.nn.functional.relu(self.hidden(x), inplace=True)
        return torch.softmax(self.out(x), dim=-1)
net = Net()
net.compile("adam", "sparse_categorical_crossentropy")
net.fit(train, epochs=2, verbose=0)
print(net.evaluate(x_test[:1000, ..., None] / 255, y_test[:1000], verbose=0) > 0)
""",
    "a loop of torch's": """
loop = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
optimizer = torch.optim.Adam(loop.parameters(), lr=0.01)
for images, labels in train:
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(loop(images), labels.long())
    loss.backward()
    optimizer.step()
""",
    "only built and called": "still = keras.Sequential([keras.Input((4,)), layers.Dense(2)])\nstill(torch.zeros(1, 4))",
    "a model of torch's": "own = torch.nn.Linear(3, 2)\nown(torch.zeros(1, 3))",
}


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    notebook = [
        Piece(index=i, cell=i, kind="code", source=s, section=i) for i, s in enumerate(CELLS.values())
    ]
    (server,) = servers([notebook], "namespaces")
    given = bundle(Profile.SMOKE, ["mnist"])
    digits = measured_on("mnist", Profile.SMOKE, "held-out")
    assert digits is not None
    held_out = {"mnist": (digits.id, digits.inputs)}
    with server:
        assert not server.problems
        yield execute(server, *CELLS.values(), bundle=given.folder, held_out=held_out, limits=LONG)


def of(ran: Ran, variable: str) -> tuple[ModelSnapshot, Measurement]:
    (snapshot,) = (s for s in ran.execution.snapshots if s.variable == variable)
    return snapshot, next(m for m in ran.execution.measurements if m.program == snapshot.program)


def test_keras_runs_on_the_backend_that_the_notebook_names(ran: Ran) -> None:
    assert ran.states == ["ok"] * len(CELLS), [r.failure for r in ran.execution.runs]
    assert ran.said[0] == "torch"


def test_each_model_is_noted_once_by_its_own_framework(ran: Ran) -> None:
    """Under this backend Keras's models are modules of PyTorch's, too."""
    told = [(s.variable, s.framework) for s in ran.execution.snapshots]
    assert told == [("net", "keras"), ("loop", "keras"), ("still", "keras"), ("own", "pytorch")]


def test_a_model_that_calls_torch_is_read_as_layers_and_answers_as_it_did(ran: Ran) -> None:
    snapshot, measured = of(ran, "net")
    assert measured.state is MeasurementState.MEASURED, measured.reason
    assert snapshot.trained and (snapshot.steps, snapshot.samples) == (20, 1280)
    assert measured.parameters == 6 * 26 + 1176 * 20 + 20 + 210
    kinds = [layer.kind for layer in measured.layers]
    assert kinds == [
        "convolution", "activation", "max pooling", "flatten", "dense", "activation", "dense", "activation"
    ]  # fmt: skip
    (answers,) = measured.predictions
    assert answers.dataset == "mnist" and answers.outputs == 10
    assert len(answers.classes) == 1000 and len(set(answers.classes)) > 5


def test_a_loop_of_ones_own_is_training_and_a_call_is_not(ran: Ran) -> None:
    assert of(ran, "loop")[0].trained
    snapshot, measured = of(ran, "still")
    assert not snapshot.trained and measured.parameters == 10
