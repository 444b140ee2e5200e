"""Limits on a kernel's replies, and Ctrl-C."""

from __future__ import annotations

import asyncio

import pytest

from grader.worker.session import _within


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
