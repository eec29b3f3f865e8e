"""The screen of a study: its settings, and how long the backdoors of each survive, as updates are measured."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Static
from textual.worker import get_current_worker

from auditor.base.hostile_text import cleaned
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.base import AuditorScreen
from auditor.tui.signs import signs
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.panes import Pane, Panes
from auditor.tui.widgets.sortable_table import Row, SortableTable
from auditor.tui.widgets.survival import StudySurvivalView, survival_marks

if TYPE_CHECKING:
    from auditor.experiments.evolving.record import StudyProgress

POLL_SECONDS = 1.0
IN_ORDER = 1
"""The column that settings are sorted by at first, which keeps them in the order of the study."""


class SettingTable(SortableTable):
    """The settings of the study."""

    HELP = """A row for each setting, with the sign of its curve. The picture shows the setting under the cursor, and \
beside it those that differ from it in the attack alone. γ-survivability is the mean of the instances that are \
finished, with its 95 % interval."""


class StudyScreen(AuditorScreen):
    """A study as it goes on; whoever started it goes on with it.

    Args:
        name: of the study's folder.
    """

    HELP = "A study of how long backdoors survive. Choose a setting to see its curves."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", tooltip="Leave; the study continues"),
        Binding("1", "pane(0)", "Go to the picture", show=False),
        Binding("2", "pane(1)", "Go to the settings", show=False),
    ]

    class Advanced(Message):
        """Something is new."""

        def __init__(self, progress: StudyProgress) -> None:
            super().__init__()
            self.progress = progress

    class Unreadable(Message):
        """The study is gone, or cannot be read."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, name: str) -> None:
        super().__init__()
        self.study = name
        self._progress: StudyProgress | None = None
        self._chosen: int | None = None
        self._leaving = threading.Event()

    def compose(self) -> ComposeResult:
        """The title, the panes, the keys."""
        yield Static(safe_text(f" {self.study}", 200), id="title", markup=False)
        headings = ("setting", "models", "success", "accuracy", "survives (updates)")
        yield Panes(
            Pane("Survival", StudySurvivalView(), id="survival-pane"),
            Pane("Settings", SettingTable(*headings, sort_by=IN_ORDER, id="settings"), id="settings-pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one(StudySurvivalView).focus()
        self._follow()

    def on_unmount(self) -> None:
        """Stop following."""
        self._leaving.set()

    @work(thread=True, exclusive=True, group="follow", exit_on_error=False)
    def _follow(self) -> None:
        from auditor.experiments.evolving.record import StudyFollower

        worker = get_current_worker()
        follower, before = StudyFollower(self.auditor.folder / "studies", self.study), None
        while not (worker.is_cancelled or self._leaving.is_set()):
            try:
                progress = follower.poll()
            except LookupError as error:
                self.post_message(self.Unreadable(cleaned(error)))
            else:
                if progress != before:
                    self.post_message(self.Advanced(progress))
                before = progress
            self._leaving.wait(POLL_SECONDS)

    def on_study_screen_advanced(self, message: Advanced) -> None:
        """Show the study as it is now."""
        from auditor.report.study_chart import sign_of

        progress = self._progress = message.progress
        marks = survival_marks()
        self.query("#lost").remove()
        self.query_one(Panes).display = True
        self.query_one("#title", Static).update(_title(self.study, progress))
        rows = [_row(progress, number, sign_of(progress, number, marks)) for number in range(len(progress.settings))]
        self.query_one(SettingTable).show(rows)
        self._draw()

    def on_study_screen_unreadable(self, message: Unreadable) -> None:
        """Say so; before anything came, in place of the panes as well."""
        self.query_one("#title", Static).update(safe_text(f" {message.reason}", 300, "bold"))
        if self._progress is None and not self.query("#lost"):
            self.query_one(Panes).display = False
            self.mount(Static(safe_text(message.reason), id="lost", markup=False), after="#title")

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the setting under the cursor."""
        if self.query_one(SettingTable).has_focus and event.row_key is not None and event.row_key.value:
            self._chosen = int(event.row_key.value)
            self._draw()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the setting, in a small terminal in place of the table."""
        self._chosen = int(event.row_key.value or 0)
        self._draw()
        self.query_one(Panes).go_to(0)

    def action_pane(self, index: int) -> None:
        """Go to a pane."""
        self.query_one(Panes).go_to(index)

    def _draw(self) -> None:
        from auditor.report.study_chart import busiest

        if (progress := self._progress) is not None:
            chosen = self._chosen if self._chosen is not None else busiest(progress)
            self.query_one(StudySurvivalView).show(progress, min(chosen, len(progress.settings) - 1))


def _title(name: str, progress: StudyProgress) -> Text:
    sign = signs().verdicts.get("clean" if progress.state == "finished" else progress.state, "")
    words = f" {name}  {sign} {progress.state}  {progress.done:,} of {progress.total:,} models measured"
    if progress.state == "stopped":
        words += f"  auditor study {progress.record.source} resumes it"
    return safe_text(words, 300, "bold")


def _row(progress: StudyProgress, number: int, sign: str) -> Row:
    from auditor.report.number_text import percent_text
    from auditor.report.study_chart import survival_words

    one = progress.settings[number]
    setting = one.setting
    name = ", ".join(filter(None, (setting.attack, setting.cell)))
    done, total = sum(map(len, one.instances)), len(one.instances) * (progress.record.updates + 1)
    success, accuracy = _latest(one.success), _latest(one.accuracy)
    survives = survival_words(one, progress)
    return Row(
        key=str(number),
        cells=(
            safe_text(f"{sign} {name}", 120),
            Text(f"{done}/{total}"),
            Text("–" if success is None else percent_text(success)),
            Text("–" if accuracy is None else percent_text(accuracy)),
            Text(survives or "–"),
        ),
        sort=(name, number, success, accuracy, survives or None),
    )


def _latest(values: Mapping[int, float]) -> float | None:
    return values[max(values)] if values else None
