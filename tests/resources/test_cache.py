"""`grade data list|pull|add|verify`, on real files and a real server on this machine."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import models

from grader.errors import ResourceError
from grader.evidence.model import Profile
from grader.resources import add, cache, formats, held_out, labels, list_all, pull, registry, verify
from grader.resources.base import Resource, Source
from grader.resources.sources import idx
from tests.resources.conftest import Notebook, bundle_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def idx_files(folder: Path, train: int = 400, test: int = 200, seed: int = 0) -> Path:
    """Four official-looking files of random digits, ten classes in turn."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for name, n in zip(idx.FILES, (train, train, test, test), strict=True):
        shape = (n, 28, 28) if "images" in name else (n,)
        array = random.integers(0, 256, shape) if "images" in name else np.arange(n) % 10
        formats.write_idx(folder / f"{name}.gz", array.astype(np.uint8))
    return folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serves a folder in place of MNIST's official address; yields the folder."""
    files = idx_files(tmp_path / "www")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(files))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{http.server_port}/"
        sources = tuple(
            Source(url=f"{address}{n}.gz", name=f"{n}.gz", md5=formats.md5(files / f"{n}.gz"))
            for n in idx.FILES
        )
        official: Resource = registry.RESOURCES["mnist"]
        changed = Resource(**{**vars(official), "sources": sources})
        monkeypatch.setitem(registry.RESOURCES, "mnist", changed)
        monkeypatch.setenv("no_proxy", "*")
        yield files
        http.shutdown()


def test_list_says_what_is_there_and_what_is_only_stood_in_for(home: Path, tmp_path: Path) -> None:
    before = {s.id: s.presence for s in list_all()}
    assert before["mnist"] == "shipped subset" and before["cifar10"] == before["vgg16"] == "stand-in"
    add("mnist", idx_files(tmp_path / "mine"))
    after = {s.id: s for s in list_all()}
    assert after["mnist"].presence == "cached" and after["mnist"].bytes > 100_000
    assert after["mnist"].path == home / "mnist"


def test_pull_fetches_once_and_checks(server: Path, home: Path) -> None:
    said: list[str] = []
    assert {p.name for p in pull("mnist", said.append)} == {f"{n}.gz" for n in idx.FILES}
    assert sum("fetching" in s for s in said) == 4 and all(c.ok for c in verify("mnist"))
    said.clear()
    pull("mnist", said.append)
    assert all("is there" in s for s in said), "a second pull must fetch nothing"


def test_pull_keeps_nothing_whose_checksum_differs(server: Path, home: Path) -> None:
    (server / f"{idx.FILES[1]}.gz").write_bytes(b"tampered")
    with pytest.raises(ResourceError, match="another checksum"):
        pull("mnist")
    assert not (home / "mnist" / f"{idx.FILES[1]}.gz").exists()
    assert not [p for p in (home / "mnist").iterdir() if p.name.startswith("tmp")]


def test_pull_without_a_network_says_what_to_do(server: Path) -> None:
    (server / f"{idx.FILES[0]}.gz").unlink()
    with pytest.raises(ResourceError, match=r"cannot be fetched.*grade data add mnist"):
        pull("mnist")
    with pytest.raises(ResourceError, match=r"no official address.*grade data add photos"):
        pull("photos")


