"""One fork server for all tests of the worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kernels import Notebook, Ran, execute

from grader.worker.forkserver import ForkServer


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """One fork server for all tests; ``namespaces``, and nothing weaker."""
    with ForkServer(weakest=False) as running:
        yield running


@pytest.fixture
def notebook(server: ForkServer) -> Notebook:
    """``notebook(*cells, limits=..., bundle=...)`` runs the cells in a sandboxed kernel."""

    def ran(*sources: str, **options: Any) -> Ran:
        return execute(server, *sources, **options)

    return ran
