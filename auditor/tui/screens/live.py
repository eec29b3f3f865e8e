"""The live screen: everything that a person wants to see while an audit runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.controlled_run import CONTROLS, ControlledRunScreen
from auditor.tui.signs import signs
from auditor.tui.widgets.cell_details import CellDetails
from auditor.tui.widgets.distances import DistanceView, Selection
from auditor.tui.widgets.event_log import EventLog
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.lines import READING
from auditor.tui.widgets.panes import Pane, Panes
from auditor.tui.widgets.progress import ProgressList
from auditor.tui.widgets.timeline import Timeline, TimelineLegend
from auditor.tui.widgets.verdict_list import VerdictList

if TYPE_CHECKING:
    from auditor.audit.record.findings import ProviderVerdict
    from auditor.audit.record.state import AuditState
    from auditor.tui.run_follower import Snapshot


class LiveScreen(ControlledRunScreen):
    """One run as it goes on; leaving it does not disturb the run."""

    HELP = "The run while it goes on. Leaving this screen, or the interface, does not stop it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", tooltip="Leave; the run continues"),
        Binding("v", "verdict", "Verdict", tooltip="Show the verdicts with their evidence"),
        *CONTROLS,
        Binding("m", "next_metric", "Metric", tooltip="Show the distances of the next metric", show=False),
        Binding("o", "next_provider", "Provider", tooltip="Compare the next provider with the others"),
        Binding("f", "filter", "Filter", tooltip="Show one provider alone on the timeline and in the log, or all"),
        Binding("F", "next_flag", "Next flag", tooltip="Go to the next flagged cell of the timeline", show=False),
        Binding("n", "next_sub_run", "Sub-run", tooltip="Show the next replicated sub-run"),
        Binding("h", "heat_map", "Heat map", tooltip="Switch between the picture and a heat map", show=False),
        Binding("slash", "search", "Search", tooltip="Search the log", key_display="/"),
        Binding("1", "pane(0)", "Go to the timeline", show=False),
        Binding("2", "pane(1)", "Go to the distances", show=False),
        Binding("3", "pane(2)", "Go to the verdicts", show=False),
        Binding("4", "pane(3)", "Go to the log", show=False),
        Binding("5", "pane(4)", "Go to the progress", show=False),
    ]

    class Judged(Message):
        """The verdicts from the evidence so far were computed."""

        def __init__(self, matrices: int, verdicts: Sequence[ProviderVerdict]) -> None:
            super().__init__()
            self.matrices = matrices
            self.verdicts = verdicts

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self._provider: str | None = None
        self._metric: str | None = None
        self._sub_run: int | None = None
        self._judged_events = -1
        self._judging = False
        self._only: str | None = None

    def compose(self) -> ComposeResult:
        """The title, the panes, the keys."""
        yield Static("", id="title", markup=False)
        yield Panes(
            Pane("Timeline", Timeline(), TimelineLegend(), CellDetails(READING, markup=False), id="timeline-pane"),
            Pane("Distances", DistanceView(), id="distances-pane"),
            Pane("Verdicts", VerdictList(), id="verdicts-pane"),
            Pane("Log (local time)", EventLog(), id="log-pane"),
            Pane("Progress", ProgressList(), id="progress-pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what is awaited."""
        super().on_mount()
        state = "starting" if self.auditor.is_starting(self.run_id, 0) else READING
        self.query_one("#title", Static).update(Text(f" {self.run_id}  {state}"))
        self.query_one(Timeline).focus()

    def show(self, snapshot: Snapshot) -> None:
        """Show the run as it is now."""
        self.query_one("#title", Static).update(self._title(snapshot), layout=False)
        timeline = self.query_one(Timeline)
        timeline.show(snapshot)
        self.query_one(TimelineLegend).show(timeline.cells)
        self.query_one(ProgressList).show(snapshot)
        self.query_one(EventLog).show(snapshot.log)
        self._show_selection(snapshot)
        self._show_verdicts(snapshot)
        self.heed(snapshot)

    def _title(self, snapshot: Snapshot) -> Text:
        from auditor.report.number_text import arrival_text, seconds_text
        from auditor.report.time_left import seconds_left

        state = snapshot.state
        step = state.step
        words = f" {snapshot.run.id}  {signs().verdicts[self.status_of(snapshot)]} {self.status_words(snapshot)}"
        words += f"  step {step:,}/{snapshot.job.training.steps:,}  {seconds_text(state.seconds)}"
        if snapshot.running and (left := seconds_left(state, snapshot.job)) is not None:
            words += f"  ends {arrival_text(left, datetime.now(UTC))}"
        if self._only is not None:
            words += f"  only {self._only} (f: all)"
        if state.finished is not None:
            words += "  v shows the verdict"
        words += self.stopped_words(snapshot)
        return safe_text(words, 300, "bold")

    def retitle(self) -> None:
        """See `ControlledRunScreen`."""
        if self.snapshot is not None:
            self.query_one("#title", Static).update(self._title(self.snapshot), layout=False)
        super().retitle()

    def _show_verdicts(self, snapshot: Snapshot) -> None:
        state = snapshot.state
        if state.finished is not None:
            self.query_one(VerdictList).show(state.finished.providers, final=True, ratios=_ratios(snapshot))
            self.query_one(Timeline).show_verdicts(state.finished.providers)
            return
        findings = sum(
            len(sub_run.judgements or ()) + (sub_run.undecided is not None) for sub_run in state.sub_runs.values()
        )
        findings += sum(
            len(provider.misbehaviour) + (provider.lost is not None) for provider in state.providers.values()
        )
        if not findings:
            self.query_one(VerdictList).show((), final=False)
        elif findings != self._judged_events and not self._judging:
            self._judging, self._judged_events = True, findings
            self.query_one(VerdictList).wait()
            self._judge(snapshot)

    @work(thread=True, group="judge", exit_on_error=False)
    def _judge(self, snapshot: Snapshot) -> None:
        from auditor.audit.verdicts import judge_providers
        from auditor.planning.choice import assumptions_of, choose

        job = snapshot.job
        try:
            verdicts = judge_providers(snapshot.state, choose(job), assumptions_of(job))
            self.post_message(self.Judged(self._judged_events, verdicts))
        finally:
            self._judging = False

    def on_live_screen_judged(self, message: Judged) -> None:
        """Show them, unless the audit has ended meanwhile with its own."""
        if self.snapshot is not None and self.snapshot.state.finished is None:
            self.query_one(VerdictList).show(message.verdicts, final=False, ratios=_ratios(self.snapshot))
            self.query_one(Timeline).show_verdicts(message.verdicts)
            self._show_verdicts(self.snapshot)

    def on_timeline_cursor_moved(self, message: Timeline.CursorMoved) -> None:
        """Show what is under the cursor, and its distances if it has some."""
        self._provider, self._sub_run = message.provider, message.sub_run
        if self.snapshot is not None:
            self._show_selection(self.snapshot)

    def _measured(self, state: AuditState) -> list[int]:
        return [index for index, sub_run in sorted(state.sub_runs.items()) if sub_run.matrices]

    def _show_selection(self, snapshot: Snapshot) -> None:
        """What the cursor is on; until the person moves it, the latest sub-run measured, in the end the first flag."""
        measured = self._measured(snapshot.state)
        sub_run, provider = self._sub_run, self._provider or snapshot.job.primary.name
        first = self.query_one(Timeline).first_flag if snapshot.state.finished is not None else None
        if sub_run is None and self._provider is None and first is not None:
            provider, sub_run = first
        elif sub_run is None:
            sub_run = measured[-1] if measured else max(0, max(snapshot.state.boundaries, default=0))
        sub_run = min(sub_run, snapshot.job.sub_runs - 1)
        self.query_one(Timeline).select(provider, sub_run)
        self.query_one(CellDetails).show(snapshot, provider, sub_run)
        if sub_run not in measured:
            if self._sub_run is None or not measured:
                self.query_one(DistanceView).show(None)
            return
        self.query_one(DistanceView).show(self._selection(snapshot, provider, sub_run))

    def _selection(self, snapshot: Snapshot, provider: str, sub_run: int) -> Selection:
        judged = snapshot.state.sub_run(sub_run)
        matrix = next((matrix for matrix in judged.matrices if matrix.metric == self._metric), judged.matrices[0])
        if provider not in matrix.providers:
            provider = matrix.providers[0]
        return Selection.of(snapshot, matrix, provider)

    def action_next_metric(self) -> None:
        """Show the distances of the next metric."""
        if self.snapshot is not None:
            names = [use.name for use in self.snapshot.job.metrics]
            self._metric = _after(names, self._metric or names[0])
            self._show_selection(self.snapshot)

    def action_next_provider(self) -> None:
        """Compare the next provider with the others."""
        if self.snapshot is not None:
            self._provider = _after(self.snapshot.names, self._provider or self.snapshot.names[0])
            self._show_selection(self.snapshot)

    def action_filter(self) -> None:
        """Show only what is about the provider under the cursor; once more, everything."""
        if self.snapshot is None:
            return
        chosen = self._provider or self.snapshot.names[0]
        self._only = None if self._only == chosen else chosen
        self.query_one(Timeline).filter(self._only)
        self.query_one(EventLog).filter(self._only)
        self.query_one(VerdictList).filter(self._only)
        self.retitle()

    def action_next_flag(self) -> None:
        """Go to the next flagged cell."""
        if self.query_one(Timeline).go_to_next_flag():
            self.query_one(Panes).go_to(0)
        else:
            self.say("Nothing is flagged so far.")

    def action_next_sub_run(self) -> None:
        """Show the next replicated sub-run that was measured; after the last, the first."""
        if self.snapshot is not None and (measured := self._measured(self.snapshot.state)):
            later = [index for index in measured if self._sub_run is not None and index > self._sub_run]
            self._sub_run = later[0] if later else measured[0]
            self._show_selection(self.snapshot)

    def action_heat_map(self) -> None:
        """Change between the histogram and the heat map."""
        self.query_one(DistanceView).toggle()
        self.query_one(Panes).go_to(1)

    def action_search(self) -> None:
        """Search the log."""
        self.query_one(Panes).go_to(3)
        self.query_one(EventLog).search()

    def action_verdict(self) -> None:
        """Show the verdicts with their evidence."""
        from auditor.tui.screens.verdict import VerdictScreen

        self.app.push_screen(VerdictScreen(self.run_id))


def _ratios(snapshot: Snapshot) -> dict[str, list[float]]:
    from auditor.report.summary import ratios

    return {name: ratios(snapshot.state, name) for name in snapshot.names}


def _after(names: Sequence[str], name: str) -> str:
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]
