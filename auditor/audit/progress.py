"""Turning a stream of statuses into a progress event now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

from auditor.audit.record.events import Event, Progressed

SECONDS = 1.0
"""How long passes between two progress events of one execution, at least."""


class ProgressMeter:
    """Measures the rate of one execution and reports it.

    Args:
        write: where events go.
        provider: who executes.
        sub_run: which sub-run it replicates; None for the primary.
        step: where it starts.
    """

    def __init__(self, write: Callable[[Event], None], provider: str, sub_run: int | None, step: int) -> None:
        self._write = write
        self._provider = provider
        self._sub_run = sub_run
        self._step = step
        self._time = time.monotonic()
        self._reached = step

    @property
    def reached(self) -> int:
        """The latest step that the provider claimed."""
        return self._reached

    def report(self, step: int, loss: float | None) -> None:
        """Report, unless the last report is recent or nothing moved."""
        self._reached = step
        self._step = min(self._step, step)  # a provider that was started again begins anew
        passed = time.monotonic() - self._time
        if step == self._step or passed < SECONDS:
            return
        self._write(Progressed(self._provider, self._sub_run, step, loss, (step - self._step) / passed))
        self._step, self._time = step, time.monotonic()
