"""Panes that stand side by side where there is room, and under tabs where there is not."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Input, Tab, Tabs


class Pane(Vertical):
    """One part of a screen, with a title.

    Args:
        title: a fixed word or two.
        children: what is in it.
        id: of the pane.
    """

    def __init__(self, title: str, *children: Widget, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(*children, id=id)
        self.title = title
        self.border_title = title


class Panes(Container):
    """Holds panes; the screen's style decides whether all are seen or the one under the active tab."""

    DEFAULT_CSS = """
    Panes { height: 1fr; }
    Panes > Tabs { display: none; }
    Panes > #panes-all { height: 1fr; }
    """

    def __init__(self, *panes: Pane) -> None:
        super().__init__()
        self._panes = panes

    @property
    def titles(self) -> list[str]:
        """Of the panes, in their order."""
        return [pane.title for pane in self._panes]

    def compose(self) -> ComposeResult:
        """The tabs, and the panes in a container that the screen lays out."""
        yield Tabs(*(Tab(pane.title, id=f"tab-{pane.id}") for pane in self._panes))
        with Container(id="panes-all"):
            yield from self._panes

    def on_mount(self) -> None:
        """Show the first."""
        self._panes[0].add_class("-shown")

    def go_to(self, index: int) -> None:
        """Bring a pane to the front and give it the focus."""
        if index >= len(self._panes):
            return
        pane = self._panes[index]
        self.query_one(Tabs).active = f"tab-{pane.id}"
        self._show(pane)
        for widget in pane.query("*"):
            # Not a field to type in: it would swallow the key that leads to the next pane. An editor that was not
            # entered does not.
            if widget.focusable and not isinstance(widget, Input):
                widget.focus()
                return

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Show what the tab stands for."""
        event.stop()
        for pane in self._panes:
            if event.tab is not None and event.tab.id == f"tab-{pane.id}":
                self._show(pane)

    def _show(self, shown: Pane) -> None:
        for pane in self._panes:
            pane.set_class(pane is shown, "-shown")
