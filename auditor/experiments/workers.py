"""Processes that work in parallel and end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self, TypeVar

Order = TypeVar("Order")
Result = TypeVar("Result")


class Workers:
    """So many processes, as a context manager. Each starts when there is work for it, and stays for more.

    Leaving the context ends the processes at once, also in the midst of an order. They end as well when this process
    is killed.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def __enter__(self) -> Self:
        """Get ready; nothing is started yet."""
        context = multiprocessing.get_context("spawn")  # forked copies of a process with threads may lock up
        self._lifeline, self._held = context.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(
            self.count, mp_context=context, initializer=_end_with, initargs=(self._lifeline,)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        if kind is None:
            self._executor.shutdown()
        self._held.close()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._lifeline.close()

    def carry_out(self, work: Callable[[Order], Result], orders: Sequence[Order]) -> Iterator[tuple[Order, Result]]:
        """Carry out every order; yields each when it is done, with its result.

        Raises:
            Exception: whatever the work raised first.
        """
        futures = {self._executor.submit(work, order): order for order in orders}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _end_with(lifeline: Connection) -> None:
    """End this process when the pipe's other end closes."""
    # Before PyTorch is imported. Where more threads than cores wait for one another, those that spin hold up the rest:
    # work of half a second then takes a minute.
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["GOMP_SPINCOUNT"] = "0"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent process decides

    def wait() -> None:
        try:
            lifeline.recv()
        except EOFError:
            os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
