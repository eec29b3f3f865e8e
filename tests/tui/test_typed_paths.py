"""Whatever somebody types or pastes as the path of a job file: a sentence, and the interface goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.widgets import Input

from auditor.tui.app import AuditorApp
from tests.command import job_text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("~nosuchuser/job.toml", "begins with the home of 'nosuchuser', a user that this machine does not have"),
        ("/tmp/a\0b", "null byte"),
        ("/tmp/" + "x" * 5000, "File name too long"),
        ("pipe.toml", "is a pipe or a device, not a file"),
        ("/dev/zero", "is a pipe or a device, not a file"),
        (".", "is a folder, not a file"),
        ("latin.toml", "is not UTF-8 text"),
        ("large.toml", "has more than"),
    ],
    ids=range(8),
)
async def test_a_path_that_leads_to_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.toml")
    Path("latin.toml").write_bytes(b"\xff")
    Path("large.toml").write_bytes(b"#" * (1 << 20))
    app = AuditorApp(tmp_path / "home")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        box = app.screen.query_one("#job-path", Input)
        box.focus()
        box.value = typed
        await pilot.press("enter")
        await pilot.pause()
        assert [note.message for note in app._notifications if words in note.message]
    assert app.return_code in (0, None)


async def test_a_file_with_a_byte_order_mark_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xef\xbb\xbf" + job_text().replace("\n", "\r\n").encode())
    app = AuditorApp(tmp_path / "home")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        box = app.screen.query_one("#job-path", Input)
        box.focus()
        box.value = str(path)
        await pilot.press("enter")
        await pilot.pause()
        assert type(app.screen).__name__ == "JobScreen"
