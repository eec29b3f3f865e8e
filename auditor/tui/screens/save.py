"""Saving a run to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from auditor.base.atomic_file import write_user_file
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.base import AuditorScreen
from auditor.tui.screens.form import FormScreen

if TYPE_CHECKING:
    from auditor.store import RunRecord, Store

FORMATS = {"txt": "text report", "jsonl": "JSON, all events", "svg": "SVG image of this screen"}


class SaveScreen(FormScreen[Path], AuditorScreen):
    """Asks for a format and a path; gives where it was saved.

    Args:
        run: what is saved.
        screenshot: of the screen below, as SVG.
    """

    HELP = "Choose a format and a path. Enter saves, Escape cancels. Before a file is replaced, you are asked."

    def __init__(self, run: RunRecord, screenshot: str) -> None:
        super().__init__()
        self._run = run
        self._screenshot = screenshot

    def fields(self) -> list[Widget]:
        """The format and the path."""
        choices = [(words, suffix) for suffix, words in FORMATS.items()]
        return [
            Static("Save as", markup=False),
            Select(choices, value="txt", allow_blank=False, id="format", compact=True),
            Input(str(Path.cwd() / f"{self._run.id}.txt"), id="path", compact=True),
        ]

    def on_mount(self) -> None:
        """The path is ready to be accepted."""
        self.query_one("#path").focus()

    @property
    def _suffix(self) -> str:
        return str(self.query_one("#format", Select).value)

    def on_select_changed(self) -> None:
        """The path follows the format."""
        path = self.query_one("#path", Input)
        path.value = str(Path(path.value).with_suffix(f".{self._suffix}"))

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self) -> None:
        """Write the run in the format."""
        from auditor.base.user_file import UserFileError, typed_path

        typed, suffix = self.query_one("#path", Input).value, self._suffix
        try:
            path = typed_path(typed)
        except UserFileError as error:
            self.tell(safe_text(f"{typed} {error}"))
            return
        try:
            if not await self.may_replace(path):
                return
            self.tell("Saving…")  # the report of a long run takes a while
            await self.in_store(lambda store: _write(store, self._run, path, suffix, self._screenshot))
        except OSError as error:
            self.tell(safe_text(f"{path} cannot be written: {error.strerror}"))
        except Exception:
            self.tell("")
            raise
        else:
            self.dismiss(path)


def _write(store: Store, run: RunRecord, path: Path, suffix: str, screenshot: str) -> None:
    from auditor.audit.record.fold import fold
    from auditor.report.run_file import as_json_lines, as_text

    records = store.events(run.id)
    match suffix:
        case "svg":
            text = screenshot
        case "jsonl":
            text = as_json_lines(records)
        case _:
            text = as_text(run, fold(records))
    write_user_file(path, text)
