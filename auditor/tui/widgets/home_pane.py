"""What the parts of the home screen have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.worker import Worker, WorkerState

from auditor.base.hostile_text import cleaned

if TYPE_CHECKING:
    from auditor.tui.app import AuditorApp


class HomePane(Vertical):
    """A part of the home screen that survives what its workers raise."""

    @property
    def auditor(self) -> AuditorApp:
        """The application, by its own type."""
        from auditor.tui.app import AuditorApp

        assert isinstance(self.app, AuditorApp)
        return self.app

    def reload(self) -> None:
        """Read again what it shows; called when it comes to the front and by F5."""
        raise NotImplementedError

    def say(self, message: object, *, bad: bool = False) -> None:
        """Tell the person something in passing."""
        self.notify(cleaned(message), severity="error" if bad else "information", markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where what a worker raised is shown."""
        if event.state is WorkerState.ERROR:
            self.say(f"{event.worker.error or 'something failed'}", bad=True)
