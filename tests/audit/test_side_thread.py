"""What never returns is left behind: after its time, and at once when interrupted."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from auditor.audit.side_thread import OutOfTime, call_in_side_thread, call_within


class Stuck:
    """A call that does not return before it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()

    def __call__(self) -> int:
        self.begun.set()
        self.release.wait()
        return 3


async def test_what_returns_in_time_is_returned() -> None:
    assert call_within(60, lambda: 3) == 3
    assert await call_in_side_thread(lambda: 3, 60) == 3
    assert await call_in_side_thread(lambda: 3) == 3


async def test_what_is_raised_is_raised_and_leaving_is_no_more_than_an_error() -> None:
    def times_out() -> None:
        raise TimeoutError("of its own")

    for call in (lambda: call_within(60, times_out), lambda: asyncio.run(call_in_side_thread(times_out, 60))):
        with pytest.raises(TimeoutError, match="of its own"):
            await asyncio.to_thread(call)
    with pytest.raises(RuntimeError, match="SystemExit: goodbye"):
        await call_in_side_thread(lambda: sys.exit("goodbye"), 60)


async def test_a_call_that_takes_too_long_is_left_behind() -> None:
    stuck = Stuck()
    try:
        with pytest.raises(OutOfTime, match=r"^took longer than 0\.05 s$"):
            await call_in_side_thread(stuck, 0.05)
        with pytest.raises(OutOfTime):
            call_within(0.05, stuck)
    finally:
        stuck.release.set()


async def test_cancelling_does_not_wait() -> None:
    stuck = Stuck()
    waiting = asyncio.create_task(call_in_side_thread(stuck))
    try:
        await asyncio.to_thread(stuck.begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    finally:
        stuck.release.set()
