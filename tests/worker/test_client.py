"""When a cell is interrupted."""

from __future__ import annotations

import asyncio
import time

import nbformat
import pytest

from grader.worker.client import Client


class _Interrupted:
    """Stands for a kernel manager: notes when it was asked to interrupt."""

    def __init__(self) -> None:
        self.at: float | None = None

    async def interrupt_kernel(self) -> None:
        self.at = time.monotonic()


@pytest.mark.parametrize("waited, times", [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_waiting_for_a_processor_prolongs_a_limit_but_not_without_end(waited: float, times: float) -> None:
    """``waited``: which share of the time the cell waits, as it may itself bring about."""
    started = time.monotonic()

    async def watched() -> float:
        client = Client(nbformat.v4.new_notebook())
        client.km = kernel = _Interrupted()
        async with asyncio.timeout(60) as end:
            await client.interrupt_after(0.4, lambda: waited * (time.monotonic() - started), end)
        assert client.struck and kernel.at is not None
        return kernel.at - started

    assert asyncio.run(watched()) >= 0.4 * times - 0.01


def test_a_cell_that_waits_for_nothing_is_stopped_at_its_limit() -> None:
    async def watched() -> bool:
        client = Client(nbformat.v4.new_notebook())
        client.km = _Interrupted()
        async with asyncio.timeout(60) as end:
            watch = asyncio.create_task(client.interrupt_after(0.2, lambda: 0.0, end))
            await asyncio.wait([watch], timeout=20)
            return watch.done() and client.struck

    assert asyncio.run(watched())
