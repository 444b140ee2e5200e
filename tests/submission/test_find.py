from pathlib import Path

import pytest

from grader.errors import DuplicateFile, NoSubmissions
from grader.submission import find


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def test_a_folder_stands_for_the_notebooks_in_it_and_below_in_order_of_names(tmp_path: Path) -> None:
    touch(
        tmp_path / "b.ipynb", tmp_path / "a" / "x.ipynb", tmp_path / "a" / "README.md", tmp_path / "c.ipynb"
    )
    found = find([tmp_path])
    assert found.files == (tmp_path / "a" / "x.ipynb", tmp_path / "b.ipynb", tmp_path / "c.ipynb")


def test_files_keep_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    touch(tmp_path / "b.ipynb", tmp_path / "a.ipynb")
    assert find([tmp_path / "b.ipynb", tmp_path / "a.ipynb"]).files == (
        tmp_path / "b.ipynb",
        tmp_path / "a.ipynb",
    )


def test_autosaved_twins_are_skipped_and_said_so(tmp_path: Path) -> None:
    twin = tmp_path / ".ipynb_checkpoints" / "a-checkpoint.ipynb"
    touch(tmp_path / "a.ipynb", twin, tmp_path / "._a.ipynb")
    found = find([tmp_path])
    assert found.files == (tmp_path / "a.ipynb",)
    reasons = dict(found.skipped)
    assert "autosaved" in reasons[twin]
    assert "macOS" in reasons[tmp_path / "._a.ipynb"]


def test_the_same_file_by_two_names_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.ipynb")
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "a.ipynb")
    for again in (tmp_path / "a.ipynb", tmp_path / "x" / ".." / "a.ipynb", tmp_path / "link.ipynb"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(DuplicateFile, match="twice"):
            find([tmp_path / "a.ipynb", again])
    with pytest.raises(DuplicateFile):
        find([tmp_path, tmp_path / "a.ipynb"])


def test_nothing_found_names_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(NoSubmissions, match=r"typo\.ipynb"):
        find([tmp_path / "typo.ipynb"])
    with pytest.raises(NoSubmissions, match=r"\*\.ipynb"):
        find([tmp_path / "*.ipynb"])
    with pytest.raises(NoSubmissions, match=tmp_path.name):
        find([tmp_path])
    with pytest.raises(NoSubmissions):
        find([])
    twin = tmp_path / ".ipynb_checkpoints" / "a-checkpoint.ipynb"
    touch(twin)
    with pytest.raises(NoSubmissions, match="autosaved"):
        find([twin])


def test_a_pattern_that_the_shell_left_alone_is_expanded(tmp_path: Path) -> None:
    touch(tmp_path / "b.ipynb", tmp_path / "a.ipynb")
    assert find([tmp_path / "*.ipynb"]).files == (tmp_path / "a.ipynb", tmp_path / "b.ipynb")


def test_a_named_file_of_another_kind_and_a_folder_called_like_a_notebook_are_left_for_reading(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "essay.pdf")
    (tmp_path / "odd.ipynb").mkdir()
    paths = [tmp_path / "essay.pdf", tmp_path / "odd.ipynb"]
    assert find(paths).files == tuple(paths)
