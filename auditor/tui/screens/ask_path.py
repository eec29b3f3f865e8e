"""Saving a text under a path that the person gives."""

from __future__ import annotations

from pathlib import Path

from textual.widget import Widget
from textual.widgets import Input, Static

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.form import FormScreen


class AskPathScreen(FormScreen[Path]):
    """Asks for a path and writes the text there; gives the path.

    Args:
        question: what is saved.
        path: proposed.
        text: what is written.
    """

    HELP = "Type a path. Enter saves, Escape cancels. An existing file is replaced."

    def __init__(self, question: str, path: Path, text: str) -> None:
        super().__init__()
        self._question = question
        self._path = path
        self._text = text

    def fields(self) -> list[Widget]:
        """The path."""
        return [Static(self._question, markup=False), Input(str(self._path), id="path", compact=True)]

    def on_mount(self) -> None:
        """The path is ready to be changed."""
        self.query_one(Input).focus()

    def save(self) -> None:
        """Write the text."""
        from auditor.base.user_file import UserFileError, typed_path

        typed = self.query_one(Input).value
        try:
            path = typed_path(typed)
            path.write_text(self._text, encoding="utf-8")
        except UserFileError as error:
            self.tell(safe_text(f"{typed} {error}"))
        except ValueError as error:  # with a NUL in it
            self.tell(safe_text(f"{typed} is not a path: {error}"))
        except OSError as error:
            self.tell(safe_text(f"{path} cannot be written: {error.strerror}"))
        else:
            self.dismiss(path)