def test_verify_finds_a_file_that_changed_and_one_that_is_gone(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for part in ("train", "val"):
        for name in ("a", "b"):
            (folder / part / name).mkdir(parents=True)
            (folder / part / name / "1.jpg").write_bytes(b"x" * 10)
    add("photos", folder)
    assert verify("photos") and all(c.ok for c in verify("photos"))
    (home / "photos" / "train" / "a" / "1.jpg").write_bytes(b"y")
    (home / "photos" / "val" / "b" / "2.jpg").write_bytes(b"z")
    (home / "photos" / "train" / "b" / "1.jpg").rename(home / "photos" / "train" / "b" / "9.jpg")
    bad = {c.file.relative_to(home / "photos").as_posix(): c.says for c in verify("photos") if not c.ok}
    assert set(bad) == {"train/a/1.jpg", "train/b/1.jpg"} and bad["train/b/1.jpg"] == "is gone"


def test_what_cannot_be_read_is_not_added(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ResourceError, match="is not a folder with the four IDX files"):
        add("mnist", tmp_path / "notes.txt")
    with pytest.raises(ResourceError, match="did you mean 'mnist'"):
        add("mnst", tmp_path / "notes.txt")
    with pytest.raises(ResourceError, match="is not there"):
        add("mnist", tmp_path / "nowhere")
    assert not (home / "mnist").exists()


def test_a_broken_cached_file_is_named_and_leaves_no_half_bundle(home: Path, tmp_path: Path) -> None:
    add("mnist", idx_files(tmp_path / "mine"))
    file = home / "mnist" / f"{idx.FILES[0]}.gz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ResourceError, match=r"MNIST.*grade data verify mnist"):
        bundle_of(tmp_path / "bundles", home, "mnist")
    assert list((tmp_path / "bundles").iterdir()) == []


def test_full_profile_splits_the_official_test_set_in_two_that_share_nothing(
    home: Path, tmp_path: Path, notebook: Notebook
) -> None:
    add("mnist", idx_files(tmp_path / "mine"))
    made = bundle_of(tmp_path / "bundles", home, "mnist", profile=Profile.FULL)
    held = held_out("mnist", Profile.FULL, tmp_path / "bundles")
    assert held is not None and held.count == 100
    truth = labels(held.id)
    assert sorted(set(truth)) == list(range(10)) and {truth.count(d) for d in range(10)} == {10}
    ran = notebook(
        "from torchvision.datasets import MNIST\nimport numpy as np\n"
        "np.save('seen.npy', MNIST('.', train=False, download=True).data.numpy())\nprint(len(MNIST('.')))",
        of=made,
    )
    assert ran.code == 0, ran.err
    assert ran.out.split() == ["400"] and not ran.datasets[0].stand_in
    seen = {image.tobytes() for image in np.load(ran.work / "seen.npy")}
    hidden = {image.tobytes() for image in np.load(held.inputs)["x"]}
    assert len(seen) == 100 and len(hidden) == 100 and not seen & hidden


@pytest.mark.parametrize("test", [200, 2500])
def test_smoke_profile_holds_out_nothing_that_students_get(home: Path, tmp_path: Path, test: int) -> None:
    add("mnist", idx_files(tmp_path / "mine", test=test))
    made = bundle_of(tmp_path / "bundles", home, "mnist")
    held = held_out("mnist", Profile.SMOKE, tmp_path / "bundles")
    assert held is not None and held.count == min(test // 2, 1000)
    with np.load(made.folder / "mnist" / "mnist.npz") as data, np.load(held.inputs) as hidden:
        seen = {image.tobytes() for image in data["x_test"]}
        assert len(seen) == min(test // 2, 1000) and not seen & {image.tobytes() for image in hidden["x"]}


def test_labels_of_a_changed_cache_are_refused(home: Path, tmp_path: Path) -> None:
    add("mnist", idx_files(tmp_path / "one"))
    held = held_out("mnist", Profile.SMOKE, tmp_path / "bundles")
    add("mnist", idx_files(tmp_path / "two", seed=1))
    assert held is not None
    with pytest.raises(ResourceError, match="data cache has changed"):
        labels(held.id)


def test_a_checkpoint_of_the_users_own_is_taken_as_the_real_one(
    home: Path, tmp_path: Path, notebook: Notebook
) -> None:
    network = models.squeezenet1_1(weights=None)
    torch.save({k: v.half() for k, v in network.state_dict().items()}, tmp_path / "mine.pth")
    add("squeezenet1_1", tmp_path / "mine.pth")
    made = bundle_of(tmp_path / "bundles", home, "squeezenet1_1")
    ran = notebook(
        "from torchvision import models\nm = models.squeezenet1_1(weights='DEFAULT')\n"
        "print(m.features[0].weight.dtype, float(m.features[0].weight.detach().sum()))",
        of=made,
    )
    assert ran.code == 0, ran.err
    kind, total = ran.out.split()[-2:]
    assert kind == "torch.float32"
    assert float(total) == pytest.approx(
        float(network.features[0].weight.detach().half().float().sum()), abs=1e-3
    )
    assert [(s.given, s.stand_in) for s in ran.substitutions] == [
        ("squeezenet1_1: real weights (squeezenet1_1_local.pth)", False)
    ]


def test_a_checkpoint_that_lacks_layers_is_not_called_real(home: Path, tmp_path: Path) -> None:
    state = {
        k: v for k, v in models.squeezenet1_1(weights=None).state_dict().items() if "classifier" not in k
    }
    torch.save({k.removeprefix("features."): v for k, v in state.items()}, tmp_path / "features.pth")
    add("squeezenet1_1", tmp_path / "features.pth")
    made = bundle_of(tmp_path / "bundles", home, "squeezenet1_1").made["squeezenet1_1"]
    assert not made.judged and "random values for 2 tensors" in made.words


def test_the_cache_folder_is_the_users_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GRADE_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "grader" / "data"


def test_adding_one_file_does_not_bless_another_that_changed(home: Path, tmp_path: Path) -> None:
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    add("sample-image", tmp_path / "one.jpg")
    (home / "sample-image" / "one.jpg").write_bytes(b"changed")
    add("sample-image", tmp_path / "two.jpg")
    assert {c.file.name: c.ok for c in verify("sample-image")} == {"one.jpg": False, "two.jpg": True}
