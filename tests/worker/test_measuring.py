"""What is measured of a student's models: by a process that has run none of their code."""

from __future__ import annotations

from pathlib import Path

import pytest
from kernels import LONG, Notebook, Ran

from grader.evidence.model import MeasurementState, Profile
from grader.resources import bundle, held_out, labels

NETS = """
import torch
from torch import nn
class Lenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.f1, self.f2, self.f3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, 10)
    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.c1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.c2(x)), 2)
        return self.f3(torch.relu(self.f2(torch.relu(self.f1(x.view(x.size(0), -1))))))
x = torch.zeros(4, 1, 28, 28)
"""
LENET = 44_426


def measured(ran: Ran, piece: int) -> list[tuple[int, int, tuple[int | None, ...], tuple[int | None, ...]]]:
    """(parameters, trainable, input shape, output shape) of each model that a piece called or built."""
    found = {m.program: m for m in ran.execution.measurements}
    return [
        (m.parameters, m.trainable, m.input_shape, m.output_shape)
        for s in ran.execution.snapshots
        if s.piece == piece and s.program and (m := found[s.program]).state is MeasurementState.MEASURED
    ]


def test_parameters_and_shapes_of_models_however_they_are_built(notebook: Notebook) -> None:
    ran = notebook(
        NETS + "lenet = Lenet(); lenet(x)",
        "seq = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 26 * 26, 10)); seq(x)",
        "shared = nn.Linear(784, 784)\ntied = nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared, nn.Linear(784, 2)); tied(x)",
        "frozen = Lenet()\nfor p in frozen.c1.parameters(): p.requires_grad = False\nfrozen(x)",
        "def inside():\n    model = Lenet()\n    model(x)\ninside()",
        "never = Lenet()",
    )
    assert ran.states == ["ok"] * 6
    shapes = ((None, 1, 28, 28), (None, 10))
    assert measured(ran, 0) == [(LENET, LENET, *shapes)]
    assert measured(ran, 1) == [(80 + 54_090, 80 + 54_090, *shapes)]
    tied = 784 * 785 + 2 * 785  # the shared layer once
    assert measured(ran, 2)[0] == (tied, tied, (None, 1, 28, 28), (None, 2))
    assert measured(ran, 3) == [(LENET, LENET - 156, *shapes)]
    assert (LENET, LENET, *shapes) in measured(ran, 4)
    assert (LENET, LENET, *shapes) in measured(ran, 5)
    first = ran.execution.measurements[0]
    kinds = [layer.kind.value for layer in first.layers]
    assert kinds.count("convolution") == 2 and kinds.count("dense") == 3 and kinds.count("max pooling") == 2
    assert [layer.kernel for layer in first.layers if layer.kind == "convolution"] == [(5, 5), (5, 5)]


def test_a_model_that_lies_about_itself_is_counted_as_it_is(notebook: Notebook) -> None:
    """Attributes, methods and the class's name are the student's word; the exported program is not."""
    ran = notebook(
        NETS + "class Conv2d(nn.Module):\n"
        "    def __init__(self): super().__init__(); self.f = nn.Linear(784, 10)\n"
        "    def forward(self, x): return self.f(x.flatten(1))\n"
        "    def parameters(self, recurse=True): return iter([nn.Parameter(torch.zeros(61706))])\n"
        "liar = Conv2d(); liar(x)",
        "class Patched(Lenet):\n"
        "    def parameters(self, recurse=True): return iter([nn.Parameter(torch.zeros(61706))])\n"
        "patched = Patched(); patched(x)",
        "import numpy\nnn.Module.__repr__ = lambda self: 'Total params: 61,706'\nprint(patched)\n"
        "torch.Tensor.numel = lambda self: 61706\nhonest = Lenet(); honest(x)",
    )
    counts = {n for p in range(3) for n, *_ in measured(ran, p)}
    assert counts and counts <= {7850, LENET}
    assert {s.claimed_parameters for s in ran.execution.snapshots if s.class_name.endswith("Patched")} == {
        61_706
    }


def test_a_batch_written_into_the_model_is_measured_and_a_branch_on_data_refused(notebook: Notebook) -> None:
    ran = notebook(
        NETS + "class Fixed(nn.Module):\n"
        "    def __init__(self): super().__init__(); self.f = nn.Linear(784, 10)\n"
        "    def forward(self, x): return self.f(x.view(64, -1))\n"
        "fixed = Fixed(); fixed(torch.zeros(64, 1, 28, 28))",
        "class Branch(Lenet):\n"
        "    def forward(self, x): return super().forward(x if x.sum() > 0 else -x)\n"
        "branch = Branch(); branch(x)",
    )
    assert measured(ran, 0) == [(7850, 7850, (64, 1, 28, 28), (64, 10))]
    (snapshot,) = [s for s in ran.execution.snapshots if s.class_name.endswith("Branch")]
    assert snapshot.program is None and "torch.export refused it" in snapshot.problem


