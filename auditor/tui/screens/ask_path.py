"""Saving a text under a path that the person gives."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.widget import Widget
from textual.widgets import Input, Static

from auditor.base.atomic_file import write_user_file
from auditor.tui.safe_text import safe_text
from auditor.tui.screens.form import FormScreen


class AskPathScreen(FormScreen[Path]):
    """Asks for a path and writes the text there; gives the path.

    Args:
        question: what is saved.
        path: proposed.
        text: what is written.
        own: the file that the text came from, which is written without a question.
    """

    HELP = "Type a path. Enter saves, Escape cancels. Before another file is replaced, you are asked."

    def __init__(self, question: str, path: Path, text: str, own: Path | None = None) -> None:
        super().__init__()
        self._own = own
        self._question = question
        self._path = path
        self._text = text

    def fields(self) -> list[Widget]:
        """The path."""
        return [Static(self._question, markup=False), Input(str(self._path), id="path", compact=True)]

    def on_mount(self) -> None:
        """The path is ready to be changed."""
        self.query_one(Input).focus()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def save(self) -> None:
        """Write the text, after asking if another file would be replaced."""
        from auditor.base.user_file import UserFileError, typed_path

        typed = self.query_one(Input).value
        try:
            path = typed_path(typed)
            if path != self._own and not await self.may_replace(path):
                return
            write_user_file(path, self._text)
        except UserFileError as error:
            self.tell(safe_text(f"{typed} {error}"))
        except ValueError as error:  # with a NUL in it
            self.tell(safe_text(f"{typed} is not a path: {error}"))
        except OSError as error:
            self.tell(safe_text(f"{path} cannot be written: {error.strerror}"))
        else:
            self.dismiss(path)
