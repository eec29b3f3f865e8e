"""The installed attacks and metrics: where each comes from, its options, and why one failed to load."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.text import Text
from textual import work
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import DataTable

from auditor.tui.shown import shown
from auditor.tui.signs import signs
from auditor.tui.widgets.home_pane import HomePane
from auditor.tui.widgets.lines import Lines
from auditor.tui.widgets.sortable_table import Row, SortableTable


class PluginsPane(HomePane):
    """The table of plugins, and the documentation of the one under the cursor."""

    HELP = "Attacks are carried out by simulated providers; metrics measure distances. Both can come from any package."

    def __init__(self) -> None:
        super().__init__()
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

    @work(exclusive=True, group="describe", exit_on_error=False)
    async def _describe(self) -> None:
        """Ask a process of its own, because loading plugins imports PyTorch and strangers' code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "auditor.plugins.describing",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
        )
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                told = json.loads(line)
                self._told[f"{told['installed']['kind']}/{told['installed']['name']}"] = told
                self._draw()
        finally:
            if process.returncode is None and process.stdout.at_eof() is False:
                process.kill()
            await process.wait()

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
