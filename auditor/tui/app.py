"""The application: which screen comes first, what works everywhere, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.theme import Theme
from textual import work
from textual.app import App, SystemCommand
from textual.binding import ActiveBinding, Binding, BindingType
from textual.command import Provider
from textual.screen import ModalScreen, Screen

from auditor.tui.chosen_theme import remember_theme, remembered_theme
from auditor.tui.palette import palette, sign_variables
from auditor.tui.store_app import StoreApp

if TYPE_CHECKING:
    from auditor.store import RunRecord


def _actions() -> type[Provider]:
    from auditor.tui.actions import Actions

    return Actions


class AuditorApp(StoreApp):
    """The terminal interface.

    Args:
        folder: of the store.
        watch: the id of a run to show first; None for the home screen alone.
        evolves: whether that run has updates, each with a run of its own.
    """

    TITLE = "auditor"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        Path(__file__).parent / "styles" / "auditor.tcss",
        Path(__file__).parent / "styles" / "panes.tcss",
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_actions}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "explain", "Help", tooltip="Explain the focused pane and list all keys"),
        Binding("q", "quit", "Quit", tooltip="Leave; runs continue"),
        Binding("ctrl+o", "jump", "Jump", tooltip="Go to any pane: this key, then the pane's"),
        Binding("ctrl+t", "change_theme", "Theme", tooltip="Choose light or dark colours", show=False),
    ]

    # What panes stand side by side on; see styles/panes.tcss.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as the base class has it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, folder: Path, watch: str | None = None, *, evolves: bool = False) -> None:
        super().__init__(folder)
        self._watch_first = watch
        self._evolves = evolves

    def on_mount(self) -> None:
        """Show the first screen."""
        if (theme := remembered_theme(self.folder)) in self.available_themes:
            self.theme = theme
        self.console.push_theme(self._palette())
        self.theme_changed_signal.subscribe(self, lambda _: self._repaint())
        from auditor.tui.screens.home.screen import HomeScreen

        self.push_screen(HomeScreen())
        if self._watch_first is not None:
            self.open_run(self._watch_first, evolves=self._evolves)

    def get_css_variables(self) -> dict[str, str]:
        """Textual's variables, and those of signs."""
        variables = super().get_css_variables()
        self.theme_variables = variables | sign_variables(variables)
        return self.theme_variables

    def _palette(self) -> Theme:
        return palette(self.theme_variables, colours=not self.no_color)

    def _repaint(self) -> None:
        """What was composed as text has the colours of the theme before. The choice is kept."""
        remember_theme(self.folder, self.theme)
        from auditor.tui.widgets.lines import Lines

        self.console.pop_theme()
        self.console.push_theme(self._palette())
        for screen in self.screen_stack:
            for lines in screen.query(Lines):
                lines.redraw()

    def open_run(self, run: str, *, evolves: bool = False) -> None:
        """See `StoreApp`."""
        from auditor.tui.screens.evolution import EvolutionScreen
        from auditor.tui.screens.live import LiveScreen

        self.push_screen(EvolutionScreen(run) if evolves else LiveScreen(run))

    async def action_quit(self) -> None:
        """Leave, after asking if something would be lost. Runs go on."""
        self._leave()

    @work(exclusive=True, group="quit", exit_on_error=False)
    async def _leave(self) -> None:
        from auditor.tui.screens.confirm import ConfirmScreen

        if isinstance(self.screen, ConfirmScreen):
            return
        questions = [question for screen in self.screen_stack if (question := getattr(screen, "unsaved", None))]
        if not questions or await self.push_screen_wait(ConfirmScreen(questions[-1], "Leave")):
            self.exit()

    def action_explain(self) -> None:
        """Explain what has the focus."""
        from auditor.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_jump(self) -> None:
        """Let the person choose a pane by one more key."""
        from auditor.tui.screens.jump import JumpScreen, places

        if (found := places(self.screen)) and not isinstance(self.screen, ModalScreen):
            self.push_screen(JumpScreen(found))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that has a key now, and those of Textual itself."""
        known = set()
        bindings = sorted(screen.active_bindings.items(), key=lambda item: _place(item[1], screen))
        for key, (node, binding, enabled, tooltip) in bindings:
            if enabled and binding.description and binding.action not in known:
                known.add(binding.action)
                run = partial(self.run_action, binding.action, default_namespace=node)
                help_text = (
                    f"{tooltip or binding.tooltip or binding.description} ({self.get_key_display(binding) or key})"
                )
                yield SystemCommand(binding.description, help_text, run)
        for command in super().get_system_commands(screen):
            if command.title not in ("Quit", "Theme", "Keys"):
                yield command

    def _fatal_error(self) -> None:
        """Show what went wrong without the values of local variables, which may hold secrets."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        trace = Traceback(show_locals=False, width=None)
        with suppress(Exception):  # the report of a crash must not crash
            self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()


def _place(active: ActiveBinding, screen: Screen[Any]) -> int:
    """What the screen does comes first, then what its parts do, then the application, then what Textual adds."""
    added = {binding.action for binding in (*Screen.BINDINGS, *App.BINDINGS) if isinstance(binding, Binding)}
    if active.binding.action in added - {"quit"} or not type(active.node).__module__.startswith("auditor."):
        return 3
    return 0 if active.node is screen else 2 if active.node is screen.app else 1


def run_interface(folder: Path, watch: RunRecord | None = None) -> int:
    """Show the interface until the person leaves; returns the exit code."""
    import sys

    from auditor.tui.plain_characters import ERRORS

    if sys.__stderr__ is not None:
        sys.__stderr__.reconfigure(errors=ERRORS)  # Textual draws on it
    app = AuditorApp(folder) if watch is None else AuditorApp(folder, watch.id, evolves=watch.evolves)
    app.run()
    return app.return_code or 0
