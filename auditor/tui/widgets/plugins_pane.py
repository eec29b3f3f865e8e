"""The installed attacks and metrics: where each comes from, its options, and why one failed to load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from rich.text import Text
from textual import work
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable

from auditor.tui.shown import shown
from auditor.tui.signs import signs
from auditor.tui.widgets.home_pane import HomePane
from auditor.tui.widgets.lines import Lines
from auditor.tui.widgets.sortable_table import Row, SortableTable

MAX_LINE = 1 << 20
"""What a plugin says of itself is cut off there, and then cannot be read."""


class PluginsPane(HomePane):
    """The table of plugins, and the documentation of the one under the cursor."""

    HELP = "Attacks are carried out by simulated providers; metrics measure distances. Both can come from any package."

    class Described(Message):
        """A plugin was described, as `auditor.plugins.describing` does."""

        def __init__(self, told: dict[str, Any]) -> None:
            super().__init__()
            self.told = told

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[bytes] | None = None
        self._told: dict[str, dict[str, Any]] = {}
        self._asked = False

    def compose(self) -> Iterable[Widget]:
        """The table and the documentation."""
        with Horizontal(id="plugins-split"):
            yield SortableTable("kind", "name", "state", "package", "version", id="plugins")
            yield Lines(id="plugin-details")

    def reload(self) -> None:
        """List the plugins at once; the first time, have them described too."""
        from auditor.plugins.discovery import installed

        for plugin in (*installed("attacks"), *installed("metrics")):
            known = {"kind": plugin.kind, "name": plugin.name, "package": plugin.package, "version": plugin.version}
            self._told.setdefault(f"{plugin.kind}/{plugin.name}", {"installed": known})
        self._draw()
        if not self._asked:
            self._asked = True
            self._describe()

    @work(thread=True, exclusive=True, group="describe", exit_on_error=False)
    def _describe(self) -> None:
        """Ask a process of its own, because loading plugins imports PyTorch and strangers' code."""
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "auditor.plugins.describing"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            assert process.stdout is not None
            while line := process.stdout.readline(MAX_LINE):
                self.post_message(self.Described(json.loads(line)))

    def on_unmount(self) -> None:
        """Nobody waits for the documentation any more."""
        if self._process is not None:
            self._process.kill()

    def on_plugins_pane_described(self, message: Described) -> None:
        """Show one more plugin with its documentation."""
        one = message.told["installed"]
        self._told[f"{one['kind']}/{one['name']}"] = message.told
        self._draw()

    def _draw(self) -> None:
        self.query_one("#plugins", SortableTable).show([_row(key, told) for key, told in self._told.items()])
        self._detail(self.query_one("#plugins", SortableTable).selected)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the documentation of what the cursor is on."""
        self._detail(event.row_key.value)

    def _detail(self, key: str | None) -> None:
        self.query_one("#plugin-details", Lines).write(_details(self._told.get(key or "", {})))


def _row(key: str, told: dict[str, Any]) -> Row:
    one = told["installed"]
    state = "testing" if "error" not in told else "unreachable" if told["error"] else "reachable"
    words = {"testing": "loading", "unreachable": "failed", "reachable": "loads"}[state]
    kind = str(one["kind"]).removesuffix("s")
    return Row(
        key=key,
        cells=(
            Text(kind),
            shown(one["name"], 24),
            Text(f"{signs().verdicts[state]} {words}"),
            shown(one["package"], 24),
            shown(one["version"], 12),
        ),
        sort=(kind, one["name"], words, one["package"], one["version"]),
    )


def _details(told: dict[str, Any]) -> list[Text]:
    if "error" not in told:
        return [Text("Its documentation is being read." if told else "")]
    if told["error"]:
        return [shown(told["error"], 1000)]
    lines = [shown(line, 300) for line in str(told["documentation"]).splitlines()]
    lines += [Text(), Text("Options" if told["options"] else "It has no options.", style="bold")]
    for option in told["options"]:
        head = f"{option['name']} ({option['type']}, default {option['default']})"
        lines += [shown(head, 120, "bold"), shown(f"  {option['description']}", 300)]
    return lines
