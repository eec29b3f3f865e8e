"""Threads that can be left behind, for calls that may never return, such as those of plugins.

A thread cannot be ended from outside. A caller waits for it up to a limit and then goes on without it. Nothing else may
touch what the thread was given, and the process does not wait for it at its end.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class OutOfTime(Exception):  # noqa: N818 - the name reads as what it is
    """A call did not return in its time. Its thread goes on, and nobody waits for it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"took longer than {seconds:g} s")


class _SideThread(threading.Thread):
    """A thread that the process does not wait for."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__(target=call, name="side thread", daemon=True)


def call_within(seconds: float, call: Callable[[], Result]) -> Result:
    """Call something in a side thread, and wait for it up to a limit.

    Raises:
        OutOfTime: it did not return.
        Exception: whatever it raised.
    """
    future = _start(call)
    concurrent.futures.wait([future], seconds)
    if not future.done():
        raise OutOfTime(seconds)
    return future.result()


async def call_in_side_thread(call: Callable[[], Result], seconds: float | None = None) -> Result:
    """Call something in a side thread; cancelling what awaits it leaves the thread behind at once.

    Raises:
        OutOfTime: it did not return in `seconds`.
        Exception: whatever it raised.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await asyncio.wrap_future(_start(call))
    except TimeoutError:
        if seconds is not None and limit.expired():
            raise OutOfTime(seconds) from None
        raise


def leave(code: int) -> None:
    """End the process with `code` if a thread was left behind; otherwise do nothing.

    Python would end such a thread in the middle of whatever library it is in, which some of them answer with an
    abort. So the process is ended by the system, after everything written was flushed.
    """
    if any(isinstance(thread, _SideThread) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _start(call: Callable[[], Result]) -> concurrent.futures.Future[Result]:
    future: concurrent.futures.Future[Result] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()  # from now on nobody can cancel it, but only stop waiting for it

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)
        except BaseException as error:  # such as SystemExit, which would end the caller
            future.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))

    _SideThread(run).start()
    return future
