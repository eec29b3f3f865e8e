"""What can be done is shown: in the keys at the bottom, in the palette, in the help, and by two keys to any pane."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.widgets import Input, TabbedContent

from auditor.tui.app import AuditorApp
from auditor.tui.screens.job import JobEditor, JobScreen
from auditor.tui.screens.jump import JumpScreen
from auditor.tui.screens.live import LiveScreen
from auditor.tui.widgets.log_lines import LogLines
from tests.tui.recorded import RUN, beginning, ending, job_text, record
from tests.tui.walking import screen_text, text_of, type_text, until

KEYS = {"q Quit", "f1 Help", "/ Search"}


@pytest.fixture
def watching(home: Path) -> AuditorApp:
    """The interface on a recorded run."""
    record(home, [*beginning(), *ending()])
    return AuditorApp(home, watch=RUN)


async def ready(app: AuditorApp, pilot: object) -> None:
    await until(pilot, lambda: "v shows the verdict" in text_of(app, "#title"))  # type: ignore[arg-type]


async def test_a_small_terminal_shows_how_to_quit_to_search_and_to_get_help(watching: AuditorApp) -> None:
    async with watching.run_test(size=(80, 24)) as pilot:
        await ready(watching, pilot)
        for keys in ("", "escape"):
            await pilot.press(*keys.split())
            await until(pilot, lambda: set(re.split(" {2,}", screen_text(watching).splitlines()[-1].strip())) >= KEYS)


async def test_letters_are_not_shown_as_keys_while_they_are_typed(watching: AuditorApp) -> None:
    async with watching.run_test(size=(80, 24)) as pilot:
        await ready(watching, pilot)
        await pilot.press("slash")
        await until(pilot, lambda: "q Quit" not in screen_text(watching) and "f1 Help" in screen_text(watching))


async def test_the_palette_lists_what_the_screen_does_first(watching: AuditorApp) -> None:
    async with watching.run_test(size=(80, 24)) as pilot:
        await ready(watching, pilot)
        titles = [command.title for command in watching.get_system_commands(watching.screen)]
        own = {binding.description for binding in LiveScreen.BINDINGS if isinstance(binding, Binding)}
        own -= {"Pause", "Cancel", "Resume"}
        assert set(titles[: len(own)]) == own
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(watching.screen, CommandPalette) and "Verdict" in screen_text(watching))
        await type_text(pilot, "heat")
        await until(pilot, lambda: "Heat map" in screen_text(watching))


async def test_two_keys_lead_to_any_pane_also_from_a_field(watching: AuditorApp) -> None:
    async with watching.run_test(size=(80, 24)) as pilot:
        await ready(watching, pilot)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(watching.focused, Input))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(watching.screen, JumpScreen) and "5  Progress" in screen_text(watching))
        await pilot.press("2")
        await until(pilot, lambda: "Distances in sub-run" in screen_text(watching))
        await pilot.press("escape", "ctrl+o", "3")
        await until(pilot, lambda: watching.screen.query_one(TabbedContent).active == "jobs-tab")


async def test_one_jumps_out_of_an_editor(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = JobScreen(job_text(), None)
        await app.push_screen(screen)
        await pilot.press("e", "ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.press("1")
        await until(pilot, lambda: app.screen is screen and not isinstance(app.focused, JobEditor))
        assert screen.query_one(JobEditor).text == job_text()


async def test_words_in_the_log_are_found_one_after_the_other(watching: AuditorApp) -> None:
    async with watching.run_test(size=(80, 24)) as pilot:
        await ready(watching, pilot)
        await pilot.press("slash")
        await type_text(pilot, "committed")
        lines = watching.screen.query_one(LogLines)
        hits = len(lines._hits)
        assert hits > 3
        await until(pilot, lambda: f"{hits} of {hits}" in str(lines.parent.border_subtitle))  # type: ignore[union-attr]
        await pilot.press("enter", "n")
        await until(pilot, lambda: f"1 of {hits}" in str(lines.parent.border_subtitle))  # type: ignore[union-attr]
        await pilot.press("n", "N", "N")
        await until(pilot, lambda: f"{hits} of {hits}" in str(lines.parent.border_subtitle))  # type: ignore[union-attr]
        assert "is ready" in " ".join(line.plain for line in lines._lines), "lines without a hit stay"


@pytest.mark.parametrize("width", [40, 80, 100, 160])
async def test_every_line_of_the_log_fits_its_width(watching: AuditorApp, width: int) -> None:
    async with watching.run_test(size=(160, 48)) as pilot:
        await ready(watching, pilot)
        await pilot.resize_terminal(width, 30)
        await pilot.press("4")
        lines = watching.screen.query_one(LogLines)
        await until(pilot, lambda: lines.size.width > 0 and lines._wrapped)
        room = lines.scrollable_content_region.width
        assert all(part.cell_len <= room for _, part in lines._wrapped)
        whole = "".join(line.plain for line in lines._lines).replace(" ", "")
        assert "".join(part.plain for _, part in lines._wrapped).replace(" ", "") == whole


async def test_one_provider_is_shown_alone(watching: AuditorApp) -> None:
    async with watching.run_test(size=(160, 48)) as pilot:
        await ready(watching, pilot)
        await until(pilot, lambda: "borealis is ready" in screen_text(watching))
        await pilot.press("f")
        await until(pilot, lambda: "only aurora" in screen_text(watching))
        await until(pilot, lambda: "borealis is ready" not in screen_text(watching))
        await pilot.press("f")
        await until(pilot, lambda: "borealis is ready" in screen_text(watching))


async def test_the_theme_is_remembered(home: Path) -> None:
    app = AuditorApp(home)
    async with app.run_test() as pilot:
        app.theme = "textual-light"
        await pilot.pause()
    again = AuditorApp(home)
    async with again.run_test() as pilot:
        await until(pilot, lambda: again.theme == "textual-light")
    (home / "theme.txt").write_bytes(b"\xff\x00no such theme")
    async with AuditorApp(home).run_test() as pilot:
        await pilot.pause()


async def test_help_explains_the_signs_of_the_focused_pane(watching: AuditorApp) -> None:
    async with watching.run_test(size=(120, 36)) as pilot:
        await ready(watching, pilot)
        await pilot.press("f1")
        await until(pilot, lambda: "✗ flagged" in screen_text(watching) and "[ ]" in screen_text(watching))
        await pilot.press("escape", "2", "f1")
        await until(pilot, lambda: "┃ is where" in " ".join(screen_text(watching).split()))
