"""``grade verify``: the references earn full marks, and one made wrong fails where it is wrong, only there."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from slips import PATIENT, REFERENCE, ROOT, RUBRIC, Slip, Verified, one_question, verified

from grader.checks.base import State
from grader.engine import Options, verify
from grader.engine.verify import short_of_full, wanting_data
from grader.errors import RubricError
from grader.report import junit

pytestmark = pytest.mark.slow

TEST_ACCURACY = 'print(f"Test accuracy: {accuracy(model, test_loader):.2%}")'


def slip(file: str, *changes: tuple[str, str], fails: set[str]) -> Slip:
    return Slip(file, changes, frozenset(fails))


LENET = {
    "as-it-is": slip("q06_lenet5.py", fails=set()),
    "first-layer-wider": slip(
        "q06_lenet5.py",
        ("nn.Conv2d(1, 6, kernel", "nn.Conv2d(1, 8, kernel"),
        ("nn.Conv2d(6, 16, kernel", "nn.Conv2d(8, 16, kernel"),
        fails={
            "Two 5×5 convolutions of 6 and 16 maps with pooling, then 120, 84 and 10 units",
            "The number of parameters is LeNet-5's",
        },
    ),
    "accuracy-line-deleted": slip(
        "q06_lenet5.py", (TEST_ACCURACY, ""), fails={"The accuracy on test data is reported"}
    ),
    "accuracy-typed-in": slip(
        "q06_lenet5.py",
        (TEST_ACCURACY, 'print("Test accuracy: 98.71%")'),
        fails={"The accuracy on test data is reported"},
    ),
    "time-line-deleted": slip(
        "q06_lenet5.py",
        ('print(f"Training time: {training_time:.1f} seconds")', ""),
        fails={"The training time is reported", "The stated training time is the time that training took"},
    ),
    "never-trained": slip(
        "q06_lenet5.py",
        ("        optimizer.step()\n", ""),
        fails={
            "The network is trained",
            "The model reaches LeNet-5's accuracy on digits that it has not seen",
            "The stated training time is the time that training took",
        },
    ),
    "name-misspelt": slip(
        "q06_lenet5.py",
        (TEST_ACCURACY, TEST_ACCURACY.replace("accuracy(model", "acuracy(model")),
        fails={"The code runs", "The accuracy on test data is reported"},
    ),
}

PICTURES = {
    "weights-not-asked-for": slip(
        "q08_alexnet_filters.py",
        ("models.alexnet(weights=weights)", "models.alexnet()"),
        fails={"AlexNet is loaded with pretrained weights"},
    ),
    "figures-without-titles": slip(
        "q08_alexnet_filters.py",
        ('    ax.set_title(f"Filter {i + 1}", fontsize=7)\n', ""),
        ('    ax.set_title(f"Map {i + 1}", fontsize=7)\n', ""),
        ('figure.suptitle("AlexNet, first convolution: 32 of 64 filters (11×11, RGB)")\n', ""),
        ('figure.suptitle("AlexNet, first convolution: 32 of 64 feature maps (55×55)")\n', ""),
        fails={"The figures say what they show"},
    ),
    "maps-of-the-second-convolution": slip(
        "q08_alexnet_filters.py",
        ("    ax.imshow(maps[i], cmap", "    ax.imshow(model.features[:4](batch)[0, i].detach(), cmap"),
        fails={"A figure shows several feature maps of the first convolution"},
    ),
    "one-filter-only": slip(
        "q08_alexnet_filters.py",
        (
            "figure, axes = plt.subplots(4, 8, figsize=(10, 5.6))\nfor i, ax in enumerate(axes.flat):\n    ax.imshow(filters",
            "figure, axes = plt.subplots(1, 1, squeeze=False)\nfor i, ax in enumerate(axes.flat):\n    ax.imshow(filters",
        ),
        fails={"A figure shows several filters of the first convolution"},
    ),
}

HEADS = {
    "head-of-seven-classes": slip(
        "q07_vgg16.py",
        ("nn.Linear(256, len(train_data.classes))", "nn.Linear(256, 7)"),
        fails={"The head is replaced and has one output for each class"},
    ),
    "axes-and-legend-missing": slip(
        "q09_googlenet.py",
        ('plt.xlabel("Epoch")\n', ""),
        ('plt.ylabel("Accuracy")\n', ""),
        ("plt.legend()\n", ""),
        fails={"The axes are labelled and a legend tells the curves apart"},
    ),
}

PROSE = {
    "weight-sharing-left-out": slip(
        "q01_cnn_and_dense.md",
        (
            "| weights | the same filter weights are shared across the whole image"
            " | every connection has a weight of its own |\n",
            "",
        ),
        (
            "- *Shared weights.* One kernel is reused at every position of the image, so the number of parameters"
            " does not depend\n  on the image's size. A 3×3 convolution with 64 filters on an RGB image has 1,792"
            " parameters; a dense layer of 64\n  units on a 224×224 RGB image has 9.6 million. A CNN therefore has"
            " far fewer parameters.\n",
            "",
        ),
        (
            ", because with fewer weights they\noverfit less and because a pattern learned in one place is"
            " recognised in another.",
            ".",
        ),
        fails={"What a CNN is, and how it differs from a fully connected network"},
    ),
    "paper-left-out": slip(
        "q02_lenet5.md",
        (
            "## Reference\n\nLeCun, Y., Bottou, L., Bengio, Y., & Haffner, P. (1998). Gradient-based learning applied"
            " to document recognition.\n*Proceedings of the IEEE*, 86(11), 2278–2324.\n",
            "",
        ),
        fails={"LeNet-5's layers, what it founded, and the paper"},
    ),
    "depth-left-out": slip(
        "q05_residual_connections.md",
        (
            "Residual connections make very deep networks trainable: ResNets with 50, 101 and 152 layers are common,"
            " and the\n152-layer one won ILSVRC 2015 with a top-5 error of 3.57 %.\n",
            "",
        ),
        fails={"What a residual connection computes, and why gradients and depth profit"},
    ),
    "imbalance-left-out": slip(
        "q10_xray.md",
        (
            "- Handling of class imbalance, since COVID-19 images are rare: class weights in the loss, or"
            " oversampling.\n",
            "",
        ),
        fails={"Approach, data, evaluation, deployment and safety"},
    ),
}
POINTS = {
    "weight-sharing-left-out": "the same filter weights are shared across the whole image, so a CNN has far fewer parameters",
    "paper-left-out": "the paper is by LeCun, Bottou, Bengio and Haffner, 1998",
    "depth-left-out": "it makes very deep networks trainable, with 50, 101 or 152 layers",
    "imbalance-left-out": "resizing and normalising the images, augmentation that stays plausible, and handling of class"
    " imbalance",
}


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    return verified(tmp_path_factory.mktemp("lenet"), LENET, spread=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    return verified(tmp_path_factory.mktemp("pictures"), PICTURES)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    return verified(tmp_path_factory.mktemp("heads"), HEADS)


@pytest.fixture(scope="module")
def prose(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    return verified(tmp_path_factory.mktemp("prose"), PROSE)


def fails_there_only(found: Verified, id: str, slips: dict[str, Slip]) -> None:
    failed = found.failed(id)
    told = {c.title: f"{c.state}: {c.reason}" for c in failed.values()}
    assert set(failed) == slips[id].fails, told


@pytest.mark.parametrize("id", LENET)
def test_a_wrong_lenet_fails_where_it_is_wrong(lenet: Verified, id: str) -> None:
    fails_there_only(lenet, id, LENET)


@pytest.mark.parametrize("id", PICTURES)
def test_wrong_pictures_fail_where_they_are_wrong(pictures: Verified, id: str) -> None:
    fails_there_only(pictures, id, PICTURES)


@pytest.mark.parametrize("id", HEADS)
def test_a_wrong_head_or_a_bare_plot_fails_where_it_is_wrong(heads: Verified, id: str) -> None:
    fails_there_only(heads, id, HEADS)


@pytest.mark.parametrize("id", PROSE)
def test_a_key_point_left_out_is_the_point_that_is_missed(prose: Verified, id: str) -> None:
    fails_there_only(prose, id, PROSE)
    (criterion,) = prose.failed(id).values()
    point = next(p for p in criterion.evidence["points"] if p["says"] == POINTS[id])
    assert point["mark"] < point["out_of"]


def test_a_typed_accuracy_is_for_a_person_and_a_missing_one_is_lost(lenet: Verified) -> None:
    (typed,) = lenet.failed("accuracy-typed-in").values()
    (missing,) = lenet.failed("accuracy-line-deleted").values()
    assert (typed.state, missing.state) == (State.REVIEW, State.LOST)


def test_the_difference_in_layers_is_named(lenet: Verified) -> None:
    layers = next(c for c in lenet.failed("first-layer-wider").values() if c.check == "layers")
    assert "8" in layers.reason and "6" in layers.reason
    count = next(c for c in lenet.failed("first-layer-wider").values() if c.check == "parameters")
    assert count.evidence["parameters"] == 61_706 + 2 * (25 + 1) + 2 * 25 * 16


def test_the_junit_file_says_which_reference_failed_and_where(lenet: Verified) -> None:
    root = ET.fromstring(junit(lenet.results))
    failed = {
        (case.get("classname"), (case.get("name") or "").split(". ", 1)[1].rsplit(" (", 1)[0])
        for case in root.iter("testcase")
        if case.find("failure") is not None
    }
    assert failed == {(f"{id}.q6", title) for id, s in LENET.items() for title in s.fails}
    assert root.get("tests") == str(len(LENET) * len(list(lenet.of("as-it-is").questions[0].criteria)))


def test_changed_words_around_the_same_code_execute_nothing(heads: Verified, tmp_path: Path) -> None:
    """The analysis claims the opposite of what the curves show: found from the stored run."""
    source = HEADS["axes-and-legend-missing"].source()
    analysis = source[source.index("# The model overfits.") :]
    wrong = "# The model underfits: both curves stay low and close together, so it is too simple.\n"
    known = one_question(
        tmp_path, "wrong-analysis", "q9", {"q09_googlenet.py": source.replace(analysis, wrong)}
    )
    events = []
    home = heads.store
    results = verify(Options(store=home, limits=PATIENT), events.append, known=[known])
    assert not results.submissions[0].executed
    failed = {c.title for _, _, c in short_of_full(results)}
    assert failed == {
        *HEADS["axes-and-legend-missing"].fails,
        "Over- or underfitting is analysed, in agreement with the curves",
    }


def test_every_reference_earns_full_marks_in_all_thirty_questions(tmp_path: Path) -> None:
    """But for the marks that want the real CIFAR-10, where it is not in the cache."""
    options = Options(rubrics=RUBRIC.parent, store=tmp_path / "store", limits=PATIENT)
    results = verify(options)
    short = [f"{a} {q.id} {c.title}: {c.state}, {c.reason}" for a, q, c in short_of_full(results)]
    assert not short
    assert {a for a, _, _ in wanting_data(results)} <= {"cnn-architecture"}
    assert {len(s.questions) for s in results.submissions} == {10} and len(results.submissions) == 3
    for s in results.submissions:
        wanting = sum(c.out_of for a, _, c in wanting_data(results) if a == s.assignment)
        assert (s.mark, s.open_marks) == (s.out_of - wanting, wanting), s.assignment
    again = verify(options)
    assert not any(s.executed for s in again.submissions)
    assert [s.questions for s in again.submissions] == [s.questions for s in results.submissions]


def test_a_missing_reference_is_named_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    for path in REFERENCE.iterdir():
        if path.name != "q08_alexnet_filters.py":
            (folder / path.name).write_bytes(path.read_bytes())
    options = Options(rubric="image-classification-cnn", rubrics=ROOT / "rubrics", store=tmp_path / "store")
    with pytest.raises(RubricError, match=r"q08_alexnet_filters\.py.*write it, or change `reference` of q8"):
        verify(options, reference=folder)
