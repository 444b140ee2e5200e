from __future__ import annotations

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
