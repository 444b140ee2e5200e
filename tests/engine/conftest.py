"""What several tests of the engine share."""

from __future__ import annotations

from pathlib import Path

import prose
import pytest

from grader.engine import grade


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which an answer without code has been run: to the worker all of them are alike."""
    home = tmp_path_factory.mktemp("ran")
    prose.assignment(home)
    grade(prose.hand_in(home, {"some": prose.FILTER}), prose.options(home))
    return home / "store"
