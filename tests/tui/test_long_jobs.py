"""What helps with a job of many hours that is watched over ssh now and then."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.widgets.verdict_list import ratio_line
from tests.tui.recorded import RUN, beginning, ending, record
from tests.tui.walking import screen_text, text_of, until


async def test_the_end_is_told_as_a_time_of_day(home: Path) -> None:
    record(home, beginning())
    with Store(home) as store, store.lock(RUN):
        app = AuditorApp(home, watch=RUN)
        async with app.run_test(size=(120, 36)) as pilot:
            await until(pilot, lambda: "ends about " in text_of(app, "#title"))


async def test_the_terminal_is_told_of_the_first_flag_and_of_the_end_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = beginning()
    record(home, events[:-2])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(120, 36)) as pilot:
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)  # what the terminal gets
        await until(pilot, lambda: "step 20/60" in text_of(app, "#title"))
        assert not any("\x1b]" in text for text in written)
        with Store(home) as store:
            for event in (*events[-2:], *ending()):
                store.append(RUN, event.kind, event.payload())
        await until(pilot, lambda: "v shows the verdict" in text_of(app, "#title"))
        await pilot.press("v")
        await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(app))
    told = [text for text in written if text.startswith("\x1b]")]
    assert f"\x1b]9;auditor: aurora deviates in {RUN}\x07" in told
    assert f"\x1b]9;auditor: flagged: {RUN}\x07" in told
    assert f"\x1b]2;auditor: flagged: {RUN}\x07" in told
    assert len([text for text in told if text.startswith("\x1b]9")]) == 2


async def test_old_news_ring_no_bell(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home)
    async with app.run_test(size=(120, 36)) as pilot:
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        app.open_run(RUN)
        await until(pilot, lambda: "v shows the verdict" in text_of(app, "#title"))
    assert any(text.startswith("\x1b]2;") for text in written)
    assert not any(text.startswith("\x1b]9;") or text == "\x07" for text in written)


def test_a_bar_for_each_ratio_on_the_same_scale_for_all() -> None:
    assert ratio_line([0.5, 1.0, 10.0, 100.0, 1e9]) == "▁▁▅██"


async def test_the_verdict_says_what_to_do_next(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(120, 60)) as pilot:
        await until(pilot, lambda: "ratios ▆ to 31.00" in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: "What to do next" in screen_text(app))
        text = " ".join(str(app.screen.query_one("#verdict-text Static", Static).render()).split())
        for words in ("Roll back", "Pass it on (w)", "Dispute", "Write to the provider (y)"):
            assert words in text
        assert f"auditor report {RUN} --format" in text
        await pilot.press("p")
        await until(pilot, lambda: app.clipboard == str(Path("blobs/060606").absolute()))
