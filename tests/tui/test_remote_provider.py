"""The form for a provider asks for a token and a fingerprint where an agent elsewhere is typed, and only there."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from auditor.store import Store
from auditor.tui.app import AuditorApp
from tests.tui.walking import screen_text, until

FINGERPRINT = "ab" * 32


async def test_an_agent_elsewhere_is_registered_with_what_it_takes_to_get_in(home: Path, tmp_path: Path) -> None:
    token = tmp_path / "far.token"
    token.touch(0o600)
    token.write_text("0123456789abcdefghij")
    app = AuditorApp(home)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        await pilot.press("2", "a")
        await until(pilot, lambda: "Complete." in screen_text(app))
        assert "token" not in screen_text(app).partition("Dollars")[0]
        app.screen.query_one("#endpoint", Input).value = "https://far:8443"
        await until(pilot, lambda: "File with the agent's token" in screen_text(app))
        app.screen.query_one("#token", Input).value = str(tmp_path / "gone")
        await until(pilot, lambda: "cannot be read" in screen_text(app))
        app.screen.query_one("#token", Input).value = str(token)
        app.screen.query_one("#fingerprint", Input).value = "abc"
        await until(pilot, lambda: "is not a fingerprint" in screen_text(app))
        app.screen.query_one("#fingerprint", Input).value = FINGERPRINT.upper()
        await until(pilot, lambda: "Complete." in screen_text(app))
        await pilot.press("enter", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: len(app.screen_stack) == 2 and "local-1" in screen_text(app))
    with Store(home) as store:
        (known,) = store.providers()
    assert (known.endpoint, known.token_file, known.fingerprint) == ("https://far:8443", str(token), FINGERPRINT)
