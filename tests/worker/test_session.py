"""What a kernel printed, as text."""

from __future__ import annotations

import asyncio
import time

import nbformat
import pytest

from grader.worker.session import _Client, _line, _plain, _read, _within


def test_colours_go_and_carriage_returns_are_played_out() -> None:
    assert _plain("\x1b[31mred\x1b[0m") == "red"
    assert _plain("0%\r50%\r100%\nnext") == "100%\nnext"
    assert _plain("a\r\nb\r\n") == "a\nb\n"
    assert _plain("done\r") == "done"
    assert _plain(["a", "b"]) == "ab" and _plain("\ud800") == "?"


def test_a_line_of_a_million_characters_is_no_trouble() -> None:
    """It took the square of its length: a megabyte without a line's end held the worker for an hour."""
    assert len(_plain("x" * 1_000_000)) == 1_000_000
    assert _plain("y" * 500_000 + "\r" + "x" * 500_000) == "x" * 500_000


def test_a_progress_bar_that_comes_in_parts_is_one_line() -> None:
    parts = [
        {"output_type": "stream", "name": "stderr", "text": t} for t in ("\r10%", "\r50%", "\r100%\n", "ok")
    ]
    texts, failure = _read(parts, False)
    assert [(t.stream, t.text) for t in texts] == [("stderr", "100%\nok")] and failure is None


def test_the_line_of_an_error_is_the_pieces_own() -> None:
    trace = "NameError  Traceback\nCell In[3], line 7\n      6 def f():\n----> 7     g()\n\nCell In[3], line 2, in g()\n"
    assert _line(trace) == 2
    assert _line("File /usr/lib/python3/x.py:5, in f\n") is None
    _, failure = _read([{"output_type": "error", "ename": "E", "evalue": "v", "traceback": [trace]}], False)
    assert failure is not None and failure.line == 2


async def _swallows(seconds: float) -> str:
    """Like a wait for a reply that comes just when the waiting is cancelled."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        return "a reply"
    return "the end"


def test_ctrl_c_at_the_moment_of_a_reply_is_not_lost() -> None:
    """The command went on for as long as its notebooks ran."""

    async def waiting() -> str:
        async with _within(30):
            return await _swallows(20)

    async def stopped() -> None:
        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()

    asyncio.run(stopped())


def test_a_limit_is_told_as_one_even_if_the_cancellation_is_swallowed() -> None:
    async def waiting() -> str:
        async with _within(0.05):
            return await _swallows(20)

    with pytest.raises(TimeoutError):
        asyncio.run(waiting())


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
        client = _Client(nbformat.v4.new_notebook())
        client.km = kernel = _Interrupted()
        async with asyncio.timeout(60) as end:
            await client.interrupt_after(0.4, lambda: waited * (time.monotonic() - started), end)
        assert client.struck and kernel.at is not None
        return kernel.at - started

    assert asyncio.run(watched()) >= 0.4 * times - 0.01


def test_a_cell_that_waits_for_nothing_is_stopped_at_its_limit() -> None:
    async def watched() -> bool:
        client = _Client(nbformat.v4.new_notebook())
        client.km = _Interrupted()
        async with asyncio.timeout(60) as end:
            watch = asyncio.create_task(client.interrupt_after(0.2, lambda: 0.0, end))
            await asyncio.wait([watch], timeout=20)
            return watch.done() and client.struck

    assert asyncio.run(watched())
