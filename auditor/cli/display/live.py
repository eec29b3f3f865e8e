"""Progress bars on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from auditor.audit.record import events as e
from auditor.audit.record.journal import Entry
from auditor.audit.record.state import AuditState
from auditor.cli.display.base import Display
from auditor.planning.plan import sub_run_length
from auditor.report.sentences import sentence

_QUIET = (e.Committed, e.ReplicaReturned, e.Drawn, e.ProviderReady)
"""Events that the bars show well enough."""


class LiveDisplay(Display):
    """A bar for the primary and one for each sub-run that is being replicated; what matters scrolls above."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>12}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            expand=True,
        )
        self._primary: TaskID | None = None
        self._replicated: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the cursor below."""
        self._progress.stop()

    def show(self, entry: Entry) -> None:
        """Draw what an event changes."""
        state, event = entry.state, entry.event
        if isinstance(event, e.RunStarted | e.RunResumed):
            self._begin(entry)
        if isinstance(event, e.RunStarted):
            for warning in event.warnings:
                self._console.print(f"[yellow]warning:[/] {escape(warning)}")
        words = sentence(event, state)
        if words is not None and not isinstance(event, _QUIET):
            self._console.print(escape(words), highlight=False)
        self._draw_primary(state)
        sub_run = getattr(event, "sub_run", None)
        if sub_run is not None:
            self._draw_sub_run(state, sub_run)

    def _begin(self, entry: Entry) -> None:
        """Begin with a run: the only one, or that of an update, which takes the place of the one before."""
        self._console.print(f"run [bold]{escape(entry.record.run)}[/]")
        for task in (self._primary, *self._replicated.values()):
            if task is not None:
                self._progress.remove_task(task)
        self._primary, self._replicated = None, {}
        started = entry.state.started
        if started is not None and not entry.state.updates:
            name = escape(started.primary)
            self._primary = self._progress.add_task(f"{name} trains", total=started.steps, rate="")

    def _draw_primary(self, state: AuditState) -> None:
        if self._primary is None or state.started is None or state.updates:
            return
        known = state.provider(state.started.primary)
        step = max(known.step, state.step)
        rate = f"{known.rate:.1f} steps/s" if known.rate and not state.primary_finished else ""
        self._progress.update(self._primary, completed=step, rate=rate)

    def _draw_sub_run(self, state: AuditState, index: int) -> None:
        sub_run, started = state.sub_run(index), state.started
        if not sub_run.replicated or started is None or (sub_run.over and index not in self._replicated):
            return
        start = index * started.sub_run_steps
        length = sub_run_length(index, started.steps, started.sub_run_steps)
        if index not in self._replicated:
            self._replicated[index] = self._progress.add_task(
                f"replicating {index}", total=length * len(started.replicas), rate="waiting"
            )
        done = sum(
            length if replica.over else max(0, min(length, state.provider(name).step - start))
            for name, replica in sub_run.replicas.items()
        )
        total = length * max(1, len(sub_run.replicas))
        phase = {"replicating": "", "judged": "judged", "undecided": "undecided"}.get(state.phase(index), "")
        if sub_run.replicas and all(replica.over for replica in sub_run.replicas.values()) and not phase:
            phase = "comparing"
        task = self._replicated[index]
        self._progress.update(task, completed=done, total=total, rate=phase)
        if sub_run.over:
            self._progress.remove_task(task)
            del self._replicated[index]
