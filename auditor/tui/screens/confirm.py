"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from auditor.tui.safe_text import safe_text


class ConfirmScreen(ModalScreen[bool]):
    """Asks before something that cannot be taken back; gives True when the person agrees.

    Args:
        question: what is asked; names in it may be hostile.
        agreement: a word or two that say what agreeing does.
    """

    HELP = "Enter or a click on the first button confirms; Escape cancels."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "No"),
        Binding("y", "answer(True)", "Yes"),
        Binding("n", "answer(False)", "No", show=False),
    ]

    def __init__(self, question: str, agreement: str) -> None:
        super().__init__()
        self._question = question
        self._agreement = agreement

    def compose(self) -> ComposeResult:
        """The question and the answers."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(safe_text(self._question), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"{self._agreement} (y)", id="yes", variant="error", compact=True)
                yield Button("Cancel (Esc)", id="no", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer as the button says."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, agreed: bool) -> None:
        """Answer by a key."""
        self.dismiss(agreed)
