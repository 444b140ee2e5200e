"""Real data beside the project, read through the loaders. Skipped where it is absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.evidence.model import Profile
from grader.resources import add, held_out, labels, list_all, verify
from tests.resources.conftest import Notebook, bundle_of

SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="no real data beside the project")

READ = """
import torch
from torchvision import datasets, models, transforms
for d in (datasets.MNIST('d', download=True), datasets.MNIST('d', train=False),
          datasets.CIFAR10('d', download=True), datasets.CIFAR10('d', train=False),
          datasets.ImageFolder('data/train'), datasets.ImageFolder('data/val'),
          datasets.ImageFolder('hymenoptera_data/train')):
    image, label = d[0]
    print(type(d).__name__, len(d), len(d.classes), image.mode)
net = models.squeezenet1_1(weights='IMAGENET1K_V1').eval()
t = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
                        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
bees = datasets.ImageFolder('hymenoptera_data/val', t)
names = models.SqueezeNet1_1_Weights.DEFAULT.meta['categories']
with torch.no_grad():
    said = [names[int(net(x[None]).argmax())] for x, y in bees if y == 1]
print('knows a bee' if said.count('bee') else said)
"""
RESOURCES = ("mnist", "cifar10", "photos", "hymenoptera", "squeezenet1_1", "mobilenet_v2")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_added_to_a_cache_it_is_real_in_the_smoke_profile(
    cache: Path, tmp_path: Path, notebook: Notebook
) -> None:
    add("mnist", SHARED / "mnist")
    add("cifar10", SHARED / "cifar10" / "cifar10_10k_2k.npz")
    add("photos", SHARED / "flowers")
    add("hymenoptera", SHARED / "hymenoptera")
    add("chest-xray", SHARED / "chest-xray")
    add("squeezenet1_1", SHARED / "weights" / "squeezenet1_1_torchvision_fp16.pth")
    there = {s.id for s in list_all() if s.presence == "cached"}
    assert {"mnist", "cifar10", "photos", "hymenoptera", "chest-xray", "squeezenet1_1"} <= there
    checked = verify()
    assert checked and all(c.ok for c in checked)
    made = bundle_of(tmp_path / "bundles", cache, *RESOURCES)
    ran = notebook(READ, of=made)
    assert ran.code == 0, ran.err
    assert [line for line in ran.out.splitlines() if not line.startswith("Downloading")] == [
        "MNIST 3000 10 L", "MNIST 1000 10 L", "CIFAR10 100 10 RGB", "CIFAR10 50 10 RGB",
        "ImageFolder 20 5 RGB", "ImageFolder 10 5 RGB", "ImageFolder 8 2 RGB", "knows a bee",
    ]  # fmt: skip
    assert not any(d.stand_in for d in ran.datasets) and not any(s.stand_in for s in ran.substitutions)


@pytest.mark.slow
def test_the_folder_itself_serves_as_a_cache_in_the_full_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Notebook
) -> None:
    monkeypatch.setenv("GRADE_DATA", str(SHARED))
    made = bundle_of(tmp_path / "bundles", SHARED, *RESOURCES, profile=Profile.FULL)
    assert made.made["mnist"].judged and made.made["photos"].judged
    assert not made.made["cifar10"].judged, "a fifth of CIFAR-10 is not what the full profile's bars are for"
    assert (
        not made.made["mobilenet_v2"].judged
        and "random values for 2 tensors" in made.made["mobilenet_v2"].words
    )
    held = held_out("mnist", Profile.FULL, tmp_path / "bundles")
    assert held is not None and 4990 <= held.count <= 5010 and len(labels(held.id)) == held.count
    cifar = held_out("cifar10", Profile.SMOKE, tmp_path / "bundles")
    assert cifar is not None
    with np.load(cifar.inputs) as data:
        assert data["x"].shape == (200, 32, 32, 3) and data["x"].dtype == np.uint8
    ran = notebook(READ, of=made)
    assert ran.code == 0, ran.err
    sizes = [tuple(line.split()[:2]) for line in ran.out.splitlines() if line[0] in "MCI"]
    assert sizes[0] == ("MNIST", "60000") and int(sizes[1][1]) + held.count == 10_000
    assert sizes[2:] == [
        ("CIFAR10", "10000"), ("CIFAR10", "1000"), ("ImageFolder", "1000"), ("ImageFolder", "250"),
        ("ImageFolder", "244"),
    ]  # fmt: skip


def test_the_shipped_subset_is_what_a_full_cache_gives(tmp_path: Path) -> None:
    empty, full = (
        bundle_of(tmp_path / n, path, "mnist") for n, path in (("a", tmp_path / "no"), ("b", SHARED))
    )
    with np.load(empty.folder / "mnist/mnist.npz") as a, np.load(full.folder / "mnist/mnist.npz") as b:
        assert all(np.array_equal(a[n], b[n]) for n in ("x_train", "y_train", "x_test", "y_test"))
