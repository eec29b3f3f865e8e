"""The first screen: runs, providers, jobs, plugins and studies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static, TabbedContent, TabPane

from auditor import __version__
from auditor.tui.screens.base import AuditorScreen
from auditor.tui.screens.home.jobs_pane import JobsPane
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.screens.home.plugins_pane import PluginsPane
from auditor.tui.screens.home.providers_pane import ProvidersPane
from auditor.tui.screens.home.runs_pane import RunsPane
from auditor.tui.screens.home.studies_pane import StudiesPane
from auditor.tui.widgets.key_bar import KeyBar


class HomeScreen(AuditorScreen):
    """Everything there is, under five tabs."""

    HELP = """Runs are audits, past and present. Providers train for you. A job defines what is trained and how it is \
audited. Studies measure how long backdoors survive."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('runs-tab')", "Runs", show=False),
        Binding("2", "tab('providers-tab')", "Providers", show=False),
        Binding("3", "tab('jobs-tab')", "Jobs", show=False),
        Binding("4", "tab('plugins-tab')", "Plugins", show=False),
        Binding("5", "tab('studies-tab')", "Studies", show=False),
        Binding("g", "quickstart", "Quickstart", tooltip="Start the sample audit with four local providers"),
        Binding("f5", "reload", "Reload", show=False, tooltip="Read everything again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._starting = False

    def compose(self) -> ComposeResult:
        """The tabs and the keys."""
        yield Static("", id="title", markup=False)
        with TabbedContent():
            yield TabPane("1 Runs", RunsPane(), id="runs-tab")
            yield TabPane("2 Providers", ProvidersPane(), id="providers-tab")
            yield TabPane("3 Jobs", JobsPane(), id="jobs-tab")
            yield TabPane("4 Plugins", PluginsPane(), id="plugins-tab")
            yield TabPane("5 Studies", StudiesPane(), id="studies-tab")
        yield KeyBar()

    def on_mount(self) -> None:
        """Say what this is and where everything is kept."""
        from auditor.report.number_text import zone_text

        zone = zone_text(datetime.now(UTC).isoformat())
        words = f" auditor {__version__}  times are local ({zone})  {self.auditor.folder}"
        self.query_one("#title", Static).update(Text(words, no_wrap=True))

    def action_tab(self, tab: str) -> None:
        """Bring a tab to the front and give its content the focus."""
        tabs = self.query_one(TabbedContent)
        tabs.active = tab
        pane = tabs.get_pane(tab)
        for widget in (*pane.query("DataTable"), *pane.query("Button")):
            # An empty table is not displayed; then the button that fills it gets the focus.
            if widget.display and widget.focusable:
                widget.focus()
                return

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """What comes to the front is read again."""
        event.pane.query_one(HomePane).reload()

    def on_screen_resume(self) -> None:
        """Coming back from a run, there may be news."""
        self.action_reload()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The button of the welcome."""
        if event.button.id == "quickstart":
            self.action_quickstart()

    def action_reload(self) -> None:
        """Read again what is in front."""
        if (pane := self.query_one(TabbedContent).active_pane) is not None:
            pane.query_one(HomePane).reload()

    @work(group="start", exit_on_error=False)
    async def action_quickstart(self) -> None:
        """Start the sample job."""
        from auditor.job import load_job
        from auditor.tui.sample_jobs import sample_job

        if self._starting:
            return
        self._starting = True
        button = self.query_one("#quickstart", Button)
        label, button.label = button.label, "Starting…"
        try:
            path = sample_job("quickstart")
            await self.auditor.start(load_job(path), str(path))
        finally:
            self._starting = False
            button.label = label