def test_a_program_forged_in_the_kernel_is_refused_with_its_reason(notebook: Notebook) -> None:
    """What leaves the kernel in place of a model is bytes: a pickle among them is never read."""
    ran = notebook(
        NETS + "import pickle, zipfile, os\n"
        "class Evil:\n    def __reduce__(self): return os.system, ('touch /grade/out/fake',)\n"
        "def save(program, path, **k):\n"
        "    with zipfile.ZipFile(path, 'w') as z: z.writestr('m/data/weights/model.pt', pickle.dumps(Evil(), 0))\n"
        "torch.export.save = save\nnet = Lenet(); net(x)",
    )
    (found,) = ran.execution.measurements
    assert found.state is MeasurementState.REFUSED and "never read" in found.reason
    assert found.parameters == 0 and not found.layers


def test_training_and_freezing_are_noticed(notebook: Notebook) -> None:
    ran = notebook(
        NETS + "net = Lenet()\nnet(x)",
        "for p in net.c1.parameters(): p.requires_grad = False\n"
        "opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)\n"
        "loss = nn.functional.cross_entropy(net(torch.rand(4, 1, 28, 28)), torch.tensor([1, 2, 3, 4]))\n"
        "loss.backward(); opt.step()",
        "net(x)",
    )
    by_piece = {s.piece: s for s in ran.execution.snapshots if s.variable == "net"}
    assert [by_piece[i].trained for i in range(3)] == [False, True, False]
    moved = set(by_piece[1].moved or ())
    assert "f3.weight" in moved and not [m for m in moved if m.startswith("c1")]
    assert set(by_piece[1].frozen or ()) == {"c1.weight", "c1.bias"}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADE_DATA", str(tmp_path_factory.mktemp("no-cache")))
        return bundle(Profile.SMOKE, ("mnist",), tmp_path_factory.mktemp("bundles")).folder


TRAIN = (
    NETS
    + """
from torchvision import datasets, transforms
torch.manual_seed(0)
prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train = datasets.MNIST('data', train=True, download=True, transform=prepare)
test = datasets.MNIST('data', train=False, download=True, transform=prepare)
model = Lenet()
optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    for images, target in torch.utils.data.DataLoader(train, 32, shuffle=True):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(images), target).backward()
        optimiser.step()
print(len(train))
"""
)


def test_a_trained_model_is_asked_about_held_out_images_whose_labels_it_never_sees(
    notebook: Notebook, given: Path
) -> None:
    inputs = held_out("mnist", Profile.SMOKE)
    assert inputs is not None
    ran = notebook(TRAIN, bundle=given, held_out={"mnist": (inputs.id, inputs.inputs)}, limits=LONG)
    assert ran.states == ["ok"], ran[0].failure
    (found,) = [m for m in ran.execution.measurements if m.predictions]
    (prediction,) = found.predictions
    truth = labels(prediction.held_out)
    assert (
        prediction.dataset == "mnist" and prediction.outputs == 10 and len(prediction.classes) == len(truth)
    )
    right = sum(a == b for a, b in zip(prediction.classes, truth, strict=True)) / len(truth)
    assert right > 0.8
    assert [s["name"] for s in prediction.preprocessing.steps] == ["ToTensor", "Normalize"]
    assert inputs.inputs.name not in str(list(given.rglob("*")))


def test_how_far_training_moved_the_weights(notebook: Notebook) -> None:
    step = (
        "opt = torch.optim.SGD(net.parameters(), lr={})\nnet(x).sum().backward()\nopt.step()\nnet.zero_grad()"
    )
    ran = notebook(
        NETS + "net = Lenet()\nx = x + 1\nnet(x)",
        step.format("1e-3"),
        step.format("1e-2"),
        "with torch.no_grad():\n    for p in net.parameters(): p *= 3\nnet(x)",
        "for p in net.parameters(): p.data *= float('nan')\nnet(x)",
    )
    none, little, more, thrice, lost = (s.distance for s in ran.execution.snapshots)
    assert none is None and lost is None
    assert little is not None and more is not None and thrice is not None
    assert 0 < little < more < 0.5
    assert thrice == pytest.approx(2, abs=0.02)
