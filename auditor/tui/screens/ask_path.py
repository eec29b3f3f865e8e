"""Saving a text under a path that the person gives."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from auditor.tui.shown import shown


class AskPathScreen(ModalScreen[Path | None]):
    """Asks for a path and writes the text there; gives the path.

    Args:
        question: what is saved.
        path: proposed.
        text: what is written.
    """

    HELP = "Type a path; Enter saves, Escape does not. A file that is there already is replaced."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, question: str, path: Path, text: str) -> None:
        super().__init__()
        self._question = question
        self._path = path
        self._text = text

    def compose(self) -> ComposeResult:
        """The path and the buttons."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(self._question, markup=False)
            yield Input(str(self._path), id="path", compact=True)
            yield Static("", id="trouble", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Save (Enter)", id="save", variant="primary", compact=True)
                yield Button("Leave (Esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        """The path is ready to be changed."""
        self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        """Save."""
        self._save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save or leave."""
        if event.button.id == "save":
            self._save()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        """Save nothing."""
        self.dismiss(None)

    def _save(self) -> None:
        path = Path(self.query_one(Input).value).expanduser()
        try:
            path.write_text(self._text, encoding="utf-8")
        except OSError as error:
            self.query_one("#trouble", Static).update(shown(f"{path} cannot be written: {error.strerror}"))
        else:
            self.dismiss(path)
