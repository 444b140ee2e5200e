"""Notebooks written for a GPU, or for libraries of some years ago, in a sandboxed kernel: they run as they were meant."""

from __future__ import annotations

import pytest
import torch
from kernels import LIMITS, Ran, execute

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
SAYS = {
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
    limits = LIMITS.model_copy(update={"cell": 120.0, "question": 120.0, "notebook": 400.0})
    with server:
        return execute(server, *cells.values(), limits=limits, bundle=given.folder)


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
