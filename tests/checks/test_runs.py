from __future__ import annotations

import pytest
from handmade import Notebook

from grader.checks.base import State, Verdict
from grader.checks.runs import Runs, judge
from grader.evidence.model import RunState


def mark(nb: Notebook, marks: float = 4, answer: tuple[int, ...] | None = None) -> Verdict:
    return judge(Runs(check="runs", marks=marks), nb.case(answer=answer))


def test_all_cells_ran() -> None:
    v = mark(Notebook().code("a = 1").code("b = a"))
    assert (v.state, v.mark) == (State.EARNED, 4)


def test_half_of_the_statements_ran_and_the_error_is_quoted_with_its_line() -> None:
    nb = (
        Notebook()
        .code("a = 1\nb = 2")
        .code("c = 3\nd = 1 / 0", error=("ZeroDivisionError", "division by zero"), line=2)
    )
    v = mark(nb)
    assert (v.state, v.mark) == (State.PARTIAL, 2)
    assert "ZeroDivisionError: division by zero" in v.reason
    assert v.quotes[1].text == "d = 1 / 0"


def test_a_failed_cell_that_is_done_again_does_not_count() -> None:
    nb = Notebook().code("net = Nte()", error=("NameError", "name 'Nte' is not defined")).code("net = Net()")
    v = mark(nb)
    assert v.state is State.EARNED
    assert "done again" in v.reason


def test_only_comments_and_text_is_no_code() -> None:
    v = mark(Notebook().text("see above").code("# TODO"))
    assert (v.state, v.mark) == (State.LOST, 0)


def test_our_limit_is_for_a_person_and_counts_half() -> None:
    v = mark(Notebook().code("a = 1").code("train()", state=RunState.LIMIT, note="120 s for a cell"))
    assert (v.state, v.mark) == (State.REVIEW, 3)
    assert "limit" in v.reason


def test_a_package_that_we_lack_is_not_the_students_fault() -> None:
    v = mark(Notebook().code("import cv2", error=("ModuleNotFoundError", "No module named 'cv2'")))
    assert v.state is State.UNGRADED
    assert "`cv2` is not installed on this worker" in v.reason


def test_without_tensorflow_the_command_that_installs_it_is_named() -> None:
    error = ("ModuleNotFoundError", "No module named 'tensorflow.keras'")
    v = mark(Notebook().code("from tensorflow.keras import layers", error=error))
    assert v.state is State.UNGRADED
    assert "pip install 'grader[keras]'" in v.reason


def test_a_file_that_only_the_author_has_goes_to_a_person() -> None:
    error = ("FileNotFoundError", "[Errno 2] No such file or directory: 'my/cats'")
    assert mark(Notebook().code("load('my/cats')", error=error)).state is State.REVIEW
    already = Notebook().code("load('my/cats')", error=error, saved="FileNotFoundError: my/cats")
    assert mark(already).state is State.LOST


def test_a_name_error_is_followed_to_the_cell_that_failed_first() -> None:
    nb = Notebook().code("model = build(0)", error=("ValueError", "depth must be positive"))
    nb.text("Q2").code("model.fit()", error=("NameError", "name 'model' is not defined"))
    v = mark(nb, answer=(1, 2))
    assert v.state is State.LOST
    assert "needs `model` of cell 1" in v.reason
    assert "depth must be positive" in v.reason


def test_a_name_error_after_our_limit_is_ours() -> None:
    nb = Notebook().code("model = train()", state=RunState.LIMIT, note="120 s for a cell")
    nb.code("model.fit()", error=("NameError", "name 'model' is not defined"))
    assert mark(nb, answer=(1,)).state is State.UNGRADED


def test_a_dead_kernel_goes_to_a_person() -> None:
    v = mark(Notebook().code("x = 1").code("boom()", state=RunState.DIED, note="killed, memory"))
    assert (v.state, v.mark) == (State.REVIEW, 2)


def test_an_import_alone_is_no_answer() -> None:
    v = mark(Notebook().code("import torch\nfrom torch import nn"))
    assert v.state is State.LOST and "only imports" in v.reason


# ---------------------------------------------------------------- written for other versions, or for a GPU

IN_KERAS = "File /venv/lib/python3.11/site-packages/keras/src/layers/layer.py:281, in Layer.__init__(...)\nValueError"
OLD_KERAS = {
    "an argument": ("ValueError", "Unrecognized keyword arguments passed to Conv2D: {'border_mode': 'same'}"),
    "a method": ("AttributeError", "'Sequential' object has no attribute 'get_output_at'"),
    "a parameter": (
        "TypeError",
        "TensorFlowTrainer.fit() got an unexpected keyword argument 'samples_per_epoch'",
    ),
    "a module's name": ("AttributeError", "module 'tensorflow' has no attribute 'Session'"),
    "a tensor of one number": ("IndexError", "invalid index of a 0-dim tensor. Use `tensor.item()`"),
}


