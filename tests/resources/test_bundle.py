"""Bundles: the same content has the same digest, however often and by however many it is made."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from grader.errors import ResourceError
from grader.evidence.model import Profile
from grader.resources import Bundle, bundle, draw, held_out, labels, registry
from tests.resources.conftest import bundle_of

SMALL = ("mnist", "cifar10", "flowers", "sample-image", "hymenoptera", "squeezenet1_1")


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADE_DATA", str(tmp_path / "empty"))


def test_made_twice_in_two_places_it_is_the_same(tmp_path: Path) -> None:
    one, two = (bundle(Profile.SMOKE, SMALL, tmp_path / n) for n in ("a", "b"))
    assert one.digest == two.digest and one.folder != two.folder
    assert bundle(Profile.SMOKE, reversed(SMALL), tmp_path / "a").folder == one.folder  # type: ignore[arg-type]


def test_other_resources_another_profile_or_other_data_change_the_digest(tmp_path: Path) -> None:
    plain = bundle(Profile.SMOKE, ["mnist", "hymenoptera"], tmp_path)
    photos = tmp_path / "cache" / "sample-image"
    photos.mkdir(parents=True)
    (photos / "mine.png").write_bytes((plain.folder / "sample-image" / "sample.png").read_bytes()[:])
    digests = {
        plain.digest,
        bundle(Profile.SMOKE, ["mnist"], tmp_path).digest,
        bundle(Profile.FULL, ["mnist", "hymenoptera"], tmp_path).digest,
        bundle_of(tmp_path, tmp_path / "cache", "mnist", "hymenoptera").digest,
    }
    assert len(digests) == 4


def _make(folder: str) -> str:
    return bundle(Profile.SMOKE, ["hymenoptera"], Path(folder)).digest


@pytest.mark.slow
def test_made_by_several_at_once_it_is_whole(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        digests = set(pool.map(_make, [str(tmp_path)] * 3))
    assert len(digests) == 1
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".part")] == []


def test_nothing_held_out_is_in_it(given: Bundle, tmp_path: Path) -> None:
    held = held_out("mnist", Profile.SMOKE, tmp_path)
    assert held is not None and held.count == 1000
    with np.load(given.folder / "mnist" / "mnist.npz") as data:
        seen = {image.tobytes() for name in ("x_train", "x_test") for image in data[name]}
        assert len(seen) == 4000
    with np.load(held.inputs) as data:
        assert data.files == ["x"]
        assert not seen & {image.tobytes() for image in data["x"]}
    truth = labels(held.id)
    assert len(truth) == 1000 and {truth.count(d) for d in range(10)} == {100}
    manifest = (given.folder / "manifest.json").read_text()
    assert "held" not in json.loads(manifest)["files"] and held.id not in manifest


def test_nothing_is_held_out_of_a_stand_in(tmp_path: Path) -> None:
    assert held_out("cifar10", Profile.SMOKE, tmp_path) is None
    assert held_out("mnist", Profile.FULL, tmp_path) is None, (
        "the shipped subset does not stand for the whole"
    )
    assert held_out("image-folder", Profile.SMOKE, tmp_path) is None
    full = bundle(Profile.FULL, ["mnist"], tmp_path)
    assert not full.made["mnist"].judged


def test_an_unknown_resource_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="did you mean 'vgg16'"):
        bundle(Profile.SMOKE, ["vgg166"], tmp_path)


def test_what_rubrics_call_things_is_known() -> None:
    ids = [
        r.id
        for r in registry.resolve(["flowers", "vgg16-imagenet", "cifar-10", "tf_flowers", "sample-image"])
    ]
    assert ids == sorted({"flowers102", "photos", "vgg16", "cifar10", "tf-flowers", "sample-image"})


def test_a_draw_is_balanced_fixed_and_begins_a_larger_one() -> None:
    y = np.repeat(np.arange(10, dtype=np.uint8), 50)
    small, large = draw.by_class(y, 5), draw.by_class(y, 20)
    assert np.bincount(y[small]).tolist() == [5] * 10 and set(small) < set(large)
    assert not set(small) & set(draw.by_class(y, 5, skip=5))
    assert small[:4].tolist() == draw.by_class(y, 5)[:4].tolist() == [499, 481, 91, 20]
