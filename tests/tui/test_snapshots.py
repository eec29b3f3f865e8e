"""What every screen looks like, at two sizes and without colours; `--snapshot-update` accepts changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from auditor.job import PluginFile
from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.job import JobScreen
from auditor.tui.widgets.sortable_table import SortableTable
from tests.tui.recorded import RUN, beginning, ending, job, job_text, record
from tests.tui.walking import screen_text, until

Compare = Callable[..., bool]
SIZES = [(80, 24), (120, 36)]


@pytest.fixture
def snapshot_of(snap_compare: Compare, home: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compares a screen, after `walk`, with how it looked before. Nothing blinks and no toast comes and goes."""
    for widget in (Input, TextArea):
        monkeypatch.setattr(widget, "cursor_blink", False)

    def compare(app: AuditorApp, size: tuple[int, int], walk: Callable[[Pilot[Any]], Awaitable[None]]) -> bool:
        app.animation_level = "none"

        async def walk_until_nothing_moves(pilot: Pilot[Any]) -> None:
            await walk(pilot)
            before = ""
            while (shown := app.export_screenshot(simplify=True)) != before:
                before = shown
                await pilot.pause(SETTLING_SECONDS)

        return snap_compare(app, terminal_size=size, run_before=walk_until_nothing_moves)

    return compare


SETTLING_SECONDS = 0.1
"""How long a screen must stay as it is: words are there before scrollbars and colours are."""


def walk_to(words: str, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Press keys as soon as the screen shows the words."""

    async def walk(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: words in screen_text(pilot.app))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    return walk


@pytest.mark.parametrize("size", SIZES)
class TestSnapshots:
    def test_first_start(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        assert snapshot_of(AuditorApp(home), size, walk_to("Press g"))

    def test_runs(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])
        record(home, beginning(), run="stopped-3d4e5f", minutes=30)
        assert snapshot_of(AuditorApp(home), size, walk_to("stopped-3d4e5f"))

    def test_providers(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])
        with Store(home) as store:
            store.register_provider("aurora", "local:cpu", 2.5)
            store.register_provider("far away", "https://provider.example:8443")
        app = AuditorApp(home)

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to(RUN, "2")(pilot)
            await until(pilot, lambda: "far away" in screen_text(app))

        assert snapshot_of(app, size, walk)

    def test_provider_form(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g", "2", "a")(pilot)
            await until(pilot, lambda: "Complete." in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home), size, walk)

    def test_jobs(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g", "3")(pilot)
            await until(pilot, lambda: "sample" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home), size, walk)

    def test_job(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        app = AuditorApp(home)

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g")(pilot)
            await app.push_screen(JobScreen(job_text(), None))
            await until(pilot, lambda: "Probability that a malicious provider" in screen_text(app))

        assert snapshot_of(app, size, walk)

    def test_job_with_problems(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        app = AuditorApp(home)

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g")(pilot)
            await app.push_screen(JobScreen(job_text().replace('name = "recorded"', 'nam = "recorded"'), None))
            await until(pilot, lambda: "Did you mean" in " ".join(screen_text(app).split()))
            await until(pilot, lambda: app.screen.query_one(TextArea).selected_text)  # the line with the problem
            await pilot.pause()

        assert snapshot_of(app, size, walk)

    def test_compose(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g", "3", "c")(pilot)
            await until(pilot, lambda: "Complete:" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home), size, walk)

    def test_live(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, beginning())
        app = AuditorApp(home, watch=RUN)

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("aurora, sub-run 0")(pilot)
            await until(pilot, lambda: "✗ aurora" in str(app.screen.query_one("VerdictList Static", Static).render()))

        assert snapshot_of(app, size, walk)

    def test_distances(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])
        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk_to("v shows the verdict", "n", "2"))

    def test_heat_map(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])
        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk_to("v shows the verdict", "n", "h"))

    def test_verdict(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("v shows the verdict", "v")(pilot)
            await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk)

    def test_evidence(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("v shows the verdict", "v")(pilot)
            await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(pilot.app))
            await walk_to("flagged", "2")(pilot)

        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk)

    def test_compare(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("v shows the verdict", "v")(pilot)
            await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(pilot.app))
            await walk_to("flagged", "c")(pilot)
            await until(pilot, lambda: "ratio (first)" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk)

    def test_save(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("v shows the verdict", "v")(pilot)
            await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(pilot.app))
            await walk_to("flagged", "w")(pilot)
            await until(pilot, lambda: "Save as" in screen_text(pilot.app))
            pilot.app.screen.query_one(Input).value = "/home/me/verdict.txt"  # not the folder of this test

        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk)

    def test_delete(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to(RUN, "d")(pilot)
            await until(pilot, lambda: "(y)" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home), size, walk)

    def test_plugins(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        works = "from auditor.plugins import Attack\nclass Mine(Attack):\n    name = 'mine'\n"
        files = {"broken.py": "raise OSError('no licence')\n", "mine.py": works}
        named = [PluginFile(path=f"/home/me/{name}", source=text) for name, text in files.items()]
        record(home, beginning(), job_=job().with_plugins(named))

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to(RUN, "4")(pilot)
            # Sorted by state, those that failed come first; the cursor then goes to the first of them.
            await until(pilot, lambda: "✓ loads" in screen_text(pilot.app))
            await pilot.press("s", "s", "ctrl+home")
            await until(pilot, lambda: "✗ failed" in screen_text(pilot.app))
            await until(pilot, lambda: all_loaded(pilot.app))  # also those below the edge of the screen
            await pilot.press("ctrl+home")
            if size[0] > 100:
                await pilot.press("down", "down")  # to one with documentation and options

        assert snapshot_of(AuditorApp(home), size, walk)

    def test_help(self, snapshot_of: Compare, home: Path, size: tuple[int, int]) -> None:
        record(home, [*beginning(), *ending()])
        assert snapshot_of(AuditorApp(home, watch=RUN), size, walk_to("v shows the verdict", "f1"))


def all_loaded(app: App[Any]) -> bool:
    """Whether no plugin is being loaded any more."""
    table = app.screen.query_one("#plugins", SortableTable)
    return not any("loading" in str(cell) for key in table.rows for cell in table.get_row(key))


class TestWithoutColours:
    @pytest.fixture(autouse=True)
    def _no_colours(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")

    def test_live(self, snapshot_of: Compare, home: Path) -> None:
        record(home, [*beginning(), *ending()])
        assert snapshot_of(AuditorApp(home, watch=RUN), (120, 36), walk_to("v shows the verdict", "n"))

    def test_verdict(self, snapshot_of: Compare, home: Path) -> None:
        record(home, [*beginning(), *ending()])

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("v shows the verdict", "v")(pilot)
            await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(pilot.app))

        assert snapshot_of(AuditorApp(home, watch=RUN), (80, 24), walk)

    def test_job(self, snapshot_of: Compare, home: Path) -> None:
        app = AuditorApp(home)

        async def walk(pilot: Pilot[Any]) -> None:
            await walk_to("Press g")(pilot)
            await app.push_screen(JobScreen(job_text(), None))
            await until(pilot, lambda: "Probability that a malicious provider" in screen_text(app))

        assert snapshot_of(app, (120, 36), walk)
