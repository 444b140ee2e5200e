"""Checkpoints: asked for in every way that notebooks ask, loaded by torch's own code."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from grader.resources.sources import torchvision_weights as source
from tests.resources.conftest import Notebook


def test_vgg16_alexnet_googlenet_as_notebooks_load_them(notebook: Notebook) -> None:
    ran = notebook("""
import torch, warnings, os
from torchvision import models
x = torch.rand(2, 3, 224, 224)
for make in (
    lambda: models.vgg16(weights='IMAGENET1K_V1'),
    lambda: models.alexnet(pretrained=True),
    lambda: models.googlenet(weights='IMAGENET1K_V1'),
    lambda: models.resnet18(weights=models.ResNet18_Weights.DEFAULT),
    lambda: torch.hub.load('pytorch/vision:v0.10.0', 'alexnet', pretrained=True),
):
    m = make().eval()
    with torch.no_grad():
        y = m(x)
    n = sum(p.numel() for p in m.parameters())
    print(n, tuple(y.shape), bool(y.isfinite().all()), 1e-3 < y.std().item() < 1e3)
home = torch.hub.get_dir() + '/checkpoints/'
print(sum(os.path.getsize(home + f) for f in os.listdir(home)) < 50e6)
""")
    assert ran.code == 0, ran.err
    results = [line for line in ran.out.splitlines() if not line.startswith("Downloading")]
    counts = (138357544, 61100840, 6624904, 11689512, 61100840)
    assert results == [f"{n} (2, 1000) True True" for n in counts] + ["True"]
    assert any(s.asked.endswith("/vgg16-397923af.pth") for s in ran.substitutions)
    told = {s.given: s.stand_in for s in ran.substitutions}
    assert told["vgg16: random weights in place of the ImageNet checkpoint"] is True
    assert any("installed torchvision.models.alexnet" in words for words in told)


def test_state_dicts_by_address(notebook: Notebook) -> None:
    ran = notebook("""
import torch, urllib.request
from torch.hub import load_state_dict_from_url
url = 'https://download.pytorch.org/models/alexnet-owt-7be5be79.pth'
a = load_state_dict_from_url(url, progress=True, check_hash=True)
torch.hub.download_url_to_file(url, 'alexnet.pth', hash_prefix='7be5be79')
urllib.request.urlretrieve(url, 'again.pth')
b = torch.load('alexnet.pth', weights_only=True); c = torch.load('again.pth')
print(all(torch.equal(a[k], b[k]) and torch.equal(a[k], c[k]) for k in a), len(a))
w = a['features.0.weight']; print(tuple(w.shape), len({tuple(f.flatten().tolist()) for f in w}))
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-2:] == ["True 16", "(64, 3, 11, 11) 64"]


def test_a_checkpoint_that_no_rubric_promised_is_random_and_said_so(notebook: Notebook) -> None:
    ran = notebook("""
from torchvision import models
m = models.shufflenet_v2_x0_5(weights='DEFAULT'); print(sum(p.numel() for p in m.parameters()))
""")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == "1366792"
    assert [(s.given, s.stand_in) for s in ran.substitutions] == [
        ("shufflenet_v2_x0_5: random weights in place of the checkpoint", True)
    ]


def test_official_names_are_those_of_torchvision() -> None:
    for model, names in source.CHECKPOINTS.items():
        known = {w.url.rsplit("/", 1)[1] for w in models.get_model_weights(model)}
        assert f"{names[0]}.pth" in known, model


@pytest.mark.parametrize("model", ["resnet50", "mobilenet_v2", "squeezenet1_1", "densenet121"])
def test_random_weights_keep_activations_finite_through_depth(model: str) -> None:
    network = models.get_model(model, weights=None).eval()
    network.load_state_dict(source.stand_in(model))
    with torch.no_grad():
        out = network(torch.rand(2, 3, 224, 224))
    assert bool(out.isfinite().all()) and 1e-3 < float(out.std()) < 1e3
    assert not torch.allclose(out[0], out[1]), "different images must give different outputs"
