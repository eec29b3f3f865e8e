"""What dialogs that ask for something and save it have in common."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

Result = TypeVar("Result")


class FormScreen(ModalScreen[Result | None]):
    """Fields, what is wrong with them, and two buttons; gives what was saved, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]
    _before: list[str] | None = None

    def compose(self) -> ComposeResult:
        """The fields and the buttons."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield from self.fields()
            yield Static("", id="trouble", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Save (Enter)", id="save", variant="primary", compact=True)
                yield Button("Cancel (Esc)", id="leave", compact=True)

    ASKS: ClassVar[bool] = False
    """Whether leaving with something filled in asks first."""

    def on_show(self) -> None:
        """Remember how the form was before somebody filled it in."""
        self._before = self._values()

    def _values(self) -> list[str]:
        return [field.value for field in self.query(Input)]

    @abstractmethod
    def fields(self) -> list[Widget]:
        """What is asked for, from above."""

    @abstractmethod
    def save(self) -> object:
        """Save, and dismiss the form with the result; or tell the trouble."""

    def tell(self, trouble: str | Text) -> None:
        """Say what is wrong, or that nothing is."""
        self.query_one("#trouble", Static).update(trouble)

    def submit(self, field: Input) -> None:
        """What Enter does in a field."""
        self.save()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter was pressed in a field."""
        self.submit(event.input)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save or leave."""
        if event.button.id == "save":
            self.save()
        else:
            self.action_leave()

    @work(exclusive=True, group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Save nothing, after asking if something was filled in."""
        from auditor.tui.screens.confirm import ConfirmScreen

        if self.ASKS and self._values() != self._before:
            question = "What you filled in is not saved. Leave without saving?"
            agreed = await self.app.push_screen_wait(ConfirmScreen(question, "Leave"))
            if not agreed:
                return
        self.dismiss(None)

    async def may_replace(self, path: Path) -> bool:
        """Whether a file may be written: it is not there, or the person agrees to replace it."""
        from auditor.tui.screens.confirm import ConfirmScreen

        if not path.exists():
            return True
        agreed: bool = await self.app.push_screen_wait(ConfirmScreen(f"{path} exists. Replace it?", "Replace"))
        return agreed is True
