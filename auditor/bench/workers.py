"""Processes that do work beside one another, and that end with whoever started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.connection import Connection
from typing import TypeVar

Order = TypeVar("Order")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Order], Result], orders: Sequence[Order], workers: int
) -> Iterator[tuple[Order, Result]]:
    """Carry out every order in one of so many processes; yields each order when it is done, with its result.

    Closing the generator, or leaving it by an exception, ends the processes at once, also in the midst of an order.
    They end as well when this process is killed.

    Raises:
        Exception: whatever the work raised first.
    """
    if not orders:
        return
    context = multiprocessing.get_context("spawn")  # forked copies of a process with threads may lock up
    lifeline, held = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(
        min(workers, len(orders)), mp_context=context, initializer=_end_with, initargs=(lifeline,)
    )
    try:
        futures = {executor.submit(work, order): order for order in orders}
        for future in as_completed(futures):
            yield futures[future], future.result()
        executor.shutdown()
    finally:
        held.close()
        executor.shutdown(wait=False, cancel_futures=True)
        lifeline.close()


def _end_with(lifeline: Connection) -> None:
    """End this process when the pipe's other end closes."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; whoever started this one decides

    def wait() -> None:
        try:
            lifeline.recv()
        except EOFError:
            os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
