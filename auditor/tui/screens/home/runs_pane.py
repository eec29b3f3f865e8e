"""All past runs: sort, search, open, resume, delete, prune."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, DataTable, Input, Static

from auditor.tui.run_list import OPEN, RunList
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.signs import signs
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.report.overview import RunSummary

WELCOME = """There are no runs yet.

Press g or the button to start the quickstart. It trains a small network on this machine for about a minute with four \
local providers. One of them is malicious; watch the audit find it.

Or register your own providers (key 2), then open or compose a job (key 3). F1 explains the focused pane, and ctrl+p \
finds every action."""


class RunsPane(HomePane):
    """The table of runs, or a welcome where there is none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verdict", "Verdict", tooltip="Show the verdicts of this run with their evidence"),
        Binding("r", "resume", "Resume", tooltip="Resume a run that was stopped"),
        Binding("d,delete", "delete", "Delete", tooltip="Delete this run and free its space"),
        Binding("p", "prune", "Prune", show=False, tooltip="Remove checkpoints that no run needs, after asking"),
        Binding("slash", "search", "Search", key_display="/", tooltip="Show only runs that contain some words"),
    ]

    class Read(Message):
        """The runs were read from the store."""

        def __init__(self, runs: list[RunSummary]) -> None:
            super().__init__()
            self.runs = runs

    def __init__(self) -> None:
        super().__init__()
        self._list: RunList | None = None
        self._resuming: set[str] = set()
        self._had_runs: bool | None = None
        self._runs: dict[str, RunSummary] = {}

    def compose(self) -> Iterable[Widget]:
        """The welcome, or the search and the table."""
        yield Static(WELCOME, id="welcome", markup=False)
        yield Button("Start the quickstart (g)", id="quickstart", variant="primary")
        yield Input(placeholder="search the runs (/)", compact=True, id="runs-search")
        headings = ("run", "started", "status", "flagged", "cost", "time", "steps")
        yield SortableTable(*headings, sort_by=1, reverse=True, id="runs")

    def on_mount(self) -> None:
        """Read the runs, then keep up with those that go on."""
        self.reload()
        self.set_interval(2.0, self._reload_if_seen)

    def _reload_if_seen(self) -> None:
        if self.screen.is_current and self.is_on_screen:
            self.reload()

    def reload(self) -> None:
        """Read the runs."""
        self._read()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        if self._list is None:
            self._list = RunList(self.auditor.folder, self.auditor.is_starting)
        self._list.read(lambda runs: self.post_message(self.Read(runs)))

    def on_unmount(self) -> None:
        """Let go of the store."""
        if self._list is not None:
            self._list.close()

    def on_runs_pane_read(self, message: Read) -> None:
        """Show them."""
        for run in message.runs:
            before = self._runs.get(run.run)
            if before is not None and before.status in OPEN and run.status not in OPEN:
                quietly = before.status == "reading…"
                self.auditor.call_attention(run.run, "end", f"{run.status}: {run.run}", quietly=quietly)
        self._runs = {run.run: run for run in message.runs}
        self.set_class(not message.runs, "-empty")
        self.query_one("#runs", SortableTable).show([_row(run) for run in message.runs])
        if self.screen.focused is None and self.screen.is_current:
            self.query_one("#runs" if message.runs else "#quickstart").focus()
        if bool(message.runs) != self._had_runs:
            self._had_runs = bool(message.runs)
            self.screen.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the runs that match."""
        self.query_one("#runs", SortableTable).search(event.value)

    def on_input_submitted(self) -> None:
        """Go on to what was found."""
        self.query_one("#runs").focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a run: its verdicts if it has them, else live."""
        run = self._runs.get(event.row_key.value or "")
        if run is not None and run.damage is not None:
            self.say(f"{run.run} cannot be read: {run.damage}.", error=True)
        elif run is not None and run.status not in OPEN and not run.evolves:
            self.action_verdict()
        elif run is not None:
            self.auditor.open_run(run.run, evolves=run.evolves)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without runs there is nothing to do with one."""
        return action not in ("verdict", "resume", "delete", "search") or bool(self._runs)

    @property
    def _selected(self) -> RunSummary | None:
        return self._runs.get(self.query_one("#runs", SortableTable).selected or "")

    def action_search(self) -> None:
        """Search."""
        self.query_one("#runs-search").focus()

    def action_verdict(self) -> None:
        """Show the verdicts."""
        from auditor.tui.screens.verdict import VerdictScreen

        run = self._selected
        if run is not None and run.evolves:
            self.auditor.open_run(run.run, evolves=True)
        elif run is not None:
            self.app.push_screen(VerdictScreen(run.run))

    @work(exit_on_error=False)
    async def action_resume(self) -> None:
        """Go on with a run that was stopped, and show it."""
        run = self._selected
        if run is None or run.run in self._resuming:
            return
        self._resuming.add(run.run)
        try:
            if run.status == "stopped":
                self.say(f"Resuming {run.run}…")
                await self.auditor.execute(run.run)
            self.auditor.open_run(run.run, evolves=run.evolves)
        finally:
            self._resuming.discard(run.run)

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        """Forget a run, after asking."""
        from auditor.report.number_text import bytes_text
        from auditor.tui.screens.confirm import ConfirmScreen

        run = self._selected
        if run is None:
            return
        if run.status in ("running", "starting"):
            self.say("The run is in progress; cancel it first.", error=True)
            return
        freed = bytes_text(await self.auditor.in_store(lambda store: store.run_size(run.run)))
        question = f"Delete {run.run} with its events and checkpoints? This frees {freed} and cannot be undone."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Delete")):
            self.say(f"Deleting {run.run}…")
            await self.auditor.in_store(lambda store: store.delete_run(run.run))
            self.say(f"Deleted; {freed} freed.")
            self.reload()

    @work(exit_on_error=False)
    async def action_prune(self) -> None:
        """Remove checkpoints that no run needs, after asking."""
        from auditor.audit.pruning import Wanted, prunable, prune
        from auditor.report.number_text import bytes_text
        from auditor.tui.screens.confirm import ConfirmScreen

        self.say("Looking for checkpoints that no run needs…")
        found = await self.auditor.in_store(lambda store: prunable(store, Wanted()))
        if not (found.runs or found.copies):
            self.say("There is nothing that no run needs.")
            return
        question = (
            "Remove the checkpoints that no run needs? Delivered models stay, and what speaks against somebody. "
            f"This frees {bytes_text(found.bytes)} and cannot be undone."
        )
        if await self.app.push_screen_wait(ConfirmScreen(question, "Prune")):
            self.say("Removing…")
            removed = await self.auditor.in_store(lambda store: prune(store, found, Wanted()))
            self.say(f"Removed; {bytes_text(removed.bytes)} freed.")


def _row(run: RunSummary) -> Row:
    from auditor.report.number_text import day_text, seconds_text

    dollars = run.cost and run.cost.dollars
    sign = signs().verdicts.get(run.status, "")
    style = {"clean": "verdict.consistent", "flagged": "verdict.flagged"}.get(run.status, "")
    steps = f"{run.step:,}/{run.steps:,}" if run.steps else "–"
    extra = f"+{run.cost.extra_steps:,} steps" if run.cost else "–"
    return Row(
        key=run.run,
        cells=(
            safe_text(run.run, 40),
            Text(day_text(run.created)),
            Text(f"{sign} {run.status}{' (simulated)' if run.simulated else ''}", style=style),
            safe_text(", ".join(run.flagged), 60),
            Text(f"${dollars:.2f}" if dollars is not None else extra),
            Text(seconds_text(run.seconds)),
            Text(steps),
        ),
        sort=(
            run.run,
            run.created,
            run.status,
            run.flagged or None,
            (dollars or 0.0, run.cost.extra_steps) if run.cost else None,
            run.seconds,
            run.step,
        ),
    )
