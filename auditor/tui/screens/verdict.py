"""The verdict screen: what the audit says of each provider, and the evidence behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.base import RunScreen
from auditor.tui.signs import signs
from auditor.tui.widgets.comparison import Comparison
from auditor.tui.widgets.distances import DistanceView, Selection
from auditor.tui.widgets.evidence_table import EvidenceTable
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.lines import READING, Lines
from auditor.tui.widgets.panes import Pane, Panes
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.tui.run_follower import Snapshot

BOUNDARY = ("boundary", "step", "digest", "opened")
"""What is shown of a commitment."""


class VerdictText(Lines):
    """The verdicts in sentences."""

    HELP = """The verdict on every provider and its reasons, the delivered model, and the cost of the audit."""


class Failures(Lines):
    """What failed and when."""

    HELP = """Everything that failed, was lost or was refused, with the local time."""


class VerdictScreen(RunScreen):
    """One run as it came out; it keeps up with a run that still goes on."""

    HELP = "The verdict on each provider and its evidence. w saves the report, y copies it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("l", "live", "Live", tooltip="Show the timeline of this run"),
        Binding("m", "next_metric", "Metric", tooltip="Show the distances of the next metric"),
        Binding("h", "heat_map", "Heat map", tooltip="Switch between the histogram and a heat map of all distances"),
        Binding("c", "compare", "Compare", tooltip="Compare two providers"),
        Binding("p", "copy_path", "Copy path", tooltip="Copy the path of the delivered checkpoint"),
        Binding("y", "copy", "Copy", tooltip="Copy the report as text; over ssh, saving is more reliable"),
        Binding("w", "save", "Save", tooltip="Save as text or JSON, or this screen as SVG"),
        Binding("1", "pane(0)", "Go to the verdicts", show=False),
        Binding("2", "pane(1)", "Go to the evidence", show=False),
        Binding("3", "pane(2)", "Go to the distances", show=False),
        Binding("4", "commitments", "Go to the commitments", show=False),
        Binding("5", "pane(4)", "Go to the failures", show=False),
        Binding("6", "pane(5)", "Go to the comparison", show=False),
    ]

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self._evidence: tuple[str, int, str] | None = None

    def compose(self) -> ComposeResult:
        """The title, the panes, the keys."""
        yield Static(Text(f" {self.run_id}  {READING}"), id="title", markup=False)
        yield Panes(
            Pane("Verdicts", VerdictText(id="verdict-text"), id="verdict-pane"),
            Pane("Evidence", EvidenceTable(), id="evidence-pane"),
            Pane("Distances", DistanceView(), id="distances-pane"),
            Pane(
                "Commitments", SortableTable(*BOUNDARY, empty="nothing committed yet", id="commitments"), id="kept-pane"
            ),
            Pane("Failures", Failures(id="failures"), id="failures-pane"),
            Pane("Compare", Comparison(), id="compare-pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin where the verdicts are."""
        super().on_mount()
        self.query_one("#verdict-text").focus()

    def show(self, snapshot: Snapshot) -> None:
        """Show the run as it is now."""
        from auditor.report.number_text import day_text

        status = snapshot.status
        started = f"started {day_text(snapshot.run.created)} (local time)"
        title = f" {snapshot.run.id}  {signs().verdicts[status]} {status}  {started}"
        self.query_one("#title", Static).update(safe_text(title, 200, "bold"))
        keys = {binding.action: binding.key for binding in self.BINDINGS if isinstance(binding, Binding)}
        self.query_one(VerdictText).write([*_sentences(snapshot), *_next_steps(snapshot, keys)])
        self.query_one(EvidenceTable).show_evidence(snapshot)
        self.query_one("#commitments", SortableTable).show(_commitments(snapshot))
        self.query_one(Failures).write(_failures(snapshot))
        self.query_one(Comparison).show(snapshot)
        self._show_distances(snapshot)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The distances behind the piece of evidence that the cursor is on."""
        if isinstance(event.data_table, EvidenceTable) and self.snapshot is not None:
            self._evidence = event.data_table.evidence
            self._show_distances(self.snapshot)

    def _show_distances(self, snapshot: Snapshot) -> None:
        self.query_one(DistanceView).show(_selection(snapshot, self._evidence))

    def action_live(self) -> None:
        """Show the timeline."""
        below = self.app.screen_stack[-2]
        if isinstance(below, RunScreen) and below.run_id == self.run_id:
            self.app.pop_screen()
        else:
            self.auditor.open_run(self.run_id)

    def action_next_metric(self) -> None:
        """Show the distances of the next metric."""
        if self.snapshot is None:
            return
        chosen = _selection(self.snapshot, self._evidence)
        if chosen is not None:
            own = self.snapshot.state.sub_run(chosen.matrix.sub_run).matrices
            names = [matrix.metric for matrix in own]
            metric = names[(names.index(chosen.matrix.metric) + 1) % len(names)]
            self._evidence = (chosen.provider, chosen.matrix.sub_run, metric)
            self._show_distances(self.snapshot)

    def action_heat_map(self) -> None:
        """Change between the histogram and the heat map."""
        self.query_one(DistanceView).toggle()
        self.query_one(Panes).go_to(2)

    def action_compare(self) -> None:
        """Compare two providers."""
        self.query_one(Panes).go_to(5)

    def action_commitments(self) -> None:
        """Go to the commitments."""
        self.query_one(Panes).go_to(3)

    def action_copy_path(self) -> None:
        """Copy where the delivered checkpoint is."""
        delivered = None if self.snapshot is None else self.snapshot.state.delivered
        if delivered is None:
            self.say("No model was delivered.", error=True)
            return
        path = str(Path(delivered.path).absolute())
        self.app.copy_to_clipboard(path)
        self.say(f"Copied, if your terminal supports it: {path}")

    @work(exclusive=True, group="copy", exit_on_error=False)
    async def action_copy(self) -> None:
        """Copy the report; that of a long run takes a while to write."""
        if self.snapshot is not None:
            from auditor.report.run_file import as_text

            text = await asyncio.to_thread(as_text, self.snapshot.run, self.snapshot.state)
            self.app.copy_to_clipboard(text)
            self.say("Copied, if your terminal supports it. w saves to a file.")

    @work(exit_on_error=False)
    async def action_save(self) -> None:
        """Save the report, or this screen."""
        from auditor.tui.screens.save import SaveScreen

        if self.snapshot is None:
            return
        screenshot = self.app.export_screenshot(title=self.run_id, simplify=True)
        path = await self.app.push_screen_wait(SaveScreen(self.snapshot.run, screenshot))
        if path is not None:
            self.say(f"Saved {path}")


def _sentences(snapshot: Snapshot) -> list[Text]:
    from auditor.report.summary import cost_sentence, delivery_lines, outcome_sentence

    state, finished = snapshot.state, snapshot.state.finished
    if finished is None:
        return [Text("There is no verdict yet. l shows the progress of the audit.")]
    lines = [safe_text(outcome_sentence(finished), 1000, "bold"), Text()]
    for provider in finished.providers:
        verdict = provider.verdict
        role = ", the primary, is " if provider.name == snapshot.job.primary.name else " is "
        lines.append(
            Text.assemble(
                (f"{signs().verdicts[verdict]} ", f"verdict.{verdict}"),
                (safe_text(provider.name, 64).plain, "bold"),
                role,
                (verdict, f"verdict.{verdict}"),
                ":",
            )
        )
        lines += [safe_text(f"  {reason}", 500) for reason in provider.reasons]
    lines += [Text(), *(safe_text(line, 500) for line in delivery_lines(state))]
    return [*lines, Text(f"Cost: {cost_sentence(finished.cost)}")]


def _next_steps(snapshot: Snapshot, keys: dict[str, str]) -> list[Text]:
    """What to do now, each with its key and its command."""
    from auditor.report.next_steps import next_steps

    steps = next_steps(snapshot.run.id, snapshot.job, snapshot.state)
    lines = [Text(), Text("What to do next", style="bold")] if steps else []
    for step in steps:
        key = f" ({keys[step.action]})" if step.action in keys else ""
        lines.append(Text.assemble((f"{step.title}{key}: ", "bold"), safe_text(step.words, 300)))
        if step.command:
            lines.append(safe_text(f"    {step.command}", 300))
    return lines


def _commitments(snapshot: Snapshot) -> list[Row]:
    opened = {None: "no", True: "yes, as committed", False: "yes, not finite"}
    return [
        Row(
            key=str(number),
            cells=(
                Text(str(number)),
                Text(str(boundary.step)),
                Text(boundary.digest[:24]),
                Text(opened[boundary.finite]),
            ),
            sort=(number, boundary.step, boundary.digest, opened[boundary.finite]),
        )
        for number, boundary in sorted(snapshot.state.boundaries.items())
    ]


def _failures(snapshot: Snapshot) -> list[Text]:
    failures = [line for line in snapshot.log if line.is_failure]
    if not failures:
        return [Text("Nothing failed.")]
    from auditor.report.number_text import clock_text

    return [Text.assemble((clock_text(line.time), "dim"), " ", safe_text(line.words)) for line in failures]


def _selection(snapshot: Snapshot, evidence: tuple[str, int, str] | None) -> Selection | None:
    """The matrix behind a piece of evidence; without one, that of the strongest."""
    state = snapshot.state
    found = [
        (judgement.p_value, index, judgement)
        for index, sub_run in state.sub_runs.items()
        for judgement in sub_run.judgements or ()
        if judgement.p_value is not None
    ]
    if evidence is None and found:
        _, index, strongest = min(found, key=lambda item: item[:2])
        evidence = (strongest.provider, index, strongest.metric)
    if evidence is None:
        return None
    provider, index, metric = evidence
    sub_run = state.sub_run(index)
    matrix = next((matrix for matrix in sub_run.matrices if matrix.metric == metric), None)
    if matrix is None or provider not in matrix.providers:
        return None
    return Selection.of(snapshot, matrix, provider)
