"""The screen of an evolving job: its updates, their verdicts, and what survives in their models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.controlled_run import CONTROLS, ControlledRunScreen
from auditor.tui.signs import signs
from auditor.tui.widgets.event_log import EventLog
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.panes import Pane, Panes
from auditor.tui.widgets.sortable_table import Row, SortableTable
from auditor.tui.widgets.survival import SurvivalView
from auditor.tui.widgets.verdict_list import VerdictList

if TYPE_CHECKING:
    from auditor.audit.record.findings import ProviderVerdict
    from auditor.audit.record.state import Update
    from auditor.tui.run_follower import Snapshot


class UpdateTable(SortableTable):
    """The updates of the job."""

    HELP = """A row for each update that has begun; 0 is the first training. Enter opens its audit, with its timeline \
or, once it has ended, its evidence."""


class EvolutionScreen(ControlledRunScreen):
    """An evolving job as it goes on; leaving it does not disturb the job."""

    HELP = "The updates of an evolving job. Each is an audit of its own; Enter on its row opens it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", tooltip="Leave; the run continues"),
        Binding("v", "verdict", "Evidence", tooltip="Show the verdict on the update under the cursor"),
        *CONTROLS,
        Binding("slash", "search", "Search", tooltip="Search the log", key_display="/"),
        Binding("1", "pane(0)", "Go to the updates", show=False),
        Binding("2", "pane(1)", "Go to the picture", show=False),
        Binding("3", "pane(2)", "Go to the verdicts", show=False),
        Binding("4", "pane(3)", "Go to the log", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The title, the panes, the keys."""
        yield Static(Text(f" {self.run_id}"), id="title", markup=False)
        headings = ("update", "outcome", "accuracy", "attack success", "drift", "flagged")
        yield Panes(
            Pane("Updates", UpdateTable(*headings, id="updates"), id="updates-pane"),
            Pane("Survival", SurvivalView(), id="survival-pane"),
            Pane("Verdicts", VerdictList(), id="verdicts-pane"),
            Pane("Log (local time)", EventLog(), id="log-pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin at the updates."""
        super().on_mount()
        self.query_one(UpdateTable).focus()

    def show(self, snapshot: Snapshot) -> None:
        """Show the job as it is now."""
        self.query_one("#title", Static).update(self._title(snapshot))
        self.query_one(SurvivalView).show(snapshot)
        self.query_one(UpdateTable).show([_row(update) for _, update in sorted(snapshot.state.updates.items())])
        self.query_one(EventLog).show(snapshot.log)
        finished = snapshot.state.finished
        self.query_one(VerdictList).show(finished.providers if finished else _so_far(snapshot), final=bool(finished))
        self.heed(snapshot)

    def retitle(self) -> None:
        """See `ControlledRunScreen`."""
        if self.snapshot is not None:
            self.query_one("#title", Static).update(self._title(self.snapshot))
        super().retitle()

    def _title(self, snapshot: Snapshot) -> Text:
        from auditor.report.number_text import seconds_text

        state, evolution = snapshot.state, snapshot.job.evolution
        begun = max(state.updates, default=0)
        words = f" {snapshot.run.id}  {signs().verdicts[self.status_of(snapshot)]} {self.status_words(snapshot)}"
        words += (
            f"  update {begun} of {evolution.updates if evolution is not None else 0}  {seconds_text(state.seconds)}"
        )
        return safe_text(words + self.stopped_words(snapshot), 300, "bold")

    @property
    def _selected(self) -> Update | None:
        key = self.query_one(UpdateTable).selected
        return None if key is None or self.snapshot is None else self.snapshot.state.updates.get(int(key))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open an update: its verdicts if it has them, else live."""
        update = self._selected
        if update is not None and update.finished is None:
            self.auditor.open_run(update.started.run)
        else:
            self.action_verdict()

    def action_verdict(self) -> None:
        """Show the verdict on an update with its evidence."""
        from auditor.tui.screens.verdict import VerdictScreen

        if (update := self._selected) is not None:
            self.app.push_screen(VerdictScreen(update.started.run))

    def action_search(self) -> None:
        """Search the log."""
        self.query_one(Panes).go_to(3)
        self.query_one(EventLog).search()


def _so_far(snapshot: Snapshot) -> tuple[ProviderVerdict, ...]:
    """The verdicts on the updates that have ended."""
    from auditor.audit.chain_verdicts import chain_verdicts

    ended = [update.finished for _, update in sorted(snapshot.state.updates.items()) if update.finished is not None]
    evolution = snapshot.job.evolution
    return chain_verdicts(ended, evolution.updates + 1) if evolution is not None else ()


def _row(update: Update) -> Row:
    from auditor.report.number_text import percent_text
    from auditor.report.update_text import success_text

    started, measured, ended = update.started, update.measured, update.finished
    outcome = "running" if ended is None else ended.outcome
    style = {"clean": "verdict.consistent", "flagged": "verdict.flagged"}.get(outcome, "")
    flagged = [one.name for one in (ended.providers if ended else ()) if one.verdict == "flagged"]
    accuracy = None if measured is None else measured.accuracy
    successes = [] if measured is None else [attack.success or 0.0 for attack in measured.attacks]
    return Row(
        key=str(started.update),
        cells=(
            Text(f"{started.update}"),
            Text(f"{signs().verdicts[outcome]} {outcome}", style=style),
            Text("–" if accuracy is None else percent_text(accuracy)),
            safe_text("; ".join(map(success_text, measured.attacks)) if measured else "", 60),
            safe_text(started.drift or "–", 40),
            safe_text(", ".join(flagged), 60),
        ),
        sort=(
            started.update,
            outcome,
            accuracy or 0.0,
            max(successes, default=0.0),
            started.update,
            flagged or None,
        ),
    )
