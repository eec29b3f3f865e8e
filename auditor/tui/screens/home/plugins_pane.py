"""The plugins there are: where each comes from, its options, and why one cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.signs import signs
from auditor.tui.widgets.lines import Lines
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.job import PluginFile
    from auditor.plugins.description import PluginDescription
    from auditor.plugins.loader import Descriptions

RECENT_RUNS = 50
"""The number of latest runs whose jobs are searched for plugin files."""


class PluginsPane(HomePane):
    """The table of plugins, and the documentation of the one under the cursor."""

    HELP = """Simulated providers carry out attacks. Drifts change the data over time. Metrics measure distances. \
Inspectors look at one model alone. Plugins come from packages, or from a file that a job names under `plugins`. \
Files of recent runs are shown as they were then."""

    class Found(Message):
        """The jobs of recent runs were searched for plugin files."""

        def __init__(self, files: list[PluginFile]) -> None:
            super().__init__()
            self.files = files

    class Described(Message):
        """A separate process has loaded a plugin, or failed to."""

        def __init__(self, description: PluginDescription) -> None:
            super().__init__()
            self.description = description

    def __init__(self) -> None:
        super().__init__()
        self._files: list[PluginFile] | None = None
        self._known: dict[str, PluginDescription] = {}
        self._loading: set[str] = set()
        self._descriptions: Descriptions | None = None

    def compose(self) -> Iterable[Widget]:
        """The table and the documentation."""
        with Horizontal(id="plugins-split"):
            yield SortableTable("name", "kind", "state", "tasks", "package", "version", sort_by=1, id="plugins")
            yield Lines(id="plugin-details")

    def reload(self) -> None:
        """Look which files recent jobs name; what is new is described."""
        self._find()

    @work(thread=True, exclusive=True, group="find", exit_on_error=False)
    def _find(self) -> None:
        from auditor.audit.stored_job import stored_job
        from auditor.store import DamagedRun, Store

        files: dict[str, PluginFile] = {}
        with Store(self.auditor.folder) as store:
            for run in store.runs()[:RECENT_RUNS]:
                with suppress(DamagedRun):
                    for file in stored_job(run).plugins:
                        files.setdefault(file.path, file)
        self.post_message(self.Found(list(files.values())))

    def on_plugins_pane_found(self, message: Found) -> None:
        """List everything at once, then have it described, unless it was before."""
        if message.files == self._files:
            return
        from auditor.plugins.description import PluginDescription
        from auditor.plugins.loader import Descriptions, subjects_of

        self.on_unmount()
        self._files = message.files
        subjects = subjects_of(message.files)
        listed = [PluginDescription(subject.known) for subject in subjects]
        self._known = {_key(description): description for description in listed}
        self._loading = set(self._known)
        self._draw()
        self._descriptions = Descriptions(subjects)
        self._describe(self._descriptions)

    @work(thread=True, exclusive=True, group="describe", exit_on_error=False)
    def _describe(self, descriptions: Descriptions) -> None:
        for description in descriptions:
            self.post_message(self.Described(description))

    def on_unmount(self) -> None:
        """Nobody waits for the documentation any more."""
        if self._descriptions is not None:
            self._descriptions.stop()

    def on_plugins_pane_described(self, message: Described) -> None:
        """Show one more plugin with its documentation; a file makes room for what it holds."""
        description = message.description
        for key in [key for key in self._loading if self._known[key].origin.target == description.origin.file]:
            del self._known[key]
            self._loading.discard(key)
        self._known[_key(description)] = description
        self._loading.discard(_key(description))
        self._draw()

    def _draw(self) -> None:
        rows = [_row(key, description, key in self._loading) for key, description in sorted(self._known.items())]
        self.query_one("#plugins", SortableTable).show(rows)
        self._detail(self.query_one("#plugins", SortableTable).selected)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the documentation of what the cursor is on."""
        self._detail(event.row_key.value)

    def _detail(self, key: str | None) -> None:
        description = self._known.get(key or "")
        lines = [] if description is None else _details(description, key in self._loading)
        self.query_one("#plugin-details", Lines).write(lines)


def _key(description: PluginDescription) -> str:
    return f"{description.origin.kind} {description.origin.name} {description.origin.target}"


def _row(key: str, description: PluginDescription, loading: bool) -> Row:
    state, words = ("testing", "loading") if loading else ("reachable", "loads")
    if description.error is not None:
        state, words = "flagged", "failed"
    origin, tasks = description.origin, description.tasks_text
    kind = origin.kind.removesuffix("s")
    return Row(
        key=key,
        cells=(
            safe_text(origin.name, 24),
            Text(kind),
            Text(f"{signs().verdicts[state]} {words}"),
            safe_text(tasks, 24),
            safe_text(origin.package, 24),
            safe_text(origin.version, 12),
        ),
        sort=(origin.name, kind, words, tasks, origin.package, origin.version),
    )


def _details(description: PluginDescription, loading: bool) -> list[Text]:
    origin = description.origin
    place = f"of {origin.package} {origin.version}" if origin.file is None else f"in {origin.file}"
    tasks = f", for {description.tasks_text} tasks" if description.tasks else ""
    lines = [safe_text(f"{origin.kind.removesuffix('s')} {origin.name} {place}{tasks}", 300, "bold")]
    if loading:
        return [*lines, Text("Loading its documentation.")]
    if description.error is not None:
        return [*lines, safe_text(description.error, 1000)]
    for paragraph in description.paragraphs:
        lines += [*(safe_text(line, 2000) for line in paragraph.splitlines()), Text()]
    lines += [Text("Options" if description.options else "No options", style="bold")]
    for option in description.options:
        lines += [safe_text(f"{option.name}: {option.takes}", 200), safe_text(f"  {option.description}", 300)]
    return lines
