"""Job files: those that come with the package and recent ones; open or compose one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, DataTable, Input

from auditor.job.errors import visible
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.widgets.sortable_table import Row, SortableTable


class JobsPane(HomePane):
    """The picker."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compose", "Compose", tooltip="Compose a job in a form"),
        Binding("slash", "path", "Path", key_display="/", tooltip="Type the path of a job file"),
    ]

    class Read(Message):
        """The recent files were read from the store."""

        def __init__(self, recent: list[Path]) -> None:
            super().__init__()
            self.recent = recent

    def compose(self) -> Iterable[Widget]:
        """The path, and the table of files."""
        with Horizontal(classes="bar"):
            yield Input(placeholder="path of a job file (/); Enter opens it", id="job-path", compact=True)
            yield Button("Open", id="open-job", compact=True)
            yield Button("Compose (c)", id="compose-job", compact=True)
        yield SortableTable("job", "from", "what it shows", "file", sort_by=1, reverse=True, id="jobs")

    def reload(self) -> None:
        """Look for job files."""
        self._read()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        from auditor.store import Store
        from auditor.tui.sample_jobs import sample_jobs

        samples = set(sample_jobs())
        with Store(self.auditor.folder) as store:
            sources = dict.fromkeys(Path(run.source).absolute() for run in store.runs())
        self.post_message(self.Read([path for path in sources if path not in samples and _is_there(path)][:20]))

    def on_jobs_pane_read(self, message: Read) -> None:
        """Show them."""
        from auditor.tui.sample_jobs import sample_jobs

        rows = [_row("sample", path) for path in sample_jobs()] + [_row("recent", path) for path in message.recent]
        self.query_one("#jobs", SortableTable).show(rows)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open a file."""
        event.stop()
        if event.row_key.value:
            self._open(event.row_key.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open what was typed."""
        if event.value.strip():
            self._open(event.value)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Open what was typed or what the cursor is on, or compose."""
        event.stop()
        if event.button.id == "compose-job":
            self.action_compose()
            return
        typed = self.query_one("#job-path", Input).value.strip()
        path = typed or self.query_one("#jobs", SortableTable).selected
        if path:
            self._open(path)

    def action_path(self) -> None:
        """Type a path."""
        self.query_one("#job-path").focus()

    def action_compose(self) -> None:
        """Compose a job in a form."""
        from auditor.tui.screens.compose_job import ComposeScreen

        self.app.push_screen(ComposeScreen())

    def _open(self, typed: str) -> None:
        from auditor.base.user_file import UserFileError, read_user_text, typed_path
        from auditor.job.job_file import MAX_BYTES
        from auditor.tui.screens.job import JobScreen

        try:
            path = typed_path(typed)
            text = read_user_text(path, MAX_BYTES)
        except UserFileError as error:
            self.say(f"{visible(typed)[:200]} {error}. Type the path of a job file.", error=True)
        else:
            self.app.push_screen(JobScreen(text, path))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a path that none can be
        return False


def _row(origin: str, path: Path) -> Row:
    from auditor.base.user_file import UserFileError, open_user_file
    from auditor.tui.sample_jobs import job_name

    about = ""
    try:
        with open_user_file(path) as file:
            line = file.readline(300).decode("utf-8-sig", errors="replace")
            about = line.lstrip("# ").strip() if line.startswith("#") else ""
    except (OSError, UserFileError):
        about = "cannot be read"
    return Row(
        key=str(path),
        cells=(safe_text(path.stem, 30), Text(origin), safe_text(about, 90), safe_text(job_name(path), 120)),
        sort=(path.stem, origin, about or None, str(path)),
    )
