"""Following runs: who executes them, how they end and whether they still exist must not matter."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Static

from auditor.audit.detached_run import start_run
from auditor.audit.record import events as e
from auditor.audit.record.fold import fold
from auditor.job import parse_job
from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.live import LiveScreen
from auditor.tui.screens.verdict import VerdictScreen
from auditor.tui.widgets.verdict_list import VerdictList
from tests.tui.recorded import RUN, beginning, ending, job_text, record
from tests.tui.walking import screen_text, text_of, until


async def test_events_that_another_process_appends_are_shown(home: Path) -> None:
    record(home, beginning())
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "step 20/60" in screen_text(app))
        with Store(home) as store:
            for event in ending():
                store.append(RUN, event.kind, event.payload())
        await until(pilot, lambda: "✗ flagged" in text_of(app, "#title"))
        await until(pilot, lambda: "out of memory" in screen_text(app))


async def test_verdicts_so_far_are_judged_while_the_run_goes_on(home: Path) -> None:
    record(home, beginning())
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(160, 48)) as pilot:

        def told() -> str:
            return str(app.screen.query_one(VerdictList).query_one("Static", Static).render())

        await until(pilot, lambda: "So far" in told() and "aurora" in told() and "flagged" in told())


async def test_a_watcher_that_starts_again_has_lost_nothing(home: Path) -> None:
    record(home, beginning())
    shown = []
    for _ in range(2):
        app = AuditorApp(home, watch=RUN)
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, partial(_shows, app, "aurora lies furthest off"))
            assert isinstance(app.screen, LiveScreen)
            assert app.screen.snapshot is not None
            shown.append((app.screen.snapshot.state, app.screen.snapshot.log))
    assert shown[0][1] == shown[1][1]
    assert shown[0][0].seq == shown[1][0].seq


async def test_a_run_that_is_deleted_while_shown(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "v shows the verdict" in screen_text(app))
        with Store(home) as store:
            store.delete_run(RUN)
        await until(pilot, lambda: "was deleted" in text_of(app, "#title"))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, VerdictScreen) and "was deleted" in text_of(app, "#title"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "Press g" in screen_text(app))


async def test_pausing_and_cancelling_are_asked_through_the_store(home: Path) -> None:
    record(home, beginning())
    with Store(home) as store, store.lock(RUN):
        app = AuditorApp(home, watch=RUN)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "running" in text_of(app, "#title"))
            await pilot.press("p")
            await until(pilot, lambda: store.requests(RUN) == {"pause"})
            await until(pilot, lambda: "pause requested" in text_of(app, "#title"))
            await pilot.press("x")
            await until(pilot, lambda: "Stop this run now" in screen_text(app))
            await pilot.press("y")
            await until(pilot, lambda: store.requests(RUN) == {"pause", "cancel"})


async def test_every_screen_survives_a_tiny_terminal(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "v shows the verdict" in screen_text(app))
        # Help over the live screen, its heat map, the verdict with its panes, the form for saving, and home's panes.
        for keys in ("", "f1", "escape h", "v", "2", "3", "6", "w", "escape escape escape", "2", "3", "4"):
            await pilot.press(*keys.split())
            for size in ((20, 5), (1, 1), (120, 36)):
                await pilot.resize_terminal(*size)
        assert app.is_running


async def test_a_run_is_deleted_with_what_it_frees(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    blob = home / "runs" / RUN / "blobs" / "00"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(bytes(2_000_000))
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: RUN in screen_text(app))
        await pilot.press("d")
        await until(pilot, lambda: "This frees 2.0" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "Press g" in screen_text(app))
        assert not blob.exists()


async def test_what_no_run_needs_is_removed_after_asking(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    with Store(home) as store:
        unneeded = store.blobs(RUN).path(store.blobs(RUN).add([bytes(2_000_000)]))
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: RUN in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: "This frees 2.0" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: not unneeded.exists())
        assert RUN in screen_text(app)


def _shows(app: AuditorApp, words: str) -> bool:
    return words in screen_text(app)


@pytest.mark.slow
async def test_a_run_ends_by_itself_when_the_interface_is_closed(home: Path) -> None:
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        run = await app.start(parse_job(job_text(steps=20, k=10)), "test")
        await until(pilot, lambda: "2 Distances" in screen_text(app) or isinstance(app.screen, LiveScreen))
        await until(pilot, lambda: app.screen.snapshot.state.boundaries, 60)  # type: ignore[attr-defined]
    with Store(home) as store:
        deadline = time.monotonic() + 120
        while store.last_events(e.AuditFinished.kind) == []:
            assert time.monotonic() < deadline
            app.detached[run]._process.wait(timeout=120)
        finished = fold(store.events(run)).finished
    assert finished is not None
    assert finished.outcome == "flagged"


@pytest.mark.slow
async def test_a_run_that_cannot_be_prepared_says_why(home: Path) -> None:
    job = parse_job(job_text().replace('dataset = "digits"', 'dataset = "tensors:/nowhere"'))
    app = AuditorApp(home)
    async with app.run_test(size=(120, 36)) as pilot:
        await app.start(job, "test")
        await until(pilot, lambda: "/nowhere" in text_of(app, "#title"), 60)


def test_last_words_are_read_from_a_log_that_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        record_, detached = start_run(store, parse_job(job_text().replace('"digits"', '"tensors:/nowhere"')), "test")
        detached._process.wait(timeout=60)
        assert store.last_seq(record_.id) is None
    assert any("/nowhere" in line for line in detached.last_words())


async def test_the_log_is_wrapped_for_the_width_that_it_is_shown_in(home: Path) -> None:
    record(home, beginning())
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "step 20/60" in text_of(app, "#title"))
        with Store(home) as store:
            for event in ending():
                store.append(RUN, event.kind, event.payload())
        await until(pilot, lambda: "flagged" in text_of(app, "#title"))
        await pilot.press("4")
        await until(pilot, lambda: "search the log" in screen_text(app))
        await until(pilot, lambda: max(len(line) for line in screen_text(app).splitlines()[-6:-1]) > 40)
