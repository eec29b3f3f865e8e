"""What the parts of the home screen have in common."""

from __future__ import annotations

from textual.containers import Vertical
from textual.worker import Worker, WorkerState

from auditor.base.hostile_text import cleaned
from auditor.tui.store_app import StoreApp, store_app


class HomePane(Vertical):
    """A part of the home screen that survives what its workers raise."""

    @property
    def auditor(self) -> StoreApp:
        """The application, by its own type."""
        return store_app(self)

    def reload(self) -> None:
        """Read again what it shows; called when it comes to the front and by F5."""
        raise NotImplementedError

    def say(self, message: object, *, error: bool = False) -> None:
        """Tell the person something in passing."""
        self.notify(cleaned(message), severity="error" if error else "information", markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where what a worker raised is shown."""
        if event.state is WorkerState.ERROR:
            self.say(f"{event.worker.error or 'something failed'}", error=True)
