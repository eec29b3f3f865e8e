"""Studies of how long backdoors survive: those that were started, and how far each is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable

from auditor.base.hostile_text import cleaned
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.signs import signs
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.experiments.evolving.record import StudyFollower, StudyProgress

EMPTY = "No study yet. A terminal starts one: auditor study FILE"


class StudyTable(SortableTable):
    """The studies."""

    HELP = """A row for each study of models that keep learning, in the folder where `auditor study` keeps them unless \
it is told another. Enter opens one: how long the backdoors of each of its settings survive, as updates are measured."""


class StudiesPane(HomePane):
    """The table of studies."""

    class Read(Message):
        """The studies were read: each with how far it is, or why it cannot be read."""

        def __init__(self, found: dict[str, StudyProgress | str]) -> None:
            super().__init__()
            self.found = found

    def compose(self) -> Iterable[Widget]:
        """The table."""
        headings = ("study", "started", "state", "settings", "models measured", "file")
        yield StudyTable(*headings, sort_by=1, reverse=True, empty=EMPTY, id="studies")

    def __init__(self) -> None:
        super().__init__()
        self._followers: dict[str, StudyFollower] = {}

    def on_mount(self) -> None:
        """Keep up with studies that go on."""
        self.set_interval(2.0, self._reload_if_seen)

    def _reload_if_seen(self) -> None:
        if self.screen.is_current and self.is_on_screen:
            self.reload()

    def reload(self) -> None:
        """Read the studies."""
        self._read()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        from auditor.experiments.evolving.record import StudyFollower, recorded_studies

        folder = self.auditor.folder / "studies"
        found: dict[str, StudyProgress | str] = {}
        for name in recorded_studies(folder):
            follower = self._followers.setdefault(name, StudyFollower(folder, name))
            try:
                found[name] = follower.poll()
            except LookupError as error:
                found[name] = cleaned(error)
        self.post_message(self.Read(found))

    def on_studies_pane_read(self, message: Read) -> None:
        """Show them."""
        self.query_one(StudyTable).show([_row(name, known) for name, known in message.found.items()])

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a study."""
        from auditor.tui.screens.study import StudyScreen

        event.stop()
        if event.row_key.value:
            self.app.push_screen(StudyScreen(event.row_key.value))


def _row(name: str, known: StudyProgress | str) -> Row:
    from auditor.report.number_text import day_text

    if isinstance(known, str):
        words = safe_text(known, 200)
        cells = (safe_text(name, 40), Text("–"), Text("damaged"), Text("–"), Text("–"), words)
        return Row(key=name, cells=cells, sort=(name, None, "damaged", None, None, known))
    state, record = known.state, known.record
    sign = signs().verdicts.get("clean" if state == "finished" else state, "")
    return Row(
        key=name,
        cells=(
            safe_text(name, 40),
            Text(day_text(record.started.isoformat())),
            Text(f"{sign} {state}", style="verdict.consistent" if state == "finished" else ""),
            Text(f"{len(record.settings):,}"),
            Text(f"{known.done:,}/{known.total:,}"),
            safe_text(record.source, 120),
        ),
        sort=(name, record.started, state, len(record.settings), known.done, record.source),
    )