def old(error: tuple[str, str], source: str = "model = build()", **more: str) -> Notebook:
    nb = Notebook().code(source, error=error, traceback=IN_KERAS, **more)  # type: ignore[arg-type]
    nb.packages = {"keras": "3.15.1", "tensorflow-cpu": "2.21"}
    return nb


@pytest.mark.parametrize("what", OLD_KERAS)
def test_what_ran_for_its_author_and_fails_inside_a_library_goes_to_a_person(what: str) -> None:
    v = mark(old(OLD_KERAS[what], saved="Epoch 1/5 - loss: 0.31"))
    assert (v.state, v.mark) == (State.REVIEW, 0)
    assert "It ran in the saved notebook, and fails here inside the library" in v.reason


@pytest.mark.parametrize("what", OLD_KERAS)
def test_without_a_saved_output_it_is_the_students_own_error(what: str) -> None:
    assert mark(old(OLD_KERAS[what])).state is State.LOST


def test_it_failed_for_its_author_as_well() -> None:
    error = OLD_KERAS["an argument"]
    assert mark(old(error, saved=f"{error[0]}: {error[1]}\n")).state is State.LOST


def test_a_cell_that_prints_nothing_is_vouched_for_by_one_that_uses_what_it_makes() -> None:
    nb = old(OLD_KERAS["an argument"])
    nb.code(
        "model.summary()", error=("NameError", "name 'model' is not defined"), saved="Total params: 61,706"
    )
    assert mark(nb).state is State.REVIEW
    other = old(OLD_KERAS["an argument"])
    other.code("print(1)", saved="1")
    assert mark(other).state is not State.REVIEW


def test_a_mistake_of_ones_own_is_not_a_matter_of_versions() -> None:
    shapes = (
        "ValueError",
        "Input 0 of layer dense is incompatible with the layer: expected axis -1 to be 400",
    )
    assert mark(old(shapes, saved="Epoch 1/5")).state is State.LOST
    own = ("AttributeError", "'Net' object has no attribute 'fc9'")
    source = "class Net(keras.Model):\n    pass\nNet().fc9"
    assert mark(old(own, source, saved="ok")).state is State.LOST
    assert mark(old(("ZeroDivisionError", "division by zero"), saved="ok")).state is State.LOST


def test_a_misspelt_import_is_the_students_own_error() -> None:
    error = (
        "ImportError",
        "cannot import name 'np_utilz' from 'keras.utils' (/venv/keras/utils/__init__.py)",
    )
    assert mark(old(error, "from keras.utils import np_utilz\nx = np_utilz")).state is State.LOST
    used = old(error, "from keras.utils import multi_gpu_model")
    used.code(
        "net = multi_gpu_model(1)", error=("NameError", "name 'multi_gpu_model' is not defined"), saved="done"
    )
    assert mark(used).state is State.REVIEW


def test_a_module_that_a_library_no_longer_has_is_not_a_package_that_we_lack() -> None:
    v = mark(old(("ModuleNotFoundError", "No module named 'keras.wrappers.scikit_learn'")))
    assert v.state is State.REVIEW
    assert "keras 3.15.1 has no such name" in v.reason and "not installed" not in v.reason


@pytest.mark.parametrize(
    "error",
    [
        ("ImportError", "You must install pydot (`pip install pydot`) for model_to_dot to work."),
        ("ImportError", "Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl."),
        ("ImportError", "Image display requires the pydot package"),
    ],
)
def test_a_package_that_a_library_lacks_is_not_the_students_fault(error: tuple[str, str]) -> None:
    v = mark(Notebook().code("show(model)", error=error))
    assert v.state is State.UNGRADED
    assert "is not installed on this worker" in v.reason


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("model.half().to(gpu)", ("RuntimeError", "Found no NVIDIA driver on your system.")),
        ("assert torch.cuda.is_available(), 'sorry'", ("AssertionError", "sorry")),
        ("check()", ("SystemError", "GPU device not found")),
    ],
)
def test_code_that_gives_up_without_a_gpu_goes_to_a_person(source: str, error: tuple[str, str]) -> None:
    v = mark(Notebook().code(source, error=error, line=1))
    assert v.state is State.REVIEW and "There is no GPU on this worker" in v.reason


def test_a_program_that_we_lack_is_not_the_students_fault() -> None:
    error = (
        "ExecutableNotFound",
        "failed to execute PosixPath('dot'), make sure the Graphviz executables are on PATH",
    )
    v = mark(Notebook().code("make_dot(y).render('net')", error=error))
    assert v.state is State.UNGRADED and "Graphviz is not installed on this worker" in v.reason
