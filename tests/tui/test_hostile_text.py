"""Names, logs and errors from providers that hold markup, escapes and worse, through every screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.audit.record import events as e
from auditor.job import parse_job
from auditor.store import Store
from auditor.tui.app import AuditorApp
from tests.tui.recorded import beginning, ending, job_text, record
from tests.tui.walking import screen_text, until

HOSTILE = (
    "[bold red]a[/]",
    "[link=file:///etc/passwd]b",
    "[@click=app.quit]reversed",
    "[/nothing] $error {x} %s",
    "名前" * 20,
)
REASON = "\x1b]0;owned\x07\x1b[2J[/][@click=app.quit]x[/] \u202e" + "long " * 2000


def hostile_run(home: Path) -> str:
    names = HOSTILE
    events = [
        *beginning(names),
        e.ProviderMisbehaved(names[1], 0, REASON),
        e.ProviderLost(names[2], REASON),
        e.MetricFailed(0, "update", None, REASON),
        *(
            e.ReplicaFailed(3, event.provider, REASON, 1) if isinstance(event, e.ReplicaFailed) else event
            for event in ending(names)
        ),
    ]
    return record(home, events, run="hostile-0a1b2c", job_=parse_job(job_text(names)))


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_every_screen_shows_hostile_text_as_text(home: Path, size: tuple[int, int]) -> None:
    run = hostile_run(home)
    with Store(home) as store:
        for name in HOSTILE:
            store.register_provider(name, "https://[oops]:1", 1.0)
    app = AuditorApp(home, watch=run)
    seen = ""
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.screen.snapshot is not None)  # type: ignore[attr-defined]
        live = ("1", "down", "2", "o", "h", "3", "4", "5", "f1", "escape", "ctrl+p", "escape")
        verdict = ("v", "1", "2", "down", "3", "h", "4", "5", "6", "y", "w", "escape", "escape")
        home_keys = ("escape", "slash", "b", "enter", "2", "down", "e", "escape", "d", "escape", "3", "4", "1", "d")
        for key in (*live, *verdict, *home_keys):
            await pilot.press(key)
            await pilot.pause()
            text = screen_text(app)
            assert not set("\x1b\x07\u202e\u2066") & set(text)
            seen += text
        assert app.is_running
    assert "[bold red]" in seen


async def test_a_job_file_with_hostile_names_is_shown(home: Path) -> None:
    Path("bad[b].toml").write_text(job_text(HOSTILE[:2]) + f"\n[x]\ny = {json.dumps(REASON)}\n", encoding="utf-8")
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        from auditor.tui.screens.job import JobScreen

        path = Path("bad[b].toml")
        await app.push_screen(JobScreen(path.read_text(encoding="utf-8"), path))
        await until(pilot, lambda: "is not" in screen_text(app))
        assert "\x1b" not in screen_text(app)
